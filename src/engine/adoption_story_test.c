/* A topic made anew, a file replaced: a person says to go on with that one. */
#include "test/decided_place.h"
#include "test/unit.h"

#include "base/instant.h"

#include <unistd.h>

static void a_topic_made_anew_is_read_as_its_next_incarnation(void **state)
{
    for (size_t longer = 0; longer < 2; longer++) {
        decided_make(2);
        pay(0, 10);
        pay(1, 4);
        assert_int_equal(run(), ENGINE_CAUGHT_UP);
        broker_recreate(&broker);
        pay(0, longer == 1 ? 30 : 3);
        start_halts(FAULT_SOURCE_REPLACED);
        uint64_t stranger = adopt("doubles");
        uint64_t number = adopt("double");
        assert_int_equal(run(), ENGINE_CAUGHT_UP);
        assert_int_equal(fate(number), DECISION_SEALED);
        assert_int_equal(fate(stranger), DECISION_REFUSED);
        assert_int_equal(counted(ACCEPTED), 14 + (longer == 1 ? 30 : 3));
        balances();
        assert_string_equal(
            ask_ledger("SELECT incarnation, partition, next, standing FROM payonce_cursor"
                       " WHERE partition = 0 ORDER BY 1, 2"),
            longer == 1 ? "0|0|10|ended|1|0|30|active" : "0|0|10|ended|1|0|3|active");
        assert_string_equal(ask_ledger("SELECT count(*) FROM (SELECT DISTINCT source_topic,"
                                       " source_incarnation, source_partition, source_offset"
                                       " FROM payment_transactions)"),
                            longer == 1 ? "44" : "17");
        assert_non_null(strstr(ask_ledger(DECISIONS), "adoption|double|1|0|-|-|Eve|"));
        pay(1, 5); /* And from now on so. */
        broker_grow(&broker);
        pay(2, 6);
        assert_int_equal(run(), ENGINE_CAUGHT_UP);
        assert_int_equal(counted(ACCEPTED), 14 + (longer == 1 ? 30 : 3) + 11);
        assert_string_equal(ask_ledger("SELECT count(*), min(incarnation), sum(next)"
                                       " FROM payonce_cursor WHERE standing <> 'ended'"),
                            longer == 1 ? "3|1|41" : "3|1|14");
        decided_unmake();
    }
}

static void what_was_read_before_an_adoption_holds_the_watermark_no_more(void **state)
{
    struct engine_gauges gauges = {.watermark_ms = INSTANT_NONE};

    decided_make(2);
    pay(0, 10);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    broker_recreate(&broker);
    pay(0, 5);
    pay(1, 5);
    (void)adopt("double");
    place.settings.until_caught_up = false;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    int64_t newest_ms = DECIDED_BASE + DECIDED_ANEW_MS + 40;
    int64_t wanted_ms = newest_ms - place.settings.rules.lateness_ms;
    for (int step = 0; step < PLACE_LOOKS && gauges.watermark_ms != wanted_ms; step++) {
        usleep(10000);
        engine_gauges(place.engine, &gauges);
    }
    assert_true(gauges.watermark_ms == wanted_ms);
    engine_stop(place.engine);
    assert_int_equal(wait_for_end(), ENGINE_STOPPED);
    engine_close(place.engine);
    decided_unmake();
}

static void a_file_that_was_replaced_is_read_from_its_start(void **state)
{
    place_make(1);
    write_payments(0, 1, 9);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    in_place("rm 0.jsonl");
    write_payments(0, 11, 15);
    start_halts(FAULT_SOURCE_TRUNCATED);
    (void)adopt(place.inputs[0]);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 14);
    balances();
    assert_string_equal(
        ask_ledger("SELECT incarnation, next, standing FROM payonce_cursor ORDER BY 1"),
        "0|10|ended|1|6|ended");
    write_payments(0, 16, 17);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 16);
    place_remove();
}

/* The journal is lost: the ledger alone says what was decided. */
static void a_rebuilt_journal_and_a_new_follower_know_what_was_decided(void **state)
{
    read_then_lose_by_retention();
    (void)accept_gap("double", 1, 10, 14);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    broker_recreate(&broker);
    pay(0, 3);
    (void)adopt("double");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    in_place("rm -r data");
    pay(1, 2);
    place.settings.sink_types[1] = place.settings.sink_types[0];
    place.settings.sinks[1] = place.settings.sinks[0];
    place.settings.deliver_rows_max[1] = 50000;
    place.settings.deliver_wait_ms[1] = 20;
    place.settings.sink_count = 2;
    (void)snprintf(place.settings.sinks[1].name, SINK_NAME_MAX, "copy");
    (void)snprintf(place.settings.sinks[1].path, SINK_PATH_MAX, "%s/copy.db", place.path);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(TALLY_COUNT), 5);
    assert_int_equal(counted(ACCEPTED), 40);
    balances();
    in_place("for table in payonce_decision payonce_cursor payonce_total; do"
             " for file in payments copy; do"
             " sqlite3 $file.db \"SELECT * FROM $table ORDER BY 1, 2, 3\" > $file.txt; done;"
             " cmp payments.txt copy.txt || exit 1; test -s copy.txt || exit 1; done");
    decided_unmake();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_made_anew_is_read_as_its_next_incarnation),
        cmocka_unit_test(what_was_read_before_an_adoption_holds_the_watermark_no_more),
        cmocka_unit_test(a_file_that_was_replaced_is_read_from_its_start),
        cmocka_unit_test(a_rebuilt_journal_and_a_new_follower_know_what_was_decided),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
