#include "sink/sink_kafka.h"

#include "os/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KAFKA_LINE_WARNING = 4 };

static const struct chain chain_of_nothing;

/* What time or an operator mends without us. One that was met before is asked again and again. */
static enum outcome passing(struct kafka_sink *kafka, enum outcome outcome,
                            const struct fault *fault)
{
    if (outcome != REFUSED) {
        return outcome; /* Of DONE there is no fault. */
    }
    bool mended = fault->code == FAULT_KAFKA_NOT_ALLOWED || fault->code == FAULT_KAFKA_TOPIC;
    kafka_sink_let_go(kafka); /* A client that was once refused believes it for ever. */
    return (kafka->claimed || kafka->sink.met) && mended ? LATER : BROKEN;
}

static enum outcome kafka_open(struct sink *sink, struct fault *ret_fault)
{
    struct kafka_sink *kafka = kafka_of(sink);
    const struct sink_settings *settings = &sink->settings;

    must(settings->kafka != NULL && settings->kafka->topics[TABLE_TRANSACTIONS] != NULL);
    (void)snprintf(kafka->group, sizeof(kafka->group), "payonce-%s-%s", settings->pipeline,
                   settings->name);
    for (size_t table = 0; table < TABLE_METRICS; table++) {
        value_prepare(kafka, (enum table)table);
    }
    enum outcome outcome = shape_check_carry(settings, ret_fault);
    if (outcome == DONE) {
        outcome = passing(kafka, kafka_sink_ready(kafka, ret_fault), ret_fault);
    }
    if (outcome != DONE) {
        kafka_sink_let_go(kafka);
    }
    return outcome;
}

static void kafka_close(struct sink *sink)
{
    struct kafka_sink *kafka = kafka_of(sink);

    kafka_sink_let_go(kafka);
    free(kafka->text);
    free(kafka->windows.at);
    kafka->text = NULL;
    kafka->text_size = 0;
    kafka->windows = (struct kafka_windows){.at = NULL};
}

static enum outcome kafka_read_head(struct sink *sink, struct sink_head *ret_head,
                                    struct fault *ret_fault)
{
    struct kafka_sink *kafka = kafka_of(sink);
    enum outcome outcome = passing(kafka, kafka_sink_ready(kafka, ret_fault), ret_fault);

    if (outcome == DONE && !kafka->known) {
        outcome = passing(kafka, kafka_sink_check_empty(kafka, ret_fault), ret_fault);
    }
    ret_head->exists = kafka->known;
    if (outcome == DONE && kafka->known) {
        ret_head->format = LEDGER_FORMAT;
        ret_head->epoch = kafka->mark.epoch;
        ret_head->chain = kafka->mark.chain;
        ret_head->journal_id = kafka->mark.journal_id;
        ret_head->begun_by = kafka->mark.begun_by;
        ret_head->watermark_ms = INSTANT_NONE;
        memcpy(ret_head->seq_next, kafka->mark.seq_next, sizeof(ret_head->seq_next));
    }
    return outcome;
}

/* Not before everything else is in order: it ends whoever writes there now. */
static enum outcome kafka_take(struct sink *sink, struct fault *ret_fault)
{
    struct kafka_sink *kafka = kafka_of(sink);

    kafka->taken = true;
    return passing(kafka, kafka_sink_ready(kafka, ret_fault), ret_fault);
}

enum outcome kafka_sink_end(struct kafka_sink *kafka, const struct kafka_mark *mark,
                            struct fault *ret_fault)
{
    char text[KAFKA_CURSOR_TEXT_SIZE];
    enum outcome outcome = BROKEN;

    mark_write(mark, text);
    switch (kafka_transactor_end(kafka->transactor, kafka->topics[TABLE_TRANSACTIONS], mark->epoch,
                                 text, &outcome, ret_fault)) {
    case KAFKA_APPLIED:
        kafka->payments_ended = kafka->known ? kafka->mark.seq_next[TABLE_TRANSACTIONS] - 1 : 0;
        kafka->mark = *mark;
        kafka->known = true;
        kafka->claimed = true; /* Our number goes with every mark. */
        kafka->beat_ns = clock_steady_ns(&clock_real);
        return DONE;
    case KAFKA_NOT_APPLIED:
    case KAFKA_ASK_AGAIN:
        kafka_sink_let_go(kafka); /* A client whose records failed begins no other transaction. */
        return passing(kafka, outcome, ret_fault);
    case KAFKA_SHUT_OUT:
        break;
    }
    kafka_sink_let_go(kafka);
    return LATER; /* Or it took too long: the cursor's owner says which. */
}

static enum outcome kafka_begin(struct sink *sink, uint64_t journal_id, const struct rules *rules,
                                struct fault *ret_fault)
{
    struct kafka_sink *kafka = kafka_of(sink);
    must(kafka->taken);
    enum outcome outcome = passing(kafka, kafka_sink_ready(kafka, ret_fault), ret_fault);

    (void)rules; /* They are not kept here: a follower decides nothing. */
    if (outcome != DONE) {
        return outcome;
    }
    if (kafka->known) {
        return kafka->mark.epoch == 0 && kafka->mark.begun_by == journal_id
                   ? DONE
                   : fault_is(ret_fault, BROKEN, FAULT_FENCED,
                              "sink \"%s\": another process has begun pipeline \"%s\" there",
                              sink->settings.name, sink->settings.pipeline);
    }
    struct kafka_mark mark = {
        .owner = kafka->mark.owner, .journal_id = journal_id, .begun_by = journal_id};
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        mark.seq_next[table] = 1;
    }
    kafka_transactor_begin(kafka->transactor);
    return kafka_sink_end(kafka, &mark, ret_fault);
}

static struct kafka_mark mark_after(const struct kafka_sink *kafka, const struct delivery *delivery)
{
    const struct epoch *last = delivery->epochs[delivery->epoch_count - 1];
    struct kafka_mark mark = {
        .owner = kafka->mark.owner,
        .journal_id = delivery->refill && delivery->standing == NULL ? 0 : last->journal_id,
        .begun_by = kafka->mark.begun_by,
        .epoch = last->number,
        .chain = last->chain,
    };

    memcpy(mark.seq_next, last->seq_next, sizeof(mark.seq_next));
    return mark;
}

/* Does it follow on what stands there? DONE: yes. REFUSED: it stands there already. */
static enum outcome check_place(const struct kafka_sink *kafka, const struct delivery *delivery,
                                const struct kafka_mark *after, struct fault *ret_fault)
{
    const struct epoch *first = delivery->epochs[0];

    if (kafka->known && kafka->mark.epoch == after->epoch &&
        chain_same(&kafka->mark.chain, &after->chain)) {
        return REFUSED;
    }
    if (kafka->known && first->number == kafka->mark.epoch + 1 &&
        chain_same(&first->prev_chain,
                   kafka->mark.epoch == 0 ? &chain_of_nothing : &kafka->mark.chain)) {
        return DONE;
    }
    return fault_is(ret_fault, BROKEN, FAULT_FENCED,
                    "sink \"%s\" stands at epoch %llu of another history, or elsewhere in ours; "
                    "epoch %llu was to follow",
                    kafka->sink.settings.name, (unsigned long long)kafka->mark.epoch,
                    (unsigned long long)first->number);
}

/* The rows' own counts and the epoch's must agree, or what the cursor says is wrong. */
static enum outcome check_rows(const struct kafka_sink *kafka, const struct kafka_mark *after,
                               struct fault *ret_fault)
{
    for (size_t table = 0; table < TABLE_METRICS; table++) {
        if (kafka->seq_next[table] != after->seq_next[table]) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                            "epoch %llu: the next row of %s would be %llu, but its rows end before"
                            " %llu",
                            (unsigned long long)after->epoch, table_name((enum table)table),
                            (unsigned long long)after->seq_next[table],
                            (unsigned long long)kafka->seq_next[table]);
        }
    }
    return DONE;
}

static uint64_t count_rows(const struct delivery *delivery)
{
    uint64_t count = 0;

    for (size_t index = 0; index < delivery->epoch_count; index++) {
        count += delivery->epochs[index]->row_count;
    }
    return count;
}

static enum outcome send(struct kafka_sink *kafka, const struct delivery *delivery,
                         const struct kafka_mark *after, struct fault *ret_fault)
{
    kafka_transactor_begin(kafka->transactor);
    enum outcome outcome = rows_write(kafka, delivery, ret_fault);
    if (outcome == DONE) {
        outcome = check_rows(kafka, after, ret_fault);
    }
    if (outcome != DONE) {
        kafka_sink_let_go(kafka); /* The transaction is ended by whoever fences next. */
        return outcome;
    }
    return kafka_sink_end(kafka, after, ret_fault);
}

static enum outcome kafka_deliver(struct sink *sink, const struct delivery *delivery,
                                  struct fault *ret_fault)
{
    struct kafka_sink *kafka = kafka_of(sink);
    must(kafka->taken);
    enum outcome outcome = passing(kafka, kafka_sink_ready(kafka, ret_fault), ret_fault);
    const struct kafka_mark after = mark_after(kafka, delivery);

    if (outcome == DONE) {
        outcome = kafka_sink_check_whole(kafka, ret_fault);
    }
    if (outcome == DONE) {
        outcome = check_place(kafka, delivery, &after, ret_fault);
    }
    if (outcome == DONE) {
        outcome = send(kafka, delivery, &after, ret_fault);
    }
    if (outcome == DONE || outcome == REFUSED) {
        sink->transactions++;
        sink->rows += count_rows(delivery);
        return DONE;
    }
    return outcome;
}

static enum outcome kafka_audit(struct sink *sink, struct fault *ret_fault)
{
    struct kafka_sink *kafka = kafka_of(sink);
    enum outcome outcome = passing(kafka, kafka_sink_ready(kafka, ret_fault), ret_fault);

    if (outcome == DONE) {
        outcome = passing(kafka, kafka_sink_look(kafka, ret_fault), ret_fault);
    }
    return outcome == DONE ? kafka_sink_check_whole(kafka, ret_fault) : outcome;
}

/* Offsets that nobody commits are forgotten by the brokers, after 7 days as a rule. */
static enum outcome kafka_tend(struct sink *sink, struct fault *ret_fault)
{
    struct kafka_sink *kafka = kafka_of(sink);

    if (!kafka->taken || !kafka->known ||
        clock_steady_ns(&clock_real) - kafka->beat_ns < KAFKA_BEAT_NS) {
        return LATER;
    }
    enum outcome outcome = passing(kafka, kafka_sink_ready(kafka, ret_fault), ret_fault);
    if (outcome == DONE) {
        kafka_transactor_begin(kafka->transactor);
        outcome = kafka_sink_end(kafka, &kafka->mark, ret_fault);
    }
    return outcome;
}

static bool kafka_line(struct sink *sink, char ret_text[SINK_LINE_SIZE])
{
    struct kafka_sink *kafka = kafka_of(sink);
    struct kafka_line line;

    _Static_assert((int)SINK_LINE_SIZE >= (int)KAFKA_LINE_SIZE, "a line fits");
    while (kafka->transactor != NULL && kafka_transactor_line(kafka->transactor, &line)) {
        if (line.level <= KAFKA_LINE_WARNING) {
            (void)snprintf(ret_text, SINK_LINE_SIZE, "%s", line.text);
            return true;
        }
    }
    return false;
}

const struct sink_type sink_kafka = {
    .name = "kafka",
    .size = sizeof(struct kafka_sink),
    .can_be_ledger = false,
    .open = kafka_open,
    .close = kafka_close,
    .read_head = kafka_read_head,
    .take = kafka_take,
    .begin = kafka_begin,
    .deliver = kafka_deliver,
    .audit = kafka_audit,
    .tend = kafka_tend,
    .line = kafka_line,
};
