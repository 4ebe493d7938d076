#include "sink/sink_sqlite.h"

#include <string.h>

enum outcome rules_write(struct sqlite_sink *sqlite, uint64_t epoch, const struct decision *note,
                         struct fault *ret_fault)
{
    sqlite3_stmt *statement;
    enum outcome outcome = sqlite_statement(sqlite, STATEMENT_RULES, &statement, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    (void)sqlite3_bind_int64(statement, 1, (int64_t)epoch);
    sqlite_bind_number(statement, 2, note->event_ms);
    (void)sqlite3_bind_blob(statement, 3, note->text.at, (int)note->text.size, SQLITE_STATIC);
    return sqlite_change_one(sqlite, statement, "keeping the rules", ret_fault);
}

static enum outcome take_rules(struct sqlite_sink *sqlite, sqlite3_stmt *statement,
                               struct sink_rules *ret_rules, struct fault *ret_fault)
{
    const void *rules = sqlite3_column_blob(statement, 2);

    ret_rules->epoch = (uint64_t)sqlite3_column_int64(statement, 0);
    ret_rules->windows_from_ms = sqlite_column_number(statement, 1);
    if (rules == NULL || sqlite3_column_bytes(statement, 2) != sizeof(ret_rules->rules)) {
        return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                        "sink \"%s\" (%s): the rules of epoch %llu make no sense",
                        sqlite->sink.settings.name, sqlite->sink.settings.path,
                        (unsigned long long)ret_rules->epoch);
    }
    memcpy(&ret_rules->rules, rules, sizeof(ret_rules->rules));
    return DONE;
}

enum outcome sqlite_read_rules(struct sink *sink, uint64_t epoch, struct sink_rules *ret_rules,
                               struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);
    sqlite3_stmt *statement;
    enum outcome outcome = sqlite_ask(sqlite, STATEMENT_READ_RULES, (int64_t)epoch,
                                      "reading the rules", &statement, ret_fault);

    if (outcome == DONE) {
        outcome = take_rules(sqlite, statement, ret_rules, ret_fault);
        (void)sqlite3_reset(statement);
    }
    return outcome;
}
