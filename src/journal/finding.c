/* Which epoch has this chain? From the newest segment back along the line. */
#include "journal/walk.h"

/* This segment, or the newest one (serial 0). False: it is not on the line. */
static bool segment_on_line(struct journal *journal, uint64_t serial,
                            struct journal_segment *ret_segment, struct frame_stamp *ret_stamp,
                            uint64_t *ret_last)
{
    bool found = false;

    (void)pthread_mutex_lock(&journal->mutex);
    for (size_t index = journal->segment_count; !found && index > 0; index--) {
        const struct journal_segment *segment = &journal->segments[index - 1];
        found = serial == 0 || segment->serial == serial;
        if (found) {
            *ret_segment = *segment;
            *ret_stamp = segment_stamp(journal, segment);
            *ret_last = index < journal->segment_count ? segment[1].after : journal->last_epoch;
        }
    }
    (void)pthread_mutex_unlock(&journal->mutex);
    return found;
}

/* The header at this place, asked for once more past a cache that may be stale. */
static enum outcome sealed_header(struct walk *walk, struct fault *ret_fault)
{
    enum outcome outcome = walk_header(walk, DISK_BLOCK, ret_fault);

    if (outcome == LATER) {
        disk_forget(walk->disk, walk->file);
        outcome = walk_header(walk, DISK_BLOCK, ret_fault);
    }
    if (outcome == LATER) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "segment seg-%016llx, offset %llu: a frame is damaged",
                        (unsigned long long)walk->stamp.serial, (unsigned long long)walk->offset);
    }
    return outcome;
}

/* LATER: not among its frames. */
static enum outcome find_in_walk(struct walk *walk, uint64_t last, const struct chain *chain,
                                 uint64_t *ret_epoch, struct fault *ret_fault)
{
    uint64_t number = 0;

    while (number < last) {
        enum outcome outcome = sealed_header(walk, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
        number = walk_frame(walk)->number;
        if (walk_frame(walk)->kind == FRAME_DECIDED &&
            chain_same(&walk_frame(walk)->chain, chain)) {
            *ret_epoch = number;
            return DONE;
        }
        walk_skip(walk);
    }
    return LATER;
}

static enum outcome find_in_segment(struct journal *journal, const struct journal_segment *segment,
                                    const struct frame_stamp *stamp, uint64_t last,
                                    const struct chain *chain, uint64_t *ret_epoch,
                                    struct fault *ret_fault)
{
    _Alignas(DISK_BLOCK) uint8_t block[DISK_BLOCK];
    struct walk walk;

    if (chain_same(&segment->after_chain, chain)) {
        *ret_epoch = segment->after;
        return DONE;
    }
    if (last <= segment->after) {
        return LATER;
    }
    enum outcome outcome = walk_open(&walk, journal->disk, segment, stamp,
                                     (struct walk_buffer){block, sizeof(block)}, ret_fault);
    if (outcome == DONE) {
        outcome = find_in_walk(&walk, last, chain, ret_epoch, ret_fault);
        walk_close(&walk);
    }
    return outcome;
}

enum outcome journal_find_chain(struct journal *journal, const struct chain *chain,
                                uint64_t *ret_epoch, struct fault *ret_fault)
{
    struct journal_segment segment = {.serial = 0};
    struct frame_stamp stamp;
    enum outcome outcome = LATER;
    uint64_t last = 0;
    uint64_t serial = 0;

    *ret_epoch = 0;
    if (journal->empty) {
        return DONE;
    }
    while (outcome == LATER && segment_on_line(journal, serial, &segment, &stamp, &last)) {
        outcome = find_in_segment(journal, &segment, &stamp, last, chain, ret_epoch, ret_fault);
        serial = segment.previous;
        if (serial == 0) {
            break;
        }
    }
    return outcome == LATER ? DONE : outcome;
}
