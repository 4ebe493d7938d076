#include "cmd/config.h"
#include "test/unit.h"

#include <stdlib.h>

static struct config config;

/* The configuration that these options make. */
static bool load(const char *const *sets, size_t count)
{
    struct config_request request = {.sets = sets, .set_count = count};

    return config_load(&config, &request);
}

#define LOAD(...)                                                                                  \
    load((const char *const[]){"source.type=kafka", __VA_ARGS__},                                  \
         sizeof((const char *const[]){"source.type=kafka", __VA_ARGS__}) / sizeof(char *))

static const struct kafka_feed_settings *kafka(void)
{
    assert_ptr_equal(config.engine.feed_type, &feed_kafka);
    return config.engine.feed_settings;
}

static void brokers_and_topics_are_enough(void **state)
{
    assert_true(LOAD("source.kafka.brokers=[a:9092, b:9093]", "source.kafka.topics=[payments]"));
    assert_string_equal(kafka()->client.brokers, "a:9092,b:9093");
    assert_string_equal(kafka()->client.client_id, "payonce-payments");
    assert_string_equal(kafka()->client.protocol, "plaintext");
    assert_null(kafka()->client.mechanism);
    assert_null(kafka()->client.username);
    assert_null(kafka()->client.password.file);
    assert_null(kafka()->client.ca_file);
    assert_string_equal(kafka()->group, "payonce-payments");
    assert_int_equal(kafka()->topic_count, 1);
    assert_string_equal(kafka()->topics[0], "payments");
    assert_int_equal(kafka()->start, KAFKA_START_EARLIEST);
    assert_int_equal(kafka()->gaps, KAFKA_GAPS_CONFIRM);
    assert_int_equal(kafka()->queue_bytes, 64 << 20);
    assert_true(config_need_source(&config));
    assert_int_equal(config.engine.path_count, 0);
}

static void every_setting_goes_where_the_client_wants_it(void **state)
{
    assert_true(LOAD("source.kafka.start=2026-02-25T00:00:00Z", "source.kafka.gaps=strict",
                     "source.kafka.group=ours", "pipeline=books", "source.kafka.fetch_memory=8MiB",
                     "source.kafka.tls.enabled=true", "source.kafka.tls.ca_file=ca.pem",
                     "source.kafka.tls.cert_file=own.pem", "source.kafka.tls.key_file=own.key",
                     "source.kafka.sasl.mechanism=scram-sha-256", "source.kafka.sasl.username=us",
                     "source.kafka.sasl.password_variable=SECRET",
                     "source.kafka.extra={socket.timeout.ms: 5000}"));
    assert_int_equal(kafka()->start, KAFKA_START_TIME);
    assert_int_equal(kafka()->start_ms, INT64_C(1771977600000));
    assert_int_equal(kafka()->gaps, KAFKA_GAPS_STRICT);
    assert_string_equal(kafka()->group, "ours");
    assert_string_equal(kafka()->client.client_id, "payonce-books");
    assert_int_equal(kafka()->queue_bytes, 8 << 20);
    assert_string_equal(kafka()->client.protocol, "sasl_ssl");
    assert_string_equal(kafka()->client.ca_file, "ca.pem");
    assert_string_equal(kafka()->client.certificate_file, "own.pem");
    assert_string_equal(kafka()->client.key_file, "own.key");
    assert_string_equal(kafka()->client.mechanism, "SCRAM-SHA-256");
    assert_string_equal(kafka()->client.username, "us");
    assert_string_equal(kafka()->client.password.variable, "SECRET");
    assert_int_equal(kafka()->client.extra_count, 1);
    assert_string_equal(kafka()->client.extra[0].name, "socket.timeout.ms");
    assert_string_equal(kafka()->client.extra[0].value, "5000");
}

/* The one mistake, and something of what is said about it. */
static void expect_wrong(const char *set, const char *code, const char *said)
{
    assert_false(LOAD("source.kafka.brokers=[a:9092]", set));
    assert_int_equal(config.error_count, 1);
    assert_string_equal(fault_code_text(config.errors[0].code), code);
    if (strstr(config.errors[0].sentence, said) == NULL) {
        fail_msg("%s", config.errors[0].sentence);
    }
}

static void what_cannot_be_is_refused_by_name(void **state)
{
    expect_wrong("source.kafka.start=yesterday", "C010", "neither earliest nor latest");
    expect_wrong("source.kafka.sasl.mechanism=plain", "C013", "sasl.username");
    expect_wrong("source.kafka.tls.ca_file=ca.pem", "C010", "tls.enabled is false");
    expect_wrong("source.kafka.extra={plugin.library.paths: x}", "C010", "loads code");
    expect_wrong("source.kafka.extra=[a]", "C010", "a map");
    expect_wrong("source.kafka.topics=[a, a]", "C004", "stands twice");
}

static void a_source_without_topics_or_brokers_cannot_be_read(void **state)
{
    assert_true(LOAD("pipeline=books"));
    assert_false(config_need_source(&config));
    assert_int_equal(config.error_count, 2);
    assert_string_equal(config.errors[0].sentence, "source.kafka.brokers: nothing is named");
    assert_string_equal(config.errors[1].sentence, "source.kafka.topics: nothing is named");
}

static void files_are_read_without_a_word_of_kafka(void **state)
{
    const char *const sets[] = {"source.kafka.sasl.mechanism=plain", "source.file.paths=[x]"};

    assert_true(load(sets, 2));
    assert_null(config.engine.feed_type);
    assert_int_equal(config.engine.path_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brokers_and_topics_are_enough),
        cmocka_unit_test(every_setting_goes_where_the_client_wants_it),
        cmocka_unit_test(what_cannot_be_is_refused_by_name),
        cmocka_unit_test(a_source_without_topics_or_brokers_cannot_be_read),
        cmocka_unit_test(files_are_read_without_a_word_of_kafka),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
