/* A right to read that is taken away, and given back. */
#include "test/decided_place.h"
#include "test/unit.h"

#define TOLD "source_not_allowed code=F005"

static void start(bool until_caught_up)
{
    place.settings.until_caught_up = until_caught_up;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
}

static void await_event(const char *begin)
{
    for (int step = 0; step < PLACE_LOOKS && strstr(place.events, begin) == NULL; step++) {
        note_events(10);
    }
    assert_non_null(strstr(place.events, begin));
}

/* Asked for again and again; meanwhile nothing else is told. */
static void it_is_told_once_and_waited_for(void **state)
{
    decided_make(2);
    start(false);
    pay(0, 10);
    broker_break(&broker, 1, FAULT_SOURCE_PERMISSION);
    for (int step = 0; step < PLACE_LOOKS && broker_opened(&broker) < 4; step++) {
        note_events(10);
    }
    const char *told = strstr(place.events, TOLD);
    assert_non_null(told);
    assert_null(strstr(told + 1, TOLD));
    assert_null(strstr(place.events, "source_recovered "));
    pay(1, 10);
    broker_break(&broker, 1, FAULT_NONE);
    await_event("source_recovered ");
    place.events[0] = '\0';
    broker_break(&broker, 0, FAULT_SOURCE_PERMISSION);
    await_event(TOLD);
    engine_stop(place.engine);
    assert_int_equal(wait_for_end(), ENGINE_STOPPED);
    engine_close(place.engine);
    assert_int_equal(counted(ACCEPTED), 20);
    decided_unmake();
}

static void whoever_waits_for_the_end_is_told_and_sent_away(void **state)
{
    decided_make(1);
    pay(0, 10);
    broker_break(&broker, 0, FAULT_SOURCE_PERMISSION);
    start(true);
    assert_int_equal(wait_for_end(), ENGINE_FAILED);
    assert_int_equal(place.fault.code, FAULT_SOURCE_PERMISSION);
    engine_close(place.engine);
    decided_unmake();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_told_once_and_waited_for),
        cmocka_unit_test(whoever_waits_for_the_end_is_told_and_sent_away),
    };

    return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
