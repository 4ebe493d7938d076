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
    LEDGER_SIM_TOTALS = 96,
    LEDGER_SIM_EPOCHS = 96,
    LEDGER_SIM_ROWS = 512,
    LEDGER_SIM_BYTES = 128 * 1024,
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
    uint64_t number;
    struct chain prev_chain;
    struct chain chain;
    size_t range_count;
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

void ledger_store_copy(struct ledger_store *to, const struct ledger_store *from);

/* The latest row of this table and seq; false: none. */
bool ledger_store_row(const struct ledger_store *store, enum table table, uint64_t seq,
                      struct row *ret_row);

#endif
