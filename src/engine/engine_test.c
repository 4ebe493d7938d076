/* The whole machine over real files and SQLite: started, stopped, halted, and its end. */
#include "engine/engine.h"
#include "engine/deaths.h"
#include "test/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_S = 20 };

/* A directory of its own for each test, with a configuration for it. */
struct place {
    char path[256];
    char inputs[3][300];
    const char *paths[3];
    struct engine_settings settings;
    struct engine *engine;
    struct fault fault;
    char events[64 * 1024]; /* "name text\n" each. */
};

static struct place place;

static void place_make(size_t input_count)
{
    struct engine_settings *settings = &place.settings;

    memset(&place, 0, sizeof(place));
    (void)snprintf(place.path, sizeof(place.path), "/tmp/payonce-engine-XXXXXX");
    assert_non_null(mkdtemp(place.path));
    (void)snprintf(settings->pipeline, sizeof(settings->pipeline), "payments");
    (void)snprintf(settings->data_dir, sizeof(settings->data_dir), "%s/data", place.path);
    for (size_t index = 0; index < input_count; index++) {
        (void)snprintf(place.inputs[index], sizeof(place.inputs[index]), "%s/%zu.jsonl", place.path,
                       index);
        place.paths[index] = place.inputs[index];
    }
    settings->paths = place.paths;
    settings->path_count = input_count;
    rules_default(&settings->rules);
    parse_settings_default(&settings->parse);
    settings->parser_threads = 2;
    settings->epoch_interval_ms = 5;
    settings->epoch_messages_max = 100;
    settings->epoch_bytes_max = 4 << 20;
    settings->journal =
        (struct journal_settings){.segment_size = 1 << 20, .keep_ms = INT64_C(3600000)};
    settings->memory_limit = 64 << 20;
    settings->sink_types[0] = sink_type_named("sqlite");
    settings->sink_count = 1;
    settings->deliver_rows_max[0] = 50000;
    settings->deliver_wait_ms[0] = 20;
    settings->shutdown_grace_ms = 5000;
    settings->until_caught_up = true;
    (void)snprintf(settings->sinks[0].name, SINK_NAME_MAX, "local");
    (void)snprintf(settings->sinks[0].pipeline, PIPELINE_NAME_MAX, "payments");
    (void)snprintf(settings->sinks[0].path, SINK_PATH_MAX, "%s/payments.db", place.path);
    settings->sinks[0].part_rows = 500000;
    settings->sinks[0].carry_count = settings->parse.carry.count;
    memcpy(settings->sinks[0].carry, settings->parse.carry.names, sizeof(settings->sinks[0].carry));
    settings->sinks[0].busy_timeout_ms = 100;
}

static void place_remove(void)
{
    char command[400];

    (void)snprintf(command, sizeof(command), "rm -rf %s", place.path);
    assert_int_equal(system(command), 0);
}

/* Payments number first to last, so far apart, one dollar each; every tenth comes twice. */
static void write_apart(size_t input, int first, int last, int apart_s)
{
    FILE *file = fopen(place.inputs[input], "a");

    assert_non_null(file);
    for (int number = first; number <= last; number++) {
        for (int copy = 0; copy < (number % 10 == 0 ? 2 : 1); copy++) {
            (void)fprintf(file,
                          "{\"transaction_id\":\"t-%zu-%d\",\"timestamp\":%d,\"sender_account_id\":"
                          "\"ACC_%d\",\"receiver_account_id\":\"ACC_2\",\"amount\":1.00,"
                          "\"currency\":\"USD\"}\n",
                          input, number, 1770000000 + number * apart_s, number % 50);
        }
    }
    assert_int_equal(fclose(file), 0);
}

static void write_payments(size_t input, int first, int last)
{
    write_apart(input, first, last, 1);
}

static void note_events(int64_t timeout_ms)
{
    struct engine_event event;

    while (engine_event(place.engine, &event, timeout_ms)) {
        size_t used = strlen(place.events);
        (void)snprintf(place.events + used, sizeof(place.events) - used, "%s %s\n", event.name,
                       event.text);
    }
}

static enum engine_end wait_for_end(void)
{
    enum engine_end end = ENGINE_RUNNING;

    for (int step = 0; step < PATIENCE_S * 50 && end == ENGINE_RUNNING; step++) {
        note_events(20);
        end = engine_end(place.engine, &place.fault);
    }
    note_events(0);
    return end;
}

static enum engine_end run(void)
{
    if (engine_start(&place.settings, &place.engine, &place.fault) != DONE) {
        print_message("start: %s\n", place.fault.text);
        return ENGINE_FAILED;
    }
    enum engine_end end = wait_for_end();
    if (end == ENGINE_FAILED || end == ENGINE_HALTED) {
        print_message("end: %s\n", place.fault.text);
    }
    engine_close(place.engine);
    return end;
}

/* What the ledger says: how many messages got this verdict. */
static uint64_t counted(uint8_t tally)
{
    const struct sink_type *type = place.settings.sink_types[0];
    struct sink_settings looking = place.settings.sinks[0];
    struct epoch_total total;
    uint64_t count = 0;
    struct sink *sink = calloc(1, type->size);

    looking.read_only = true;
    assert_non_null(sink);
    assert_int_equal(sink_open(sink, type, &looking, &place.fault), DONE);
    for (size_t index = 0; sink_read_total(sink, index, &total, &place.fault) == DONE; index++) {
        count += total.tally == tally ? total.count : 0;
    }
    sink_close(sink);
    free(sink);
    return count;
}

/* Rows of payment_metrics; ret_payments: counted in the last one. */
static size_t windows(int64_t *ret_payments)
{
    const struct sink_type *type = place.settings.sink_types[0];
    struct sink_settings looking = place.settings.sinks[0];
    struct sink *sink = calloc(1, type->size);
    struct row row = {.numbers = {0}};
    uint64_t epoch;
    int64_t decided_ms;
    size_t count = 0;

    looking.read_only = true;
    assert_non_null(sink);
    assert_int_equal(sink_open(sink, type, &looking, &place.fault), DONE);
    while (sink_read_row(sink, TABLE_METRICS, (uint64_t)row.numbers[METRIC_SEQ] + 1, &row, &epoch,
                         &decided_ms, &place.fault) == DONE) {
        *ret_payments = row.numbers[METRIC_COUNT];
        count++;
    }
    sink_close(sink);
    free(sink);
    return count;
}

static void reads_files_to_their_end_and_delivers_all(void **state)
{
    place_make(2);
    write_payments(0, 1, 1000);
    write_payments(1, 1, 500);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 1500);
    assert_int_equal(counted(DUPLICATE), 150);
    assert_non_null(strstr(place.events, "ready "));
    assert_non_null(strstr(place.events, "stopped "));
    place_remove();
}

static void goes_on_where_it_stopped(void **state)
{
    place_make(1);
    write_payments(0, 1, 300);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 300);
    write_payments(0, 201, 400); /* Half of it is old. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 400);
    assert_int_equal(counted(DUPLICATE), 30 + 100 + 20);
    place_remove();
}

static void an_id_that_new_rules_keep_longer_is_known_after_a_restart(void **state)
{
    place_make(1);
    write_apart(0, 1, 2, 1);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    place.settings.rules.retention_ms = INT64_C(24) * 3600000;
    write_apart(0, 11, 11, 1000); /* Three hours later: past the old retention. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    write_apart(0, 1, 1, 11001); /* The first one again, under a new time. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 3);
    assert_int_equal(counted(DUPLICATE), 1);
    place_remove();
}

static void a_window_open_at_a_change_of_its_length_counts_on_over_restarts(void **state)
{
    static const int hours[][2] = {{1, 2}, {6, 6}, {7, 7}, {8, 8}}; /* All within one day. */
    int64_t payments = 0;

    place_make(1);
    place.settings.rules.window_ms = INT64_C(24) * 3600000;
    for (size_t start = 0; start < sizeof(hours) / sizeof(hours[0]); start++) {
        write_apart(0, hours[start][0], hours[start][1], 3600);
        assert_int_equal(run(), ENGINE_CAUGHT_UP);
        place.settings.rules.window_ms = INT64_C(3600000);
    }
    assert_int_equal(windows(&payments), 1);
    assert_int_equal(payments, 5);
    place_remove();
}

static void stops_when_asked(void **state)
{
    place_make(1);
    write_payments(0, 1, 200);
    place.settings.until_caught_up = false;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    for (int step = 0; step < 500 && counted(ACCEPTED) < 200; step++) {
        usleep(10000);
    }
    assert_int_equal(engine_end(place.engine, &place.fault), ENGINE_RUNNING);
    engine_stop(place.engine);
    assert_int_equal(wait_for_end(), ENGINE_STOPPED);
    engine_close(place.engine);
    assert_int_equal(counted(ACCEPTED), 200);
    place_remove();
}

static void one_process_owns_a_data_dir(void **state)
{
    struct engine *second;

    place_make(1);
    write_payments(0, 1, 10);
    place.settings.until_caught_up = false;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    assert_int_equal(engine_start(&place.settings, &second, &place.fault), BROKEN);
    assert_int_equal(place.fault.code, FAULT_DATA_DIR_IN_USE);
    engine_close(place.engine);
    place_remove();
}

static void a_lost_volume_is_rebuilt_from_the_ledger(void **state)
{
    char command[400];

    place_make(1);
    write_payments(0, 1, 500);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    (void)snprintf(command, sizeof(command), "rm -rf %s/data", place.path);
    assert_int_equal(system(command), 0);
    write_payments(0, 401, 600);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_non_null(strstr(place.events, "journal_rebuilt "));
    assert_int_equal(counted(ACCEPTED), 600);
    assert_int_equal(counted(DUPLICATE), 50 + 100 + 20);
    place_remove();
}

static void an_emptied_ledger_is_filled_again(void **state)
{
    char command[900];

    place_make(1);
    write_payments(0, 1, 500);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    (void)snprintf(command, sizeof(command), "rm -f %s/payments.db*", place.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 500);
    assert_int_equal(counted(DUPLICATE), 50);
    place_remove();
}

static void halts_when_the_memory_is_full(void **state)
{
    place_make(1);
    place.settings.memory_limit = 16 << 20;
    place.settings.rules.senders_max = 100;
    write_apart(0, 1, 10000, 60);
    place.settings.rules.lateness_ms = INT64_C(1000) * 3600000;
    place.settings.rules.retention_ms = INT64_C(1000) * 3600000;
    assert_int_equal(run(), ENGINE_HALTED);
    assert_int_equal(place.fault.code, FAULT_STATE_FULL);
    assert_true(counted(ACCEPTED) > 1000);
    place_remove();
}

static void what_a_full_memory_could_not_take_is_taken_after_it_was_raised(void **state)
{
    place_make(1);
    place.settings.memory_limit = 16 << 20;
    place.settings.rules.senders_max = 100;
    place.settings.rules.lateness_ms = INT64_C(1000) * 3600000;
    place.settings.rules.retention_ms = INT64_C(1000) * 3600000;
    write_apart(0, 1, 10000, 60);
    for (int start = 0; start < 3; start++) {
        assert_int_equal(run(), ENGINE_HALTED);
        assert_int_equal(place.fault.code, FAULT_STATE_FULL);
    }
    place.settings.memory_limit = 64 << 20;
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 10000);
    assert_int_equal(counted(DUPLICATE), 1000);
    place_remove();
}

static void three_deaths_in_a_row_are_poison(void **state)
{
    char path[400];

    place_make(1);
    write_payments(0, 1, 10);
    assert_int_equal(mkdir(place.settings.data_dir, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/data/deaths", place.path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "3\nsome.jsonl from 7 on\n");
    assert_int_equal(fclose(file), 0);
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), BROKEN);
    assert_int_equal(place.fault.code, FAULT_POISON);
    assert_non_null(strstr(place.fault.text, "some.jsonl from 7 on"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(access(path, F_OK), -1);
    place_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files_to_their_end_and_delivers_all),
        cmocka_unit_test(goes_on_where_it_stopped),
        cmocka_unit_test(an_id_that_new_rules_keep_longer_is_known_after_a_restart),
        cmocka_unit_test(a_window_open_at_a_change_of_its_length_counts_on_over_restarts),
        cmocka_unit_test(stops_when_asked),
        cmocka_unit_test(one_process_owns_a_data_dir),
        cmocka_unit_test(a_lost_volume_is_rebuilt_from_the_ledger),
        cmocka_unit_test(an_emptied_ledger_is_filled_again),
        cmocka_unit_test(halts_when_the_memory_is_full),
        cmocka_unit_test(what_a_full_memory_could_not_take_is_taken_after_it_was_raised),
        cmocka_unit_test(three_deaths_in_a_row_are_poison),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
