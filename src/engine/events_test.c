#include "engine/events.h"
#include "test/unit.h"

static struct events events;
static struct engine_event event;

static int set_up(void **state)
{
    events_init(&events, &clock_real);
    event_begin(&event, "something", ENGINE_WARN);
    return 0;
}

static int tear_down(void **state)
{
    events_destroy(&events);
    return 0;
}

static void writes_pairs_one_behind_the_other(void **state)
{
    event_number(&event, "epoch", 7);
    event_word(&event, "sink", "local");
    event_seconds(&event, "took", 1042);
    assert_string_equal(event.text, "epoch=7 sink=local took=1.042s");
}

static void quotes_and_escapes_what_could_mislead(void **state)
{
    event_word(&event, "a", "two words");
    event_word(&event, "b", "x=y");
    event_word(&event, "c", "");
    event_word(&event, "d", "say \"hi\" \\ ");
    assert_string_equal(event.text, "a=\"two words\" b=\"x=y\" c=\"\" d=\"say \\\"hi\\\" \\\\ \"");
    event_begin(&event, "something", ENGINE_WARN);
    event_word(&event, "e", "\n{\"level\":\"error\"\x1b[31m\xe2\x80\xa8");
    assert_string_equal(event.text,
                        "e=\"\\x0a{\\\"level\\\":\\\"error\\\"\\x1b[31m\\xe2\\x80\\xa8\"");
}

static void shows_the_front_of_an_account_only(void **state)
{
    event_account(&event, "a", (struct span){"ACC_12345678", 12});
    event_account(&event, "b", (struct span){"ACC_1", 5});
    event_account(&event, "c", (struct span){"X", 1});
    event_account(&event, "d", (struct span){NULL, 0});
    assert_string_equal(event.text, "a=ACC_12**** b=AC**** c=**** d=****");
}

static void leaves_out_whole_what_does_not_fit(void **state)
{
    char long_text[2 * ENGINE_EVENT_TEXT];

    memset(long_text, 'x', sizeof(long_text));
    for (int time = 0; time < 8; time++) {
        event_text(&event, "long", (struct span){long_text, sizeof(long_text)});
    }
    event_number(&event, "last", 1);
    assert_true(strlen(event.text) < ENGINE_EVENT_TEXT);
    assert_non_null(strstr(event.text, " last=1"));
}

static void tells_of_a_fault_its_code_and_what_next(void **state)
{
    struct fault fault;

    (void)fault_is(&fault, LATER, FAULT_SOURCE_STALE, "it is far away");
    event_fault(&event, &fault);
    assert_string_equal(event.text, "code=F010 reason=source_stale error=\"it is far away\" "
                                    "next=\"payonce connects anew by itself, and reads on from "
                                    "its own cursor\"");
    event_begin(&event, "something", ENGINE_WARN);
    (void)snprintf(fault.next, sizeof(fault.next), "wait");
    event_fault(&event, &fault);
    assert_string_equal(event.text, "code=F010 reason=source_stale error=\"it is far away\" "
                                    "next=wait");
}

static void hands_them_out_in_order(void **state)
{
    struct engine_event taken;

    assert_false(events_take(&events, &taken, 0));
    events_put(&events, &event);
    event_begin(&event, "another", ENGINE_INFO);
    events_put(&events, &event);
    assert_true(events_take(&events, &taken, 0));
    assert_string_equal(taken.name, "something");
    assert_true(taken.wall_ms > 0);
    assert_true(events_take(&events, &taken, 1000));
    assert_string_equal(taken.name, "another");
    assert_false(events_take(&events, &taken, 1));
}

static void says_how_many_did_not_fit(void **state)
{
    struct engine_event taken;

    for (int count = 0; count < EVENTS_MAX + 3; count++) {
        events_put(&events, &event);
    }
    for (int count = 0; count < EVENTS_MAX; count++) {
        assert_true(events_take(&events, &taken, 0));
    }
    assert_false(events_take(&events, &taken, 0));
    events_put(&events, &event);
    assert_true(events_take(&events, &taken, 0));
    assert_string_equal(taken.text, "events_missing=3");
}

#define WITH_EVENTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_EVENTS(writes_pairs_one_behind_the_other),
        WITH_EVENTS(quotes_and_escapes_what_could_mislead),
        WITH_EVENTS(shows_the_front_of_an_account_only),
        WITH_EVENTS(leaves_out_whole_what_does_not_fit),
        WITH_EVENTS(tells_of_a_fault_its_code_and_what_next),
        WITH_EVENTS(hands_them_out_in_order),
        WITH_EVENTS(says_how_many_did_not_fit),
    };
    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
