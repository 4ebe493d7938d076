#include "pay/money.h"
#include "test/unit.h"

static struct span text_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void reads_plain_decimals_and_nothing_else(void **state)
{
    const char *good[] = {"0", "1", "1000.00", "0.5", "9223372036854775807", "0.000000001"};
    const char *bad[] = {"",
                         ".",
                         "1.",
                         ".5",
                         "01",
                         "00.1",
                         "-1",
                         "+1",
                         "1e3",
                         "1,00",
                         " 1",
                         "1 ",
                         "NaN",
                         "0x10",
                         "1..2",
                         "1.2.3",
                         "9223372036854775808",
                         "1.0000000001"};
    struct money money;

    for (size_t index = 0; index < sizeof(good) / sizeof(good[0]); index++) {
        char again[MONEY_TEXT_SIZE];
        assert_true(money_read(text_of(good[index]), &money));
        assert_int_equal(money_write(money, again), strlen(good[index]));
        assert_string_equal(again, good[index]);
    }
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        assert_false(money_read(text_of(bad[index]), &money));
    }
}

static void compares_by_value(void **state)
{
    assert_int_equal(money_compare((struct money){105, 1}, (struct money){1050, 2}), 0);
    assert_int_equal(money_compare((struct money){105, 1}, (struct money){1051, 2}), -1);
    assert_int_equal(money_compare((struct money){INT64_MAX, 0}, (struct money){INT64_MAX, 9}), 1);
}

static void sums_without_losing_a_billionth(void **state)
{
    struct money_sum sum = {0};
    char text[MONEY_SUM_TEXT_SIZE];

    for (int index = 0; index < 1000; index++) {
        assert_true(money_add(&sum, (struct money){INT64_MAX, 0}));
        assert_true(money_add(&sum, (struct money){1, 9}));
    }
    money_sum_write(sum, 2, text);
    assert_string_equal(text, "9223372036854775807000.000001");
    struct money_sum again;
    assert_true(money_sum_read(text_of(text), &again));
    assert_true(again.billionths == sum.billionths);
}

static void a_sum_that_would_not_fit_stays_as_it_is(void **state)
{
    struct money_sum sum = {0};
    money_wide before = 0;

    sum.billionths = ((money_wide)1 << 126) - 1 + ((money_wide)1 << 126);
    before = sum.billionths;
    assert_false(money_add(&sum, (struct money){1, 9}));
    assert_true(sum.billionths == before);
}

static void writes_at_least_the_places_asked_for(void **state)
{
    char text[MONEY_SUM_TEXT_SIZE];
    struct money_sum sum;

    assert_true(money_sum_read(text_of("12.5"), &sum));
    money_sum_write(sum, 2, text);
    assert_string_equal(text, "12.50");
    money_sum_write(sum, 0, text);
    assert_string_equal(text, "12.5");
    assert_true(money_sum_read(text_of("-0.001"), &sum));
    money_sum_write(sum, 2, text);
    assert_string_equal(text, "-0.001");
}

static void rounds_an_average_half_to_even(void **state)
{
    struct money_sum sum = {5};

    assert_true(money_average(sum, 2).billionths == 2);
    sum.billionths = 7;
    assert_true(money_average(sum, 2).billionths == 4);
    sum.billionths = -7;
    assert_true(money_average(sum, 2).billionths == -4);
    sum.billionths = 10;
    assert_true(money_average(sum, 3).billionths == 3);
    sum.billionths = 11;
    assert_true(money_average(sum, 3).billionths == 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_decimals_and_nothing_else),
        cmocka_unit_test(compares_by_value),
        cmocka_unit_test(sums_without_losing_a_billionth),
        cmocka_unit_test(a_sum_that_would_not_fit_stays_as_it_is),
        cmocka_unit_test(writes_at_least_the_places_asked_for),
        cmocka_unit_test(rounds_an_average_half_to_even),
    };
    return cmocka_run_group_tests_name("money", tests, NULL, NULL);
}
