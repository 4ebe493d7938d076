/* The fold: from what the journal holds to the state that it adds up to. */
#include "engine/fold_reader.h"
#include "engine/pipeline.h"
#include "os/memory.h"

#include <string.h>

/* The notes of a snapshot: sources in their order, the rules. */
static enum outcome apply_notes(struct pipeline *pipeline, const struct epoch *snapshot,
                                struct fault *ret_fault)
{
    struct span left = {snapshot->decisions.at, snapshot->decisions.size};
    enum outcome outcome = DONE;

    while (outcome == DONE && left.size > 0) {
        struct decision note;
        size_t size = decision_read(left, &pipeline->state.key, &note);
        if (size == 0 || !decision_is_note(&note)) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                            "the snapshot of epoch %llu holds a record that is no note",
                            (unsigned long long)snapshot->number);
        }
        outcome = state_apply(&pipeline->state, &note, ret_fault);
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
    return outcome;
}

enum outcome pipeline_fold_snapshot(struct pipeline *pipeline, const struct epoch *snapshot,
                                    struct fault *ret_fault)
{
    struct state *state = &pipeline->state;
    enum outcome outcome = apply_notes(pipeline, snapshot, ret_fault);

    if (outcome == DONE) {
        outcome = standing_apply(&pipeline->standing, snapshot, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    for (size_t index = 0; index < snapshot->range_count; index++) {
        state_restore_range(state, &snapshot->ranges[index]);
    }
    for (size_t index = 0; index < snapshot->total_count; index++) {
        if (!state_restore_total(state, &snapshot->totals[index])) {
            return fault_is(ret_fault, BROKEN, FAULT_STATE_FULL,
                            "no room for the %zu totals of epoch %llu", snapshot->total_count,
                            (unsigned long long)snapshot->number);
        }
    }
    state_restore_watermark(state, snapshot->watermark_ms);
    memcpy(state->seq_next, snapshot->seq_next, sizeof(state->seq_next));
    state_epoch_end(state);
    horizon_hold(&pipeline->horizon, state_settled_ms(state));
    return DONE;
}

/* So many payments before it is added, what one will touch in memory is drawn near. */
enum { AHEAD_ITSELF = 48, AHEAD_FAR = 24, AHEAD_NEAR = 16, AHEAD_NEXT = 8 };

/* The batch that is applied, and the one behind it, if it is there already. */
struct fold_sight {
    const struct fold_batch *now;
    const struct fold_batch *next;
};

static const struct state_accepted *sight_at(const struct fold_sight *sight, size_t index)
{
    size_t count = sight->now->count;

    if (index < count) {
        return &sight->now->accepted[index];
    }
    return sight->next != NULL && index - count < sight->next->count
               ? &sight->next->accepted[index - count]
               : NULL;
}

static void draw(const struct pipeline *pipeline, const struct state_accepted *accepted,
                 enum state_step step)
{
    if (accepted != NULL && accepted->payment.id_kind != IDENT_NONE) {
        state_prefetch_accepted(&pipeline->state, accepted, step);
    }
}

static void draw_near(const struct pipeline *pipeline, const struct fold_sight *sight, size_t index)
{
    const struct state_accepted *accepted = sight_at(sight, index + AHEAD_ITSELF);

    for (size_t at = 0; accepted != NULL && at < sizeof(*accepted); at += STATE_LINE) {
        __builtin_prefetch((const uint8_t *)accepted + at); /* Another thread has written it. */
    }
    draw(pipeline, sight_at(sight, index + AHEAD_FAR), STATE_FAR);
    draw(pipeline, sight_at(sight, index + AHEAD_NEAR), STATE_NEAR);
    draw(pipeline, sight_at(sight, index + AHEAD_NEXT), STATE_NEXT);
}

static enum outcome apply_accepted(struct pipeline *pipeline, const struct epoch *epoch,
                                   const struct state_accepted *accepted, struct fault *ret_fault)
{
    if (epoch->kind == EPOCH_SEED) {
        return state_seed_accepted(&pipeline->state, accepted, ret_fault);
    }
    if (accepted->payment.id_kind != IDENT_NONE) {
        whereabouts_add(&pipeline->whereabouts, accepted->source, accepted->offset, epoch->number);
    }
    return state_apply_accepted(&pipeline->state, accepted, ret_fault);
}

static enum outcome apply_batch(struct pipeline *pipeline, const struct fold_sight *sight,
                                struct fault *ret_fault)
{
    const struct fold_batch *batch = sight->now;
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < batch->count; index++) {
        draw_near(pipeline, sight, index);
        outcome = apply_accepted(pipeline, batch->epoch, &batch->accepted[index], ret_fault);
    }
    return outcome;
}

static void remember(struct pipeline *pipeline, const struct fold_batch *last,
                     uint64_t rules_before)
{
    horizon_add(&pipeline->horizon, last->epoch->number, last->epoch->newest_accepted_ms);
    if (pipeline->standing.rules_epoch != rules_before) {
        horizon_hold(&pipeline->horizon, last->settled_ms);
    }
}

/* A seed says which of the ledger's epochs its oldest row is of: there a second seed starts. */
static enum outcome end_epoch(struct pipeline *pipeline, const struct fold_batch *last,
                              struct fault *ret_fault)
{
    const struct epoch *epoch = last->epoch;
    uint64_t rules_before = pipeline->standing.rules_epoch;

    if (epoch->kind == EPOCH_SEED) {
        horizon_add(&pipeline->horizon, epoch->seed_epoch, epoch->newest_accepted_ms);
        return DONE;
    }
    pipeline->recovered_epochs++;
    memcpy(pipeline->state.seq_next, epoch->seq_next, sizeof(epoch->seq_next));
    enum outcome outcome = standing_apply(&pipeline->standing, epoch, ret_fault);
    if (outcome == DONE) {
        remember(pipeline, last, rules_before);
    }
    return outcome;
}

/* Invariants I5, I9: what was counted again while folding is what the frames say. */
static enum outcome compare_totals(struct pipeline *pipeline, struct fault *ret_fault)
{
    const struct standing *standing = &pipeline->standing;
    size_t count = state_total_all_count(&pipeline->state);
    bool same = count == standing->total_count &&
                pipeline->state.watermark.all_ms == standing->watermark_ms;

    for (size_t index = 0; same && index < count; index++) {
        struct epoch_total total;
        state_total_any(&pipeline->state, index, &total);
        const struct epoch_total *recorded = standing_total(standing, &total);
        same = recorded != NULL && memcmp(recorded, &total, sizeof(total)) == 0;
    }
    if (!same) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "the decisions up to epoch %llu do not add up to the totals recorded there",
                        (unsigned long long)standing->epoch);
    }
    return DONE;
}

static enum outcome compare_at(struct pipeline *pipeline, uint64_t epoch, uint64_t confirmed,
                               struct fault *ret_fault)
{
    return epoch == confirmed ? pipeline_compare_ledger(pipeline, ret_fault) : DONE;
}

static enum outcome fold_batch(struct pipeline *pipeline, const struct fold_sight *sight,
                               uint64_t confirmed, struct fault *ret_fault)
{
    const struct epoch *epoch = sight->now->epoch;
    enum outcome outcome = apply_batch(pipeline, sight, ret_fault);

    if (outcome != DONE || !sight->now->last) {
        return outcome;
    }
    outcome = end_epoch(pipeline, sight->now, ret_fault);
    return outcome == DONE && epoch->kind == EPOCH_DECIDED
               ? compare_at(pipeline, epoch->number, confirmed, ret_fault)
               : outcome;
}

/* Up to the journal's end, which is LATER of a batch, not of ours. */
static enum outcome fold_batches(struct pipeline *pipeline, struct fold_reader *reader,
                                 uint64_t confirmed, struct fault *ret_fault)
{
    struct fold_sight sight = {.now = fold_reader_next(reader)};
    enum outcome outcome = DONE;

    while (outcome == DONE && sight.now->outcome == DONE) {
        fold_reader_back(reader, state_ahead(&pipeline->state));
        sight.next = fold_reader_peek(reader);
        outcome = fold_batch(pipeline, &sight, confirmed, ret_fault);
        sight.now = outcome == DONE ? fold_reader_next(reader) : NULL;
    }
    if (outcome != DONE || sight.now->outcome == LATER) {
        return outcome;
    }
    outcome = apply_batch(pipeline, &sight, ret_fault); /* What stands before what is wrong. */
    if (outcome == DONE) {
        *ret_fault = sight.now->fault;
        outcome = sight.now->outcome;
    }
    return outcome;
}

enum { EXPECTED_SHARES = 1024 };

/*
 * Of the payments that will be folded those whose ids will be remembered at the end: all, if ids
 * are what is remembered longest, else their share of the time that is folded.
 */
static uint64_t ids_expected(const struct pipeline *pipeline, uint64_t accepted)
{
    bool known = pipeline->state.rules_known; /* Else these epochs bring them. */
    const struct rules *rules = known ? &pipeline->state.rules : &pipeline->settings->rules;
    uint64_t before = pipeline->state.seq_next[TABLE_TRANSACTIONS] - 1;

    if (accepted <= before) {
        return 0;
    }
    int64_t share = EXPECTED_SHARES * rules->retention_ms / horizon_span_ms(rules);
    return (accepted - before) / EXPECTED_SHARES * (uint64_t)share;
}

/* Where the ids will go: each side has one half backed, before it begins. */
static void back(struct pipeline *pipeline, struct fold_reader *reader, struct span buckets)
{
    size_t half = buckets.size / 2;

    if (pipeline->beside && half > 0) {
        fold_reader_back(reader,
                         (struct span){(const uint8_t *)buckets.at + half, buckets.size - half});
        memory_back((void *)(uintptr_t)buckets.at, half);
    }
}

/* The courier, whose memory this reads into, comes later. */
static enum outcome fold_rest(struct pipeline *pipeline, uint64_t confirmed, uint64_t accepted,
                              struct fault *ret_fault)
{
    struct fold_reader *reader = pipeline->courier_memory;
    size_t own = (sizeof(*reader) + DISK_BLOCK - 1) / DISK_BLOCK * DISK_BLOCK;
    struct span buckets = state_expect(&pipeline->state, ids_expected(pipeline, accepted));

    fold_reader_start(reader, &pipeline->journal, &pipeline->fold,
                      (uint8_t *)pipeline->courier_memory + own,
                      pipeline_courier_memory_size(pipeline) - own, pipeline->frame_size_max,
                      &pipeline->state, pipeline->beside);
    back(pipeline, reader, buckets);
    enum outcome outcome = fold_batches(pipeline, reader, confirmed, ret_fault);
    fold_reader_stop(reader);
    return outcome;
}

/*
 * From which epoch on must be folded: what the newest frame says (or, with none behind it, the
 * newest snapshot), and what the ledger is to be compared at. And how many payments there will
 * have been accepted.
 */
static enum outcome fold_start(struct pipeline *pipeline, uint64_t confirmed, uint64_t *ret_epoch,
                               uint64_t *ret_accepted, struct fault *ret_fault)
{
    struct journal *journal = &pipeline->journal;
    bool frames = journal->last_epoch >= journal->first_epoch;
    struct epoch newest;
    enum outcome outcome;

    if (frames) {
        pipeline->fold.epoch = journal->last_epoch;
        outcome = journal_read(journal, &pipeline->fold, JOURNAL_DECISIONS, &newest, ret_fault);
    } else {
        outcome =
            journal_snapshot(journal, journal->last_epoch + 1, &pipeline->fold, &newest, ret_fault);
    }
    if (outcome == DONE) {
        *ret_epoch = newest.seed_epoch <= confirmed ? newest.seed_epoch : confirmed + 1;
        *ret_accepted = newest.seq_next[TABLE_TRANSACTIONS] - 1;
    }
    return outcome;
}

enum outcome pipeline_fold(struct pipeline *pipeline, uint64_t confirmed, struct fault *ret_fault)
{
    struct journal *journal = &pipeline->journal;
    struct epoch snapshot;
    uint64_t start;
    uint64_t accepted = 0;

    state_init(&pipeline->state, &journal->key, &pipeline->state_memory);
    standing_clear(&pipeline->standing);
    enum outcome outcome = fold_start(pipeline, confirmed, &start, &accepted, ret_fault);
    if (outcome == DONE) {
        outcome = journal_snapshot(journal, start, &pipeline->fold, &snapshot, ret_fault);
    }
    if (outcome == DONE) {
        outcome = pipeline_fold_snapshot(pipeline, &snapshot, ret_fault);
    }
    if (outcome == DONE) {
        outcome = compare_at(pipeline, pipeline->standing.epoch, confirmed, ret_fault);
    }
    if (outcome == DONE) {
        outcome = fold_rest(pipeline, confirmed, accepted, ret_fault);
    }
    if (outcome == DONE && pipeline->standing.epoch != journal->last_epoch) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "the journal ends at epoch %llu, but can be read up to %llu only",
                        (unsigned long long)journal->last_epoch,
                        (unsigned long long)pipeline->standing.epoch);
    }
    return outcome == DONE ? compare_totals(pipeline, ret_fault) : outcome;
}
