/* The fold: from what the journal holds to the state that it adds up to. */
#include "engine/pipeline.h"

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
    return DONE;
}

/* The records of an epoch, read a little ahead of being applied, so that what they will touch in
 * memory is on its way. */
enum { FOLD_AHEAD = 16 };

struct fold_ahead {
    struct span left; /* Not yet read. */
    struct decision decisions[FOLD_AHEAD];
    size_t read; /* Of all; the latest FOLD_AHEAD are above. */
    size_t applied;
};

static struct decision *ahead_at(struct fold_ahead *ahead, size_t number)
{
    return &ahead->decisions[number % FOLD_AHEAD];
}

/* False: what stands next is no record. */
static bool ahead_read(const struct pipeline *pipeline, struct fold_ahead *ahead)
{
    while (ahead->read - ahead->applied < FOLD_AHEAD && ahead->left.size > 0) {
        struct decision *decision = ahead_at(ahead, ahead->read);
        size_t size = decision_read(ahead->left, &pipeline->state.key, decision);
        if (size == 0) {
            return false;
        }
        state_prefetch_record(&pipeline->state, decision);
        whereabouts_prefetch(&pipeline->whereabouts, decision->source, decision->offset);
        ahead->left =
            (struct span){(const uint8_t *)ahead->left.at + size, ahead->left.size - size};
        ahead->read++;
    }
    if (ahead->read - ahead->applied > FOLD_AHEAD / 2) {
        state_prefetch_record_more(&pipeline->state,
                                   ahead_at(ahead, ahead->applied + FOLD_AHEAD / 2));
    }
    return true;
}

static enum outcome apply_decision(struct pipeline *pipeline, const struct epoch *epoch,
                                   const struct decision *decision, struct fault *ret_fault)
{
    if (epoch->kind == EPOCH_SEED) {
        return state_seed(&pipeline->state, decision, ret_fault);
    }
    if (decision->kind == ACCEPTED) {
        whereabouts_add(&pipeline->whereabouts, decision->source, decision->offset, epoch->number);
    }
    return state_apply(&pipeline->state, decision, ret_fault);
}

static enum outcome apply_decisions(struct pipeline *pipeline, const struct epoch *epoch,
                                    struct fault *ret_fault)
{
    struct fold_ahead ahead = {.left = {epoch->decisions.at, epoch->decisions.size}};
    enum outcome outcome = DONE;

    while (outcome == DONE && (ahead.applied < ahead.read || ahead.left.size > 0)) {
        if (!ahead_read(pipeline, &ahead)) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                            "epoch %llu holds a record that is none",
                            (unsigned long long)epoch->number);
        }
        outcome = apply_decision(pipeline, epoch, ahead_at(&ahead, ahead.applied), ret_fault);
        ahead.applied++;
    }
    return outcome;
}

static void remember(struct pipeline *pipeline, const struct epoch *epoch, uint64_t rules_before)
{
    horizon_add(&pipeline->horizon, epoch->number, epoch->newest_accepted_ms);
    if (pipeline->standing.rules_epoch != rules_before) {
        horizon_hold(&pipeline->horizon, state_settled_ms(&pipeline->state));
    }
}

/* A seed says which of the ledger's epochs its oldest row is of: there a second seed starts. */
static enum outcome fold_epoch(struct pipeline *pipeline, const struct epoch *epoch,
                               struct fault *ret_fault)
{
    uint64_t rules_before = pipeline->standing.rules_epoch;
    enum outcome outcome = apply_decisions(pipeline, epoch, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    state_epoch_end(&pipeline->state);
    if (epoch->kind == EPOCH_SEED) {
        horizon_add(&pipeline->horizon, epoch->seed_epoch, epoch->newest_accepted_ms);
        return DONE;
    }
    pipeline->recovered_epochs++;
    memcpy(pipeline->state.seq_next, epoch->seq_next, sizeof(epoch->seq_next));
    outcome = standing_apply(&pipeline->standing, epoch, ret_fault);
    if (outcome == DONE) {
        remember(pipeline, epoch, rules_before);
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

static enum outcome fold_rest(struct pipeline *pipeline, uint64_t confirmed,
                              struct fault *ret_fault)
{
    struct epoch epoch;
    enum outcome outcome;

    while ((outcome = journal_read(&pipeline->journal, &pipeline->fold, JOURNAL_DECISIONS, &epoch,
                                   ret_fault)) == DONE) {
        outcome = fold_epoch(pipeline, &epoch, ret_fault);
        if (outcome == DONE && epoch.kind == EPOCH_DECIDED) {
            outcome = compare_at(pipeline, epoch.number, confirmed, ret_fault);
        }
        if (outcome != DONE) {
            return outcome;
        }
    }
    return outcome == LATER ? DONE : outcome;
}

/*
 * From which epoch on must be folded: what the newest frame says (or, with none behind it, the
 * newest snapshot), and what the ledger is to be compared at.
 */
static enum outcome fold_start(struct pipeline *pipeline, uint64_t confirmed, uint64_t *ret_epoch,
                               struct fault *ret_fault)
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
    }
    return outcome;
}

enum outcome pipeline_fold(struct pipeline *pipeline, uint64_t confirmed, struct fault *ret_fault)
{
    struct journal *journal = &pipeline->journal;
    struct epoch snapshot;
    uint64_t start;

    state_init(&pipeline->state, &journal->key, &pipeline->state_memory);
    standing_clear(&pipeline->standing);
    enum outcome outcome = fold_start(pipeline, confirmed, &start, ret_fault);
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
        outcome = fold_rest(pipeline, confirmed, ret_fault);
    }
    if (outcome == DONE && pipeline->standing.epoch != journal->last_epoch) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "the journal ends at epoch %llu, but can be read up to %llu only",
                        (unsigned long long)journal->last_epoch,
                        (unsigned long long)pipeline->standing.epoch);
    }
    return outcome == DONE ? compare_totals(pipeline, ret_fault) : outcome;
}
