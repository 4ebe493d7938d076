#include "sink/sink_sqlite.h"

#include <stdio.h>
#include <string.h>

/* What the name of a part ends in. */
#define PART_GLOB "_[0-9][0-9][0-9][0-9][0-9][0-9]"

uint64_t part_of(const struct sqlite_sink *sqlite, uint64_t seq)
{
    must(seq > 0);

    return (seq - 1) / (uint64_t)sqlite->part_rows + 1;
}

void part_name(enum table table, uint64_t part, char ret_name[SQLITE_PART_NAME])
{
    (void)snprintf(ret_name, SQLITE_PART_NAME, "%s_%06llu", table_name(table),
                   (unsigned long long)part);
}

void parts_release(struct part_list *parts)
{
    (void)sqlite3_finalize(parts->insert_many);
    (void)sqlite3_finalize(parts->insert_one);
    parts->insert_many = NULL;
    parts->insert_one = NULL;
    parts->insert_part = 0;
}

static enum outcome load_numbers(struct sqlite_sink *sqlite, enum table table, int64_t ret_parts[2],
                                 int64_t *ret_bare, struct fault *ret_fault)
{
    static const char *const which[] = {"min", "max"};
    const char *name = table_name(table);
    int digits = (int)strlen(name) + 2;
    enum outcome outcome = DONE;

    for (size_t end = 0; outcome == DONE && end < 2; end++) {
        outcome = sqlite_number(sqlite,
                                sql_start(&sqlite->text,
                                          "SELECT CAST(substr(%s(name), %d) AS INTEGER) FROM"
                                          " sqlite_schema WHERE type = 'table' AND name GLOB"
                                          " '%s" PART_GLOB "'",
                                          which[end], digits, name),
                                &ret_parts[end], ret_fault);
    }
    if (outcome == DONE) {
        outcome = sqlite_number(
            sqlite,
            sql_start(&sqlite->text,
                      "SELECT CAST(substr(min(name), %d) AS INTEGER) FROM (SELECT name FROM"
                      " sqlite_schema WHERE type = 'table' AND name GLOB '%s" PART_GLOB "' EXCEPT"
                      " SELECT tbl_name FROM sqlite_schema WHERE type = 'index'"
                      " AND name = tbl_name || '_id')",
                      digits, name),
            ret_bare, ret_fault);
    }
    return outcome;
}

enum outcome parts_load(struct sqlite_sink *sqlite, enum table table, struct fault *ret_fault)
{
    struct part_list *parts = &sqlite->parts[table];
    int64_t numbers[2] = {0, 0};
    int64_t bare = 0;
    int64_t newest = 0;
    char name[SQLITE_PART_NAME];
    enum outcome outcome = load_numbers(sqlite, table, numbers, &bare, ret_fault);

    parts_release(parts);
    parts->first = (uint64_t)numbers[0];
    parts->last = (uint64_t)numbers[1];
    parts->indexed = bare == 0 ? parts->last : (uint64_t)bare - 1;
    if (outcome == DONE && parts->last > 0) {
        part_name(table, parts->last, name);
        outcome = sqlite_number(sqlite, sql_start(&sqlite->text, "SELECT max(seq) FROM %s", name),
                                &newest, ret_fault);
    }
    parts->next_seq = newest > 0        ? (uint64_t)newest + 1
                      : parts->last > 0 ? (parts->last - 1) * (uint64_t)sqlite->part_rows + 1
                                        : 1;
    return outcome;
}

/* The first part of the group this one is in. */
static uint64_t group_first(const struct part_list *parts, uint64_t part)
{
    uint64_t first = (part - 1) / SQLITE_GROUP_PARTS * SQLITE_GROUP_PARTS + 1;

    return first < parts->first ? parts->first : first;
}

static uint64_t group_of(uint64_t part)
{
    return (part - 1) / SQLITE_GROUP_PARTS + 1;
}

/* The view over the parts of the newest group. */
static enum outcome view_group(struct sqlite_sink *sqlite, enum table table,
                               struct fault *ret_fault)
{
    const struct part_list *parts = &sqlite->parts[table];
    struct sql_text *text = &sqlite->text;
    const char *name = table_name(table);
    unsigned long long group = group_of(parts->last);

    (void)sql_start(text, "DROP VIEW IF EXISTS %s_parts_%04llu; CREATE VIEW %s_parts_%04llu AS",
                    name, group, name, group);
    for (uint64_t part = group_first(parts, parts->last); part <= parts->last; part++) {
        (void)sql_add(text, "%s SELECT * FROM %s_%06llu",
                      part == group_first(parts, parts->last) ? "" : " UNION ALL", name,
                      (unsigned long long)part);
    }
    return sqlite_run(sqlite, text->at, "creating the view over a part", ret_fault);
}

/* The view people read: over all groups, sources and epochs by their names. */
static enum outcome view_all(struct sqlite_sink *sqlite, enum table table, struct fault *ret_fault)
{
    const struct part_list *parts = &sqlite->parts[table];
    struct sql_text *text = &sqlite->text;
    const char *name = table_name(table);

    (void)sql_start(text, "DROP VIEW IF EXISTS %s; CREATE VIEW %s AS SELECT ", name, name);
    columns_add_view(parts, text);
    (void)sql_add(text, " FROM (");
    for (uint64_t group = group_of(parts->first); group <= group_of(parts->last); group++) {
        (void)sql_add(text, "%sSELECT * FROM %s_parts_%04llu",
                      group == group_of(parts->first) ? "" : " UNION ALL ", name,
                      (unsigned long long)group);
    }
    (void)sql_add(text, ") r LEFT JOIN payonce_cursor s ON s.source = r.source");
    if (table != TABLE_TRANSACTIONS) {
        (void)sql_add(text, " LEFT JOIN payonce_cursor f ON f.source = r.first");
    }
    (void)sql_add(text, " LEFT JOIN payonce_epoch e ON e.epoch = r.epoch");
    return sqlite_run(sqlite, text->at, "creating the view over the parts", ret_fault);
}

enum outcome parts_add(struct sqlite_sink *sqlite, enum table table, struct fault *ret_fault)
{
    struct part_list *parts = &sqlite->parts[table];
    char name[SQLITE_PART_NAME];

    parts_release(parts);
    bool group_is_new = parts->last == 0 || group_of(parts->last + 1) != group_of(parts->last);
    parts->last++;
    parts->first = parts->first == 0 ? parts->last : parts->first;
    part_name(table, parts->last, name);
    (void)sql_start(&sqlite->text, "CREATE TABLE %s (", name);
    columns_add_ddl(parts, &sqlite->text);
    enum outcome outcome =
        sqlite_run(sqlite, sql_add(&sqlite->text, ")"), "creating a part", ret_fault);
    if (outcome == DONE) {
        outcome = view_group(sqlite, table, ret_fault);
    }
    return outcome == DONE && group_is_new ? view_all(sqlite, table, ret_fault) : outcome;
}

/* Drop what the query in `text` names, one by one, until it names nothing any more. */
static enum outcome drop_each(struct sqlite_sink *sqlite, const char *select, const char *verb,
                              struct fault *ret_fault)
{
    enum outcome outcome = DONE;
    bool row = true;

    while (outcome == DONE && row) {
        sqlite3_stmt *names = NULL;
        outcome = sqlite_prepare(sqlite, select, &names, ret_fault);
        if (outcome == DONE) {
            outcome = sqlite_step(sqlite, names, "listing the tables", &row, ret_fault);
        }
        if (outcome == DONE && row) {
            (void)sql_start(&sqlite->text, "%s \"%s\"", verb,
                            (const char *)sqlite3_column_text(names, 0));
        }
        (void)sqlite3_finalize(names);
        if (outcome == DONE && row) {
            outcome = sqlite_run(sqlite, sqlite->text.at, "dropping an empty part", ret_fault);
        }
    }
    return outcome;
}

enum outcome parts_drop_all(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    enum outcome outcome = drop_each(sqlite,
                                     "SELECT name FROM sqlite_schema WHERE type = 'view' AND"
                                     " (name GLOB 'payment_*' OR name GLOB 'payonce_*') LIMIT 1",
                                     "DROP VIEW", ret_fault);

    for (size_t table = 0; table < TABLE_METRICS; table++) {
        struct part_list *parts = &sqlite->parts[table];
        parts_release(parts);
        parts->first = 0;
        parts->last = 0;
        parts->indexed = 0;
        parts->next_seq = 1;
    }
    return outcome == DONE ? drop_each(sqlite,
                                       "SELECT name FROM sqlite_schema WHERE type = 'table' AND"
                                       " name GLOB 'payment_*" PART_GLOB "' LIMIT 1",
                                       "DROP TABLE", ret_fault)
                           : outcome;
}

/*
 * Built in one go. SQLite sorts in runs as large as its cache, at least sqlite_settle's, and joins
 * them: runs that fit the processor's cache sort nearly twice as fast as one large one.
 */
static enum outcome build_index(struct sqlite_sink *sqlite, const char *name,
                                struct fault *ret_fault)
{
    struct fault ignored;
    enum outcome outcome = sqlite_run(
        sqlite,
        sql_start(
            &sqlite->text,
            "PRAGMA cache_size = -%d; CREATE INDEX IF NOT EXISTS %s_id ON %s (transaction_id)",
            SQLITE_SORT_KIB, name, name),
        "building the index of a part", ret_fault);
    enum outcome back =
        sqlite_run(sqlite, sql_start(&sqlite->text, "PRAGMA cache_size = -%d", SQLITE_CACHE_KIB),
                   "after the index of a part", outcome == DONE ? ret_fault : &ignored);

    return outcome == DONE ? back : outcome;
}

enum outcome parts_index(struct sqlite_sink *sqlite, enum table table, bool also_open,
                         struct fault *ret_fault)
{
    struct part_list *parts = &sqlite->parts[table];
    uint64_t part = parts->indexed < parts->first ? parts->first : parts->indexed + 1;
    char name[SQLITE_PART_NAME];

    if (part == 0 || part > parts->last) {
        return LATER;
    }
    bool full = parts->next_seq > part * (uint64_t)sqlite->part_rows;
    bool empty = parts->next_seq == (part - 1) * (uint64_t)sqlite->part_rows + 1;
    if (!full && (!also_open || empty)) {
        return LATER;
    }
    part_name(table, part, name);
    enum outcome outcome = build_index(sqlite, name, ret_fault);
    if (outcome == DONE) {
        parts->indexed = part;
    }
    return outcome;
}

enum outcome parts_unindex(struct sqlite_sink *sqlite, enum table table, struct fault *ret_fault)
{
    struct part_list *parts = &sqlite->parts[table];
    char name[SQLITE_PART_NAME];

    must(parts->indexed == parts->last);
    must(parts->last > 0);
    part_name(table, parts->last, name);
    enum outcome outcome =
        sqlite_run(sqlite, sql_start(&sqlite->text, "DROP INDEX IF EXISTS %s_id", name),
                   "dropping the index of the open part", ret_fault);
    if (outcome == DONE) {
        parts->indexed = parts->last - 1;
    }
    return outcome;
}
