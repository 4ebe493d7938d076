#include "test/memory_ledger.h"
#include "test/unit.h"

/* Only this is wrong, and it is told so. */
static void finds(enum reconcile_kind kind, uint64_t count, const char *sentence)
{
    look_at(NULL, 1 << 20);
    assert_int_equal(report->found[kind], count);
    if (strstr(told(kind), sentence) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", told(kind), sentence);
    }
    assert_false(reconcile_good(report));
}

static void a_ledger_that_adds_up_is_good(void **unused)
{
    look_at(NULL, 1 << 20);
    only(RECONCILE_KINDS);
    assert_true(reconcile_good(report));
    assert_int_equal(report->counts[ACCEPTED], 4);
    assert_int_equal(report->counts[DUPLICATE], 2);
    assert_int_equal(report->counts[SKIPPED], 1);
    assert_int_equal(report->windows, 2);
    assert_int_equal(report->epochs, 2);
    assert_int_equal(report->newest_accepted_ms, FIRST_MS + MINUTE_MS + 2000);
}

static void a_row_that_is_gone_is_found(void **unused)
{
    memmove(&ledger.rows[TABLE_TRANSACTIONS][1], &ledger.rows[TABLE_TRANSACTIONS][2],
            2 * sizeof(struct row));
    ledger.row_counts[TABLE_TRANSACTIONS]--;
    finds(RECONCILE_NUMBER, 1, "payment_transactions: rows 2 to 2 are gone");
    assert_int_equal(report->found[RECONCILE_TOTAL], 1);
    assert_int_equal(report->found[RECONCILE_METRIC], 1);

    write_ledger();
    ledger.row_counts[TABLE_DUPLICATES]--;
    finds(RECONCILE_NUMBER, 1, "payment_duplicates: rows 2 to 2 are gone");

    write_ledger();
    (void)add_row(TABLE_DEAD_LETTERS);
    ledger.head.seq_next[TABLE_DEAD_LETTERS]--;
    finds(RECONCILE_NUMBER, 1, "payment_dead_letters: row 5 is beyond");
    only(RECONCILE_NUMBER);
}

static void an_amount_that_was_changed_is_found(void **unused)
{
    ledger.rows[TABLE_TRANSACTIONS][0].numbers[TRANSACTION_UNITS] = 100001;
    finds(RECONCILE_VALUE, 1, "amount \"1000.00\" is not 100001 units at scale 2");

    write_ledger();
    ledger.rows[TABLE_TRANSACTIONS][0].numbers[TRANSACTION_SCALE] = 3;
    finds(RECONCILE_VALUE, 1, "amount \"1000.00\" is not 100000 units at scale 3");

    write_ledger();
    ledger.rows[TABLE_TRANSACTIONS][0].numbers[TRANSACTION_UNITS] = 100001;
    ledger.rows[TABLE_TRANSACTIONS][0].texts[TRANSACTION_AMOUNT] = text("1000.01");
    finds(RECONCILE_TOTAL, 1,
          "a.jsonl/0 accepted USD: the rows are 2, 3000.01; recorded are 2, 30");
    assert_int_equal(report->found[RECONCILE_METRIC], 1);

    write_ledger();
    ledger.rows[TABLE_DEAD_LETTERS][1].texts[DEAD_CURRENCY] = text("EUR");
    finds(RECONCILE_TOTAL, 2, "late");
    only(RECONCILE_TOTAL);
}

static void totals_and_cursors_that_were_changed_are_found(void **unused)
{
    ledger.totals[2].count++;
    finds(RECONCILE_TOTAL, 1, "duplicate USD: the rows are 2, 2000.00; recorded are 3, 2000.00");
    assert_int_equal(report->found[RECONCILE_CONSERVED], 1);

    write_ledger();
    ledger.totals[7].count++;
    finds(RECONCILE_CONSERVED, 1, "b.jsonl/0: offsets 1 to 4 are 3 messages, but 4 are counted");
    only(RECONCILE_CONSERVED);

    write_ledger();
    ledger.totals[6].count++; /* invalid */
    ledger.totals[5].count--; /* future */
    finds(RECONCILE_TOTAL, 2, "");
    only(RECONCILE_TOTAL);

    write_ledger();
    ledger.cursors[0].range.next = 8;
    finds(RECONCILE_PLACE, 1, "payment_dead_letters row 4: a.jsonl/0@8 was not read");
    assert_int_equal(report->found[RECONCILE_EPOCH], 1);
}

static void two_rows_of_one_place_are_found(void **unused)
{
    ledger.rows[TABLE_DUPLICATES][1].numbers[DUPLICATE_OFFSET] = 4;
    finds(RECONCILE_PLACE, 1, "payment_duplicates row 2: a.jsonl/0@4 has another row already");
    only(RECONCILE_PLACE);
}

static void a_row_of_before_the_beginning_is_found(void **unused)
{
    ledger.rows[TABLE_DUPLICATES][1].numbers[DUPLICATE_OFFSET] = 0;
    finds(RECONCILE_PLACE, 1, "payment_duplicates row 2: a.jsonl/0@0 was not read");
    only(RECONCILE_PLACE);
}

static void a_payment_at_the_very_start_of_a_window_is_in_it(void **unused)
{
    ledger.rows[TABLE_TRANSACTIONS][0].numbers[TRANSACTION_EVENT_MS] = FIRST_MS;
    ledger.rows[TABLE_TRANSACTIONS][2].numbers[TRANSACTION_EVENT_MS] = FIRST_MS + MINUTE_MS;
    look_at(NULL, 1 << 20);
    only(RECONCILE_KINDS);
}

static void a_duplicate_of_nothing_is_found(void **unused)
{
    ledger.rows[TABLE_DUPLICATES][0].numbers[DUPLICATE_FIRST_OFFSET] = 3;
    finds(RECONCILE_FIRST, 1, "payment_duplicates row 1: nothing was accepted at a.jsonl/0@3");
    only(RECONCILE_FIRST);

    write_ledger();
    ledger.rows[TABLE_DEAD_LETTERS][0].numbers[DEAD_FIRST_SOURCE] = 7;
    finds(RECONCILE_FIRST, 1, "payment_dead_letters row 1: nothing was accepted at an unknown");
}

static void windows_that_were_changed_are_found(void **unused)
{
    ledger.rows[TABLE_METRICS][0].numbers[METRIC_COUNT]++;
    finds(RECONCILE_METRIC, 1, "region \"EU\" USD: recorded are 3, 3000.00; its payments are 2");
    only(RECONCILE_METRIC);

    write_ledger();
    ledger.rows[TABLE_METRICS][0].numbers[METRIC_TOTAL_LOW]++;
    finds(RECONCILE_METRIC, 1, "recorded are 2, 3000.000000001; its payments are 2, 3000.00");
    only(RECONCILE_METRIC);

    static const enum metrics_number others[] = {METRIC_MIN_UNITS, METRIC_MAX_UNITS, METRIC_PLACES};
    for (size_t index = 0; index < sizeof(others) / sizeof(others[0]); index++) {
        write_ledger();
        ledger.rows[TABLE_METRICS][1].numbers[others[index]]--;
        finds(RECONCILE_METRIC, 1, "(smallest, largest or places differ)");
        only(RECONCILE_METRIC);
    }

    write_ledger();
    ledger.row_counts[TABLE_METRICS]--;
    finds(RECONCILE_METRIC, 1, "recorded are 2, 3000.00; its payments are 4, 4000.00");

    write_ledger();
    ledger.rows[TABLE_TRANSACTIONS][0].numbers[TRANSACTION_EVENT_MS] = FIRST_MS - 1;
    finds(RECONCILE_METRIC, 2, "payment 1 is in no window");
    only(RECONCILE_METRIC);

    write_ledger();
    window(FIRST_MS + 2 * MINUTE_MS, "EU", 1, 5, 5, 5);
    finds(RECONCILE_METRIC, 1, "its payments are 0, 0.00");
    only(RECONCILE_METRIC);
}

static void epochs_that_were_changed_are_found(void **unused)
{
    ledger.ranges[1][0].first = 6;
    finds(RECONCILE_EPOCH, 1, "epoch 2: a.jsonl/0 goes on at 6, but the one before ended at 5");
    only(RECONCILE_EPOCH);

    write_ledger();
    ledger.epochs[1].prev_chain.bytes[3] = 1;
    finds(RECONCILE_EPOCH, 1, "epoch 2 follows on another history");

    write_ledger();
    ledger.head.chain.bytes[3] = 1;
    finds(RECONCILE_EPOCH, 1, "the last recorded epoch is 2, but the pipeline stands at 2, on an");

    write_ledger();
    ledger.epoch_count--;
    finds(RECONCILE_EPOCH, 3, "the last recorded epoch is 1, but the pipeline stands at 2");

    write_ledger();
    ledger.epochs[1].number = 3;
    ledger.head.epoch = 3;
    finds(RECONCILE_EPOCH, 1, "epochs 2 to 2 are not recorded");
}

static void an_id_that_was_accepted_twice_is_found(void **unused)
{
    ledger.rows[TABLE_TRANSACTIONS][2].texts[TRANSACTION_ID] = text("abc-123");
    finds(RECONCILE_REACCEPTED, 1, "abc-123: accepted at a.jsonl/0@1 and again at b.jsonl/0@1");
    only(RECONCILE_REACCEPTED);
    look_at(NULL, sizeof(uint64_t) * 2); /* Many shares of the ids: the same. */
    assert_int_equal(report->found[RECONCILE_REACCEPTED], 1);
    assert_int_equal(report->counts[ACCEPTED], 4);
}

static void a_ledger_of_another_pipeline_is_refused(void **unused)
{
    struct reconcile_settings settings = {&ledger.sink, NULL, 3, 1 << 20};
    struct reconcile *reconcile = NULL;
    struct fault fault;

    ledger.head.exists = false;
    assert_int_equal(reconcile_open(&settings, &reconcile, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_LEDGER_OTHER_HISTORY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down_ledger)
    const struct CMUnitTest tests[] = {
        TEST(a_ledger_that_adds_up_is_good),
        TEST(a_row_that_is_gone_is_found),
        TEST(an_amount_that_was_changed_is_found),
        TEST(totals_and_cursors_that_were_changed_are_found),
        TEST(two_rows_of_one_place_are_found),
        TEST(a_row_of_before_the_beginning_is_found),
        TEST(a_payment_at_the_very_start_of_a_window_is_in_it),
        TEST(a_duplicate_of_nothing_is_found),
        TEST(windows_that_were_changed_are_found),
        TEST(epochs_that_were_changed_are_found),
        TEST(an_id_that_was_accepted_twice_is_found),
        TEST(a_ledger_of_another_pipeline_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
