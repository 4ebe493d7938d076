#include "pay/money.h"
#include "test/unit.h"

#include <stdlib.h>

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

/* What a plain decimal is, told slowly. */
static bool is_decimal(const char *text, size_t size, int64_t *ret_units, int64_t *ret_scale)
{
    size_t digits = 0, points = 0;

    *ret_units = *ret_scale = 0;
    for (size_t index = 0; index < size; index++) {
        bool digit = text[index] >= '0' && text[index] <= '9';
        if (!digit && text[index] != '.') {
            return false;
        }
        points += !digit;
        digits += digit;
        *ret_units = digit ? *ret_units * 10 + (text[index] - '0') : *ret_units;
        *ret_scale += digit && points > 0;
    }
    return points <= 1 && digits > 0 && text[0] != '.' && text[size - 1] != '.' &&
           (text[0] != '0' || size == 1 || text[1] == '.');
}

/* Up to eight characters are read at once, more one by one. */
static void reads_every_text_of_few_characters_as_it_is_written(void **state)
{
    static const char alphabet[] = "019.-e";
    size_t taken = 0;

    for (size_t size = 1; size <= 9; size++) {
        size_t many = 1;
        for (size_t index = 0; index < size && many < 100000; index++) {
            many *= sizeof(alphabet) - 1;
        }
        uint64_t dice = size;
        for (size_t turn = 0; turn < many; turn++) {
            char *text = malloc(size); /* So that a byte beyond is seen. */
            assert_non_null(text);
            uint64_t left = turn;
            for (size_t index = 0; index < size; index++, left /= 6) {
                dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                text[index] = size <= 6 ? alphabet[left % 6]
                              : dice >> 61 == 0
                                  ? '.'
                                  : (char)('0' + (dice >> 40) % 10 + (dice >> 59 == 9));
            }
            struct money money;
            int64_t units, scale;
            bool right = money_read((struct span){text, size}, &money);
            assert_int_equal(right, is_decimal(text, size, &units, &scale));
            assert_true(!right || (money.units == units && money.scale == scale));
            taken += right;
            free(text);
        }
    }
    assert_true(taken > 50000);
}

static void compares_by_value(void **state)
{
    assert_int_equal(money_compare((struct money){105, 1}, (struct money){1050, 2}), 0);
    assert_int_equal(money_compare((struct money){105, 1}, (struct money){1051, 2}), -1);
    assert_int_equal(money_compare((struct money){INT64_MAX, 0}, (struct money){INT64_MAX, 9}), 1);
    assert_int_equal(money_compare((struct money){105, 2}, (struct money){105, 2}), 0);
    assert_int_equal(money_compare((struct money){105, 2}, (struct money){106, 2}), -1);
    assert_int_equal(money_compare((struct money){106, 2}, (struct money){105, 2}), 1);
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
        cmocka_unit_test(reads_every_text_of_few_characters_as_it_is_written),
        cmocka_unit_test(compares_by_value),
        cmocka_unit_test(sums_without_losing_a_billionth),
        cmocka_unit_test(a_sum_that_would_not_fit_stays_as_it_is),
        cmocka_unit_test(writes_at_least_the_places_asked_for),
        cmocka_unit_test(rounds_an_average_half_to_even),
    };
    return cmocka_run_group_tests_name("money", tests, NULL, NULL);
}
