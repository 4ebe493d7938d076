#include "cmd/json_line.h"
#include "test/unit.h"

#include <stdlib.h>

/* The text as JSON; freed by the next call. */
static const char *written(const char *text, size_t size)
{
    static char *at;
    size_t length;

    free(at);
    at = NULL;
    FILE *stream = open_memstream(&at, &length);
    assert_non_null(stream);
    json_line_quote(stream, (struct span){text, size});
    (void)fclose(stream);
    return at;
}

static void text_is_kept_as_it_is(void **unused)
{
    assert_string_equal(written("Z\xc3\xbcrich \xe2\x82\xac", 11),
                        "\"Z\xc3\xbcrich \xe2\x82\xac\"");
    assert_string_equal(written("\xf0\x9f\x92\xb6", 4), "\"\xf0\x9f\x92\xb6\"");
}

static void quotes_and_control_characters_are_escaped(void **unused)
{
    assert_string_equal(written("a\"b\\c", 5), "\"a\\\"b\\\\c\"");
    assert_string_equal(written("\x1b[31m\n\0", 7), "\"\\u001b[31m\\u000a\\u0000\"");
    assert_string_equal(written("\x7f\xc2\x9b", 3), "\"\\u007f\\u009b\"");
}

static void bytes_that_are_no_utf8_do_not_come_out(void **unused)
{
    assert_string_equal(written("a\xff\xc3", 3), "\"a\\ufffd\\ufffd\"");
    assert_string_equal(written("\xc0\xaf", 2), "\"\\ufffd\\ufffd\"");            /* Overlong. */
    assert_string_equal(written("\xed\xa0\x80", 3), "\"\\ufffd\\ufffd\\ufffd\""); /* Surrogate. */
    assert_string_equal(written("\xf4\x90\x80\x80", 4), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

static void members_are_separated(void **unused)
{
    char *at = NULL;
    size_t length;
    FILE *stream = open_memstream(&at, &length);
    struct json_line object;

    json_line_start(&object, stream);
    json_line_text(&object, "name", "x");
    json_line_number(&object, "count", 18446744073709551615U);
    json_line_bool(&object, "good", true);
    json_line_end(&object);
    (void)fclose(stream);
    assert_string_equal(at, "{\"name\":\"x\",\"count\":18446744073709551615,\"good\":true}\n");
    free(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_kept_as_it_is),
        cmocka_unit_test(quotes_and_control_characters_are_escaped),
        cmocka_unit_test(bytes_that_are_no_utf8_do_not_come_out),
        cmocka_unit_test(members_are_separated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
