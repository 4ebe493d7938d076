/*
 * fingerprint: what stood just before the cursor, as the kinds of lines write and read it.
 */
#ifndef SOURCE_FINGERPRINT_H
#define SOURCE_FINGERPRINT_H

#include "pay/origin.h"

struct line_mark {
    uint64_t position; /* Behind the line. */
    uint64_t device;
    uint64_t inode;
    uint32_t length; /* With what ends it; UINT32_MAX: at least so long. */
    uint32_t checksum;
};

_Static_assert(sizeof(struct line_mark) == FINGERPRINT_SIZE, "it is stored as it is");

/* False: zeros, nothing has been read yet. */
bool fingerprint_read(const struct fingerprint *fingerprint, struct line_mark *ret_mark);

#endif
