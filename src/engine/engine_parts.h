/*
 * engine_parts: what the engine's threads share. For the engine's own files only.
 *
 *     deciding      intake -> the open epoch -> shelf
 *     sealing       shelf -> journal; trims
 *     delivering    shelf or journal -> the ledger; audits it
 *     housekeeping  backs memory ahead of need; tells once a minute how it goes
 *
 * ENDING. Reading ends because all is read, somebody asked, or a person must decide: then the
 * open epoch is closed, sealed and delivered, and the end is that. A failure ends at once:
 * everybody goes home as things stand; what is sealed is safe, what is not never happened.
 */
#ifndef ENGINE_ENGINE_PARTS_H
#define ENGINE_ENGINE_PARTS_H

#include "engine/courier.h"
#include "engine/deaths.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/intake.h"
#include "engine/pipeline.h"
#include "os/disk.h"
#include "os/lock.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ENGINE_THREADS = 4 };

/* How often a waiting thread looks whether it should go home. */
#define LOOK_NS INT64_C(50000000)

struct engine_thread {
    pthread_t thread;
    bool started;
};

struct engine {
    struct engine_settings settings;
    struct clock *clock;
    size_t memory_size; /* Of all this: one reservation. */

    struct lock lock;
    struct disk_posix data_disk;
    struct disk_posix journal_disk;
    struct deaths deaths;
    struct sink *ledger;
    struct sink *reader;
    struct source *sources[INTAKE_SOURCES_MAX];
    uint16_t numbers[INTAKE_SOURCES_MAX];
    size_t source_count;
    struct parser parser;
    struct intake *intake;
    struct pipeline pipeline;
    struct courier courier;
    struct events events;
    struct engine_thread threads[ENGINE_THREADS];
    bool lock_taken;
    bool ledger_open;
    bool reader_open;
    bool pipeline_open;
    int64_t started_ns;

    pthread_mutex_t mutex; /* Guards what follows, up to the atomics. */
    pthread_cond_t changed;
    enum engine_end end;     /* ENGINE_RUNNING: not yet. */
    enum engine_end planned; /* Once reading is over: what the end will be, */
    struct fault fault;      /* why, */
    int64_t planned_ns;      /* and since when. */
    struct span ahead;       /* Of the state's memory, to be backed. */

    atomic_bool stop_asked;
    atomic_bool home;        /* Everybody goes home as things stand. */
    atomic_bool decided_all; /* The deciding thread is done. */
    atomic_bool sealed_all;  /* The sealing thread is, too. */
    atomic_bool ledger_down;
    atomic_ullong sealed_bytes; /* Of journal, since the start; delivered_bytes of these. */
    atomic_ullong delivered_bytes;
    atomic_ullong state_entries;
    atomic_ullong state_bytes;
    atomic_ullong state_limit;
    atomic_ullong input_bytes;
    atomic_ullong conflicts_told;
};

void *deciding_run(void *engine);
void *sealing_run(void *engine);
void *delivering_run(void *engine);
void *housekeeping_run(void *engine);

/* Reading is over; the first reason counts. fault: NULL where the end has none. */
void engine_finish(struct engine *engine, enum engine_end planned, const struct fault *fault);

/* It cannot go on: halted or failed by the fault's class, at once. */
void engine_break(struct engine *engine, const struct fault *fault);

/* All that was planned has been done (or its time is over). */
void engine_conclude(struct engine *engine);

/* Has the time for finishing run out? Never while all is well and nobody asked. */
bool engine_out_of_time(struct engine *engine);

/*
 * What was read did not kill us (it is sealed, or there was nothing): deaths before count no
 * more. Any thread. False: the file could not be taken away, and everybody goes home.
 */
bool engine_survived(struct engine *engine);

/* Sleep, but not longer than until everybody goes home. */
void engine_sleep(struct engine *engine, int64_t timeout_ns);

/* Bytes of journal that the ledger lacks; and: so many epochs, as good as can be told. */
uint64_t engine_backlog(struct engine *engine);
void engine_reckon_backlog(struct engine *engine, uint64_t delivered, uint64_t sealed);

/* Starting, step by step (starting.c). */
MUST_USE enum outcome engine_open(struct engine *engine, struct fault *ret_fault);
MUST_USE enum outcome engine_open_sources(struct engine *engine, struct fault *ret_fault);

#endif
