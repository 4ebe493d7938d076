#include "test/unit.h"

#include "os/kafka_parts.h"
#include "os/kafka_read.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Open a reader with this property; nobody is at the brokers' address. */
static enum outcome open_with(struct kafka_property property, struct fault *ret_fault)
{
    struct kafka_reader *reader = NULL;
    const struct kafka_reader_settings settings = {
        .client = {.brokers = "127.0.0.1:1", .extra = &property, .extra_count = 1},
        .group = "payonce-test",
        .queue_kib = 1024,
    };
    enum outcome outcome = kafka_reader_open(&settings, &reader, ret_fault);

    if (outcome == DONE) {
        assert_true(kafka_reader_close(reader));
    }
    return outcome;
}

static void a_property_of_ours_is_not_changed(void **state)
{
    const struct kafka_property properties[] = {
        {"enable.auto.commit", "true"},
        {"auto.commit.enable", "true"},
        {"enable.auto.offset.store", "true"},
        {"auto.offset.reset", "latest"},
        {"auto.offset.reset", "earliest"},
        {"isolation.level", "read_uncommitted"},
        {"check.crcs", "false"},
        {"enable.partition.eof", "false"},
        {"allow.auto.create.topics", "true"},
        {"socket.nagle.disable", "false"},
        {"socket.keepalive.enable", "false"},
        {"log.queue", "false"},
        {"group.id", "another"},
        {"queued.max.messages.kbytes", "1"},
        {"statistics.interval.ms", "0"},
        {"bootstrap.servers", "127.0.0.1:2"},
        {"metadata.broker.list", "127.0.0.1:2"},
    };

    for (size_t index = 0; index < COUNT(properties); index++) {
        struct fault fault = {0};
        assert_int_equal(open_with(properties[index], &fault), BROKEN);
        assert_int_equal(fault.code, FAULT_KAFKA_SETTING);
        assert_int_equal(fault_code_class(fault.code), FAULT_CLASS_CONFIG);
        assert_non_null(strstr(fault.text, kafka_property_name(properties[index].name)));
    }
}

static void a_denied_property_never_reaches_the_library(void **state)
{
    const struct kafka_property properties[] = {
        {"plugin.library.paths", "/nowhere/at/all.so"},
        {"ssl.engine.location", "/nowhere/at/all.so"},
        {"ssl.engine.id", "dynamic"},
        {"ssl_engine_callback_data", "1"},
        {"ssl.providers", "legacy"},
        {"sasl.kerberos.kinit.cmd", "true"},
        {"enable.sasl.oauthbearer.unsecure.jwt", "true"},
        {"test.mock.num.brokers", "3"},
        {"test.mock.broker.rtt", "3"},
        {"ut_handle_ProduceResponse", "1"},
        {"interceptors", "1"},
        {"error_cb", "1"},
        {"ssl.certificate.verify_cb", "1"},
        {"opaque", "1"},
        {"default_topic_conf", "1"},
        {"enabled_events", "1"},
        {"debug", "all"},
        {"sasl.password", "hunter2"},
        {"ssl.key.password", "hunter2"},
        {"ssl.key.pem", "hunter2"},
        {"sasl.oauthbearer.client.secret", "hunter2"},
        {"sasl.oauthbearer.config", "hunter2"},
    };

    for (size_t index = 0; index < COUNT(properties); index++) {
        struct fault fault = {0};
        assert_int_equal(kafka_property_check(&properties[index], false, &fault), REFUSED);
        assert_int_equal(open_with(properties[index], &fault), BROKEN);
        assert_int_equal(fault.code, FAULT_KAFKA_SETTING);
        assert_non_null(strstr(fault.text, properties[index].name));
        assert_non_null(strstr(fault.text, "is not taken"));
        assert_null(strstr(fault.text, "hunter2"));
    }
}

static void debug_is_taken_when_somebody_allowed_it(void **state)
{
    const struct kafka_property debug = {"debug", "broker"};
    struct fault fault;

    assert_int_equal(kafka_property_check(&debug, true, &fault), DONE);
}

static void other_properties_and_our_own_values_are_taken(void **state)
{
    const struct kafka_property properties[] = {
        {"fetch.wait.max.ms", "20"},
        {"enable.auto.commit", "false"},
        {"auto.offset.reset", "ERROR"},
        {"reconnect.backoff.max.ms", "5000"},
        {"max.partition.fetch.bytes", "2000000"},
    };

    for (size_t index = 0; index < COUNT(properties); index++) {
        struct fault fault = {0};
        assert_int_equal(open_with(properties[index], &fault), DONE);
    }
}

static void an_unknown_property_of_the_users_is_an_error(void **state)
{
    struct fault fault = {0};

    assert_int_equal(open_with((struct kafka_property){"fetch.wait.max", "1"}, &fault), BROKEN);
    assert_non_null(strstr(fault.text, "No such configuration property"));
    assert_int_equal(open_with((struct kafka_property){"fetch.wait.max.ms", "soon"}, &fault),
                     BROKEN);
    assert_non_null(strstr(fault.text, "fetch.wait.max.ms"));
}

static void a_setting_is_given_once(void **state)
{
    struct kafka_reader *reader = NULL;
    const struct kafka_property extra = {"security.protocol", "ssl"};
    const struct kafka_reader_settings settings = {
        .client = {.brokers = "127.0.0.1:1", .protocol = "ssl", .extra = &extra, .extra_count = 1},
        .group = "payonce-test",
        .queue_kib = 1024,
    };
    struct fault fault;

    assert_int_equal(kafka_reader_open(&settings, &reader, &fault), BROKEN);
    assert_non_null(strstr(fault.text, "twice"));
}

static void a_long_client_id_is_refused(void **state)
{
    struct kafka_reader *reader = NULL;
    const struct kafka_reader_settings settings = {
        .client = {.brokers = "127.0.0.1:1",
                   .client_id =
                       "0123456789012345678901234567890123456789012345678901234567890123456789"},
        .group = "payonce-test",
        .queue_kib = 1024,
    };
    struct fault fault;

    assert_int_equal(kafka_reader_open(&settings, &reader, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_KAFKA_SETTING);
}

/* A file with this text and these rights; its path. */
static const char *write_file(const char *text, mode_t mode)
{
    static char path[64];

    (void)snprintf(path, sizeof(path), "/tmp/payonce-secret-%d", (int)getpid());
    (void)unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static void a_secret_is_the_first_line_of_a_file_that_only_its_owner_may_read(void **state)
{
    struct kafka_secret secret = {.file = write_file("hunter2\nmore", 0600)};
    struct fault fault;
    char text[64];

    assert_int_equal(kafka_secret_read(&secret, "sasl.password", text, sizeof(text), &fault), DONE);
    assert_string_equal(text, "hunter2");
    assert_int_equal(kafka_secret_read(&secret, "sasl.password", text, 8, &fault), BROKEN);

    const mode_t open_to_others[] = {0604, 0640, 0644, 0660, 0620};
    for (size_t index = 0; index < COUNT(open_to_others); index++) {
        secret.file = write_file("hunter2", open_to_others[index]);
        assert_int_equal(kafka_secret_read(&secret, "sasl.password", text, sizeof(text), &fault),
                         BROKEN);
        assert_int_equal(fault.code, FAULT_KAFKA_SECRET);
        assert_non_null(strstr(fault.text, secret.file));
        assert_null(strstr(fault.text, "hunter2"));
    }
    (void)unlink(secret.file);
    assert_int_equal(kafka_secret_read(&secret, "sasl.password", text, sizeof(text), &fault),
                     BROKEN);
    secret.file = "/tmp";
    assert_int_equal(kafka_secret_read(&secret, "sasl.password", text, sizeof(text), &fault),
                     BROKEN);
}

static void a_secret_may_come_from_the_environment(void **state)
{
    const struct kafka_secret secret = {.variable = "PAYONCE_TEST_SECRET"};
    struct fault fault;
    char text[64];

    assert_int_equal(unsetenv("PAYONCE_TEST_SECRET"), 0);
    assert_int_equal(kafka_secret_read(&secret, "sasl.password", text, sizeof(text), &fault),
                     BROKEN);
    assert_non_null(strstr(fault.text, "PAYONCE_TEST_SECRET"));
    assert_int_equal(setenv("PAYONCE_TEST_SECRET", "hunter2", 1), 0);
    assert_int_equal(kafka_secret_read(&secret, "sasl.password", text, sizeof(text), &fault), DONE);
    assert_string_equal(text, "hunter2");
}

static void what_the_library_says_is_escaped_cut_and_counted(void **state)
{
    static struct kafka_lines lines;
    struct kafka_line line;
    char text[2 * KAFKA_LINE_SIZE];

    kafka_lines_init(&lines);
    assert_false(kafka_lines_take(&lines, &line));
    kafka_lines_put(&lines, 3, "a\nb\x1b[31m \xc3\xa4");
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int count = 0; count < KAFKA_LINES_MAX + 6; count++) {
        kafka_lines_put(&lines, 4, text);
    }
    assert_true(kafka_lines_take(&lines, &line));
    assert_string_equal(line.text, "a\\x0ab\\x1b[31m \\xc3\\xa4");
    assert_int_equal(line.level, 3);
    for (int count = 1; count < KAFKA_LINES_MAX; count++) {
        assert_true(kafka_lines_take(&lines, &line));
        assert_true(strlen(line.text) < KAFKA_LINE_SIZE);
    }
    assert_true(kafka_lines_take(&lines, &line));
    assert_string_equal(line.text, "7 more lines were not kept");
    assert_false(kafka_lines_take(&lines, &line));
    kafka_lines_destroy(&lines);
}

static void an_error_says_what_it_asks_for(void **state)
{
    const struct {
        int error;
        enum kafka_class class;
    } cases[] = {
        {-195, KAFKA_PASSING},   {-193, KAFKA_PASSING},     {-187, KAFKA_PASSING},
        {-185, KAFKA_PASSING},   {6, KAFKA_PASSING},        {-140, KAFKA_OUTSIDE},
        {1, KAFKA_OUTSIDE},      {-139, KAFKA_OUTSIDE},     {-199, KAFKA_DAMAGED},
        {-198, KAFKA_DAMAGED},   {3, KAFKA_MISSING},        {-188, KAFKA_MISSING},
        {-190, KAFKA_MISSING},   {29, KAFKA_NOT_ALLOWED},   {30, KAFKA_NOT_ALLOWED},
        {58, KAFKA_NOT_ALLOWED}, {-169, KAFKA_NOT_ALLOWED}, {-150, KAFKA_FATAL},
        {47, KAFKA_FENCED},      {90, KAFKA_FENCED},        {-144, KAFKA_FENCED},
        {-1, KAFKA_STRANGE},     {10, KAFKA_STRANGE},       {12345, KAFKA_STRANGE},
    };

    for (size_t index = 0; index < COUNT(cases); index++) {
        assert_int_equal(kafka_error_class(cases[index].error), cases[index].class);
    }
    assert_string_equal(kafka_error_name(3), "UNKNOWN_TOPIC_OR_PART");
}

static void warns_of_what_is_not_protected(void **state)
{
    const struct kafka_property loose[] = {
        {"enable.ssl.certificate.verification", "false"},
        {"ssl.endpoint.identification.algorithm", "none"},
    };
    struct kafka_settings settings = {.brokers = "localhost:9092,127.0.0.1:9093"};

    assert_null(kafka_settings_warning(&settings, 0));
    settings.brokers = "localhost:9092,kafka.example:9092";
    assert_non_null(strstr(kafka_settings_warning(&settings, 0), "not encrypted"));
    assert_null(kafka_settings_warning(&settings, 1));
    settings.protocol = "sasl_ssl";
    assert_null(kafka_settings_warning(&settings, 0));
    settings.extra = loose;
    settings.extra_count = 2;
    assert_non_null(strstr(kafka_settings_warning(&settings, 0), "not verified"));
    assert_non_null(strstr(kafka_settings_warning(&settings, 1), "not compared"));
    assert_null(kafka_settings_warning(&settings, 2));
    assert_int_equal(kafka_settings_risks(&settings), 2);
    settings.mechanism = "SCRAM-SHA-512"; /* A nuisance, and nothing that others could read. */
    assert_int_equal(kafka_settings_warning(&settings, 2) != NULL, rd_kafka_version() < 0x020601ff);
    assert_null(kafka_settings_warning(&settings, 3));
    assert_int_equal(kafka_settings_risks(&settings), 2);
}

static void nobody_there_is_said_in_time(void **state)
{
    struct kafka_reader *reader = NULL;
    const struct kafka_reader_settings settings = {
        .client = {.brokers = "127.0.0.1:1"}, .group = "payonce-test", .queue_kib = 1024};
    uint32_t partition_count = 0;
    struct kafka_line line;
    struct fault fault;

    assert_int_equal(kafka_reader_open(&settings, &reader, &fault), DONE);
    assert_int_equal(kafka_reader_topic(reader, "payments", &partition_count, &fault), LATER);
    assert_int_equal(fault.code, FAULT_KAFKA_UNREACHABLE);
    assert_true(kafka_reader_line(reader, &line)); /* The library says why. */
    assert_true(kafka_reader_close(reader));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_property_of_ours_is_not_changed),
        cmocka_unit_test(a_denied_property_never_reaches_the_library),
        cmocka_unit_test(debug_is_taken_when_somebody_allowed_it),
        cmocka_unit_test(other_properties_and_our_own_values_are_taken),
        cmocka_unit_test(an_unknown_property_of_the_users_is_an_error),
        cmocka_unit_test(a_setting_is_given_once),
        cmocka_unit_test(a_long_client_id_is_refused),
        cmocka_unit_test(a_secret_is_the_first_line_of_a_file_that_only_its_owner_may_read),
        cmocka_unit_test(a_secret_may_come_from_the_environment),
        cmocka_unit_test(what_the_library_says_is_escaped_cut_and_counted),
        cmocka_unit_test(an_error_says_what_it_asks_for),
        cmocka_unit_test(warns_of_what_is_not_protected),
        cmocka_unit_test(nobody_there_is_said_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
