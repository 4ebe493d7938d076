/*
 * progress: one line on stderr that says how far we are, and how long it will take, once that can
 * be told. Only on a terminal, some times a second.
 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include "cmd/quantity.h"

struct progress {
    const char *what; /* "simulate"; static. */
    bool shown;       /* Is stderr a terminal, and may we speak? */
    bool drawn;
    int64_t began_ns;
    int64_t last_ns;
};

void progress_init(struct progress *progress, const char *what, bool quiet);

/* Of counts or of bytes. total 0: not known. Cheap enough to be asked often. */
void progress_say(struct progress *progress, enum quantity kind, uint64_t done, uint64_t total);

/* Wipe the line away. */
void progress_end(struct progress *progress);

#endif
