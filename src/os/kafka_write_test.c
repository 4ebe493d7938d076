#include "test/unit.h"

#include "os/clock.h"
#include "os/kafka_write.h"
#include "test/kafka_mock.h"

enum { TAKE = 64, PATIENCE_MS = 120000, STEP_MS = 20, RECORDS_MAX = 4096, MISSING_TOPIC = 3 };

#define TOPIC "payment-events"

struct world {
    struct kafka_mock *mock;
    struct kafka_writer *writer;
    uint32_t partition_count;
    struct kafka_written last[RECORDS_MAX]; /* By token. */
    unsigned came_back[RECORDS_MAX];
    size_t written;
    struct fault fault;
};

static struct world world;

static void open_writer(struct kafka_writer_settings settings)
{
    world = (struct world){.mock = kafka_mock_start(1, TOPIC, 2)};
    settings.client.brokers = kafka_mock_brokers(world.mock);
    settings.client.client_id = "test";
    assert_int_equal(kafka_writer_open(&settings, &world.writer, &world.fault), DONE);
}

static void begin(struct kafka_writer_settings settings)
{
    uint32_t number = 9;

    open_writer(settings);
    assert_int_equal(
        kafka_writer_topic(world.writer, TOPIC, &number, &world.partition_count, &world.fault),
        DONE);
    assert_int_equal(number, 0);
    assert_int_equal(world.partition_count, 2);
}

static void end(void)
{
    assert_true(kafka_writer_close(world.writer));
    kafka_mock_stop(world.mock);
}

static enum outcome hand_in(int32_t partition, uint64_t token)
{
    char text[24];
    size_t size = (size_t)snprintf(text, sizeof(text), "r-%llu", (unsigned long long)token);
    struct kafka_message message = {
        .partition = partition, .key = {text, size}, .value = {text, size}, .token = token};

    return kafka_write(world.writer, &message, &world.fault);
}

static void take(int wait_ms)
{
    struct kafka_written written[TAKE];
    size_t count = kafka_writer_take(world.writer, wait_ms, written, TAKE);

    for (size_t index = 0; index < count; index++) {
        world.last[written[index].token] = written[index];
        world.came_back[written[index].token]++;
        world.written += written[index].fate == KAFKA_WRITTEN;
    }
}

static void take_all(void)
{
    int64_t until_ns = clock_steady_ns(&clock_real) + PATIENCE_MS * INT64_C(1000000);

    while (kafka_writer_waiting(world.writer) > 0 && clock_steady_ns(&clock_real) < until_ns) {
        take(STEP_MS);
    }
    assert_int_equal(kafka_writer_waiting(world.writer), 0);
}

static void says_where_each_record_stands(void **state)
{
    begin((struct kafka_writer_settings){.writing = KAFKA_IDEMPOTENT, .capacity = 1000});
    for (uint64_t token = 0; token < 500; token++) {
        assert_int_equal(hand_in((int32_t)(token % 2), token), DONE);
    }
    take_all();
    for (uint64_t token = 0; token < 500; token++) {
        assert_int_equal(world.came_back[token], 1);
        assert_int_equal(world.last[token].fate, KAFKA_WRITTEN);
        assert_int_equal(world.last[token].partition, token % 2);
        assert_int_equal(world.last[token].offset, token / 2);
    }
    assert_int_equal(kafka_mock_stored(world.mock, 0), 250);
    assert_int_equal(kafka_mock_stored(world.mock, 1), 250);
    end();
}

static void a_plain_writer_doubles_what_it_had_no_answer_to(void **state)
{
    begin(
        (struct kafka_writer_settings){.writing = KAFKA_PLAIN, .capacity = 1000, .lose_every = 3});
    for (uint64_t token = 0; token < 200; token++) {
        assert_int_equal(hand_in(0, token), DONE);
        if (token % 10 == 9) {
            take_all(); /* So that there are many requests. */
        }
    }
    take_all();
    assert_int_equal(world.written, 200);
    assert_true(kafka_mock_stored(world.mock, 0) > 200);
    end();
}

static void what_is_sent_once_stands_there_once_whatever_is_heard_of_it(void **state)
{
    unsigned perhaps = 0;

    begin((struct kafka_writer_settings){
        .writing = KAFKA_PLAIN, .capacity = 1000, .lose_every = 1, .once = true});
    for (uint64_t token = 0; token < 200; token++) {
        assert_int_equal(hand_in(0, token), DONE);
        if (token % 10 == 9) {
            take_all();
        }
    }
    for (uint64_t token = 0; token < 200; token++) {
        assert_int_equal(world.came_back[token], 1);
        assert_int_not_equal(world.last[token].fate, KAFKA_NOT_WRITTEN);
        perhaps += world.last[token].fate == KAFKA_PERHAPS;
    }
    assert_true(perhaps > 0); /* An answer may be quicker than its loss. */
    assert_int_equal(kafka_mock_stored(world.mock, 0), 200);
    end();
}

static void has_no_room_for_more_than_it_reserved(void **state)
{
    begin((struct kafka_writer_settings){.writing = KAFKA_IDEMPOTENT, .capacity = 10});
    kafka_mock_down(world.mock, 1, true);
    for (uint64_t token = 0; token < 10; token++) {
        assert_int_equal(hand_in(0, token), DONE);
    }
    assert_int_equal(hand_in(0, 10), LATER);
    assert_int_equal(kafka_writer_waiting(world.writer), 10);
    kafka_mock_down(world.mock, 1, false);
    take_all();
    assert_int_equal(hand_in(0, 10), DONE);
    take_all();
    assert_int_equal(world.last[10].offset, 10);
    end();
}

static void refuses_a_record_that_can_never_be_written(void **state)
{
    static char large[2 << 20];
    struct kafka_message message = {.value = {large, sizeof(large)}};

    begin((struct kafka_writer_settings){.writing = KAFKA_IDEMPOTENT, .capacity = 10});
    assert_int_equal(kafka_write(world.writer, &message, &world.fault), REFUSED);
    assert_int_equal(world.fault.code, FAULT_KAFKA_WRITE);
    message.value.size = 100;
    message.partition = 7;
    assert_int_equal(kafka_write(world.writer, &message, &world.fault), REFUSED);
    assert_int_equal(kafka_writer_waiting(world.writer), 0);
    end();
}

static void says_that_a_topic_is_not_there(void **state)
{
    uint32_t number;
    uint32_t count;

    open_writer((struct kafka_writer_settings){.writing = KAFKA_IDEMPOTENT, .capacity = 10});
    kafka_mock_topic_error(world.mock, MISSING_TOPIC);
    assert_int_equal(kafka_writer_topic(world.writer, TOPIC, &number, &count, &world.fault),
                     REFUSED);
    assert_int_equal(world.fault.code, FAULT_KAFKA_TOPIC);
    end();
}

static void says_that_nobody_is_there(void **state)
{
    uint32_t number;
    uint32_t count;

    open_writer((struct kafka_writer_settings){.writing = KAFKA_IDEMPOTENT, .capacity = 10});
    kafka_mock_down(world.mock, 1, true);
    assert_int_equal(kafka_writer_topic(world.writer, TOPIC, &number, &count, &world.fault), LATER);
    assert_int_equal(world.fault.code, FAULT_KAFKA_UNREACHABLE);
    end();
}

static void what_it_gives_up_is_said(void **state)
{
    struct kafka_property timeout = {"message.timeout.ms", "300"};
    struct kafka_writer_settings settings = {.writing = KAFKA_PLAIN, .capacity = 10};

    settings.client.extra = &timeout;
    settings.client.extra_count = 1;
    begin(settings);
    kafka_mock_down(world.mock, 1, true);
    assert_int_equal(hand_in(0, 0), DONE);
    take_all();
    assert_int_not_equal(world.last[0].fate, KAFKA_WRITTEN);
    assert_int_not_equal(world.last[0].error, 0);
    end();
}

static void idempotence_is_not_the_users_to_switch_off(void **state)
{
    struct kafka_property extra = {"acks", "1"};
    struct kafka_writer_settings settings = {.writing = KAFKA_IDEMPOTENT, .capacity = 10};

    settings.client.brokers = "127.0.0.1:1";
    settings.client.extra = &extra;
    settings.client.extra_count = 1;
    assert_int_equal(kafka_writer_open(&settings, &world.writer, &world.fault), BROKEN);
    assert_int_equal(world.fault.code, FAULT_KAFKA_SETTING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_where_each_record_stands),
        cmocka_unit_test(a_plain_writer_doubles_what_it_had_no_answer_to),
        cmocka_unit_test(what_is_sent_once_stands_there_once_whatever_is_heard_of_it),
        cmocka_unit_test(has_no_room_for_more_than_it_reserved),
        cmocka_unit_test(refuses_a_record_that_can_never_be_written),
        cmocka_unit_test(says_that_a_topic_is_not_there),
        cmocka_unit_test(says_that_nobody_is_there),
        cmocka_unit_test(what_it_gives_up_is_said),
        cmocka_unit_test(idempotence_is_not_the_users_to_switch_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
