#include "test/memory_ledger.h"
#include "test/unit.h"

#include <stdlib.h>
#include <unistd.h>

static char truth_path[] = "reconcile_test_XXXXXX";

static void look_with_truth(const char *lines, uint64_t match_bytes)
{
    FILE *stream = fopen(truth_path, "we");

    (void)fprintf(stream, "transaction_id,amount,currency,expected\n%s", lines);
    (void)fclose(stream);
    look_at(truth_path, match_bytes);
}

#define TRUTH                                                                                      \
    "abc-123,1000,USD,accepted\ndef-456,2000.00,USD,accepted\nxyz-789,500.5,USD,accepted\n"        \
    "late-1,7,USD,late\nfuture-1,7,USD,future\n"
#define LAST "uvw-000,499.5,USD,accepted\nbroken-1,3,USD,invalid\n"

static void the_truth_is_there_by_value(void **unused)
{
    look_with_truth(TRUTH LAST, 1 << 20);
    only(RECONCILE_KINDS);
    assert_int_equal(report->truth_rows, 7);
    assert_int_equal(report->truth_accepted, 4);
    assert_int_equal(report->truth_aside, 3);
    look_with_truth(TRUTH LAST, 32);
    only(RECONCILE_KINDS);
    assert_int_equal(report->truth_rows, 7);
    assert_int_equal(report->truth_accepted, 4);
}

static void truth_says(const char *lines, enum reconcile_kind kind, const char *sentence)
{
    look_with_truth(lines, 1 << 20);
    assert_int_equal(report->found[kind], 1);
    only(kind);
    if (strstr(told(kind), sentence) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", told(kind), sentence);
    }
    look_with_truth(lines, 32);
    assert_int_equal(report->found[kind], 1);
}

static void what_the_truth_says_otherwise_is_found(void **unused)
{
    truth_says(TRUTH LAST "gone-1,12.50,EUR,accepted\n", RECONCILE_MISSING,
               "gone-1: 12.50 EUR (reconcile_test_");
    truth_says(TRUTH LAST "gone-1,12.50,EUR,late\n", RECONCILE_MISSING, "gone-1: 12.50 EUR");
    truth_says(TRUTH LAST "broken-2,12.50,EUR,invalid\n", RECONCILE_MISSING,
               "1 payment expected to be invalid and without a row");
    truth_says(TRUTH "broken-1,3,USD,invalid\n", RECONCILE_EXTRA,
               "uvw-000: 499.50 USD, accepted, at b.jsonl/0@2");
    truth_says(TRUTH "uvw-000,499.51,USD,accepted\nbroken-1,3,USD,invalid\n", RECONCILE_AMOUNT,
               "uvw-000: 499.50 USD at b.jsonl/0@2, sent were 499.51 USD, accepted");
    truth_says(TRUTH "uvw-000,499.50,EUR,accepted\nbroken-1,3,USD,invalid\n", RECONCILE_AMOUNT,
               "sent were 499.50 EUR");
    truth_says(TRUTH "uvw-000,499.50,USD,late\nbroken-1,3,USD,invalid\n", RECONCILE_VERDICT,
               "uvw-000: 499.50 USD, accepted, at b.jsonl/0@2; sent were 499.50 USD, late");
    truth_says(TRUTH "uvw-000,499.50,USD,invalid\nbroken-1,3,USD,invalid\n", RECONCILE_VERDICT,
               "uvw-000: 499.50 USD, accepted, at b.jsonl/0@2; sent were 499.50 USD, invalid");
    truth_says(TRUTH LAST "abc-123,1000,USD,accepted\n", RECONCILE_MISSING, "abc-123: 1000 USD");
}

static void a_statement_without_verdicts_is_held_against_amounts(void **unused)
{
    look_with_truth("abc-123,1000,USD,\ndef-456,2000.00,USD,\nxyz-789,500.5,USD,\n"
                    "late-1,7,USD,\nfuture-1,7,USD,\nuvw-000,499.5,USD,\n",
                    1 << 20);
    only(RECONCILE_KINDS);
    assert_int_equal(report->truth_accepted, 4);
    assert_int_equal(report->truth_aside, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down_ledger)
    const struct CMUnitTest tests[] = {
        TEST(the_truth_is_there_by_value),
        TEST(what_the_truth_says_otherwise_is_found),
        TEST(a_statement_without_verdicts_is_held_against_amounts),
    };
    int made = mkstemp(truth_path);
    if (made < 0 || close(made) != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(truth_path);
    return failed;
}
