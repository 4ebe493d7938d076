#include "base/instant.h"
#include "test/unit.h"

#include <time.h>

static bool reads(const char *text, int64_t *ret_ms)
{
    return instant_read((struct span){text, strlen(text)}, ret_ms);
}

static void reads_what_rfc_3339_allows(void **state)
{
    const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2026-02-25T12:00:00Z", INT64_C(1772020800000)},
        {"2026-02-25T12:00:00.104Z", INT64_C(1772020800104)},
        {"2026-02-25 12:00:00.1z", INT64_C(1772020800100)},
        {"2026-02-25T12:00:00.104999999Z", INT64_C(1772020800104)},
        {"2026-02-25T13:30:00+01:30", INT64_C(1772020800000)},
        {"2026-02-25T10:30:00-01:30", INT64_C(1772020800000)},
        {"2000-01-01T00:00:00Z", INSTANT_MIN_MS},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
        {"2100-12-31T23:59:59.999Z", INSTANT_MAX_MS - 1},
    };

    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        int64_t ms = 0;
        assert_true(reads(cases[index].text, &ms));
        assert_int_equal(ms, cases[index].ms);
    }
}

static void refuses_everything_else(void **state)
{
    const char *cases[] = {
        "",
        "2026-02-25",
        "2026-02-25T12:00Z",
        "2026-02-25T12:00:00",
        "2026-02-25T12:00:60Z",
        "2026-02-25T24:00:00Z",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-25T12:00:00.Z",
        "2026-02-25T12:00:00.1234567890Z",
        "2026-02-25T12:00:00Zx",
        "2026-02-25T12:00:00+0100",
        "2026-02-25T12:00:00+24:00",
        "1999-12-31T23:59:59.999Z",
        "2101-01-01T00:00:00Z",
        "2026-2-25T12:00:00Z",
        "2O26-02-25T12:00:00Z",
    };

    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        int64_t ms = 0;
        assert_false(reads(cases[index], &ms));
    }
}

/* The C library is the independent reference. */
static void writes_what_it_reads_on_every_day(void **state)
{
    for (int64_t ms = INSTANT_MIN_MS + 45296789; ms < INSTANT_MAX_MS; ms += 86400000) {
        char text[INSTANT_TEXT_SIZE];
        char expected[64];
        time_t seconds = (time_t)(ms / 1000);
        struct tm parts;
        int64_t again = 0;

        instant_write(ms, text);
        gmtime_r(&seconds, &parts);
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.789Z", &parts);
        assert_string_equal(text, expected);
        assert_true(reads(text, &again));
        assert_int_equal(again, ms);
    }
}

/* The usual form is read another way than the one with a numeric zone: both must say the same. */
static void says_the_same_of_a_time_whichever_way_its_zone_is_written(void **state)
{
    static const char *const shapes[] = {"2026-02-25T06:13:20.123", "2026-02-25T06:13:20"};
    uint64_t dice = 5;
    size_t taken = 0;

    for (size_t turn = 0; turn < 400000; turn++) {
        char usual[32], other[40];
        const char *shape = shapes[turn % 2];
        size_t size = strlen(shape);
        memcpy(usual, shape, size + 1);
        for (size_t change = 0; change < 1 + turn % 7; change++) {
            dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            bool any = dice >> 58 == 0;
            char digit = (char)('0' + (dice >> 40) % 10);
            size_t place = (dice >> 33) % size;
            bool keep = !any && (usual[place] < '0' || usual[place] > '9');
            usual[place] = any ? (char)(dice >> 20 | 1) : keep ? usual[place] : digit;
        }
        memcpy(other, usual, size);
        memcpy(usual + size, "Z", 2);
        memcpy(other + size, "+00:00", 7);
        int64_t usual_ms = 0, other_ms = 0;
        bool read = instant_read((struct span){usual, size + 1}, &usual_ms);
        assert_int_equal(read, instant_read((struct span){other, size + 6}, &other_ms));
        assert_true(!read || usual_ms == other_ms);
        taken += read;
    }
    assert_true(taken > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_rfc_3339_allows),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(writes_what_it_reads_on_every_day),
        cmocka_unit_test(says_the_same_of_a_time_whichever_way_its_zone_is_written),
    };
    return cmocka_run_group_tests_name("instant", tests, NULL, NULL);
}
