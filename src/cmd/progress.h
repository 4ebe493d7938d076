/*
 * progress: one line on stderr that says how far we are. Only on a terminal, some times a second.
 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include "base/base.h"

struct progress {
    const char *what; /* "simulate"; static. */
    bool shown;       /* Is stderr a terminal, and may we speak? */
    bool drawn;
    int64_t last_ns;
};

void progress_init(struct progress *progress, const char *what, bool quiet);

/* total 0: not known. Cheap enough to be asked often. */
void progress_say(struct progress *progress, uint64_t done, uint64_t total);

/* Wipe the line away. */
void progress_end(struct progress *progress);

#endif
