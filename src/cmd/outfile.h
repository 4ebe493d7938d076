/*
 * outfile: a file or standard output that is written once, from front to back.
 *
 * Buffered, in one write a block. What exists already is not overwritten unless that is asked
 * for (a device or a pipe has nothing to lose). A reader that went away is no failure of ours:
 * the flush is then REFUSED, with FAULT_OUTPUT.
 */
#ifndef CMD_OUTFILE_H
#define CMD_OUTFILE_H

#include "base/fault.h"

enum { OUTFILE_BUFFER_SIZE = 256 * 1024 };

struct outfile {
    const char *name; /* As messages call it. Lent. */
    int file;
    char *buffer; /* Lent: OUTFILE_BUFFER_SIZE. */
    size_t used;
    uint64_t written; /* Bytes handed to the system. */
};

/* path NULL: standard output. */
MUST_USE enum outcome outfile_open(struct outfile *outfile, const char *path, bool overwrite,
                                   char *buffer, struct fault *ret_fault);

/* Room for so many bytes, at most OUTFILE_BUFFER_SIZE; NULL and a fault if they cannot be had. */
char *outfile_room(struct outfile *outfile, size_t size, enum outcome *ret_outcome,
                   struct fault *ret_fault);

/* So many bytes of that room were filled. */
void outfile_add(struct outfile *outfile, size_t size);

MUST_USE enum outcome outfile_flush(struct outfile *outfile, struct fault *ret_fault);

/* Whatever is still in the buffer is lost: flush first. */
MUST_USE enum outcome outfile_close(struct outfile *outfile, struct fault *ret_fault);

#endif
