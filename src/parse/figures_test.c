#include "parse/figures.h"

#include "base/instant.h"
#include "test/unit.h"

/* 2026-02-25T06:13:20.123Z, and what a finer unit adds. */
static void tells_the_unit_of_a_time_by_its_size(void **state)
{
    static const struct {
        const char *text;
        uint8_t unit;
        int64_t ms;
    } cases[] = {
        {"1772000000", 1, INT64_C(1772000000000)},
        {"1772000000123", 2, INT64_C(1772000000123)},
        {"1772000000123999", 3, INT64_C(1772000000123)},
        {"1772000000123999999", 4, INT64_C(1772000000123)},
        {"946684800", 1, INSTANT_MIN_MS},
        {"946684800000", 2, INSTANT_MIN_MS},
        {"4133980799", 1, INSTANT_MAX_MS - 1000},
        {"4133980799999", 2, INSTANT_MAX_MS - 1},
        {"4133980799999999999", 4, INSTANT_MAX_MS - 1},
        {"946684799", 0, 0},
        {"4133980800", 0, 0},
        {"4133980800000", 0, 0},
        {"4133980800000000000", 0, 0},
        {"17720000001239999999", 0, 0},
        {"", 0, 0},
        {"7", 0, 0},
    };

    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        struct span text = {cases[index].text, strlen(cases[index].text)};
        int64_t ms = 0;
        assert_int_equal(figure_time(text, &ms), cases[index].unit);
        assert_true(ms == cases[index].ms);
    }
}

/* Each digit has its place, whichever way a number of that length is read. */
static void reads_every_digit_and_nothing_else(void **state)
{
    uint64_t dice = 3;

    for (size_t size = 9; size <= 19; size++) {
        for (size_t turn = 0; turn < 20000; turn++) {
            char text[20];
            uint64_t number = 0, per_ms = 1;
            for (size_t index = 0; index < size; index++) {
                dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                text[index] = (char)('0' + (index == 0 ? 1 : (dice >> 40) % 10));
                number = number * 10 + (uint64_t)(text[index] - '0');
            }
            for (size_t digits = 13; digits < size; digits++) {
                per_ms *= 10;
            }
            int64_t ms = 0;
            uint8_t unit = figure_time((struct span){text, size}, &ms);
            if (size == 10 || size == 13 || size == 16 || size == 19) {
                assert_int_equal(unit, (size - 7) / 3);
                assert_true((uint64_t)ms == (size == 10 ? number * 1000 : number / per_ms));
            }
            size_t place = (dice >> 33) % size;
            text[place] = (char)(dice >> 25);
            bool digit = text[place] >= '0' && text[place] <= '9';
            assert_true(digit || figure_time((struct span){text, size}, &ms) == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_unit_of_a_time_by_its_size),
        cmocka_unit_test(reads_every_digit_and_nothing_else),
    };
    return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}
