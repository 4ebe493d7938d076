#include "cmd/config_parts.h"
#include "test/unit.h"

#include <stdlib.h>
#include <unistd.h>

static struct config config;
static char file[] = "config_test_XXXXXX.yaml";

static int set_up(void **state)
{
    int made = mkstemps(file, 5);
    return made < 0 || close(made) != 0;
}

static int tear_down(void **state)
{
    return unlink(file);
}

static bool load(const char *text)
{
    struct config_request request = {.file = file};
    FILE *stream = fopen(file, "we");

    assert_non_null(stream);
    (void)fputs(text, stream);
    (void)fclose(stream);
    return config_load(&config, &request);
}

static void without_a_file_everything_is_its_default(void **state)
{
    struct rules rules;

    assert_true(load(""));
    rules_default(&rules);
    assert_true(rules_same(&config.engine.rules, &rules));
    assert_string_equal(config.engine.pipeline, "payments");
    assert_string_equal(config.engine.sinks[0].path, "/var/lib/payonce/payments.db");
    assert_int_equal(config.engine.sink_count, 1);
    assert_int_equal(config.engine.epoch_messages_max, 10000);
    assert_int_equal(config.engine.parse.carry.count, 5);
    assert_string_equal(config.engine.parse.fields[PARSE_EVENT_TIME].names[1], "timestamp");
    assert_string_equal(config.engine.parse.mask.names[0], "credit_card");
}

static void takes_what_the_file_says(void **state)
{
    assert_true(load("pipeline: books\n"
                     "data_dir: ./d\n"
                     "source: {type: file, file: {paths: [a.jsonl, b.jsonl]}}\n"
                     "payment:\n"
                     "  only: {status: [SUCCESS, SETTLED]}\n"
                     "  unknown_fields: reject\n"
                     "privacy.mask: {credit_card: drop, iban: last4}\n"
                     "watermark: {lateness: 2h}\n"
                     "fraud: {score: [{when: amount > 99.50 EUR, add: 7}]}\n"
                     "sinks: [{name: here, type: sqlite, deliver: {max_rows: 9}}]\n"));
    assert_string_equal(config.engine.paths[1], "b.jsonl");
    assert_int_equal(config.engine.path_count, 2);
    assert_string_equal(config.engine.parse.only_field, "status");
    assert_string_equal(config.engine.parse.only_values.names[1], "SETTLED");
    assert_true(config.engine.parse.reject_unknown);
    assert_string_equal(config.engine.parse.mask.names[0], "iban");
    assert_int_equal(config.engine.rules.lateness_ms, 7200000);
    assert_int_equal(config.engine.rules.retention_ms, 7200000); /* It follows lateness. */
    assert_int_equal(config.engine.rules.fraud_rule_count, 1);
    assert_int_equal(config.engine.rules.fraud[0].units, 9950);
    assert_string_equal(config.engine.sinks[0].path, "./d/payments.db");
    assert_int_equal(config.engine.deliver_rows_max[0], 9);
    assert_int_equal(config.engine.deliver_wait_ms[0], 200);
}

/* One mistake: its code, place, sentence and hint. */
struct mistake {
    const char *text;
    const char *code;
    uint32_t line;
    uint32_t column;
    const char *sentence;
    const char *hint;
};

static void finds(const struct mistake *mistake)
{
    assert_false(load(mistake->text));
    const struct config_error *error = &config.errors[0];
    if (config.error_count != 1 || strcmp(fault_code_text(error->code), mistake->code) != 0 ||
        error->mark.line != mistake->line || error->mark.column != mistake->column ||
        strstr(error->sentence, mistake->sentence) == NULL ||
        strstr(error->hint, mistake->hint) == NULL) {
        fail_msg("%s%u:%u [%s] %s (%s)", mistake->text, error->mark.line, error->mark.column,
                 fault_code_text(error->code), error->sentence, error->hint);
    }
}

static const struct mistake mistakes[] = {
    {"dedup:\n  retenton: 1h\n", "C003", 2, 3, "\"retenton\" in \"dedup\"", "\"retention\""},
    {"retention: 1h\n", "C003", 1, 1, "\"retention\"", "there is dedup.retention"},
    {"watermarks: {lateness: 1h}\n", "C003", 1, 1, "watermarks", "\"watermark\""},
    {"sinks: [{name: a, type: sqlite, pth: b}]\n", "C003", 1, 33, "in \"sinks[]\"", "\"path\""},
    {"dedup: {retention: 1h}\ndedup: {retention: 2h}\n", "C004", 2, 1, "twice", "line 1"},
    {"dedup: {retention: 1h}\ndedup.retention: 2h\n", "C004", 2, 1, "twice", "line 1"},
    {"payment: {carry: [a, b, a]}\n", "C004", 1, 25, "\"a\" stands twice", ""},
    {"payment: {only: {a: [x], b: [y]}}\n", "C012", 1, 17, "0 to 1 entry", ""},
    {"privacy: {mask: {a: drop, a: last4}}\n", "C004", 1, 27, "\"a\" is set twice", ""},
    {"dedup:\n  retention: 60\n", "C011", 2, 14, "\"60\" has no unit", "60s, 60m or 60h"},
    {"state: {expected_rate: 60}\n", "C011", 1, 24, "no unit", "60/s"},
    {"dedup: {retention: 1 hour}\n", "C010", 1, 20, "is not a number and a unit", ""},
    {"dedup: {retention: 31d}\n", "C012", 1, 20, "0s to 30d", ""},
    {"dedup: {retention: [1h]}\n", "C010", 1, 20, "takes a number and a unit", ""},
    {"dedup: {retention: }\n", "C010", 1, 20, "has no value", ""},
    {"dedup: 1h\n", "C010", 1, 8, "is a section", ""},
    {"- dedup\n", "C002", 1, 1, "map of settings", ""},
    {"fraud: {enabled: yes}\n", "C010", 1, 18, "true|false", ""},
    {"source: {type: pulsar}\n", "C010", 1, 16, "file|stdin", ""},
    {"payment: {carry: region}\n", "C010", 1, 18, "not a list", "write [region]"},
    {"payment: {only: [a]}\n", "C010", 1, 17, "takes a map", ""},
    {"privacy: {mask: {iban: hash}}\n", "C010", 1, 24, "last4|drop", ""},
    {"pipeline: a b\n", "C010", 1, 11, "letters", ""},
    {"pipeline: ''\n", "C012", 1, 11, "1 to 64 bytes", ""},
    {"fraud: {score: [{when: amount > 5, add: 1}]}\n", "C010", 1, 24, "currency", ""},
    {"fraud: {score: [{add: 1}]}\n", "C013", 1, 17, "\"when\"", ""},
    {"fraud: {score: [5]}\n", "C010", 1, 17, "a map of its own", ""},
    {"sinks: []\n", "C012", 1, 8, "1 to 8 entries", ""},
    {"sinks: [{name: a, type: sqlite, max_backlog: 1KiB}]\n", "C012", 1, 46, "1MiB to 1024TiB", ""},
    {"sinks: [{name: a, type: postgres}]\n", "C010", 1, 25, "one of sqlite", ""},
    {"data_dir: ${NO_SUCH_VARIABLE}\n", "C015", 1, 11, "NO_SUCH_VARIABLE", ""},
    {"data_dir: ${unclosed\n", "C010", 1, 11, "without its", ""},
    {"data_dir: ${a b}\n", "C010", 1, 11, "neither", ""},
    {"state: {memory_limit: 60TiB}\n", "C014", 1, 23, "larger than this machine", ""},
    {"state: {memory_limit: 16MiB, expected_rate: 1000/s}\n", "C040", 0, 0,
     "7,800,000 ids = 252 MiB, but state.memory_limit is 16 MiB", ""},
    {"a: *b\n", "C002", 1, 4, "aliases", ""},
};

static void names_the_place_of_each_mistake(void **state)
{
    for (size_t index = 0; index < sizeof(mistakes) / sizeof(mistakes[0]); index++) {
        finds(&mistakes[index]);
    }
}

static void tells_every_mistake_in_one_pass(void **state)
{
    assert_false(load("pipelin: x\ndedup: {retention: 60}\nlog: {level: loud, format: jso}\n"
                      "sinks: [{type: sqlite, path: ''}]\n"));
    assert_int_equal(config.error_count, 6);
}

static void more_mistakes_than_are_kept_are_counted(void **state)
{
    static char text[8192];
    size_t size = 0;

    for (int index = 0; index < 100; index++) {
        size += (size_t)snprintf(text + size, sizeof(text) - size, "zzz%d: 1\n", index);
    }
    assert_false(load(text));
    assert_int_equal(config.error_count, 100);
    assert_int_equal(config.said_count, CONFIG_ERRORS_MAX);
}

static void the_first_sink_is_the_ledger_and_others_follow_it(void **state)
{
    assert_true(load("sinks: [{name: books, type: sqlite, max_backlog: 1GiB},\n"
                     "  {name: copy, type: sqlite, path: copy.db, max_backlog: 2GiB,\n"
                     "   deliver: {max_rows: 7}}]\n"));
    assert_int_equal(config.engine.sink_count, 2);
    assert_string_equal(config.engine.sinks[0].path, "/var/lib/payonce/payments.db");
    assert_int_equal(config.engine.max_backlog, 1 << 30);
    assert_string_equal(config.engine.sinks[1].name, "copy");
    assert_string_equal(config.engine.sinks[1].path, "copy.db");
    assert_int_equal(config.engine.follower_backlog_max[1], 2LL << 30);
    assert_int_equal(config.engine.deliver_rows_max[1], 7);
    assert_true(load("journal: {max_bytes: 3GiB}\n"
                     "sinks: [{name: a, type: sqlite}, {name: b, type: sqlite, path: b.db}]\n"));
    assert_int_equal(config.engine.follower_backlog_max[1], 3LL << 30);
}

static void no_two_sinks_share_a_name_or_a_place(void **state)
{
    assert_false(load("sinks: [{name: a, type: sqlite},\n  {name: b, type: sqlite}]\n"));
    assert_non_null(strstr(config.errors[0].sentence, "would both write to"));
    assert_int_equal(config.errors[0].mark.line, 2);
    assert_false(load("sinks: [{name: a, type: sqlite},\n"
                      "  {name: a, type: sqlite, path: b.db}]\n"));
    assert_non_null(strstr(config.errors[0].sentence, "two sinks are called \"a\""));
}

static void a_sink_that_can_be_no_ledger_gets_one_of_cursors(void **state)
{
    assert_true(load("data_dir: d\nsinks: [{name: out, type: sqlite, path: out.db,"
                     " deliver: {max_rows: 7}}]\n"));
    config_add_ledger(&config);
    assert_int_equal(config.engine.sink_count, 2);
    assert_true(config.engine.sinks[0].cursors_only);
    assert_string_equal(config.engine.sinks[0].path, "d/ledger.db");
    assert_string_equal(config.engine.sinks[0].pipeline, "payments");
    assert_string_equal(config.sink_type_names[0], "sqlite");
    assert_string_equal(config.engine.sinks[1].name, "out");
    assert_false(config.engine.sinks[1].cursors_only);
    assert_int_equal(config.engine.deliver_rows_max[1], 7);
    assert_int_equal(config.engine.deliver_rows_max[0], 50000);
    assert_int_equal(config.engine.deliver_wait_ms[1], 200);
    assert_int_equal(config.engine.deliver_wait_ms[0], 20);
}

static void a_flag_wins_over_environment_over_file(void **state)
{
    static const char *const sets[] = {"watermark.lateness=3h", "payment.carry=[a, b]"};
    struct config_request request = {.file = file, .sets = sets, .set_count = 2};

    assert_true(load("watermark: {lateness: 1h, align: 1m, max_future: 1m}\n"));
    (void)setenv("PAYONCE_WATERMARK_LATENESS", "2h", 1);
    (void)setenv("PAYONCE_WATERMARK_ALIGN", "2m", 1);
    assert_true(config_load(&config, &request));
    assert_int_equal(config.engine.rules.lateness_ms, 3 * 3600000);
    assert_int_equal(config.engine.rules.align_ms, 2 * 60000);
    assert_int_equal(config.engine.rules.max_future_ms, 60000);
    assert_int_equal(config.engine.parse.carry.count, 2);
    assert_int_equal(config.values[SET_LATENESS].text->origin, CONFIG_COMMAND_LINE);
    assert_int_equal(config.values[SET_ALIGN].text->origin, CONFIG_ENVIRONMENT);
    assert_int_equal(config.values[SET_MAX_FUTURE].text->origin, CONFIG_FILE);
    (void)unsetenv("PAYONCE_WATERMARK_LATENESS");
    (void)unsetenv("PAYONCE_WATERMARK_ALIGN");
}

static void a_wrong_flag_is_told_like_a_wrong_line(void **state)
{
    static const char *const sets[] = {"dedup.retenton=1h", "dedup.retention=60", "nothing",
                                       "payment.carry=[a", "sinks[].name=x"};
    struct config_request request = {.file = file, .sets = sets, .set_count = 5};

    assert_true(load(""));
    assert_false(config_load(&config, &request));
    assert_int_equal(config.error_count, 5);
    assert_string_equal(config.errors[0].hint, "did you mean dedup.retention?");
    assert_string_equal(config.errors[1].text->name, "--set dedup.retention");
    assert_int_equal(config.errors[1].code, FAULT_CONFIG_UNIT);
    assert_int_equal(config.errors[3].code, FAULT_CONFIG_SYNTAX);
}

static void variables_of_the_environment_are_filled_in(void **state)
{
    (void)setenv("CONFIG_TEST_DIR", "/data", 1);
    assert_true(load("data_dir: ${CONFIG_TEST_DIR}/x${CONFIG_TEST_NONE:-y}\n"));
    assert_string_equal(config.engine.data_dir, "/data/xy");
    (void)unsetenv("CONFIG_TEST_DIR");
}

static void a_variable_that_is_nearly_a_setting_is_a_warning(void **state)
{
    (void)setenv("PAYONCE_DEDUP_RETENTON", "1h", 1);
    (void)setenv("PAYONCE_SERVICE_HOST", "10.0.0.1", 1);
    assert_true(load(""));
    assert_int_equal(config.said_count, 1);
    assert_true(config.errors[0].warning);
    (void)unsetenv("PAYONCE_DEDUP_RETENTON");
    (void)unsetenv("PAYONCE_SERVICE_HOST");
}

static void files_on_the_command_line_need_no_configuration(void **state)
{
    static const char *const inputs[] = {"a.jsonl", "b.jsonl"};
    struct config_request request = {.inputs = inputs, .input_count = 2};

    assert_true(config_load(&config, &request));
    assert_null(config.file);
    assert_string_equal(config.engine.data_dir, "./payonce-data");
    assert_string_equal(config.engine.sinks[0].path, "./payments.db");
    assert_string_equal(config.engine.paths[0], "a.jsonl");
    assert_int_equal(config.engine.path_count, 2);
}

static void a_dash_is_standard_input(void **state)
{
    static const char *const inputs[] = {"-"};
    struct config_request request = {.inputs = inputs, .input_count = 1};

    assert_true(config_load(&config, &request));
    assert_true(config.engine.from_stdin);
    assert_int_equal(config.engine.path_count, 0);
    assert_true(config_need_source(&config));
}

static void without_a_file_of_payments_there_is_nothing_to_run(void **state)
{
    assert_true(load(""));
    assert_false(config_need_source(&config));
    assert_int_equal(config.errors[0].code, FAULT_CONFIG_MISSING);
}

static void a_missing_file_is_told(void **state)
{
    struct config_request request = {.file = "no/such.yaml"};

    assert_false(config_load(&config, &request));
    assert_int_equal(config.errors[0].code, FAULT_CONFIG_READ);
    assert_string_equal(config.errors[0].sentence, "No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_everything_is_its_default),
        cmocka_unit_test(takes_what_the_file_says),
        cmocka_unit_test(names_the_place_of_each_mistake),
        cmocka_unit_test(tells_every_mistake_in_one_pass),
        cmocka_unit_test(more_mistakes_than_are_kept_are_counted),
        cmocka_unit_test(the_first_sink_is_the_ledger_and_others_follow_it),
        cmocka_unit_test(no_two_sinks_share_a_name_or_a_place),
        cmocka_unit_test(a_sink_that_can_be_no_ledger_gets_one_of_cursors),
        cmocka_unit_test(a_flag_wins_over_environment_over_file),
        cmocka_unit_test(a_wrong_flag_is_told_like_a_wrong_line),
        cmocka_unit_test(variables_of_the_environment_are_filled_in),
        cmocka_unit_test(a_variable_that_is_nearly_a_setting_is_a_warning),
        cmocka_unit_test(files_on_the_command_line_need_no_configuration),
        cmocka_unit_test(a_dash_is_standard_input),
        cmocka_unit_test(without_a_file_of_payments_there_is_nothing_to_run),
        cmocka_unit_test(a_missing_file_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
