/*
 * shape: the columns of the tables, in the order in which people see them, and where a row has
 * the value of each. Every kind of sink walks this list; none knows a table by name.
 *
 * payment_metrics is not among them: a sink keeps its windows in a way of its own. What all of
 * them ask of a window's row stands here, too.
 */
#ifndef SINK_SHAPE_H
#define SINK_SHAPE_H

#include "pay/money.h"
#include "sink/sink.h"

enum { SHAPE_COLUMNS_MAX = 24 + PAYMENT_CARRY_MAX };

/* Where a column's value comes from. */
enum column_kind {
    COLUMN_NUMBER,
    COLUMN_FLAG, /* A number, 0 or 1. */
    COLUMN_TEXT,
    COLUMN_SOURCE,  /* A number, shown as NAME_topic, NAME_incarnation, NAME_partition. */
    COLUMN_VERDICT, /* A number, shown by name. */
    COLUMN_EPOCH,
    COLUMN_DECIDED, /* The clock when the row's epoch was opened. */
};

struct column {
    const char *name; /* A carried one's is the settings'. */
    enum column_kind kind;
    uint8_t index; /* In the row's numbers or texts. */
};

struct shape {
    uint8_t number_count;
    uint8_t text_count;
    uint8_t key; /* Which text is the transaction_id. */
    size_t column_count;
    struct column columns[SHAPE_COLUMNS_MAX];
};

/* table: not TABLE_METRICS. The settings must stay where they are. */
void shape_fill(enum table table, const struct sink_settings *settings, struct shape *ret_shape);

/* Is this a version of a window as core draws them? */
bool window_sane(const struct row *row);
struct money_sum window_total(const struct row *row);

/* BROKEN: payment.carry names what cannot be a column of its own. */
MUST_USE enum outcome shape_check_carry(const struct sink_settings *settings,
                                        struct fault *ret_fault);

/* Has the row what these columns are filled from? BROKEN: no, and the fault says what it has. */
MUST_USE enum outcome shape_check_row(const struct shape *shape, const struct row *row,
                                      const char *sink_name, struct fault *ret_fault);

#endif
