/*
 * engine_parts: what the engine's threads share. For the engine's own files only.
 *
 *     deciding      intake -> the open epoch -> shelf
 *     sealing       shelf -> journal; trims
 *     delivering    shelf or journal -> the ledger; audits it
 *     following     what the ledger has -> a follower, one thread each (followers.h)
 *     housekeeping  backs memory ahead of need; tells once a minute how it goes, and the broker
 *                   how far the ledger has come
 *
 * ENDING. Reading ends because all is read, somebody asked, or a person must decide: then the
 * open epoch is closed, sealed and delivered, and the end is that. A failure ends at once:
 * everybody goes home as things stand; what is sealed is safe, what is not never happened.
 */
#ifndef ENGINE_ENGINE_PARTS_H
#define ENGINE_ENGINE_PARTS_H

#include "engine/courier.h"
#include "engine/deaths.h"
#include "engine/decisions.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/followers.h"
#include "engine/intake.h"
#include "engine/pipeline.h"
#include "os/disk.h"
#include "os/lock.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ENGINE_THREADS = 4 };

/* How often a waiting thread looks whether it should go home. */
#define LOOK_NS INT64_C(50000000)

/* What the broker is told of our progress. */
struct feed_progress {
    uint64_t epoch;     /* The positions are those after it; */
    uint64_t committed; /* and the broker knows those after this one. */
    int64_t noted_ns;
    size_t count;
    struct feed_position positions[FEED_PARTITIONS_MAX];
};

/* How much of what the client says has been told on, since then. */
struct feed_told {
    int64_t since_ns;
    unsigned count;
};

/* The deciding thread's, of live sources. */
struct feed_trouble {
    int64_t since_ns;   /* Some are out of reach since then; 0: none is. */
    int64_t missing_ns; /* A topic is away though brokers answer, since then; 0: none is. */
    int64_t anew_ns;    /* When they were opened anew last, */
    int64_t pause_ns;   /* and how long the next attempt waits. */
    bool refused;       /* One may not be read, and that was told. */
};

/* A decision of an operator, as its file has it. */
struct answer {
    uint64_t number; /* Of the file. */
    struct decided decided;
    uint32_t incarnation; /* An adoption that has its halt: what the topic becomes; else 0. */
    uint64_t epoch;       /* That carries its note; 0: none yet. */
};

/* The deciding thread's; before and after it, whoever starts and closes. */
struct answers {
    struct disk_posix disk; /* data_dir/decisions */
    int64_t reviewed_ns;
    size_t count;
    struct answer items[DECISIONS_MAX];
};

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
    struct feed *feed;                    /* NULL: the sources are not live. */
    struct origin *origins;               /* Room for what a feed lists. */
    struct source_facts *met;             /* And for what it says of them, as of now. */
    uint64_t starts[FEED_PARTITIONS_MAX]; /* Where those of them begin that join. */
    struct feed_trouble trouble;
    struct answers answers;
    bool first_run;              /* Nothing of this pipeline was anywhere when we started. */
    uint64_t found[TALLY_COUNT]; /* What the history held at the start. */
    uint64_t input_total;
    struct parser parser;
    struct intake *intake;
    struct pipeline pipeline;
    struct courier courier;
    struct follower *followers[ENGINE_SINKS_MAX]; /* In the settings' order, without the ledger. */
    size_t follower_count;
    bool followers_met; /* And noted: all of them could be used. */
    const char *holder; /* A follower that held epochs of ours when we started; NULL: none. */
    struct events events;
    struct engine_thread threads[ENGINE_THREADS + ENGINE_SINKS_MAX];
    bool lock_taken;
    bool ledger_open;
    bool reader_open;
    bool pipeline_open;
    int64_t started_ns;

    /* Guards the feed, its sources and its progress: the deciding thread opens it anew, while
     * housekeeping tends it. */
    pthread_mutex_t feed_mutex;
    bool feed_open;
    struct feed_progress progress;
    struct feed_told told;
    int64_t feed_looked_ns; /* When it was asked for further partitions last. */

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
    atomic_bool feed_grown;     /* There are further partitions. */
    atomic_ullong sealed_bytes; /* Of journal, since the start; delivered_bytes of these. */
    atomic_ullong delivered_bytes;
    atomic_ullong state_entries;
    atomic_ullong state_bytes;
    atomic_ullong state_limit;
    atomic_ullong input_bytes;
    atomic_ullong source_lag;
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

/* Is an end near for which nobody should wait for ever: a stop, a halt? */
bool engine_time_is_limited(struct engine *engine);

/* Has the time for finishing run out? Never while all is well and nobody asked. */
bool engine_out_of_time(struct engine *engine);

/*
 * What was read did not kill us (it is sealed, or there was nothing): deaths before count no
 * more. Any thread. False: the file could not be taken away, and everybody goes home.
 */
bool engine_survived(struct engine *engine);

/* Sleep, but not longer than until everybody goes home. */
void engine_sleep(struct engine *engine, int64_t timeout_ns);

/* Bytes of journal that the epochs behind this one take, as good as can be told. */
uint64_t engine_journal_bytes(struct engine *engine, uint64_t delivered, uint64_t sealed);

/* Bytes of journal that the ledger lacks (or who can have them from nowhere else). */
uint64_t engine_backlog(struct engine *engine);
void engine_reckon_backlog(struct engine *engine, uint64_t delivered, uint64_t sealed);

/*
 * What operators decided (answering.c). Read at each start; a halt is then held against it.
 *
 * engine_answer: DONE: this halt of the source (the state's number) is answered: a gap is noted,
 * an adoption is what the next opening brings; all sources must be opened anew. REFUSED: the halt
 * stands; what did not answer it has been put aside. BROKEN: another fault. An epoch is open.
 */
MUST_USE enum outcome engine_read_decisions(struct engine *engine, struct fault *ret_fault);
MUST_USE enum outcome engine_answer(struct engine *engine, uint16_t number, struct fault *halt);

/* Sealed ones lose their file. may_refuse: those that nothing waits for are put aside. */
void engine_review_answers(struct engine *engine, bool may_refuse);
void engine_tend_answers(struct engine *engine); /* The same, now and then. */

void engine_tell_answer(struct engine *engine, const char *name, enum engine_level level,
                        const struct answer *answer, const char *key, const char *text);

/* As which incarnation is this topic read? And: will it be another one than it was? (adopting.c) */
uint32_t engine_incarnation(const struct engine *engine, const char *topic);
bool engine_adopting(const struct engine *engine, const char *topic);

/* Behind the joining of the new ones: the old ones end, and it is said who decided so. */
MUST_USE enum outcome engine_note_adoptions(struct engine *engine, struct fault *ret_fault);

/* Starting, step by step (starting.c). Leaving: somebody asks for an end meanwhile. */
bool engine_leaving(const struct engine *engine);
MUST_USE enum outcome engine_open(struct engine *engine, struct fault *ret_fault);
/*
 * Is the source of this place, as the feed knows it now, the one that was read? BROKEN with
 * FAULT_SOURCE_REPLACED: another cluster, or a topic made anew. LATER.
 */
MUST_USE enum outcome engine_meet(struct engine *engine, size_t index, struct fault *ret_fault);

/* Of sources that were read on, and so are the ones we know, what was not known is noted. */
void engine_learn(struct engine *engine);

MUST_USE enum outcome engine_open_sources(struct engine *engine, struct fault *ret_fault);
MUST_USE enum outcome engine_open_lines(struct engine *engine, struct fault *ret_fault);
MUST_USE enum outcome engine_start_intake(struct engine *engine, struct fault *ret_fault);

/*
 * The feed and a source for each of its partitions, at their cursors; those that the history has
 * not met join. An epoch is open. LATER, BROKEN: nothing of it is open. (feeding.c)
 */
MUST_USE enum outcome engine_open_feed(struct engine *engine, struct fault *ret_fault);
void engine_close_feed(struct engine *engine);

/*
 * Close them, and open them anew until that goes well: at the cursors of the state, no epoch
 * open. What was read ahead and not taken is read again. LATER: asked to stop meanwhile.
 * (reopening.c)
 */
MUST_USE enum outcome engine_open_anew(struct engine *engine, const struct fault *stale,
                                       struct fault *ret_fault);

/* So many partitions are out of reach: told when it begins and when it is over. fault says why;
 * NULL: nothing is heard from the broker. */
void engine_tell_reach(struct engine *engine, size_t partitions, const struct fault *fault);

/*
 * Tell the broker how far the ledger has come, and people what the client says; from time to
 * time ask for further partitions, and wait some seconds for that.
 */
void engine_tend_feed(struct engine *engine);
/* May one more of a client's lines be told on? One out of reach says so again and again. */
bool engine_may_tell(struct feed_told *told, int64_t now_ns);

#endif
