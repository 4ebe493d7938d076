/*
 * walk: from frame to frame through one segment.
 */
#ifndef JOURNAL_WALK_H
#define JOURNAL_WALK_H

#include "journal/segment.h"

enum { WALK_AHEAD = 64 * 1024 }; /* Read with the header when the frame is wanted, too. */

struct walk {
    struct disk *disk;
    disk_file file;
    struct frame_stamp stamp;
    uint64_t offset; /* Of the frame. */
    uint64_t end;    /* Nothing is read from here on. */
    uint8_t *buffer; /* Lent. The frame, as far as it was read. */
    size_t buffer_size;
    size_t have;
};

struct walk_buffer {
    uint8_t *at;
    size_t size;
};

const struct frame_header *walk_frame(const struct walk *walk);

/* Open a segment's file and stand at its first frame. */
MUST_USE enum outcome walk_open(struct walk *walk, struct disk *disk,
                                const struct journal_segment *segment,
                                const struct frame_stamp *stamp, struct walk_buffer buffer,
                                struct fault *ret_fault);

/* The same with the journal's own buffer, which is the sealing thread's. */
MUST_USE enum outcome walk_open_own(struct walk *walk, struct journal *journal,
                                    const struct journal_segment *segment, struct fault *ret_fault);
void walk_close(struct walk *walk);

/* The header of the frame at offset. LATER: none whole. ahead: so many bytes are read at once. */
MUST_USE enum outcome walk_header(struct walk *walk, size_t ahead, struct fault *ret_fault);

/* After walk_header: the rest, checked. LATER: not whole. BROKEN: or larger than the buffer. */
MUST_USE enum outcome walk_load(struct walk *walk, bool with_rows, struct fault *ret_fault);

void walk_skip(struct walk *walk);

#endif
