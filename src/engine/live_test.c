/* The whole machine over live partitions: a double for the broker, SQLite for the ledger. */
#include "test/broker_double.h"
#include "test/engine_place.h"
#include "test/unit.h"

#include "base/instant.h"

#include <unistd.h>

#define BASE INT64_C(1770000000000)

static struct broker broker;

static void make(size_t partition_count)
{
    place_make(0);
    broker_init(&broker, partition_count);
    place.settings.feed_type = &feed_double;
    place.settings.feed_settings = &broker;
    place.settings.rules.idle_after_ms = 200;
    place.settings.feed_look_ms = 100;
}

static void unmake(void)
{
    assert_int_equal(broker.opened, broker.closed);
    place_remove();
    broker_free(&broker);
}

static void pay(size_t partition, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        int64_t event_ms = BASE + (int64_t)broker.partitions[partition].end * 10;
        broker_pay(&broker, partition, event_ms, INSTANT_NONE);
    }
}

static void start(void)
{
    place.settings.until_caught_up = false;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
}

static void await_accepted(uint64_t count)
{
    struct engine_gauges gauges = {.epoch = 0};

    for (int step = 0; step < PLACE_LOOKS && gauges.verdicts[ACCEPTED] < count; step++) {
        note_events(10);
        engine_gauges(place.engine, &gauges);
    }
    assert_int_equal(gauges.verdicts[ACCEPTED], count);
}

static void stop(void)
{
    engine_stop(place.engine);
    assert_int_equal(wait_for_end(), ENGINE_STOPPED);
    engine_close(place.engine);
}

static void expect_event(const char *begin)
{
    for (int step = 0; step < PLACE_LOOKS && strstr(place.events, begin) == NULL; step++) {
        note_events(10);
    }
    assert_non_null(strstr(place.events, begin));
}

static void reads_partitions_to_where_they_ended_at_the_start(void **state)
{
    make(3);
    pay(0, 1000);
    pay(1, 10);
    broker_mark(&broker, 1, 2);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 1010);
    assert_int_equal(counted(SKIPPED), 2);
    pay(2, 5);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 1015);
    assert_int_equal(counted(DUPLICATE), 0);
    unmake();
}

static void
a_new_pipeline_begins_where_it_was_set_and_a_partition_of_later_at_its_first(void **state)
{
    make(2);
    pay(0, 100);
    pay(1, 100);
    pay(2, 100);
    broker.start_offset = 40;
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 120);
    broker.start_offset = 70; /* Not asked any more. */
    broker.partition_count = 3;
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 220);
    unmake();
}

static uint64_t lag(void)
{
    struct engine_gauges gauges;

    engine_gauges(place.engine, &gauges);
    return gauges.source_lag;
}

static void what_is_there_and_not_read_is_the_lag(void **state)
{
    make(2);
    pay(0, 30);
    broker_hang(&broker, 1, true);
    pay(1, 12);
    start();
    await_accepted(30);
    for (int step = 0; step < PLACE_LOOKS && lag() != 12; step++) {
        usleep(10000);
    }
    assert_int_equal(lag(), 12);
    broker_hang(&broker, 1, false);
    await_accepted(42);
    for (int step = 0; step < PLACE_LOOKS && lag() != 0; step++) {
        usleep(10000);
    }
    assert_int_equal(lag(), 0);
    stop();
    unmake();
}

static void the_broker_is_told_how_far_the_ledger_has_come(void **state)
{
    make(2);
    start();
    pay(0, 20);
    await_accepted(20);
    for (int step = 0; step < PLACE_LOOKS && broker_told(&broker, 0) < 20; step++) {
        usleep(10000);
    }
    assert_int_equal(broker_told(&broker, 0), 20);
    pay(0, 30);
    pay(1, 7);
    await_accepted(57);
    stop();
    assert_int_equal(broker_told(&broker, 0), 50);
    assert_int_equal(broker_told(&broker, 1), 7);
    unmake();
}

static void a_partition_that_is_added_is_read_without_a_restart(void **state)
{
    make(1);
    start();
    pay(0, 20);
    await_accepted(20);
    pay(1, 30);
    broker_grow(&broker);
    await_accepted(50);
    pay(0, 5);
    await_accepted(55);
    stop();
    assert_int_equal(broker.opened, 2);
    assert_int_equal(counted(DUPLICATE), 0);
    unmake();
}

/* Again and again while messages come; a partition joins on the way. */
static void a_client_that_is_made_anew_loses_and_doubles_nothing(void **state)
{
    make(3);
    start();
    for (size_t round = 0; round < 4; round++) {
        pay(0, 200);
        pay(1, 30);
        broker_break(&broker, round % 2, FAULT_SOURCE_STALE);
        pay(2, 100);
        usleep(30000);
        broker_break(&broker, round % 2, FAULT_NONE);
        if (round == 1) {
            broker_grow(&broker);
            pay(3, 11);
        }
    }
    await_accepted(4 * 330 + 11);
    stop();
    assert_true(broker.opened >= 2);
    assert_non_null(strstr(place.events, "source_stale code=F010"));
    assert_int_equal(counted(ACCEPTED), 4 * 330 + 11);
    assert_int_equal(counted(DUPLICATE), 0);
    unmake();
}

static void an_outage_is_told_once_and_over_once(void **state)
{
    make(1);
    start();
    pay(0, 10);
    await_accepted(10);
    broker_down(&broker, true);
    broker_break(&broker, 0, FAULT_SOURCE_STALE);
    expect_event("source_unreachable ");
    broker_break(&broker, 0, FAULT_NONE);
    pay(0, 10);
    broker_down(&broker, false);
    await_accepted(20);
    expect_event("source_recovered ");
    stop();
    assert_null(strstr(strstr(place.events, "source_unreachable ") + 1, "source_unreachable "));
    unmake();
}

static void a_topic_or_a_right_that_comes_back_soon_is_no_halt(void **state)
{
    const enum fault_code codes[] = {FAULT_SOURCE_MISSING, FAULT_SOURCE_PERMISSION};

    make(1);
    place.settings.feed_look_ms = 10000;
    start();
    for (size_t index = 0; index < 2; index++) {
        broker_hide(&broker, codes[index]);
        broker_break(&broker, 0, FAULT_SOURCE_STALE);
        expect_event("source_unreachable ");
        place.events[0] = '\0';
        broker_break(&broker, 0, FAULT_NONE);
        broker_hide(&broker, FAULT_NONE);
        pay(0, 10);
        await_accepted(10 * (index + 1));
    }
    stop();
    unmake();
}

/* Brokers that start do not know their topics at once. That counts from their first answer. */
static void a_topic_that_comes_back_after_its_brokers_is_no_halt(void **state)
{
    make(1);
    place.settings.feed_look_ms = 900; /* Shorter than the pause between two attempts. */
    start();
    pay(0, 10);
    await_accepted(10);
    broker_down(&broker, true);
    broker_break(&broker, 0, FAULT_SOURCE_STALE);
    expect_event("source_unreachable ");
    unsigned refused = broker_hidden(&broker);
    broker_break(&broker, 0, FAULT_NONE);
    broker_hide_once(&broker, FAULT_SOURCE_MISSING);
    broker_down(&broker, false);
    pay(0, 10);
    await_accepted(20);
    assert_int_equal(broker_hidden(&broker), refused + 1);
    stop();
    unmake();
}

static void a_topic_that_stays_away_is_a_halt(void **state)
{
    make(1);
    start();
    pay(0, 10);
    await_accepted(10);
    broker_hide(&broker, FAULT_SOURCE_MISSING);
    broker_break(&broker, 0, FAULT_SOURCE_STALE);
    assert_int_equal(wait_for_end(), ENGINE_HALTED);
    assert_int_equal(place.fault.code, FAULT_SOURCE_MISSING);
    engine_close(place.engine);
    assert_int_equal(counted(ACCEPTED), 10);
    unmake();
}

/* Killed while it waits for messages, it was not killed by one. */
static void a_start_that_has_nothing_to_read_is_no_death(void **state)
{
    char deaths[ENGINE_PATH_MAX];

    make(1);
    start();
    (void)snprintf(deaths, sizeof(deaths), "%.300s/deaths", place.settings.data_dir);
    assert_int_equal(access(deaths, F_OK), 0);
    for (int step = 0; step < PLACE_LOOKS && access(deaths, F_OK) == 0; step++) {
        usleep(10000);
    }
    assert_int_not_equal(access(deaths, F_OK), 0);
    stop();
    unmake();
}

static void it_stops_when_asked_while_the_broker_is_away(void **state)
{
    make(1);
    start();
    pay(0, 10);
    await_accepted(10);
    broker_down(&broker, true);
    broker_break(&broker, 0, FAULT_SOURCE_STALE);
    expect_event("source_unreachable ");
    stop();
    assert_int_equal(counted(ACCEPTED), 10);
    unmake();
}

static void
what_a_person_must_decide_in_one_partition_halts_all_and_delivers_what_was_taken(void **state)
{
    make(2);
    start();
    pay(0, 10);
    pay(1, 10);
    await_accepted(20);
    broker_break(&broker, 1, FAULT_SOURCE_TRUNCATED);
    assert_int_equal(wait_for_end(), ENGINE_HALTED);
    assert_int_equal(place.fault.code, FAULT_SOURCE_TRUNCATED);
    pay(0, 10);
    usleep(20000);
    engine_close(place.engine);
    assert_int_equal(counted(ACCEPTED), 20);
    unmake();
}

static void another_record_where_ours_stood_halts_before_anything_is_taken(void **state)
{
    make(1);
    pay(0, 10);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    broker.partitions[0].count = 0;
    broker.partitions[0].end = 0;
    for (int64_t number = 0; number < 20; number++) {
        broker_pay(&broker, 0, BASE + 5 + number, INSTANT_NONE);
    }
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), BROKEN);
    assert_int_equal(place.fault.code, FAULT_SOURCE_REPLACED);
    assert_int_equal(counted(ACCEPTED), 10);
    unmake();
}

static int64_t watermark(void)
{
    struct engine_gauges gauges;

    engine_gauges(place.engine, &gauges);
    return gauges.watermark_ms;
}

/* Messages in partition 0 for a while, or until there is a watermark. */
static bool pay_until_watermark(int64_t while_ms)
{
    for (int64_t ms = 0; ms < while_ms && watermark() == INSTANT_NONE; ms += 10) {
        pay(0, 1);
        usleep(10000);
    }
    return watermark() != INSTANT_NONE;
}

/* A partition without a message: out of reach it holds the watermark, in silence it does not. */
static void silence_lets_the_watermark_go_and_an_outage_holds_it(void **state)
{
    make(2);
    broker_cut(&broker, 1, true);
    start();
    assert_false(pay_until_watermark(600));
    broker_cut(&broker, 1, false);
    assert_true(pay_until_watermark(PLACE_LOOKS * 10));
    stop();
    unmake();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_partitions_to_where_they_ended_at_the_start),
        cmocka_unit_test(
            a_new_pipeline_begins_where_it_was_set_and_a_partition_of_later_at_its_first),
        cmocka_unit_test(what_is_there_and_not_read_is_the_lag),
        cmocka_unit_test(the_broker_is_told_how_far_the_ledger_has_come),
        cmocka_unit_test(a_partition_that_is_added_is_read_without_a_restart),
        cmocka_unit_test(a_client_that_is_made_anew_loses_and_doubles_nothing),
        cmocka_unit_test(an_outage_is_told_once_and_over_once),
        cmocka_unit_test(a_topic_or_a_right_that_comes_back_soon_is_no_halt),
        cmocka_unit_test(a_topic_that_comes_back_after_its_brokers_is_no_halt),
        cmocka_unit_test(a_topic_that_stays_away_is_a_halt),
        cmocka_unit_test(a_start_that_has_nothing_to_read_is_no_death),
        cmocka_unit_test(it_stops_when_asked_while_the_broker_is_away),
        cmocka_unit_test(
            what_a_person_must_decide_in_one_partition_halts_all_and_delivers_what_was_taken),
        cmocka_unit_test(another_record_where_ours_stood_halts_before_anything_is_taken),
        cmocka_unit_test(silence_lets_the_watermark_go_and_an_outage_holds_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
