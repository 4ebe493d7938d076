#include "engine/courier.h"

#include "journal/frame.h"
#include "os/crash.h"

#include <string.h>

void courier_init(struct courier *courier, struct pipeline *pipeline, struct sink *sink,
                  uint64_t rows_max, void *memory, const struct sink_head *head)
{
    size_t facts_size = SOURCES_MAX * sizeof(struct source_facts);
    size_t size = pipeline_courier_memory_size(pipeline) - facts_size;

    *courier = (struct courier){
        .pipeline = pipeline,
        .sink = sink,
        .rows_max = rows_max,
        .delivered = head->epoch,
        .chain = head->chain,
        .rules = head->rules,
        .at = {.file = -1},
        .facts = (struct source_facts *)((uint8_t *)memory + size),
        .facts_version = UINT64_MAX,
        .memory = memory,
        .memory_size = size,
    };
}

/* The last part of the memory is for what stands at the end of a refill. */
static size_t room_of(const struct courier *courier)
{
    size_t frame = courier->pipeline->frame_size_max;

    return courier->refilling ? courier->memory_size - frame : courier->memory_size;
}

bool courier_full(const struct courier *courier)
{
    return courier->count >= COURIER_EPOCHS_MAX || courier->rows >= courier->rows_max ||
           courier->standing_known ||
           courier->bytes + courier->pipeline->frame_size_max > room_of(courier);
}

/* What is gathered again must be all of what was sent, and no more. */
static bool more_wanted(const struct courier *courier)
{
    return courier->again > 0 ? courier->count < courier->again : !courier_full(courier);
}

static void gathered(struct courier *courier, const struct epoch *epoch, bool pinned)
{
    courier->epochs[courier->count] = epoch;
    courier->pinned[courier->count] = pinned;
    courier->count++;
    courier->rows += epoch->row_count;
    courier->bytes += frame_size(epoch);
}

static enum outcome read_one(struct courier *courier, uint64_t number, struct fault *ret_fault)
{
    struct epoch *epoch = &courier->own[courier->count];

    courier->at.epoch = number;
    courier->at.buffer = courier->memory + courier->memory_used;
    courier->at.buffer_size = courier->memory_size - courier->memory_used;
    enum outcome outcome = journal_read(&courier->pipeline->journal, &courier->at,
                                        JOURNAL_DECISIONS_AND_ROWS, epoch, ret_fault);
    if (outcome == REFUSED && courier->refill != NULL) {
        courier->refilling = courier->count == 0; /* Else once this is delivered. */
        return REFUSED;
    }
    if (outcome == REFUSED) {
        return fault_is(ret_fault, BROKEN, FAULT_LEDGER_GAP,
                        "epoch %llu is not in the journal any more, and sink \"%s\" lacks it",
                        (unsigned long long)number, courier->sink->settings.name);
    }
    if (outcome == DONE) {
        courier->memory_used += frame_size(epoch);
        gathered(courier, epoch, false);
    }
    return outcome;
}

static uint64_t next_number(const struct courier *courier)
{
    return courier->delivered + courier->count + 1;
}

/* REFUSED: the journal of a follower's next epoch is gone. */
static enum outcome gather_sealed(struct courier *courier, uint64_t upto, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    while (outcome == DONE && more_wanted(courier) && next_number(courier) <= upto) {
        uint64_t number = next_number(courier);
        const struct epoch *epoch = shelf_pin(&courier->pipeline->shelf, number);
        if (epoch != NULL) {
            gathered(courier, epoch, true);
        } else {
            outcome = read_one(courier, number, ret_fault);
        }
    }
    return outcome;
}

/*
 * Up to where the ledger's rows are taken: to the first snapshot of the journal, for it says how
 * all stood there; if that one is not far enough, to the newest that the ledger has come to.
 */
static enum outcome find_end(struct courier *courier, uint64_t upto, struct fault *ret_fault)
{
    struct journal *journal = &courier->pipeline->journal;
    size_t frame = courier->pipeline->frame_size_max;
    struct journal_place place = {
        .file = -1, .buffer = courier->memory + courier->memory_size - frame, .buffer_size = frame};

    (void)pthread_mutex_lock(&journal->mutex);
    uint64_t first = journal->first_epoch;
    (void)pthread_mutex_unlock(&journal->mutex);
    enum outcome outcome = journal_snapshot(journal, first, &place, &courier->standing, ret_fault);
    if (outcome == REFUSED || (outcome == DONE && courier->standing.number <= courier->delivered)) {
        outcome = journal_snapshot(journal, upto + 1, &place, &courier->standing, ret_fault);
    }
    journal_place_close(journal, &place);
    if (outcome == DONE &&
        (courier->standing.number <= courier->delivered || courier->standing.number > upto)) {
        outcome = REFUSED;
    }
    return outcome == REFUSED
               ? fault_is(ret_fault, LATER, FAULT_SINK_BUSY,
                          "sink \"%s\" is being filled from the ledger, which has come to epoch "
                          "%llu only",
                          courier->sink->settings.name, (unsigned long long)upto)
               : outcome;
}

/* All that was given is what stands there. */
static enum outcome check_end(const struct courier *courier, struct fault *ret_fault)
{
    const uint64_t *given = courier->own[courier->count - 1].seq_next;

    for (size_t table = 0; table < TABLE_METRICS; table++) {
        if (given[table] != courier->standing.seq_next[table]) {
            return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                            "the ledger's %s up to epoch %llu end before row %llu, not %llu",
                            table_name((enum table)table),
                            (unsigned long long)courier->standing.number,
                            (unsigned long long)given[table],
                            (unsigned long long)courier->standing.seq_next[table]);
        }
    }
    return DONE;
}

static enum outcome refill_one(struct courier *courier, struct fault *ret_fault)
{
    struct epoch *epoch = &courier->own[courier->count];
    size_t used = 0;
    enum outcome outcome =
        refill_epoch(courier->refill, courier->memory + courier->memory_used,
                     room_of(courier) - courier->memory_used, epoch, &used, ret_fault);

    if (outcome == DONE) {
        courier->memory_used += used;
        gathered(courier, epoch, false);
    }
    return outcome;
}

static enum outcome gather_refill(struct courier *courier, uint64_t upto, struct fault *ret_fault)
{
    enum outcome outcome;

    if (courier->pipeline->settings->sinks[0].cursors_only) {
        (void)fault_is(ret_fault, BROKEN, FAULT_LEDGER_GAP,
                       "epoch %llu is not in the journal any more, sink \"%s\" lacks it, and the "
                       "ledger keeps no rows to fill it from",
                       (unsigned long long)next_number(courier), courier->sink->settings.name);
        fault_next(ret_fault, "bring back what the sink held; or read all anew, with an empty "
                              "data_dir and into an empty sink");
        return BROKEN;
    }
    outcome = find_end(courier, upto, ret_fault);
    if (courier->count == 0) {
        refill_stand(courier->refill, next_number(courier), courier->seq_next);
    }
    while (outcome == DONE && more_wanted(courier) &&
           next_number(courier) <= courier->standing.number) {
        outcome = refill_one(courier, ret_fault);
    }
    if (outcome == DONE && next_number(courier) > courier->standing.number) {
        courier->standing_known = true;
        outcome = check_end(courier, ret_fault);
        courier->own[courier->count - 1].seq_next[TABLE_METRICS] =
            courier->standing.seq_next[TABLE_METRICS];
    }
    return outcome;
}

enum outcome courier_gather(struct courier *courier, struct fault *ret_fault)
{
    struct shelf *shelf = &courier->pipeline->shelf;
    uint64_t upto =
        courier->refill == NULL ? shelf_sealed_upto(shelf) : shelf_confirmed_upto(shelf);
    enum outcome outcome = REFUSED;

    if (!courier->refilling) {
        outcome = gather_sealed(courier, upto, ret_fault);
    }
    if (courier->refilling && !courier->standing_known && next_number(courier) <= upto) {
        outcome = gather_refill(courier, upto, ret_fault);
    }
    return outcome == REFUSED ? DONE : outcome;
}

void courier_let_go(struct courier *courier)
{
    for (size_t index = 0; index < courier->count; index++) {
        if (courier->pinned[index]) {
            shelf_unpin(&courier->pipeline->shelf, courier->epochs[index]);
        }
    }
    courier->count = 0;
    courier->rows = 0;
    courier->bytes = 0;
    courier->memory_used = 0;
    courier->standing_known = false;
}

void courier_close(struct courier *courier)
{
    courier_let_go(courier);
    journal_place_close(&courier->pipeline->journal, &courier->at);
}

static void learn_rules(struct courier *courier, const struct epoch *epoch)
{
    struct span left = epoch_notes(epoch);
    struct decision decision;
    size_t size;

    while (left.size > 0 && (size = decision_read(left, NULL, &decision)) > 0) {
        if (decision.kind == NOTE_RULES && decision.text.size == sizeof(courier->rules)) {
            memcpy(&courier->rules, decision.text.at, sizeof(courier->rules));
        }
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
}

/* The mutex is held. */
static void learn_facts(struct courier *courier)
{
    const struct standing *standing = &courier->pipeline->standing;

    if (courier->facts_version != standing->facts_version) {
        courier->facts_version = standing->facts_version;
        memcpy(courier->facts, standing->facts,
               standing->source_count * sizeof(struct source_facts));
    }
}

/* The names and rules for this transaction. Origins below source_count never change. */
static struct delivery prepare(struct courier *courier)
{
    struct pipeline *pipeline = courier->pipeline;
    uint64_t last = courier->delivered + courier->count;

    (void)pthread_mutex_lock(&pipeline->standing_mutex);
    learn_facts(courier);
    struct delivery delivery = {
        .epochs = courier->epochs,
        .epoch_count = courier->count,
        .origins = pipeline->standing.origins,
        .starts = pipeline->standing.starts,
        .facts = courier->facts,
        .source_count = pipeline->standing.source_count,
        .rules = &courier->rules,
        .refill = courier->refilling,
        .standing = courier->standing_known ? &courier->standing : NULL,
    };
    bool rules_sent = pipeline->standing.rules_epoch <= last;
    if (rules_sent && pipeline->standing.rules_known) {
        courier->rules = pipeline->standing.rules;
    }
    (void)pthread_mutex_unlock(&pipeline->standing_mutex);
    for (size_t index = 0; !rules_sent && index < courier->count; index++) {
        learn_rules(courier, courier->epochs[index]);
    }
    if (!rules_sent && courier->standing_known) {
        learn_rules(courier, &courier->standing);
    }
    return delivery;
}

/* What the sinks have and what they lack is what trimming and the shelf go by. */
static void confirm(const struct courier *courier)
{
    struct shelf *shelf = &courier->pipeline->shelf;

    if (courier->refill == NULL) {
        shelf_confirm(shelf, courier->delivered);
    } else {
        shelf_hold(shelf, courier->place, courier->delivered);
    }
}

static void stand_behind(struct courier *courier)
{
    const struct epoch *last = courier->epochs[courier->count - 1];

    courier->delivered = last->number;
    courier->chain = last->chain;
    memcpy(courier->seq_next, last->seq_next, sizeof(courier->seq_next));
    courier->refilling = courier->refilling && !courier->standing_known;
    if (courier->refill != NULL && !courier->refilling) {
        refill_close(courier->refill);
    }
}

enum outcome courier_deliver(struct courier *courier, struct fault *ret_fault)
{
    must(courier->count > 0);

    struct delivery delivery = prepare(courier);

    if (courier->refill != NULL) {
        crash_point("follower_begin");
    }
    enum outcome outcome = sink_deliver(courier->sink, &delivery, ret_fault);
    if (courier->refill != NULL) {
        crash_point("follower_commit");
    }
    courier->again = outcome == LATER ? courier->count : 0;
    if (outcome == DONE) {
        stand_behind(courier);
    }
    courier_let_go(courier);
    if (outcome == DONE) {
        crash_point("before_ack");
        confirm(courier);
        crash_point("after_ack");
    }
    return outcome;
}

void courier_stand(struct courier *courier, uint64_t epoch, const struct sink_head *head)
{
    courier_let_go(courier);
    courier->again = 0;
    courier->delivered = epoch;
    courier->chain = head->chain;
    courier->rules = head->rules;
    memcpy(courier->seq_next, head->seq_next, sizeof(courier->seq_next));
    courier->refilling = courier->refill != NULL && epoch > 0 && head->journal_id == 0;
    confirm(courier);
}
