/*
 * refill: epochs that the journal does not hold any more, for a follower, from the ledger's rows.
 *
 * Each of the ledger's epochs is put together again: its name (number, chain), its ranges, its
 * rows by seq, byte for byte. So a follower is filled by the same compare-and-set as always, and
 * one that was killed in the middle goes on where it stands. What the ledger does not keep of an
 * epoch is left out: notes but for rules and what operators decided, totals, and all but the
 * newest version of a window of metrics; see struct delivery for how that is made good.
 *
 * It looks through a view of the ledger of its own, opened when first needed, and holds on to one
 * moment of it for a while only, so that the ledger's log does not grow. One thread uses it.
 */
#ifndef ENGINE_REFILL_H
#define ENGINE_REFILL_H

#include "engine/pipeline.h"

/* The next row of one table, drawn with our numbers of sources. */
struct refill_row {
    bool known;     /* It has been read; */
    bool none;      /* there was none. */
    uint64_t epoch; /* That made it. */
    uint64_t seq;
    size_t size;
    uint8_t bytes[ROW_SIZE_MAX];
};

struct refill {
    struct pipeline *pipeline; /* Borrowed. */
    struct sink *view;         /* Lent: memory for a sink of the ledger's kind. */
    bool open;
    int64_t looked_ns;              /* The moment it holds on to is of then, */
    uint64_t looked_epoch;          /* when the ledger stood there. */
    uint64_t number;                /* The epoch that comes next, */
    uint64_t seq_next[TABLE_COUNT]; /* and its first row of each table. */
    uint64_t seq_ends[TABLE_COUNT]; /* Behind the ledger's last row of each, when looked at. */
    struct refill_row rows[TABLE_COUNT];
    struct sink_rules rules; /* The next ones; epoch 0: not read, UINT64_MAX: there are none. */
    struct sink_decision decision; /* Behind the one given last; epoch as that of the rules. */
    size_t source_count;           /* Of the ledger's cursors, */
    uint16_t numbers[SOURCES_MAX]; /* and our number of each. */
};

void refill_init(struct refill *refill, struct pipeline *pipeline, struct sink *view);

/* Let go of the view; it is opened again when needed. */
void refill_close(struct refill *refill);

/* Is this chain one of the ledger's history, of which epoch? 0: no. LATER: out of reach. */
MUST_USE enum outcome refill_find_chain(struct refill *refill, const struct chain *chain,
                                        uint64_t *ret_epoch, struct fault *ret_fault);

/* The epoch that comes next is this one, and its rows begin with these. */
void refill_stand(struct refill *refill, uint64_t number, const uint64_t seq_next[TABLE_COUNT]);

/*
 * The epoch that comes next, its parts in the memory lent; ret_used: how much of it. LATER: the
 * ledger is out of reach. BROKEN: it is damaged, keeps no rows, or the memory is too small.
 */
MUST_USE enum outcome refill_epoch(struct refill *refill, uint8_t *memory, size_t memory_size,
                                   struct epoch *ret_epoch, size_t *ret_used,
                                   struct fault *ret_fault);

#endif
