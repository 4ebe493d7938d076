#include "test/unit.h"

#include "os/kafka_read.h"
#include "test/kafka_mock.h"

#include <time.h>

enum { PATIENCE = 12000, STEP_MS = 10 };

/* Errors, as the protocol numbers them. */
enum { NOT_COORDINATOR = 16, UNKNOWN_MEMBER = 25 };

#define TOPIC "payment-events"
#define GROUP "payonce-test"

struct world {
    struct kafka_mock *mock;
    struct kafka_reader *reader;
    unsigned told; /* Lines that say a commit was refused. */
};

static void look(struct world *world)
{
    const struct timespec step = {0, STEP_MS * 1000000};
    struct kafka_line line;

    while (kafka_reader_line(world->reader, &line)) {
        world->told += strstr(line.text, "could not be committed") != NULL ? 1 : 0;
    }
    (void)nanosleep(&step, NULL);
}

static void begin(struct world *world)
{
    struct kafka_partition *partition;
    struct fault fault;

    *world = (struct world){.mock = kafka_mock_start(1, TOPIC, 1)};
    const struct kafka_reader_settings settings = {
        .client = {.brokers = kafka_mock_brokers(world->mock), .client_id = "test"},
        .group = GROUP,
        .queue_kib = 1024,
    };
    assert_int_equal(kafka_reader_open(&settings, &world->reader, &fault), DONE);
    assert_int_equal(kafka_reader_partition(world->reader, TOPIC, 0, &partition, &fault), DONE);
    assert_int_equal(kafka_partition_assign(partition, 0, &fault), DONE);
    assert_int_equal(kafka_reader_begin(world->reader, &fault), DONE);
}

static void end(struct world *world)
{
    assert_true(kafka_reader_close(world->reader));
    kafka_mock_stop(world->mock);
}

static void commit(struct world *world, uint64_t next)
{
    const struct kafka_position position = {TOPIC, 0, next};

    kafka_reader_commit(world->reader, &position, 1);
}

static void await_committed(struct world *world, int64_t next)
{
    for (int patience = PATIENCE;
         kafka_mock_committed(world->mock, GROUP, 0) != next && patience > 0; patience--) {
        look(world);
    }
    assert_int_equal(kafka_mock_committed(world->mock, GROUP, 0), next);
}

static void commit_refused(struct world *world, uint64_t next)
{
    kafka_mock_fail_at(world->mock, 1, KAFKA_MOCK_OFFSET_COMMIT, UNKNOWN_MEMBER, 1);
    commit(world, next);
    for (int patience = PATIENCE;
         kafka_mock_unmet(world->mock, 1, KAFKA_MOCK_OFFSET_COMMIT) > 0 && patience > 0;
         patience--) {
        look(world);
    }
    for (int step = 0; step < 20; step++) {
        look(world);
    }
}

static void await_told(struct world *world, unsigned count)
{
    for (int patience = PATIENCE; world->told < count && patience > 0; patience--) {
        look(world);
    }
    assert_int_equal(world->told, count);
}

static void refusals_are_told_once_until_a_commit_goes_well(void **state)
{
    struct world world;

    begin(&world);
    commit_refused(&world, 1);
    await_told(&world, 1);
    commit_refused(&world, 2);
    commit_refused(&world, 3);
    assert_int_equal(world.told, 1);
    commit(&world, 4);
    await_committed(&world, 4);
    look(&world);
    commit_refused(&world, 5);
    await_told(&world, 2);
    end(&world);
}

/* Whoever reads tells outages; and a commit waits for the end of a short one. */
static void an_outage_is_no_refusal(void **state)
{
    struct world world;

    begin(&world);
    commit(&world, 1);
    await_committed(&world, 1);
    kafka_mock_down(world.mock, 1, true);
    look(&world);
    commit(&world, 2);
    for (int step = 0; step < 700; step++) {
        look(&world); /* It is given up. */
    }
    kafka_mock_down(world.mock, 1, false);
    kafka_mock_fail_at(world.mock, 1, KAFKA_MOCK_OFFSET_COMMIT, NOT_COORDINATOR, 1);
    commit(&world, 3);
    await_committed(&world, 3);
    assert_int_equal(world.told, 0);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_are_told_once_until_a_commit_goes_well),
        cmocka_unit_test(an_outage_is_no_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
