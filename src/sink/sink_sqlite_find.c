#include "sink/sink_sqlite.h"

#include <string.h>

/* A statement on one part, prepared anew: conflicts are rare, parts many. */
static enum outcome prepare_on_part(struct sqlite_sink *sqlite, uint64_t part, const char *columns,
                                    const char *condition, sqlite3_stmt **ret_statement,
                                    struct fault *ret_fault)
{
    const struct part_list *parts = &sqlite->parts[TABLE_TRANSACTIONS];
    char name[SQLITE_PART_NAME];

    part_name(TABLE_TRANSACTIONS, part, name);
    (void)sql_start(&sqlite->text, "SELECT %s", columns);
    if (columns[0] == '\0') {
        columns_add_names(parts, parts->kept_count, &sqlite->text);
    }
    return sqlite_prepare(sqlite, sql_add(&sqlite->text, " FROM %s WHERE %s", name, condition),
                          ret_statement, ret_fault);
}

/* The first row of the source at this seq or behind it. */
static enum outcome probe(struct sqlite_sink *sqlite, sqlite3_stmt *statement, uint64_t seq,
                          uint64_t *ret_seq, uint64_t *ret_offset, bool *ret_there,
                          struct fault *ret_fault)
{
    (void)sqlite3_reset(statement);
    (void)sqlite3_bind_int64(statement, 1, (int64_t)seq);
    enum outcome outcome =
        sqlite_step(sqlite, statement, "looking for a payment", ret_there, ret_fault);
    if (outcome == DONE && *ret_there) {
        *ret_seq = (uint64_t)sqlite3_column_int64(statement, 0);
        *ret_offset = (uint64_t)sqlite3_column_int64(statement, 1);
    }
    return outcome;
}

/*
 * The seq of the row at this place, in a part without its index: the offsets of a source rise
 * with seq, so halving finds it. 0: none.
 */
static enum outcome bisect(struct sqlite_sink *sqlite, uint64_t part, size_t source,
                           uint64_t offset, uint64_t *ret_seq, struct fault *ret_fault)
{
    uint64_t low = (part - 1) * (uint64_t)sqlite->part_rows + 1;
    uint64_t high = low + (uint64_t)sqlite->part_rows;
    sqlite3_stmt *statement = NULL;
    enum outcome outcome =
        prepare_on_part(sqlite, part, "seq, source_offset",
                        "seq >= ?1 AND source = ?2 ORDER BY seq LIMIT 1", &statement, ret_fault);

    *ret_seq = 0;
    if (high > sqlite->parts[TABLE_TRANSACTIONS].next_seq) {
        high = sqlite->parts[TABLE_TRANSACTIONS].next_seq;
    }
    if (outcome == DONE) {
        (void)sqlite3_bind_int64(statement, 2, (int64_t)source);
    }
    while (outcome == DONE && low < high) {
        uint64_t middle = low + (high - low) / 2;
        uint64_t seq = 0;
        uint64_t found = 0;
        bool there = false;
        outcome = probe(sqlite, statement, middle, &seq, &found, &there, ret_fault);
        if (!there || found > offset) {
            high = middle;
        } else if (found < offset) {
            low = seq + 1;
        } else {
            *ret_seq = seq;
            break;
        }
    }
    (void)sqlite3_finalize(statement);
    return outcome;
}

static enum outcome look_by_place(struct sqlite_sink *sqlite, uint64_t part,
                                  struct span transaction_id, size_t source, uint64_t offset,
                                  bool *ret_found, struct fault *ret_fault)
{
    uint64_t seq;
    enum outcome outcome = bisect(sqlite, part, source, offset, &seq, ret_fault);

    if (outcome != DONE || seq == 0) {
        return outcome;
    }
    outcome = prepare_on_part(sqlite, part, "", "seq = ?1 AND transaction_id = ?2", &sqlite->found,
                              ret_fault);
    if (outcome == DONE) {
        (void)sqlite3_bind_int64(sqlite->found, 1, (int64_t)seq);
        sqlite_bind_span(sqlite->found, 2, transaction_id);
        outcome = sqlite_step(sqlite, sqlite->found, "looking for a payment", ret_found, ret_fault);
    }
    return outcome;
}

static enum outcome look_by_index(struct sqlite_sink *sqlite, uint64_t part,
                                  struct span transaction_id, size_t source, uint64_t offset,
                                  bool *ret_found, struct fault *ret_fault)
{
    enum outcome outcome = prepare_on_part(
        sqlite, part, "", "transaction_id = ?1 AND source = ?2 AND source_offset = ?3",
        &sqlite->found, ret_fault);

    if (outcome == DONE) {
        sqlite_bind_span(sqlite->found, 1, transaction_id);
        (void)sqlite3_bind_int64(sqlite->found, 2, (int64_t)source);
        (void)sqlite3_bind_int64(sqlite->found, 3, (int64_t)offset);
        outcome = sqlite_step(sqlite, sqlite->found, "looking for a payment", ret_found, ret_fault);
    }
    return outcome;
}

/* The newest part first: what conflicts came lately. */
static enum outcome look(struct sqlite_sink *sqlite, struct span transaction_id, size_t source,
                         uint64_t offset, bool *ret_found, struct fault *ret_fault)
{
    const struct part_list *parts = &sqlite->parts[TABLE_TRANSACTIONS];
    enum outcome outcome = DONE;

    for (uint64_t part = parts->last; outcome == DONE && !*ret_found && part > 0; part--) {
        if (part < parts->first) {
            break;
        }
        (void)sqlite3_finalize(sqlite->found);
        sqlite->found = NULL;
        outcome =
            part > parts->indexed
                ? look_by_place(sqlite, part, transaction_id, source, offset, ret_found, ret_fault)
                : look_by_index(sqlite, part, transaction_id, source, offset, ret_found, ret_fault);
    }
    return outcome;
}

/* Out of the statement, which would hold on to its moment, and with that keep the log from ending.
 */
static enum outcome take_found(struct sqlite_sink *sqlite, struct row *ret_row,
                               struct fault *ret_fault)
{
    uint64_t epoch;
    enum outcome outcome =
        columns_read(sqlite, TABLE_TRANSACTIONS, sqlite->found, ret_row, &epoch, ret_fault);

    sqlite->text.size = 0;
    for (size_t index = 0; outcome == DONE && index < ret_row->text_count; index++) {
        struct span *text = &ret_row->texts[index];
        if (text->size > sizeof(sqlite->text.at) - sqlite->text.size) {
            outcome = fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                               "sink \"%s\" (%s): a row of %s is longer than any payment",
                               sqlite->sink.settings.name, sqlite->sink.settings.path,
                               table_name(TABLE_TRANSACTIONS));
        } else if (text->size > 0) {
            text->at = memcpy(sqlite->text.at + sqlite->text.size, text->at, text->size);
            sqlite->text.size += text->size;
        }
    }
    (void)sqlite3_finalize(sqlite->found);
    sqlite->found = NULL;
    return outcome;
}

enum outcome sqlite_find_payment(struct sink *sink, struct span transaction_id,
                                 const struct origin *origin, uint64_t offset, struct row *ret_row,
                                 struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);
    size_t source = 0;
    bool found = false;

    sqlite_end_moment(sqlite);
    enum outcome outcome = sqlite_refresh(sqlite, ret_fault);
    while (source < sqlite->source_count && !origin_same(origin, &sqlite->sources[source])) {
        source++;
    }
    if (outcome == DONE &&
        (!sqlite->known || source == sqlite->source_count || offset >= sqlite->nexts[source])) {
        return LATER; /* Not delivered yet. */
    }
    if (outcome == DONE) {
        outcome = look(sqlite, transaction_id, source, offset, &found, ret_fault);
    }
    if (outcome != DONE || !found) {
        return outcome == DONE ? LATER : outcome;
    }
    return take_found(sqlite, ret_row, ret_fault);
}
