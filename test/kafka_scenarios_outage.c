/* Brokers that go away, and leaders that move. */
#include "test/kafka_scenarios.h"
#include "test/kafka_story.h"
#include "test/unit.h"

#include "os/kafka_read.h"

#include <pthread.h>

static void all_down(bool down)
{
    kafka_mock_down(story.mock, 1, down);
    kafka_mock_down(story.mock, 2, down);
}

static void *bring_up(void *unused)
{
    story_nap(1500);
    all_down(false);
    return unused;
}

void a_broker_down_at_the_start_is_waited_for_and_then_named(void **state)
{
    pthread_t thread;

    story_begin(2, 2);
    kafka_mock_lead(story.mock, 0, 1);
    kafka_mock_lead(story.mock, 1, 2);
    story_pay(0, 300, 100);
    story_pay(1, 100, 100);
    all_down(true);
    story_refused(FAULT_KAFKA_UNREACHABLE);
    assert_int_equal(pthread_create(&thread, NULL, bring_up, NULL), 0);
    story_start();
    assert_int_equal(pthread_join(thread, NULL), 0);
    story_all();
    story_stop();

    /* One is down, and what the other leads is read. */
    kafka_mock_down(story.mock, 2, true);
    story_pay(0, 100, 100);
    story_start();
    story_all();
    kafka_mock_down(story.mock, 2, false);
    story_pay(1, 100, 100);
    story_all();
    story_stop();
    story_end();
}

/* Each fetch brings 100 payments and takes 20 ms, so all would take a second. */
static void begin_slowly(void)
{
    story_pay(0, 5000, 100);
    story_pay(1, 5000, 100);
    kafka_mock_slow(story.mock, 20);
    story_start();
    story_some(1000);
}

void a_broker_down_in_mid_fetch_is_read_on_where_it_was(void **state)
{
    story_begin(2, 2);
    kafka_mock_lead(story.mock, 0, 1);
    kafka_mock_lead(story.mock, 1, 2);
    begin_slowly();
    for (int broker = 1; broker <= 2; broker++) {
        kafka_mock_down(story.mock, broker, true);
        assert_true(story_count() < 10000);
        story_nap(400);
        kafka_mock_down(story.mock, broker, false);
    }
    story_all();
    story_stop();
    story_end();
}

void all_brokers_down_for_longer_than_30_s_are_connected_anew_by_itself(void **state)
{
    story_begin(2, 2);
    story_pay(0, 300, 100);
    story_start();
    story_all();
    all_down(true);
    story_told("source_unreachable ");
    story_told("source_stale ");
    all_down(false);
    story_pay(0, 200, 100);
    story_pay(1, 100, 100);
    story_all();
    story_told("source_recovered ");
    story_stop();
    story_end();
}

void brokers_down_at_the_close_hold_nobody_up(void **state)
{
    story_begin(2, 2);
    story_pay(0, 300, 100);
    story_start();
    story_all();
    int64_t before_ns = clock_steady_ns(&clock_real);
    all_down(true);
    story_stop();
    int64_t took_ms = (clock_steady_ns(&clock_real) - before_ns) / 1000000;
    assert_true(took_ms < KAFKA_CLOSE_MS + 4000);
    story_exact();
    all_down(false);
    story_pay(0, 100, 100);
    story_pay(1, 100, 100);
    story_start();
    story_all();
    story_stop();
    story_end();
}

void a_leader_that_moves_is_followed(void **state)
{
    story_begin(3, 2);
    kafka_mock_lead(story.mock, 0, 1);
    begin_slowly();
    kafka_mock_lead(story.mock, 0, 2);
    assert_true(story_count() < 10000);
    story_some(4000);
    kafka_mock_lead(story.mock, 0, 3);
    story_all();
    story_stop();
    story_end();
}

void a_leader_that_moves_at_the_end_of_the_partition_is_followed(void **state)
{
    story_begin(3, 1);
    for (int broker = 1; broker <= 3; broker++) {
        kafka_mock_lead(story.mock, 0, broker);
        if (broker == 1) {
            story_start();
        }
        story_pay(0, 100, 50);
        story_all();
        story_nap(300); /* It has seen the end. */
    }
    story_stop();
    story_end();
}
