/*
 * ledger_sim: a ledger in memory that keeps rule R1, and whose states can be kept and put back.
 *
 * The store outlives processes; any number of sinks may look at one store. What a real ledger
 * does in a transaction happens here at once. It can fail in the four ways that matter: not
 * reached, outcome unknown though applied, outcome unknown and not applied, and the process dying
 * just before or just after the commit.
 */
#ifndef TEST_SIM_LEDGER_SIM_H
#define TEST_SIM_LEDGER_SIM_H

#include "sink/sink.h"

enum {
    LEDGER_SIM_SOURCES = 4,
    LEDGER_SIM_RULES = 64,
    LEDGER_SIM_TOTALS = 96,
    LEDGER_SIM_EPOCHS = 96,
    LEDGER_SIM_ROWS = 512,
    LEDGER_SIM_BYTES = 128 * 1024,
    LEDGER_SIM_DECISIONS = 8,
};

enum ledger_trouble {
    LEDGER_WELL,
    LEDGER_BUSY,            /* LATER, nothing happened. */
    LEDGER_UNKNOWN_APPLIED, /* LATER, and it happened. */
};

/* Whoever delivers for the Nth time dies: just before it happens, or just after. */
struct ledger_death {
    uint64_t at; /* 0: nobody. */
    uint64_t count;
    bool after;
};

struct ledger_sim_epoch {
    struct sink_epoch recorded;                    /* But for its ranges. */
    struct epoch_range ranges[LEDGER_SIM_SOURCES]; /* source = number of the cursor. */
};

struct ledger_sim_row {
    enum table table;
    uint64_t seq;
    uint64_t epoch;
    int64_t decided_ms;
    size_t at;
    size_t size;
};

struct ledger_store {
    bool exists;
    size_t rules_count;
    size_t decision_count;
    struct sink_rules rules[LEDGER_SIM_RULES];
    struct sink_decision decisions[LEDGER_SIM_DECISIONS]; /* source = number of the cursor. */
    struct sink_head head;
    size_t cursor_count;
    size_t total_count;
    size_t epoch_count;
    size_t row_count;
    size_t byte_count;
    struct sink_cursor cursors[LEDGER_SIM_SOURCES];
    struct epoch_total totals[LEDGER_SIM_TOTALS]; /* source = number of the cursor. */
    struct ledger_sim_epoch epochs[LEDGER_SIM_EPOCHS];
    struct ledger_sim_row rows[LEDGER_SIM_ROWS];
    uint8_t bytes[LEDGER_SIM_BYTES]; /* Last: only what is used is copied. */
};

struct ledger_sim {
    struct sink sink;
    struct ledger_store *store; /* Borrowed; set before sink_open. */
    bool *dead;                 /* Borrowed: the process is gone, every call is BROKEN. */
    enum ledger_trouble trouble;
    uint64_t trouble_at; /* The delivery of this number, counted from opening. 0: none. */
    uint64_t deliveries;
    struct ledger_death *death; /* Borrowed; NULL: none. */
};

extern const struct sink_type sink_sim;

/* Versions of the same window of metrics? Is the row at this place the newest version of one? */
bool ledger_same_window(const struct row *left, const struct row *right);
bool ledger_store_newest(const struct ledger_store *store, size_t index);

void ledger_store_copy(struct ledger_store *to, const struct ledger_store *from);

/* The latest row of this table and seq; false: none. */
bool ledger_store_row(const struct ledger_store *store, enum table table, uint64_t seq,
                      struct row *ret_row);

/* Its number of this source of the delivery, which gets a cursor if it has none. */
uint32_t ledger_store_cursor(struct ledger_store *store, const struct delivery *delivery,
                             uint32_t source);

/* ledger_sim_read.c: what it holds. */
/* What of an epoch's notes a ledger keeps. */
void ledger_store_notes(struct ledger_store *store, const struct delivery *delivery,
                        const struct epoch *epoch);
enum outcome ledger_sim_read_decision(struct sink *sink, uint64_t epoch, uint64_t after,
                                      struct sink_decision *ret_decision, struct fault *ret_fault);
enum outcome ledger_sim_read_rules(struct sink *sink, uint64_t epoch, struct sink_rules *ret_rules,
                                   struct fault *ret_fault);
enum outcome ledger_sim_read_cursor(struct sink *sink, size_t index, struct sink_cursor *ret_cursor,
                                    struct fault *ret_fault);
enum outcome ledger_sim_read_total(struct sink *sink, size_t index, struct epoch_total *ret_total,
                                   struct fault *ret_fault);
enum outcome ledger_sim_read_row(struct sink *sink, enum table table, uint64_t seq,
                                 struct row *ret_row, uint64_t *ret_epoch, int64_t *ret_decided_ms,
                                 struct fault *ret_fault);
enum outcome ledger_sim_read_epoch(struct sink *sink, uint64_t number, struct sink_epoch *ret_epoch,
                                   struct fault *ret_fault);
enum outcome ledger_sim_find_payment(struct sink *sink, struct span transaction_id,
                                     const struct origin *origin, uint64_t offset,
                                     struct row *ret_row, struct fault *ret_fault);

#endif
