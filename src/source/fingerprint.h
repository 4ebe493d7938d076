/*
 * fingerprint: what stood just before the cursor, as the kinds of lines write and read it.
 */
#ifndef SOURCE_FINGERPRINT_H
#define SOURCE_FINGERPRINT_H

#include "source/source.h"

struct line_mark {
    uint64_t position; /* Behind the line. */
    uint64_t device;
    uint64_t inode;
    uint32_t
        length; /* With what ends it; UINT32_MAX: at least so long, and told by its place alone. */
    uint32_t checksum; /* CRC32C of its kept bytes. */
};

_Static_assert(sizeof(struct line_mark) == FINGERPRINT_SIZE, "it is stored as it is");

/* What a source of lines gives as its fingerprint: a line_mark, in the machine's order. */
void line_fingerprint(const struct source *source, const struct source_line *line,
                      const uint8_t *bytes, struct fingerprint *ret_fingerprint);

/* False: zeros, nothing has been read yet. */
bool fingerprint_read(const struct fingerprint *fingerprint, struct line_mark *ret_mark);

#endif
