/* JSON in the order of the columns; money as text, times in milliseconds, what is absent null. */
#include "base/digits.h"
#include "base/instant.h"
#include "base/json_escape.h"
#include "sink/sink_kafka.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAMES_MAX = 256,       /* Of one column, shown as three names: with quotes, colon, comma. */
    NUMBER_TEXT_SIZE = 24, /* Sign, 19 digits and a zero byte. */
};

/* A value being drawn; there is room: it was reserved for the whole row. */
struct drawing {
    char *at;
    size_t size;
};

static void add(struct drawing *drawing, const char *text, size_t size)
{
    memcpy(drawing->at + drawing->size, text, size);
    drawing->size += size;
}

static void add_key(struct drawing *drawing, const char *name, const char *suffix)
{
    char *to = drawing->at + drawing->size;

    memcpy(to, drawing->size == 0 ? "{\"" : ",\"", 2);
    to = stpcpy(stpcpy(to + 2, name), suffix);
    memcpy(to, "\":", 2);
    drawing->size = (size_t)(to + 2 - drawing->at);
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* All eight of them? A byte that is not, and perhaps those above it, has its high bit set here. */
static bool are_plain(uint64_t word)
{
    uint64_t quote = word ^ DIGITS_ONES * '"';
    uint64_t backslash = word ^ DIGITS_ONES * '\\';
    uint64_t strange = (word - DIGITS_ONES * 0x20) | (word + DIGITS_ONES) | word |
                       (quote - DIGITS_ONES) | (backslash - DIGITS_ONES);

    return (strange & DIGITS_ONES * 0x80) == 0;
}

static void add_text(struct drawing *drawing, struct span text)
{
    const uint8_t *at = text.at;
    char *to = drawing->at + drawing->size;
    size_t taken;
    uint64_t word;

    *to++ = '"';
    for (size_t index = 0; index < text.size; index += taken) {
        if (text.size - index >= sizeof(word) &&
            (memcpy(&word, at + index, sizeof(word)), are_plain(word))) {
            memcpy(to, &word, sizeof(word));
            to += sizeof(word);
            taken = sizeof(word);
        } else if (is_plain(at[index])) {
            *to++ = (char)at[index];
            taken = 1;
        } else {
            to += json_escape(at + index, text.size - index, &taken, to);
        }
    }
    *to++ = '"';
    drawing->size = (size_t)(to - drawing->at);
}

static void add_text_or_null(struct drawing *drawing, struct span text)
{
    if (text.at == NULL) {
        add(drawing, "null", 4);
    } else {
        add_text(drawing, text);
    }
}

static void add_number(struct drawing *drawing, int64_t number)
{
    if (number == NUMBER_NULL) {
        add(drawing, "null", 4);
        return;
    }
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char digits[NUMBER_TEXT_SIZE];
    char *first = digits + sizeof(digits);
    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0) {
        *--first = '-';
    }
    add(drawing, first, (size_t)(digits + sizeof(digits) - first));
}

static void add_flag(struct drawing *drawing, int64_t number)
{
    const char *word = number == NUMBER_NULL ? "null" : number != 0 ? "true" : "false";

    add(drawing, word, strlen(word));
}

/* The most that all of it can come to. */
static enum outcome reserve(struct kafka_sink *kafka, const struct row *row, size_t columns,
                            struct fault *ret_fault)
{
    size_t most = 16 + columns * (NAMES_MAX + 3 * NUMBER_TEXT_SIZE) +
                  2 * JSON_ESCAPE_MAX * (size_t)TOPIC_TEXT_MAX;

    for (size_t index = 0; index < row->text_count; index++) {
        most += JSON_ESCAPE_MAX * row->texts[index].size;
    }
    if (most <= kafka->text_size) {
        return DONE;
    }
    char *text = realloc(kafka->text, 2 * most);
    if (text == NULL) {
        return fault_is(ret_fault, BROKEN, FAULT_MEMORY, "no memory for a record of sink \"%s\"",
                        kafka->sink.settings.name);
    }
    kafka->text = text;
    kafka->text_size = 2 * most;
    return DONE;
}

/* False: no source of the delivery. */
static bool add_source(struct drawing *drawing, const char *name, int64_t source,
                       const struct delivery *delivery)
{
    if (source != NUMBER_NULL && (source < 0 || source >= (int64_t)delivery->source_count)) {
        return false;
    }
    const struct origin *origin = source == NUMBER_NULL ? NULL : &delivery->origins[source];
    add_key(drawing, name, "_topic");
    add_text_or_null(drawing, origin == NULL ? (struct span){NULL, 0}
                                             : (struct span){origin->topic, strlen(origin->topic)});
    add_key(drawing, name, "_incarnation");
    add_number(drawing, origin == NULL ? NUMBER_NULL : (int64_t)origin->incarnation);
    add_key(drawing, name, "_partition");
    add_number(drawing, origin == NULL ? NUMBER_NULL : (int64_t)origin->partition);
    return true;
}

/* False: a source or verdict that is none. */
static bool add_column(struct drawing *drawing, const struct column *column, const struct row *row,
                       const struct kafka_sink *kafka)
{
    int64_t number = row->numbers[column->index];

    if (column->kind == COLUMN_SOURCE) {
        return add_source(drawing, column->name, number, kafka->delivery);
    }
    add_key(drawing, column->name, "");
    switch (column->kind) {
    case COLUMN_NUMBER:
        add_number(drawing, number);
        return true;
    case COLUMN_FLAG:
        add_flag(drawing, number);
        return true;
    case COLUMN_TEXT:
        add_text_or_null(drawing, row->texts[column->index]);
        return true;
    case COLUMN_VERDICT:
        if (number < 0 || number >= VERDICT_COUNT) {
            return false;
        }
        const char *name = verdict_name((enum verdict)number);
        add_text(drawing, (struct span){name, strlen(name)});
        return true;
    case COLUMN_EPOCH:
        add_number(drawing, (int64_t)kafka->epoch->number);
        return true;
    case COLUMN_DECIDED:
        add_number(drawing, kafka->epoch->decided_ms);
        return true;
    case COLUMN_SOURCE:
        break;
    }
    must_failed("every kind of column is drawn", __FILE__, __LINE__);
}

enum outcome value_of_row(struct kafka_sink *kafka, const struct row *row, struct span *ret_value,
                          struct fault *ret_fault)
{
    const struct shape *shape = &kafka->shapes[row->table];
    enum outcome outcome = shape_check_row(shape, row, kafka->sink.settings.name, ret_fault);

    if (outcome == DONE) {
        outcome = reserve(kafka, row, shape->column_count, ret_fault);
    }
    struct drawing drawing = {.at = kafka->text};
    for (size_t index = 0; outcome == DONE && index < shape->column_count; index++) {
        if (!add_column(&drawing, &shape->columns[index], row, kafka)) {
            outcome = fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                               "epoch %llu: a row of %s has a source or verdict that is none",
                               (unsigned long long)kafka->epoch->number, table_name(row->table));
        }
    }
    if (outcome == DONE) {
        add(&drawing, "}", 1);
        *ret_value = (struct span){drawing.at, drawing.size};
    }
    return outcome;
}

static void add_sum(struct drawing *drawing, const char *name, struct money_sum sum, int places)
{
    char text[MONEY_SUM_TEXT_SIZE];
    size_t size = money_sum_write(sum, places, text);

    add_key(drawing, name, "");
    add_text(drawing, (struct span){text, size});
}

static void add_money(struct drawing *drawing, const char *name, int64_t units, int64_t scale)
{
    char text[MONEY_TEXT_SIZE];
    size_t size = money_write((struct money){units, scale}, text);

    add_key(drawing, name, "");
    add_text(drawing, (struct span){text, size});
}

static void add_amounts(struct drawing *drawing, const struct row *row)
{
    const int64_t *numbers = row->numbers;
    struct money_sum total = window_total(row);

    add_sum(drawing, "total_amount", total, (int)numbers[METRIC_PLACES]);
    add_money(drawing, "min_amount", numbers[METRIC_MIN_UNITS], numbers[METRIC_MIN_SCALE]);
    add_money(drawing, "max_amount", numbers[METRIC_MAX_UNITS], numbers[METRIC_MAX_SCALE]);
    add_sum(drawing, "avg_amount", money_average(total, (uint64_t)numbers[METRIC_COUNT]),
            MONEY_SCALE_MAX);
}

enum outcome value_of_window(struct kafka_sink *kafka, const struct row *row,
                             struct span *ret_value, struct fault *ret_fault)
{
    const int64_t *numbers = row->numbers;

    if (reserve(kafka, row, METRIC_NUMBERS + METRIC_TEXTS, ret_fault) != DONE) {
        return BROKEN;
    }
    struct drawing drawing = {.at = kafka->text};
    add_key(&drawing, "metric_time", "");
    add_number(&drawing, numbers[METRIC_START_MS]);
    add_key(&drawing, "region", "");
    add_text(&drawing, row->texts[METRIC_REGION]);
    add_key(&drawing, "currency", "");
    add_text(&drawing, row->texts[METRIC_CURRENCY]);
    add_key(&drawing, "transaction_count", "");
    add_number(&drawing, numbers[METRIC_COUNT]);
    add_amounts(&drawing, row);
    add_key(&drawing, "calculation_time", "");
    add_number(&drawing, kafka->epoch->decided_ms);
    add_key(&drawing, "version", "");
    add_number(&drawing, (int64_t)kafka->epoch->number);
    add_key(&drawing, "closed", "");
    add_flag(&drawing, numbers[METRIC_CLOSED]);
    add_key(&drawing, "seq", "");
    add_number(&drawing, numbers[METRIC_SEQ]);
    add(&drawing, "}", 1);
    *ret_value = (struct span){drawing.at, drawing.size};
    return DONE;
}
