#include "test/unit.h"

#include "os/clock.h"
#include "os/kafka_read.h"
#include "test/kafka_mock.h"

enum { PARTITIONS = 12, OF_THE_FIRST = 6 };

#define TOPIC "payment-events"

struct world {
    struct kafka_mock *mock;
    struct kafka_reader *reader;
    struct fault fault;
};

/* Two brokers, the first of which leads the lower partitions; partition 3 has 4 records. */
static void begin(struct world *world)
{
    world->mock = kafka_mock_start(2, TOPIC, PARTITIONS);
    const struct kafka_reader_settings settings = {
        .client = {.brokers = kafka_mock_brokers(world->mock), .client_id = "test"},
        .group = "payonce-test",
        .queue_kib = 1024,
    };

    for (int partition = 0; partition < PARTITIONS; partition++) {
        kafka_mock_lead(world->mock, partition, partition < OF_THE_FIRST ? 1 : 2);
        kafka_mock_write_many(world->mock, partition, 0, partition + 1);
    }
    assert_int_equal(kafka_reader_open(&settings, &world->reader, &world->fault), DONE);
}

static void end(struct world *world)
{
    assert_true(kafka_reader_close(world->reader));
    kafka_mock_stop(world->mock);
}

static void assert_bounds(struct world *world, uint32_t partition, enum outcome expected)
{
    uint64_t first = 99;
    uint64_t next = 99;

    assert_int_equal(
        kafka_reader_bounds(world->reader, TOPIC, partition, &first, &next, &world->fault),
        expected);
    if (expected == DONE) {
        assert_int_equal(first, 0);
        assert_int_equal(next, partition + 1);
    }
}

static void each_partition_has_its_own_bounds(void **state)
{
    struct world world;

    begin(&world);
    for (uint32_t partition = 0; partition < PARTITIONS; partition++) {
        assert_bounds(&world, PARTITIONS - 1 - partition, DONE);
    }
    assert_bounds(&world, PARTITIONS, LATER); /* There is none of this number, yet. */
    end(&world);
}

/* Each broker that does not answer is waited for once, not once for each partition it leads. */
static void a_leader_that_is_away_holds_up_no_question_about_the_others(void **state)
{
    struct world world;

    begin(&world);
    kafka_mock_down(world.mock, 2, true);
    int64_t before_ns = clock_steady_ns(&clock_real);
    for (uint32_t partition = 0; partition < PARTITIONS; partition++) {
        assert_bounds(&world, partition, partition < OF_THE_FIRST ? DONE : LATER);
    }
    int64_t took_ms = (clock_steady_ns(&clock_real) - before_ns) / 1000000;
    assert_true(took_ms < 4 * KAFKA_WAIT_MS);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_partition_has_its_own_bounds),
        cmocka_unit_test(a_leader_that_is_away_holds_up_no_question_about_the_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
