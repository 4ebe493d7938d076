/*
 * likeness: does a follower hold the rows that the ledger holds?
 *
 * Two sinks opened for looking only, each at its own moment: what the follower has by now is read
 * by seq, table by table, and compared byte for byte with the ledger's; metrics, of which each
 * keeps the newest version only, are left to reconcile. It only looks.
 */
#ifndef ENGINE_LIKENESS_H
#define ENGINE_LIKENESS_H

#include "sink/sink.h"

struct likeness {
    uint64_t epoch;        /* The follower's, */
    uint64_t ledger_epoch; /* and the ledger's. */
    uint64_t rows;         /* Compared. */
    uint64_t different;
    enum table table; /* Where the first difference is. */
    uint64_t seq;
    uint8_t left[ROW_SIZE_MAX];
    uint8_t right[ROW_SIZE_MAX];
};

/* BROKEN: one of them cannot be read, or the follower does not stand on the ledger's history. */
MUST_USE enum outcome likeness_look(struct likeness *likeness, struct sink *ledger,
                                    struct sink *follower, struct fault *ret_fault);

#endif
