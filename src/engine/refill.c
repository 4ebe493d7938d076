#include "engine/refill.h"

#include "engine/decisions.h"

#include <string.h>

/* What an epoch can have of notes: its rules, and what operators decided; one more would fit. */
enum { NOTES_SIZE_MAX = (DECISIONS_MAX + 2) * DECISION_SIZE_MAX };

/* How long it looks at one moment of the ledger. */
#define MOMENT_NS INT64_C(10000000000)

void refill_init(struct refill *refill, struct pipeline *pipeline, struct sink *view)
{
    refill->pipeline = pipeline;
    refill->view = view;
    refill->open = false;
    refill->number = 0;
}

static void forget_read(struct refill *refill)
{
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        refill->rows[table].known = false;
    }
    refill->rules.epoch = 0;
    refill->decision.epoch = 0;
}

void refill_close(struct refill *refill)
{
    if (refill->open) {
        sink_close(refill->view);
        refill->open = false;
    }
}

void refill_stand(struct refill *refill, uint64_t number, const uint64_t seq_next[TABLE_COUNT])
{
    if (refill->number != number) {
        refill->number = number;
        memcpy(refill->seq_next, seq_next, sizeof(refill->seq_next));
        forget_read(refill);
    }
}

static enum outcome damaged(const struct refill *refill, enum table table, struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                    "sink \"%s\": row %llu of %s is not where epoch %llu has it",
                    refill->view->settings.name, (unsigned long long)refill->seq_next[table],
                    table_name(table), (unsigned long long)refill->number);
}

/* Our number of a source that the ledger has a cursor of: what it has comes from us. */
static enum outcome find_number(struct refill *refill, const struct origin *origin,
                                uint16_t *ret_number, struct fault *ret_fault)
{
    struct pipeline *pipeline = refill->pipeline;
    const struct standing *standing = &pipeline->standing;
    size_t number = refill->source_count; /* Most often the same. */

    (void)pthread_mutex_lock(&pipeline->standing_mutex);
    size_t count = standing->source_count;
    (void)pthread_mutex_unlock(&pipeline->standing_mutex);
    if (number >= count || !origin_same(origin, &standing->origins[number])) {
        for (number = 0; number < count && !origin_same(origin, &standing->origins[number]);) {
            number++;
        }
    }
    if (number >= count) {
        return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                        "sink \"%s\" has a cursor of %s/%u, of which we know nothing",
                        refill->view->settings.name, origin->topic, origin->partition);
    }
    *ret_number = (uint16_t)number;
    return DONE;
}

static enum outcome read_numbers(struct refill *refill, struct fault *ret_fault)
{
    struct sink_cursor cursor;
    enum outcome outcome = DONE;

    refill->source_count = 0;
    while (outcome == DONE && refill->source_count < SOURCES_MAX) {
        outcome = sink_read_cursor(refill->view, refill->source_count, &cursor, ret_fault);
        if (outcome == LATER) {
            return DONE;
        }
        if (outcome == DONE) {
            outcome = find_number(refill, &cursor.origin, &refill->numbers[refill->source_count],
                                  ret_fault);
        }
        refill->source_count += outcome == DONE ? 1 : 0;
    }
    return outcome;
}

static enum outcome open_view(struct refill *refill, struct fault *ret_fault)
{
    const struct pipeline *pipeline = refill->pipeline;
    struct sink_settings looking = pipeline->settings->sinks[0];

    looking.read_only = true;
    enum outcome outcome = DONE;
    if (!refill->open) {
        outcome = sink_open(refill->view, pipeline->ledger->type, &looking, ret_fault);
        refill->open = outcome == DONE;
        refill->looked_ns = 0;
    }
    return outcome;
}

/* A moment of the ledger to look at; a new one after a while, or when it has gone on since. */
static enum outcome look(struct refill *refill, struct fault *ret_fault)
{
    int64_t now_ns = clock_steady_ns(refill->pipeline->clock);
    struct sink_head head;
    enum outcome outcome = open_view(refill, ret_fault);

    if (outcome != DONE || (refill->looked_ns > 0 && now_ns - refill->looked_ns < MOMENT_NS &&
                            refill->number <= refill->looked_epoch)) {
        return outcome;
    }
    outcome = sink_read_head(refill->view, &head, ret_fault);
    if (outcome == DONE) {
        outcome = read_numbers(refill, ret_fault);
    }
    if (outcome == DONE) {
        memcpy(refill->seq_ends, head.seq_next, sizeof(refill->seq_ends));
        forget_read(refill);
        refill->looked_ns = now_ns;
        refill->looked_epoch = head.epoch;
    }
    return outcome;
}

enum outcome refill_find_chain(struct refill *refill, const struct chain *chain,
                               uint64_t *ret_epoch, struct fault *ret_fault)
{
    struct sink_head head;
    enum outcome outcome = open_view(refill, ret_fault);

    *ret_epoch = 0;
    refill->looked_ns = 0; /* What it looked at before is over. */
    if (outcome == DONE) {
        outcome = sink_read_head(refill->view, &head, ret_fault);
    }
    return outcome == DONE ? sink_find_chain(refill->view, chain, ret_epoch, ret_fault) : outcome;
}

/* Which numbers of a row are those of sources. */
static const int source_places[TABLE_COUNT][2] = {
    [TABLE_TRANSACTIONS] = {TRANSACTION_SOURCE, TRANSACTION_SOURCE},
    [TABLE_DUPLICATES] = {DUPLICATE_SOURCE, DUPLICATE_FIRST_SOURCE},
    [TABLE_DEAD_LETTERS] = {DEAD_SOURCE, DEAD_FIRST_SOURCE},
    [TABLE_METRICS] = {-1, -1},
};

/* False: a source that has no cursor. */
static bool translate(const struct refill *refill, struct row *row)
{
    const int *places = source_places[row->table];
    int64_t numbers[2] = {NUMBER_NULL, NUMBER_NULL};

    for (size_t index = 0; index < 2 && places[index] >= 0; index++) {
        numbers[index] = row->numbers[places[index]];
        if (numbers[index] != NUMBER_NULL &&
            (numbers[index] < 0 || numbers[index] >= (int64_t)refill->source_count)) {
            return false;
        }
    }
    for (size_t index = 0; index < 2 && places[index] >= 0; index++) {
        row->numbers[places[index]] =
            numbers[index] == NUMBER_NULL ? NUMBER_NULL : (int64_t)refill->numbers[numbers[index]];
    }
    return true;
}

/* Know the next row of this table, or that there is none. */
static enum outcome know_next(struct refill *refill, enum table table, struct fault *ret_fault)
{
    struct refill_row *next = &refill->rows[table];
    int64_t decided_ms;
    struct row row;

    if (next->known) {
        return DONE;
    }
    enum outcome outcome = sink_read_row(refill->view, table, refill->seq_next[table], &row,
                                         &next->epoch, &decided_ms, ret_fault);
    next->none = outcome == LATER;
    if (next->none && table != TABLE_METRICS && refill->seq_next[table] < refill->seq_ends[table]) {
        return damaged(refill, table, ret_fault);
    }
    if (outcome == DONE) {
        next->seq = (uint64_t)row.numbers[0];
        if (!translate(refill, &row) ||
            (table != TABLE_METRICS && next->seq != refill->seq_next[table])) {
            return damaged(refill, table, ret_fault);
        }
        next->size = row_write(&row, next->bytes);
    }
    next->known = outcome != BROKEN;
    return outcome == LATER ? DONE : outcome;
}

static enum outcome too_small(const struct refill *refill, struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_MEMORY,
                    "epoch %llu of sink \"%s\" is larger than the epochs of these settings",
                    (unsigned long long)refill->number, refill->view->settings.name);
}

/* The epoch's rows of one table, behind those that are there. */
static enum outcome add_rows(struct refill *refill, enum table table, struct epoch *epoch,
                             struct fault *ret_fault)
{
    struct refill_row *next = &refill->rows[table];
    struct epoch_bytes *rows = &epoch->rows;
    enum outcome outcome = know_next(refill, table, ret_fault);

    while (outcome == DONE && !next->none && next->epoch <= epoch->number) {
        if (next->epoch < epoch->number) {
            return damaged(refill, table, ret_fault);
        }
        if (next->size > rows->capacity - rows->size) {
            return too_small(refill, ret_fault);
        }
        memcpy(rows->at + rows->size, next->bytes, next->size);
        rows->size += next->size;
        refill->seq_next[table] = next->seq + 1;
        next->known = false;
        outcome = know_next(refill, table, ret_fault);
    }
    epoch->seq_next[table] = refill->seq_next[table];
    return outcome;
}

static enum outcome add_ranges(struct refill *refill, const struct sink_epoch *recorded,
                               struct epoch *epoch, struct fault *ret_fault)
{
    for (size_t index = 0; index < recorded->range_count; index++) {
        struct epoch_range range = recorded->ranges[index];
        if (range.source >= refill->source_count) {
            return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                            "sink \"%s\": a range of epoch %llu belongs to no cursor",
                            refill->view->settings.name, (unsigned long long)recorded->number);
        }
        range.source = refill->numbers[range.source];
        range.newest_ms = NUMBER_NULL;
        epoch->ranges[epoch->range_count++] = range;
    }
    return DONE;
}

/* Rules that this epoch brought. */
static enum outcome add_rules(struct refill *refill, struct epoch *epoch, struct fault *ret_fault)
{
    struct sink_rules *next = &refill->rules;
    enum outcome outcome = DONE;

    if (next->epoch < epoch->number) {
        outcome = sink_read_rules(refill->view, epoch->number, next, ret_fault);
        next->epoch = outcome == LATER ? UINT64_MAX : next->epoch;
    }
    if (outcome == BROKEN || next->epoch != epoch->number) {
        return outcome == LATER ? DONE : outcome;
    }
    struct decision note = {.kind = NOTE_RULES,
                            .event_ms = next->windows_from_ms,
                            .arrival_ms = epoch->decided_ms,
                            .text = {&next->rules, sizeof(next->rules)}};
    epoch_add_decision(epoch, &note);
    return outcome;
}

static enum outcome know_decision(struct refill *refill, uint64_t epoch, uint64_t after,
                                  struct fault *ret_fault)
{
    struct sink_decision *next = &refill->decision;
    enum outcome outcome = sink_read_decision(refill->view, epoch, after, next, ret_fault);

    if (outcome == LATER) {
        next->epoch = UINT64_MAX;
        return DONE;
    }
    if (outcome == DONE && next->note.source >= refill->source_count) {
        return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                        "sink \"%s\": decision %llu belongs to no cursor",
                        refill->view->settings.name, (unsigned long long)next->number);
    }
    return outcome;
}

/* What operators decided in this epoch. */
static enum outcome add_decisions(struct refill *refill, struct epoch *epoch,
                                  struct fault *ret_fault)
{
    struct sink_decision *next = &refill->decision;
    enum outcome outcome = DONE;

    if (next->epoch < epoch->number) {
        outcome = know_decision(refill, epoch->number, 0, ret_fault);
    }
    while (outcome == DONE && next->epoch == epoch->number) {
        struct decision note = next->note;
        if (epoch->decisions.capacity - epoch->decisions.size < DECISION_SIZE_MAX) {
            return too_small(refill, ret_fault);
        }
        note.source = refill->numbers[note.source];
        epoch_add_decision(epoch, &note);
        outcome = know_decision(refill, epoch->number, next->number, ret_fault);
    }
    return outcome;
}

static struct epoch name_of(const struct sink_epoch *recorded)
{
    return (struct epoch){.kind = EPOCH_DECIDED,
                          .number = recorded->number,
                          .journal_id = recorded->journal_id,
                          .prev_chain = recorded->prev_chain,
                          .chain = recorded->chain,
                          .decided_ms = recorded->decided_ms,
                          .sealed_ms = recorded->sealed_ms,
                          .watermark_ms = recorded->watermark_ms,
                          .newest_accepted_ms = recorded->newest_accepted_ms,
                          .seed_epoch = recorded->seed_epoch,
                          .message_count = recorded->message_count,
                          .row_count = recorded->row_count};
}

static enum outcome read_recorded(struct refill *refill, struct sink_epoch *ret_recorded,
                                  struct fault *ret_fault)
{
    enum outcome outcome = sink_read_epoch(refill->view, refill->number, ret_recorded, ret_fault);

    if (outcome == LATER || (outcome == DONE && ret_recorded->number != refill->number)) {
        return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED, "sink \"%s\" lacks epoch %llu",
                        refill->view->settings.name, (unsigned long long)refill->number);
    }
    return outcome;
}

enum outcome refill_epoch(struct refill *refill, uint8_t *memory, size_t memory_size,
                          struct epoch *ret_epoch, size_t *ret_used, struct fault *ret_fault)
{
    struct sink_epoch recorded;
    enum outcome outcome = look(refill, ret_fault);

    if (outcome == DONE) {
        outcome = read_recorded(refill, &recorded, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    size_t ranges_size = recorded.range_count * sizeof(struct epoch_range);
    if (ranges_size + NOTES_SIZE_MAX > memory_size) {
        return too_small(refill, ret_fault);
    }
    *ret_epoch = name_of(&recorded);
    ret_epoch->ranges = (struct epoch_range *)(void *)memory;
    ret_epoch->decisions =
        (struct epoch_bytes){.at = memory + ranges_size, .capacity = NOTES_SIZE_MAX};
    outcome = add_ranges(refill, &recorded, ret_epoch, ret_fault);
    if (outcome == DONE) {
        outcome = add_rules(refill, ret_epoch, ret_fault);
    }
    if (outcome == DONE) {
        outcome = add_decisions(refill, ret_epoch, ret_fault);
    }
    size_t used = ranges_size + ret_epoch->decisions.size;
    ret_epoch->rows = (struct epoch_bytes){.at = memory + used, .capacity = memory_size - used};
    for (enum table table = 0; outcome == DONE && table < TABLE_COUNT; table++) {
        outcome = add_rows(refill, table, ret_epoch, ret_fault);
    }
    if (outcome == DONE) {
        refill->number++;
        *ret_used = used + ret_epoch->rows.size; /* All are multiples of 8. */
    }
    return outcome;
}
