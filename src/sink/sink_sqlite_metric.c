#include "sink/sink_sqlite.h"

#include <string.h>

static void bind_transient(sqlite3_stmt *statement, int place, const char *text)
{
    (void)sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT);
}

static void bind_amounts(sqlite3_stmt *statement, const struct row *row)
{
    char text[MONEY_SUM_TEXT_SIZE];
    struct money_sum total = window_total(row);

    (void)money_sum_write(total, (int)row->numbers[METRIC_PLACES], text);
    bind_transient(statement, 5, text);
    (void)money_write(
        (struct money){row->numbers[METRIC_MIN_UNITS], row->numbers[METRIC_MIN_SCALE]}, text);
    bind_transient(statement, 6, text);
    (void)money_write(
        (struct money){row->numbers[METRIC_MAX_UNITS], row->numbers[METRIC_MAX_SCALE]}, text);
    bind_transient(statement, 7, text);
    (void)money_sum_write(money_average(total, (uint64_t)row->numbers[METRIC_COUNT]),
                          MONEY_SCALE_MAX, text);
    bind_transient(statement, 8, text);
}

enum outcome metric_write(struct sqlite_sink *sqlite, const struct row *row,
                          const struct epoch *epoch, struct fault *ret_fault)
{
    uint64_t seq = (uint64_t)row->numbers[METRIC_SEQ];
    bool follows = sqlite->refilling ? seq >= sqlite->metrics_next : seq == sqlite->metrics_next;
    sqlite3_stmt *statement;

    if (!window_sane(row) || !follows) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "epoch %llu: version %lld of payment_metrics is none that could follow on"
                        " %llu",
                        (unsigned long long)epoch->number, (long long)row->numbers[METRIC_SEQ],
                        (unsigned long long)sqlite->metrics_next - 1);
    }
    sqlite->metrics_next = seq + 1;
    if (sqlite->sink.settings.cursors_only) {
        return DONE;
    }
    enum outcome outcome = sqlite_statement(sqlite, STATEMENT_METRIC, &statement, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    (void)sqlite3_bind_int64(statement, 1, row->numbers[METRIC_START_MS]);
    sqlite_bind_span(statement, 2, row->texts[METRIC_REGION]);
    sqlite_bind_span(statement, 3, row->texts[METRIC_CURRENCY]);
    (void)sqlite3_bind_int64(statement, 4, row->numbers[METRIC_COUNT]);
    bind_amounts(statement, row);
    (void)sqlite3_bind_int64(statement, 9, epoch->decided_ms);
    (void)sqlite3_bind_int64(statement, 10, (int64_t)epoch->number);
    (void)sqlite3_bind_int64(statement, 11, row->numbers[METRIC_CLOSED]);
    (void)sqlite3_bind_int64(statement, 12, row->numbers[METRIC_SEQ]);
    return sqlite_change_one(sqlite, statement, "writing a window of payment_metrics", ret_fault);
}

/* Digits behind the point. */
static int64_t places_of(struct span text)
{
    const char *point = text.size == 0 ? NULL : memchr(text.at, '.', text.size);

    return point == NULL ? 0 : (int64_t)text.size - (point + 1 - (const char *)text.at);
}

static bool read_amounts(sqlite3_stmt *statement, struct row *ret_row)
{
    struct span total_text = sqlite_column_span(statement, 4);
    struct money_sum total;
    struct money least;
    struct money most;

    if (!money_sum_read(total_text, &total) ||
        !money_read(sqlite_column_span(statement, 5), &least) ||
        !money_read(sqlite_column_span(statement, 6), &most)) {
        return false;
    }
    ret_row->numbers[METRIC_TOTAL_LOW] = (int64_t)total.billionths;
    ret_row->numbers[METRIC_TOTAL_HIGH] = (int64_t)(total.billionths >> 64);
    ret_row->numbers[METRIC_PLACES] = places_of(total_text);
    ret_row->numbers[METRIC_MIN_UNITS] = least.units;
    ret_row->numbers[METRIC_MIN_SCALE] = least.scale;
    ret_row->numbers[METRIC_MAX_UNITS] = most.units;
    ret_row->numbers[METRIC_MAX_SCALE] = most.scale;
    return true;
}

/* Columns: seq, metric_time, region, currency, total, min, max, count, closed, version. */
enum outcome metric_read(struct sqlite_sink *sqlite, sqlite3_stmt *statement, struct row *ret_row,
                         uint64_t *ret_epoch, struct fault *ret_fault)
{
    ret_row->table = TABLE_METRICS;
    ret_row->number_count = METRIC_NUMBERS;
    ret_row->text_count = METRIC_TEXTS;
    ret_row->numbers[METRIC_SEQ] = sqlite3_column_int64(statement, 0);
    ret_row->numbers[METRIC_START_MS] = sqlite3_column_int64(statement, 1);
    ret_row->texts[METRIC_REGION] = sqlite_column_span(statement, 2);
    ret_row->texts[METRIC_CURRENCY] = sqlite_column_span(statement, 3);
    ret_row->numbers[METRIC_COUNT] = sqlite3_column_int64(statement, 7);
    ret_row->numbers[METRIC_CLOSED] = sqlite3_column_int64(statement, 8);
    *ret_epoch = (uint64_t)sqlite3_column_int64(statement, 9);
    if (!read_amounts(statement, ret_row)) {
        return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                        "sink \"%s\" (%s): a window of payment_metrics has an amount that is none",
                        sqlite->sink.settings.name, sqlite->sink.settings.path);
    }
    return DONE;
}
