/* Brokers that answer with errors, or late. */
#include "test/kafka_scenarios.h"
#include "test/kafka_story.h"
#include "test/unit.h"

/* Errors, as the protocol numbers them. */
enum {
    OFFSET_OUT_OF_RANGE = 1,
    UNKNOWN_TOPIC_OR_PART = 3,
    LEADER_NOT_AVAILABLE = 5,
    NOT_LEADER_FOR_PARTITION = 6,
    TOPIC_AUTHORIZATION_FAILED = 29,
};

/* It has read something, and stands at the end of both partitions. */
static void begin_at_the_end(void)
{
    story_begin(1, 2);
    story_pay(0, 200, 100);
    story_pay(1, 100, 100);
    story_start();
    story_all();
}

static void write_more_and_end(void)
{
    story_pay(0, 200, 50);
    story_pay(1, 100, 50);
    story_all();
    story_stop();
    story_end();
}

void a_fetch_that_met_no_leader_three_times_is_asked_again(void **state)
{
    begin_at_the_end();
    story_fail(KAFKA_MOCK_FETCH, NOT_LEADER_FOR_PARTITION, 3);
    write_more_and_end();
}

/* The offset is there all the same: so says whoever is asked what is. */
void an_offset_said_to_be_out_of_range_is_looked_for_by_a_new_client(void **state)
{
    begin_at_the_end();
    story_fail(KAFKA_MOCK_FETCH, OFFSET_OUT_OF_RANGE, 1);
    story_told("source_stale ");
    write_more_and_end();
}

void a_topic_said_to_be_unknown_three_times_is_read_on(void **state)
{
    begin_at_the_end();
    story_fail(KAFKA_MOCK_FETCH, UNKNOWN_TOPIC_OR_PART, 3);
    write_more_and_end();
}

/* What was taken before is in the ledger; it asks again by itself. */
void a_right_taken_away_is_told_once_and_read_on_by_itself_when_it_is_back(void **state)
{
    const char *told = "source_not_allowed code=F005";

    begin_at_the_end();
    story_fail(KAFKA_MOCK_FETCH, TOPIC_AUTHORIZATION_FAILED, 3);
    story_told(told);
    assert_non_null(strstr(place.events, "TOPIC_AUTHORIZATION_FAILED"));
    write_more_and_end();
    assert_null(strstr(strstr(place.events, told) + 1, told));
}

void a_round_trip_of_500_ms_is_slow_and_nothing_else(void **state)
{
    story_begin(1, 1);
    story_pay(0, 500, 100);
    kafka_mock_slow(story.mock, 500);
    story_start();
    story_all();
    story_stop();
    kafka_mock_slow(story.mock, 0);
    story_end();
}

/* A cluster that starts, or heals, does not know at once who leads what, nor all of its topics. */
void metadata_errors_are_waited_out_or_named(void **state)
{
    story_begin(1, 2);
    story_pay(0, 200, 100);
    kafka_mock_topic_error(story.mock, UNKNOWN_TOPIC_OR_PART);
    story_refused(FAULT_SOURCE_MISSING);
    kafka_mock_topic_error(story.mock, TOPIC_AUTHORIZATION_FAILED);
    story_refused(FAULT_SOURCE_PERMISSION);
    kafka_mock_topic_error(story.mock, 0);
    story_start();
    story_all();
    kafka_mock_topic_error(story.mock, LEADER_NOT_AVAILABLE);
    story_nap(2500); /* The client asks every second. */
    kafka_mock_topic_error(story.mock, 0);
    story_pay(0, 100, 50);
    story_all();
    kafka_mock_topic_error(story.mock, UNKNOWN_TOPIC_OR_PART);
    story_fail(KAFKA_MOCK_FETCH, UNKNOWN_TOPIC_OR_PART, 1);
    story_told("source_unreachable ");
    kafka_mock_topic_error(story.mock, 0);
    write_more_and_end();
}
