#include "test/live_world.h"
#include "test/unit.h"

static void a_partition_out_of_reach_holds_no_other_back(void **unused)
{
    broker_init(&live.broker, 2);
    live_pay(0, 10, LIVE_BASE, LIVE_MINUTE);
    live_pay(1, 100, LIVE_BASE, LIVE_MINUTE);
    broker_cut(&live.broker, 0, true);
    live_start(1, false);
    for (uint64_t offset = 0; offset < 100; offset++) {
        live_expect_message(1, offset);
    }
    broker_cut(&live.broker, 0, false);
    live_expect_message(0, 0);
    live_stop();
}

static void an_open_transaction_holds_no_other_back_and_is_never_idle(void **unused)
{
    live.idle_after_ms = LIVE_IDLE_AFTER_MS;
    broker_init(&live.broker, 2);
    live_pay(0, 5, LIVE_BASE, LIVE_MINUTE);
    broker_hang(&live.broker, 0, true);
    live_pay(0, 5, LIVE_BASE + 5 * LIVE_MINUTE, LIVE_MINUTE);
    live_pay(1, 100, LIVE_BASE, LIVE_MINUTE);
    live_start(1, false);
    for (size_t count = 0; count < 105; count++) {
        assert_int_equal(live_next_item(LIVE_SOON_MS).kind, INTAKE_MESSAGE);
    }
    struct intake_item item = live_next_item(LIVE_SOON_MS);
    assert_int_equal(item.kind, INTAKE_IDLE);
    assert_int_equal(item.source, 1);
    assert_int_equal(live_next_item(3 * LIVE_IDLE_AFTER_MS).kind, INTAKE_NOTHING);
    broker_hang(&live.broker, 0, false);
    live_expect_message(0, 5);
    live_stop();
}

static void silence_is_idle_once_and_over_with_the_next_message(void **unused)
{
    live.idle_after_ms = LIVE_IDLE_AFTER_MS;
    broker_init(&live.broker, 1);
    live_pay(0, 1, LIVE_BASE, 1);
    live_start(1, false);
    int64_t before_ns = clock_steady_ns(&clock_real);
    live_expect_message(0, 0);
    assert_int_equal(live_next_item(LIVE_SOON_MS).kind, INTAKE_IDLE);
    assert_true(clock_steady_ns(&clock_real) - before_ns >= LIVE_IDLE_AFTER_MS * 1000000);
    assert_int_equal(live_next_item(2 * LIVE_IDLE_AFTER_MS).kind, INTAKE_NOTHING);
    broker_pay(&live.broker, 0, LIVE_BASE, INSTANT_NONE);
    struct intake_item item = live_next_item(LIVE_SOON_MS);
    if (item.kind == INTAKE_ACTIVE) { /* Its end was seen to move before it came. */
        item = live_next_item(LIVE_SOON_MS);
    }
    assert_int_equal(item.kind, INTAKE_MESSAGE);
    assert_int_equal(live_next_item(LIVE_SOON_MS).kind, INTAKE_IDLE);
    live_stop();
}

static void an_outage_is_not_silence_and_ends_what_was_idle(void **unused)
{
    live.idle_after_ms = LIVE_IDLE_AFTER_MS;
    broker_init(&live.broker, 2);
    live_pay(0, 1, LIVE_BASE, 1);
    broker_cut(&live.broker, 1, true);
    live_start(1, false);
    live_expect_message(0, 0);
    struct intake_item item = live_next_item(LIVE_SOON_MS);
    assert_int_equal(item.kind, INTAKE_IDLE);
    assert_int_equal(item.source, 0);
    assert_int_equal(live_next_item(3 * LIVE_IDLE_AFTER_MS).kind, INTAKE_NOTHING);
    broker_cut(&live.broker, 0, true);
    assert_int_equal(live_next_item(LIVE_SOON_MS).kind, INTAKE_ACTIVE);
    assert_int_equal(live_next_item(3 * LIVE_IDLE_AFTER_MS).kind, INTAKE_NOTHING);
    live_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_out_of_reach_holds_no_other_back),
        cmocka_unit_test(an_open_transaction_holds_no_other_back_and_is_never_idle),
        cmocka_unit_test(silence_is_idle_once_and_over_with_the_next_message),
        cmocka_unit_test(an_outage_is_not_silence_and_ends_what_was_idle),
    };

    return cmocka_run_group_tests(tests, live_set_up, live_tear_down);
}
