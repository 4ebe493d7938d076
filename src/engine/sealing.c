/* The sealing side of the pipeline: from a closed epoch to history. */
#include "engine/pipeline.h"

enum outcome pipeline_trim(struct pipeline *pipeline, struct fault *ret_fault)
{
    uint64_t needed = shelf_had_upto(&pipeline->shelf) + 1;

    if (pipeline->standing.seed_epoch < needed) {
        needed = pipeline->standing.seed_epoch;
    }
    return journal_trim(&pipeline->journal, needed, clock_wall_ms(pipeline->clock), ret_fault);
}

static enum outcome stand(struct pipeline *pipeline, const struct epoch *epoch,
                          struct fault *ret_fault)
{
    (void)pthread_mutex_lock(&pipeline->standing_mutex);
    enum outcome outcome = standing_apply(&pipeline->standing, epoch, ret_fault);
    (void)pthread_mutex_unlock(&pipeline->standing_mutex);
    return outcome;
}

enum outcome pipeline_seal(struct pipeline *pipeline, struct epoch *epoch, struct fault *ret_fault)
{
    struct epoch snapshot;

    /* Every epoch of this process ends under its settings' rules: the first begins with them. */
    horizon_add(&pipeline->horizon, epoch->number, epoch->newest_accepted_ms);
    horizon_hold(&pipeline->horizon, pipeline->settled_ms[epoch->number % EPOCHS_IN_FLIGHT]);
    epoch->seed_epoch = horizon_seed_epoch(&pipeline->horizon, &pipeline->settings->rules,
                                           epoch->watermark_ms, epoch->number + 1);
    epoch->prev_chain = pipeline->journal.last_chain;
    epoch->sealed_ms = clock_wall_ms(pipeline->clock);

    bool new_segment = journal_wants_snapshot(&pipeline->journal, epoch);
    if (new_segment) {
        standing_snapshot(&pipeline->standing, &snapshot);
    }
    enum outcome outcome =
        journal_seal(&pipeline->journal, epoch, new_segment ? &snapshot : NULL, ret_fault);
    if (outcome == DONE) {
        outcome = stand(pipeline, epoch, ret_fault);
    }
    if (outcome == DONE && new_segment) {
        outcome = pipeline_trim(pipeline, ret_fault);
    }
    return outcome;
}
