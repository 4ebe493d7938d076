/*
 * fold_reader: the journal's epochs for a fold, read and applied to all but ids and senders ahead
 * of these.
 *
 * To read, check, decode and hash records and apply them to sources, totals and windows is about
 * as much work as to apply them to ids and senders (core/state). So a thread of its own does it, a
 * few batches ahead; where none can be had, or none is wanted (a test that must know what happens
 * when), each batch is made when it is asked for. The batches are the same.
 *
 * What is read ahead stands in a ring of memory that is lent. While it runs the place, the
 * journal's files and the state but for ids and senders are the reader's; the caller takes batches,
 * one at a time, in order, and gives what is in them to ids and senders.
 */
#ifndef ENGINE_FOLD_READER_H
#define ENGINE_FOLD_READER_H

#include "core/state.h"
#include "journal/journal.h"

#include <pthread.h>

enum {
    FOLD_BATCH = 256, /* Records; about as many as fit into a near cache. */
    FOLD_BATCHES = 8,
    FOLD_EPOCHS = FOLD_BATCHES + 1,
};

/* What became of some records of one epoch. */
struct fold_batch {
    enum outcome outcome; /* After what it holds: DONE, LATER (the journal's end), or the fault. */
    struct fault fault;
    const struct epoch *epoch; /* Where they are from; lent until the next is taken. */
    bool last;                 /* Of its epoch, which has been ended in the state. */
    int64_t settled_ms;        /* Then: state_settled_ms. */
    size_t count;
    _Alignas(STATE_LINE) struct state_accepted accepted[FOLD_BATCH];
};

struct fold_reader {
    struct journal *journal; /* Borrowed, as is the place. */
    struct journal_place *place;
    struct state *state;
    struct journal_place lent; /* The place as it came: its buffer is not used here. */

    /* The reading side's. */
    uint8_t *memory; /* Lent; a ring of frames. */
    size_t memory_size;
    size_t frame_size_max;
    size_t head;          /* Where the next frame goes. */
    uint64_t epochs_read; /* Epoch n stands in epochs[n % FOLD_EPOCHS]. */
    struct epoch epochs[FOLD_EPOCHS];
    size_t ends[FOLD_EPOCHS]; /* Of each one's frame in the ring. */
    struct span left;         /* Of the newest epoch: not yet decoded. */
    bool within;              /* There is such an epoch: its last batch has not been made. */
    struct decision decisions[FOLD_BATCH]; /* Of the batch that is being made. */

    pthread_mutex_t mutex; /* Guards what follows. */
    pthread_cond_t changed;
    size_t tail;          /* Where the oldest frame in use begins. */
    uint64_t epochs_done; /* Given back. */
    uint64_t filled;      /* Batches, as is taken. */
    uint64_t taken;       /* Given back by the caller. */
    struct span ahead;    /* Of the state's memory, to be backed by the reading side. */
    bool begun;           /* A batch has been taken. */
    bool hungry;          /* The caller waits for a batch, */
    bool sated;           /* the reading side for room: see fold_reader.c. */
    bool stopping;
    bool threaded;
    pthread_t thread;

    struct fold_batch batches[FOLD_BATCHES];
};

/*
 * Begin at the place; until the stop the state's accepted payments are apart. memory: DISK_BLOCK
 * aligned, room for two frames at least. beside: in a thread of its own, if one can be had.
 */
void fold_reader_start(struct fold_reader *reader, struct journal *journal,
                       struct journal_place *place, void *memory, size_t memory_size,
                       size_t frame_size_max, struct state *state, bool beside);

/* The state will grow into this: let the thread back it, so that applying need not wait for it. */
void fold_reader_back(struct fold_reader *reader, struct span ahead);

/*
 * The next batch; the one before is given back by it. After one whose outcome is not DONE there
 * is no other.
 */
const struct fold_batch *fold_reader_next(struct fold_reader *reader);

/* The batch behind the one just taken, if it is ready: to look ahead. NULL: not yet. */
const struct fold_batch *fold_reader_peek(struct fold_reader *reader);

/* In any state; waits for what is being read just now. The place is the caller's again. */
void fold_reader_stop(struct fold_reader *reader);

#endif
