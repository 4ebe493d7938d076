/*
 * memory_ledger: a small ledger in memory, to be looked over by reconcile.
 *
 * Two files, three windows' worth of payments, one of each verdict. A test changes one thing in
 * it at a time.
 */
#ifndef TEST_MEMORY_LEDGER_H
#define TEST_MEMORY_LEDGER_H

#include "engine/reconcile.h"

enum { ROWS = 16, MINUTE_MS = 60000 };

#define FIRST_MS INT64_C(1767225600000)

struct memory_sink {
    struct sink sink;
    struct sink_head head;
    struct row rows[TABLE_COUNT][ROWS];
    size_t row_counts[TABLE_COUNT];
    struct sink_cursor cursors[2];
    struct epoch_total totals[ROWS];
    size_t total_count;
    struct sink_epoch epochs[3];
    struct epoch_range ranges[3][2];
    size_t epoch_count;
};

extern struct memory_sink ledger;
extern const struct reconcile_report *report; /* Of the last look. */

int set_up_ledger(void **unused);
int tear_down_ledger(void **unused);
void write_ledger(void);
struct span text(const char *at);
struct row *add_row(enum table table);
void window(int64_t start_ms, const char *region, int64_t count, int64_t total, int64_t least,
            int64_t most);

/* All of it, with this truth (or NULL) and room for so many bytes of ids at a time. */
void look_at(const char *truth, uint64_t match_bytes);

/* The first thing told of this kind; "": nothing. */
const char *told(enum reconcile_kind kind);

/* Nothing else is wrong. RECONCILE_KINDS: nothing at all. */
void only(enum reconcile_kind kind);

#endif
