#include "cmd/quantity.h"
#include "test/unit.h"

static void reads(enum quantity kind, const char *text, int64_t value)
{
    int64_t read = -1;

    if (quantity_read(kind, (struct span){text, strlen(text)}, &read) != QUANTITY_READ ||
        read != value) {
        fail_msg("%s became %lld", text, (long long)read);
    }
}

static void says(enum quantity kind, const char *text, enum quantity_reading reading)
{
    int64_t read;

    if (quantity_read(kind, (struct span){text, strlen(text)}, &read) != reading) {
        fail_msg("%s was not %d", text, (int)reading);
    }
}

static void a_duration_is_milliseconds(void **state)
{
    reads(QUANTITY_DURATION, "5ms", 5);
    reads(QUANTITY_DURATION, "20s", 20000);
    reads(QUANTITY_DURATION, "10m", 600000);
    reads(QUANTITY_DURATION, "1h", 3600000);
    reads(QUANTITY_DURATION, "7d", 604800000);
    reads(QUANTITY_DURATION, "1h30m", 5400000);
    reads(QUANTITY_DURATION, "1d2h3m4s5ms", 93784005);
    reads(QUANTITY_DURATION, "0s", 0);
}

static void a_bare_number_has_no_unit(void **state)
{
    says(QUANTITY_DURATION, "60", QUANTITY_NO_UNIT);
    says(QUANTITY_DURATION, "1h30", QUANTITY_NO_UNIT);
    says(QUANTITY_SIZE, "4096", QUANTITY_NO_UNIT);
    says(QUANTITY_RATE, "500", QUANTITY_NO_UNIT);
    says(QUANTITY_PERCENT, "5", QUANTITY_NO_UNIT);
    says(QUANTITY_PERCENT, "0.5", QUANTITY_NO_UNIT);
}

static void what_is_no_such_quantity_is_told_apart(void **state)
{
    static const char *const wrong[] = {"",   "h",  "-1h",  "+1h",  "1 h", "1.5h", "1hour",
                                        "1H", "h1", "1h1h", "1m1h", "1h ", "1e3s", "inf"};

    for (size_t index = 0; index < sizeof(wrong) / sizeof(wrong[0]); index++) {
        says(QUANTITY_DURATION, wrong[index], QUANTITY_NO_NUMBER);
    }
    says(QUANTITY_SIZE, "4mib", QUANTITY_NO_NUMBER);
    says(QUANTITY_SIZE, "1GiB512MiB", QUANTITY_NO_NUMBER);
    says(QUANTITY_COUNT, "10k", QUANTITY_NO_NUMBER);
    says(QUANTITY_COUNT, "0x10", QUANTITY_NO_NUMBER);
    says(QUANTITY_RATE, "5/m", QUANTITY_NO_NUMBER);
    says(QUANTITY_PERCENT, "5%%", QUANTITY_NO_NUMBER);
    says(QUANTITY_PERCENT, ".5%", QUANTITY_NO_NUMBER);
    says(QUANTITY_PERCENT, "1.00001%", QUANTITY_NO_NUMBER);
}

static void sizes_rates_percents_and_counts(void **state)
{
    reads(QUANTITY_SIZE, "512B", 512);
    reads(QUANTITY_SIZE, "4KiB", 4096);
    reads(QUANTITY_SIZE, "16MiB", 16777216);
    reads(QUANTITY_SIZE, "8MB", 8000000);
    reads(QUANTITY_SIZE, "1TiB", INT64_C(1) << 40);
    reads(QUANTITY_RATE, "500/s", 500);
    reads(QUANTITY_PERCENT, "5%", 50000);
    reads(QUANTITY_PERCENT, "0.1%", 1000);
    reads(QUANTITY_PERCENT, "12.3456%", 123456);
    reads(QUANTITY_COUNT, "10000", 10000);
    reads(QUANTITY_COUNT, "9223372036854775807", INT64_MAX);
}

static void nothing_wraps_around(void **state)
{
    says(QUANTITY_COUNT, "9223372036854775808", QUANTITY_TOO_LARGE);
    says(QUANTITY_COUNT, "99999999999999999999999999", QUANTITY_TOO_LARGE);
    says(QUANTITY_SIZE, "9223372036854775807KiB", QUANTITY_TOO_LARGE);
    says(QUANTITY_DURATION, "106751991167d1000d", QUANTITY_NO_NUMBER);
    says(QUANTITY_DURATION, "106751991168d", QUANTITY_TOO_LARGE);
    says(QUANTITY_DURATION, "106751991167d24h", QUANTITY_TOO_LARGE);
    says(QUANTITY_PERCENT, "922337203685478%", QUANTITY_TOO_LARGE);
}

static void what_is_written_reads_back_the_same(void **state)
{
    static const struct {
        enum quantity kind;
        int64_t value;
        const char *text;
    } cases[] = {
        {QUANTITY_DURATION, 3600000, "1h"},  {QUANTITY_DURATION, 5400000, "90m"},
        {QUANTITY_DURATION, 1500, "1500ms"}, {QUANTITY_DURATION, 0, "0s"},
        {QUANTITY_SIZE, 4194304, "4MiB"},    {QUANTITY_SIZE, 8000000, "8MB"},
        {QUANTITY_SIZE, 1537, "1537B"},      {QUANTITY_SIZE, 0, "0B"},
        {QUANTITY_RATE, 500, "500/s"},       {QUANTITY_PERCENT, 1000, "0.1%"},
        {QUANTITY_PERCENT, 50000, "5%"},     {QUANTITY_COUNT, 7, "7"},
    };

    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        char text[QUANTITY_TEXT_SIZE];
        quantity_write(cases[index].kind, cases[index].value, text);
        assert_string_equal(text, cases[index].text);
        reads(cases[index].kind, text, cases[index].value);
    }
}

static void says_it_for_reading(void **state)
{
    static const struct {
        enum quantity kind;
        int64_t value;
        const char *text;
    } cases[] = {
        {QUANTITY_COUNT, 78000000, "78,000,000"},
        {QUANTITY_COUNT, 999, "999"},
        {QUANTITY_COUNT, 1000, "1,000"},
        {QUANTITY_RATE, 10000, "10,000/s"},
        {QUANTITY_SIZE, 2652000000, "2.4 GiB"},
        {QUANTITY_SIZE, 536870912, "512 MiB"},
        {QUANTITY_SIZE, 100, "100 B"},
        {QUANTITY_SIZE, 1024, "1.0 KiB"},
        {QUANTITY_DURATION, 7800000, "2 h 10 min"},
        {QUANTITY_DURATION, 3600000, "1 h"},
        {QUANTITY_DURATION, 480000, "8 min"},
        {QUANTITY_DURATION, 12, "12 ms"},
        {QUANTITY_DURATION, 0, "0 ms"},
        {QUANTITY_DURATION, 136800000, "1 d 14 h"},
    };

    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        char text[QUANTITY_TEXT_SIZE];
        quantity_say(cases[index].kind, cases[index].value, text);
        assert_string_equal(text, cases[index].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_is_milliseconds),
        cmocka_unit_test(a_bare_number_has_no_unit),
        cmocka_unit_test(what_is_no_such_quantity_is_told_apart),
        cmocka_unit_test(sizes_rates_percents_and_counts),
        cmocka_unit_test(nothing_wraps_around),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(says_it_for_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
