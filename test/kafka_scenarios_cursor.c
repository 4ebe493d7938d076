/* A topic that is not what it was when it was read, a partition more, and the group beside it. */
#include "test/kafka_scenarios.h"
#include "test/kafka_story.h"
#include "test/unit.h"

/* Errors, as the protocol numbers them. */
enum { COORDINATOR_NOT_AVAILABLE = 15, NOT_COORDINATOR = 16, UNKNOWN_MEMBER_ID = 25 };

/* A mock cluster keeps 100,000 batches of a partition, or 5 MiB: batches of one record. */
enum { MORE_THAN_IS_KEPT = 100001 };

static void read_and_stop(int count)
{
    story_pay(0, count, 100);
    story_start();
    story_all();
    story_stop();
}

void a_cursor_below_the_oldest_offset_halts_and_says_how_many_are_gone(void **state)
{
    story_begin(1, 1);
    read_and_stop(300);
    kafka_mock_pour(story.mock, 0, MORE_THAN_IS_KEPT);
    story_refused(FAULT_KAFKA_LOST);
    assert_non_null(strstr(place.fault.text, "the next offset 300 of payment-events/0"));
    story_end();
}

/* Another cluster is known by its id; and without that, by its records. */
static void meet(struct kafka_mock *other, enum fault_code code)
{
    story_ask(kafka_mock_brokers(other));
    story_refused(FAULT_SOURCE_REPLACED);
    assert_non_null(strstr(place.fault.text, "the cluster is mockCluster"));
    story_ask_no_id();
    story_start();
    story_halted(code);
    assert_null(strstr(place.fault.text, "the cluster is"));
    story_exact();
    kafka_mock_stop(other);
    story_ask(kafka_mock_brokers(story.mock));
    story_pay(0, 50, 50);
    story_start();
    story_all();
    story_stop();
    story_end();
}

void a_cursor_past_the_end_halts_and_takes_nothing(void **state)
{
    struct kafka_mock *other = kafka_mock_start(1, STORY_TOPIC, 1);

    story_begin(1, 1);
    read_and_stop(300);
    story_write(other, 0, 0, 200, 100); /* The same, but not as many. */
    meet(other, FAULT_SOURCE_TRUNCATED);
}

void another_record_where_ours_stood_halts_and_takes_nothing(void **state)
{
    struct kafka_mock *other = kafka_mock_start(1, STORY_TOPIC, 1);

    story_begin(1, 1);
    read_and_stop(300);
    story_write(other, 0, 1000, 1400, 100); /* As many, and more, but others. */
    meet(other, FAULT_SOURCE_REPLACED);
}

/*
 * A topic of a mock cluster cannot grow. So there is a second cluster, with the same records and
 * one partition more, that takes the place of the first while the client runs.
 */
void a_partition_more_is_read_from_its_beginning_without_a_restart(void **state)
{
    struct kafka_mock *grown = kafka_mock_start(1, STORY_TOPIC, 2);
    char both[200];

    story_begin(1, 1);
    story_ask_no_id();
    place.settings.feed_look_ms = 500;
    kafka_mock_down(grown, 1, true);
    (void)snprintf(both, sizeof(both), "%s,%s", kafka_mock_brokers(story.mock),
                   kafka_mock_brokers(grown));
    story_ask(both);
    story_pay(0, 300, 100);
    story_start();
    story_all();
    kafka_mock_down(story.mock, 1, true);
    kafka_mock_down(grown, 1, false);
    story_write(grown, 0, 0, 400, 100);
    story_write(grown, 1, 0, 200, 100);
    story.written[0] = 400;
    story.written[1] = 200;
    story_all();
    story_stop();
    kafka_mock_stop(grown);
    story_end();
}

/* Where the group stands is for others to see; who refuses it keeps nobody from reading. */
void a_refused_commit_is_told_and_touches_nothing(void **state)
{
    story_begin(1, 1);
    story_fail(KAFKA_MOCK_OFFSET_COMMIT, UNKNOWN_MEMBER_ID, 2);
    story_pay(0, 100, 100);
    story_start();
    story_told("positions could not be committed");
    for (int round = 0; round < 2; round++) { /* Each time the positions are committed. */
        story_pay(0, 100, 100);
        story_all();
        story_nap(3200);
    }
    story_committed(300);
    story_stop();
    story_end();
}

void a_coordinator_that_moves_is_found_again(void **state)
{
    story_begin(2, 1);
    kafka_mock_coordinate(story.mock, STORY_GROUP, 1);
    story_pay(0, 100, 100);
    story_start();
    story_all();
    story_committed(100);
    kafka_mock_coordinate(story.mock, STORY_GROUP, 2);
    story_fail(KAFKA_MOCK_OFFSET_COMMIT, NOT_COORDINATOR, 1);
    kafka_mock_fail(story.mock, KAFKA_MOCK_FIND_COORDINATOR, COORDINATOR_NOT_AVAILABLE, 1);
    story_pay(0, 100, 100);
    story_all();
    story_committed(200);
    story_stop();
    story_end();
}
