#include "source/lines.h"
#include "test/unit.h"

#include <stdlib.h>

enum { LINES_MAX = 64, BYTES_MAX = 3 * MESSAGE_SIZE_MAX };

static uint8_t bytes[BYTES_MAX];
static struct source_line lines[LINES_MAX];

static struct source_block block_of(const char *text, size_t size)
{
    memcpy(bytes, text, size);
    return (struct source_block){.bytes = bytes,
                                 .capacity = sizeof(bytes),
                                 .target = sizeof(bytes),
                                 .lines = lines,
                                 .line_capacity = LINES_MAX,
                                 .size = size};
}

/* The lines as "size+behind text|", and how many bytes they took. */
static void tell(const char *text, size_t size, bool last, const char *expected,
                 size_t expected_used)
{
    struct source_block block = block_of(text, size);
    size_t used = lines_cut(&block, 100, 7, last);
    char told[200] = "";
    size_t at = 0;

    for (size_t index = 0; index < block.line_count; index++) {
        const struct source_line *line = &lines[index];
        at += (size_t)snprintf(told + at, sizeof(told) - at, "%u+%u %.*s|", line->size,
                               line->behind, (int)line->kept, (const char *)bytes + line->at);
        assert_int_equal(line->kept, line->size);
        assert_int_equal(line->end, 100 + line->at + line->size + line->behind);
        assert_int_equal(line->offset, 7 + index);
    }
    assert_int_equal(block.next, 7 + block.line_count);
    assert_string_equal(told, expected);
    assert_int_equal(used, expected_used);
}

static void a_line_ends_with_a_newline_and_a_return_before_it_belongs_to_that(void **state)
{
    tell("one\ntwo\r\nthree", 14, false, "3+1 one|3+2 two|", 9);
    tell("one\ntwo\r\nthree", 14, true, "3+1 one|3+2 two|5+0 three|", 14);
    tell("one\n", 4, true, "3+1 one|", 4);
    tell("one\r\r\n", 6, true, "4+2 one\r|", 6);
    tell("one\rtwo\n", 8, true, "7+1 one\rtwo|", 8);
    tell("one\r", 4, true, "4+0 one\r|", 4);
    tell("", 0, true, "", 0);
}

static void an_empty_line_is_a_message(void **state)
{
    tell("\n\n\r\nx\n", 6, true, "0+1 |0+1 |0+2 |1+1 x|", 6);
}

static void a_zero_byte_is_just_a_byte(void **state)
{
    struct source_block block = block_of("a\0b\n\0\n", 6);

    assert_int_equal(lines_cut(&block, 0, 1, true), 6);
    assert_int_equal(block.line_count, 2);
    assert_int_equal(lines[0].size, 3);
    assert_int_equal(lines[1].size, 1);
}

static void stops_where_there_is_room_for_no_more_lines(void **state)
{
    struct source_block block = block_of("a\nb\nc\n", 6);

    block.line_capacity = 2;
    assert_int_equal(lines_cut(&block, 0, 1, true), 4);
    assert_int_equal(block.line_count, 2);
}

static void of_a_long_line_one_byte_more_than_the_limit_is_kept(void **state)
{
    for (uint32_t size = MESSAGE_SIZE_MAX - 1; size <= MESSAGE_SIZE_MAX + 3; size++) {
        struct source_block block = block_of("", 0);
        memset(bytes, 'x', size);
        memcpy(bytes + size, "\r\ny", 3);
        block.size = size + 3;
        assert_int_equal(lines_cut(&block, 0, 1, false), size + 2);
        assert_int_equal(block.line_count, 1);
        assert_int_equal(lines[0].size, size);
        assert_int_equal(lines[0].kept, size < MESSAGE_SIZE_MAX    ? size
                                        : size == MESSAGE_SIZE_MAX ? MESSAGE_SIZE_MAX
                                                                   : MESSAGE_SIZE_MAX + 1);
        assert_int_equal(lines[0].behind, 2);
    }
}

static void the_ending_is_known_from_the_last_two_bytes(void **state)
{
    assert_int_equal(lines_behind(5, (const uint8_t *)"\r\n"), 2);
    assert_int_equal(lines_behind(5, (const uint8_t *)"x\n"), 1);
    assert_int_equal(lines_behind(5, (const uint8_t *)"\nx"), 0);
    assert_int_equal(lines_behind(1, (const uint8_t *)"\r\n"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_ends_with_a_newline_and_a_return_before_it_belongs_to_that),
        cmocka_unit_test(an_empty_line_is_a_message),
        cmocka_unit_test(a_zero_byte_is_just_a_byte),
        cmocka_unit_test(stops_where_there_is_room_for_no_more_lines),
        cmocka_unit_test(of_a_long_line_one_byte_more_than_the_limit_is_kept),
        cmocka_unit_test(the_ending_is_known_from_the_last_two_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
