/*
 * table: what the tables look like, once, for every sink.
 *
 * A row is drawn when it is decided, sealed with its epoch, and carried byte for byte to
 * every sink. A sink walks the list of columns; it knows no table by name.
 *
 * A row in the journal, little-endian, a multiple of 8 bytes:
 *      0   4  size of the whole row
 *      4   1  table
 *      5   1  how many numbers
 *      6   1  how many texts
 *      7   1  0
 *      8  8n  numbers, int64; NUMBER_NULL: no value
 *      .  2m  length of each text; TEXT_NULL: no value
 *      .   .  the texts, one behind the other, zero-padded to 8
 */
#ifndef PAY_TABLE_H
#define PAY_TABLE_H

#include "pay/origin.h"
#include "pay/payment.h"
#include "pay/verdict.h"

enum table {
    TABLE_TRANSACTIONS,
    TABLE_DUPLICATES,
    TABLE_DEAD_LETTERS,
    TABLE_METRICS,
    TABLE_COUNT,
};

/* The numbers and the texts of each table, by position. `carry` texts come last. */
enum transactions_number {
    TRANSACTION_SEQ,
    TRANSACTION_SOURCE,
    TRANSACTION_OFFSET,
    TRANSACTION_EVENT_MS,
    TRANSACTION_UNITS,
    TRANSACTION_SCALE,
    TRANSACTION_FRAUD_SCORE,
    TRANSACTION_HIGH_RISK,
    TRANSACTION_VELOCITY_60S,
    TRANSACTION_COUNT_5M,
    TRANSACTION_ARRIVAL_MS,
    TRANSACTION_NUMBERS,
};
enum transactions_text {
    TRANSACTION_ID,
    TRANSACTION_SENDER,
    TRANSACTION_RECEIVER,
    TRANSACTION_AMOUNT,
    TRANSACTION_CURRENCY,
    TRANSACTION_LOOK_ALIKE_OF,
    TRANSACTION_CARRY,
};

enum duplicates_number {
    DUPLICATE_SEQ,
    DUPLICATE_SOURCE,
    DUPLICATE_OFFSET,
    DUPLICATE_EVENT_MS,
    DUPLICATE_FIRST_SOURCE,
    DUPLICATE_FIRST_OFFSET,
    DUPLICATE_FIRST_EVENT_MS,
    DUPLICATE_EARLIER,
    DUPLICATE_UNITS,
    DUPLICATE_SCALE,
    DUPLICATE_ARRIVAL_MS,
    DUPLICATE_NUMBERS,
};
enum duplicates_text { DUPLICATE_ID, DUPLICATE_AMOUNT, DUPLICATE_CURRENCY, DUPLICATE_TEXTS };

enum dead_letters_number {
    DEAD_SEQ,
    DEAD_SOURCE,
    DEAD_OFFSET,
    DEAD_EVENT_MS,
    DEAD_VERDICT,
    DEAD_KNOWN_ID,
    DEAD_POSITION,
    DEAD_SIZE,
    DEAD_UNITS,
    DEAD_SCALE,
    DEAD_FIRST_SOURCE, /* conflict: where the accepted one stands */
    DEAD_FIRST_OFFSET,
    DEAD_ARRIVAL_MS,
    DEAD_NUMBERS,
};
enum dead_letters_text {
    DEAD_REASON, /* P103, P201 (late), P202 (future), P301 (conflict) */
    DEAD_SENTENCE,
    DEAD_FIELD,
    DEAD_EXCERPT,
    DEAD_ID,
    DEAD_SENDER,
    DEAD_RECEIVER,
    DEAD_AMOUNT,
    DEAD_CURRENCY,
    DEAD_CARRY,
};

/* One version of one window; sums in billionths as low and high 64 bits. */
enum metrics_number {
    METRIC_SEQ,
    METRIC_START_MS,
    METRIC_COUNT,
    METRIC_TOTAL_LOW,
    METRIC_TOTAL_HIGH,
    METRIC_PLACES, /* The most places any of its amounts had. */
    METRIC_MIN_UNITS,
    METRIC_MIN_SCALE,
    METRIC_MAX_UNITS,
    METRIC_MAX_SCALE,
    METRIC_CLOSED,
    METRIC_NUMBERS,
};
enum metrics_text { METRIC_REGION, METRIC_CURRENCY, METRIC_TEXTS };

enum {
    ROW_NUMBERS_MAX = 16,
    ROW_TEXTS_MAX = 9 + PAYMENT_CARRY_MAX,
    ROW_SIZE_MAX = 8 + 8 * ROW_NUMBERS_MAX + 2 * ROW_TEXTS_MAX + 2 * MESSAGE_SIZE_MAX,
    EXCERPT_MAX = 256,
};

#define NUMBER_NULL INT64_MIN
#define TEXT_NULL 0xffff

struct row {
    enum table table;
    uint8_t number_count;
    uint8_t text_count;
    int64_t numbers[ROW_NUMBERS_MAX];
    struct span texts[ROW_TEXTS_MAX]; /* at NULL: no value. Lent. */
};

const char *table_name(enum table table);

/* Draw it; `to` has room for ROW_SIZE_MAX. Returns its size, a multiple of 8. */
size_t row_write(const struct row *row, uint8_t *to);

/* The row at the front of these bytes; its size, or 0 if they are none. Texts are lent from them.
 */
size_t row_read(struct span bytes, struct row *ret_row);

#endif
