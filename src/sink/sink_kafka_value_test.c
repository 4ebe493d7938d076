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
    value_prepare(&kafka, TABLE_TRANSACTIONS);
    values_begin(&kafka, &delivery);
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

static void numbers_of_every_length_are_written_as_they_are(void **unused)
{
    char begins[64];
    int64_t power = 1;

    for (int digits = 1; digits <= 19; digits++, power *= digits <= 19 ? 10 : 1) {
        for (int64_t beside = -1; beside <= 1; beside++) {
            row.numbers[0] = power + beside;
            (void)sprintf(begins, "{\"seq\":%lld,", (long long)row.numbers[0]);
            check_value(begins);
            row.numbers[0] = -row.numbers[0];
            (void)sprintf(begins, "{\"seq\":%lld,", (long long)row.numbers[0]);
            check_value(begins);
        }
    }
}

/* Byte by byte, as json_escape has it. */
static char *show_text(struct span text, char *to)
{
    const uint8_t *at = text.at;
    size_t taken;

    for (size_t index = 0; index < text.size; index += taken) {
        to += json_escape(at + index, text.size - index, &taken, to);
    }
    return to;
}

static void a_source_is_shown_as_itself_each_time(void **unused)
{
    static struct origin origins[KAFKA_SHOWN_MAX + 2];
    const struct delivery many = {.origins = origins, .source_count = KAFKA_SHOWN_MAX + 2};
    char shown[2 * JSON_ESCAPE_MAX * KAFKA_SHOWN_SIZE];

    for (uint32_t index = 0; index < KAFKA_SHOWN_MAX + 2; index++) {
        (void)sprintf(origins[index].topic, "topic \"%u\"", index);
        origins[index].incarnation = 100 + index;
        origins[index].partition = 1000 + index;
    }
    memset(origins[3].topic, 't', KAFKA_SHOWN_SIZE); /* Too long to be kept. */
    values_begin(&kafka, &many);
    for (uint32_t turn = 0; turn < 4 * (KAFKA_SHOWN_MAX + 2); turn++) {
        struct span value;
        uint32_t source = turn * 7 % (KAFKA_SHOWN_MAX + 2);
        row.numbers[TRANSACTION_SOURCE] = source;
        assert_int_equal(value_of_row(&kafka, &row, &value, &fault), DONE);
        struct span topic = {origins[source].topic, strlen(origins[source].topic)};
        char text[JSON_ESCAPE_MAX * (KAFKA_SHOWN_SIZE + 1)];
        *show_text(topic, text) = '\0';
        (void)sprintf(shown,
                      ",\"source_topic\":\"%s\",\"source_incarnation\":%u,"
                      "\"source_partition\":%u,\"source_offset\":",
                      text, 100 + source, 1000 + source);
        assert_non_null(memmem(value.at, value.size, shown, strlen(shown)));
    }
    row.numbers[TRANSACTION_SOURCE] = (int64_t)many.source_count;
    struct span none;
    assert_int_equal(value_of_row(&kafka, &row, &none, &fault), BROKEN);
    row.numbers[TRANSACTION_SOURCE] = NUMBER_NULL;
    values_begin(&kafka, &delivery);
}

static void show(const uint8_t *text, char *ret_shown)
{
    char *begins = ret_shown + sprintf(ret_shown, "{\"seq\":1,\"transaction_id\":\"");
    char *end = show_text((struct span){text, TEXT_SIZE}, begins);

    memcpy(end, "\",", 3);
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

static void texts_of_every_size_are_whole(void **unused)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    char begins[64 + sizeof(letters)];

    row.numbers[0] = 1;
    for (int size = 0; size < (int)sizeof(letters); size++) {
        row.texts[kafka.shapes[TABLE_TRANSACTIONS].key] = (struct span){letters, (size_t)size};
        (void)sprintf(begins, "{\"seq\":1,\"transaction_id\":\"%.*s\",", size, letters);
        check_value(begins);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_to_the_last_digit),
        cmocka_unit_test(numbers_of_every_length_are_written_as_they_are),
        cmocka_unit_test(a_source_is_shown_as_itself_each_time),
        cmocka_unit_test(texts_of_every_size_are_whole),
        cmocka_unit_test(every_byte_is_escaped_wherever_it_stands),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
