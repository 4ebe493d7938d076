/* What is there: the line of segments, then frame for frame from where a fold would start. */
#include "journal/walk.h"

#include "os/crash.h"

#include <stdlib.h>
#include <string.h>

static size_t aligned(size_t size)
{
    return (size + DISK_BLOCK - 1) / DISK_BLOCK * DISK_BLOCK;
}

enum { SEGMENTS_SIZE = JOURNAL_SEGMENTS_MAX * sizeof(struct journal_segment) };

size_t journal_memory_size(size_t frame_size_max)
{
    return aligned(SEGMENTS_SIZE) + aligned(frame_size_max) + DISK_BLOCK;
}

static void lay_memory(struct journal *journal, void *memory, size_t memory_size)
{
    uint8_t *at = memory;
    size_t skip = (DISK_BLOCK - (uintptr_t)at % DISK_BLOCK) % DISK_BLOCK;

    must(memory_size >= journal_memory_size(DISK_BLOCK));
    journal->segments = (struct journal_segment *)(void *)(at + skip);
    journal->buffer = at + skip + aligned(SEGMENTS_SIZE);
    journal->buffer_size = (memory_size - skip - aligned(SEGMENTS_SIZE)) / DISK_BLOCK * DISK_BLOCK;
}

static int by_serial(const void *left, const void *right)
{
    uint64_t first = ((const struct journal_segment *)left)->serial;
    uint64_t second = ((const struct journal_segment *)right)->serial;

    return first < second ? -1 : first > second;
}

static enum outcome note_name(struct journal *journal, const char *name, struct fault *ret_fault)
{
    uint64_t serial = 0;

    if (segment_name_read(name, &serial)) {
        if (journal->segment_count == JOURNAL_SEGMENTS_MAX) {
            return fault_is(ret_fault, BROKEN, FAULT_DISK_SPACE,
                            "the journal has more than %d segments", JOURNAL_SEGMENTS_MAX);
        }
        journal->segments[journal->segment_count++] = (struct journal_segment){.serial = serial};
    } else if (!segment_spare_name_read(name, &serial)) { /* Of a spare only its serial counts. */
        serial = 0;
    }
    if (serial >= journal->next_serial && serial < UINT64_MAX) {
        journal->next_serial = serial + 1;
    }
    return DONE;
}

static enum outcome list_files(struct journal *journal, struct fault *ret_fault)
{
    char name[DISK_NAME_MAX];
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE; index++) {
        outcome = disk_list(journal->disk, index, name, ret_fault);
        if (outcome == DONE) {
            outcome = note_name(journal, name, ret_fault);
        }
    }
    qsort(journal->segments, journal->segment_count, sizeof(journal->segments[0]), by_serial);
    return outcome == LATER ? DONE : outcome;
}

/* Keep, at the front of the list, those that the newest one's line names. */
static enum outcome follow_line(struct journal *journal, struct fault *ret_fault)
{
    struct journal_segment *segments = journal->segments;
    size_t kept = journal->segment_count;
    uint64_t wanted = kept == 0 ? 0 : segments[kept - 1].serial;

    for (size_t index = journal->segment_count; index > 0; index--) {
        struct journal_segment segment;
        if (segments[index - 1].serial != wanted) {
            continue;
        }
        enum outcome outcome = segment_load(journal, wanted, &segment, ret_fault);
        if (outcome == DONE &&
            (segment.previous >= wanted ||
             (kept < journal->segment_count && segment.after > segments[kept].after))) {
            outcome = fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                               "segment seg-%016llx does not fit the one behind it",
                               (unsigned long long)wanted);
        }
        if (outcome != DONE) {
            return outcome;
        }
        wanted = segment.previous;
        segments[--kept] = segment;
        journal->bytes += segment.size;
    }
    journal->segment_count -= kept;
    memmove(segments, segments + kept, journal->segment_count * sizeof(segments[0]));
    return DONE;
}

static enum outcome damaged(const struct journal_segment *segment, const struct journal *journal,
                            uint64_t offset, struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                    "segment seg-%016llx, offset %llu: epoch %llu is damaged, and later ones "
                    "were written after it was safe",
                    (unsigned long long)segment->serial, (unsigned long long)offset,
                    (unsigned long long)(journal->last_epoch + (journal->seed_open ? 0 : 1)));
}

/* Is the frame the one that comes next? */
static bool fits(const struct journal *journal, const struct frame_header *frame)
{
    bool chained = chain_same(&frame->prev_chain, &journal->last_chain);

    if (journal->seed_open) {
        return chained && frame->kind == FRAME_SEED && frame->number == journal->last_epoch &&
               frame->synced_seeds == journal->seeds;
    }
    return chained && frame->kind == FRAME_DECIDED && frame->number == journal->last_epoch + 1;
}

static enum outcome misfit(const struct journal *journal, const struct walk *walk,
                           struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                    "segment seg-%016llx, offset %llu: epoch %llu does not follow the history "
                    "before it, which ends at %llu",
                    (unsigned long long)walk->stamp.serial, (unsigned long long)walk->offset,
                    (unsigned long long)walk_frame(walk)->number,
                    (unsigned long long)journal->last_epoch);
}

static void take(struct journal *journal, const struct frame_header *frame)
{
    journal->last_epoch = frame->number;
    journal->last_chain = frame->chain;
    journal->sealed_ms = frame->sealed_ms;
    if (frame->kind == FRAME_SEED) {
        journal->seeds++;
        journal->seed_open = frame->seed_last == 0;
    }
    if (frame->synced_upto > journal->durable_upto) {
        journal->durable_upto = frame->synced_upto;
    }
}

/* Take frames up to this epoch, or until one is not whole (LATER). */
static enum outcome take_frames(struct journal *journal, struct walk *walk, uint64_t last,
                                bool with_rows, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    while (outcome == DONE && (journal->seed_open || journal->last_epoch < last)) {
        outcome = walk_header(walk, WALK_AHEAD, ret_fault);
        if (outcome == DONE) {
            outcome = walk_load(walk, with_rows, ret_fault);
        }
        if (outcome == DONE && !fits(journal, walk_frame(walk))) {
            outcome = misfit(journal, walk, ret_fault);
        }
        if (outcome == DONE) {
            take(journal, walk_frame(walk));
            walk_skip(walk);
        }
    }
    return outcome;
}

/* Does any frame behind this place say that the one expected here was durable? */
static bool proves(const struct journal *journal, const struct frame_header *frame)
{
    return journal->seed_open ? frame->synced_seeds > journal->seeds
                              : frame->synced_upto > journal->last_epoch;
}

enum { SCAN_SIZE = 1 << 20 }; /* At a time: a larger buffer is not touched for an empty end. */

/*
 * Every block to the file's end: frames begin nowhere else. A whole header is proof enough: it
 * was written after what it speaks of was safe.
 */
static enum outcome scan_on(struct journal *journal, struct walk *walk, bool *ret_proven,
                            struct fault *ret_fault)
{
    uint64_t bad_at = walk->offset;
    enum outcome outcome = DONE;

    *ret_proven = false;
    while (outcome == DONE && !*ret_proven && walk->offset < walk->end) {
        uint64_t left = walk->end - walk->offset;
        size_t step = walk->buffer_size < SCAN_SIZE ? walk->buffer_size : SCAN_SIZE;
        size_t size = left < step ? (size_t)left : step;
        size_t count = 0;
        outcome =
            disk_read(walk->disk, walk->file, walk->offset, walk->buffer, size, &count, ret_fault);
        for (size_t at = 0; outcome == DONE && at + FRAME_HEADER_SIZE <= count; at += DISK_BLOCK) {
            const struct frame_header *frame =
                (const struct frame_header *)(void *)(walk->buffer + at);
            *ret_proven = *ret_proven || (frame_header_whole(frame, &walk->stamp, left - at) &&
                                          proves(journal, frame));
        }
        walk->offset += size;
    }
    walk->offset = bad_at;
    return outcome;
}

/* How much of an unfinished frame stands here? Only for telling. */
static enum outcome measure_torn(struct journal *journal, struct walk *walk,
                                 struct fault *ret_fault)
{
    const struct frame_header *frame = walk_frame(walk);
    enum outcome outcome = walk_header(walk, DISK_BLOCK, ret_fault);

    if (outcome == DONE) {
        journal->torn_bytes = frame_header_size(frame);
    } else if (outcome == LATER && walk->have >= FRAME_HEADER_SIZE &&
               frame->serial == walk->stamp.serial && frame->journal_id == walk->stamp.journal_id) {
        journal->torn_bytes = DISK_BLOCK;
    }
    return outcome == LATER ? DONE : outcome;
}

/* The newest segment ends, or a frame of it is bad: torn, or damaged? */
static enum outcome judge_end(struct journal *journal, struct walk *walk,
                              const struct journal_segment *segment, struct fault *ret_fault)
{
    bool proven = !journal->seed_open && segment->synced_upto > journal->last_epoch;
    enum outcome outcome = DONE;

    if (!proven) {
        outcome = scan_on(journal, walk, &proven, ret_fault);
    }
    if (outcome == DONE && proven) {
        return damaged(segment, journal, walk->offset, ret_fault);
    }
    return outcome == DONE ? measure_torn(journal, walk, ret_fault) : outcome;
}

static enum outcome scan_segment(struct journal *journal, size_t index, struct fault *ret_fault)
{
    const struct journal_segment *segment = &journal->segments[index];
    bool newest = index + 1 == journal->segment_count;
    struct walk walk;
    enum outcome outcome = walk_open_own(&walk, journal, segment, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    if (newest) {
        outcome = take_frames(journal, &walk, UINT64_MAX, true, ret_fault);
        if (outcome == LATER) {
            outcome = judge_end(journal, &walk, segment, ret_fault);
        }
    } else {
        outcome = take_frames(journal, &walk, segment[1].after, false, ret_fault);
        if (outcome == LATER) {
            outcome = damaged(segment, journal, walk.offset, ret_fault);
        }
    }
    walk_close(&walk);
    return outcome;
}

/* From the segment in which a fold would start: what is before it, nobody needs to start. */
static enum outcome scan(struct journal *journal, struct fault *ret_fault)
{
    const struct journal_segment *newest = &journal->segments[journal->segment_count - 1];
    size_t index = journal_segment_of(journal, newest->seed_epoch);
    enum outcome outcome = DONE;

    index = index == SIZE_MAX ? 0 : index;
    const struct journal_segment *start = &journal->segments[index];
    journal->first_epoch = journal->segments[0].after + 1;
    journal->last_epoch = start->after;
    journal->last_chain = start->after_chain;
    journal->sealed_ms = start->begun_ms;
    journal->durable_upto = newest->synced_upto;
    journal->seed_open = start->seeds_follow;
    for (; outcome == DONE && index < journal->segment_count; index++) {
        outcome = scan_segment(journal, index, ret_fault);
    }
    return outcome;
}

enum outcome journal_open(struct journal *journal, struct disk *disk,
                          const struct journal_settings *settings, void *memory, size_t memory_size,
                          struct fault *ret_fault)
{
    must(settings->segment_size % DISK_BLOCK == 0);
    *journal = (struct journal){
        .disk = disk, .settings = *settings, .writing = -1, .next_serial = 1, .empty = true};
    lay_memory(journal, memory, memory_size);
    (void)pthread_mutex_init(&journal->mutex, NULL);
    enum outcome outcome = list_files(journal, ret_fault);
    if (outcome == DONE) {
        outcome = follow_line(journal, ret_fault);
    }
    if (outcome == DONE && journal->segment_count > 0) {
        outcome = scan(journal, ret_fault);
        journal->empty = journal->seed_open;
    }
    if (outcome != DONE) {
        journal_close(journal);
        return outcome;
    }
    if (journal->empty) { /* Perhaps the beginning of a seed is there. It does not count. */
        journal->first_epoch = 0;
        journal->last_epoch = 0;
        memset(&journal->last_chain, 0, sizeof(journal->last_chain));
    }
    crash_point("after_scan");
    return DONE;
}

void journal_close(struct journal *journal)
{
    if (journal->disk != NULL) {
        disk_close(journal->disk, journal->writing);
        (void)pthread_mutex_destroy(&journal->mutex);
        journal->disk = NULL;
    }
}
