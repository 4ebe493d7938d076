/* From what the disk and the ledger hold to a pipeline that may go on. */
#include "engine/pipeline.h"

#include "os/crash.h"

#include <string.h>

bool pipeline_reaches_back(struct pipeline *pipeline, struct journal_place *place, void *buffer,
                           size_t buffer_size)
{
    struct epoch first;
    struct fault fault;

    place->epoch = 1;
    place->buffer = buffer;
    place->buffer_size = buffer_size;
    enum outcome outcome =
        journal_read(&pipeline->journal, place, JOURNAL_DECISIONS, &first, &fault);
    return outcome == LATER || (outcome == DONE && first.kind == EPOCH_DECIDED);
}

enum outcome pipeline_gap(const struct pipeline *pipeline, const struct sink_head *head,
                          struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_LEDGER_GAP,
                    "sink \"%s\" stands at epoch %llu%s, and the journal begins behind it",
                    pipeline->ledger->settings.name,
                    (unsigned long long)(head->exists ? head->epoch : 0),
                    head->exists ? "" : " (it is empty)");
}

static bool reaches_back(struct pipeline *pipeline)
{
    return pipeline_reaches_back(pipeline, &pipeline->fold, pipeline->fold.buffer,
                                 pipeline->fold.buffer_size);
}

/* The ledger's row as of nothing, under this journal's id. */
static enum outcome begin_ledger(struct pipeline *pipeline, struct fault *ret_fault)
{
    enum outcome outcome = sink_begin(pipeline->ledger, pipeline->journal.journal_id,
                                      &pipeline->settings->rules, ret_fault);

    return outcome == DONE ? sink_read_head(pipeline->ledger, &pipeline->head, ret_fault) : outcome;
}

/* Journal and ledger hold nothing: a new history. */
static enum outcome first_run(struct pipeline *pipeline, struct fault *ret_fault)
{
    struct epoch snapshot;

    standing_clear(&pipeline->standing);
    standing_snapshot(&pipeline->standing, &snapshot);
    enum outcome outcome = journal_begin(&pipeline->journal, &snapshot, false, ret_fault);
    return outcome == DONE ? begin_ledger(pipeline, ret_fault) : outcome;
}

/* Fold it, make durable what the ledger lacks, and stand behind it. */
static enum outcome keep(struct pipeline *pipeline, uint64_t confirmed, struct fault *ret_fault)
{
    struct journal *journal = &pipeline->journal;
    struct epoch snapshot;
    enum outcome outcome = pipeline_fold(pipeline, confirmed, ret_fault);

    crash_point("after_fold");
    if (outcome == DONE && !journal->ready) {
        standing_snapshot(&pipeline->standing, &snapshot);
        outcome = journal_keep(journal, confirmed, journal->last_epoch, &snapshot, ret_fault);
    }
    return outcome;
}

/* The pipeline's row is not in the ledger. */
static enum outcome acquire_empty(struct pipeline *pipeline, struct fault *ret_fault)
{
    const struct known_ledger *known = &pipeline->known;
    const struct sink *ledger = pipeline->ledger;
    struct known_ledger now;

    if (pipeline->head.other_payments) {
        return fault_is(ret_fault, BROKEN, FAULT_LEDGER_OTHER_HISTORY,
                        "sink \"%s\" holds payments, but no row of pipeline \"%s\"",
                        ledger->settings.name, ledger->settings.pipeline);
    }
    known_ledger_of(ledger, 0, &pipeline->head.chain, &now);
    if (known->known && !known_ledger_same_place(known, &now)) {
        return fault_is(ret_fault, BROKEN, FAULT_CONFIG_LEDGER_MOVED,
                        "the first sink was %s %s; now it is %s %s, which is empty", known->type,
                        known->path, now.type, now.path);
    }
    if (pipeline->journal.empty && known->epoch > 0) {
        (void)fault_is(ret_fault, BROKEN, FAULT_LEDGER_LOST,
                       "sink \"%s\" is empty and so is the journal, but pipeline \"%s\" had come "
                       "to epoch %llu",
                       ledger->settings.name, ledger->settings.pipeline,
                       (unsigned long long)known->epoch);
        fault_next(ret_fault, "restore the ledger; or, to begin anew, remove %.160s/journal/ledger",
                   pipeline->settings->data_dir);
        return BROKEN;
    }
    if (pipeline->journal.empty && pipeline->holder != NULL) {
        (void)fault_is(ret_fault, BROKEN, FAULT_LEDGER_LOST,
                       "sink \"%s\" is empty and so is the journal, but sink \"%s\" has followed "
                       "pipeline \"%s\"",
                       ledger->settings.name, pipeline->holder, ledger->settings.pipeline);
        return BROKEN;
    }
    if (pipeline->journal.empty) {
        return first_run(pipeline, ret_fault);
    }
    return reaches_back(pipeline) ? begin_ledger(pipeline, ret_fault)
                                  : pipeline_gap(pipeline, &pipeline->head, ret_fault);
}

static enum outcome never_met(const struct pipeline *pipeline, struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_LEDGER_OTHER_HISTORY,
                    "sink \"%s\" stands at epoch %llu of a history that never met ours",
                    pipeline->ledger->settings.name, (unsigned long long)pipeline->head.epoch);
}

/*
 * Our journal does not know the ledger's chain. If the ledger goes on from where we last saw it,
 * another owner went on, or our volume is an old one: seed. If it is further back, there is a
 * gap. Otherwise it is not ours.
 */
static enum outcome acquire_unknown(struct pipeline *pipeline, struct fault *ret_fault)
{
    const struct known_ledger *known = &pipeline->known;
    const struct sink_head *head = &pipeline->head;
    uint64_t found = 0;

    if (known->known && known->epoch > 0) {
        enum outcome outcome = sink_find_chain(pipeline->ledger, &known->chain, &found, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
        if (found == 0 && head->epoch < known->epoch) {
            return pipeline_gap(pipeline, head, ret_fault);
        }
        if (found == 0) {
            return never_met(pipeline, ret_fault);
        }
    } else if (known->known && head->begun_by != known->begun_by) {
        return never_met(pipeline, ret_fault);
    }
    if (pipeline->journal.torn_bytes > 0 && head->epoch > pipeline->journal.last_epoch &&
        head->journal_id == pipeline->journal.journal_id) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "epoch %llu cannot be read, but sink \"%s\" has it: it was durable once",
                        (unsigned long long)pipeline->journal.last_epoch + 1,
                        pipeline->ledger->settings.name);
    }
    return pipeline_seed(pipeline, ret_fault);
}

/* The journal holds nothing. Where it is still known which ledger it had, no other one will do. */
static enum outcome acquire_alone(struct pipeline *pipeline, struct fault *ret_fault)
{
    const struct known_ledger *known = &pipeline->known;
    uint64_t found = 0;

    if (known->known && known->begun_by != pipeline->head.begun_by) {
        enum outcome outcome = sink_find_chain(pipeline->ledger, &known->chain, &found, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
        if (found == 0) {
            return never_met(pipeline, ret_fault);
        }
    }
    return pipeline_seed(pipeline, ret_fault);
}

/* The ledger stands at some epoch of our pipeline: is it one of this journal's? */
static enum outcome acquire_standing(struct pipeline *pipeline, uint64_t *ret_confirmed,
                                     struct fault *ret_fault)
{
    const struct sink_head *head = &pipeline->head;

    if (head->format > LEDGER_FORMAT) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_FORMAT,
                        "sink \"%s\" has format %u; this version knows %d",
                        pipeline->ledger->settings.name, head->format, LEDGER_FORMAT);
    }
    if (head->epoch > 0 && head->journal_id == 0) {
        return fault_is(
            ret_fault, BROKEN, FAULT_SINK_DAMAGED,
            "sink \"%s\" followed another ledger, and was being filled: it is not whole",
            pipeline->ledger->settings.name);
    }
    if (pipeline->journal.empty) {
        return acquire_alone(pipeline, ret_fault);
    }
    if (head->epoch == 0) {
        return reaches_back(pipeline) ? DONE : pipeline_gap(pipeline, head, ret_fault);
    }
    enum outcome outcome =
        journal_find_chain(&pipeline->journal, &head->chain, ret_confirmed, ret_fault);
    if (outcome == DONE && *ret_confirmed == 0) {
        outcome = acquire_unknown(pipeline, ret_fault);
    }
    return outcome;
}

/* What the fold or the seed left: the deciding side goes on behind it. */
static enum outcome stand_ready(struct pipeline *pipeline, struct fault *ret_fault)
{
    const struct standing *standing = &pipeline->standing;
    struct state_use use;
    struct known_ledger now;

    for (size_t source = 0; source < standing->source_count; source++) {
        pipeline->fingerprints[source] = standing->ranges[source].fingerprint;
        pipeline->facts[source] = standing->facts[source];
    }
    pipeline->next_epoch = standing->epoch + 1;
    shelf_start(&pipeline->shelf, standing->epoch, pipeline->head.epoch);
    state_use(&pipeline->state, &use);
    pipeline->recovered_ids = use.entries;
    known_ledger_of(pipeline->ledger, pipeline->head.epoch, &pipeline->head.chain, &now);
    if (pipeline->known.known && pipeline->known.epoch == now.epoch &&
        pipeline->known.begun_by == pipeline->head.begun_by &&
        chain_same(&pipeline->known.chain, &now.chain) &&
        known_ledger_same_place(&pipeline->known, &now)) {
        return DONE;
    }
    now.begun_by = pipeline->head.begun_by;
    pipeline->known = now;
    return known_ledger_write(pipeline->disk, &now, ret_fault);
}

enum outcome pipeline_recover(struct pipeline *pipeline, struct fault *ret_fault)
{
    uint64_t confirmed = 0;
    enum outcome outcome = known_ledger_read(pipeline->disk, &pipeline->known, ret_fault);

    pipeline->recovered_torn_bytes = pipeline->journal.torn_bytes;
    if (outcome == DONE) {
        outcome = sink_read_head(pipeline->ledger, &pipeline->head, ret_fault);
    }
    crash_point("after_ledger_read");
    if (outcome != DONE) {
        return outcome;
    }
    outcome = pipeline->head.exists ? acquire_standing(pipeline, &confirmed, ret_fault)
                                    : acquire_empty(pipeline, ret_fault);
    if (outcome == DONE && !pipeline->recovered_seed) {
        outcome = keep(pipeline, confirmed, ret_fault);
    }
    return outcome == DONE ? stand_ready(pipeline, ret_fault) : outcome;
}
