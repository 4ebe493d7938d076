#include "sink/sink_sqlite.h"

#include <stdio.h>
#include <string.h>

enum outcome columns_fill(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    for (size_t table = 0; table < TABLE_METRICS; table++) {
        struct part_list *parts = &sqlite->parts[table];
        shape_fill((enum table)table, &sqlite->sink.settings, &parts->shape);
        parts->kept_count = 0;
        for (size_t index = 1; index < parts->shape.column_count; index++) {
            if (parts->shape.columns[index].kind != COLUMN_DECIDED) {
                parts->kept[parts->kept_count++] = parts->shape.columns[index];
            }
        }
        parts->kept[parts->kept_count++] = parts->shape.columns[0]; /* Seq. */
    }
    return shape_check_carry(&sqlite->sink.settings, ret_fault);
}

void columns_add_ddl(const struct part_list *parts, struct sql_text *text)
{
    for (size_t index = 0; index < parts->kept_count; index++) {
        const struct column *column = &parts->kept[index];
        bool is_text = column->kind == COLUMN_TEXT || column->kind == COLUMN_VERDICT;
        (void)sql_add(text, "%s\"%s\" %s", index == 0 ? "" : ", ", column->name,
                      index + 1 == parts->kept_count ? "INTEGER PRIMARY KEY"
                      : is_text                      ? "TEXT"
                                                     : "INTEGER");
    }
}

void columns_add_names(const struct part_list *parts, size_t count, struct sql_text *text)
{
    for (size_t index = 0; index < count; index++) {
        (void)sql_add(text, "%s\"%s\"", index == 0 ? "" : ", ", parts->kept[index].name);
    }
}

/* As people see them: r is a row, s and f its sources' cursors, e its epoch. */
void columns_add_view(const struct part_list *parts, struct sql_text *text)
{
    for (size_t index = 0; index < parts->shape.column_count; index++) {
        const struct column *column = &parts->shape.columns[index];
        const char *comma = index == 0 ? "" : ", ";
        switch (column->kind) {
        case COLUMN_SOURCE:
            (void)sql_add(text,
                          "%s%c.topic AS %s_topic, %c.incarnation AS %s_incarnation,"
                          " %c.partition AS %s_partition",
                          comma, column->name[0], column->name, column->name[0], column->name,
                          column->name[0], column->name);
            break;
        case COLUMN_DECIDED:
            (void)sql_add(text, "%se.decided_time AS %s", comma, column->name);
            break;
        case COLUMN_NUMBER:
        case COLUMN_FLAG:
        case COLUMN_TEXT:
        case COLUMN_VERDICT:
        case COLUMN_EPOCH:
            (void)sql_add(text, "%sr.\"%s\" AS \"%s\"", comma, column->name, column->name);
            break;
        }
    }
}

/* Our number of a source of the delivery. False: the ledger has no cursor of it. */
static bool source_number(const struct sqlite_sink *sqlite, int64_t source, int64_t *ret_number)
{
    if (source == NUMBER_NULL) {
        *ret_number = NUMBER_NULL;
        return true;
    }
    if (source < 0 || source >= (int64_t)sqlite->numbers_count) {
        return false;
    }
    *ret_number = sqlite->numbers[source];
    return *ret_number != SQLITE_SOURCE_UNKNOWN;
}

static void bind_number(sqlite3_stmt *statement, int place, int64_t number, int64_t *bound)
{
    if (bound == NULL || *bound != number) {
        sqlite_bind_number(statement, place, number);
    }
    if (bound != NULL) {
        *bound = number;
    }
}

static void bind_text(sqlite3_stmt *statement, int place, struct span text, int64_t *bound)
{
    if (bound == NULL || *bound != NUMBER_NULL || text.at != NULL) {
        sqlite_bind_span(statement, place, text);
    }
    if (bound != NULL) {
        *bound = text.at == NULL ? NUMBER_NULL : 0;
    }
}

static bool bind_column(const struct sqlite_sink *sqlite, sqlite3_stmt *statement, int place,
                        const struct column *column, int64_t *bound,
                        const struct waiting_row *waiting)
{
    const struct row *row = &waiting->row;
    int64_t number;

    switch (column->kind) {
    case COLUMN_NUMBER:
    case COLUMN_FLAG:
        bind_number(statement, place, row->numbers[column->index], bound);
        return true;
    case COLUMN_TEXT:
        bind_text(statement, place, row->texts[column->index], bound);
        return true;
    case COLUMN_SOURCE:
        if (!source_number(sqlite, row->numbers[column->index], &number)) {
            return false;
        }
        bind_number(statement, place, number, bound);
        return true;
    case COLUMN_VERDICT:
        number = row->numbers[column->index];
        if (number < 0 || number >= TALLY_COUNT) {
            return false;
        }
        (void)sqlite3_bind_text(statement, place, verdict_name((enum verdict)number), -1,
                                SQLITE_STATIC);
        return true;
    case COLUMN_EPOCH:
        bind_number(statement, place, (int64_t)waiting->epoch, bound);
        return true;
    case COLUMN_DECIDED:
        break;
    }
    must_failed("a time of decision is not kept with the row", __FILE__, __LINE__);
}

enum outcome columns_bind(struct sqlite_sink *sqlite, sqlite3_stmt *statement, int place,
                          size_t count, int64_t *bound, const struct waiting_row *waiting,
                          struct fault *ret_fault)
{
    const struct part_list *parts = &sqlite->parts[waiting->row.table];

    enum outcome outcome =
        shape_check_row(&parts->shape, &waiting->row, sqlite->sink.settings.name, ret_fault);

    for (size_t index = 0; outcome == DONE && index < count; index++) {
        if (!bind_column(sqlite, statement, place + (int)index, &parts->kept[index],
                         bound == NULL ? NULL : &bound[index], waiting)) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                            "epoch %llu: a row of %s has a source or verdict that is none",
                            (unsigned long long)waiting->epoch, table_name(waiting->row.table));
        }
    }
    return outcome;
}

static bool verdict_named(struct span name, int64_t *ret_verdict)
{
    for (int verdict = 0; verdict < TALLY_COUNT; verdict++) {
        const char *known = verdict_name((enum verdict)verdict);
        if (name.size == strlen(known) && memcmp(name.at, known, name.size) == 0) {
            *ret_verdict = verdict;
            return true;
        }
    }
    return false;
}

static bool read_column(sqlite3_stmt *statement, int place, const struct column *column,
                        struct row *ret_row, uint64_t *ret_epoch)
{
    switch (column->kind) {
    case COLUMN_NUMBER:
    case COLUMN_FLAG:
    case COLUMN_SOURCE:
        ret_row->numbers[column->index] = sqlite_column_number(statement, place);
        return true;
    case COLUMN_TEXT:
        ret_row->texts[column->index] = sqlite_column_span(statement, place);
        return true;
    case COLUMN_VERDICT:
        return verdict_named(sqlite_column_span(statement, place),
                             &ret_row->numbers[column->index]);
    case COLUMN_EPOCH:
        *ret_epoch = (uint64_t)sqlite3_column_int64(statement, place);
        return true;
    case COLUMN_DECIDED:
        break;
    }
    return true;
}

enum outcome columns_read(struct sqlite_sink *sqlite, enum table table, sqlite3_stmt *statement,
                          struct row *ret_row, uint64_t *ret_epoch, struct fault *ret_fault)
{
    const struct part_list *parts = &sqlite->parts[table];

    ret_row->table = table;
    ret_row->number_count = parts->shape.number_count;
    ret_row->text_count = parts->shape.text_count;
    for (size_t index = 0; index < parts->kept_count; index++) {
        if (!read_column(statement, (int)index, &parts->kept[index], ret_row, ret_epoch)) {
            return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                            "sink \"%s\" (%s): a row of %s has no verdict",
                            sqlite->sink.settings.name, sqlite->sink.settings.path,
                            table_name(table));
        }
    }
    return DONE;
}
