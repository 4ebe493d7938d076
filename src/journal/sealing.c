/* One append, one sync; now and then a new segment. */
#include "journal/chain.h"
#include "journal/segment.h"

#include "os/crash.h"

static enum outcome refuse_after_failure(struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_IO,
                    "the journal failed before: nothing more is written to it");
}

static uint64_t room(const struct journal *journal)
{
    return journal->segments[journal->segment_count - 1].size - journal->write_at;
}

bool journal_wants_snapshot(const struct journal *journal, const struct epoch *epoch)
{
    return epoch->kind == EPOCH_DECIDED && frame_size(epoch) > room(journal);
}

static enum outcome begin_segment(struct journal *journal, const struct epoch *epoch,
                                  const struct epoch *snapshot, struct fault *ret_fault)
{
    struct segment_fresh fresh = {
        .segment = {.previous = journal->segments[journal->segment_count - 1].serial,
                    .after = journal->last_epoch,
                    .after_chain = journal->last_chain,
                    .begun_ms = epoch->sealed_ms},
    };

    must(snapshot != NULL && snapshot->number == journal->last_epoch);
    enum outcome outcome = segment_create(journal, &fresh, snapshot, frame_size(epoch), ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    outcome = segment_settle(journal, &fresh, ret_fault);
    if (outcome == DONE) {
        (void)pthread_mutex_lock(&journal->mutex);
        segment_join(journal, &fresh);
        (void)pthread_mutex_unlock(&journal->mutex);
    }
    return outcome;
}

/* A seed stands in one segment, which grows for it. */
static enum outcome grow(struct journal *journal, size_t size, struct fault *ret_fault)
{
    struct journal_segment *segment = &journal->segments[journal->segment_count - 1];
    uint64_t wanted = segment->size;

    while (wanted - journal->write_at < size) {
        wanted += journal->settings.segment_size;
    }
    enum outcome outcome = disk_allocate(journal->disk, journal->writing, wanted, ret_fault);
    if (outcome == DONE) {
        (void)pthread_mutex_lock(&journal->mutex);
        journal->bytes += wanted - segment->size;
        segment->size = wanted;
        (void)pthread_mutex_unlock(&journal->mutex);
    }
    return journal_failed(journal, outcome);
}

static enum outcome make_room(struct journal *journal, const struct epoch *epoch,
                              const struct epoch *snapshot, struct fault *ret_fault)
{
    size_t size = frame_size(epoch);

    if (size <= room(journal)) {
        return DONE;
    }
    return epoch->kind == EPOCH_SEED ? grow(journal, size, ret_fault)
                                     : begin_segment(journal, epoch, snapshot, ret_fault);
}

static enum outcome write_at(struct journal *journal, size_t from, size_t size,
                             struct fault *ret_fault)
{
    struct span bytes = {journal->buffer + from, size};

    return size == 0 ? DONE
                     : disk_write(journal->disk, journal->writing, journal->write_at + from, bytes,
                                  ret_fault);
}

static enum outcome append(struct journal *journal, size_t size, struct fault *ret_fault)
{
    enum outcome outcome;

    crash_point("before_write");
#ifdef PAYONCE_CRASH_POINTS
    size_t half = size / 2 / DISK_BLOCK * DISK_BLOCK;
    outcome = write_at(journal, 0, half, ret_fault);
    if (outcome == DONE) {
        crash_point("half_write");
        outcome = write_at(journal, half, size - half, ret_fault);
    }
#else
    outcome = write_at(journal, 0, size, ret_fault);
#endif
    if (outcome == DONE) {
        crash_point("after_write");
        outcome = disk_sync(journal->disk, journal->writing, ret_fault);
        must(outcome != LATER);
    }
    if (outcome == DONE) {
        crash_point("after_sync");
    }
    return journal_failed(journal, outcome);
}

static void sealed(struct journal *journal, const struct epoch *epoch, size_t size)
{
    (void)pthread_mutex_lock(&journal->mutex);
    journal->last_epoch = epoch->number;
    journal->last_chain = epoch->chain;
    journal->sealed_ms = epoch->sealed_ms;
    journal->write_at += size;
    if (epoch->kind == EPOCH_SEED) {
        journal->seeds++;
        journal->seed_open = epoch->seed_last == 0;
    }
    (void)pthread_mutex_unlock(&journal->mutex);
}

enum outcome journal_seal(struct journal *journal, struct epoch *epoch,
                          const struct epoch *snapshot, struct fault *ret_fault)
{
    bool seed = epoch->kind == EPOCH_SEED;
    size_t size = frame_size(epoch);

    must(journal->ready && seed == journal->seed_open && size <= journal->buffer_size);
    must(epoch->number == journal->last_epoch + (seed ? 0 : 1));
    must(seed || chain_same(&epoch->prev_chain, &journal->last_chain));
    if (journal->failed) {
        return refuse_after_failure(ret_fault);
    }
    enum outcome outcome = make_room(journal, epoch, snapshot, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    epoch->journal_id = journal->journal_id;
    epoch->prev_chain = journal->last_chain;
    epoch->chain = seed ? journal->last_chain : chain_next(epoch);
    struct frame_stamp stamp =
        segment_stamp(journal, &journal->segments[journal->segment_count - 1]);
    frame_write(epoch, seed ? FRAME_SEED : FRAME_DECIDED, &stamp, journal->last_epoch,
                journal->seeds, journal->buffer);
    outcome = append(journal, size, ret_fault);
    if (outcome == DONE) {
        sealed(journal, epoch, size);
    }
    return outcome;
}
