#include "sink/sink_sqlite.h"

void insert_forget(struct sqlite_sink *sqlite)
{
    for (size_t table = 0; table < TABLE_METRICS; table++) {
        sqlite->waiting_count[table] = 0;
    }
}

/* So many rows of the first `count` kept columns. */
static enum outcome prepare_insert(struct sqlite_sink *sqlite, enum table table, size_t row_count,
                                   size_t count, sqlite3_stmt **ret_statement,
                                   struct fault *ret_fault)
{
    const struct part_list *parts = &sqlite->parts[table];
    char name[SQLITE_PART_NAME];

    part_name(table, parts->last, name);
    (void)sql_start(&sqlite->text, "INSERT INTO %s (", name);
    columns_add_names(parts, count, &sqlite->text);
    (void)sql_add(&sqlite->text, ") VALUES ");
    for (size_t row = 0; row < row_count; row++) {
        (void)sql_add(&sqlite->text, "%s", row == 0 ? "(" : ", (");
        for (size_t column = 0; column < count; column++) {
            (void)sql_add(&sqlite->text, "%s", column == 0 ? "?" : ",?");
        }
        (void)sql_add(&sqlite->text, ")");
    }
    return sqlite_prepare(sqlite, sqlite->text.at, ret_statement, ret_fault);
}

/* A new statement has nothing bound, and that is NULL. */
static void forget_bound(struct part_list *parts)
{
    for (size_t row = 0; row < SQLITE_BATCH_ROWS; row++) {
        for (size_t column = 0; column < SHAPE_COLUMNS_MAX; column++) {
            parts->bound[row][column] = NUMBER_NULL;
        }
    }
}

/* The statements for the open part; a new part if this seq is beyond it. */
static enum outcome ready_part(struct sqlite_sink *sqlite, enum table table, uint64_t part,
                               struct fault *ret_fault)
{
    struct part_list *parts = &sqlite->parts[table];
    enum outcome outcome = DONE;

    while (outcome == DONE && parts->last < part) {
        outcome = parts_add(sqlite, table, ret_fault);
    }
    if (outcome != DONE || parts->insert_part == parts->last) {
        return outcome;
    }
    parts_release(parts);
    outcome = prepare_insert(sqlite, table, SQLITE_BATCH_ROWS, parts->kept_count - 1,
                             &parts->insert_many, ret_fault);
    if (outcome == DONE) {
        outcome =
            prepare_insert(sqlite, table, 1, parts->kept_count, &parts->insert_one, ret_fault);
    }
    forget_bound(parts);
    parts->insert_part = outcome == DONE ? parts->last : 0;
    return outcome;
}

static enum outcome not_dense(struct sqlite_sink *sqlite, enum table table, uint64_t seq,
                              uint64_t wanted, struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                    "sink \"%s\" (%s): row %llu of %s was to follow on row %llu",
                    sqlite->sink.settings.name, sqlite->sink.settings.path, (unsigned long long)seq,
                    table_name(table), (unsigned long long)wanted - 1);
}

static enum outcome insert_one(struct sqlite_sink *sqlite, const struct waiting_row *waiting,
                               struct fault *ret_fault)
{
    sqlite3_stmt *statement = sqlite->parts[waiting->row.table].insert_one;
    enum outcome outcome =
        columns_bind(sqlite, statement, 1, sqlite->parts[waiting->row.table].kept_count, NULL,
                     waiting, ret_fault);

    return outcome == DONE ? sqlite_change_one(sqlite, statement, "inserting a row", ret_fault)
                           : outcome;
}

/* A whole batch behind the rows there are. */
static enum outcome insert_many(struct sqlite_sink *sqlite, const struct waiting_row *rows,
                                struct fault *ret_fault)
{
    struct part_list *parts = &sqlite->parts[rows->row.table];
    int columns = (int)parts->kept_count - 1;
    int64_t last = rows[SQLITE_BATCH_ROWS - 1].row.numbers[0];
    enum outcome outcome = DONE;
    bool row;

    for (int index = 0; outcome == DONE && index < SQLITE_BATCH_ROWS; index++) {
        outcome = columns_bind(sqlite, parts->insert_many, 1 + columns * index, (size_t)columns,
                               parts->bound[index], &rows[index], ret_fault);
    }
    if (outcome == DONE) {
        outcome = sqlite_step(sqlite, parts->insert_many, "inserting rows", &row, ret_fault);
    }
    if (outcome == DONE && sqlite3_last_insert_rowid(sqlite->database) != last) {
        outcome = not_dense(sqlite, rows->row.table,
                            (uint64_t)sqlite3_last_insert_rowid(sqlite->database), (uint64_t)last,
                            ret_fault);
    }
    return outcome;
}

/* All that waits for one table; it belongs into one part. The first of a part tells its seq. */
static enum outcome insert_table(struct sqlite_sink *sqlite, enum table table,
                                 struct fault *ret_fault)
{
    const struct waiting_row *rows = sqlite->waiting[table];
    size_t count = sqlite->waiting_count[table];
    enum outcome outcome = DONE;

    sqlite->waiting_count[table] = 0;
    if (count == SQLITE_BATCH_ROWS && (rows->row.numbers[0] - 1) % sqlite->part_rows != 0) {
        return insert_many(sqlite, rows, ret_fault);
    }
    for (size_t index = 0; outcome == DONE && index < count; index++) {
        outcome = insert_one(sqlite, &rows[index], ret_fault);
    }
    return outcome;
}

enum outcome insert_waiting(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    for (size_t table = 0; outcome == DONE && table < TABLE_METRICS; table++) {
        outcome = insert_table(sqlite, (enum table)table, ret_fault);
    }
    return outcome;
}

/* The row has been read into its place among the waiting ones. */
static enum outcome insert_row(struct sqlite_sink *sqlite, enum table table, uint64_t epoch,
                               struct fault *ret_fault)
{
    struct part_list *parts = &sqlite->parts[table];
    struct waiting_row *waiting = &sqlite->waiting[table][sqlite->waiting_count[table]];
    uint64_t seq = (uint64_t)waiting->row.numbers[0]; /* Seq is the first number everywhere. */
    enum outcome outcome = DONE;

    if (seq != parts->next_seq) {
        return not_dense(sqlite, table, seq, parts->next_seq, ret_fault);
    }
    if (part_of(sqlite, seq) != parts->insert_part) {
        struct waiting_row first = *waiting;
        outcome = insert_table(sqlite, table, ret_fault);
        if (outcome == DONE) {
            outcome = ready_part(sqlite, table, part_of(sqlite, seq), ret_fault);
        }
        waiting = &sqlite->waiting[table][0];
        *waiting = first;
    }
    waiting->epoch = epoch;
    parts->next_seq++;
    sqlite->waiting_count[table]++;
    if (outcome == DONE && sqlite->waiting_count[table] == SQLITE_BATCH_ROWS) {
        outcome = insert_table(sqlite, table, ret_fault);
    }
    return outcome;
}

_Static_assert(TRANSACTION_SEQ == 0, "seq is the first number of every row");
_Static_assert(DUPLICATE_SEQ == 0, "seq is the first number of every row");
_Static_assert(DEAD_SEQ == 0, "seq is the first number of every row");
_Static_assert(METRIC_SEQ == 0, "seq is the first number of every row");

/* Where the table's next row is read to; a metrics row goes where nothing waits. */
static struct row *place_of(struct sqlite_sink *sqlite, struct span bytes, struct row *spare)
{
    uint8_t table = bytes.size > 4 ? ((const uint8_t *)bytes.at)[4] : TABLE_METRICS;

    return table < TABLE_METRICS ? &sqlite->waiting[table][sqlite->waiting_count[table]].row
                                 : spare;
}

static enum outcome insert_any(struct sqlite_sink *sqlite, const struct epoch *epoch,
                               const struct row *row, struct fault *ret_fault)
{
    if (row->table == TABLE_METRICS) {
        return metric_write(sqlite, row, epoch, ret_fault);
    }
    if (row->table == TABLE_DUPLICATES) {
        int64_t source = row->numbers[DUPLICATE_SOURCE];
        if (source >= 0 && source < SOURCES_MAX) {
            sqlite->duplicates[source]++;
        }
    }
    return sqlite->sink.settings.cursors_only
               ? DONE
               : insert_row(sqlite, row->table, epoch->number, ret_fault);
}

enum outcome insert_rows(struct sqlite_sink *sqlite, const struct epoch *epoch,
                         struct fault *ret_fault)
{
    struct span left = {epoch->rows.at, epoch->rows.size};
    enum outcome outcome = DONE;
    struct row spare;

    while (outcome == DONE && left.size > 0) {
        struct row *row = place_of(sqlite, left, &spare);
        size_t size = row_read(left, row);
        if (size == 0) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                            "epoch %llu: a row that is none, %zu bytes before its end",
                            (unsigned long long)epoch->number, left.size);
        }
        outcome = insert_any(sqlite, epoch, row, ret_fault);
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
    return outcome;
}
