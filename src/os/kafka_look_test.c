#include "test/unit.h"

#include "os/kafka_read_parts.h"

#include <stdlib.h>

/* As librdkafka 2.0.2 writes them, but for the numbers nobody asks for. */
static const char format[] =
    "{ \"name\": \"payonce#consumer-1\", \"type\": \"consumer\", \"replyq\":0, \"brokers\":{ "
    "\"127.0.0.1:9092/bootstrap\": { \"name\":\"127.0.0.1:9092/bootstrap\", \"nodeid\":-1, "
    "\"source\":\"configured\", \"state\":\"UP\", \"toppars\":{ } } , "
    "\"127.0.0.1:9093/2\": { \"name\":\"127.0.0.1:9093/2\", \"nodeid\":2, \"nodename\":\"b:1\", "
    "\"source\":\"learned\", \"state\":\"%s\", \"rtt\": { \"min\":1, \"max\":2 }, "
    "\"req\": { \"Fetch\":7 }, \"toppars\":{ \"payments-1\": { \"topic\":\"payments\", "
    "\"partition\":1} } } , "
    "\"GroupCoordinator\": { \"name\":\"GroupCoordinator\", \"nodeid\":2, "
    "\"source\":\"logical\", \"state\":\"%s\", \"toppars\":{ } } }, "
    "\"topics\":{ \"payments\": { \"topic\":\"payments\", \"age\":5, \"batchsize\": { \"min\":0 }, "
    "\"partitions\":{ \"1\": { \"partition\":1, \"broker\":%d, \"leader\":%d, \"desired\":true, "
    "\"fetchq_cnt\":%d, \"fetchq_size\":0, \"fetch_state\":\"%s\", \"query_offset\":-1001, "
    "\"next_offset\":42, \"lo_offset\":5, \"hi_offset\":%lld, \"ls_offset\":%lld, \"txmsgs\":0} , "
    "\"-1\": { \"partition\":-1, \"broker\":-1, \"leader\":-1, \"fetch_state\":\"none\", "
    "\"lo_offset\":-1001, \"hi_offset\":-1001, \"ls_offset\":-1001} } } }, "
    "\"cgrp\": { \"state\": \"up\", \"stateage\": 3 }, \"tx\":7}";

struct scene {
    const char *state;
    const char *coordinator;
    int broker;
    int leader;
    int waiting;
    const char *fetch;
    long long end;
    long long stable;
};

static const struct scene sound = {"UP", "UP", 2, 2, 0, "active", 44, 43};

struct world {
    struct kafka_reader *reader;
    struct kafka_queue *queue;
    struct kafka_sight sight;
    int woken;
};

static void wake(void *context)
{
    ++*(int *)context;
}

static void begin(struct world *world)
{
    world->woken = 0;
    world->reader = calloc(1, sizeof(*world->reader));
    world->queue = calloc(1, sizeof(*world->queue));
    assert_true(world->reader != NULL && world->queue != NULL);
    (void)pthread_mutex_init(&world->reader->mutex, NULL);
    (void)pthread_mutex_init(&world->queue->mutex, NULL);
    world->reader->begun = true;
    world->reader->queues[world->reader->count++] = world->queue;
    world->queue->reader = world->reader;
    world->queue->partition.type = &kafka_queue_type;
    world->queue->partition.number = 1;
    world->queue->next = 43;
    world->queue->wake = wake;
    world->queue->wake_context = &world->woken;
    (void)snprintf(world->queue->topic, sizeof(world->queue->topic), "payments");
}

static void end(struct world *world)
{
    free(world->queue);
    free(world->reader);
}

static void look(struct world *world, struct scene scene)
{
    char text[4096];
    int size = snprintf(text, sizeof(text), format, scene.state, scene.coordinator, scene.broker,
                        scene.leader, scene.waiting, scene.fetch, scene.end, scene.stable);

    assert_true(size > 0 && (size_t)size < sizeof(text));
    kafka_reader_look(world->reader, text, (size_t)size);
    kafka_partition_sight(&world->queue->partition, &world->sight);
}

static void what_was_seen_is_as_old_as_the_answer_before_the_last(void **state)
{
    struct world world;

    begin(&world);
    look(&world, sound);
    assert_int_equal(world.sight.seen_ns, 0); /* Up, but it has not answered yet. */
    kafka_reader_heard(world.reader, 2);
    look(&world, sound);
    assert_int_equal(world.sight.seen_ns, 0);
    int64_t first_ns = world.reader->brokers[0].heard_ns;
    kafka_reader_heard(world.reader, 7);
    kafka_reader_heard(world.reader, 2);
    look(&world, sound);
    assert_int_equal(world.sight.seen_ns, first_ns);
    assert_int_equal(world.sight.first, 5);
    assert_int_equal(world.sight.end, 44);
    assert_int_equal(world.sight.stable, 43);
    assert_int_equal(world.woken, 3); /* Once a look. */
    end(&world);
}

static void nothing_is_seen_of_a_partition_that_is_not_fetched_from_its_leader(void **state)
{
    const struct scene others[] = {
        {"DOWN", "UP", 2, 2, 0, "active", 44, 43}, {"UP", "UP", 2, -1, 0, "active", 44, 43},
        {"UP", "UP", -1, 2, 0, "active", 44, 43},  {"UP", "UP", 2, 2, 0, "stopping", 44, 43},
        {"UP", "UP", 2, 2, 0, "active", -1, -1},   {"UP", "UP", 2, 2, 0, "active", 44, -1001},
        {"UP", "UP", 2, 2, 0, "active", 44, 45},
    };

    for (size_t index = 0; index < sizeof(others) / sizeof(others[0]); index++) {
        struct world world;
        begin(&world);
        kafka_reader_heard(world.reader, 2);
        kafka_reader_heard(world.reader, 2);
        look(&world, sound);
        assert_true(world.sight.seen_ns > 0);
        look(&world, others[index]);
        assert_int_equal(world.sight.seen_ns, 0);
        end(&world);
    }
}

static void the_coordinators_connection_is_not_the_leaders(void **state)
{
    struct world world;
    struct scene scene = sound;

    begin(&world);
    kafka_reader_heard(world.reader, 2);
    kafka_reader_heard(world.reader, 2);
    scene.coordinator = "DOWN";
    look(&world, scene);
    assert_true(world.sight.seen_ns > 0);
    scene.coordinator = "UP";
    scene.state = "CONNECT";
    look(&world, scene);
    assert_int_equal(world.sight.seen_ns, 0);
    end(&world);
}

static void a_leader_away_for_too_long_spoils_the_assignment(void **state)
{
    struct world world;
    struct scene away = sound;
    struct kafka_record record;

    away.state = "DOWN";
    begin(&world);
    world.reader->beat_ns = kafka_now_ns();
    look(&world, sound);
    look(&world, away);
    world.queue->away_since_ns -= KAFKA_OUTAGE_MS * INT64_C(1000000) - 5000000000;
    look(&world, away);
    assert_false(world.queue->stale);
    look(&world, sound); /* Back in time. */
    look(&world, away);
    assert_false(world.queue->stale);
    world.queue->away_since_ns -= KAFKA_OUTAGE_MS * INT64_C(1000000);
    look(&world, away);
    assert_true(world.queue->stale);
    look(&world, sound); /* Whoever is back now is not believed. */
    assert_int_equal(kafka_partition_take(&world.queue->partition, &record, 1), 1);
    assert_int_equal(record.kind, KAFKA_STALE);
    assert_non_null(strstr(record.text, "out of reach"));
    end(&world);
}

/* A new client would help nobody, and hold up those that are read. */
static void a_leader_that_was_never_there_spoils_nothing(void **state)
{
    struct world world;
    struct scene away = sound;

    away.state = "DOWN";
    begin(&world);
    for (int round = 0; round < 2; round++) {
        look(&world, away);
        world.queue->away_since_ns -= KAFKA_OUTAGE_MS * INT64_C(1000000);
    }
    assert_false(world.queue->stale);
    look(&world, sound);
    look(&world, away);
    world.queue->away_since_ns -= KAFKA_OUTAGE_MS * INT64_C(1000000);
    look(&world, away);
    assert_true(world.queue->stale);
    end(&world);
}

static void a_leader_that_gave_something_and_was_gone_at_the_first_look_was_there(void **state)
{
    struct world world;
    struct scene away = sound;

    away.state = "DOWN";
    begin(&world);
    world.queue->came = true;
    look(&world, away);
    world.queue->away_since_ns -= KAFKA_OUTAGE_MS * INT64_C(1000000);
    look(&world, away);
    assert_true(world.queue->stale);
    end(&world);
}

static void more_to_read_and_silence_spoil_the_assignment(void **state)
{
    struct world world;
    struct scene more = sound;

    more.stable = 44;
    begin(&world);
    kafka_reader_heard(world.reader, 2);
    kafka_reader_heard(world.reader, 2);
    look(&world, sound); /* Nothing stable behind next: an open transaction may last. */
    assert_int_equal(world.queue->quiet_since_ns, 0);
    look(&world, more);
    assert_true(world.queue->quiet_since_ns > 0);
    world.queue->quiet_since_ns -= KAFKA_SILENCE_MS * INT64_C(1000000);
    more.waiting = 1; /* It is there, and nobody takes it. */
    look(&world, more);
    assert_int_equal(world.queue->quiet_since_ns, 0);
    more.waiting = 0;
    look(&world, more);
    world.queue->quiet_since_ns -= KAFKA_SILENCE_MS * INT64_C(1000000);
    world.queue->next++; /* Something came after all. */
    more.stable = more.end = 45;
    look(&world, more);
    assert_false(world.queue->stale);
    world.queue->quiet_since_ns -= KAFKA_SILENCE_MS * INT64_C(1000000) + 1;
    look(&world, more);
    assert_true(world.queue->stale);
    end(&world);
}

static void a_process_that_stood_still_takes_nothing(void **state)
{
    struct world world;
    struct kafka_record record;

    begin(&world);
    world.reader->beat_ns = kafka_now_ns() - KAFKA_OUTAGE_MS * INT64_C(1000000) - 1;
    assert_int_equal(kafka_partition_take(&world.queue->partition, &record, 1), 1);
    assert_int_equal(record.kind, KAFKA_STALE);
    end(&world);
}

/* Cut anywhere, nothing is read beyond the text. */
static void statistics_cut_short_are_passed_over(void **state)
{
    struct world world;
    char text[4096];
    int size = snprintf(text, sizeof(text), format, "UP", "UP", 2, 2, 0, "active", 44LL, 43LL);

    begin(&world);
    for (int cut = 0; cut <= size; cut++) {
        char *exact = malloc((size_t)cut + 1);
        assert_non_null(exact);
        memcpy(exact, text, (size_t)cut);
        kafka_reader_look(world.reader, exact, (size_t)cut);
        free(exact);
    }
    static const char *const odd[] = {"}}}}", "[[[[[[[[[[[[",
                                      "{\"a\":{\"b\":[{\"c\":{\"d\":{\"e\":{",
                                      "{\"brokers\":{\"x\":{\"nodeid\":99999999999999999999}}}"};
    for (size_t index = 0; index < sizeof(odd) / sizeof(odd[0]); index++) {
        kafka_reader_look(world.reader, odd[index], strlen(odd[index]));
    }
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_seen_is_as_old_as_the_answer_before_the_last),
        cmocka_unit_test(nothing_is_seen_of_a_partition_that_is_not_fetched_from_its_leader),
        cmocka_unit_test(the_coordinators_connection_is_not_the_leaders),
        cmocka_unit_test(a_leader_away_for_too_long_spoils_the_assignment),
        cmocka_unit_test(a_leader_that_was_never_there_spoils_nothing),
        cmocka_unit_test(a_leader_that_gave_something_and_was_gone_at_the_first_look_was_there),
        cmocka_unit_test(more_to_read_and_silence_spoil_the_assignment),
        cmocka_unit_test(a_process_that_stood_still_takes_nothing),
        cmocka_unit_test(statistics_cut_short_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
