/* What the file says of itself and of where it stands. */
#include "sink/sink_sqlite.h"

#include <string.h>

static enum outcome load_sources(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    sqlite3_stmt *statement;
    bool row = true;
    enum outcome outcome = DONE;

    sqlite->source_count = 0;
    while (outcome == DONE && row && sqlite->source_count < SOURCES_MAX) {
        struct origin *origin = &sqlite->sources[sqlite->source_count];
        outcome = sqlite_statement(sqlite, STATEMENT_READ_CURSOR, &statement, ret_fault);
        if (outcome == DONE) {
            (void)sqlite3_bind_int64(statement, 1, (int64_t)sqlite->source_count);
            outcome = sqlite_step(sqlite, statement, "reading the cursors", &row, ret_fault);
        }
        if (outcome == DONE && row) {
            struct span topic = sqlite_column_span(statement, 0);
            memset(origin, 0, sizeof(*origin));
            memcpy(origin->topic, topic.at,
                   topic.size < TOPIC_TEXT_MAX ? topic.size : TOPIC_TEXT_MAX);
            origin->incarnation = (uint32_t)sqlite3_column_int64(statement, 1);
            origin->partition = (uint32_t)sqlite3_column_int64(statement, 2);
            sqlite->nexts[sqlite->source_count] = (uint64_t)sqlite3_column_int64(statement, 4);
            sqlite->source_count++;
            (void)sqlite3_reset(statement);
        }
    }
    return outcome;
}

/* The carried columns of the file are those of the configuration, or nothing fits. */
static enum outcome check_carry(struct sqlite_sink *sqlite, struct span carry,
                                struct fault *ret_fault)
{
    const struct sink_settings *settings = &sqlite->sink.settings;

    (void)sql_start(&sqlite->text, "%s", "");
    for (uint32_t index = 0; index < settings->carry_count; index++) {
        (void)sql_add(&sqlite->text, "%s%s", index == 0 ? "" : ",", settings->carry[index]);
    }
    if (!settings->cursors_only &&
        (carry.size != sqlite->text.size || memcmp(carry.at, sqlite->text.at, carry.size) != 0)) {
        (void)fault_is(ret_fault, BROKEN, FAULT_SINK_SCHEMA,
                       "sink \"%s\" (%s): its tables carry (%.*s), but payment.carry names (%s)",
                       settings->name, settings->path, (int)carry.size, (const char *)carry.at,
                       sqlite->text.at);
        fault_next(ret_fault, "set payment.carry to [%.*s], or give payonce a database of its own",
                   (int)carry.size, (const char *)carry.at);
        return BROKEN;
    }
    return DONE;
}

/* We may know more than the row says, unless the file was put back behind that. */
static void take_carried(struct sqlite_sink *sqlite, uint64_t epoch, uint64_t carried)
{
    if (sqlite->carried < carried || sqlite->carried > epoch) {
        sqlite->carried = carried;
    }
    sqlite->epoch = epoch;
}

/* What the pipeline's row says about the file. */
static enum outcome load_head(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    sqlite3_stmt *statement;
    enum outcome outcome = sqlite_statement(sqlite, STATEMENT_HEAD, &statement, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    (void)sqlite3_bind_text(statement, 1, sqlite->sink.settings.pipeline, -1, SQLITE_STATIC);
    outcome =
        sqlite_step(sqlite, statement, "reading the pipeline's row", &sqlite->known, ret_fault);
    if (outcome != DONE || !sqlite->known) {
        sqlite->part_rows = sqlite->sink.settings.part_rows;
        sqlite->metrics_next = 1;
        sqlite->epoch = 0;
        sqlite->carried = 0;
        return outcome;
    }
    int64_t format = sqlite3_column_int64(statement, 0);
    sqlite->part_rows = sqlite3_column_int64(statement, 7);
    sqlite->metrics_next = (uint64_t)sqlite3_column_int64(statement, 12);
    take_carried(sqlite, (uint64_t)sqlite3_column_int64(statement, 1),
                 (uint64_t)sqlite3_column_int64(statement, 13));
    if (format != LEDGER_FORMAT || sqlite->part_rows <= 0) {
        outcome = fault_is(ret_fault, BROKEN, FAULT_SINK_SCHEMA,
                           "sink \"%s\" (%s): written in format %lld, this payonce writes %d",
                           sqlite->sink.settings.name, sqlite->sink.settings.path,
                           (long long)format, LEDGER_FORMAT);
    } else {
        outcome = check_carry(sqlite, sqlite_column_span(statement, 8), ret_fault);
    }
    (void)sqlite3_reset(statement);
    return outcome;
}

static enum outcome load(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    enum outcome outcome = load_head(sqlite, ret_fault);

    for (size_t table = 0; outcome == DONE && table < TABLE_METRICS; table++) {
        outcome = parts_load(sqlite, (enum table)table, ret_fault);
    }
    if (outcome == DONE) {
        outcome = load_sources(sqlite, ret_fault);
    }
    sqlite->decided_epoch = 0;
    return outcome;
}

static enum outcome load_in_snapshot(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    bool outside = sqlite3_get_autocommit(sqlite->database) != 0;
    bool empty = false;
    enum outcome outcome = outside ? sqlite_run(sqlite, "BEGIN", "reading", ret_fault) : DONE;

    if (outcome == DONE) {
        outcome = schema_check(sqlite, &empty, ret_fault);
    }
    if (outcome == DONE && !empty) {
        outcome = load(sqlite, ret_fault);
    }
    sqlite->known = sqlite->known && !empty;
    sqlite->stale = outcome != DONE || empty;
    if (outcome == DONE && outside) {
        outcome = sqlite_run(sqlite, "COMMIT", "reading", ret_fault);
    }
    return outcome == DONE || !outside ? outcome : sqlite_undo(sqlite, outcome);
}

enum outcome sqlite_refresh(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    sqlite3_stmt *statement;
    bool row;
    enum outcome outcome = sqlite_statement(sqlite, STATEMENT_DATA_VERSION, &statement, ret_fault);

    if (outcome == DONE) {
        outcome = sqlite_step(sqlite, statement, "looking for changes", &row, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    int64_t version = sqlite3_column_int64(statement, 0);
    (void)sqlite3_reset(statement);
    if (sqlite->stale || version != sqlite->version) {
        sqlite_stop_reading(sqlite);
        outcome = load_in_snapshot(sqlite, ret_fault);
        sqlite->version = version;
    }
    return outcome;
}
