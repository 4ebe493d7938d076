#include "sink/sink_sqlite.h"

#include "os/crash.h"

#include <string.h>

static const struct chain chain_of_nothing;

/* Another pipeline's row, or rows that no pipeline's row accounts for. */
static enum outcome find_others(struct sqlite_sink *sqlite, bool *ret_others,
                                struct fault *ret_fault)
{
    int64_t count = 0;
    enum outcome outcome = sqlite_number(sqlite,
                                         "SELECT EXISTS (SELECT 1 FROM payonce_pipeline)"
                                         " OR EXISTS (SELECT 1 FROM payonce_epoch)"
                                         " OR EXISTS (SELECT 1 FROM payonce_cursor)"
                                         " OR EXISTS (SELECT 1 FROM payonce_total)",
                                         &count, ret_fault);

    *ret_others = count != 0 && !sqlite->known;
    for (size_t table = 0; table < TABLE_METRICS; table++) {
        *ret_others = *ret_others || (!sqlite->known && sqlite->parts[table].next_seq > 1);
    }
    return outcome;
}

enum outcome sqlite_others(struct sqlite_sink *sqlite, bool *ret_others, struct fault *ret_fault)
{
    *ret_others = false;
    return sqlite->known ? DONE : find_others(sqlite, ret_others, ret_fault);
}

static void bind_rules(sqlite3_stmt *statement, int place, const struct rules *rules)
{
    (void)sqlite3_bind_blob(statement, place, rules, sizeof(*rules), SQLITE_STATIC);
}

static void bind_chain(sqlite3_stmt *statement, int place, const struct chain *chain)
{
    (void)sqlite3_bind_blob(statement, place, chain->bytes, CHAIN_SIZE, SQLITE_STATIC);
}

/* The names of the carried columns, as payonce_pipeline keeps them. */
static void bind_carry(struct sqlite_sink *sqlite, sqlite3_stmt *statement, int place)
{
    const struct sink_settings *settings = &sqlite->sink.settings;

    (void)sql_start(&sqlite->text, "%s", "");
    for (uint32_t index = 0; index < settings->carry_count; index++) {
        (void)sql_add(&sqlite->text, "%s%s", index == 0 ? "" : ",", settings->carry[index]);
    }
    (void)sqlite3_bind_text(statement, place, sqlite->text.at, -1, SQLITE_TRANSIENT);
}

static enum outcome insert_pipeline(struct sqlite_sink *sqlite, uint64_t journal_id,
                                    const struct rules *rules, struct fault *ret_fault)
{
    sqlite3_stmt *statement = NULL;
    enum outcome outcome = sqlite_prepare(
        sqlite,
        "INSERT INTO payonce_pipeline (pipeline, format, epoch, chain, journal_id, seed_epoch,"
        " rules, part_rows, carry, transactions_next, duplicates_next, dead_letters_next,"
        " metrics_next, carried, begun_by)"
        " VALUES (?1, ?2, 0, ?3, ?4, 1, ?5, ?6, ?7, 1, 1, 1, 1, 0, ?4)",
        &statement, ret_fault);

    if (outcome == DONE) {
        (void)sqlite3_bind_text(statement, 1, sqlite->sink.settings.pipeline, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 2, LEDGER_FORMAT);
        bind_chain(statement, 3, &chain_of_nothing);
        (void)sqlite3_bind_int64(statement, 4, (int64_t)journal_id);
        bind_rules(statement, 5, rules);
        (void)sqlite3_bind_int64(statement, 6, sqlite->part_rows);
        bind_carry(sqlite, statement, 7);
        outcome = sqlite_change_one(sqlite, statement, "writing the pipeline's row", ret_fault);
    }
    (void)sqlite3_finalize(statement);
    return outcome;
}

/* The tables for payments; parts that an emptied ledger left behind go. */
static enum outcome create_tables(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    enum outcome outcome = parts_drop_all(sqlite, ret_fault);

    if (outcome == DONE) {
        outcome = schema_create_views(sqlite, schema_views_cursors, ret_fault);
    }
    if (sqlite->sink.settings.cursors_only || outcome != DONE) {
        return outcome;
    }
    outcome = sqlite_run(sqlite, schema_metrics, "creating the tables", ret_fault);
    for (size_t table = 0; outcome == DONE && table < TABLE_METRICS; table++) {
        outcome = parts_add(sqlite, (enum table)table, ret_fault);
    }
    return outcome == DONE ? schema_create_views(sqlite, schema_views, ret_fault) : outcome;
}

/* The row is there already: ours, from a begin whose answer was lost, or somebody else's. */
static enum outcome begun_before(struct sqlite_sink *sqlite, uint64_t journal_id,
                                 struct fault *ret_fault)
{
    struct sink_head head;
    enum outcome outcome = sqlite_read_head(&sqlite->sink, &head, ret_fault);

    if (outcome == DONE && (head.epoch != 0 || head.journal_id != journal_id)) {
        return fault_is(ret_fault, BROKEN, FAULT_FENCED,
                        "sink \"%s\" (%s): another process has begun pipeline \"%s\" here",
                        sqlite->sink.settings.name, sqlite->sink.settings.path,
                        sqlite->sink.settings.pipeline);
    }
    return outcome;
}

static enum outcome begin_within(struct sqlite_sink *sqlite, uint64_t journal_id,
                                 const struct rules *rules, struct fault *ret_fault)
{
    bool others = false;
    enum outcome outcome = sqlite_refresh(sqlite, ret_fault);

    if (outcome == DONE && sqlite->known) {
        return begun_before(sqlite, journal_id, ret_fault);
    }
    if (outcome == DONE) {
        outcome = sqlite_others(sqlite, &others, ret_fault);
    }
    if (outcome == DONE && others) {
        outcome = fault_is(ret_fault, BROKEN, FAULT_LEDGER_OTHER_HISTORY,
                           "sink \"%s\" (%s) holds another history, none of pipeline \"%s\"",
                           sqlite->sink.settings.name, sqlite->sink.settings.path,
                           sqlite->sink.settings.pipeline);
    }
    if (outcome == DONE) {
        outcome = create_tables(sqlite, ret_fault);
    }
    return outcome == DONE ? insert_pipeline(sqlite, journal_id, rules, ret_fault) : outcome;
}

static enum outcome run_statement(struct sqlite_sink *sqlite, enum sqlite_statement which,
                                  const char *doing, struct fault *ret_fault)
{
    sqlite3_stmt *statement;
    bool row;
    enum outcome outcome = sqlite_statement(sqlite, which, &statement, ret_fault);

    return outcome == DONE ? sqlite_step(sqlite, statement, doing, &row, ret_fault) : outcome;
}

enum outcome sqlite_begin(struct sink *sink, uint64_t journal_id, const struct rules *rules,
                          struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);

    sqlite_stop_reading(sqlite);
    enum outcome outcome = run_statement(sqlite, STATEMENT_BEGIN, "beginning", ret_fault);
    if (outcome == DONE) {
        outcome = begin_within(sqlite, journal_id, rules, ret_fault);
    }
    if (outcome == DONE) {
        outcome = run_statement(sqlite, STATEMENT_COMMIT, "committing", ret_fault);
    }
    sqlite->stale = true;
    return outcome == DONE ? DONE : sqlite_undo(sqlite, outcome);
}

static enum outcome fenced(struct sqlite_sink *sqlite, const struct delivery *delivery,
                           struct fault *ret_fault)
{
    const struct epoch *first = delivery->epochs[0];

    return fault_is(ret_fault, BROKEN, FAULT_FENCED,
                    "sink \"%s\" (%s): pipeline \"%s\" does not stand before epoch %llu of this"
                    " history; nothing was written",
                    sqlite->sink.settings.name, sqlite->sink.settings.path,
                    sqlite->sink.settings.pipeline, (unsigned long long)first->number);
}

/* The compare failed. Is it because all of this has already been delivered? */
static enum outcome delivered_before(struct sqlite_sink *sqlite, const struct delivery *delivery,
                                     struct fault *ret_fault)
{
    const struct epoch *last = delivery->epochs[delivery->epoch_count - 1];
    sqlite3_stmt *statement;
    bool row = false;

    (void)sqlite_undo(sqlite, DONE);
    enum outcome outcome = sqlite_statement(sqlite, STATEMENT_RECORDED, &statement, ret_fault);
    if (outcome == DONE) {
        (void)sqlite3_bind_int64(statement, 1, (int64_t)last->number);
        bind_chain(statement, 2, &last->chain);
        outcome = sqlite_step(sqlite, statement, "looking for an epoch", &row, ret_fault);
        (void)sqlite3_reset(statement);
    }
    if (outcome != DONE || row) {
        return outcome;
    }
    return fenced(sqlite, delivery, ret_fault);
}

/* A refill that does not end here: the head says so. */
static bool half_filled(const struct delivery *delivery)
{
    return delivery->refill && delivery->standing == NULL;
}

/* Rule R1: the fence. *ret_moved: it stood where the first epoch begins. */
static enum outcome move_chain(struct sqlite_sink *sqlite, const struct delivery *delivery,
                               bool *ret_moved, struct fault *ret_fault)
{
    const struct epoch *last = delivery->epochs[delivery->epoch_count - 1];
    sqlite3_stmt *statement;
    bool row;
    enum outcome outcome = sqlite_statement(sqlite, STATEMENT_CHAIN, &statement, ret_fault);

    *ret_moved = false;
    if (outcome != DONE) {
        return outcome;
    }
    bind_chain(statement, 1, &last->chain);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)last->number);
    (void)sqlite3_bind_int64(statement, 3, half_filled(delivery) ? 0 : (int64_t)last->journal_id);
    sqlite_bind_number(statement, 4, last->watermark_ms);
    bind_rules(statement, 5, delivery->rules);
    (void)sqlite3_bind_int64(statement, 6, (int64_t)last->seed_epoch);
    for (int table = 0; table < TABLE_COUNT; table++) {
        (void)sqlite3_bind_int64(statement, 7 + table, (int64_t)last->seq_next[table]);
    }
    (void)sqlite3_bind_text(statement, 11, sqlite->sink.settings.pipeline, -1, SQLITE_STATIC);
    bind_chain(statement, 12, &delivery->epochs[0]->prev_chain);
    (void)sqlite3_bind_int64(statement, 13, (int64_t)sqlite->carried);
    outcome = sqlite_step(sqlite, statement, "moving the chain", &row, ret_fault);
    if (outcome == DONE) {
        must(sqlite3_changes(sqlite->database) <= 1); /* The pipeline's name is the key. */
        *ret_moved = sqlite3_changes(sqlite->database) == 1;
    }
    return outcome;
}

/* Many rows are coming: an index on a random id would slow each; it is built again in bulk. */
static enum outcome drop_indexes(struct sqlite_sink *sqlite, const struct delivery *delivery,
                                 struct fault *ret_fault)
{
    const struct epoch *last = delivery->epochs[delivery->epoch_count - 1];
    enum outcome outcome = DONE;

    for (size_t table = 0; outcome == DONE && table < TABLE_METRICS; table++) {
        const struct part_list *parts = &sqlite->parts[table];
        if (last->seq_next[table] < parts->next_seq + SQLITE_BULK_ROWS) {
            continue;
        }
        sqlite->tended = 0;
        if (parts->last > 0 && parts->indexed == parts->last &&
            part_of(sqlite, parts->next_seq) == parts->last) {
            outcome = parts_unindex(sqlite, (enum table)table, ret_fault);
        }
    }
    return outcome;
}

/* All in one transaction that has begun. */
static enum outcome write_all(struct sqlite_sink *sqlite, const struct delivery *delivery,
                              struct fault *ret_fault)
{
    enum outcome outcome = deliver_cursors(sqlite, delivery, ret_fault);

    crash_point("after_cursor");
    if (outcome == DONE) {
        outcome = drop_indexes(sqlite, delivery, ret_fault);
    }
    for (size_t index = 0; outcome == DONE && index < delivery->epoch_count; index++) {
        outcome = deliver_epoch(sqlite, delivery, delivery->epochs[index], ret_fault);
    }
    if (outcome == DONE && delivery->standing != NULL) {
        outcome = deliver_standing(sqlite, delivery, ret_fault);
    }
    if (outcome == DONE) {
        outcome = insert_waiting(sqlite, ret_fault);
    }
    if (outcome == DONE) {
        outcome = deliver_check_seq(sqlite, delivery, ret_fault);
    }
    crash_point("after_rows");
    return outcome;
}

static void count_delivered(struct sink *sink, const struct delivery *delivery)
{
    sink->transactions++;
    for (size_t index = 0; index < delivery->epoch_count; index++) {
        sink->rows += delivery->epochs[index]->row_count;
    }
}

enum outcome sqlite_deliver(struct sink *sink, const struct delivery *delivery,
                            struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);
    bool moved = false;

    sqlite->refilling = delivery->refill;
    sqlite_stop_reading(sqlite);
    enum outcome outcome = sqlite_audit(sink, ret_fault);
    if (outcome == DONE) {
        outcome = run_statement(sqlite, STATEMENT_BEGIN, "beginning", ret_fault);
    }
    crash_point("ledger_begin");
    if (outcome == DONE) {
        outcome = sqlite_refresh(sqlite, ret_fault);
    }
    if (outcome == DONE) {
        outcome = move_chain(sqlite, delivery, &moved, ret_fault);
    }
    if (outcome == DONE && !moved) {
        return delivered_before(sqlite, delivery, ret_fault);
    }
    crash_point("after_chain");
    if (outcome == DONE) {
        outcome = write_all(sqlite, delivery, ret_fault);
    }
    crash_point("before_commit");
    if (outcome == DONE) {
        outcome = run_statement(sqlite, STATEMENT_COMMIT, "committing", ret_fault);
    }
    crash_point("after_commit");
    if (outcome != DONE) {
        return sqlite_undo(sqlite, outcome);
    }
    count_delivered(sink, delivery);
    sqlite->healthy = true;
    sqlite->epoch = delivery->epochs[delivery->epoch_count - 1]->number;
    sqlite_keep_house(sqlite);
    return DONE;
}
