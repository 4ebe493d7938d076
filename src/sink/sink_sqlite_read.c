#include "sink/sink_sqlite.h"

#include <string.h>

void sqlite_stop_reading(struct sqlite_sink *sqlite)
{
    (void)sqlite3_finalize(sqlite->totals.statement);
    (void)sqlite3_finalize(sqlite->history.statement);
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        (void)sqlite3_finalize(sqlite->rows[table].statement);
        sqlite->rows[table].statement = NULL;
    }
    (void)sqlite3_finalize(sqlite->found);
    sqlite->totals.statement = NULL;
    sqlite->history.statement = NULL;
    sqlite->found = NULL;
}

void sqlite_end_moment(struct sqlite_sink *sqlite)
{
    sqlite_stop_reading(sqlite);
    if (sqlite->sink.settings.read_only && !sqlite->sink.settings.snapshot &&
        sqlite3_get_autocommit(sqlite->database) == 0) {
        (void)sqlite3_exec(sqlite->database, "COMMIT", NULL, NULL, NULL); /* Nothing to lose. */
    }
}

static enum outcome unreadable(struct sqlite_sink *sqlite, const char *what,
                               struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED, "sink \"%s\" (%s): %s",
                    sqlite->sink.settings.name, sqlite->sink.settings.path, what);
}

static enum outcome read_pipeline(struct sqlite_sink *sqlite, sqlite3_stmt *statement,
                                  struct sink_head *ret_head, struct fault *ret_fault)
{
    const void *rules = sqlite3_column_blob(statement, 6);

    ret_head->exists = true;
    ret_head->format = (uint32_t)sqlite3_column_int64(statement, 0);
    ret_head->epoch = (uint64_t)sqlite3_column_int64(statement, 1);
    ret_head->journal_id = (uint64_t)sqlite3_column_int64(statement, 3);
    ret_head->begun_by = (uint64_t)sqlite3_column_int64(statement, 14);
    ret_head->watermark_ms = sqlite_column_number(statement, 4);
    ret_head->seed_epoch = (uint64_t)sqlite3_column_int64(statement, 5);
    for (int table = 0; table < TABLE_COUNT; table++) {
        ret_head->seq_next[table] = (uint64_t)sqlite3_column_int64(statement, 9 + table);
    }
    if (!sqlite_column_chain(statement, 2, &ret_head->chain) || rules == NULL ||
        sqlite3_column_bytes(statement, 6) != sizeof(ret_head->rules)) {
        return unreadable(sqlite, "the pipeline's row has no chain or no rules", ret_fault);
    }
    memcpy(&ret_head->rules, rules, sizeof(ret_head->rules));
    return DONE;
}

/* The rows end where the pipeline's row says: nobody has added or taken away any. */
static enum outcome check_ends(struct sqlite_sink *sqlite, const struct sink_head *head,
                               struct fault *ret_fault)
{
    bool counted = !sqlite->sink.settings.cursors_only && !sqlite->sink.settings.read_only;

    for (size_t table = 0; counted && table < TABLE_METRICS; table++) {
        if (sqlite->parts[table].next_seq != head->seq_next[table]) {
            return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                            "sink \"%s\" (%s): %s ends at row %llu, but the pipeline's row says"
                            " %llu",
                            sqlite->sink.settings.name, sqlite->sink.settings.path,
                            table_name((enum table)table),
                            (unsigned long long)sqlite->parts[table].next_seq - 1,
                            (unsigned long long)head->seq_next[table] - 1);
        }
    }
    return DONE;
}

static enum outcome read_head_within(struct sqlite_sink *sqlite, struct sink_head *ret_head,
                                     struct fault *ret_fault)
{
    sqlite3_stmt *statement;
    bool row = false;
    enum outcome outcome = sqlite_refresh(sqlite, ret_fault);

    if (outcome != DONE || sqlite->stale) {
        return outcome; /* Stale: there are no tables yet. */
    }
    outcome = sqlite_statement(sqlite, STATEMENT_HEAD, &statement, ret_fault);
    if (outcome == DONE) {
        (void)sqlite3_bind_text(statement, 1, sqlite->sink.settings.pipeline, -1, SQLITE_STATIC);
        outcome = sqlite_step(sqlite, statement, "reading the pipeline's row", &row, ret_fault);
    }
    if (outcome == DONE && !row) {
        return sqlite_others(sqlite, &ret_head->other_payments, ret_fault);
    }
    if (outcome == DONE) {
        outcome = read_pipeline(sqlite, statement, ret_head, ret_fault);
        (void)sqlite3_reset(statement);
    }
    return outcome == DONE ? check_ends(sqlite, ret_head, ret_fault) : outcome;
}

/* A read_only sink stays at the moment of its head until it is asked for the next one. */
enum outcome sqlite_read_head(struct sink *sink, struct sink_head *ret_head,
                              struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);

    memset(ret_head, 0, sizeof(*ret_head));
    sqlite_end_moment(sqlite);
    if (sqlite3_get_autocommit(sqlite->database) == 0) {
        return read_head_within(sqlite, ret_head, ret_fault);
    }
    enum outcome outcome = sqlite_run(sqlite, "BEGIN", "reading", ret_fault);
    if (outcome == DONE) {
        outcome = read_head_within(sqlite, ret_head, ret_fault);
    }
    if (outcome == DONE && !sink->settings.read_only) {
        outcome = sqlite_run(sqlite, "COMMIT", "reading", ret_fault);
    }
    return outcome == DONE ? DONE : sqlite_undo(sqlite, outcome);
}

enum outcome sqlite_find_chain(struct sink *sink, const struct chain *chain, uint64_t *ret_epoch,
                               struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);
    sqlite3_stmt *statement;
    bool row = false;
    enum outcome outcome = sqlite_refresh(sqlite, ret_fault);

    *ret_epoch = 0;
    if (outcome != DONE || sqlite->stale) {
        return outcome;
    }
    outcome = sqlite_statement(sqlite, STATEMENT_FIND_CHAIN, &statement, ret_fault);
    if (outcome == DONE) {
        (void)sqlite3_bind_blob(statement, 1, chain->bytes, CHAIN_SIZE, SQLITE_STATIC);
        outcome = sqlite_step(sqlite, statement, "looking for a chain", &row, ret_fault);
    }
    if (outcome == DONE && row) {
        *ret_epoch = (uint64_t)sqlite3_column_int64(statement, 0);
        (void)sqlite3_reset(statement);
    }
    return outcome;
}

static bool standing_named(struct span name, uint32_t *ret_standing)
{
    static const char *const names[] = {
        [SOURCE_ACTIVE] = "active", [SOURCE_IDLE] = "idle", [SOURCE_ENDED] = "ended"};

    for (uint32_t standing = 0; standing < sizeof(names) / sizeof(names[0]); standing++) {
        if (name.size == strlen(names[standing]) &&
            memcmp(name.at, names[standing], name.size) == 0) {
            *ret_standing = standing;
            return true;
        }
    }
    return false;
}

/* False: longer than any there is. ret_fact: zeros. */
static bool take_fact(struct span text, char *ret_fact, size_t size)
{
    if (text.at != NULL && text.size < size) {
        memcpy(ret_fact, text.at, text.size);
    }
    return text.size < size;
}

static enum outcome take_cursor(struct sqlite_sink *sqlite, sqlite3_stmt *statement, size_t index,
                                struct sink_cursor *ret_cursor, struct fault *ret_fault)
{
    struct span topic = sqlite_column_span(statement, 0);
    struct epoch_range *range = &ret_cursor->range;
    const void *fingerprint = sqlite3_column_blob(statement, 7);
    int size = sqlite3_column_bytes(statement, 7);

    memset(ret_cursor, 0, sizeof(*ret_cursor));
    if (topic.at == NULL || topic.size > TOPIC_TEXT_MAX ||
        !standing_named(sqlite_column_span(statement, 6), &range->standing) ||
        (fingerprint != NULL && size != FINGERPRINT_SIZE)) {
        return unreadable(sqlite, "a cursor makes no sense", ret_fault);
    }
    struct source_facts *facts = &ret_cursor->facts;
    if (!take_fact(sqlite_column_span(statement, 8), facts->cluster, sizeof(facts->cluster)) ||
        !take_fact(sqlite_column_span(statement, 9), facts->topic_id, sizeof(facts->topic_id))) {
        return unreadable(sqlite, "facts of a cursor make no sense", ret_fault);
    }
    memcpy(ret_cursor->origin.topic, topic.at, topic.size);
    ret_cursor->origin.incarnation = (uint32_t)sqlite3_column_int64(statement, 1);
    ret_cursor->origin.partition = (uint32_t)sqlite3_column_int64(statement, 2);
    ret_cursor->start = (uint64_t)sqlite3_column_int64(statement, 3);
    range->source = (uint32_t)index;
    range->next = (uint64_t)sqlite3_column_int64(statement, 4);
    range->first = range->next;
    range->newest_ms = sqlite_column_number(statement, 5);
    if (fingerprint != NULL) {
        memcpy(range->fingerprint.bytes, fingerprint, FINGERPRINT_SIZE);
    }
    return DONE;
}

enum outcome sqlite_read_cursor(struct sink *sink, size_t index, struct sink_cursor *ret_cursor,
                                struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);
    sqlite3_stmt *statement;
    enum outcome outcome = sqlite_ask(sqlite, STATEMENT_READ_CURSOR, (int64_t)index,
                                      "reading a cursor", &statement, ret_fault);

    if (outcome == DONE) {
        outcome = take_cursor(sqlite, statement, index, ret_cursor, ret_fault);
        (void)sqlite3_reset(statement);
    }
    return outcome;
}
