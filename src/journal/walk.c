#include "journal/walk.h"

const struct frame_header *walk_frame(const struct walk *walk)
{
    return (const struct frame_header *)(void *)walk->buffer;
}

enum outcome walk_open(struct walk *walk, struct disk *disk, const struct journal_segment *segment,
                       const struct frame_stamp *stamp, struct walk_buffer buffer,
                       struct fault *ret_fault)
{
    char name[DISK_NAME_MAX];

    segment_name(segment->serial, name);
    *walk = (struct walk){
        .disk = disk,
        .file = -1,
        .stamp = *stamp,
        .offset = segment->frames_at,
        .end = segment->size,
        .buffer = buffer.at,
        .buffer_size = buffer.size,
    };
    enum outcome outcome = disk_open(disk, name, false, &walk->file, ret_fault);
    if (outcome == LATER) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT, "%s is gone", name);
    }
    return outcome;
}

enum outcome walk_open_own(struct walk *walk, struct journal *journal,
                           const struct journal_segment *segment, struct fault *ret_fault)
{
    struct frame_stamp stamp = segment_stamp(journal, segment);
    struct walk_buffer buffer = {journal->buffer, journal->buffer_size};

    return walk_open(walk, journal->disk, segment, &stamp, buffer, ret_fault);
}

void walk_close(struct walk *walk)
{
    disk_close(walk->disk, walk->file);
    walk->file = -1;
}

static enum outcome read_upto(struct walk *walk, size_t size, struct fault *ret_fault)
{
    size_t count = 0;
    enum outcome outcome =
        disk_read(walk->disk, walk->file, walk->offset + walk->have, walk->buffer + walk->have,
                  size - walk->have, &count, ret_fault);

    walk->have += outcome == DONE ? count : 0;
    return outcome;
}

enum outcome walk_header(struct walk *walk, size_t ahead, struct fault *ret_fault)
{
    uint64_t left = walk->offset < walk->end ? walk->end - walk->offset : 0;

    walk->have = 0;
    if (left < FRAME_HEADER_SIZE) {
        return LATER;
    }
    if (ahead > left) {
        ahead = (size_t)left;
    }
    enum outcome outcome =
        read_upto(walk, ahead < walk->buffer_size ? ahead : walk->buffer_size, ret_fault);
    if (outcome == DONE && (walk->have < FRAME_HEADER_SIZE ||
                            !frame_header_whole(walk_frame(walk), &walk->stamp, left))) {
        return LATER;
    }
    return outcome;
}

enum outcome walk_load(struct walk *walk, bool with_rows, struct fault *ret_fault)
{
    const struct frame_header *header = walk_frame(walk);
    size_t size = with_rows ? frame_header_size(header) : frame_extent(header, FRAME_ROWS).at;
    enum frame_part parts = with_rows ? FRAME_PARTS : FRAME_ROWS;
    enum outcome outcome = DONE;

    if (size > walk->buffer_size) {
        enum outcome too_large =
            fault_is(ret_fault, BROKEN, FAULT_MEMORY,
                     "epoch %llu of the journal has %zu bytes, and %zu are set aside for one",
                     (unsigned long long)header->number, size, walk->buffer_size);
        fault_next(ret_fault, "start once with the epoch limits it was written with");
        return too_large;
    }
    if (size > walk->have) {
        outcome = read_upto(walk, size, ret_fault);
    }
    if (outcome == DONE && walk->have < size) {
        return LATER;
    }
    for (enum frame_part part = FRAME_RANGES; outcome == DONE && part < parts; part++) {
        outcome = frame_part_whole(walk->buffer, part, &walk->stamp) ? DONE : LATER;
    }
    return outcome;
}

void walk_skip(struct walk *walk)
{
    walk->offset += frame_header_size(walk_frame(walk));
}
