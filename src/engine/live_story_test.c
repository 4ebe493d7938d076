/* Stories of live partitions, drawn by lot: whatever happens, each payment is in the ledger once.
 */
#include "base/instant.h"
#include "test/broker_double.h"
#include "test/engine_place.h"
#include "test/unit.h"

#include <stdlib.h>
#include <unistd.h>

enum { PARTITIONS = 5, STEPS = 60, STORIES = 8 };

struct story {
    struct broker broker;
    unsigned seed;
    bool running;
    uint64_t paid;
    uint64_t marked;
};

static struct story story;

static unsigned draw(unsigned below)
{
    return (unsigned)rand_r(&story.seed) % below;
}

static void begin(unsigned seed)
{
    place_make(0);
    story.seed = seed;
    story.running = false;
    story.paid = story.marked = 0;
    broker_init(&story.broker, 3);
    place.settings.feed_type = &feed_double;
    place.settings.feed_settings = &story.broker;
    place.settings.feed_look_ms = 50;
    place.settings.rules.idle_after_ms = 50;
    place.settings.until_caught_up = false;
}

static void start(void)
{
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    story.running = true;
}

/* In order, or as if its power went: what is not sealed never happened. */
static void end(bool in_order)
{
    if (in_order) {
        engine_stop(place.engine);
        assert_int_equal(wait_for_end(), ENGINE_STOPPED);
    }
    note_events(0);
    engine_close(place.engine);
    story.running = false;
    place.events[0] = '\0';
}

static void pay(size_t partition)
{
    unsigned count = draw(200);

    for (unsigned index = 0; index < count; index++) {
        int64_t event_ms = INT64_C(1770000000000) + (int64_t)story.paid++ * 5;
        broker_pay(&story.broker, partition, event_ms, INSTANT_NONE);
    }
}

static void happen(void)
{
    size_t partition = draw((unsigned)story.broker.partition_count);
    unsigned count = draw(4) + 1;

    switch (draw(12)) {
    case 0:
        broker_mark(&story.broker, partition, count);
        story.marked += count;
        break;
    case 1:
        broker_hang(&story.broker, partition, draw(2) == 0);
        break;
    case 2:
        broker_cut(&story.broker, partition, draw(2) == 0);
        break;
    case 3:
        broker_break(&story.broker, partition, draw(2) == 0 ? FAULT_SOURCE_STALE : FAULT_NONE);
        break;
    case 4:
        if (story.broker.partition_count < PARTITIONS) {
            broker_grow(&story.broker);
        }
        break;
    case 5:
        if (story.running) {
            end(draw(2) == 0);
        } else {
            start();
        }
        break;
    default:
        pay(partition);
        break;
    }
    usleep(draw(8000));
}

/* All is well again, and all is read. */
static void settle(void)
{
    for (size_t partition = 0; partition < PARTITIONS; partition++) {
        broker_hang(&story.broker, partition, false);
        broker_cut(&story.broker, partition, false);
        broker_break(&story.broker, partition, FAULT_NONE);
    }
    if (story.running) {
        end(true);
    }
    place.settings.until_caught_up = true;
    start();
    assert_int_equal(wait_for_end(), ENGINE_CAUGHT_UP);
    end(false);
}

static void whatever_happens_each_payment_is_in_the_ledger_once(void **state)
{
    for (unsigned seed = 1; seed <= STORIES; seed++) {
        begin(seed);
        for (unsigned step = 0; step < STEPS; step++) {
            happen();
        }
        settle();
        assert_int_equal(counted(ACCEPTED), story.paid);
        assert_int_equal(counted(SKIPPED), story.marked);
        assert_int_equal(counted(DUPLICATE) + counted(LATE) + counted(INVALID), 0);
        assert_int_equal(story.broker.opened, story.broker.closed);
        place_remove();
        broker_free(&story.broker);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_each_payment_is_in_the_ledger_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
