#include "test/unit.h"

#include "pay/ruling.h"

#include <stdio.h>

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void what_was_written_is_read_again(void **state)
{
    char text[RULING_TEXT_MAX];
    struct ruling ruling = {.kind = RULING_ADOPTION,
                            .by = span_of("Eve (night shift)"),
                            .why = span_of("made anew; it's \"fine\""),
                            .id = UINT64_C(0x0123456789abcdef)};
    struct ruling again;
    size_t size = ruling_write(&ruling, text);

    assert_memory_equal(text,
                        "adoption\nEve (night shift)\nmade anew; it's \"fine\"\n"
                        "0123456789abcdef\n",
                        size);
    assert_true(ruling_read((struct span){text, size}, &again));
    assert_int_equal(again.kind, RULING_ADOPTION);
    assert_int_equal(again.by.size, ruling.by.size);
    assert_memory_equal(again.why.at, ruling.why.at, ruling.why.size);
    assert_int_equal(again.why.size, ruling.why.size);
    assert_true(again.id == ruling.id);
}

static void the_longest_has_room(void **state)
{
    char text[RULING_TEXT_MAX];
    char by[RULING_BY_MAX];
    char why[RULING_WHY_MAX];
    struct ruling ruling = {.kind = RULING_GAP, .id = UINT64_MAX};
    struct ruling again;

    memset(by, 'b', sizeof(by));
    memset(why, 'w', sizeof(why));
    for (ruling.kind = 0; ruling.kind < RULING_KINDS; ruling.kind++) {
        ruling.by = (struct span){by, sizeof(by)};
        ruling.why = (struct span){why, sizeof(why)};
        size_t size = ruling_write(&ruling, text);
        assert_true(size <= sizeof(text));
        assert_true(ruling_read((struct span){text, size}, &again));
        assert_true(again.id == UINT64_MAX);
        assert_string_equal(ruling_name(again.kind), ruling_name(ruling.kind));
    }
}

static void without_a_reason_its_line_is_empty(void **state)
{
    struct ruling ruling;

    assert_true(ruling_read(span_of("gap\nbob\n\n0000000000000007\n"), &ruling));
    assert_int_equal(ruling.kind, RULING_GAP);
    assert_int_equal(ruling.why.size, 0);
    assert_true(ruling.id == 7);
}

static void anything_else_is_none(void **state)
{
    static const char *const none[] = {
        "",
        "gap\nbob\nwhy\n0000000000000007",
        "gap\nbob\nwhy\n0000000000000007\n\n",
        "gap\nbob\nwhy\n000000000000007\n",
        "gap\nbob\nwhy\n00000000000000007\n",
        "gap\nbob\nwhy\n000000000000000G\n",
        "gap\nbob\nwhy\n000000000000000A\n",
        "gap\n\nwhy\n0000000000000007\n",
        "gap\nb\xc2\x9b"
        "31m\nwhy\n0000000000000007\n", /* It would move a terminal. */
        "gaps\nbob\nwhy\n0000000000000007\n",
        "\nbob\nwhy\n0000000000000007\n",
        "gap\nbob\twho\nwhy\n0000000000000007\n",
        "gap\nbob\nw\x7fy\n0000000000000007\n",
        "gap\nbob\n0000000000000007\n",
    };
    struct ruling ruling;

    for (size_t index = 0; index < sizeof(none) / sizeof(none[0]); index++) {
        assert_false(ruling_read(span_of(none[index]), &ruling));
    }
}

static void who_or_why_may_be_too_long(void **state)
{
    char text[2 * RULING_TEXT_MAX];
    struct ruling ruling;

    for (int more = 0; more < 2; more++) {
        (void)snprintf(text, sizeof(text), "gap\n%0*d\n\n0000000000000007\n", RULING_BY_MAX + more,
                       1);
        assert_int_equal(ruling_read(span_of(text), &ruling), more == 0);
        (void)snprintf(text, sizeof(text), "gap\nbob\n%0*d\n0000000000000007\n",
                       RULING_WHY_MAX + more, 1);
        assert_int_equal(ruling_read(span_of(text), &ruling), more == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_again),
        cmocka_unit_test(the_longest_has_room),
        cmocka_unit_test(without_a_reason_its_line_is_empty),
        cmocka_unit_test(anything_else_is_none),
        cmocka_unit_test(who_or_why_may_be_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
