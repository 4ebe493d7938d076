#include "test/live_world.h"
#include "test/unit.h"

static void *pay_on(void *unused)
{
    for (size_t count = 0; count < 20000; count++) {
        size_t partition = count * 7 % live.broker.partition_count;
        broker_pay(&live.broker, partition, LIVE_BASE + (int64_t)count, INSTANT_NONE);
    }
    return NULL;
}

static void few_threads_bring_what_many_partitions_get_each_in_its_order(void **unused)
{
    pthread_t producer;

    broker_init(&live.broker, BROKER_PARTITIONS_MAX);
    live_start(2, false);
    assert_int_equal(pthread_create(&producer, NULL, pay_on, NULL), 0);
    for (size_t count = 0; count < 20000; count++) {
        struct intake_item item = live_next_item(LIVE_SOON_MS);
        while (item.kind == INTAKE_IDLE || item.kind == INTAKE_ACTIVE) {
            item = live_next_item(LIVE_SOON_MS);
        }
        assert_int_equal(item.kind, INTAKE_MESSAGE);
        assert_int_equal(item.message->offset + 1, live.expected[item.source]);
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    for (size_t partition = 0; partition < live.broker.partition_count; partition++) {
        assert_int_equal(live.expected[partition], live.broker.partitions[partition].end);
    }
    live_stop();
}

static uint64_t reads_so_far(void)
{
    uint64_t reads = 0;

    (void)pthread_mutex_lock(&live.broker.mutex);
    for (size_t partition = 0; partition < live.broker.partition_count; partition++) {
        reads += live.broker.partitions[partition].reads;
    }
    (void)pthread_mutex_unlock(&live.broker.mutex);
    return reads;
}

static void a_partition_that_had_nothing_is_not_asked_before_it_calls(void **unused)
{
    broker_init(&live.broker, 50);
    live_start(2, false);
    while (reads_so_far() < 50) {
        assert_int_equal(live_next_item(1).kind, INTAKE_NOTHING);
    }
    assert_int_equal(live_next_item(60).kind, INTAKE_NOTHING);
    assert_int_equal(reads_so_far(), 50);
    broker_pay(&live.broker, 33, LIVE_BASE, INSTANT_NONE);
    live_expect_message(33, 0);
    live_stop();
}

/* Is the one taken from within align of the slowest of those that have something left? */
static void expect_aligned(const struct intake_item *item, int64_t newest_before_ms)
{
    for (size_t other = 0; other < live.broker.partition_count; other++) {
        if (other != item->source && live.expected[other] < live.broker.partitions[other].end) {
            int64_t newest_ms = live.memory.sources[other].newest_ms;
            assert_true(newest_before_ms == INSTANT_NONE ||
                        newest_before_ms - newest_ms <= 10 * LIVE_MINUTE);
        }
    }
}

static void while_others_have_a_backlog_none_is_far_ahead(void **unused)
{
    broker_init(&live.broker, 3);
    live_pay(0, 3000, LIVE_BASE, LIVE_MINUTE);
    live_pay(1, 3000, LIVE_BASE, LIVE_MINUTE / 10);
    live_pay(2, 500, LIVE_BASE + 60 * LIVE_MINUTE, LIVE_MINUTE * 3);
    live_start(2, false);
    for (size_t count = 0; count < 6500; count++) {
        int64_t before[3];
        for (size_t index = 0; index < 3; index++) {
            before[index] = live.memory.sources[index].newest_ms;
        }
        struct intake_item item = live_next_item(LIVE_SOON_MS);
        assert_int_equal(item.kind, INTAKE_MESSAGE);
        expect_aligned(&item, before[item.source]);
    }
    live_stop();
}

/* The one held back fills its blocks, and is read no further. */
static void a_partition_held_back_is_not_read_on(void **unused)
{
    broker_init(&live.broker, 2);
    live_pay(0, 100000, LIVE_BASE, 0);
    live_pay(1, 50000, LIVE_BASE + 60 * LIVE_MINUTE, 0);
    live_start(2, false);
    for (size_t count = 0; count < 50000; count++) {
        assert_int_equal(live_next_item(LIVE_SOON_MS).kind, INTAKE_MESSAGE);
    }
    assert_in_range(live.expected[1], 0, 1);
    (void)pthread_mutex_lock(&live.broker.mutex);
    assert_true(live.broker.partitions[1].reads <= 8);
    (void)pthread_mutex_unlock(&live.broker.mutex);
    live_stop();
}

static void what_is_no_message_is_passed_and_at_the_end_it_is_told(void **unused)
{
    broker_init(&live.broker, 1);
    live_pay(0, 1, LIVE_BASE, 1);
    broker_mark(&live.broker, 0, 4);
    live_pay(0, 1, LIVE_BASE, 1);
    broker_mark(&live.broker, 0, 1);
    live_start(1, false);
    live_expect_message(0, 0);
    live_expect_message(0, 5);
    struct intake_item item = live_next_item(LIVE_SOON_MS);
    assert_int_equal(item.kind, INTAKE_SKIPPED);
    assert_int_equal(item.offset, 6);
    broker_mark(&live.broker, 0, 2);
    item = live_next_item(LIVE_SOON_MS);
    assert_int_equal(item.kind, INTAKE_SKIPPED);
    assert_int_equal(item.offset, 8);
    live_stop();
}

static void it_finishes_where_the_ends_were_at_the_start(void **unused)
{
    size_t taken = 0;

    broker_init(&live.broker, 2);
    live_pay(0, 1000, LIVE_BASE, 1);
    live_pay(1, 10, LIVE_BASE, 1);
    broker_mark(&live.broker, 1, 1);
    live_start(1, true);
    for (;;) {
        struct intake_item item = live_next_item(LIVE_SOON_MS);
        if (item.kind == INTAKE_FINISHED) {
            break;
        }
        assert_true(item.kind == INTAKE_MESSAGE || item.kind == INTAKE_SKIPPED);
        taken += item.kind == INTAKE_MESSAGE ? 1 : 0;
        broker_pay(&live.broker, 0, LIVE_BASE, INSTANT_NONE);
        assert_true(taken < 100000);
    }
    assert_true(live.expected[0] >= 1000);
    assert_int_equal(live.memory.sources[1].next, 11);
    live_stop();
}

static void what_breaks_in_one_partition_is_told(void **unused)
{
    broker_init(&live.broker, 3);
    live_pay(1, 1, LIVE_BASE, 1);
    live_start(2, false);
    live_expect_message(1, 0);
    broker_break(&live.broker, 2, FAULT_SOURCE_STALE);
    assert_int_equal(live_next_item(LIVE_SOON_MS).kind, INTAKE_BROKEN);
    assert_int_equal(live.fault.code, FAULT_SOURCE_STALE);
    live_stop();
}

static void a_record_arrived_when_it_says_but_never_after_our_clock(void **unused)
{
    int64_t now_ms = clock_wall_ms(&clock_real);

    broker_init(&live.broker, 1);
    broker_pay(&live.broker, 0, LIVE_BASE, now_ms - 5000);
    broker_pay(&live.broker, 0, LIVE_BASE, now_ms + 500000);
    broker_pay(&live.broker, 0, LIVE_BASE, 0);
    live_start(1, false);
    assert_int_equal(live_next_item(LIVE_SOON_MS).message->arrival_ms, now_ms - 5000);
    assert_in_range(live_next_item(LIVE_SOON_MS).message->arrival_ms, now_ms,
                    now_ms + LIVE_SOON_MS);
    assert_in_range(live_next_item(LIVE_SOON_MS).message->arrival_ms, now_ms,
                    now_ms + LIVE_SOON_MS);
    live_stop();
}

static void it_stops_in_the_middle_of_anything(void **unused)
{
    pthread_t producer;

    for (unsigned count = 0; count < 40; count++) {
        broker_init(&live.broker, count % 8 + 1);
        live_start(count % 4 + 1, false);
        assert_int_equal(pthread_create(&producer, NULL, pay_on, NULL), 0);
        for (unsigned taken = 0; taken < count * 10; taken++) {
            (void)live_next_item(20);
        }
        intake_stop(live.intake);
        live.intake = NULL; /* Stopped once more below. */
        assert_int_equal(pthread_join(producer, NULL), 0);
        live_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_threads_bring_what_many_partitions_get_each_in_its_order),
        cmocka_unit_test(a_partition_that_had_nothing_is_not_asked_before_it_calls),
        cmocka_unit_test(while_others_have_a_backlog_none_is_far_ahead),
        cmocka_unit_test(a_partition_held_back_is_not_read_on),
        cmocka_unit_test(what_is_no_message_is_passed_and_at_the_end_it_is_told),
        cmocka_unit_test(it_finishes_where_the_ends_were_at_the_start),
        cmocka_unit_test(what_breaks_in_one_partition_is_told),
        cmocka_unit_test(a_record_arrived_when_it_says_but_never_after_our_clock),
        cmocka_unit_test(it_stops_in_the_middle_of_anything),
    };

    return cmocka_run_group_tests(tests, live_set_up, live_tear_down);
}
