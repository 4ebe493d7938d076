#include "sink/sink_sqlite.h"

/* From this seq on, to the end of its part. */
static enum outcome open_rows(struct sqlite_sink *sqlite, enum table table, uint64_t seq,
                              struct fault *ret_fault)
{
    struct listing *rows = &sqlite->rows[table];
    char name[SQLITE_PART_NAME];

    (void)sqlite3_finalize(rows->statement);
    rows->statement = NULL;
    if (table == TABLE_METRICS) {
        (void)sql_start(&sqlite->text,
                        "SELECT seq, metric_time, region, currency, total_amount, min_amount,"
                        " max_amount, transaction_count, closed, version FROM payment_metrics"
                        " WHERE seq >= ?1 ORDER BY seq");
    } else {
        rows->part = part_of(sqlite, seq);
        part_name(table, rows->part, name);
        (void)sql_start(&sqlite->text, "SELECT ");
        columns_add_names(&sqlite->parts[table], sqlite->parts[table].kept_count, &sqlite->text);
        (void)sql_add(&sqlite->text, " FROM %s WHERE seq >= ?1 ORDER BY seq", name);
    }
    enum outcome outcome = sqlite_prepare(sqlite, sqlite->text.at, &rows->statement, ret_fault);
    if (outcome == DONE) {
        (void)sqlite3_bind_int64(rows->statement, 1, (int64_t)seq);
        rows->next = seq;
    }
    return outcome;
}

/* The next row of the listing; of a table in parts, from the next part if this one ends. */
static enum outcome step_rows(struct sqlite_sink *sqlite, enum table table, bool *ret_row,
                              struct fault *ret_fault)
{
    struct listing *rows = &sqlite->rows[table];
    enum outcome outcome = sqlite_step(sqlite, rows->statement, "reading rows", ret_row, ret_fault);

    while (outcome == DONE && !*ret_row && table != TABLE_METRICS &&
           rows->part < sqlite->parts[table].last) {
        outcome = open_rows(sqlite, table, rows->part * (uint64_t)sqlite->part_rows + 1, ret_fault);
        if (outcome == DONE) {
            outcome = sqlite_step(sqlite, rows->statement, "reading rows", ret_row, ret_fault);
        }
    }
    return outcome;
}

static enum outcome decided_at(struct sqlite_sink *sqlite, uint64_t epoch, int64_t *ret_decided_ms,
                               struct fault *ret_fault)
{
    sqlite3_stmt *statement;
    bool row = false;
    enum outcome outcome = DONE;

    if (sqlite->decided_epoch != epoch) {
        outcome = sqlite_statement(sqlite, STATEMENT_DECIDED, &statement, ret_fault);
        if (outcome == DONE) {
            (void)sqlite3_bind_int64(statement, 1, (int64_t)epoch);
            outcome = sqlite_step(sqlite, statement, "reading an epoch", &row, ret_fault);
        }
        if (outcome == DONE && !row) {
            return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                            "sink \"%s\" (%s): rows of epoch %llu, but no such epoch",
                            sqlite->sink.settings.name, sqlite->sink.settings.path,
                            (unsigned long long)epoch);
        }
        if (outcome == DONE) {
            sqlite->decided_ms = sqlite3_column_int64(statement, 0);
            sqlite->decided_epoch = epoch;
            (void)sqlite3_reset(statement);
        }
    }
    *ret_decided_ms = sqlite->decided_ms;
    return outcome;
}

static enum outcome take_row(struct sqlite_sink *sqlite, enum table table, struct row *ret_row,
                             uint64_t *ret_epoch, int64_t *ret_decided_ms, struct fault *ret_fault)
{
    sqlite3_stmt *statement = sqlite->rows[table].statement;
    enum outcome outcome =
        table == TABLE_METRICS
            ? metric_read(sqlite, statement, ret_row, ret_epoch, ret_fault)
            : columns_read(sqlite, table, statement, ret_row, ret_epoch, ret_fault);

    if (outcome == DONE) {
        sqlite->rows[table].next = (uint64_t)ret_row->numbers[0] + 1;
        outcome = decided_at(sqlite, *ret_epoch, ret_decided_ms, ret_fault);
    }
    return outcome;
}

enum outcome sqlite_read_row(struct sink *sink, enum table table, uint64_t seq, struct row *ret_row,
                             uint64_t *ret_epoch, int64_t *ret_decided_ms, struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);
    struct listing *rows = &sqlite->rows[table];
    enum outcome outcome = DONE;
    bool row = false;

    if (rows->statement == NULL || rows->next != seq) {
        outcome = sqlite_refresh(sqlite, ret_fault);
        if (outcome == DONE && (!sqlite->known || sink->settings.cursors_only ||
                                (table != TABLE_METRICS && seq >= sqlite->parts[table].next_seq))) {
            return LATER;
        }
        if (outcome == DONE) {
            outcome = open_rows(sqlite, table, seq, ret_fault);
        }
    }
    if (outcome == DONE) {
        outcome = step_rows(sqlite, table, &row, ret_fault);
    }
    if (outcome == DONE && row) {
        outcome = take_row(sqlite, table, ret_row, ret_epoch, ret_decided_ms, ret_fault);
    } else if (outcome == DONE) {
        outcome = LATER;
    }
    if (outcome != DONE) {
        (void)sqlite3_finalize(rows->statement);
        rows->statement = NULL;
    }
    return outcome;
}
