/*
 * deaths: does something in the input kill us, again and again?
 *
 * A file beside the lock counts the starts in a row that began to read and died before anything
 * they read was sealed. After DEATHS_MAX of them the next start halts (poison), and says from
 * where they read. A crash never makes a verdict; only a person takes the file away.
 *
 * The file is text: the count, then the places, a line each. It is written without a sync: a
 * process that dies leaves what it wrote, and a power cut is nobody's fault.
 */
#ifndef ENGINE_DEATHS_H
#define ENGINE_DEATHS_H

#include "os/disk.h"

enum { DEATHS_MAX = 3, DEATHS_PLACES_SIZE = 300 };

struct deaths {
    struct disk *disk; /* Borrowed: data_dir. */
    unsigned count;    /* Before this start. */
    bool marked;       /* This start is counted in the file. */
};

/* BROKEN with FAULT_POISON: too many. */
MUST_USE enum outcome deaths_open(struct deaths *deaths, struct disk *disk,
                                  struct fault *ret_fault);

/* From now on a death would count. places: where reading begins, for people. */
MUST_USE enum outcome deaths_mark(struct deaths *deaths, const char *places,
                                  struct fault *ret_fault);

/* Something was sealed, or there was nothing to read: none counts any more. */
MUST_USE enum outcome deaths_clear(struct deaths *deaths, struct fault *ret_fault);

#endif
