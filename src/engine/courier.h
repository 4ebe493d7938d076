/*
 * courier: carries sealed epochs to one sink, in order, each once.
 *
 * It gathers one or more consecutive epochs for a transaction, from the shelf if they are still
 * in memory, else from the journal; an epoch is never cut. After LATER the same epochs are sent
 * again, never more of them: meanwhile it holds none of them in memory, so that deciding goes on.
 * The ledger's courier tells the shelf what the ledger has.
 *
 * A follower's courier is offered what the ledger has confirmed, never more. What the journal does
 * not hold any more comes from the ledger's rows (refill.h); the follower's head then has no
 * journal_id until it is through, so that it is never taken for one that went by the journal.
 *
 * It also audits (rule R4): does the sink stand where we left it? A chain of an older epoch of
 * ours means that it was restored from a backup: stand there and deliver again. A chain that we
 * do not know means that another owner was here: fenced.
 */
#ifndef ENGINE_COURIER_H
#define ENGINE_COURIER_H

#include "engine/pipeline.h"
#include "engine/refill.h"

enum { COURIER_EPOCHS_MAX = 512 };

struct courier {
    struct pipeline *pipeline;
    struct sink *sink;
    struct refill *refill; /* A follower's, lent; NULL: this is the ledger's courier. */
    size_t place;          /* Of a follower, on the shelf. */
    uint64_t rows_max;
    uint64_t delivered;             /* The newest epoch the sink has confirmed, */
    struct chain chain;             /* its chain, */
    struct rules rules;             /* the rules after it, */
    uint64_t seq_next[TABLE_COUNT]; /* and the first row of each table behind it. */
    bool refilling;                 /* It is in the middle of a refill. */
    bool standing_known;            /* What is gathered is the end of it: */
    struct epoch standing;          /* so all stands after it. */
    uint64_t rows;                  /* In what has been gathered, */
    uint64_t bytes;                 /* and the memory it takes when read from the journal. */
    size_t count;
    size_t again; /* Exactly so many must be gathered: they were sent, outcome unknown. 0: none. */
    const struct epoch *epochs[COURIER_EPOCHS_MAX];
    bool pinned[COURIER_EPOCHS_MAX];
    struct epoch own[COURIER_EPOCHS_MAX]; /* Read from the journal, into the memory below. */
    struct journal_place at;              /* In the journal. */
    struct source_facts *facts;           /* Lent: a copy, for what the standing has may change; */
    uint64_t facts_version;               /* of this version. */
    uint8_t *memory;                      /* Lent. */
    size_t memory_size;
    size_t memory_used;
};

/* memory: DISK_BLOCK aligned, pipeline_courier_memory_size() of it. head: where the sink stands. */
void courier_init(struct courier *courier, struct pipeline *pipeline, struct sink *sink,
                  uint64_t rows_max, void *memory, const struct sink_head *head);
void courier_close(struct courier *courier);

/*
 * Does what was seen of a follower lie on the ledger's history, or was nothing there? Asked before
 * it is taken, so that whoever writes there is not shut out by one that cannot. BROKEN: as below.
 */
MUST_USE enum outcome courier_look(struct courier *courier, struct refill *refill,
                                   const struct sink_head *seen, struct fault *ret_fault);

/*
 * From here on this is a follower's courier: it stands where the sink stands on the ledger's
 * history, and the sink gets its row if it has none. Before this nothing may be gathered; an
 * audit does it again. BROKEN with FAULT_FOLLOWER_AHEAD: it holds what the ledger never had, and
 * nothing may be decided; with other codes: this sink cannot follow.
 */
MUST_USE enum outcome courier_follow(struct courier *courier, struct refill *refill, size_t place,
                                     struct fault *ret_fault);

/*
 * Add what is sealed (for a follower: confirmed), up to the limits. LATER: the ledger, from whose
 * rows it is filled, is out of reach. BROKEN: the journal or the ledger cannot be read.
 */
MUST_USE enum outcome courier_gather(struct courier *courier, struct fault *ret_fault);

/* Hold nothing of what has been gathered. */
void courier_let_go(struct courier *courier);

/* May more be added, or is the transaction as large as it gets? */
bool courier_full(const struct courier *courier);

/*
 * Give the sink what has been gathered (at least one epoch). LATER: nothing is held any more;
 * gather again. BROKEN with FAULT_FENCED: ask courier_reacquire.
 */
MUST_USE enum outcome courier_deliver(struct courier *courier, struct fault *ret_fault);

/* It stands at this epoch, as this head says. */
void courier_stand(struct courier *courier, uint64_t epoch, const struct sink_head *head);

/*
 * Does the sink stand where we left it? If it was put back to an older epoch of ours, stand
 * there (ret_restored); so it is of a follower that was begun again. BROKEN: replaced, fenced,
 * ledger_gap, ledger_has_other_history.
 */
MUST_USE enum outcome courier_audit(struct courier *courier, bool *ret_restored,
                                    struct fault *ret_fault);

#endif
