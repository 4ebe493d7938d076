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
    KEY_QUICK = 32,        /* So much is copied of every key: most have less. */
};

_Static_assert((int)NAMES_MAX >= (int)KAFKA_KEY_SIZE, "there is room for all of a key");

/*
 * A value is drawn from left to right. Each of these is told where, and says where it goes on;
 * there is room: it was reserved for the whole row.
 */
static char *put(char *to, const char *text, size_t size)
{
    memcpy(to, text, size);
    return to + size;
}

static char *put_null(char *to)
{
    return put(to, "null", 4);
}

static char *put_key(char *to, const struct kafka_key *key)
{
    memcpy(to, key->text, KEY_QUICK);
    if (key->size > KEY_QUICK) {
        memcpy(to + KEY_QUICK, key->text + KEY_QUICK, key->size - KEY_QUICK);
    }
    return to + key->size;
}

/* The same, not prepared. */
static char *put_name(char *to, const char *name, const char *suffix)
{
    to = stpcpy(stpcpy(put(to, ",\"", 2), name), suffix);
    return put(to, "\":", 2);
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

static bool word_put(char *to, const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    memcpy(to, &word, sizeof(word));
    return are_plain(word);
}

/* A text of 8 bytes or more, a word at a time, its end as a word too. False: not all is plain. */
static bool words_put(char *to, const uint8_t *at, size_t size)
{
    size_t last = size - sizeof(uint64_t);

    for (size_t index = 0; index < last; index += sizeof(uint64_t)) {
        if (!word_put(to + index, at + index)) {
            return false;
        }
    }
    return word_put(to + last, at + last);
}

static char *put_text(char *to, struct span text)
{
    const uint8_t *at = text.at;
    size_t taken;

    *to++ = '"';
    if (text.size >= sizeof(uint64_t) && words_put(to, at, text.size)) {
        to += text.size;
        *to++ = '"';
        return to;
    }
    for (size_t index = 0; index < text.size; index += taken) {
        if (is_plain(at[index])) {
            *to++ = (char)at[index];
            taken = 1;
        } else {
            to += json_escape(at + index, text.size - index, &taken, to);
        }
    }
    *to++ = '"';
    return to;
}

static char *put_text_or_null(char *to, struct span text)
{
    return text.at == NULL ? put_null(to) : put_text(to, text);
}

static char *put_number(char *to, int64_t number)
{
    if (number == NUMBER_NULL) {
        return put_null(to);
    }
    if (number < 0) {
        *to++ = '-';
        number = -number;
    }
    return to + digits_write((uint64_t)number, to);
}

static char *put_flag(char *to, int64_t number)
{
    return number == NUMBER_NULL ? put_null(to)
           : number != 0         ? put(to, "true", 4)
                                 : put(to, "false", 5);
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

/* NULL: no source of the delivery. */
static char *draw_source(char *to, const char *name, int64_t source,
                         const struct delivery *delivery)
{
    const struct origin *origin = &delivery->origins[source];

    to = put_name(to, name, "_topic");
    to = put_text(to, (struct span){origin->topic, strlen(origin->topic)});
    to = put_number(put_name(to, name, "_incarnation"), (int64_t)origin->incarnation);
    return put_number(put_name(to, name, "_partition"), (int64_t)origin->partition);
}

static char *put_no_source(char *to, const char *name)
{
    to = put_null(put_name(to, name, "_topic"));
    to = put_null(put_name(to, name, "_incarnation"));
    return put_null(put_name(to, name, "_partition"));
}

/* NULL: no source of the delivery. What was drawn of it once, in this delivery, is copied. */
static char *put_source(char *to, const char *name, int64_t source, struct kafka_sink *kafka)
{
    if (source == NUMBER_NULL) {
        return put_no_source(to, name);
    }
    if (source < 0 || source >= (int64_t)kafka->delivery->source_count) {
        return NULL;
    }
    struct kafka_shown *shown = &kafka->shown[source % KAFKA_SHOWN_MAX];
    if (shown->size == 0 || shown->source != source || shown->name != name) {
        char *end = draw_source(to, name, source, kafka->delivery);
        size_t size = (size_t)(end - to);
        if (size <= sizeof(shown->text)) {
            shown->size = size;
            shown->source = source;
            shown->name = name;
            memcpy(shown->text, to, size);
        }
        return end;
    }
    return put(to, shown->text, shown->size);
}

static char *put_verdict(char *to, int64_t number)
{
    if (number < 0 || number >= VERDICT_COUNT) {
        return NULL;
    }
    const char *name = verdict_name((enum verdict)number);
    return put_text(to, (struct span){name, strlen(name)});
}

/* NULL: a source or verdict that is none. */
static char *put_column(char *to, size_t column_index, const struct row *row,
                        struct kafka_sink *kafka)
{
    const struct column *column = &kafka->shapes[row->table].columns[column_index];
    int64_t number = row->numbers[column->index];

    if (column->kind == COLUMN_SOURCE) {
        return put_source(to, column->name, number, kafka);
    }
    to = put_key(to, &kafka->keys[row->table][column_index]);
    switch (column->kind) {
    case COLUMN_NUMBER:
        return put_number(to, number);
    case COLUMN_FLAG:
        return put_flag(to, number);
    case COLUMN_TEXT:
        return put_text_or_null(to, row->texts[column->index]);
    case COLUMN_VERDICT:
        return put_verdict(to, number);
    case COLUMN_EPOCH:
        return put_number(to, (int64_t)kafka->epoch->number);
    case COLUMN_DECIDED:
        return put_number(to, kafka->epoch->decided_ms);
    case COLUMN_SOURCE:
        break;
    }
    must_failed("every kind of column is drawn", __FILE__, __LINE__);
}

void value_prepare(struct kafka_sink *kafka, enum table table)
{
    const struct shape *shape = &kafka->shapes[table];

    shape_fill(table, &kafka->sink.settings, &kafka->shapes[table]);
    for (size_t index = 0; index < shape->column_count; index++) {
        struct kafka_key *key = &kafka->keys[table][index];
        must(strlen(shape->columns[index].name) + 4 <= sizeof(key->text));
        char *end = put_name(key->text, shape->columns[index].name, "");
        key->size = (uint8_t)(end - key->text);
    }
}

void values_begin(struct kafka_sink *kafka, const struct delivery *delivery)
{
    kafka->delivery = delivery;
    for (size_t index = 0; index < KAFKA_SHOWN_MAX; index++) {
        kafka->shown[index].size = 0;
    }
}

/* Each name was written with a comma before it. */
static struct span finish(struct kafka_sink *kafka, char *end)
{
    kafka->text[0] = '{';
    *end++ = '}';
    return (struct span){kafka->text, (size_t)(end - kafka->text)};
}

enum outcome value_of_row(struct kafka_sink *kafka, const struct row *row, struct span *ret_value,
                          struct fault *ret_fault)
{
    const struct shape *shape = &kafka->shapes[row->table];
    enum outcome outcome = shape_check_row(shape, row, kafka->sink.settings.name, ret_fault);

    if (outcome == DONE) {
        outcome = reserve(kafka, row, shape->column_count, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    char *to = kafka->text;
    for (size_t index = 0; to != NULL && index < shape->column_count; index++) {
        to = put_column(to, index, row, kafka);
    }
    if (to == NULL) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "epoch %llu: a row of %s has a source or verdict that is none",
                        (unsigned long long)kafka->epoch->number, table_name(row->table));
    }
    *ret_value = finish(kafka, to);
    return DONE;
}

static char *put_sum(char *to, const char *name, struct money_sum sum, int places)
{
    char text[MONEY_SUM_TEXT_SIZE];
    size_t size = money_sum_write(sum, places, text);

    return put_text(put_name(to, name, ""), (struct span){text, size});
}

static char *put_money(char *to, const char *name, int64_t units, int64_t scale)
{
    char text[MONEY_TEXT_SIZE];
    size_t size = money_write((struct money){units, scale}, text);

    return put_text(put_name(to, name, ""), (struct span){text, size});
}

static char *put_amounts(char *to, const struct row *row)
{
    const int64_t *numbers = row->numbers;
    struct money_sum total = window_total(row);

    to = put_sum(to, "total_amount", total, (int)numbers[METRIC_PLACES]);
    to = put_money(to, "min_amount", numbers[METRIC_MIN_UNITS], numbers[METRIC_MIN_SCALE]);
    to = put_money(to, "max_amount", numbers[METRIC_MAX_UNITS], numbers[METRIC_MAX_SCALE]);
    return put_sum(to, "avg_amount", money_average(total, (uint64_t)numbers[METRIC_COUNT]),
                   MONEY_SCALE_MAX);
}

enum outcome value_of_window(struct kafka_sink *kafka, const struct row *row,
                             struct span *ret_value, struct fault *ret_fault)
{
    const int64_t *numbers = row->numbers;

    if (reserve(kafka, row, METRIC_NUMBERS + METRIC_TEXTS, ret_fault) != DONE) {
        return BROKEN;
    }
    char *to = put_number(put_name(kafka->text, "metric_time", ""), numbers[METRIC_START_MS]);
    to = put_text(put_name(to, "region", ""), row->texts[METRIC_REGION]);
    to = put_text(put_name(to, "currency", ""), row->texts[METRIC_CURRENCY]);
    to = put_number(put_name(to, "transaction_count", ""), numbers[METRIC_COUNT]);
    to = put_amounts(to, row);
    to = put_number(put_name(to, "calculation_time", ""), kafka->epoch->decided_ms);
    to = put_number(put_name(to, "version", ""), (int64_t)kafka->epoch->number);
    to = put_flag(put_name(to, "closed", ""), numbers[METRIC_CLOSED]);
    to = put_number(put_name(to, "seq", ""), numbers[METRIC_SEQ]);
    *ret_value = finish(kafka, to);
    return DONE;
}
