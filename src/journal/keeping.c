/* The start of writing: after a recovery, or from nothing. */
#include "journal/walk.h"

#include "os/crash.h"
#include "os/digest.h"

static enum outcome make_space(struct journal *journal, struct fault *ret_fault)
{
    uint64_t left = 0;
    enum outcome outcome = segment_sweep_spares(journal, ret_fault);

    if (outcome == DONE) {
        outcome = disk_free_bytes(journal->disk, &left, ret_fault);
    }
    if (outcome == DONE && left < JOURNAL_FREE_MIN) {
        return fault_is(ret_fault, LATER, FAULT_DISK_SPACE,
                        "%llu MiB are free on the volume of the journal; to start, it needs %llu",
                        (unsigned long long)(left >> 20),
                        (unsigned long long)(JOURNAL_FREE_MIN >> 20));
    }
    return outcome;
}

/* What recovery found out about the segment in which the kept history ends. */
struct tail {
    size_t index;
    uint64_t from;      /* Frames after this epoch are copied. */
    uint64_t cut_at;    /* They begin here. */
    uint64_t copy_size; /* And have so many bytes. */
    struct chain from_chain;
    struct chain last_chain; /* Of the last kept epoch. */
    int64_t sealed_ms;
    bool stays; /* Something of it is needed on. */
};

/* Is it the next frame of what is kept? Behind that may stand anything. */
static bool belongs(const struct frame_header *frame, const struct journal_segment *segment,
                    uint64_t reached, uint64_t last_kept)
{
    if (frame->kind == FRAME_SEED) {
        return frame->number == segment->after && reached == segment->after;
    }
    return frame->kind == FRAME_DECIDED && frame->number == reached + 1 &&
           frame->number <= last_kept;
}

static enum outcome walk_tail(struct journal *journal, struct tail *tail, uint64_t last_kept,
                              struct fault *ret_fault)
{
    const struct journal_segment *segment = &journal->segments[tail->index];
    struct walk walk;
    enum outcome outcome = walk_open_own(&walk, journal, segment, ret_fault);
    bool opened = outcome == DONE;
    uint64_t reached = segment->after;

    tail->cut_at = segment->frames_at;
    tail->from_chain = segment->after_chain;
    tail->last_chain = segment->after_chain;
    tail->sealed_ms = segment->begun_ms;
    while (outcome == DONE && walk.offset < walk.end) {
        outcome = walk_header(&walk, DISK_BLOCK, ret_fault);
        if (outcome != DONE || !belongs(walk_frame(&walk), segment, reached, last_kept)) {
            break;
        }
        reached = walk_frame(&walk)->number;
        walk_skip(&walk);
        tail->last_chain = walk_frame(&walk)->chain;
        tail->sealed_ms = walk_frame(&walk)->sealed_ms;
        if (walk_frame(&walk)->number <= tail->from) {
            tail->cut_at = walk.offset;
            tail->from_chain = walk_frame(&walk)->chain;
        }
        tail->copy_size = walk.offset - tail->cut_at;
    }
    if (opened) {
        walk_close(&walk);
    }
    return outcome == LATER ? DONE : outcome;
}

/*
 * Copied is what the ledger has not confirmed, as far as it stands in this segment, and in any
 * case the last frame found, whose sync may never have come back. All before it was durable when
 * it was written, for it says so.
 */
static enum outcome find_tail(struct journal *journal, struct tail *tail, uint64_t confirmed,
                              uint64_t last_kept, struct fault *ret_fault)
{
    size_t index = journal_segment_of(journal, last_kept);

    *tail = (struct tail){.index = index == SIZE_MAX ? 0 : index};
    const struct journal_segment *segment = &journal->segments[tail->index];
    tail->from = confirmed < segment->after ? segment->after : confirmed;
    if (tail->from > journal->durable_upto) {
        tail->from = journal->durable_upto;
    }
    if (tail->from > last_kept) {
        tail->from = last_kept;
    }
    /* Without frames it goes, if the fresh one's snapshot says the same, or all there still is. */
    tail->stays =
        tail->from > segment->after || segment->seeds_follow || segment->snapshot < last_kept;
    return walk_tail(journal, tail, last_kept, ret_fault);
}

static enum outcome copy_frame(struct journal *journal, struct walk *walk,
                               struct segment_fresh *fresh, struct fault *ret_fault)
{
    struct frame_stamp stamp = segment_stamp(journal, &fresh->segment);
    enum outcome outcome = walk_header(walk, WALK_AHEAD, ret_fault);

    if (outcome == DONE) {
        outcome = walk_load(walk, true, ret_fault);
    }
    if (outcome == LATER) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "segment seg-%016llx, offset %llu: a frame is damaged",
                        (unsigned long long)walk->stamp.serial, (unsigned long long)walk->offset);
    }
    if (outcome == DONE) {
        size_t size = frame_header_size(walk_frame(walk));
        frame_restamp(walk->buffer, &stamp);
        outcome = disk_write(journal->disk, fresh->file, fresh->write_at,
                             (struct span){walk->buffer, size}, ret_fault);
        fresh->write_at += size;
        walk->offset += size;
    }
    return outcome;
}

static enum outcome copy_frames(struct journal *journal, const struct tail *tail,
                                struct segment_fresh *fresh, struct fault *ret_fault)
{
    uint64_t end = tail->cut_at + tail->copy_size;
    struct walk walk;
    enum outcome outcome =
        walk_open_own(&walk, journal, &journal->segments[tail->index], ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    walk.offset = tail->cut_at;
    while (outcome == DONE && walk.offset < end) {
        outcome = copy_frame(journal, &walk, fresh, ret_fault);
        crash_point("half_copy");
    }
    walk_close(&walk);
    return outcome;
}

static enum outcome write_fresh(struct journal *journal, const struct tail *tail,
                                const struct epoch *snapshot, struct segment_fresh *fresh,
                                struct fault *ret_fault)
{
    const struct journal_segment *segment = &journal->segments[tail->index];

    fresh->segment = (struct journal_segment){
        .previous = tail->stays ? segment->serial : segment->previous,
        .after = tail->from,
        .after_chain = tail->from_chain,
        .begun_ms = tail->sealed_ms,
    };
    enum outcome outcome = segment_create(journal, fresh, snapshot, tail->copy_size, ret_fault);
    if (outcome == DONE) {
        outcome = copy_frames(journal, tail, fresh, ret_fault);
        if (outcome != DONE) {
            segment_abandon(journal, fresh);
        }
    }
    if (outcome == DONE) {
        outcome = segment_settle(journal, fresh, ret_fault);
    }
    if (outcome == DONE) {
        crash_point("after_copy");
    }
    return journal_failed(journal, outcome);
}

/* The line ends with the fresh segment now. */
static void take_line(struct journal *journal, const struct tail *tail,
                      const struct segment_fresh *fresh, uint64_t last_kept)
{
    (void)pthread_mutex_lock(&journal->mutex);
    journal->segment_count = tail->index + (tail->stays ? 1 : 0);
    if (tail->stays) {
        journal->segments[tail->index].size = tail->cut_at;
    }
    segment_join(journal, fresh);
    journal->last_epoch = last_kept;
    journal->last_chain = tail->last_chain;
    journal->sealed_ms = tail->sealed_ms;
    (void)pthread_mutex_unlock(&journal->mutex);
}

static enum outcome cut_tail(struct journal *journal, const struct tail *tail,
                             struct fault *ret_fault)
{
    struct walk walk;
    enum outcome outcome =
        walk_open_own(&walk, journal, &journal->segments[tail->index], ret_fault);

    if (outcome == DONE) {
        outcome = disk_cut(journal->disk, walk.file, tail->cut_at, ret_fault);
        if (outcome == DONE) {
            crash_point("after_cut");
            outcome = disk_sync(journal->disk, walk.file, ret_fault);
        }
        walk_close(&walk);
    }
    return journal_failed(journal, outcome);
}

enum outcome journal_keep(struct journal *journal, uint64_t confirmed, uint64_t last_kept,
                          const struct epoch *snapshot, struct fault *ret_fault)
{
    struct segment_fresh fresh;
    struct tail tail;

    must(!journal->empty && !journal->ready && !journal->failed);
    must(last_kept + 1 >= journal->first_epoch && last_kept <= journal->last_epoch);
    must(snapshot->number == last_kept);
    enum outcome outcome = make_space(journal, ret_fault);
    if (outcome == DONE) {
        outcome = find_tail(journal, &tail, confirmed, last_kept, ret_fault);
    }
    if (outcome == DONE) {
        outcome = write_fresh(journal, &tail, snapshot, &fresh, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    take_line(journal, &tail, &fresh, last_kept);
    outcome = tail.stays ? cut_tail(journal, &tail, ret_fault) : DONE;
    if (outcome == DONE) {
        outcome = segment_sweep(journal, ret_fault);
    }
    journal->ready = outcome == DONE;
    return outcome;
}

static void new_identity(struct journal *journal)
{
    digest_random(&journal->journal_id, sizeof(journal->journal_id));
    digest_random(&journal->key, sizeof(journal->key));
    journal->journal_id = (journal->journal_id >> 1) | 1; /* 63 bits, and never 0. */
}

/* The line begins anew; the epochs go on. */
static void take_head(struct journal *journal, const struct segment_fresh *fresh,
                      const struct epoch *snapshot)
{
    (void)pthread_mutex_lock(&journal->mutex);
    journal->segment_count = 0;
    segment_join(journal, fresh);
    journal->empty = false;
    journal->torn_bytes = 0;
    journal->seed_open = fresh->segment.seeds_follow;
    journal->last_epoch = snapshot->number;
    journal->last_chain = snapshot->chain;
    journal->sealed_ms = snapshot->sealed_ms;
    (void)pthread_mutex_unlock(&journal->mutex);
}

enum outcome journal_begin(struct journal *journal, const struct epoch *snapshot, bool seeds_follow,
                           struct fault *ret_fault)
{
    uint64_t old_id = journal->journal_id;
    struct siphash_key old_key = journal->key;
    struct segment_fresh fresh = {
        .segment = {.after = snapshot->number,
                    .after_chain = snapshot->chain,
                    .begun_ms = snapshot->sealed_ms,
                    .seeds_follow = seeds_follow},
    };

    must(!journal->ready && !journal->failed);
    enum outcome outcome = make_space(journal, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    new_identity(journal);
    journal->seeds = 0;
    outcome = segment_create(journal, &fresh, snapshot, 0, ret_fault);
    if (outcome == DONE) {
        outcome = segment_settle(journal, &fresh, ret_fault);
    }
    if (outcome != DONE) {
        journal->journal_id = old_id;
        journal->key = old_key;
        return outcome;
    }
    take_head(journal, &fresh, snapshot);
    outcome = segment_sweep(journal, ret_fault);
    journal->ready = outcome == DONE;
    return outcome;
}
