#include "source/source_kafka_parts.h"

#include <string.h>

static struct kafka_source *kafka_of(struct source *source)
{
    return (struct kafka_source *)source;
}

enum kafka_step kafka_assign_at(struct kafka_source *kafka, bool at_mark)
{
    uint64_t offset = at_mark ? kafka->mark.offset : kafka->next;

    kafka->matched = !at_mark;
    kafka->waits_since_ns = 0;
    kafka->count = kafka->at = 0;
    kafka->halted = kafka_partition_assign(kafka->partition, offset, &kafka->fault) != DONE;
    return kafka->halted ? STEP_HALTED : STEP_ANEW;
}

/* [next, to) holds no message. */
static void accept_gap(struct kafka_source *kafka, uint64_t to)
{
    kafka->counts.gaps++;
    kafka->counts.gap_offsets += to - kafka->next;
    kafka->next = to;
    kafka->damaged = false;
}

static void count_small_gap(struct kafka_source *kafka)
{
    kafka->small_gaps++;
    if (kafka->small_gaps == KAFKA_SMALL_GAPS_CONFIRMED) {
        kafka_say(kafka,
                  "%d gaps of one or two offsets have been confirmed, as transactions leave them; "
                  "further ones are taken for such without being asked for",
                  KAFKA_SMALL_GAPS_CONFIRMED);
    }
}

/*
 * Nothing came between next and `to`. What two fetches agree upon is true: the part of it that
 * was missing when we asked, too.
 */
static enum kafka_step confirm_gap(struct kafka_source *kafka, uint64_t to)
{
    if (kafka->asked_to > kafka->next) {
        uint64_t both = to < kafka->asked_to ? to : kafka->asked_to;
        if (both - kafka->next <= KAFKA_SMALL_GAP) {
            count_small_gap(kafka);
        }
        accept_gap(kafka, both);
    }
    if (to == kafka->next) {
        return STEP_ON;
    }
    if (to - kafka->next <= KAFKA_SMALL_GAP && kafka->small_gaps >= KAFKA_SMALL_GAPS_CONFIRMED) {
        accept_gap(kafka, to);
        return STEP_ON;
    }
    kafka->asked_to = to;
    return kafka_assign_at(kafka, false);
}

static enum kafka_step settle_gap(struct kafka_source *kafka, uint64_t to)
{
    switch (kafka->gaps) {
    case KAFKA_GAPS_CONFIRM:
        return confirm_gap(kafka, to);
    case KAFKA_GAPS_STRICT:
        return kafka_missing(kafka, to);
    case KAFKA_GAPS_COUNT:
        break;
    }
    accept_gap(kafka, to);
    return STEP_ON;
}

/* The first record since the assignment: is it the one we know? */
static enum kafka_step match(struct kafka_source *kafka, const struct kafka_record *record)
{
    struct record_mark mark;

    record_mark_of(record, &mark);
    if (mark.offset != kafka->mark.offset) {
        return kafka_replaced(kafka, "there is no record any more");
    }
    if (!record_mark_same(&mark, &kafka->mark)) {
        return kafka_replaced(kafka, "another record stands");
    }
    kafka->matched = true;
    kafka->waits_since_ns = 0;
    return STEP_ON;
}

static enum kafka_step take(struct kafka_source *kafka, const struct kafka_record *record,
                            struct source_block *block)
{
    if (record->offset < kafka->next) {
        kafka->counts.repeated++;
        return STEP_ON;
    }
    if (record->offset > kafka->next) {
        enum kafka_step step = settle_gap(kafka, record->offset);
        if (step != STEP_ON) {
            return step;
        }
    }
    if (!record_keep(record, block)) {
        return STEP_FULL;
    }
    if (kafka->asked_to > kafka->next) {
        kafka->counts.healed++;
        kafka_say(kafka,
                  "offset %llu came when it was asked for once more: the Kafka client had left it "
                  "out; nothing is lost",
                  (unsigned long long)kafka->next);
        kafka->asked_to = 0;
    }
    kafka->next = record->offset + 1;
    kafka->damaged = false;
    return STEP_ON;
}

/* The end, before what must come first: it may be that a new leader does not show it yet. */
static enum kafka_step wait_for_mark(struct kafka_source *kafka, uint64_t end)
{
    if (end > kafka->mark.offset) {
        return kafka_replaced(kafka, "there is no record any more");
    }
    if (kafka->waits_since_ns == 0) {
        kafka->waits_since_ns = clock_steady_ns(kafka->clock);
    }
    return STEP_ON;
}

static enum kafka_step look(struct kafka_source *kafka, const struct kafka_record *record,
                            struct source_block *block)
{
    switch (record->kind) {
    case KAFKA_ERROR:
    case KAFKA_STALE:
        return kafka_judge_error(kafka, record);
    case KAFKA_END:
        if (!kafka->matched) {
            return wait_for_mark(kafka, record->offset);
        }
        return record->offset > kafka->next ? settle_gap(kafka, record->offset) : STEP_ON;
    case KAFKA_RECORD:
        break;
    }
    if (record->offset >= OFFSET_MAX) {
        return kafka_beyond(kafka, record->offset);
    }
    return kafka->matched ? take(kafka, record, block) : match(kafka, record);
}

/* The mark follows what is given out, before anything may go back to it. */
static void move_mark(struct kafka_source *kafka, const struct source_block *block)
{
    if (block->line_count > 0) {
        record_mark_of_line(&block->lines[block->line_count - 1], block->bytes, &kafka->mark);
        kafka->marked = true;
        kafka->passed = false;
    }
}

/* Look at what has arrived until the block is full, nothing is left, or something is wrong. */
static void fill(struct kafka_source *kafka, struct source_block *block)
{
    enum kafka_step step = STEP_ON;

    while (step != STEP_FULL && step != STEP_HALTED && block->size < block->target) {
        if (kafka->at == kafka->count) {
            kafka->at = 0;
            kafka->count = kafka_partition_take(kafka->partition, kafka->records, KAFKA_TAKE_MAX);
        }
        if (kafka->count == 0) {
            return;
        }
        const struct kafka_record *record = &kafka->records[kafka->at];
        if (record->kind != KAFKA_RECORD) {
            move_mark(kafka, block);
        }
        step = look(kafka, record, block);
        if (step == STEP_ON) {
            kafka->at++;
        }
    }
}

static enum outcome kafka_read(struct source *source, struct source_block *block,
                               struct fault *ret_fault)
{
    struct kafka_source *kafka = kafka_of(source);
    uint64_t before = kafka->next;

    if (!kafka->halted) {
        fill(kafka, block);
        move_mark(kafka, block);
        __atomic_store_n(&kafka->sound, kafka->matched && !kafka->halted, __ATOMIC_RELEASE);
    }
    if (kafka->next > before) {
        block->next = kafka->next;
        return DONE; /* What has halted is told at the next call. */
    }
    if (!kafka->halted && kafka->waits_since_ns != 0 &&
        clock_steady_ns(kafka->clock) - kafka->waits_since_ns >
            KAFKA_END_PATIENCE_MS * INT64_C(1000000)) {
        (void)kafka_truncated(kafka, kafka->mark.offset);
    }
    if (kafka->halted) {
        *ret_fault = kafka->fault;
        return BROKEN;
    }
    return LATER;
}

static enum outcome kafka_assign(struct source *source, uint64_t next,
                                 const struct fingerprint *fingerprint, struct fault *ret_fault)
{
    struct kafka_source *kafka = kafka_of(source);
    uint64_t first = 0;
    uint64_t end = 0;

    kafka->halted = false;
    source->gone_first = source->gone_next = 0;
    kafka->next = next;
    kafka->marked = record_mark_read(fingerprint, &kafka->mark);
    enum outcome outcome = kafka_partition_bounds(kafka->partition, &first, &end, ret_fault);
    if (outcome == REFUSED) {
        return BROKEN;
    }
    /* LATER: who leads it is away. It is assigned all the same, and what is wrong comes then. */
    if (outcome == DONE && first > next) {
        (void)kafka_lost(kafka, first);
    }
    if (!kafka->halted && kafka->marked && outcome == DONE && first > kafka->mark.offset) {
        kafka_say_passed(kafka, first);
    }
    if (!kafka->halted) {
        (void)kafka_assign_at(kafka, kafka->marked && !kafka->passed);
    }
    if (kafka->halted) {
        *ret_fault = kafka->fault;
        return BROKEN;
    }
    return DONE;
}

static void kafka_fingerprint(const struct source *source, const struct source_line *line,
                              const uint8_t *bytes, struct fingerprint *ret_fingerprint)
{
    struct record_mark mark;

    (void)source;
    record_mark_of_line(line, bytes, &mark);
    memcpy(ret_fingerprint->bytes, &mark, sizeof(mark));
}

static void kafka_watch(struct source *source, void (*wake)(void *context), void *context)
{
    kafka_partition_watch(kafka_of(source)->partition, wake, context);
}

static void kafka_sight(struct source *source, struct source_sight *ret_sight)
{
    struct kafka_source *kafka = kafka_of(source);
    struct kafka_sight sight;

    kafka_partition_sight(kafka->partition, &sight);
    bool sound = __atomic_load_n(&kafka->sound, __ATOMIC_ACQUIRE);
    *ret_sight = (struct source_sight){sight.end, sight.stable, sound ? sight.seen_ns : 0};
}

static void kafka_close(struct source *source)
{
    kafka_partition_watch(kafka_of(source)->partition, NULL, NULL);
}

const struct source_type source_kafka = {
    .name = "kafka",
    .size = sizeof(struct kafka_source),
    .assign = kafka_assign,
    .read = kafka_read,
    .fingerprint = kafka_fingerprint,
    .close = kafka_close,
    .watch = kafka_watch,
    .sight = kafka_sight,
};
