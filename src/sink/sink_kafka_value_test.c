#include "test/unit.h"

#include "base/json_escape.h"
#include "sink/sample.h"
#include "sink/sink_kafka.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_SIZE = 19, SHOWN_SIZE = JSON_ESCAPE_MAX * TEXT_SIZE + 3 };

static struct kafka_sink kafka;
static struct row row;
static struct fault fault;
static const struct delivery delivery;
static struct epoch epoch;

/* A row of the payments' table, in which everything is absent. */
static int begin(void **unused)
{
    sample_settings(&kafka.sink.settings, "");
    shape_fill(TABLE_TRANSACTIONS, &kafka.sink.settings, &kafka.shapes[TABLE_TRANSACTIONS]);
    kafka.delivery = &delivery;
    kafka.epoch = &epoch;
    row = (struct row){.table = TABLE_TRANSACTIONS,
                       .number_count = kafka.shapes[TABLE_TRANSACTIONS].number_count,
                       .text_count = kafka.shapes[TABLE_TRANSACTIONS].text_count};
    for (size_t index = 0; index < row.number_count; index++) {
        row.numbers[index] = NUMBER_NULL;
    }
    return 0;
}

static int end(void **unused)
{
    free(kafka.text);
    return 0;
}

static void check_value(const char *begins)
{
    struct span value;

    assert_int_equal(value_of_row(&kafka, &row, &value, &fault), DONE);
    assert_true(value.size > strlen(begins));
    assert_memory_equal(value.at, begins, strlen(begins));
}

static void numbers_are_written_to_the_last_digit(void **unused)
{
    static const struct {
        int64_t number;
        const char *begins;
    } numbers[] = {
        {0, "{\"seq\":0,"},
        {9, "{\"seq\":9,"},
        {10, "{\"seq\":10,"},
        {-1, "{\"seq\":-1,"},
        {1767225600000, "{\"seq\":1767225600000,"},
        {INT64_MAX, "{\"seq\":9223372036854775807,"},
        {INT64_MIN + 1, "{\"seq\":-9223372036854775807,"},
        {NUMBER_NULL, "{\"seq\":null,"},
    };

    for (size_t index = 0; index < sizeof(numbers) / sizeof(numbers[0]); index++) {
        row.numbers[0] = numbers[index].number;
        check_value(numbers[index].begins);
    }
}

/* Byte by byte, as json_escape has it. */
static void show(const uint8_t *text, char *ret_shown)
{
    size_t size = (size_t)sprintf(ret_shown, "{\"seq\":1,\"transaction_id\":\"");
    size_t taken;

    for (size_t index = 0; index < TEXT_SIZE; index += taken) {
        size += json_escape(text + index, TEXT_SIZE - index, &taken, ret_shown + size);
    }
    memcpy(ret_shown + size, "\",", 3);
}

static void every_byte_is_escaped_wherever_it_stands(void **unused)
{
    uint8_t text[TEXT_SIZE];
    char shown[64 + SHOWN_SIZE];

    row.numbers[0] = 1;
    row.texts[kafka.shapes[TABLE_TRANSACTIONS].key] = (struct span){text, sizeof(text)};
    for (size_t at = 0; at < TEXT_SIZE; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            memset(text, '~', sizeof(text));
            text[at] = (uint8_t)byte;
            show(text, shown);
            check_value(shown);
            text[(at + 1) % TEXT_SIZE] = (uint8_t)byte;
            text[(at + 3) % TEXT_SIZE] = ' ';
            show(text, shown);
            check_value(shown);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_to_the_last_digit),
        cmocka_unit_test(every_byte_is_escaped_wherever_it_stands),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
