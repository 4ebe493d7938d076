/*
 * known_sinks: which sinks has this journal been delivered to, and how far had each come?
 *
 * A small file beside the segments, replaced whole (written, synced, renamed). A start asks it
 * whether it meets a follower for the first time, what to keep of the journal for one that does
 * not answer, and which one is not named any more. An epoch in it may be behind: it is a bound.
 *
 *      0   8  "PAYSINK1"
 *      8   4  CRC32C of everything behind these twelve bytes
 *     12   4  how many follow, each of 1144 bytes:
 *                  0   72  name, zero-padded
 *                 72   32  kind of sink, zero-padded
 *                104 1032  its path as configured, zero-padded
 *               1136    8  epoch it had come to
 */
#ifndef ENGINE_KNOWN_SINKS_H
#define ENGINE_KNOWN_SINKS_H

#include "engine/engine.h"
#include "os/disk.h"

enum { KNOWN_SINK_NAME_SIZE = 72, KNOWN_SINK_TYPE_SIZE = 32, KNOWN_SINK_PATH_SIZE = 1032 };

struct known_sink {
    char name[KNOWN_SINK_NAME_SIZE];
    char type[KNOWN_SINK_TYPE_SIZE];
    char path[KNOWN_SINK_PATH_SIZE];
    uint64_t epoch;
};

struct known_sinks {
    size_t count;
    struct known_sink sinks[ENGINE_SINKS_MAX];
};

/* No such file: none is known. BROKEN: it is there and damaged, or cannot be read. */
MUST_USE enum outcome known_sinks_read(struct disk *disk, struct known_sinks *ret_known,
                                       struct fault *ret_fault);

/* Durable when it returns. LATER: no space; the old one stands. */
MUST_USE enum outcome known_sinks_write(struct disk *disk, const struct known_sinks *known,
                                        struct fault *ret_fault);

void known_sinks_add(struct known_sinks *known, const struct sink_type *type,
                     const struct sink_settings *settings, uint64_t epoch);

/* The one of this name, kind and path, or NULL. */
const struct known_sink *known_sinks_find(const struct known_sinks *known,
                                          const struct sink_type *type,
                                          const struct sink_settings *settings);

#endif
