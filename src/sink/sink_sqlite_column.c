#include "sink/sink_sqlite.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The carried columns stand where the one without a name is. */
static const struct column transactions_columns[] = {
    {"seq", COLUMN_NUMBER, TRANSACTION_SEQ},
    {"transaction_id", COLUMN_TEXT, TRANSACTION_ID},
    {"sender_account_id", COLUMN_TEXT, TRANSACTION_SENDER},
    {"receiver_account_id", COLUMN_TEXT, TRANSACTION_RECEIVER},
    {"amount", COLUMN_TEXT, TRANSACTION_AMOUNT},
    {"amount_units", COLUMN_NUMBER, TRANSACTION_UNITS},
    {"amount_scale", COLUMN_NUMBER, TRANSACTION_SCALE},
    {"currency", COLUMN_TEXT, TRANSACTION_CURRENCY},
    {"event_time", COLUMN_NUMBER, TRANSACTION_EVENT_MS},
    {"processing_time", COLUMN_DECIDED, 0},
    {NULL, COLUMN_TEXT, TRANSACTION_CARRY},
    {"fraud_score", COLUMN_NUMBER, TRANSACTION_FRAUD_SCORE},
    {"is_high_risk", COLUMN_NUMBER, TRANSACTION_HIGH_RISK},
    {"velocity_60s", COLUMN_NUMBER, TRANSACTION_VELOCITY_60S},
    {"count_5m", COLUMN_NUMBER, TRANSACTION_COUNT_5M},
    {"look_alike_of", COLUMN_TEXT, TRANSACTION_LOOK_ALIKE_OF},
    {"source", COLUMN_SOURCE, TRANSACTION_SOURCE},
    {"source_offset", COLUMN_NUMBER, TRANSACTION_OFFSET},
    {"epoch", COLUMN_EPOCH, 0},
    {"arrival_time", COLUMN_NUMBER, TRANSACTION_ARRIVAL_MS},
};

static const struct column duplicates_columns[] = {
    {"seq", COLUMN_NUMBER, DUPLICATE_SEQ},
    {"transaction_id", COLUMN_TEXT, DUPLICATE_ID},
    {"amount", COLUMN_TEXT, DUPLICATE_AMOUNT},
    {"amount_units", COLUMN_NUMBER, DUPLICATE_UNITS},
    {"amount_scale", COLUMN_NUMBER, DUPLICATE_SCALE},
    {"currency", COLUMN_TEXT, DUPLICATE_CURRENCY},
    {"event_time", COLUMN_NUMBER, DUPLICATE_EVENT_MS},
    {"earlier", COLUMN_NUMBER, DUPLICATE_EARLIER},
    {"first", COLUMN_SOURCE, DUPLICATE_FIRST_SOURCE},
    {"first_offset", COLUMN_NUMBER, DUPLICATE_FIRST_OFFSET},
    {"first_event_time", COLUMN_NUMBER, DUPLICATE_FIRST_EVENT_MS},
    {"source", COLUMN_SOURCE, DUPLICATE_SOURCE},
    {"source_offset", COLUMN_NUMBER, DUPLICATE_OFFSET},
    {"detected_time", COLUMN_DECIDED, 0},
    {"epoch", COLUMN_EPOCH, 0},
    {"arrival_time", COLUMN_NUMBER, DUPLICATE_ARRIVAL_MS},
};

static const struct column dead_letters_columns[] = {
    {"seq", COLUMN_NUMBER, DEAD_SEQ},
    {"verdict", COLUMN_VERDICT, DEAD_VERDICT},
    {"reason", COLUMN_TEXT, DEAD_REASON},
    {"sentence", COLUMN_TEXT, DEAD_SENTENCE},
    {"field", COLUMN_TEXT, DEAD_FIELD},
    {"known_id", COLUMN_NUMBER, DEAD_KNOWN_ID},
    {"position", COLUMN_NUMBER, DEAD_POSITION},
    {"size", COLUMN_NUMBER, DEAD_SIZE},
    {"excerpt", COLUMN_TEXT, DEAD_EXCERPT},
    {"transaction_id", COLUMN_TEXT, DEAD_ID},
    {"sender_account_id", COLUMN_TEXT, DEAD_SENDER},
    {"receiver_account_id", COLUMN_TEXT, DEAD_RECEIVER},
    {"amount", COLUMN_TEXT, DEAD_AMOUNT},
    {"amount_units", COLUMN_NUMBER, DEAD_UNITS},
    {"amount_scale", COLUMN_NUMBER, DEAD_SCALE},
    {"currency", COLUMN_TEXT, DEAD_CURRENCY},
    {"event_time", COLUMN_NUMBER, DEAD_EVENT_MS},
    {NULL, COLUMN_TEXT, DEAD_CARRY},
    {"first", COLUMN_SOURCE, DEAD_FIRST_SOURCE},
    {"first_offset", COLUMN_NUMBER, DEAD_FIRST_OFFSET},
    {"source", COLUMN_SOURCE, DEAD_SOURCE},
    {"source_offset", COLUMN_NUMBER, DEAD_OFFSET},
    {"detected_time", COLUMN_DECIDED, 0},
    {"epoch", COLUMN_EPOCH, 0},
    {"arrival_time", COLUMN_NUMBER, DEAD_ARRIVAL_MS},
};

static const struct {
    const struct column *columns;
    size_t count;
    uint8_t number_count;
    uint8_t text_count; /* Without the carried ones. */
    bool carries;
} shapes[TABLE_METRICS] = {
    [TABLE_TRANSACTIONS] = {transactions_columns,
                            sizeof(transactions_columns) / sizeof(transactions_columns[0]),
                            TRANSACTION_NUMBERS, TRANSACTION_CARRY, true},
    [TABLE_DUPLICATES] = {duplicates_columns,
                          sizeof(duplicates_columns) / sizeof(duplicates_columns[0]),
                          DUPLICATE_NUMBERS, DUPLICATE_TEXTS, false},
    [TABLE_DEAD_LETTERS] = {dead_letters_columns,
                            sizeof(dead_letters_columns) / sizeof(dead_letters_columns[0]),
                            DEAD_NUMBERS, DEAD_CARRY, true},
};

/* Letters, digits and '_', not a digit first. */
static bool name_plain(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_';
        if (!letter && !(at > name && *at >= '0' && *at <= '9')) {
            return false;
        }
    }
    return *name != '\0';
}

/* Does a carried field have the name of a column that a view shows anyway? */
static bool name_taken(const char *name)
{
    static const char *const shown[] = {"source_topic", "source_incarnation", "source_partition",
                                        "first_topic",  "first_incarnation",  "first_partition"};

    for (size_t index = 0; index < sizeof(shown) / sizeof(shown[0]); index++) {
        if (strcasecmp(name, shown[index]) == 0) {
            return true;
        }
    }
    for (size_t table = 0; table < TABLE_METRICS; table++) {
        for (size_t index = 0; index < shapes[table].count; index++) {
            const char *column = shapes[table].columns[index].name;
            if (column != NULL && strcasecmp(name, column) == 0) {
                return true;
            }
        }
    }
    return false;
}

static enum outcome check_carry(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    const struct sink_settings *settings = &sqlite->sink.settings;

    for (uint32_t index = 0; index < settings->carry_count; index++) {
        const char *name = settings->carry[index];
        bool twice = false;
        for (uint32_t other = 0; other < index; other++) {
            twice = twice || strcasecmp(name, settings->carry[other]) == 0;
        }
        if (!name_plain(name) || name_taken(name) || twice) {
            return fault_is(ret_fault, BROKEN, FAULT_SINK_SCHEMA,
                            "sink \"%s\": payment.carry names \"%s\", which cannot be a column of"
                            " its own: %s",
                            settings->name, name,
                            !name_plain(name) ? "letters, digits and _ only, a letter first"
                            : twice           ? "it is named twice"
                                              : "the tables have a column of that name");
        }
    }
    return DONE;
}

static void add_column(struct part_list *parts, const struct column *column)
{
    parts->columns[parts->column_count++] = *column;
    if (column->kind != COLUMN_DECIDED && parts->column_count > 1) {
        parts->kept[parts->kept_count++] = *column;
    }
}

enum outcome columns_fill(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    const struct sink_settings *settings = &sqlite->sink.settings;

    for (size_t table = 0; table < TABLE_METRICS; table++) {
        struct part_list *parts = &sqlite->parts[table];
        parts->column_count = 0;
        parts->kept_count = 0;
        for (size_t index = 0; index < shapes[table].count; index++) {
            struct column column = shapes[table].columns[index];
            if (column.name != NULL) {
                add_column(parts, &column);
                continue;
            }
            uint8_t first = column.index;
            for (uint32_t carry = 0; carry < settings->carry_count; carry++) {
                column.name = settings->carry[carry];
                column.index = (uint8_t)(first + carry);
                add_column(parts, &column);
            }
        }
        parts->kept[parts->kept_count++] = parts->columns[0]; /* Seq. */
    }
    return check_carry(sqlite, ret_fault);
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
    for (size_t index = 0; index < parts->column_count; index++) {
        const struct column *column = &parts->columns[index];
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
        case COLUMN_TEXT:
        case COLUMN_VERDICT:
        case COLUMN_EPOCH:
            (void)sql_add(text, "%sr.\"%s\" AS \"%s\"", comma, column->name, column->name);
            break;
        }
    }
}

static enum outcome wrong_shape(struct sqlite_sink *sqlite, const struct row *row,
                                struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SINK_SCHEMA,
                    "sink \"%s\": a row of %s has %u numbers and %u texts; with payment.carry as"
                    " it is now it would have %u and %u",
                    sqlite->sink.settings.name, table_name(row->table), row->number_count,
                    row->text_count, shapes[row->table].number_count,
                    shapes[row->table].text_count +
                        (shapes[row->table].carries ? sqlite->sink.settings.carry_count : 0));
}

static bool shape_fits(const struct sqlite_sink *sqlite, const struct row *row)
{
    size_t carried = shapes[row->table].carries ? sqlite->sink.settings.carry_count : 0;

    return row->number_count == shapes[row->table].number_count &&
           row->text_count == shapes[row->table].text_count + carried;
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

    if (!shape_fits(sqlite, &waiting->row)) {
        return wrong_shape(sqlite, &waiting->row, ret_fault);
    }
    for (size_t index = 0; index < count; index++) {
        if (!bind_column(sqlite, statement, place + (int)index, &parts->kept[index],
                         bound == NULL ? NULL : &bound[index], waiting)) {
            return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                            "epoch %llu: a row of %s has a source or verdict that is none",
                            (unsigned long long)waiting->epoch, table_name(waiting->row.table));
        }
    }
    return DONE;
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
    ret_row->number_count = shapes[table].number_count;
    ret_row->text_count =
        (uint8_t)(shapes[table].text_count +
                  (shapes[table].carries ? sqlite->sink.settings.carry_count : 0));
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
