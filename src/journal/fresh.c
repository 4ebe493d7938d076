/* Segments come and go: created in spare files, dropped into spare files. */
#include "journal/segment.h"

#include "os/crash.h"

#include <stdio.h>
#include <string.h>

enum outcome journal_failed(struct journal *journal, enum outcome outcome)
{
    journal->failed = journal->failed || outcome == BROKEN;
    return outcome;
}

enum outcome journal_sync_directory(struct journal *journal, struct fault *ret_fault)
{
    crash_point("before_dir_sync");
    enum outcome outcome = journal_failed(journal, disk_sync_directory(journal->disk, ret_fault));
    if (outcome == DONE) {
        crash_point("after_dir_sync");
    }
    return outcome;
}

/* A spare file of exactly this size, if there is one. It stays on the list until it is used. */
static enum outcome open_spare(struct journal *journal, struct segment_fresh *fresh,
                               struct fault *ret_fault)
{
    uint64_t size = 0;

    if (journal->spare_count == 0) {
        return LATER;
    }
    segment_spare_name(journal->spares[journal->spare_count - 1], fresh->name);
    enum outcome outcome = disk_open(journal->disk, fresh->name, false, &fresh->file, ret_fault);
    if (outcome == DONE) {
        outcome = disk_size(journal->disk, fresh->file, &size, ret_fault);
    }
    if (outcome == DONE && size != fresh->segment.size) {
        disk_close(journal->disk, fresh->file);
        fresh->file = -1;
        return LATER;
    }
    fresh->recycled = outcome == DONE;
    return outcome;
}

static enum outcome open_new(struct journal *journal, struct segment_fresh *fresh,
                             struct fault *ret_fault)
{
    segment_spare_name(fresh->segment.serial, fresh->name);
    enum outcome outcome = disk_open(journal->disk, fresh->name, true, &fresh->file, ret_fault);
    if (outcome == DONE) {
        outcome = disk_allocate(journal->disk, fresh->file, fresh->segment.size, ret_fault);
    }
    return outcome;
}

static enum outcome write_head(struct journal *journal, struct segment_fresh *fresh,
                               const struct epoch *snapshot, struct fault *ret_fault)
{
    struct frame_stamp stamp = segment_stamp(journal, &fresh->segment);
    size_t size = frame_size(snapshot);
    struct span block = {journal->buffer, DISK_BLOCK};

    segment_header_write(journal, &fresh->segment, journal->buffer);
    enum outcome outcome = disk_write(journal->disk, fresh->file, 0, block, ret_fault);
    if (outcome == DONE) {
        frame_write(snapshot, FRAME_SNAPSHOT, &stamp, snapshot->number, journal->seeds,
                    journal->buffer);
        outcome = disk_write(journal->disk, fresh->file, DISK_BLOCK,
                             (struct span){journal->buffer, size}, ret_fault);
    }
    fresh->write_at = DISK_BLOCK + size;
    fresh->segment.frames_at = fresh->write_at;
    return outcome;
}

static void take_snapshot(struct journal_segment *segment, const struct epoch *snapshot)
{
    segment->snapshot = snapshot->number;
    segment->seed_epoch = snapshot->seed_epoch;
    segment->synced_upto = snapshot->number;
}

enum outcome segment_create(struct journal *journal, struct segment_fresh *fresh,
                            const struct epoch *snapshot, uint64_t size_min,
                            struct fault *ret_fault)
{
    uint64_t least = DISK_BLOCK + frame_size(snapshot) + size_min;

    must(frame_size(snapshot) <= journal->buffer_size);
    fresh->file = -1;
    fresh->recycled = false;
    if (journal->segment_count >= JOURNAL_SEGMENTS_MAX) {
        return fault_is(ret_fault, LATER, FAULT_DISK_SPACE, "the journal has %d segments",
                        JOURNAL_SEGMENTS_MAX);
    }
    fresh->segment.serial = journal->next_serial++;
    fresh->segment.size =
        least > journal->settings.segment_size ? least : journal->settings.segment_size;
    take_snapshot(&fresh->segment, snapshot);
    enum outcome outcome = open_spare(journal, fresh, ret_fault);
    if (outcome == LATER) {
        outcome = open_new(journal, fresh, ret_fault);
    }
    if (outcome == DONE) {
        outcome = write_head(journal, fresh, snapshot, ret_fault);
    }
    if (outcome != DONE) {
        segment_abandon(journal, fresh);
        return journal_failed(journal, outcome);
    }
    crash_point("segment_created");
    if (fresh->recycled) {
        crash_point("segment_recycled");
    }
    return DONE;
}

void segment_abandon(struct journal *journal, struct segment_fresh *fresh)
{
    struct fault ignored;

    disk_close(journal->disk, fresh->file);
    if (fresh->file >= 0 && !fresh->recycled) {
        /* It takes no room while space is short. If it cannot go now, a sweep removes it. */
        enum outcome outcome = disk_unlink(journal->disk, fresh->name, &ignored);
        (void)outcome;
    }
    fresh->file = -1;
}

enum outcome segment_settle(struct journal *journal, struct segment_fresh *fresh,
                            struct fault *ret_fault)
{
    char name[DISK_NAME_MAX];
    enum outcome outcome = disk_sync(journal->disk, fresh->file, ret_fault);

    segment_name(fresh->segment.serial, name);
    if (outcome == DONE) {
        outcome = disk_rename(journal->disk, fresh->name, name, ret_fault);
    }
    if (outcome == LATER) { /* No room for the name. */
        segment_abandon(journal, fresh);
        return LATER;
    }
    if (outcome == DONE) {
        crash_point("after_rename");
        outcome = journal_sync_directory(journal, ret_fault);
    }
    if (outcome != DONE) {
        disk_close(journal->disk, fresh->file);
        return journal_failed(journal, outcome);
    }
    journal->spare_count -= fresh->recycled ? 1 : 0;
    return DONE;
}

void segment_join(struct journal *journal, const struct segment_fresh *fresh)
{
    disk_close(journal->disk, journal->writing);
    journal->writing = fresh->file;
    journal->write_at = fresh->write_at;
    journal->segments[journal->segment_count++] = fresh->segment;
    journal->bytes = 0;
    for (size_t index = 0; index < journal->segment_count; index++) {
        journal->bytes += journal->segments[index].size;
    }
    journal->first_epoch = journal->segments[0].after + 1;
}

enum outcome segment_drop(struct journal *journal, uint64_t serial, uint64_t size,
                          struct fault *ret_fault)
{
    char name[DISK_NAME_MAX];
    char spare[DISK_NAME_MAX];
    enum outcome outcome;

    segment_name(serial, name);
    crash_point("before_unlink");
    if (size == journal->settings.segment_size && journal->spare_count < JOURNAL_SPARES_MAX) {
        segment_spare_name(serial, spare);
        outcome = disk_rename(journal->disk, name, spare, ret_fault);
        if (outcome == DONE) {
            journal->spares[journal->spare_count++] = serial;
        }
    } else {
        outcome = disk_unlink(journal->disk, name, ret_fault);
    }
    return journal_failed(journal, outcome);
}

static bool on_the_line(const struct journal *journal, uint64_t serial)
{
    for (size_t index = journal->segment_count; index > 0; index--) {
        if (journal->segments[index - 1].serial == serial) {
            return true;
        }
    }
    return false;
}

static bool is_spare(const struct journal *journal, uint64_t serial)
{
    for (size_t index = 0; index < journal->spare_count; index++) {
        if (journal->spares[index] == serial) {
            return true;
        }
    }
    return false;
}

/* The first file that has no business here, of spares alone or of all. LATER: none. */
static enum outcome find_leftover(struct journal *journal, bool spares_only,
                                  char ret_name[DISK_NAME_MAX], struct fault *ret_fault)
{
    enum outcome outcome = DONE;
    uint64_t serial = 0;

    for (size_t index = 0; outcome == DONE; index++) {
        outcome = disk_list(journal->disk, index, ret_name, ret_fault);
        if (outcome == DONE &&
            ((!spares_only && segment_name_read(ret_name, &serial) &&
              !on_the_line(journal, serial)) ||
             (segment_spare_name_read(ret_name, &serial) && !is_spare(journal, serial)))) {
            return DONE;
        }
    }
    return outcome;
}

static enum outcome sweep(struct journal *journal, bool spares_only, bool *ret_any,
                          struct fault *ret_fault)
{
    char name[DISK_NAME_MAX];
    enum outcome outcome = find_leftover(journal, spares_only, name, ret_fault);

    *ret_any = outcome == DONE;
    while (outcome == DONE) {
        crash_point("before_unlink");
        outcome = disk_unlink(journal->disk, name, ret_fault);
        if (outcome == DONE) {
            outcome = find_leftover(journal, spares_only, name, ret_fault);
        }
    }
    return outcome == LATER ? DONE : journal_failed(journal, outcome);
}

enum outcome segment_sweep(struct journal *journal, struct fault *ret_fault)
{
    bool any;
    enum outcome outcome = sweep(journal, false, &any, ret_fault);

    return outcome == DONE && any ? journal_sync_directory(journal, ret_fault) : outcome;
}

enum outcome segment_sweep_spares(struct journal *journal, struct fault *ret_fault)
{
    bool any; /* Not synced: one that comes back is swept again. */

    return sweep(journal, true, &any, ret_fault);
}
