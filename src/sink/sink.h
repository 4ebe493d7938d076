/*
 * sink: a place the sealed epochs are delivered to.
 *
 * A kind of sink is one const struct sink_type in one file, listed once in sink.c. To add one,
 * copy sink_sqlite.c, fill in the calls, add one line. What must hold for all kinds (epochs that
 * follow on each other, a head that matches) is checked once, in sink.c, in front of them.
 *
 * The first sink that can is the ledger: it decides what has happened. deliver moves the
 * pipeline's chain from the first epoch's prev_chain to the last one's chain, only if it stands
 * there, with cursors, totals, epochs and all rows in the same transaction (rule R1). A compare
 * that fails: is the last chain already recorded? then it is ours, and done; otherwise BROKEN
 * with FAULT_FENCED. LATER: not delivered; deliver the same epochs again, never a longer batch.
 */
#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "base/fault.h"
#include "os/kafka.h"
#include "pay/epoch.h"
#include "pay/rules.h"
#include "pay/ruling.h"

#include <stdatomic.h>

enum { PIPELINE_NAME_MAX = 64, SINK_NAME_MAX = 64, SINK_PATH_MAX = 1024, LEDGER_FORMAT = 4 };

enum { SINK_LINE_SIZE = 320 };

struct sink;

/* What a Kafka sink needs beside; lent as long as the sink is open. */
struct sink_kafka {
    struct kafka_settings client;
    const char *topics[TABLE_COUNT]; /* By table; NULL: not written. Payments have one. */
};

struct sink_settings {
    char name[SINK_NAME_MAX + 1];
    char pipeline[PIPELINE_NAME_MAX + 1];
    char path[SINK_PATH_MAX + 1];   /* A file; of a Kafka sink the topic of its payments. */
    const struct sink_kafka *kafka; /* NULL: it is none. */
    uint32_t carry_count;           /* payment.carry: names of the columns after the fixed ones. */
    char carry[PAYMENT_CARRY_MAX][64];
    int64_t part_rows;       /* Rows in a part of a big table (DESIGN: rows in parts). */
    int64_t busy_timeout_ms; /* How long one call may wait for a lock before it says LATER. */
    bool cursors_only;       /* A ledger without payments (data_dir/ledger.db). */
    /*
     * Look only, beside a running writer: never creates, never writes. The listings are as of the
     * moment of the last read_head, until the next one, find_payment or close.
     */
    bool read_only;
    bool snapshot; /* With read_only: everything as of the open, until the close. */
};

/* Where a sink stands. */
struct sink_head {
    bool exists;         /* It holds our pipeline's row. */
    bool other_payments; /* It holds payments, but no row of our pipeline. */
    uint32_t format;
    uint64_t epoch;
    struct chain chain;
    uint64_t journal_id; /* 0: in the middle of a refill. */
    uint64_t begun_by;   /* The journal that its history began with: never changes. */
    int64_t watermark_ms;
    uint64_t seed_epoch;
    uint64_t seq_next[TABLE_COUNT];
    struct rules rules;
};

struct sink_cursor {
    struct origin origin;
    uint64_t start;
    struct source_facts facts;
    struct epoch_range range; /* source = its number in this listing; first = next. */
};

/* Rules that an epoch brought, and from when on windows have their length. */
struct sink_rules {
    uint64_t epoch;
    int64_t windows_from_ms; /* INSTANT_NONE: from the beginning on. */
    struct rules rules;
};

/* What an operator decided, as the note that says it: NOTE_GAP or NOTE_DECISION. */
struct sink_decision {
    uint64_t number; /* Counted from 1 in the order in which they were recorded. */
    uint64_t epoch;
    /* Its source is that of read_cursor's listing; its text is lent from here. */
    struct decision note;
    char text[RULING_TEXT_MAX];
};

/* One epoch as the sink recorded it, for reconcile and for refilling a follower. */
struct sink_epoch {
    uint64_t number;
    struct chain prev_chain;
    struct chain chain;
    uint64_t journal_id;
    int64_t decided_ms;
    int64_t sealed_ms;
    int64_t watermark_ms;
    int64_t newest_accepted_ms;
    uint64_t seed_epoch;
    uint64_t message_count;
    uint64_t row_count;
    const struct epoch_range *ranges; /* Of each only source, first and next; lent. */
    size_t range_count;
};

/*
 * Consecutive epochs for one transaction, and the names their source numbers stand for.
 *
 * A refill is what a follower lacks and the journal does not hold any more, from the ledger's
 * rows: of an epoch's ranges only source, first and next are known, of its notes only rules and
 * what operators decided, no totals; of a window of payment_metrics there is the newest version
 * alone, so that its seq may jump. The last refill says what it all adds up to (standing); until
 * then the head's journal_id is 0.
 */
struct delivery {
    const struct epoch *const *epochs;
    size_t epoch_count;
    const struct origin *origins;     /* By source number; covers every source in the epochs. */
    const uint64_t *starts;           /* First offset ever asked for, by source number. */
    const struct source_facts *facts; /* By source number; NULL: nothing is known of any. */
    size_t source_count;
    const struct rules *rules; /* In force after the last epoch. */
    bool refill;
    const struct epoch *standing; /* Every source and total after the last epoch; NULL: unknown. */
};

struct sink_type {
    const char *name;
    size_t size; /* Of the struct that begins with a struct sink. */
    /* Else it follows: open, close, read_head, begin, deliver, audit, tend are all it needs. */
    bool can_be_ledger;

    /* What stands at settings->path says of itself: pipeline and carry. Nothing is changed. */
    enum outcome (*identify)(struct sink_settings *settings, struct fault *ret_fault);

    enum outcome (*open)(struct sink *sink, struct fault *ret_fault);
    void (*close)(struct sink *sink);
    enum outcome (*read_head)(struct sink *sink, struct sink_head *ret_head,
                              struct fault *ret_fault);
    /*
     * We are its writer from here on: whoever was it before is shut out. Before this it is only
     * looked at. NULL: what a delivery compares keeps others out.
     */
    enum outcome (*take)(struct sink *sink, struct fault *ret_fault);
    /* First run: insert the pipeline's row at epoch 0, chain zeros. */
    enum outcome (*begin)(struct sink *sink, uint64_t journal_id, const struct rules *rules,
                          struct fault *ret_fault);
    enum outcome (*deliver)(struct sink *sink, const struct delivery *delivery,
                            struct fault *ret_fault);
    /* Is this chain recorded, as which epoch? 0: no. */
    enum outcome (*find_chain)(struct sink *sink, const struct chain *chain, uint64_t *ret_epoch,
                               struct fault *ret_fault);
    /* Is what we hold still what stands under its name? BROKEN with FAULT_SINK_REPLACED: no. */
    enum outcome (*audit)(struct sink *sink, struct fault *ret_fault);

    /* Listings, from index 0 until LATER. */
    enum outcome (*read_cursor)(struct sink *sink, size_t index, struct sink_cursor *ret_cursor,
                                struct fault *ret_fault);
    enum outcome (*read_total)(struct sink *sink, size_t index, struct epoch_total *ret_total,
                               struct fault *ret_fault);

    /* The first rules that this epoch or a later one brought. LATER: none did. */
    enum outcome (*read_rules)(struct sink *sink, uint64_t epoch, struct sink_rules *ret_rules,
                               struct fault *ret_fault);

    /*
     * The first decision behind number `after` (0: any) that this epoch or a later one brought.
     * LATER: there is none.
     */
    enum outcome (*read_decision)(struct sink *sink, uint64_t epoch, uint64_t after,
                                  struct sink_decision *ret_decision, struct fault *ret_fault);

    /*
     * Rows of one table by seq, from `seq` on: for seeding a lost journal (R3). LATER: no more.
     * The row's source numbers are those of read_cursor's listing; texts lent until the next
     * call. ret_epoch, ret_decided_ms: the epoch that made it.
     */
    enum outcome (*read_row)(struct sink *sink, enum table table, uint64_t seq, struct row *ret_row,
                             uint64_t *ret_epoch, int64_t *ret_decided_ms, struct fault *ret_fault);

    /*
     * The epoch of this number, or the next one there is; its ranges' sources are those of
     * read_cursor's listing, lent until the next call. LATER: no more.
     */
    enum outcome (*read_epoch)(struct sink *sink, uint64_t number, struct sink_epoch *ret_epoch,
                               struct fault *ret_fault);

    /* The accepted row of this id at this place (to name a conflict's field). LATER: not found. */
    enum outcome (*find_payment)(struct sink *sink, struct span transaction_id,
                                 const struct origin *origin, uint64_t offset, struct row *ret_row,
                                 struct fault *ret_fault);
    /* Something to do while nothing waits (index a part, checkpoint). LATER: nothing, for now. */
    enum outcome (*tend)(struct sink *sink, struct fault *ret_fault);
    /* The oldest warning of the client behind it, not taken yet. False: none. NULL: has none. */
    bool (*line)(struct sink *sink, char ret_text[SINK_LINE_SIZE]);
};

struct sink {
    const struct sink_type *type;
    struct sink_settings settings;
    const atomic_bool *leaving; /* Nobody waits for it any more. Borrowed; NULL: they do. */
    bool met;              /* By an earlier start: a right or topic it lacks now may come back. */
    uint64_t transactions; /* Committed, and rows in them: for gauges. */
    uint64_t rows;
};

/* NULL: this build has no kind of that name. */
const struct sink_type *sink_type_named(const char *name);

/* The memory behind the sink is the caller's: type->size bytes, zeroed. */
MUST_USE enum outcome sink_open(struct sink *sink, const struct sink_type *type,
                                const struct sink_settings *settings, struct fault *ret_fault);
void sink_close(struct sink *sink);
MUST_USE enum outcome sink_read_head(struct sink *sink, struct sink_head *ret_head,
                                     struct fault *ret_fault);
MUST_USE enum outcome sink_take(struct sink *sink, struct fault *ret_fault);
MUST_USE enum outcome sink_begin(struct sink *sink, uint64_t journal_id, const struct rules *rules,
                                 struct fault *ret_fault);
MUST_USE enum outcome sink_deliver(struct sink *sink, const struct delivery *delivery,
                                   struct fault *ret_fault);
MUST_USE enum outcome sink_find_chain(struct sink *sink, const struct chain *chain,
                                      uint64_t *ret_epoch, struct fault *ret_fault);
MUST_USE enum outcome sink_audit(struct sink *sink, struct fault *ret_fault);
MUST_USE enum outcome sink_read_cursor(struct sink *sink, size_t index,
                                       struct sink_cursor *ret_cursor, struct fault *ret_fault);
MUST_USE enum outcome sink_read_total(struct sink *sink, size_t index,
                                      struct epoch_total *ret_total, struct fault *ret_fault);
MUST_USE enum outcome sink_read_rules(struct sink *sink, uint64_t epoch,
                                      struct sink_rules *ret_rules, struct fault *ret_fault);
MUST_USE enum outcome sink_read_decision(struct sink *sink, uint64_t epoch, uint64_t after,
                                         struct sink_decision *ret_decision,
                                         struct fault *ret_fault);
MUST_USE enum outcome sink_read_row(struct sink *sink, enum table table, uint64_t seq,
                                    struct row *ret_row, uint64_t *ret_epoch,
                                    int64_t *ret_decided_ms, struct fault *ret_fault);
MUST_USE enum outcome sink_read_epoch(struct sink *sink, uint64_t number,
                                      struct sink_epoch *ret_epoch, struct fault *ret_fault);
MUST_USE enum outcome sink_find_payment(struct sink *sink, struct span transaction_id,
                                        const struct origin *origin, uint64_t offset,
                                        struct row *ret_row, struct fault *ret_fault);
MUST_USE enum outcome sink_tend(struct sink *sink, struct fault *ret_fault);
bool sink_line(struct sink *sink, char ret_text[SINK_LINE_SIZE]);

#endif
