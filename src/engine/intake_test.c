#include "test/intake_world.h"
#include "test/unit.h"

#include <stdlib.h>

/* The order the rules ask for, by looking at every file before each message. */
struct model {
    size_t taken[WORLD_FILES_MAX];
    int64_t newest[WORLD_FILES_MAX];
    bool ended[WORLD_FILES_MAX];
};

static size_t model_next(const struct model *model)
{
    size_t found = world.file_count;

    for (size_t file = 0; file < world.file_count; file++) {
        if (!model->ended[file] &&
            (found == world.file_count || model->newest[file] < model->newest[found])) {
            found = file;
        }
    }
    return found;
}

static void expect_end(struct model *model, size_t file)
{
    struct intake_item item = world_take();

    assert_int_equal(item.kind, INTAKE_ENDED);
    assert_int_equal(item.source, world.files[file].number);
    model->ended[file] = true;
}

static void expect_message(struct model *model, size_t file)
{
    struct intake_item item = world_take();
    int64_t event_ms = world.files[file].event_ms[model->taken[file]++];

    assert_int_equal(item.kind, INTAKE_MESSAGE);
    assert_int_equal(item.source, world.files[file].number);
    assert_int_equal(item.message->source, world.files[file].number);
    assert_int_equal(item.message->offset, model->taken[file]);
    if (event_ms == INSTANT_NONE) {
        assert_int_not_equal(item.message->refusal.reason, REFUSAL_NONE);
    } else {
        assert_int_equal(item.message->payment.event_ms, event_ms);
        model->newest[file] = event_ms > model->newest[file] ? event_ms : model->newest[file];
    }
}

static void expect_the_order_of_the_model(void)
{
    struct model model = {.taken = {0}};

    for (size_t file = 0; file < world.file_count; file++) {
        model.newest[file] = INSTANT_NONE;
        if (world.files[file].line_count == 0) {
            expect_end(&model, file);
        }
    }
    for (size_t file = model_next(&model); file < world.file_count; file = model_next(&model)) {
        expect_message(&model, file);
        if (model.taken[file] == world.files[file].line_count) {
            expect_end(&model, file);
        }
    }
    assert_int_equal(world_take().kind, INTAKE_FINISHED);
    assert_int_equal(world_take().kind, INTAKE_FINISHED);
}

static void run_random(size_t files, size_t lines_max, unsigned delay_us, unsigned seed)
{
    for (size_t file = 0; file < files; file++) {
        world_write(file, (size_t)rand_r(&seed) % lines_max, seed + (unsigned)file);
    }
    for (unsigned thread_count = 1; thread_count <= 4; thread_count += 3) {
        world_open(files, delay_us, seed + thread_count);
        world_start(thread_count);
        expect_the_order_of_the_model();
        world_stop();
    }
    (void)world_clear(NULL);
}

static void files_are_merged_as_the_rules_say_whatever_the_threads_do(void **unused)
{
    for (unsigned seed = 1; seed <= 12; seed++) {
        run_random(seed % 6 + 1, 120, 100, seed);
    }
}

static void many_files_are_merged_the_same_way(void **unused)
{
    run_random(WORLD_FILES_MAX, 30, 50, 7);
    run_random(40, 2000, 0, 8);
}

static void one_file_comes_whole_and_in_order(void **unused)
{
    run_random(1, 60000, 0, 3);
}

static void a_file_without_lines_ends_before_anything_is_taken(void **unused)
{
    world_write(0, 3, 1);
    world_write(1, 0, 1);
    world_write(2, 2, 1);
    world_write(3, 0, 1);
    world_open(4, 0, 1);
    world_start(2);
    expect_the_order_of_the_model();
    world_stop();
}

/* One value that is the id, both accounts and carried, and has an escape: four copies of it. */
static void write_copied_values(size_t line_count)
{
    struct world_file *known = &world.files[0];
    char path[100];

    world_path(0, path);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    known->event_ms = calloc(line_count, sizeof(int64_t));
    assert_non_null(known->event_ms);
    known->line_count = line_count;
    for (size_t line = 0; line < line_count; line++) {
        known->event_ms[line] = (INT64_C(1772000000) + (int64_t)line) * 1000;
        (void)fprintf(
            stream, "{\"a\":\"%0127zu\\/\",\"amount\":1,\"currency\":\"EUR\",\"timestamp\":%lld}\n",
            line, (long long)(known->event_ms[line] / 1000));
    }
    assert_int_equal(fclose(stream), 0);
}

static void a_block_has_room_for_values_that_are_copied_more_than_once(void **unused)
{
    struct parse_settings settings;

    parse_settings_default(&settings);
    for (int field = PARSE_ID; field <= PARSE_RECEIVER; field++) {
        if (field != PARSE_EVENT_TIME) {
            settings.fields[field].count = 1;
            memcpy(settings.fields[field].names[0], "a", 2);
        }
    }
    settings.carry.count = 1;
    memcpy(settings.carry.names[0], "a", 2);
    world_parse_by(&settings);
    write_copied_values(5000);
    world_open(1, 0, 1);
    world_start(1);
    expect_the_order_of_the_model();
    world_stop();
}

#define TEST(name) cmocka_unit_test_teardown(name, world_clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_merged_as_the_rules_say_whatever_the_threads_do),
        TEST(many_files_are_merged_the_same_way),
        TEST(one_file_comes_whole_and_in_order),
        TEST(a_file_without_lines_ends_before_anything_is_taken),
        TEST(a_block_has_room_for_values_that_are_copied_more_than_once),
    };

    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
