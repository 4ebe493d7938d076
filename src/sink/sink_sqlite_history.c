#include "sink/sink_sqlite.h"

#include <stdlib.h>
#include <string.h>

/* "[[source,first,next,duplicates],...]", as write_ranges writes it. False: it is something else.
 */
static bool read_ranges(struct sqlite_sink *sqlite, const char *at)
{
    sqlite->history_range_count = 0;
    if (at == NULL || *at++ != '[') {
        return false;
    }
    while (*at == '[' && sqlite->history_range_count < SOURCES_MAX) {
        uint64_t numbers[4];
        for (size_t index = 0; index < 4; index++) {
            char *end;
            numbers[index] = strtoull(at + 1, &end, 10);
            if (end == at + 1 || *end != (index == 3 ? ']' : ',')) {
                return false;
            }
            at = end;
        }
        sqlite->history_ranges[sqlite->history_range_count++] = (struct epoch_range){
            .source = (uint32_t)numbers[0], .first = numbers[1], .next = numbers[2]};
        at += at[1] == ',' ? 2 : 1;
    }
    return at[0] == ']' && at[1] == '\0';
}

static enum outcome take_epoch(struct sqlite_sink *sqlite, sqlite3_stmt *statement,
                               struct sink_epoch *ret_epoch, struct fault *ret_fault)
{
    memset(ret_epoch, 0, sizeof(*ret_epoch));
    ret_epoch->number = (uint64_t)sqlite3_column_int64(statement, 0);
    if (!sqlite_column_chain(statement, 1, &ret_epoch->prev_chain) ||
        !sqlite_column_chain(statement, 2, &ret_epoch->chain) ||
        !read_ranges(sqlite, (const char *)sqlite3_column_text(statement, 3))) {
        return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                        "sink \"%s\" (%s): the row of epoch %llu makes no sense",
                        sqlite->sink.settings.name, sqlite->sink.settings.path,
                        (unsigned long long)ret_epoch->number);
    }
    ret_epoch->journal_id = (uint64_t)sqlite3_column_int64(statement, 4);
    ret_epoch->decided_ms = sqlite3_column_int64(statement, 5);
    ret_epoch->sealed_ms = sqlite3_column_int64(statement, 6);
    ret_epoch->watermark_ms = sqlite_column_number(statement, 7);
    ret_epoch->newest_accepted_ms = sqlite_column_number(statement, 8);
    ret_epoch->seed_epoch = (uint64_t)sqlite3_column_int64(statement, 9);
    ret_epoch->message_count = (uint64_t)sqlite3_column_int64(statement, 10);
    ret_epoch->row_count = (uint64_t)sqlite3_column_int64(statement, 11);
    ret_epoch->ranges = sqlite->history_ranges;
    ret_epoch->range_count = sqlite->history_range_count;
    return DONE;
}

enum outcome sqlite_read_epoch(struct sink *sink, uint64_t number, struct sink_epoch *ret_epoch,
                               struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);
    struct listing *history = &sqlite->history;
    enum outcome outcome = DONE;
    bool row = false;

    if (history->statement == NULL || number != history->next) {
        outcome = sqlite_refresh(sqlite, ret_fault);
        if (outcome != DONE || sqlite->stale) {
            return outcome == DONE ? LATER : outcome;
        }
        (void)sqlite3_finalize(history->statement);
        history->statement = NULL;
        outcome = sqlite_prepare(sqlite,
                                 "SELECT epoch, prev_chain, chain, ranges, journal_id,"
                                 " decided_time, sealed_time, watermark, newest_accepted,"
                                 " seed_epoch, messages, rows FROM payonce_epoch"
                                 " WHERE epoch >= ?1 ORDER BY epoch",
                                 &history->statement, ret_fault);
        if (outcome == DONE) {
            (void)sqlite3_bind_int64(history->statement, 1, (int64_t)number);
        }
    }
    if (outcome == DONE) {
        outcome = sqlite_step(sqlite, history->statement, "reading the epochs", &row, ret_fault);
    }
    if (outcome != DONE || !row) {
        (void)sqlite3_finalize(history->statement);
        history->statement = NULL;
        return outcome == DONE ? LATER : outcome;
    }
    outcome = take_epoch(sqlite, history->statement, ret_epoch, ret_fault);
    history->next = ret_epoch->number + 1;
    return outcome;
}
