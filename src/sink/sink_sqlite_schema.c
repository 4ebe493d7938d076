#include "sink/sink_sqlite.h"

#include <stdio.h>

const char schema_tables[] =
    "CREATE TABLE IF NOT EXISTS payonce_pipeline (pipeline TEXT PRIMARY KEY, format INTEGER,"
    " epoch INTEGER, chain BLOB, journal_id INTEGER, watermark INTEGER, seed_epoch INTEGER,"
    " rules BLOB, part_rows INTEGER, carry TEXT, transactions_next INTEGER,"
    " duplicates_next INTEGER, dead_letters_next INTEGER, metrics_next INTEGER,"
    " carried INTEGER, begun_by INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS payonce_cursor (source INTEGER PRIMARY KEY, pipeline TEXT,"
    " topic TEXT, incarnation INTEGER, partition INTEGER, start INTEGER, next INTEGER,"
    " newest_event INTEGER, standing TEXT, fingerprint BLOB, cluster_id TEXT, topic_id TEXT,"
    " UNIQUE (pipeline, topic, incarnation, partition));"
    "CREATE TABLE IF NOT EXISTS payonce_total (source INTEGER, verdict TEXT, currency TEXT,"
    " count INTEGER, sum TEXT, PRIMARY KEY (source, verdict, currency)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS payonce_epoch (epoch INTEGER PRIMARY KEY, prev_chain BLOB,"
    " chain BLOB, journal_id INTEGER, decided_time INTEGER, sealed_time INTEGER,"
    " watermark INTEGER, newest_accepted INTEGER, seed_epoch INTEGER, messages INTEGER,"
    " rows INTEGER, ranges TEXT);"
    "CREATE TABLE IF NOT EXISTS payonce_decision (decision INTEGER PRIMARY KEY, epoch INTEGER,"
    " kind TEXT, source INTEGER, first INTEGER, next INTEGER, time INTEGER, who TEXT, why TEXT,"
    " id TEXT);"
    "CREATE TABLE IF NOT EXISTS payonce_rules (epoch INTEGER PRIMARY KEY, windows_from INTEGER,"
    " rules BLOB);";

const char schema_metrics[] =
    "DROP TABLE IF EXISTS payment_metrics;"
    "CREATE TABLE payment_metrics (metric_time INTEGER, region TEXT, currency TEXT,"
    " transaction_count INTEGER, total_amount TEXT, min_amount TEXT, max_amount TEXT,"
    " avg_amount TEXT, calculation_time INTEGER, version INTEGER, closed INTEGER, seq INTEGER,"
    " PRIMARY KEY (metric_time, region, currency)) WITHOUT ROWID;";

static enum outcome foreign(struct sqlite_sink *sqlite, const char *what, struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SINK_SCHEMA, "sink \"%s\" (%s): %s",
                    sqlite->sink.settings.name, sqlite->sink.settings.path, what);
}

enum outcome schema_check(struct sqlite_sink *sqlite, bool *ret_empty, struct fault *ret_fault)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t tables = 0;
    enum outcome outcome = sqlite_number(sqlite, "PRAGMA application_id", &application, ret_fault);

    if (outcome == DONE) {
        outcome = sqlite_number(sqlite, "PRAGMA user_version", &version, ret_fault);
    }
    if (outcome == DONE) {
        outcome = sqlite_number(sqlite, "SELECT count(*) FROM sqlite_schema", &tables, ret_fault);
    }
    *ret_empty = tables == 0;
    if (outcome != DONE || tables == 0) {
        return outcome;
    }
    if (application != SQLITE_APPLICATION_ID) {
        return foreign(sqlite, "a database that holds tables, but none of payonce", ret_fault);
    }
    if (version != LEDGER_FORMAT) {
        return foreign(sqlite, "written by another version of payonce", ret_fault);
    }
    return DONE;
}

enum outcome schema_create(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    const char *doing = "creating the tables";
    enum outcome outcome = sqlite_run(sqlite, "BEGIN IMMEDIATE", doing, ret_fault);

    if (outcome == DONE) {
        outcome = sqlite_run(sqlite,
                             sql_start(&sqlite->text,
                                       "%s PRAGMA application_id = %d; PRAGMA user_version = %d;"
                                       "COMMIT",
                                       schema_tables, SQLITE_APPLICATION_ID, LEDGER_FORMAT),
                             doing, ret_fault);
    }
    return outcome;
}

enum outcome schema_create_views(struct sqlite_sink *sqlite, const struct view *views,
                                 struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && views[index].name != NULL; index++) {
        outcome =
            sqlite_run(sqlite,
                       sql_start(&sqlite->text, "DROP VIEW IF EXISTS %s; CREATE VIEW %s AS %s",
                                 views[index].name, views[index].name, views[index].select),
                       "creating the views", ret_fault);
    }
    return outcome;
}
