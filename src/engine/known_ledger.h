/*
 * known_ledger: which ledger was this journal last delivered to, and how far had it come?
 *
 * A small file beside the segments, replaced whole (written, synced, renamed). Recovery asks it
 * three things: has the first sink been moved to an empty place; does a ledger whose chain our
 * journal lacks go on from where we saw it (from its very beginning: is it the one we saw begun);
 * was it put back further than the journal reaches.
 *
 *      0   8  "PAYLEDG2"
 *      8   4  CRC32C of everything behind these twelve bytes
 *     12   4  0
 *     16   8  epoch the ledger stood at when it was last acquired
 *     24   8  journal_id of who began it
 *     32  16  its chain then
 *     48  32  kind of sink, zero-padded
 *     80 1032 its path as configured, zero-padded
 */
#ifndef ENGINE_KNOWN_LEDGER_H
#define ENGINE_KNOWN_LEDGER_H

#include "os/disk.h"
#include "pay/epoch.h"
#include "sink/sink.h"

enum { KNOWN_LEDGER_TYPE_SIZE = 32, KNOWN_LEDGER_PATH_SIZE = 1032 };

struct known_ledger {
    bool known; /* False: no such file. */
    uint64_t epoch;
    uint64_t begun_by; /* See struct sink_head. */
    struct chain chain;
    char type[KNOWN_LEDGER_TYPE_SIZE];
    char path[KNOWN_LEDGER_PATH_SIZE];
};

/* BROKEN: the file is there and damaged, or cannot be read. */
MUST_USE enum outcome known_ledger_read(struct disk *disk, struct known_ledger *ret_known,
                                        struct fault *ret_fault);

/* What this sink at this epoch is known as; begun_by is left to the caller. */
void known_ledger_of(const struct sink *ledger, uint64_t epoch, const struct chain *chain,
                     struct known_ledger *ret_known);

/* Durable when it returns. LATER: no space; the old one stands. */
MUST_USE enum outcome known_ledger_write(struct disk *disk, const struct known_ledger *known,
                                         struct fault *ret_fault);

/* Do both name the same sink (kind and path)? */
bool known_ledger_same_place(const struct known_ledger *left, const struct known_ledger *right);

#endif
