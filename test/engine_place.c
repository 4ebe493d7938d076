#include "test/engine_place.h"

#include "test/unit.h"

#include <stdlib.h>
#include <unistd.h>

struct place place;

void place_make(size_t input_count)
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

void place_remove(void)
{
    char command[400];

    (void)snprintf(command, sizeof(command), "rm -rf %s", place.path);
    assert_int_equal(system(command), 0);
}

void in_place(const char *command)
{
    char line[900];

    (void)snprintf(line, sizeof(line), "cd %s && %s", place.path, command);
    assert_int_equal(system(line), 0);
}

void write_apart(size_t input, int first, int last, int apart_s)
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

void write_payments(size_t input, int first, int last)
{
    write_apart(input, first, last, 1);
}

void note_events(int64_t timeout_ms)
{
    struct engine_event event;

    while (engine_event(place.engine, &event, timeout_ms)) {
        size_t used = strlen(place.events);
        (void)snprintf(place.events + used, sizeof(place.events) - used, "%s %s\n", event.name,
                       event.text);
    }
}

enum engine_end wait_for_end(void)
{
    enum engine_end end = ENGINE_RUNNING;

    for (int step = 0; step < PLACE_LOOKS && end == ENGINE_RUNNING; step++) {
        note_events(20);
        end = engine_end(place.engine, &place.fault);
    }
    note_events(0);
    return end;
}

enum engine_end run(void)
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

uint64_t counted(uint8_t tally)
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
