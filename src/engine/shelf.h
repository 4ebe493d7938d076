/*
 * shelf: the epochs in memory, on their way from deciding to sealing to delivery.
 *
 *     empty -> open (deciding) -> closed -> sealed -> (every sink has it) -> empty
 *
 * A fixed number of epochs with their memory. When none is empty, the oldest sealed one that
 * the ledger has confirmed is emptied; is there none, the deciding thread waits: that is the
 * back-pressure. While the ledger is out of reach an unconfirmed one may go, too: it is in the
 * journal, and is read from there. Followers hold nothing back here, but the journal: up to which
 * epoch each of them has all is kept here, too.
 */
#ifndef ENGINE_SHELF_H
#define ENGINE_SHELF_H

#include "pay/epoch.h"

#include <pthread.h>

enum { SHELF_EPOCHS_MAX = 16, SHELF_FOLLOWERS_MAX = 8, EPOCH_TOTALS_MAX = 1 << 17 };

/* Of a follower: the journal need not keep anything for it. */
#define SHELF_NOTHING_HELD UINT64_MAX

enum shelf_place { SHELF_EMPTY, SHELF_OPEN, SHELF_CLOSED, SHELF_SEALED };

struct shelf_slot {
    struct epoch epoch;
    enum shelf_place place;
    unsigned pins; /* Readers that hold it. */
};

struct shelf {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct shelf_slot slots[SHELF_EPOCHS_MAX];
    size_t slot_count;
    uint64_t sealed;                   /* The newest sealed epoch. */
    uint64_t confirmed;                /* The newest one the ledger has. */
    uint64_t had[SHELF_FOLLOWERS_MAX]; /* The newest one that each follower has. */
    bool ledger_down;                  /* Unconfirmed epochs may leave memory. */
    bool wanted;                       /* Somebody waits for an empty epoch. */
    bool stopped;                      /* Everybody goes home. */
    uint64_t wakes;                    /* Waiting was interrupted so often. */
};

/* Sizes of one epoch's parts. */
struct shelf_sizes {
    size_t decisions;
    size_t rows;
};

size_t shelf_memory_size(const struct shelf_sizes *sizes, size_t slot_count);
void shelf_init(struct shelf *shelf, const struct shelf_sizes *sizes, size_t slot_count,
                void *memory);
void shelf_destroy(struct shelf *shelf);

/* Nothing is in memory; this is what the journal and the ledger hold. Before any thread runs. */
void shelf_start(struct shelf *shelf, uint64_t sealed, uint64_t confirmed);

/* An empty epoch to fill, or NULL: none within the time (0: do not wait), or stopped. */
struct epoch *shelf_open(struct shelf *shelf, int64_t timeout_ns);
void shelf_close(struct shelf *shelf, struct epoch *epoch);

/* Give an open epoch back unused. */
void shelf_return(struct shelf *shelf, struct epoch *epoch);

/* The closed epoch to be sealed next, or NULL: none within the time, or stopped. */
struct epoch *shelf_take_closed(struct shelf *shelf, int64_t timeout_ns);
void shelf_sealed(struct shelf *shelf, struct epoch *epoch);

/*
 * For the deciding thread alone (it alone empties slots, so what it finds stays while it looks):
 * the closed or sealed epoch of this number, or the one with this place; NULL: not in memory.
 */
const struct epoch *shelf_find(struct shelf *shelf, uint64_t number);
const struct epoch *shelf_holding(struct shelf *shelf, uint16_t source, uint64_t offset);

/* Could shelf_open have one at once? */
bool shelf_has_room(struct shelf *shelf);

/* Does the deciding thread wait for an empty epoch? Then do not wait for more to deliver. */
bool shelf_wanted(struct shelf *shelf);

/* Is nothing closed waiting for its seal? */
bool shelf_sealer_idle(struct shelf *shelf);

/* Hold this sealed epoch in memory, or NULL: it is not there (any more). */
const struct epoch *shelf_pin(struct shelf *shelf, uint64_t number);
void shelf_unpin(struct shelf *shelf, const struct epoch *epoch);

/* Wait until an epoch from this number on is sealed. False: not within the time, or stopped. */
bool shelf_wait_sealed(struct shelf *shelf, uint64_t number, int64_t timeout_ns);
void shelf_confirm(struct shelf *shelf, uint64_t number);

/* Wait until the ledger has this one. False: not within the time, or stopped. */
bool shelf_wait_confirmed(struct shelf *shelf, uint64_t number, int64_t timeout_ns);

/* This follower has all up to this epoch; what is behind it is kept in the journal. */
void shelf_hold(struct shelf *shelf, size_t follower, uint64_t number);

/* All up to this epoch is with every sink. */
uint64_t shelf_had_upto(struct shelf *shelf);
void shelf_ledger_down(struct shelf *shelf, bool down);
/* Whoever waits looks up: what it waits for may not come any more. */
void shelf_wake(struct shelf *shelf);
void shelf_stop(struct shelf *shelf);
uint64_t shelf_sealed_upto(struct shelf *shelf);
uint64_t shelf_confirmed_upto(struct shelf *shelf);

#endif
