#include "test/unit.h"

#include "engine/decided.h"

#include <stdio.h>

static struct decided gap(void)
{
    return (struct decided){.kind = RULING_GAP,
                            .topic = "payments",
                            .partition = 3,
                            .first = 17,
                            .last = 20,
                            .by = "Eve \"night\" \\ Smith",
                            .why = "retention; c'est \xc3\xa9puis\xc3\xa9",
                            .id = UINT64_C(0xfedcba9876543210)};
}

static struct fault fault;

static enum outcome read_text(const char *text, struct decided *ret_decided)
{
    return decided_read((struct span){text, strlen(text)}, ret_decided, &fault);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void a_gap_that_was_written_is_read_again(void **state)
{
    struct decided written = gap();
    struct decided again;
    char text[DECIDED_SIZE_MAX];
    size_t size = decided_write(&written, text);

    assert_true(begins(text, "{\"decision\":\"accept-gap\",\"topic\":\"payments\",\"partition\":3,"
                             "\"first\":17,\"last\":20,\"by\":\"Eve \\\"night\\\" \\\\ Smith\","));
    assert_int_equal(decided_read((struct span){text, size}, &again, &fault), DONE);
    assert_memory_equal(&again, &written, sizeof(again));
}

static void so_is_an_adoption(void **state)
{
    struct decided written = gap();
    struct decided again;
    char text[DECIDED_SIZE_MAX];

    written.kind = RULING_ADOPTION;
    written.partition = 0;
    written.first = written.last = 0;
    size_t size = decided_write(&written, text);
    assert_int_equal(decided_read((struct span){text, size}, &again, &fault), DONE);
    assert_memory_equal(&again, &written, sizeof(again));
}

static void the_longest_texts_have_room(void **state)
{
    struct decided written = gap();
    struct decided again;
    char text[DECIDED_SIZE_MAX];
    char told[DECIDED_TOLD_SIZE];

    memset(written.topic, '"', TOPIC_TEXT_MAX);
    memset(written.by, '\\', RULING_BY_MAX);
    memset(written.why, '"', RULING_WHY_MAX);
    written.partition = INT32_MAX;
    written.first = written.last = OFFSET_MAX;
    size_t size = decided_write(&written, text);
    assert_int_equal(decided_read((struct span){text, size}, &again, &fault), DONE);
    assert_memory_equal(&again, &written, sizeof(again));
    decided_tell(&again, told);
    assert_non_null(strstr(told, ", by \\\\"));
}

#define GAP "\"decision\":\"accept-gap\",\"topic\":\"p\",\"partition\":0,\"first\":5,\"last\":6"
#define SIGNED "\"by\":\"b\",\"id\":\"0000000000000001\""

static void written_by_hand_it_may_have_any_order_and_no_reason(void **state)
{
    struct decided decided;

    assert_int_equal(read_text(" {" SIGNED ", " GAP " }\n", &decided), DONE);
    assert_int_equal(decided.first, 5);
    assert_int_equal(decided.last, 6);
    assert_string_equal(decided.why, "");
}

static const char *const none[][2] = {
    {"", "JSON is broken"},
    {"{", "JSON is broken"},
    {"[1]", "JSON is broken"},
    {"{" GAP "," SIGNED "}}", "JSON is broken"},
    {"{" GAP "," SIGNED ",\"by\":\"c\"}", "JSON is broken"},
    {"{" SIGNED "}", "does not say what was decided"},
    {"{" GAP "}", "lacks by"},
    {"{" GAP ",\"by\":\"b\"}", "lacks id"},
    {"{\"decision\":\"accept-gap\",\"topic\":\"p\",\"first\":5,\"last\":6," SIGNED "}",
     "lacks partition"},
    {"{\"decision\":\"adopt-topic\",\"topic\":\"p\",\"first\":5," SIGNED "}", "too much: first"},
    {"{" GAP "," SIGNED ",\"more\":1}", "none of its own"},
    {"{\"decision\":\"forget\"," SIGNED "}", "cannot be its decision"},
    {"{\"decision\":\"accept-gap\",\"topic\":\"\"," SIGNED "}", "cannot be its topic"},
    {"{\"first\":-1," SIGNED "}", "cannot be its first"},
    {"{\"first\":1e3," SIGNED "}", "cannot be its first"},
    {"{\"first\":\"1\"," SIGNED "}", "cannot be its first"},
    {"{\"first\":17592186044416," SIGNED "}", "cannot be its first"},
    {"{\"last\":9999999999999999999," SIGNED "}", "cannot be its last"},
    {"{\"partition\":2147483648," SIGNED "}", "cannot be its partition"},
    {"{\"by\":\"\"}", "cannot be its by"},
    {"{\"by\":\"a\\nb\"}", "cannot be its by"},
    {"{\"by\":\"a\\u0000b\"}", "cannot be its by"},
    {"{\"why\":7}", "cannot be its why"},
    {"{\"id\":\"1\"}", "cannot be its id"},
    {"{\"id\":\"000000000000000\\n\"}", "cannot be its id"},
    {"{\"id\":\"000000000000000G\"}", "cannot be its id"},
    {"{\"decision\":\"accept-gap\",\"topic\":\"p\",\"partition\":0,\"first\":7,\"last\":"
     "6," SIGNED "}",
     "last offset is before its first"},
};

static void what_is_none_is_refused_with_a_sentence(void **state)
{
    struct decided decided;

    for (size_t index = 0; index < sizeof(none) / sizeof(none[0]); index++) {
        assert_int_equal(read_text(none[index][0], &decided), REFUSED);
        assert_int_equal(fault.code, FAULT_DECISION);
        if (strstr(fault.text, none[index][1]) == NULL) {
            fail_msg("%s: %s", none[index][0], fault.text);
        }
    }
}

static void too_large_a_file_is_refused_unread(void **state)
{
    static char text[DECIDED_SIZE_MAX + 1];
    struct decided decided;

    memset(text, ' ', sizeof(text));
    assert_int_equal(decided_read((struct span){text, sizeof(text)}, &decided, &fault), REFUSED);
    assert_non_null(strstr(fault.text, "too large"));
}

static void a_note_says_what_who_why(void **state)
{
    struct decided decided = gap();
    char text[RULING_TEXT_MAX];
    struct span ruling = decided_ruling(&decided, text);

    assert_true(begins(ruling.at, "gap\nEve \"night\" \\ Smith\nretention; "));
    assert_true(begins((const char *)ruling.at + ruling.size - 17, "fedcba9876543210\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_that_was_written_is_read_again),
        cmocka_unit_test(so_is_an_adoption),
        cmocka_unit_test(the_longest_texts_have_room),
        cmocka_unit_test(written_by_hand_it_may_have_any_order_and_no_reason),
        cmocka_unit_test(what_is_none_is_refused_with_a_sentence),
        cmocka_unit_test(too_large_a_file_is_refused_unread),
        cmocka_unit_test(a_note_says_what_who_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
