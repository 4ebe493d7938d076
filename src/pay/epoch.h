/*
 * epoch: the messages and notes that become history together, in merged order, with what
 * became of them, where each source stands after them, and the rows they make.
 *
 * Either all of it happened or none did. Its memory is lent by whoever fills or reads it.
 * The parts are the parts of a frame in the journal (journal/journal.h), byte for byte.
 */
#ifndef PAY_EPOCH_H
#define PAY_EPOCH_H

#include "pay/decision.h"
#include "pay/origin.h"
#include "pay/table.h"

enum {
    CHAIN_SIZE = 16,
    EPOCH_MESSAGES_MAX = 100000,
};

/* The name of a history up to here: see DESIGN section 1, and journal/chain.h. */
struct chain {
    uint8_t bytes[CHAIN_SIZE];
};

enum source_standing { SOURCE_ACTIVE, SOURCE_IDLE, SOURCE_ENDED };

/* Where one source stands after the epoch; only sources it touched. */
struct epoch_range {
    uint32_t source;
    uint32_t standing; /* An enum source_standing. */
    uint64_t first;    /* It covers the offsets [first, next) of the source. */
    uint64_t next;
    int64_t newest_ms;              /* M_p; INSTANT_NONE: none yet. */
    struct fingerprint fingerprint; /* Of what stands before next. */
};

/* A running total after the epoch, absolute; only those it changed. */
struct epoch_total {
    uint32_t source;
    uint8_t tally;    /* An enum verdict, or SKIPPED, or TALLY_COUNT for a gap. */
    char currency[3]; /* Zeros: messages whose money could not be read. */
    uint64_t count;
    uint64_t sum_low; /* Billionths, 128 bits. */
    uint64_t sum_high;
};

_Static_assert(sizeof(struct epoch_range) == 64, "the journal stores them as they are");
_Static_assert(sizeof(struct epoch_total) == 32, "the journal stores them as they are");

struct epoch_bytes {
    uint8_t *at; /* Lent. */
    size_t size;
    size_t capacity;
};

enum epoch_kind {
    EPOCH_DECIDED, /* Messages and notes, decided here. */
    EPOCH_SEED,    /* What the ledger's rows say: written once at the head of a new journal. */
};

struct epoch {
    enum epoch_kind kind;
    uint32_t seed_last;  /* EPOCH_SEED: 1 on the last frame of the seed. */
    uint64_t number;     /* Counted from 1, no gaps. Of a seed: the ledger's. */
    uint64_t journal_id; /* Filled by the journal. */
    struct chain prev_chain;
    struct chain chain;         /* Filled by the journal when it seals. Of a seed: the ledger's. */
    int64_t decided_ms;         /* The clock when it was opened: processing_time of its rows. */
    int64_t sealed_ms;          /* The clock just before the seal. */
    int64_t watermark_ms;       /* G after it; INSTANT_NONE: none yet. */
    int64_t newest_accepted_ms; /* Largest accepted event time in it; INSTANT_NONE. */
    uint64_t seed_epoch;        /* Where a fold has to start for it. */
    uint64_t seq_next[TABLE_COUNT]; /* The first seq after it, of each table. */
    uint64_t message_count;
    uint64_t row_count;
    struct epoch_range *ranges; /* Lent. */
    size_t range_count;
    struct epoch_total *totals; /* Lent. */
    size_t total_count;
    bool without_notes;           /* Known to be; false: nobody knows. */
    struct epoch_bytes decisions; /* struct decision after struct decision. */
    struct epoch_bytes rows;      /* struct row after struct row; absent after a fold's read. */
};

/* Empty it, keep its memory. */
void epoch_clear(struct epoch *epoch);

/* The caller has made sure there is room (a must). */
void epoch_add_decision(struct epoch *epoch, const struct decision *decision);
void epoch_add_row(struct epoch *epoch, const struct row *row);

/* Where its notes are, among all its decisions; empty if it is known to hold none. */
struct span epoch_notes(const struct epoch *epoch);

bool chain_same(const struct chain *left, const struct chain *right);

#endif
