/*
 * pipeline: the verbs, without a thread among them.
 *
 *     recover    journal_read -> state_apply; the ledger is asked where it stands
 *     take       message -> state_judge -> epoch_add_decision, epoch_add_row, state_apply
 *     close      the open epoch gets its ranges, totals, metrics
 *     seal       epoch -> journal_seal                      (the fsync proposes)
 *     deliver    epochs -> sink_deliver                     (the ledger's cursor decides):
 * courier.h
 *
 * engine.c runs them from threads; the power-cut test runs the same functions one by one. Which
 * thread may touch what: the deciding one state and the open epoch; the sealing one journal,
 * standing and horizon; each courier its sink. They meet on the shelf only.
 */
#ifndef ENGINE_PIPELINE_H
#define ENGINE_PIPELINE_H

#include "core/state.h"
#include "engine/drawing.h"
#include "engine/engine.h"
#include "engine/horizon.h"
#include "engine/known_ledger.h"
#include "engine/shelf.h"
#include "engine/standing.h"
#include "engine/whereabouts.h"
#include "journal/journal.h"
#include "os/clock.h"
#include "sink/sink.h"

/* More than there can be on the shelf. */
enum { EPOCHS_IN_FLIGHT = 2 * SHELF_EPOCHS_MAX };

struct pipeline {
    const struct engine_settings *settings; /* Borrowed, as are disk, clock, ledger, reader. */
    struct disk *disk;
    struct clock *clock;
    struct sink *ledger; /* The courier's, once the threads run. */
    struct sink *reader; /* A second view of the ledger, for the deciding side's look-ups. */
    const char *holder;  /* Set before recovery: a follower that has epochs of ours. NULL: none. */
    struct journal journal;
    struct shelf shelf;

    /* The deciding side's. */
    struct state state;
    struct epoch *open; /* NULL: none. */
    uint64_t next_epoch;
    bool rules_noted;                 /* The open epoch brings rules. */
    struct fingerprint *fingerprints; /* By source: of what has been taken. */
    struct source_facts *facts;       /* By source: what has been noted of it. */
    int64_t
        settled_ms[EPOCHS_IN_FLIGHT]; /* Of epoch n at n % EPOCHS_IN_FLIGHT, for horizon_hold. */
    struct whereabouts whereabouts;
    struct drawing drawing;
    struct carried carried;
    struct journal_place lookup; /* Where a conflict's first payment is read from the journal. */

    /* The sealing side's. The mutex is for those who look at the standing from outside. */
    pthread_mutex_t standing_mutex;
    struct standing standing;
    struct horizon horizon;

    /* What recovery found, for telling. */
    uint64_t recovered_epochs;
    uint64_t recovered_ids;
    uint64_t recovered_torn_bytes;
    bool recovered_seed;
    struct sink_head head; /* Where the ledger stood when it was acquired. */
    struct known_ledger known;

    void *state_reserved; /* The state's memory, */
    size_t state_size;
    void *memory; /* and all the rest. */
    size_t memory_size;
    bool journal_open;
    size_t frame_size_max;
    struct state_memory state_memory;
    struct journal_place fold; /* Reading place and memory of the fold, */
    bool beside;               /* which reads in a thread of its own: set before recovery. */
    void *
        courier_memory; /* pipeline_courier_memory_size, for the fold, then the ledger's courier. */
};

/* Reserve and lay out memory, open the journal. The sinks' memory is the caller's. */
MUST_USE enum outcome pipeline_open(struct pipeline *pipeline,
                                    const struct engine_settings *settings, struct disk *disk,
                                    struct clock *clock, struct sink *ledger, struct sink *reader,
                                    struct fault *ret_fault);
void pipeline_close(struct pipeline *pipeline);

size_t pipeline_courier_memory_size(const struct pipeline *pipeline);

/*
 * Ask the ledger where it stands (before anything is cut or written), then fold the journal or
 * seed a new one, make what is kept durable again, compare the totals. The ledger is open. After
 * DONE: seal and take may run. LATER: the ledger is out of reach, nothing was changed.
 */
MUST_USE enum outcome pipeline_recover(struct pipeline *pipeline, struct fault *ret_fault);

/* Fold what the journal holds into state and standing, from where `confirmed` is covered on. */
MUST_USE enum outcome pipeline_fold(struct pipeline *pipeline, uint64_t confirmed,
                                    struct fault *ret_fault);

/* A snapshot's standing (sources, rules, ranges, totals, watermark) into a new state. */
MUST_USE enum outcome pipeline_fold_snapshot(struct pipeline *pipeline,
                                             const struct epoch *snapshot, struct fault *ret_fault);

/* Do the ledger's cursors and totals say what ours say, at the same epoch? BROKEN: no. */
MUST_USE enum outcome pipeline_compare_ledger(struct pipeline *pipeline, struct fault *ret_fault);

/* Does the journal still hold everything from epoch 1 on? The place's buffer is lent. */
bool pipeline_reaches_back(struct pipeline *pipeline, struct journal_place *place, void *buffer,
                           size_t buffer_size);

/* The halt ledger_gap, said. */
enum outcome pipeline_gap(const struct pipeline *pipeline, const struct sink_head *head,
                          struct fault *ret_fault);

/* Rule R3: the journal is not ours to fold: a new one, seeded from the ledger's rows. */
MUST_USE enum outcome pipeline_seed(struct pipeline *pipeline, struct fault *ret_fault);

/* Begin an epoch. LATER: no room on the shelf within the time. */
MUST_USE enum outcome pipeline_begin(struct pipeline *pipeline, int64_t timeout_ns,
                                     struct fault *ret_fault);

/* The source's number; a source the history has not met joins by a note. An epoch is open. */
MUST_USE enum outcome pipeline_join(struct pipeline *pipeline, const struct origin *origin,
                                    uint64_t start, uint16_t *ret_number, struct fault *ret_fault);

/* What is known of the source by now; noted, if the history does not know it yet. */
MUST_USE enum outcome pipeline_learn(struct pipeline *pipeline, uint16_t source,
                                     const struct source_facts *facts, struct fault *ret_fault);

/* A start: sources active again; rules in force from here, if they are others than before. */
MUST_USE enum outcome pipeline_start_notes(struct pipeline *pipeline, struct fault *ret_fault);

/* One message or note into the open epoch. BROKEN: nothing of it was taken. */
MUST_USE enum outcome pipeline_take(struct pipeline *pipeline, const struct message *message,
                                    struct fault *ret_fault);
MUST_USE enum outcome pipeline_note(struct pipeline *pipeline, const struct decision *note,
                                    struct fault *ret_fault);

/* The source's offsets up to this one, which is beyond what is decided, are no messages. */
MUST_USE enum outcome pipeline_skip(struct pipeline *pipeline, uint16_t source, uint64_t offset,
                                    struct fault *ret_fault);

/* Has the open epoch reached its limits of messages or bytes? */
bool pipeline_full(const struct pipeline *pipeline);

/* Finish the open epoch and put it on the shelf for sealing; an empty one is given back. */
void pipeline_finish(struct pipeline *pipeline);

/* Seal a closed epoch; shelf_sealed is the caller's. LATER: no space, nothing happened. */
MUST_USE enum outcome pipeline_seal(struct pipeline *pipeline, struct epoch *epoch,
                                    struct fault *ret_fault);

/* Let go of segments that neither a sink nor the live ids need. The sealing side's. */
MUST_USE enum outcome pipeline_trim(struct pipeline *pipeline, struct fault *ret_fault);

/* The first field in which the message differs from the accepted payment of its id. */
enum payment_field pipeline_differing(struct pipeline *pipeline, const struct message *message,
                                      const struct judgement *judgement);

#endif
