/* Readers: each at a place of its own, while one thread seals. */
#include "journal/walk.h"

#include <string.h>

/* What the list says about where an epoch stands, copied out under the mutex. */
struct stretch {
    struct journal_segment segment;
    struct frame_stamp stamp;
    uint64_t end; /* Of what is sealed in this segment. */
};

static void copy_stretch(struct journal *journal, size_t index, struct stretch *ret_stretch)
{
    ret_stretch->segment = journal->segments[index];
    ret_stretch->stamp = segment_stamp(journal, &ret_stretch->segment);
    ret_stretch->end = ret_stretch->segment.size;
    if (journal->writing >= 0 && index + 1 == journal->segment_count) {
        ret_stretch->end = journal->write_at;
    }
}

/* LATER: not sealed yet. REFUSED: not there any more. */
static enum outcome find_stretch(struct journal *journal, const struct journal_place *place,
                                 struct stretch *ret_stretch)
{
    enum outcome outcome = DONE;

    (void)pthread_mutex_lock(&journal->mutex);
    size_t index = place->seeding ? 0 : journal_segment_of(journal, place->epoch);
    if (journal->empty || (!place->seeding && place->epoch > journal->last_epoch)) {
        outcome = LATER;
    } else if (index == SIZE_MAX ||
               (place->seeding && place->serial != journal->segments[0].serial)) {
        outcome = REFUSED;
    } else {
        copy_stretch(journal, index, ret_stretch);
    }
    (void)pthread_mutex_unlock(&journal->mutex);
    return outcome;
}

static bool still_there(struct journal *journal, uint64_t serial)
{
    bool found = false;

    (void)pthread_mutex_lock(&journal->mutex);
    for (size_t index = 0; !found && index < journal->segment_count; index++) {
        found = journal->segments[index].serial == serial;
    }
    (void)pthread_mutex_unlock(&journal->mutex);
    return found;
}

static enum outcome gone(uint64_t epoch, struct fault *ret_fault)
{
    return fault_is(ret_fault, REFUSED, FAULT_LEDGER_GAP, "epoch %llu is not in the journal",
                    (unsigned long long)epoch);
}

/* Stand at the first frame of this segment, unless the place stands in it already. */
static enum outcome enter(struct journal *journal, struct journal_place *place,
                          const struct stretch *stretch, struct fault *ret_fault)
{
    char name[DISK_NAME_MAX];
    uint64_t serial = stretch->segment.serial;

    if (place->serial != serial) {
        journal_place_close(journal, place);
        segment_name(serial, name);
        enum outcome outcome = disk_open(journal->disk, name, false, &place->file, ret_fault);
        if (outcome == LATER) {
            return still_there(journal, serial)
                       ? fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT, "%s is gone", name)
                       : gone(place->epoch, ret_fault);
        }
        if (outcome != DONE) {
            return outcome;
        }
        place->serial = serial;
        place->standing = UINT64_MAX;
    }
    if (place->epoch < place->standing && !place->seeding) {
        place->offset = stretch->segment.frames_at;
        place->standing = stretch->segment.after + 1;
    }
    return DONE;
}

static struct walk walk_at(struct journal *journal, const struct journal_place *place,
                           const struct stretch *stretch)
{
    return (struct walk){
        .disk = journal->disk,
        .file = place->file,
        .stamp = stretch->stamp,
        .offset = place->offset,
        .end = stretch->end,
        .buffer = place->buffer,
        .buffer_size = place->buffer_size,
    };
}

/* Skip what stands before the wanted epoch (the seed, too), then load it. LATER: damaged. */
static enum outcome load(struct walk *walk, struct journal_place *place, bool with_rows,
                         struct fault *ret_fault)
{
    enum outcome outcome = DONE;
    bool found = false;

    while (outcome == DONE && !found) {
        outcome =
            walk_header(walk, place->standing < place->epoch ? DISK_BLOCK : WALK_AHEAD, ret_fault);
        if (outcome != DONE) {
            break;
        }
        const struct frame_header *frame = walk_frame(walk);
        found = frame->number == place->epoch &&
                frame->kind == (place->seeding ? FRAME_SEED : FRAME_DECIDED);
        if (!found && (place->seeding || frame->number > place->epoch)) {
            return LATER;
        }
        if (!found) {
            place->standing = frame->kind == FRAME_SEED ? frame->number : frame->number + 1;
            walk_skip(walk);
        }
        place->offset = walk->offset;
    }
    return outcome == DONE ? walk_load(walk, with_rows, ret_fault) : outcome;
}

static void advance(struct journal_place *place, struct walk *walk)
{
    walk_skip(walk);
    place->offset = walk->offset;
    if (place->seeding) {
        place->seeding = walk_frame(walk)->seed_last == 0;
    }
    if (!place->seeding) {
        place->epoch = walk_frame(walk)->number + 1;
        place->standing = place->epoch;
    }
}

/*
 * A frame that was sealed is not whole. Perhaps its file serves another segment by now; perhaps
 * the page cache kept what was there before a write that went round it; else it is damaged.
 */
static enum outcome not_whole(struct journal *journal, struct journal_place *place,
                              struct fault *ret_fault)
{
    uint64_t serial = place->serial;
    uint64_t offset = place->offset;

    if (!still_there(journal, serial)) {
        journal_place_close(journal, place);
        return gone(place->epoch, ret_fault);
    }
    return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                    "segment seg-%016llx, offset %llu: epoch %llu is damaged",
                    (unsigned long long)serial, (unsigned long long)offset,
                    (unsigned long long)place->epoch);
}

enum outcome journal_read(struct journal *journal, struct journal_place *place,
                          enum journal_parts parts, struct epoch *ret_epoch,
                          struct fault *ret_fault)
{
    struct stretch stretch;
    bool with_rows = parts == JOURNAL_DECISIONS_AND_ROWS;

    place->seeding = place->seeding && place->epoch == place->standing;
    enum outcome outcome = find_stretch(journal, place, &stretch);

    if (outcome != DONE) {
        return outcome == REFUSED ? gone(place->epoch, ret_fault) : outcome;
    }
    outcome = enter(journal, place, &stretch, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    struct walk walk = walk_at(journal, place, &stretch);
    outcome = load(&walk, place, with_rows, ret_fault);
    if (outcome == LATER) {
        disk_forget(journal->disk, place->file);
        walk = walk_at(journal, place, &stretch);
        outcome = load(&walk, place, with_rows, ret_fault);
    }
    if (outcome == LATER) {
        return not_whole(journal, place, ret_fault);
    }
    if (outcome == DONE) {
        frame_epoch(place->buffer, with_rows, ret_epoch);
        advance(place, &walk);
    }
    return outcome;
}

void journal_place_close(struct journal *journal, struct journal_place *place)
{
    disk_close(journal->disk, place->file);
    place->file = -1;
    place->serial = 0;
    place->standing = 0;
    place->offset = 0;
}

/* The newest segment whose snapshot is older than the epoch; else the head, if it is one. */
static enum outcome find_snapshot(struct journal *journal, uint64_t epoch,
                                  struct stretch *ret_stretch)
{
    enum outcome outcome = REFUSED;

    (void)pthread_mutex_lock(&journal->mutex);
    for (size_t index = journal->segment_count; outcome == REFUSED && index > 0; index--) {
        const struct journal_segment *segment = &journal->segments[index - 1];
        if (segment->snapshot < epoch || (index == 1 && segment->previous == 0)) {
            copy_stretch(journal, index - 1, ret_stretch);
            outcome = DONE;
        }
    }
    (void)pthread_mutex_unlock(&journal->mutex);
    return outcome;
}

enum outcome journal_snapshot(struct journal *journal, uint64_t epoch, struct journal_place *place,
                              struct epoch *ret_snapshot, struct fault *ret_fault)
{
    struct stretch stretch;

    if (find_snapshot(journal, epoch, &stretch) != DONE) {
        return gone(epoch, ret_fault);
    }
    place->seeding = false;
    place->epoch = stretch.segment.after + 1;
    enum outcome outcome = enter(journal, place, &stretch, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    struct walk walk = walk_at(journal, place, &stretch);
    walk.offset = DISK_BLOCK;
    outcome = walk_header(&walk, WALK_AHEAD, ret_fault);
    if (outcome == DONE) {
        outcome = walk_load(&walk, true, ret_fault);
    }
    if (outcome == LATER) {
        place->offset = DISK_BLOCK;
        return not_whole(journal, place, ret_fault);
    }
    if (outcome == DONE) {
        frame_epoch(place->buffer, true, ret_snapshot);
        place->seeding = stretch.segment.seeds_follow;
        place->epoch = place->seeding ? ret_snapshot->number : ret_snapshot->number + 1;
        place->offset = stretch.segment.frames_at;
        place->standing = stretch.segment.after + (place->seeding ? 0 : 1);
    }
    return outcome;
}
