#include "test/unit.h"

#include "os/clock.h"
#include "os/kafka_read.h"
#include "test/kafka_mock.h"

#include <time.h>

enum { PATIENCE = 12000, STEP_MS = 10, BUSY_MS = 15000 }; /* A busy machine takes so much more. */

#define TOPIC "payment-events"

struct world {
    struct kafka_mock *mock;
    struct kafka_reader *reader;
    struct kafka_partition *partition;
    struct kafka_record records[KAFKA_TAKE_MAX];
    struct fault fault;
};

static void nap(void)
{
    const struct timespec step = {0, STEP_MS * 1000000};

    (void)nanosleep(&step, NULL);
}

static void open_reader(struct world *world)
{
    const struct kafka_reader_settings settings = {
        .client = {.brokers = kafka_mock_brokers(world->mock), .client_id = "test"},
        .group = "payonce-test",
        .queue_kib = 1024,
    };

    assert_int_equal(kafka_reader_open(&settings, &world->reader, &world->fault), DONE);
}

static void begin_at(struct world *world, uint64_t offset)
{
    open_reader(world);
    assert_int_equal(
        kafka_reader_partition(world->reader, TOPIC, 0, &world->partition, &world->fault), DONE);
    assert_int_equal(kafka_partition_assign(world->partition, offset, &world->fault), DONE);
    assert_int_equal(kafka_reader_begin(world->reader, &world->fault), DONE);
}

static void begin(struct world *world, int broker_count)
{
    world->mock = kafka_mock_start(broker_count, TOPIC, 2);
}

static void end(struct world *world)
{
    assert_true(kafka_reader_close(world->reader));
    kafka_mock_stop(world->mock);
}

/* What arrives, in words, until so many records and ends have come. */
static void tell(struct world *world, size_t count, const char *expected)
{
    char told[4096] = "";
    size_t at = 0;
    size_t seen = 0;

    for (int patience = PATIENCE; seen < count && patience > 0; patience--) {
        size_t got = kafka_partition_take(world->partition, world->records, KAFKA_TAKE_MAX);
        for (size_t index = 0; index < got; index++, seen++) {
            const struct kafka_record *record = &world->records[index];
            const char *kind[] = {"", "end ", "error ", "stale "};
            at += (size_t)snprintf(told + at, sizeof(told) - at, "%s%llu%s%.*s\n",
                                   kind[record->kind], (unsigned long long)record->offset,
                                   record->kind == KAFKA_RECORD ? " " : "", (int)record->value.size,
                                   record->value.at == NULL ? "" : (const char *)record->value.at);
            if (record->kind == KAFKA_ERROR) {
                at += (size_t)snprintf(told + at, sizeof(told) - at, "  %s\n",
                                       kafka_error_name(record->error));
            }
        }
        if (got == 0) {
            nap();
        }
    }
    assert_string_equal(told, expected);
}

static void reads_from_the_offset_it_was_told(void **state)
{
    struct world world;

    begin(&world, 1);
    kafka_mock_write_many(world.mock, 0, 0, 5);
    begin_at(&world, 2);
    tell(&world, 4, "2 p-2\n3 p-3\n4 p-4\nend 5\n");
    assert_true(world.records[0].kind == KAFKA_END || world.records[0].stamp_ms > 0);
    kafka_mock_write(world.mock, 0, NULL, NULL);
    tell(&world, 2, "5 \nend 6\n");
    end(&world);
}

static void an_assignment_anew_brings_nothing_of_before(void **state)
{
    struct world world;

    begin(&world, 1);
    kafka_mock_write_many(world.mock, 0, 0, 5);
    begin_at(&world, 0);
    tell(&world, 6, "0 p-0\n1 p-1\n2 p-2\n3 p-3\n4 p-4\nend 5\n");
    assert_int_equal(kafka_partition_assign(world.partition, 3, &world.fault), DONE);
    tell(&world, 3, "3 p-3\n4 p-4\nend 5\n");
    for (uint64_t start = 0; start < 4; start++) {
        assert_int_equal(kafka_partition_assign(world.partition, 4 - start, &world.fault), DONE);
        if (start % 2 == 0) {
            nap(); /* Some of the last one's may have arrived by now. */
        }
    }
    tell(&world, 5, "1 p-1\n2 p-2\n3 p-3\n4 p-4\nend 5\n");
    end(&world);
}

static void an_offset_that_is_not_there_is_an_error_and_never_another_offset(void **state)
{
    struct world world;

    begin(&world, 1);
    kafka_mock_write_many(world.mock, 0, 0, 5);
    begin_at(&world, 10000);
    tell(&world, 1, "error 0\n  _AUTO_OFFSET_RESET\n");
    assert_int_equal(kafka_error_class(world.records[0].error), KAFKA_OUTSIDE);
    end(&world);
}

static void answers_what_it_is_asked_about_a_topic(void **state)
{
    struct world world;
    char cluster[KAFKA_CLUSTER_SIZE];
    uint32_t partition_count = 0;
    uint64_t first = 9;
    uint64_t next = 9;

    begin(&world, 1);
    kafka_mock_write_many(world.mock, 0, 0, 7);
    open_reader(&world);
    assert_int_equal(kafka_reader_topic(world.reader, TOPIC, &partition_count, &world.fault), DONE);
    assert_int_equal(partition_count, 2);
    assert_int_equal(kafka_reader_cluster(world.reader, cluster, &world.fault), DONE);
    assert_true(strlen(cluster) > 0);
    assert_int_equal(kafka_reader_partition(world.reader, TOPIC, 0, &world.partition, &world.fault),
                     DONE);
    assert_int_equal(kafka_partition_bounds(world.partition, &first, &next, &world.fault), DONE);
    assert_int_equal(first, 0);
    assert_int_equal(next, 7);
    end(&world);
}

static void a_topic_that_is_not_there_is_told_by_name(void **state)
{
    struct world world;
    uint32_t partition_count = 0;

    begin(&world, 1);
    kafka_mock_topic_error(world.mock, 3);
    open_reader(&world);
    assert_int_equal(kafka_reader_topic(world.reader, TOPIC, &partition_count, &world.fault),
                     REFUSED);
    assert_int_equal(world.fault.code, FAULT_SOURCE_MISSING);
    assert_non_null(strstr(world.fault.text, TOPIC));
    end(&world);
}

static void a_partition_that_nobody_leads_just_now_is_waited_for(void **state)
{
    struct world world;
    uint64_t first = 0;
    uint64_t next = 0;

    begin(&world, 1);
    kafka_mock_lead(world.mock, 0, -1);
    open_reader(&world);
    assert_int_equal(kafka_reader_bounds(world.reader, TOPIC, 0, &first, &next, &world.fault),
                     LATER);
    assert_int_equal(world.fault.code, FAULT_KAFKA_UNREACHABLE);
    end(&world);
}

static void count_wake(void *context)
{
    __atomic_add_fetch((int *)context, 1, __ATOMIC_RELAXED);
}

static void wakes_whoever_found_nothing(void **state)
{
    struct world world;
    int woken = 0;

    begin(&world, 1);
    kafka_mock_write_many(world.mock, 0, 0, 1);
    begin_at(&world, 0);
    tell(&world, 2, "0 p-0\nend 1\n");
    kafka_partition_watch(world.partition, count_wake, &woken);
    assert_int_equal(kafka_partition_take(world.partition, world.records, KAFKA_TAKE_MAX), 0);
    kafka_mock_write(world.mock, 0, NULL, "now");
    for (int patience = PATIENCE; __atomic_load_n(&woken, __ATOMIC_RELAXED) == 0; patience--) {
        assert_true(patience > 0);
        nap();
    }
    kafka_partition_watch(world.partition, NULL, NULL);
    tell(&world, 2, "1 now\nend 2\n");
    end(&world);
}

static void sees_the_end_and_how_fresh_that_is(void **state)
{
    struct world world;
    struct kafka_sight sight = {0};

    begin(&world, 1);
    kafka_mock_write_many(world.mock, 0, 0, 3);
    int64_t before_ns = clock_steady_ns(&clock_real);
    begin_at(&world, 0);
    tell(&world, 4, "0 p-0\n1 p-1\n2 p-2\nend 3\n");
    for (int patience = PATIENCE; sight.seen_ns == 0 && patience > 0; patience--) {
        nap();
        kafka_partition_sight(world.partition, &sight);
    }
    assert_int_equal(sight.end, 3);
    assert_int_equal(sight.stable, 3);
    assert_true(sight.seen_ns > before_ns && sight.seen_ns <= clock_steady_ns(&clock_real));

    /* Fetches are answered, and what was seen becomes younger; then nobody answers. */
    int64_t seen_ns = sight.seen_ns;
    for (int patience = PATIENCE; sight.seen_ns == seen_ns && patience > 0; patience--) {
        nap();
        kafka_partition_sight(world.partition, &sight);
    }
    assert_true(sight.seen_ns > seen_ns);
    kafka_mock_down(world.mock, 1, true);
    for (int patience = PATIENCE; sight.seen_ns != 0 && patience > 0; patience--) {
        nap();
        kafka_partition_sight(world.partition, &sight);
    }
    assert_int_equal(sight.seen_ns, 0);
    end(&world);
}

static void a_broker_that_comes_back_is_read_on(void **state)
{
    struct world world;

    begin(&world, 1);
    kafka_mock_write_many(world.mock, 0, 0, 2);
    begin_at(&world, 0);
    tell(&world, 3, "0 p-0\n1 p-1\nend 2\n");
    kafka_mock_down(world.mock, 1, true);
    for (int step = 0; step < 30; step++) {
        nap();
    }
    kafka_mock_down(world.mock, 1, false);
    kafka_mock_write_many(world.mock, 0, 2, 1);
    tell(&world, 2, "2 p-2\nend 3\n");
    end(&world);
}

static void a_partition_is_read_on_where_its_leader_moved(void **state)
{
    struct world world;

    begin(&world, 2);
    kafka_mock_lead(world.mock, 0, 1);
    kafka_mock_write_many(world.mock, 0, 0, 2);
    begin_at(&world, 0);
    tell(&world, 3, "0 p-0\n1 p-1\nend 2\n");
    kafka_mock_lead(world.mock, 0, 2);
    kafka_mock_write_many(world.mock, 0, 2, 1);
    tell(&world, 2, "2 p-2\nend 3\n");
    end(&world);
}

static void a_topic_gone_and_back_is_not_taken_from(void **state)
{
    struct world world;
    bool stale = false;

    begin(&world, 1);
    kafka_mock_write_many(world.mock, 0, 0, 2);
    begin_at(&world, 0);
    tell(&world, 3, "0 p-0\n1 p-1\nend 2\n");
    kafka_mock_topic_error(world.mock, 3);
    kafka_mock_fail(world.mock, KAFKA_MOCK_FETCH, 3, 1);
    for (int patience = PATIENCE; !stale && patience > 0; patience--) {
        size_t got = kafka_partition_take(world.partition, world.records, KAFKA_TAKE_MAX);
        stale = got == 1 && world.records[0].kind == KAFKA_STALE;
        assert_true(got == 0 || stale);
        nap();
    }
    assert_true(stale);
    kafka_mock_topic_error(world.mock, 0);
    kafka_mock_write_many(world.mock, 0, 2, 1);
    for (int step = 0; step < 50; step++) {
        nap();
    }
    assert_int_equal(kafka_partition_take(world.partition, world.records, KAFKA_TAKE_MAX), 1);
    assert_int_equal(world.records[0].kind, KAFKA_STALE);
    (void)kafka_reader_close(world.reader); /* Topics gone may hold older libraries up. */
    kafka_mock_stop(world.mock);
}

static void what_is_not_taken_is_not_sent_without_end(void **state)
{
    struct world world;
    char value[1001];
    uint64_t taken = 0;

    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    begin(&world, 1);
    for (int index = 0; index < 3000; index++) {
        kafka_mock_put(world.mock, 0, NULL, value);
    }
    kafka_mock_flush(world.mock);
    begin_at(&world, 0);
    for (int patience = PATIENCE; taken < 3000 && patience > 0; patience--) {
        size_t got = kafka_partition_take(world.partition, world.records, KAFKA_TAKE_MAX);
        for (size_t index = 0; index < got; index++) {
            if (world.records[index].kind == KAFKA_RECORD) {
                assert_int_equal(world.records[index].offset, taken);
                taken++;
            }
        }
        nap();
    }
    assert_int_equal(taken, 3000);
    end(&world);
}

/* A commit is on its way, and whoever it is for is gone. A client given up would spin. */
static void a_reader_closes_soon_though_nobody_answers(void **state)
{
    struct world world;
    const struct kafka_position positions[] = {{TOPIC, 0, 2}};

    begin(&world, 1);
    kafka_mock_write_many(world.mock, 0, 0, 2);
    begin_at(&world, 0);
    tell(&world, 3, "0 p-0\n1 p-1\nend 2\n");
    kafka_reader_commit(world.reader, positions, 1);
    assert_int_equal(kafka_mock_committed(world.mock, "payonce-test", 0), 2);
    kafka_mock_down(world.mock, 1, true);
    for (int step = 0; step < 30; step++) {
        nap(); /* The client knows by now that the group's coordinator is away. */
    }
    kafka_reader_commit(world.reader, positions, 1);
    int64_t before_ns = clock_steady_ns(&clock_real);
    assert_true(kafka_reader_close(world.reader));
    int64_t took_ms = (clock_steady_ns(&clock_real) - before_ns) / 1000000;
    kafka_mock_stop(world.mock);
    assert_true(took_ms < KAFKA_CLOSE_MS + BUSY_MS);
}

static void a_commit_is_for_others_to_see(void **state)
{
    struct world world;
    const struct kafka_position positions[] = {{TOPIC, 0, 2}, {TOPIC, 1, 0}};

    begin(&world, 1);
    kafka_mock_write_many(world.mock, 0, 0, 2);
    begin_at(&world, 0);
    tell(&world, 3, "0 p-0\n1 p-1\nend 2\n");
    kafka_reader_commit(world.reader, positions, 2);
    assert_int_equal(kafka_mock_committed(world.mock, "payonce-test", 0), 2);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_from_the_offset_it_was_told),
        cmocka_unit_test(an_assignment_anew_brings_nothing_of_before),
        cmocka_unit_test(an_offset_that_is_not_there_is_an_error_and_never_another_offset),
        cmocka_unit_test(answers_what_it_is_asked_about_a_topic),
        cmocka_unit_test(a_topic_that_is_not_there_is_told_by_name),
        cmocka_unit_test(a_partition_that_nobody_leads_just_now_is_waited_for),
        cmocka_unit_test(wakes_whoever_found_nothing),
        cmocka_unit_test(sees_the_end_and_how_fresh_that_is),
        cmocka_unit_test(a_broker_that_comes_back_is_read_on),
        cmocka_unit_test(a_partition_is_read_on_where_its_leader_moved),
        cmocka_unit_test(a_topic_gone_and_back_is_not_taken_from),
        cmocka_unit_test(what_is_not_taken_is_not_sent_without_end),
        cmocka_unit_test(a_commit_is_for_others_to_see),
        cmocka_unit_test(a_reader_closes_soon_though_nobody_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
