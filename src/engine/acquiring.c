/* Where does a sink stand on our history? Asked at the start of a follower, and by audits. */
#include "engine/courier.h"

/* The ledger lost our row: begin again, if the journal still holds everything from epoch 1. */
static enum outcome begin_again(struct courier *courier, struct sink_head *head,
                                struct fault *ret_fault)
{
    struct pipeline *pipeline = courier->pipeline;

    if (head->other_payments) {
        return fault_is(ret_fault, BROKEN, FAULT_LEDGER_OTHER_HISTORY,
                        "sink \"%s\" holds payments, but no row of pipeline \"%s\" any more",
                        courier->sink->settings.name, courier->sink->settings.pipeline);
    }
    if (!pipeline_reaches_back(pipeline, &courier->at, courier->memory, courier->memory_size)) {
        return pipeline_gap(pipeline, head, ret_fault);
    }
    enum outcome outcome = sink_begin(courier->sink, pipeline->journal.journal_id,
                                      &pipeline->settings->rules, ret_fault);
    return outcome == DONE ? sink_read_head(courier->sink, head, ret_fault) : outcome;
}

static enum outcome reacquire(struct courier *courier, struct sink_head *head, bool *ret_restored,
                              struct fault *ret_fault)
{
    struct pipeline *pipeline = courier->pipeline;
    enum outcome outcome = DONE;
    uint64_t epoch = 0;

    if (!head->exists) {
        outcome = begin_again(courier, head, ret_fault);
    } else if (head->epoch > 0) {
        outcome = journal_find_chain(&pipeline->journal, &head->chain, &epoch, ret_fault);
        if (outcome == DONE && epoch == 0) {
            return fault_is(ret_fault, BROKEN, FAULT_FENCED,
                            "sink \"%s\" stands at epoch %llu with a chain that is not ours: "
                            "another owner of pipeline \"%s\" was here",
                            courier->sink->settings.name, (unsigned long long)head->epoch,
                            courier->sink->settings.pipeline);
        }
    } else if (!pipeline_reaches_back(pipeline, &courier->at, courier->memory,
                                      courier->memory_size)) {
        return pipeline_gap(pipeline, head, ret_fault);
    }
    if (outcome == DONE) {
        *ret_restored = epoch < courier->delivered;
        courier_stand(courier, epoch, head);
    }
    return outcome;
}

/* A follower's chain that is neither the journal's nor the ledger's. */
static enum outcome no_follower(const struct courier *courier, const struct sink_head *head,
                                bool followed, struct fault *ret_fault)
{
    uint64_t ledger = shelf_confirmed_upto(&courier->pipeline->shelf);
    const char *name = courier->sink->settings.name;

    if (followed) {
        return fault_is(ret_fault, BROKEN, FAULT_FENCED,
                        "sink \"%s\" stands at epoch %llu with a chain that is not ours: another "
                        "owner of pipeline \"%s\" was here",
                        name, (unsigned long long)head->epoch, courier->sink->settings.pipeline);
    }
    return fault_is(ret_fault, BROKEN,
                    head->epoch > ledger ? FAULT_FOLLOWER_AHEAD : FAULT_LEDGER_OTHER_HISTORY,
                    "sink \"%s\" stands at epoch %llu, and not on the history of the ledger, which "
                    "stands at epoch %llu",
                    name, (unsigned long long)head->epoch, (unsigned long long)ledger);
}

/* Which epoch of our history has this chain? 0: none. */
static enum outcome find_chain(struct courier *courier, const struct sink_head *head,
                               uint64_t *ret_epoch, struct fault *ret_fault)
{
    struct journal *journal = &courier->pipeline->journal;
    enum outcome outcome = DONE;

    *ret_epoch = 0;
    (void)pthread_mutex_lock(&journal->mutex);
    uint64_t first = journal->first_epoch;
    (void)pthread_mutex_unlock(&journal->mutex);
    if (head->epoch + 1 >= first) {
        outcome = journal_find_chain(journal, &head->chain, ret_epoch, ret_fault);
    }
    if (outcome == DONE && *ret_epoch == 0) {
        outcome = refill_find_chain(courier->refill, &head->chain, ret_epoch, ret_fault);
        refill_close(courier->refill);
    }
    return outcome;
}

/* A new follower gets its row; one that was emptied gets it again, and all rows with time. */
static enum outcome begin_follower(struct courier *courier, struct sink_head *head,
                                   struct fault *ret_fault)
{
    struct pipeline *pipeline = courier->pipeline;

    if (head->other_payments) {
        return fault_is(ret_fault, BROKEN, FAULT_LEDGER_OTHER_HISTORY,
                        "sink \"%s\" holds payments, but no row of pipeline \"%s\"",
                        courier->sink->settings.name, courier->sink->settings.pipeline);
    }
    enum outcome outcome = sink_begin(courier->sink, pipeline->journal.journal_id,
                                      &pipeline->settings->rules, ret_fault);
    return outcome == DONE ? sink_read_head(courier->sink, head, ret_fault) : outcome;
}

/* followed: it has stood on our history before, in this process. */
static enum outcome follow(struct courier *courier, struct sink_head *head, bool followed,
                           struct fault *ret_fault)
{
    uint64_t epoch = 0;
    enum outcome outcome = DONE;

    if (!head->exists) {
        outcome = begin_follower(courier, head, ret_fault);
    }
    if (outcome == DONE && head->format > LEDGER_FORMAT) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_FORMAT,
                        "sink \"%s\" has format %u; this version knows %d",
                        courier->sink->settings.name, head->format, LEDGER_FORMAT);
    }
    if (outcome == DONE && head->epoch > 0) {
        outcome = find_chain(courier, head, &epoch, ret_fault);
        if (outcome == DONE && epoch == 0) {
            return no_follower(courier, head, followed, ret_fault);
        }
    }
    if (outcome == DONE) {
        courier_stand(courier, epoch, head);
    }
    return outcome;
}

enum outcome courier_look(struct courier *courier, struct refill *refill,
                          const struct sink_head *seen, struct fault *ret_fault)
{
    uint64_t epoch = 0;

    courier->refill = refill;
    if (!seen->exists || seen->epoch == 0) {
        return DONE;
    }
    enum outcome outcome = find_chain(courier, seen, &epoch, ret_fault);
    return outcome == DONE && epoch == 0 ? no_follower(courier, seen, false, ret_fault) : outcome;
}

enum outcome courier_follow(struct courier *courier, struct refill *refill, size_t place,
                            struct fault *ret_fault)
{
    struct sink_head head;

    courier->refill = refill;
    courier->place = place;
    enum outcome outcome = sink_take(courier->sink, ret_fault);
    if (outcome == DONE) {
        outcome = sink_read_head(courier->sink, &head, ret_fault);
    }
    return outcome == DONE ? follow(courier, &head, false, ret_fault) : outcome;
}

enum outcome courier_audit(struct courier *courier, bool *ret_restored, struct fault *ret_fault)
{
    struct sink_head head;

    *ret_restored = false;
    enum outcome outcome = sink_audit(courier->sink, ret_fault);
    if (outcome == DONE) {
        outcome = sink_read_head(courier->sink, &head, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    if (head.exists && head.epoch == courier->delivered &&
        chain_same(&head.chain, &courier->chain)) {
        return DONE;
    }
    if (courier->refill == NULL) {
        return reacquire(courier, &head, ret_restored, ret_fault);
    }
    uint64_t before = courier->delivered;
    bool there = head.exists;
    outcome = follow(courier, &head, true, ret_fault);
    *ret_restored = outcome == DONE && (!there || courier->delivered < before);
    return outcome;
}
