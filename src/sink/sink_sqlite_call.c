#include "sink/sink_sqlite.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const statement_texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_DATA_VERSION] = "PRAGMA data_version",
    [STATEMENT_CHAIN] =
        "UPDATE payonce_pipeline SET chain = ?1, epoch = ?2, journal_id = ?3, watermark = ?4,"
        " rules = ?5, seed_epoch = ?6, transactions_next = ?7, duplicates_next = ?8,"
        " dead_letters_next = ?9, metrics_next = ?10, carried = ?13"
        " WHERE pipeline = ?11 AND chain = ?12",
    [STATEMENT_CURSOR_ADD] =
        "INSERT INTO payonce_cursor (source, pipeline, topic, incarnation, partition, start, next,"
        " standing) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 'active')",
    [STATEMENT_CURSOR] =
        "UPDATE payonce_cursor SET next = ?1, newest_event = ?2, standing = ?3, fingerprint = ?4,"
        " cluster_id = ?10, topic_id = ?11 WHERE pipeline = ?5 AND topic = ?6 AND incarnation = ?7"
        " AND partition = ?8 AND source = ?9",
    [STATEMENT_TOTAL] = "INSERT INTO payonce_total (source, verdict, currency, count, sum)"
                        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (source, verdict, currency)"
                        " DO UPDATE SET count = excluded.count, sum = excluded.sum",
    [STATEMENT_EPOCH] =
        "INSERT INTO payonce_epoch (epoch, prev_chain, chain, journal_id, decided_time,"
        " sealed_time, watermark, newest_accepted, seed_epoch, messages, rows, ranges)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [STATEMENT_DECISION] =
        "INSERT INTO payonce_decision (epoch, kind, source, first, next, time, who, why, id)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, printf('%016llx', ?9))",
    [STATEMENT_READ_DECISION] =
        "SELECT decision, epoch, kind, source, first, next, time, who, why, id"
        " FROM payonce_decision WHERE epoch >= ?1 AND decision > ?2 ORDER BY decision LIMIT 1",
    [STATEMENT_RULES] =
        "INSERT OR REPLACE INTO payonce_rules (epoch, windows_from, rules) VALUES (?1, ?2, ?3)",
    [STATEMENT_READ_RULES] = "SELECT epoch, windows_from, rules FROM payonce_rules"
                             " WHERE epoch >= ?1 ORDER BY epoch LIMIT 1",
    [STATEMENT_METRIC] =
        "INSERT INTO payment_metrics (metric_time, region, currency, transaction_count,"
        " total_amount, min_amount, max_amount, avg_amount, calculation_time, version, closed, seq)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        " ON CONFLICT (metric_time, region, currency) DO UPDATE SET"
        " transaction_count = excluded.transaction_count, total_amount = excluded.total_amount,"
        " min_amount = excluded.min_amount, max_amount = excluded.max_amount,"
        " avg_amount = excluded.avg_amount, calculation_time = excluded.calculation_time,"
        " version = excluded.version, closed = excluded.closed, seq = excluded.seq",
    [STATEMENT_RECORDED] = "SELECT 1 FROM payonce_epoch WHERE epoch = ?1 AND chain = ?2",
    [STATEMENT_FIND_CHAIN] =
        "SELECT epoch FROM payonce_epoch WHERE chain = ?1 ORDER BY epoch DESC LIMIT 1",
    [STATEMENT_HEAD] =
        "SELECT format, epoch, chain, journal_id, watermark, seed_epoch, rules, part_rows, carry,"
        " transactions_next, duplicates_next, dead_letters_next, metrics_next, carried,"
        " begun_by FROM payonce_pipeline WHERE pipeline = ?1",
    [STATEMENT_READ_CURSOR] =
        "SELECT topic, incarnation, partition, start, next, newest_event, standing, fingerprint,"
        " cluster_id, topic_id FROM payonce_cursor WHERE source = ?1",
    [STATEMENT_DECIDED] = "SELECT decided_time FROM payonce_epoch WHERE epoch = ?1",
};

void sqlite_settle(void)
{
    /* Both are refused once SQLite is in use, by us or by others. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_config(SQLITE_CONFIG_PMASZ, SQLITE_SORT_KIB * 1024 / SQLITE_PAGE_SIZE);
}

enum outcome sqlite_undo(struct sqlite_sink *sqlite, enum outcome outcome)
{
    insert_forget(sqlite);
    sqlite->stale = true;
    sqlite->healthy = false;
    if (sqlite3_get_autocommit(sqlite->database) == 0) {
        for (sqlite3_stmt *open = sqlite3_next_stmt(sqlite->database, NULL); open != NULL;
             open = sqlite3_next_stmt(sqlite->database, open)) {
            (void)sqlite3_reset(open);
        }
        (void)sqlite3_exec(sqlite->database, "ROLLBACK", NULL, NULL, NULL);
    }
    return outcome;
}

/* What the caller must do, and under which name people find it. */
static enum outcome meaning(struct sqlite_sink *sqlite, int code, enum fault_code *ret_code)
{
    int system = sqlite3_system_errno(sqlite->database);

    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: /* Others were in the way for too long, about a log of theirs. */
        *ret_code = FAULT_SINK_BUSY;
        return LATER;
    case SQLITE_FULL:
        *ret_code = FAULT_DISK_SPACE;
        return LATER;
    case SQLITE_IOERR:
        *ret_code = system == ENOSPC || system == EDQUOT ? FAULT_DISK_SPACE : FAULT_SINK_IO;
        return *ret_code == FAULT_DISK_SPACE ? LATER : BROKEN;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:
        *ret_code = FAULT_SINK_DAMAGED;
        return BROKEN;
    case SQLITE_READONLY:
        *ret_code = code == SQLITE_READONLY_DBMOVED ? FAULT_SINK_REPLACED : FAULT_SINK_OPEN;
        return BROKEN;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        *ret_code = FAULT_SINK_OPEN;
        return BROKEN;
    case SQLITE_NOMEM:
        *ret_code = FAULT_MEMORY;
        return BROKEN;
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
        *ret_code = FAULT_SINK_SCHEMA;
        return BROKEN;
    default: /* SQLite's list of codes is open. */
        *ret_code = FAULT_BUG;
        return BROKEN;
    }
}

enum outcome sqlite_failed(struct sqlite_sink *sqlite, const char *doing, struct fault *ret_fault)
{
    int code = sqlite3_extended_errcode(sqlite->database);
    enum fault_code fault;
    enum outcome outcome = meaning(sqlite, code, &fault);

    (void)fault_is(ret_fault, outcome, fault, "sink \"%s\" (%s): %s: %s (SQLite error %d)",
                   sqlite->sink.settings.name, sqlite->sink.settings.path, doing,
                   sqlite3_errmsg(sqlite->database), code);
    return sqlite_undo(sqlite, outcome);
}

enum outcome sqlite_run(struct sqlite_sink *sqlite, const char *sql, const char *doing,
                        struct fault *ret_fault)
{
    if (sqlite3_exec(sqlite->database, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return sqlite_failed(sqlite, doing, ret_fault);
    }
    return DONE;
}

enum outcome sqlite_prepare(struct sqlite_sink *sqlite, const char *sql,
                            sqlite3_stmt **ret_statement, struct fault *ret_fault)
{
    if (sqlite3_prepare_v3(sqlite->database, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement,
                           NULL) != SQLITE_OK) {
        return sqlite_failed(sqlite, "the tables are not as payonce made them", ret_fault);
    }
    return DONE;
}

enum outcome sqlite_statement(struct sqlite_sink *sqlite, enum sqlite_statement which,
                              sqlite3_stmt **ret_statement, struct fault *ret_fault)
{
    sqlite3_stmt **slot = &sqlite->statements[which];
    enum outcome outcome =
        *slot == NULL ? sqlite_prepare(sqlite, statement_texts[which], slot, ret_fault) : DONE;

    if (outcome == DONE) {
        (void)sqlite3_reset(*slot); /* Its error, if any, was told when it happened. */
    }
    *ret_statement = *slot;
    return outcome;
}

enum outcome sqlite_step(struct sqlite_sink *sqlite, sqlite3_stmt *statement, const char *doing,
                         bool *ret_row, struct fault *ret_fault)
{
    int code = sqlite3_step(statement);

    *ret_row = code == SQLITE_ROW;
    if (code == SQLITE_ROW) {
        return DONE;
    }
    if (code != SQLITE_DONE) {
        return sqlite_failed(sqlite, doing, ret_fault);
    }
    (void)sqlite3_reset(statement);
    return DONE;
}

enum outcome sqlite_change_one(struct sqlite_sink *sqlite, sqlite3_stmt *statement,
                               const char *doing, struct fault *ret_fault)
{
    bool row;
    enum outcome outcome = sqlite_step(sqlite, statement, doing, &row, ret_fault);

    if (outcome == DONE && sqlite3_changes(sqlite->database) != 1) {
        outcome = fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                           "sink \"%s\" (%s): %s: %d rows where one was to be",
                           sqlite->sink.settings.name, sqlite->sink.settings.path, doing,
                           sqlite3_changes(sqlite->database));
    }
    return outcome;
}

enum outcome sqlite_number(struct sqlite_sink *sqlite, const char *sql, int64_t *ret_number,
                           struct fault *ret_fault)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum outcome outcome = sqlite_prepare(sqlite, sql, &statement, ret_fault);

    if (outcome == DONE) {
        outcome = sqlite_step(sqlite, statement, "reading", &row, ret_fault);
    }
    *ret_number = row ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_finalize(statement);
    return outcome;
}

void sqlite_bind_number(sqlite3_stmt *statement, int place, int64_t number)
{
    if (number == NUMBER_NULL) {
        (void)sqlite3_bind_null(statement, place);
    } else {
        (void)sqlite3_bind_int64(statement, place, number);
    }
}

void sqlite_bind_span(sqlite3_stmt *statement, int place, struct span text)
{
    (void)sqlite3_bind_text(statement, place, text.at, (int)text.size, SQLITE_STATIC);
}

int64_t sqlite_column_number(sqlite3_stmt *statement, int place)
{
    return sqlite3_column_type(statement, place) == SQLITE_NULL
               ? NUMBER_NULL
               : sqlite3_column_int64(statement, place);
}

struct span sqlite_column_span(sqlite3_stmt *statement, int place)
{
    const void *at = sqlite3_column_text(statement, place);

    return (struct span){at, at == NULL ? 0 : (size_t)sqlite3_column_bytes(statement, place)};
}

bool sqlite_column_chain(sqlite3_stmt *statement, int place, struct chain *ret_chain)
{
    const void *at = sqlite3_column_blob(statement, place);

    if (at == NULL || sqlite3_column_bytes(statement, place) != CHAIN_SIZE) {
        return false;
    }
    memcpy(ret_chain->bytes, at, CHAIN_SIZE);
    return true;
}

static __attribute__((format(printf, 2, 0))) const char *
append(struct sql_text *text, const char *format, va_list arguments)
{
    int size = vsnprintf(text->at + text->size, sizeof(text->at) - text->size, format, arguments);

    must(size >= 0);
    must((size_t)size < sizeof(text->at) - text->size);
    text->size += (size_t)size;
    return text->at;
}

const char *sql_start(struct sql_text *text, const char *format, ...)
{
    va_list arguments;

    text->size = 0;
    va_start(arguments, format);
    const char *at = append(text, format, arguments);
    va_end(arguments);
    return at;
}

const char *sql_add(struct sql_text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *at = append(text, format, arguments);
    va_end(arguments);
    return at;
}

enum outcome sqlite_ask(struct sqlite_sink *sqlite, enum sqlite_statement which, int64_t number,
                        const char *doing, sqlite3_stmt **ret_statement, struct fault *ret_fault)
{
    bool row = false;
    enum outcome outcome = sqlite_refresh(sqlite, ret_fault);

    if (outcome != DONE || sqlite->stale) {
        return outcome == DONE ? LATER : outcome;
    }
    outcome = sqlite_statement(sqlite, which, ret_statement, ret_fault);
    if (outcome == DONE) {
        (void)sqlite3_bind_int64(*ret_statement, 1, number);
        outcome = sqlite_step(sqlite, *ret_statement, doing, &row, ret_fault);
    }
    return outcome == DONE && !row ? LATER : outcome;
}
