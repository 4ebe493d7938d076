#include "test/unit.h"

#include "os/kafka_transact_parts.h"
#include "test/kafka_mock.h"

#include <time.h>

enum { MESSAGES = 20, TEXT_SIZE = 24, SENT_MS = 200 };

/* Requests and errors, as the protocol numbers them. */
enum {
    PRODUCE = 0,
    OFFSET_FETCH = 9,
    INIT_PRODUCER_ID = 22,
    ADD_PARTITIONS = 24,
    ADD_OFFSETS = 25,
    END_TRANSACTION = 26,
    TRANSACTION_OFFSETS = 28,
};
enum {
    UNKNOWN = -1,
    UNKNOWN_TOPIC = 3,
    TOO_LARGE = 10,
    COORDINATOR_NOT_AVAILABLE = 15,
    NOT_COORDINATOR = 16,
    NOT_ENOUGH_REPLICAS = 19,
    TOPIC_NOT_ALLOWED = 29,
    GROUP_NOT_ALLOWED = 30,
    INVALID_TIMESTAMP = 32,
    INVALID_EPOCH = 47,
    INVALID_TIMEOUT = 50,
    CONCURRENT_TRANSACTIONS = 51,
    ID_NOT_ALLOWED = 53,
    UNSTABLE_OFFSET = 88,
};

#define TOPIC "payment-transactions"

struct world {
    struct kafka_mock *mock;
    struct kafka_transactor *transactor;
    enum outcome outcome;
    struct fault fault;
};

static struct world world;

static struct kafka_transactor_settings settings_of(const struct world *of)
{
    return (struct kafka_transactor_settings){
        .client = {.brokers = kafka_mock_brokers(of->mock), .client_id = "test"},
        .transactional_id = "payonce-test-kafka",
        .group = "payonce-test-kafka",
    };
}

static void open_transactor(void)
{
    struct kafka_transactor_settings settings = settings_of(&world);
    uint32_t number = 9;

    assert_int_equal(kafka_transactor_open(&settings, &world.transactor, &world.fault), DONE);
    assert_int_equal(kafka_transactor_topic(world.transactor, TOPIC, &number, &world.fault), DONE);
    assert_int_equal(number, 0);
}

static void fence(void)
{
    assert_int_equal(kafka_transactor_fence(world.transactor, &world.fault), DONE);
}

static void close_transactor(void)
{
    assert_true(kafka_transactor_close(world.transactor));
}

static void begin(void)
{
    world = (struct world){.mock = kafka_mock_start(1, TOPIC, 2)};
    open_transactor();
    fence();
}

static void end(void)
{
    close_transactor();
    kafka_mock_stop(world.mock);
}

static void write_one(int number)
{
    char text[TEXT_SIZE];
    size_t size = (size_t)snprintf(text, sizeof(text), "row-%d", number);
    const struct kafka_header header = {"number", {text, size}};
    const struct kafka_outgoing record = {
        .key = {text, size}, .value = {text, size}, .headers = &header, .header_count = 1};

    kafka_transactor_write(world.transactor, &record);
}

static void nap(int ms)
{
    const struct timespec span = {0, ms * 1000000L};

    (void)nanosleep(&span, NULL);
}

static enum kafka_end finish(uint64_t offset)
{
    world.outcome = DONE;
    world.fault = (struct fault){0};
    return kafka_transactor_end(world.transactor, 0, offset, "epoch", &world.outcome, &world.fault);
}

static enum kafka_end deliver(uint64_t offset)
{
    kafka_transactor_begin(world.transactor);
    for (int number = 0; number < MESSAGES; number++) {
        write_one(number);
    }
    return finish(offset);
}

static void commits_one_transaction_after_the_other(void **state)
{
    begin();
    for (uint64_t offset = 1; offset <= 5; offset++) {
        assert_int_equal(deliver(offset), KAFKA_APPLIED);
    }
    kafka_transactor_begin(world.transactor); /* The cursor alone. */
    assert_int_equal(finish(6), KAFKA_APPLIED);
    end();
}

struct answer {
    int request;
    int error;
    int count;
    enum kafka_end end;
    enum outcome outcome;
    enum fault_code code;
};

/* Deliver with this answer in the way; and, if it was not for good, once more. */
static void deliver_against(const struct answer *answer)
{
    open_transactor();
    fence();
    assert_int_equal(deliver(1), KAFKA_APPLIED);
    kafka_mock_fail(world.mock, answer->request, answer->error, answer->count);
    enum kafka_end what = deliver(2);
    if (what != answer->end || world.outcome != answer->outcome) {
        print_error("request %d, error %d: end %d, outcome %d, %s\n", answer->request,
                    answer->error, (int)what, (int)world.outcome, world.fault.text);
    }
    assert_int_equal(what, answer->end);
    assert_int_equal(world.outcome, answer->outcome);
    assert_int_equal(world.fault.code, answer->code);
    if (what == KAFKA_APPLIED || what == KAFKA_NOT_APPLIED) {
        bool records_failed = what == KAFKA_NOT_APPLIED &&
                              (answer->request == PRODUCE || answer->request == ADD_PARTITIONS);
        assert_int_equal(deliver(3), records_failed ? KAFKA_ASK_AGAIN : KAFKA_APPLIED);
    }
    close_transactor();
}

static void each_answer_has_its_end(void **state)
{
    static const struct answer answers[] = {
        {ADD_PARTITIONS, NOT_COORDINATOR, 2, KAFKA_APPLIED, DONE, FAULT_NONE},
        {ADD_PARTITIONS, CONCURRENT_TRANSACTIONS, 3, KAFKA_APPLIED, DONE, FAULT_NONE},
        {ADD_PARTITIONS, TOPIC_NOT_ALLOWED, 1, KAFKA_NOT_APPLIED, REFUSED, FAULT_KAFKA_NOT_ALLOWED},
        {ADD_PARTITIONS, UNKNOWN, 1, KAFKA_NOT_APPLIED, LATER, FAULT_KAFKA_WRITE},
        {ADD_PARTITIONS, INVALID_EPOCH, 1, KAFKA_SHUT_OUT, LATER, FAULT_FENCED},
        {PRODUCE, NOT_ENOUGH_REPLICAS, 5, KAFKA_APPLIED, DONE, FAULT_NONE},
        {PRODUCE, TOPIC_NOT_ALLOWED, 1, KAFKA_NOT_APPLIED, REFUSED, FAULT_KAFKA_NOT_ALLOWED},
        {PRODUCE, TOO_LARGE, 1, KAFKA_NOT_APPLIED, REFUSED, FAULT_KAFKA_WRITE},
        {PRODUCE, INVALID_TIMESTAMP, 1, KAFKA_NOT_APPLIED, LATER, FAULT_KAFKA_WRITE},
        {PRODUCE, INVALID_EPOCH, 1, KAFKA_SHUT_OUT, LATER, FAULT_FENCED},
        {ADD_OFFSETS, COORDINATOR_NOT_AVAILABLE, 2, KAFKA_APPLIED, DONE, FAULT_NONE},
        {ADD_OFFSETS, GROUP_NOT_ALLOWED, 1, KAFKA_NOT_APPLIED, REFUSED, FAULT_KAFKA_NOT_ALLOWED},
        {ADD_OFFSETS, UNKNOWN, 1, KAFKA_NOT_APPLIED, LATER, FAULT_KAFKA_WRITE},
        {ADD_OFFSETS, INVALID_EPOCH, 1, KAFKA_SHUT_OUT, LATER, FAULT_FENCED},
        {TRANSACTION_OFFSETS, NOT_COORDINATOR, 2, KAFKA_APPLIED, DONE, FAULT_NONE},
        {TRANSACTION_OFFSETS, GROUP_NOT_ALLOWED, 1, KAFKA_NOT_APPLIED, REFUSED,
         FAULT_KAFKA_NOT_ALLOWED},
        {TRANSACTION_OFFSETS, UNKNOWN, 1, KAFKA_NOT_APPLIED, LATER, FAULT_KAFKA_WRITE},
        {TRANSACTION_OFFSETS, INVALID_EPOCH, 1, KAFKA_SHUT_OUT, LATER, FAULT_FENCED},
        {END_TRANSACTION, COORDINATOR_NOT_AVAILABLE, 2, KAFKA_APPLIED, DONE, FAULT_NONE},
        {END_TRANSACTION, NOT_COORDINATOR, 2, KAFKA_APPLIED, DONE, FAULT_NONE},
        {END_TRANSACTION, UNKNOWN, 1, KAFKA_ASK_AGAIN, LATER, FAULT_KAFKA_WRITE},
        {END_TRANSACTION, INVALID_EPOCH, 1, KAFKA_ASK_AGAIN, LATER, FAULT_FENCED},
    };

    world = (struct world){.mock = kafka_mock_start(1, TOPIC, 2)};
    for (size_t index = 0; index < sizeof(answers) / sizeof(answers[0]); index++) {
        deliver_against(&answers[index]);
    }
    kafka_mock_stop(world.mock);
}

static void what_the_id_is_refused_for_is_said(void **state)
{
    static const struct answer answers[] = {
        {INIT_PRODUCER_ID, NOT_COORDINATOR, 1, KAFKA_APPLIED, DONE, FAULT_NONE},
        {INIT_PRODUCER_ID, CONCURRENT_TRANSACTIONS, 2, KAFKA_APPLIED, DONE, FAULT_NONE},
        {INIT_PRODUCER_ID, UNKNOWN, 20, KAFKA_ASK_AGAIN, LATER, FAULT_KAFKA_WRITE},
        {INIT_PRODUCER_ID, ID_NOT_ALLOWED, 1, KAFKA_ASK_AGAIN, REFUSED, FAULT_KAFKA_NOT_ALLOWED},
        {INIT_PRODUCER_ID, INVALID_TIMEOUT, 1, KAFKA_ASK_AGAIN, REFUSED, FAULT_KAFKA_SETTING},
    };

    for (size_t index = 0; index < sizeof(answers) / sizeof(answers[0]); index++) {
        const struct answer *answer = &answers[index];
        world = (struct world){.mock = kafka_mock_start(1, TOPIC, 1)};
        open_transactor();
        kafka_mock_fail(world.mock, answer->request, answer->error, answer->count);
        assert_int_equal(kafka_transactor_fence(world.transactor, &world.fault), answer->outcome);
        assert_int_equal(world.fault.code, answer->code);
        if (answer->outcome == DONE) {
            assert_int_equal(deliver(1), KAFKA_APPLIED);
        }
        end();
    }
}

/* With no transactions; the brokers' answer in its way. */
static enum outcome read_against(int error, int count)
{
    struct kafka_transactor_settings settings = settings_of(&world);
    struct kafka_cursor cursor = {.exists = true};
    uint32_t number;

    settings.transactional_id = NULL;
    assert_int_equal(kafka_transactor_open(&settings, &world.transactor, &world.fault), DONE);
    assert_int_equal(kafka_transactor_topic(world.transactor, TOPIC, &number, &world.fault), DONE);
    if (count > 0) {
        kafka_mock_fail(world.mock, OFFSET_FETCH, error, count);
    }
    enum outcome outcome = kafka_transactor_read(world.transactor, 0, &cursor, &world.fault);
    assert_false(cursor.exists);
    close_transactor();
    return outcome;
}

static void a_cursor_can_be_asked_for_without_an_id_to_write_with(void **state)
{
    world = (struct world){.mock = kafka_mock_start(1, TOPIC, 1)};
    assert_int_equal(read_against(0, 0), DONE);
    assert_int_equal(read_against(NOT_COORDINATOR, 1), DONE);
    assert_int_equal(read_against(GROUP_NOT_ALLOWED, 1), REFUSED);
    assert_int_equal(world.fault.code, FAULT_KAFKA_NOT_ALLOWED);
    kafka_mock_stop(world.mock);
}

static void says_that_a_topic_is_not_there(void **state)
{
    struct kafka_transactor_settings settings;
    uint32_t number;

    world = (struct world){.mock = kafka_mock_start(1, TOPIC, 1)};
    settings = settings_of(&world);
    assert_int_equal(kafka_transactor_open(&settings, &world.transactor, &world.fault), DONE);
    kafka_mock_topic_error(world.mock, UNKNOWN_TOPIC);
    assert_int_equal(kafka_transactor_topic(world.transactor, TOPIC, &number, &world.fault),
                     REFUSED);
    assert_int_equal(world.fault.code, FAULT_KAFKA_TOPIC);
    end();
}

static void what_follows_a_record_that_is_too_large_is_not_sent(void **state)
{
    static char large[2 << 20];
    const struct kafka_outgoing record = {.key = {"k", 1}, .value = {large, sizeof(large)}};

    begin();
    kafka_transactor_begin(world.transactor);
    kafka_transactor_write(world.transactor, &record);
    write_one(1);
    nap(SENT_MS);
    assert_int_equal(finish(1), KAFKA_NOT_APPLIED);
    assert_int_equal(kafka_mock_stored(world.mock, 0) + kafka_mock_stored(world.mock, 1), 0);
    assert_int_equal(world.outcome, REFUSED);
    assert_int_equal(world.fault.code, FAULT_KAFKA_WRITE);
    assert_non_null(strstr(world.fault.text, TOPIC));
    close_transactor();
    open_transactor();
    fence();
    assert_int_equal(deliver(1), KAFKA_APPLIED);
    end();
}

static void properties_of_ours_are_not_the_users(void **state)
{
    static const struct kafka_property properties[] = {
        {"acks", "1"},
        {"enable.idempotence", "false"},
        {"transactional.id", "mine"},
        {"transaction.timeout.ms", "60000"},
        {"message.timeout.ms", "60000"},
        {"delivery.report.only.error", "false"},
        {"partitioner", "random"},
        {"group.id", "mine"},
        {"isolation.level", "read_uncommitted"},
        {"allow.auto.create.topics", "true"},
    };

    world = (struct world){.mock = kafka_mock_start(1, TOPIC, 1)};
    for (size_t index = 0; index < sizeof(properties) / sizeof(properties[0]); index++) {
        struct kafka_transactor_settings settings = settings_of(&world);
        settings.client.extra = &properties[index];
        settings.client.extra_count = 1;
        assert_int_equal(kafka_transactor_open(&settings, &world.transactor, &world.fault), BROKEN);
        assert_int_equal(world.fault.code, FAULT_KAFKA_SETTING);
    }
    kafka_mock_stop(world.mock);
}

/* The cursor waits for transactions; ends that did would fall short beside a stranger's open one.
 */
static void what_readers_are_told_does_not_change_how_ends_are_asked_for(void **state)
{
    static const struct kafka_property property = {"isolation.level", "read_committed"};
    struct kafka_transactor_settings settings;
    char level[32];
    size_t size = sizeof(level);

    world = (struct world){.mock = kafka_mock_start(1, TOPIC, 1)};
    settings = settings_of(&world);
    settings.client.extra = &property;
    settings.client.extra_count = 1;
    assert_int_equal(kafka_transactor_open(&settings, &world.transactor, &world.fault), DONE);
    assert_int_equal(rd_kafka_conf_get(rd_kafka_conf(world.transactor->writer.handle),
                                       property.name, level, &size),
                     RD_KAFKA_CONF_OK);
    assert_string_equal(level, "read_uncommitted");
    end();
}

/* Two clients with the same properties: what is only for the other is no news. */
static void says_nothing_of_properties_when_all_is_well(void **state)
{
    static const struct kafka_property property = {"compression.codec", "gzip"};
    struct kafka_transactor_settings settings;
    struct kafka_line line;

    world = (struct world){.mock = kafka_mock_start(1, TOPIC, 1)};
    settings = settings_of(&world);
    settings.client.extra = &property;
    settings.client.extra_count = 1;
    assert_int_equal(kafka_transactor_open(&settings, &world.transactor, &world.fault), DONE);
    while (kafka_transactor_line(world.transactor, &line)) {
        if (strstr(line.text, "not supported by broker") == NULL) { /* The mock is old. */
            fail_msg("%s", line.text);
        }
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_one_transaction_after_the_other),
        cmocka_unit_test(each_answer_has_its_end),
        cmocka_unit_test(what_the_id_is_refused_for_is_said),
        cmocka_unit_test(a_cursor_can_be_asked_for_without_an_id_to_write_with),
        cmocka_unit_test(says_that_a_topic_is_not_there),
        cmocka_unit_test(what_follows_a_record_that_is_too_large_is_not_sent),
        cmocka_unit_test(properties_of_ours_are_not_the_users),
        cmocka_unit_test(says_nothing_of_properties_when_all_is_well),
        cmocka_unit_test(what_readers_are_told_does_not_change_how_ends_are_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
