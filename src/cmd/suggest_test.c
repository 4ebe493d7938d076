#include "cmd/suggest.h"
#include "test/unit.h"

static void counts_the_letters_between_two_words(void **state)
{
    assert_int_equal(suggest_distance("retention", "retention"), 0);
    assert_int_equal(suggest_distance("retenton", "retention"), 1);
    assert_int_equal(suggest_distance("retentoin", "retention"), 1);
    assert_int_equal(suggest_distance("kitten", "sitting"), 3);
    assert_int_equal(suggest_distance("", "abc"), 3);
    assert_int_equal(suggest_distance("abc", ""), 3);
}

static const char *nearest(const char *word)
{
    struct suggestion suggestion = {.word = word};

    suggest_offer(&suggestion, "lateness");
    suggest_offer(&suggestion, "align");
    suggest_offer(&suggestion, "retention");
    suggest_offer(&suggestion, "run");
    return suggestion.best;
}

static void suggests_the_nearest_or_nothing(void **state)
{
    assert_string_equal(nearest("latenes"), "lateness");
    assert_string_equal(nearest("retnetion"), "retention");
    assert_string_equal(nearest("rnu"), "run");
    assert_null(nearest("something"));
    assert_null(nearest("x"));
    assert_null(nearest(""));
}

static void a_word_of_any_length_is_safe(void **state)
{
    char word[300];

    memset(word, 'a', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    assert_null(nearest(word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_the_letters_between_two_words),
        cmocka_unit_test(suggests_the_nearest_or_nothing),
        cmocka_unit_test(a_word_of_any_length_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
