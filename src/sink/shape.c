#include "sink/shape.h"

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
    {"is_high_risk", COLUMN_FLAG, TRANSACTION_HIGH_RISK},
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
    {"earlier", COLUMN_FLAG, DUPLICATE_EARLIER},
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
    {"known_id", COLUMN_FLAG, DEAD_KNOWN_ID},
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
    uint8_t key;
    bool carries;
} shapes[TABLE_METRICS] = {
    [TABLE_TRANSACTIONS] = {transactions_columns,
                            sizeof(transactions_columns) / sizeof(transactions_columns[0]),
                            TRANSACTION_NUMBERS, TRANSACTION_CARRY, TRANSACTION_ID, true},
    [TABLE_DUPLICATES] = {duplicates_columns,
                          sizeof(duplicates_columns) / sizeof(duplicates_columns[0]),
                          DUPLICATE_NUMBERS, DUPLICATE_TEXTS, DUPLICATE_ID, false},
    [TABLE_DEAD_LETTERS] = {dead_letters_columns,
                            sizeof(dead_letters_columns) / sizeof(dead_letters_columns[0]),
                            DEAD_NUMBERS, DEAD_CARRY, DEAD_ID, true},
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

enum outcome shape_check_carry(const struct sink_settings *settings, struct fault *ret_fault)
{
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

void shape_fill(enum table table, const struct sink_settings *settings, struct shape *ret_shape)
{
    must(table < TABLE_METRICS);
    uint32_t carried = shapes[table].carries ? settings->carry_count : 0;

    ret_shape->number_count = shapes[table].number_count;
    ret_shape->text_count = (uint8_t)(shapes[table].text_count + carried);
    ret_shape->key = shapes[table].key;
    ret_shape->column_count = 0;
    for (size_t index = 0; index < shapes[table].count; index++) {
        struct column column = shapes[table].columns[index];
        if (column.name != NULL) {
            ret_shape->columns[ret_shape->column_count++] = column;
            continue;
        }
        uint8_t first = column.index;
        for (uint32_t carry = 0; carry < carried; carry++) {
            column.name = settings->carry[carry];
            column.index = (uint8_t)(first + carry);
            ret_shape->columns[ret_shape->column_count++] = column;
        }
    }
}

enum outcome shape_check_row(const struct shape *shape, const struct row *row,
                             const char *sink_name, struct fault *ret_fault)
{
    if (row->number_count == shape->number_count && row->text_count == shape->text_count) {
        return DONE;
    }
    return fault_is(ret_fault, BROKEN, FAULT_SINK_SCHEMA,
                    "sink \"%s\": a row of %s has %u numbers and %u texts; with payment.carry as"
                    " it is now it would have %u and %u",
                    sink_name, table_name(row->table), row->number_count, row->text_count,
                    shape->number_count, shape->text_count);
}

bool window_sane(const struct row *row)
{
    const int64_t *numbers = row->numbers;

    return row->number_count == METRIC_NUMBERS && row->text_count == METRIC_TEXTS &&
           numbers[METRIC_COUNT] > 0 && numbers[METRIC_PLACES] >= 0 &&
           numbers[METRIC_PLACES] <= MONEY_SCALE_MAX && numbers[METRIC_MIN_SCALE] >= 0 &&
           numbers[METRIC_MIN_SCALE] <= MONEY_SCALE_MAX && numbers[METRIC_MAX_SCALE] >= 0 &&
           numbers[METRIC_MAX_SCALE] <= MONEY_SCALE_MAX;
}

struct money_sum window_total(const struct row *row)
{
    __extension__ unsigned __int128 wide =
        (unsigned __int128)(uint64_t)row->numbers[METRIC_TOTAL_HIGH] << 64 |
        (uint64_t)row->numbers[METRIC_TOTAL_LOW];

    return (struct money_sum){(money_wide)wide};
}
