/*
 * engine: the whole machine, started, watched and stopped by cmd/.
 *
 *     intake (parsers) -> deciding thread -> sealing thread -> one delivering thread a sink
 *
 * Bounded queues between them; a full queue slows the stage above, up to the source. What the
 * tables hold does not depend on the timing of the threads. The engine prints nothing: what is
 * to be told comes out as events, what is to be measured as gauges.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/fault.h"
#include "journal/journal.h"
#include "parse/parse.h"
#include "pay/rules.h"
#include "pay/verdict.h"
#include "sink/sink.h"
#include "source/feed.h"

enum {
    ENGINE_PATH_MAX = 1024,
    ENGINE_PATHS_MAX = 1024,
    ENGINE_SINKS_MAX = 8,
    ENGINE_EVENT_TEXT = 700,
};

struct engine_settings {
    char pipeline[PIPELINE_NAME_MAX + 1];
    char data_dir[ENGINE_PATH_MAX];
    const struct feed_type *feed_type; /* Live sources; NULL: stdin or paths. */
    const void *feed_settings;         /* Its own; lent as long as the engine lives. */
    int64_t feed_look_ms; /* How often it is asked for further partitions, and how long a topic may
                           * be away. */
    bool from_stdin;      /* Else: paths. */
    const char *const *paths; /* Lent as long as the engine lives. */
    size_t path_count;
    struct rules rules;
    struct parse_settings parse; /* Its key is filled in by the engine. */
    unsigned parser_threads;
    int64_t epoch_interval_ms;   /* An epoch closes at the latest after this, */
    uint64_t epoch_messages_max; /* this many messages, */
    uint64_t epoch_bytes_max;    /* or so many bytes of its rows. */
    struct journal_settings journal;
    uint64_t memory_limit; /* Bytes for the state. */
    uint64_t max_backlog;  /* Bytes of journal the ledger may lag behind before reading stops. */
    const struct sink_type *sink_types[ENGINE_SINKS_MAX];
    struct sink_settings sinks[ENGINE_SINKS_MAX]; /* [0] is the ledger. carry: as parse says. */
    uint64_t deliver_rows_max[ENGINE_SINKS_MAX];  /* No further epoch is added after this, */
    int64_t deliver_wait_ms[ENGINE_SINKS_MAX];    /* or after this. */
    /* Bytes of journal kept for a follower; one further behind is filled from the ledger. 0: all */
    uint64_t follower_backlog_max[ENGINE_SINKS_MAX];
    size_t sink_count;
    bool until_caught_up;     /* Stop when all input has been read and delivered. */
    bool (*stop_asked)(void); /* While it starts: is an end asked for? NULL: nobody would. */
    int64_t shutdown_grace_ms;
    int64_t reconcile_every_ms; /* 0: not. */
    int64_t summary_every_ms;   /* One event with the counts so far. 0: none. */
};

enum engine_level { ENGINE_INFO, ENGINE_WARN, ENGINE_ERROR };

/* Something that happened, for a log line: a stable name and key=value pairs, escaped. */
struct engine_event {
    const char *name; /* "ready", "sink_unreachable" ... static */
    enum engine_level level;
    int64_t wall_ms;
    char text[ENGINE_EVENT_TEXT]; /* key=value key="text with blanks" */
};

/* Where a sink stands. */
struct engine_sink_gauges {
    uint64_t epoch;
    bool down;              /* Out of reach: it is tried again and again. */
    enum fault_code halted; /* A follower that cannot go on. FAULT_NONE: it can. */
};

struct engine_gauges {
    uint64_t verdicts[TALLY_COUNT]; /* Sealed, over the whole history; */
    uint64_t found[TALLY_COUNT];    /* of these before this start. */
    uint64_t gap;                   /* Offsets that an operator acknowledged as lost. */
    uint64_t epoch;
    uint64_t ledger_epoch;
    struct engine_sink_gauges sinks[ENGINE_SINKS_MAX]; /* As the settings list them. */
    int64_t watermark_ms;                              /* INSTANT_NONE: none yet. */
    uint64_t state_entries;
    uint64_t state_bytes;
    uint64_t state_limit_bytes;
    uint64_t journal_bytes;
    uint64_t source_lag;    /* Live: offsets that are there and not decided yet. */
    uint64_t input_bytes;   /* Taken so far by this process. */
    uint64_t input_total;   /* What lay ahead of it in files at the start; 0: not known. */
    enum fault_code halted; /* FAULT_NONE: running. */
};

enum engine_end {
    ENGINE_RUNNING,
    ENGINE_CAUGHT_UP, /* until_caught_up: everything read, sealed and delivered. */
    ENGINE_STOPPED,   /* Asked to stop, and clean. */
    ENGINE_HALTED,    /* A person must decide: the fault says what. Alive, reading nothing. */
    ENGINE_FAILED,    /* The fault says what; the process should exit. */
};

struct engine;

/*
 * Take the lock, recover (notes/reliability: order of recovery), start the threads. DONE: it
 * runs. BROKEN: nothing runs, the fault's class tells the exit code. What must live on for a
 * halt is the caller's to decide.
 */
MUST_USE enum outcome engine_start(const struct engine_settings *settings,
                                   struct engine **ret_engine, struct fault *ret_fault);

/* Wait for the next event, at most so long. True: there is one. */
bool engine_event(struct engine *engine, struct engine_event *ret_event, int64_t timeout_ms);

enum engine_end engine_end(struct engine *engine, struct fault *ret_fault);
void engine_gauges(struct engine *engine, struct engine_gauges *ret_gauges);

/* Stop reading, seal the open epoch, deliver within shutdown_grace. Returns at once. Any thread. */
void engine_stop(struct engine *engine);

/* Join everything and free it. */
void engine_close(struct engine *engine);

#endif
