/*
 * state: what becomes of a message, and what the decisions add up to.
 *
 * The heart of the program, and a pure one: no clock, no file, no allocation, no
 * thread. It has two verbs. judge decides and changes nothing (see the const);
 * apply records and decides nothing. Live, a message is judged, drawn into an epoch
 * and applied. After a crash the sealed decisions are only applied. Both paths run
 * the same apply, so a recovered state cannot differ from the one that was lost,
 * and a new rule never rewrites history.
 *
 * Rules: DESIGN section 2. Late: event_time <= max(W_p, G), inclusive. Remembered: while
 * G < first event time + retention, whether or not swept. Notes are applied like messages.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "base/fault.h"
#include "core/dedup.h"
#include "core/tally.h"
#include "core/velocity.h"
#include "core/watermark.h"
#include "core/window.h"
#include "pay/decision.h"
#include "pay/epoch.h"
#include "pay/rules.h"

/* Memory for all of it, lent at init; zeroed; backed by the lender as it is touched. */
struct state_memory {
    struct watermark_memory watermark;
    struct dedup_memory dedup;
    struct velocity_memory velocity;
    struct window_memory windows;
    struct tally_memory tallies;
    struct origin *origins; /* SOURCES_MAX of them. */
};

/*
 * How much ids, senders and windows may take together. Senders get at most a quarter, windows
 * at most a sixteenth. What sources and totals need (some 14 MiB, touched as they are used)
 * comes on top.
 */
struct state_limits {
    uint64_t bytes;
    int64_t senders_max;
};

enum { STATE_BYTES_MIN = 1024 * 1024 };

/* How much zeroed memory state_memory_lay shares out. limits->bytes >= STATE_BYTES_MIN. */
size_t state_memory_size(const struct state_limits *limits);

/* Share the lent memory (zeroed, aligned to 2 MiB so that large pages fit) out. */
void state_memory_lay(const struct state_limits *limits, void *memory,
                      struct state_memory *ret_memory);

enum { STATE_LINE = 64 };

/* What the thread that has the accepted payments knows of the rest, while they are apart. */
struct state_apart {
    int64_t retention_ms;
    int64_t lateness_ms;
    int64_t newest_ms; /* Of all event times; INSTANT_NONE: none yet. */
};

struct state {
    struct siphash_key key;
    struct rules rules;
    bool rules_known; /* A NOTE_RULES has been applied. */
    bool accepted_apart;
    struct watermark watermark;
    uint8_t before_accepted[STATE_LINE]; /* What two threads write shares no cache line. */
    struct dedup dedup;
    struct velocity velocity;
    struct state_apart apart;
    uint8_t behind_accepted[STATE_LINE];
    struct windows windows;
    struct tallies tallies;
    struct origin *origins;
    size_t source_count;
    uint64_t seq_next[TABLE_COUNT]; /* The next row of each table; kept by the engine. */
};

/* What judge found. Texts stand in the judgement itself. */
struct judgement {
    enum verdict verdict;
    bool known_id;         /* LATE: the id is in memory. */
    bool earlier;          /* DUPLICATE: its event time is before the accepted one's. */
    uint16_t first_source; /* DUPLICATE, CONFLICT: where the accepted payment stands. */
    uint64_t first_offset;
    int64_t first_event_ms;
    /* ACCEPTED only: */
    int32_t fraud_score;
    bool high_risk;
    int32_t velocity_60s;
    int32_t count_5m;
    uint8_t look_alike_size;
    char look_alike_of[IDENT_TEXT_MAX]; /* transaction_id of the other; size 0: none. */
};

void state_init(struct state *state, const struct siphash_key *key,
                const struct state_memory *memory);

/* Number of this origin, or -1: the history has not met it. */
int state_source_find(const struct state *state, const struct origin *origin);

/*
 * Draw near what judging this message will touch: first where looking begins, and some messages
 * later, when that has come, what it leads to. Hints; they change nothing.
 */
void state_prefetch(const struct state *state, const struct message *message);
void state_prefetch_more(const struct state *state, const struct message *message);

/* The rules must be known, and the message's source joined. */
void state_judge(const struct state *state, const struct message *message,
                 struct judgement *ret_judgement);

/* The record of a judged message: what apply and the journal want. Texts lent from both. */
void state_decide(const struct message *message, const struct judgement *judgement,
                  struct decision *ret_decision);

/*
 * Record a decision or a note. BROKEN, and nothing changed: no room left (state_full, with
 * the limit that the data needs), or a record that cannot follow on this history.
 */
MUST_USE enum outcome state_apply(struct state *state, const struct decision *decision,
                                  struct fault *ret_fault);

/* So many ids are on their way into a state that holds none: see dedup_expect. */
struct span state_expect(struct state *state, uint64_t ids);

/* What a record leaves to ids and senders: an accepted payment, or (id_kind IDENT_NONE) rules. */
struct state_accepted {
    struct velocity_ask payment; /* A long id is lent from the record. */
    int64_t watermark_ms;        /* G before it. */
    union {
        struct {
            uint64_t id_hash;
            uint64_t offset;
            uint32_t digest;
            uint16_t source;
        };
        struct {
            int64_t retention_ms;
            int64_t lateness_ms;
            int64_t senders_max;
        };
    };
};

/*
 * For a fold. While records are only applied, ids and senders are looked at by nothing else: so
 * between apart = true and false state_apply and state_seed leave them out, and another thread may
 * have them. Before each of the two, state_leave_accepted says what the record leaves (false:
 * nothing); the other thread gives that to state_apply_accepted or state_seed_accepted, in the same
 * order. BROKEN of these, and nothing added: the id is remembered, or there is no room
 * (state_full).
 */
void state_accepted_apart(struct state *state, bool apart);
MUST_USE bool state_leave_accepted(const struct state *state, const struct decision *decision,
                                   struct state_accepted *ret_accepted);
MUST_USE enum outcome state_apply_accepted(struct state *state,
                                           const struct state_accepted *accepted,
                                           struct fault *ret_fault);
MUST_USE enum outcome state_seed_accepted(struct state *state,
                                          const struct state_accepted *accepted,
                                          struct fault *ret_fault);

/* Draw near what that will touch: in steps, each when the one before has come. Not of rules. */
enum state_step { STATE_FAR, STATE_NEAR, STATE_NEXT };
void state_prefetch_accepted(const struct state *state, const struct state_accepted *accepted,
                             enum state_step step);

/*
 * The end of an epoch. First count and draw what it touched (in an order that depends on
 * nothing but the decisions), then end it: marks off, closed windows gone. A fold only ends.
 * Metric rows come without seq. Windows closed by the watermark come once more, closed = 1.
 */
size_t state_metric_count(const struct state *state);
void state_metric_row(const struct state *state, size_t index, struct row *ret_row);
size_t state_total_count(const struct state *state); /* Touched totals. */
void state_total(const struct state *state, size_t index, struct epoch_total *ret_total);
void state_epoch_end(struct state *state);

/* All totals and all sources, for a snapshot at the head of a segment. */
size_t state_total_all_count(const struct state *state);
void state_total_any(const struct state *state, size_t index, struct epoch_total *ret_total);

/*
 * Take over a snapshot or a ledger's standing, in a new state: first state_apply of its notes
 * (sources join; rules, several where more than one length of windows is in force, the newest
 * last), then ranges and totals, then the watermark; then, of an EPOCH_SEED, its accepted
 * payments.
 */
void state_restore_range(struct state *state, const struct epoch_range *range);
MUST_USE bool state_restore_total(struct state *state, const struct epoch_total *total);
void state_restore_watermark(struct state *state, int64_t watermark_ms);

/*
 * An accepted payment out of the ledger's rows, in their order: into ids, senders and windows,
 * as far as it is alive; sources, totals and G have been restored and stay. A NOTE_RULES among
 * them says how many groups and senders were counted from there on. BROKEN as in apply.
 */
MUST_USE enum outcome state_seed(struct state *state, const struct decision *decision,
                                 struct fault *ret_fault);

/*
 * After a NOTE_RULES nothing that a fold sees may be left out of it while G is before this moment
 * (core/window: two window lengths are in force until then).
 */
int64_t state_settled_ms(const struct state *state);

/* What is in use, for gauges, and what will be touched next, to be backed ahead of need. */
struct state_use {
    uint64_t entries;     /* Ids alive in the dedup memory. */
    uint64_t bytes;       /* Of the lent memory, touched so far. */
    uint64_t limit_bytes; /* Of it in all. */
    struct span ahead;    /* The next part of the dedup memory to grow into; may be empty. */
};
void state_use(const struct state *state, struct state_use *ret_use);
struct span state_ahead(const struct state *state); /* The last of it alone: touches ids only. */

/*
 * A hash of all that is alive (invariant I9): sources, G, totals, rules; ids not forgotten;
 * payments of senders that can still count (event time + VELOCITY_LONG_MS after G); windows G
 * has not passed. So it depends neither on sweeping, table size, epoch cuts, lent memory or
 * key, nor on anything that a fold from seed_epoch need not see. It walks the whole memory
 * (5 ns a slot): for tests and verification, not for every epoch.
 */
uint64_t state_hash(const struct state *state);

#endif
