#include "sink/sink_sqlite.h"

#include <string.h>

_Static_assert((int)SOURCES_MAX <= (int)SQLITE_SOURCE_UNKNOWN, "a number of a source is less");

static const char *standing_name(uint32_t standing)
{
    switch ((enum source_standing)standing) {
    case SOURCE_ACTIVE:
        return "active";
    case SOURCE_IDLE:
        return "idle";
    case SOURCE_ENDED:
        return "ended";
    }
    must_failed("a source is active, idle or ended", __FILE__, __LINE__);
}

/* Our number of this source: most often the same as the delivery's. */
static uint16_t number_of(const struct sqlite_sink *sqlite, const struct origin *origin,
                          uint16_t guess)
{
    if (guess < sqlite->source_count && origin_same(origin, &sqlite->sources[guess])) {
        return guess;
    }
    for (size_t index = 0; index < sqlite->source_count; index++) {
        if (origin_same(origin, &sqlite->sources[index])) {
            return (uint16_t)index;
        }
    }
    return SQLITE_SOURCE_UNKNOWN;
}

/* A source that joins: its row, from where it starts. */
static enum outcome add_cursor(struct sqlite_sink *sqlite, const struct delivery *delivery,
                               size_t source, struct fault *ret_fault)
{
    const struct origin *origin = &delivery->origins[source];
    sqlite3_stmt *statement;
    enum outcome outcome = sqlite_statement(sqlite, STATEMENT_CURSOR_ADD, &statement, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    must(sqlite->source_count < SOURCES_MAX);
    (void)sqlite3_bind_int64(statement, 1, (int64_t)sqlite->source_count);
    (void)sqlite3_bind_text(statement, 2, sqlite->sink.settings.pipeline, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 3, origin->topic, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 4, origin->incarnation);
    (void)sqlite3_bind_int64(statement, 5, origin->partition);
    (void)sqlite3_bind_int64(statement, 6, (int64_t)delivery->starts[source]);
    outcome = sqlite_change_one(sqlite, statement, "adding a source's cursor", ret_fault);
    if (outcome == DONE) {
        sqlite->sources[sqlite->source_count] = *origin;
        sqlite->numbers[source] = (uint16_t)sqlite->source_count++;
    }
    return outcome;
}

/* Of what nobody knows NULL. */
static void bind_facts(sqlite3_stmt *statement, const struct source_facts *facts)
{
    static const struct source_facts unknown;
    const struct source_facts *known = facts == NULL ? &unknown : facts;
    const char *const texts[] = {known->cluster, known->topic_id};

    for (int index = 0; index < 2; index++) {
        const char *text = texts[index][0] == '\0' ? NULL : texts[index];
        (void)sqlite3_bind_text(statement, 10 + index, text, -1, SQLITE_STATIC);
    }
}

static enum outcome move_cursor(struct sqlite_sink *sqlite, const struct delivery *delivery,
                                size_t source, struct fault *ret_fault)
{
    const struct origin *origin = &delivery->origins[source];
    const struct epoch_range *range = sqlite->ranges[source];
    sqlite3_stmt *statement;
    enum outcome outcome = sqlite_statement(sqlite, STATEMENT_CURSOR, &statement, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    (void)sqlite3_bind_int64(statement, 1, (int64_t)range->next);
    sqlite_bind_number(statement, 2, range->newest_ms);
    (void)sqlite3_bind_text(statement, 3, standing_name(range->standing), -1, SQLITE_STATIC);
    (void)sqlite3_bind_blob(statement, 4, range->fingerprint.bytes, FINGERPRINT_SIZE,
                            SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 5, sqlite->sink.settings.pipeline, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 6, origin->topic, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 7, origin->incarnation);
    (void)sqlite3_bind_int64(statement, 8, origin->partition);
    (void)sqlite3_bind_int64(statement, 9, sqlite->numbers[source]);
    bind_facts(statement, delivery->facts == NULL ? NULL : &delivery->facts[source]);
    sqlite->nexts[sqlite->numbers[source]] = range->next;
    return sqlite_change_one(sqlite, statement, "moving a source's cursor", ret_fault);
}

/* A source may be new to the ledger only where its history begins. */
static enum outcome touch(struct sqlite_sink *sqlite, const struct delivery *delivery,
                          const struct epoch_range *range, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    if (sqlite->numbers[range->source] == SQLITE_SOURCE_UNKNOWN) {
        if (range->first != delivery->starts[range->source]) {
            return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                            "sink \"%s\" (%s): no cursor of %s/%u, which stands at %llu",
                            sqlite->sink.settings.name, sqlite->sink.settings.path,
                            delivery->origins[range->source].topic,
                            delivery->origins[range->source].partition,
                            (unsigned long long)range->first);
        }
        outcome = add_cursor(sqlite, delivery, range->source, ret_fault);
    }
    sqlite->ranges[range->source] = range;
    return outcome;
}

enum outcome deliver_cursors(struct sqlite_sink *sqlite, const struct delivery *delivery,
                             struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    sqlite->numbers_count = delivery->source_count;
    for (size_t source = 0; source < delivery->source_count; source++) {
        sqlite->numbers[source] = number_of(sqlite, &delivery->origins[source], (uint16_t)source);
        sqlite->ranges[source] = NULL;
    }
    for (size_t index = 0; index < delivery->epoch_count; index++) {
        const struct epoch *epoch = delivery->epochs[index];
        for (size_t range = 0; outcome == DONE && range < epoch->range_count; range++) {
            outcome = touch(sqlite, delivery, &epoch->ranges[range], ret_fault);
        }
    }
    for (size_t source = 0; outcome == DONE && source < delivery->source_count; source++) {
        if (sqlite->ranges[source] != NULL) {
            outcome = move_cursor(sqlite, delivery, source, ret_fault);
        }
    }
    return outcome;
}

static enum outcome write_total(struct sqlite_sink *sqlite, const struct epoch_total *total,
                                struct fault *ret_fault)
{
    char text[MONEY_SUM_TEXT_SIZE];
    sqlite3_stmt *statement;
    enum outcome outcome = sqlite_statement(sqlite, STATEMENT_TOTAL, &statement, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    __extension__ unsigned __int128 wide =
        (unsigned __int128)total->sum_high << 64 | total->sum_low;
    (void)money_sum_write((struct money_sum){(money_wide)wide}, 0, text);
    (void)sqlite3_bind_int64(statement, 1, sqlite->numbers[total->source]);
    (void)sqlite3_bind_text(
        statement, 2, total->tally < TALLY_COUNT ? verdict_name((enum verdict)total->tally) : "gap",
        -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 3, total->currency, total->currency[0] == '\0' ? 0 : 3,
                            SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 4, (int64_t)total->count);
    (void)sqlite3_bind_text(statement, 5, text, -1, SQLITE_STATIC);
    return sqlite_change_one(sqlite, statement, "writing a total", ret_fault);
}

/* [source, first, next, duplicates], ... as JSON: checkpoint_log reads it. */
static void write_ranges(struct sqlite_sink *sqlite, const struct epoch *epoch)
{
    (void)sql_start(&sqlite->text, "[");
    for (size_t index = 0; index < epoch->range_count; index++) {
        const struct epoch_range *range = &epoch->ranges[index];
        (void)sql_add(&sqlite->text, "%s[%u,%llu,%llu,%u]", index == 0 ? "" : ",",
                      sqlite->numbers[range->source], (unsigned long long)range->first,
                      (unsigned long long)range->next, sqlite->duplicates[range->source]);
    }
    (void)sql_add(&sqlite->text, "]");
}

static enum outcome write_epoch(struct sqlite_sink *sqlite, const struct epoch *epoch,
                                struct fault *ret_fault)
{
    sqlite3_stmt *statement;
    enum outcome outcome = sqlite_statement(sqlite, STATEMENT_EPOCH, &statement, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    write_ranges(sqlite, epoch);
    (void)sqlite3_bind_int64(statement, 1, (int64_t)epoch->number);
    (void)sqlite3_bind_blob(statement, 2, epoch->prev_chain.bytes, CHAIN_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_blob(statement, 3, epoch->chain.bytes, CHAIN_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 4, (int64_t)epoch->journal_id);
    (void)sqlite3_bind_int64(statement, 5, epoch->decided_ms);
    (void)sqlite3_bind_int64(statement, 6, epoch->sealed_ms);
    sqlite_bind_number(statement, 7, epoch->watermark_ms);
    sqlite_bind_number(statement, 8, epoch->newest_accepted_ms);
    (void)sqlite3_bind_int64(statement, 9, (int64_t)epoch->seed_epoch);
    (void)sqlite3_bind_int64(statement, 10, (int64_t)epoch->message_count);
    (void)sqlite3_bind_int64(statement, 11, (int64_t)epoch->row_count);
    (void)sqlite3_bind_text(statement, 12, sqlite->text.at, (int)sqlite->text.size, SQLITE_STATIC);
    return sqlite_change_one(sqlite, statement, "writing an epoch's row", ret_fault);
}

/* Gaps, what operators decided and rules are kept for ever. */
static enum outcome write_decisions(struct sqlite_sink *sqlite, const struct epoch *epoch,
                                    struct fault *ret_fault)
{
    struct span left = epoch_notes(epoch);
    enum outcome outcome = DONE;

    while (outcome == DONE && left.size > 0) {
        struct decision note;
        size_t size = decision_read(left, NULL, &note);
        if (size == 0) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                            "epoch %llu: a record that is none, %zu bytes before its end",
                            (unsigned long long)epoch->number, left.size);
        }
        if (decision_is_kept(&note)) {
            outcome = decision_keep(sqlite, epoch->number, &note, ret_fault);
        } else if (note.kind == NOTE_RULES) {
            outcome = rules_write(sqlite, epoch->number, &note, ret_fault);
        }
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
    return outcome;
}

enum outcome deliver_epoch(struct sqlite_sink *sqlite, const struct delivery *delivery,
                           const struct epoch *epoch, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    memset(sqlite->duplicates, 0, delivery->source_count * sizeof(sqlite->duplicates[0]));
    for (size_t index = 0; outcome == DONE && index < epoch->total_count; index++) {
        outcome = write_total(sqlite, &epoch->totals[index], ret_fault);
    }
    if (outcome == DONE) {
        outcome = insert_rows(sqlite, epoch, ret_fault);
    }
    if (outcome == DONE) {
        outcome = write_decisions(sqlite, epoch, ret_fault);
    }
    return outcome == DONE ? write_epoch(sqlite, epoch, ret_fault) : outcome;
}

/* A source that no epoch has touched yet has no cursor. */
enum outcome deliver_standing(struct sqlite_sink *sqlite, const struct delivery *delivery,
                              struct fault *ret_fault)
{
    const struct epoch *standing = delivery->standing;
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < standing->range_count; index++) {
        const struct epoch_range *range = &standing->ranges[index];
        if (sqlite->numbers[range->source] != SQLITE_SOURCE_UNKNOWN) {
            sqlite->ranges[range->source] = range;
            outcome = move_cursor(sqlite, delivery, range->source, ret_fault);
        }
    }
    for (size_t index = 0; outcome == DONE && index < standing->total_count; index++) {
        outcome = write_total(sqlite, &standing->totals[index], ret_fault);
    }
    return outcome;
}

/* The tables now end where the history says they do. */
enum outcome deliver_check_seq(struct sqlite_sink *sqlite, const struct delivery *delivery,
                               struct fault *ret_fault)
{
    const struct epoch *last = delivery->epochs[delivery->epoch_count - 1];

    if (sqlite->refilling && sqlite->metrics_next <= last->seq_next[TABLE_METRICS]) {
        sqlite->metrics_next = last->seq_next[TABLE_METRICS];
    }
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        uint64_t next =
            table == TABLE_METRICS ? sqlite->metrics_next : sqlite->parts[table].next_seq;
        bool counted = table == TABLE_METRICS || !sqlite->sink.settings.cursors_only;
        if (counted && next != last->seq_next[table]) {
            return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                            "sink \"%s\" (%s): %s ends at row %llu; after epoch %llu it was to"
                            " end at %llu",
                            sqlite->sink.settings.name, sqlite->sink.settings.path,
                            table_name((enum table)table), (unsigned long long)next - 1,
                            (unsigned long long)last->number,
                            (unsigned long long)last->seq_next[table] - 1);
        }
    }
    return DONE;
}
