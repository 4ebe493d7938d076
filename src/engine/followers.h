/*
 * followers: the sinks behind the ledger, as the engine keeps them.
 *
 * Each has a thread of its own (following_thread.c), a courier, and a view of the ledger to be
 * filled through. What goes wrong with one halts that one: the ledger and the others go on. Only
 * at the first start with it does the start fail; and a follower that holds what the ledger never
 * had, or one with a second owner, ends everything.
 *
 * A lone one is more: behind it stands only a ledger of cursors, in our own volume, and whoever
 * copies that has a ledger, too. Who is the owner shows when the sink is taken; so nothing is
 * decided before, and one that cannot be taken ends everything.
 */
#ifndef ENGINE_FOLLOWERS_H
#define ENGINE_FOLLOWERS_H

#include "engine/courier.h"
#include "engine/known_sinks.h"

#include <stdatomic.h>

struct engine;

struct follower {
    struct engine *engine; /* Borrowed. */
    size_t index;          /* Among the settings' sinks; its place on the shelf is one less. */
    struct sink *sink;     /* Lent: memory for a sink of its kind, */
    struct sink *view;     /* and for one of the ledger's. */
    bool open;
    bool known;           /* A start before this one has met it, */
    uint64_t known_upto;  /* and it had come at least to this epoch. */
    atomic_bool standing; /* It was found on the ledger's history: courier may be used. */
    struct courier courier;
    struct refill refill;
    void *memory; /* The courier's; NULL: not reserved yet. */
    size_t memory_size;
    bool let_go;             /* It is so far behind that the journal is not kept for it. */
    atomic_ullong delivered; /* For those who look from outside, as what follows. */
    atomic_ullong backlog;   /* Bytes of journal, about. */
    uint64_t awaited_upto;   /* Of the delivering thread: where it stood when an end came near, */
    int64_t awaited_ns;      /* since when it stands there; 0: no end is near. */
    atomic_bool down;        /* Out of reach. */
    atomic_int halted;       /* An enum fault_code. FAULT_NONE: it is not. */
};

/*
 * Before recovery: open each and look at its head. DONE, and one of them holds epochs of ours:
 * ret_holder names it. BROKEN: a follower that is met for the first time cannot be used.
 */
MUST_USE enum outcome followers_open(struct engine *engine, const char **ret_holder,
                                     struct fault *ret_fault);

/* After it: where does each stand? And note which there are. BROKEN: as above, follower_ahead. */
MUST_USE enum outcome followers_stand(struct engine *engine, struct fault *ret_fault);

/* What a thread does with one that is not standing yet: open it, if need be, and see. */
MUST_USE enum outcome follower_acquire(struct follower *follower, struct fault *ret_fault);

/* It cannot go on: told once. What it lacks is kept in the journal, up to its limit. */
void follower_halt(struct follower *follower, const struct fault *fault);

/* May we decide? False: a lone follower is not taken yet. */
bool followers_taken(const struct engine *engine);

/* Is this follower all there is but a ledger of cursors? */
bool follower_alone(const struct follower *follower);

/*
 * Have all that are not halted what is sealed? At an end that somebody has asked for, or a halt,
 * those that are out of reach, or stand still for some seconds, are not waited for: the journal
 * keeps what they lack.
 */
bool followers_done(struct engine *engine);

/* Bytes of journal that a follower must have because no ledger's rows could fill it. */
uint64_t followers_backlog(const struct engine *engine);

/* Keep the journal for it, unless it is too far behind and can be filled from the ledger. */
void follower_hold(struct follower *follower);

/* Their threads have ended. */
void followers_close(struct engine *engine);

void *following_run(void *follower);

#endif
