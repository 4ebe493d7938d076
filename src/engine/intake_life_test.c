#include "test/intake_world.h"
#include "test/unit.h"

#include <stdlib.h>
#include <unistd.h>

static const struct fingerprint nothing;

static void what_breaks_is_told_behind_what_was_read_before(void **unused)
{
    struct intake_item item;
    size_t taken = 0;

    world_write(0, 5000, 1);
    world_open(1, 0, 1);
    world.files[0].cut_before = 2;
    world_start(2);
    for (item = world_take(); item.kind == INTAKE_MESSAGE; item = world_take()) {
        assert_int_equal(item.message->offset, ++taken);
    }
    assert_in_range(taken, 1000, 4000);
    assert_int_equal(item.kind, INTAKE_BROKEN);
    assert_int_equal(world.fault.code, FAULT_SOURCE_TRUNCATED);
    world.fault.code = FAULT_NONE;
    assert_int_equal(world_take().kind, INTAKE_BROKEN);
    assert_int_equal(world.fault.code, FAULT_SOURCE_TRUNCATED);
    world_stop();
}

/* Where each line of the file ends. */
static void read_ends(struct source *file, uint64_t *ret_ends, size_t count)
{
    static uint8_t bytes[SOURCE_BLOCK_MIN];
    static struct source_line lines[1000];
    struct source_block block = {.bytes = bytes,
                                 .capacity = sizeof(bytes),
                                 .target = sizeof(bytes),
                                 .lines = lines,
                                 .line_capacity = 1000};

    assert_int_equal(source_assign(file, 1, &nothing, &world.fault), DONE);
    assert_int_equal(source_read(file, &block, &world.fault), DONE);
    assert_int_equal(block.line_count, count);
    for (size_t line = 0; line < count; line++) {
        ret_ends[line] = lines[line].end;
    }
}

/* The fingerprint is of this line, which ends there, and a reader goes on behind it. */
static void expect_fingerprint(struct source *again, uint64_t offset, uint64_t end)
{
    struct fingerprint fingerprint;
    uint64_t position;

    assert_true(intake_fingerprint(world.intake, world.files[0].number, &fingerprint));
    memcpy(&position, fingerprint.bytes, sizeof(position));
    assert_int_equal(position, end);
    assert_int_equal(source_assign(again, offset + 1, &fingerprint, &world.fault), DONE);
}

static void a_restart_goes_on_behind_any_message(void **unused)
{
    struct fingerprint fingerprint;
    struct intake_item item;
    uint64_t ends[300];
    char path[100];

    world_write(0, 300, 5);
    world_path(0, path);
    struct source *again = malloc(source_file.size);
    assert_int_equal(source_open(again, &source_file, path, &world.fault), DONE);
    read_ends(again, ends, 300);
    world_open(1, 20, 9);
    world_start(2);
    assert_false(intake_fingerprint(world.intake, world.files[0].number, &fingerprint));
    assert_false(
        intake_fingerprint(world.intake, (uint16_t)(world.files[0].number + 1), &fingerprint));
    for (item = world_take(); item.kind == INTAKE_MESSAGE; item = world_take()) {
        expect_fingerprint(again, item.message->offset, ends[item.message->offset - 1]);
    }
    assert_int_equal(item.kind, INTAKE_ENDED);
    expect_fingerprint(again, 300, ends[299]);
    world_stop();
    source_close(again);
    free(again);
}

static void expect_long_text(const struct message *message)
{
    struct span device = message->payment.carry[3];

    assert_int_equal(message->refusal.reason, REFUSAL_NONE);
    assert_int_equal(device.size, 4000);
    assert_memory_equal(device.at, "AAx", 3);
}

/* What does not stand in the message as it is needs memory of its own, and that is used again. */
static void texts_with_escapes_are_whole_however_many_come(void **unused)
{
    char path[100];
    char text[4000];

    memset(text, 'x', sizeof(text));
    world_path(0, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (unsigned line = 0; line < 3000; line++) {
        (void)fprintf(file,
                      "{\"transaction_id\":\"t-%u\",\"event_time\":1790000000000,"
                      "\"sender\":\"a\",\"receiver\":\"b\",\"amount\":\"1.50\","
                      "\"currency\":\"EUR\",\"device_id\":\"\\u0041\\u0041%.*s\"}\n",
                      line, 3998, text);
    }
    assert_int_equal(fclose(file), 0);
    world_open(1, 0, 1);
    world_start(2);
    for (unsigned line = 0; line < 3000; line++) {
        expect_long_text(world_take().message);
    }
    assert_int_equal(world_take().kind, INTAKE_ENDED);
    world_stop();
}

static void a_message_says_how_long_it_was_and_when_it_came(void **unused)
{
    int64_t before_ms = clock_wall_ms(&clock_real);
    char path[100];

    world_path(0, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "short\n%070000d\n", 1);
    assert_int_equal(fclose(file), 0);
    world_open(1, 0, 1);
    world_start(1);
    const struct message *message = world_take().message;
    assert_int_equal(message->size, 5);
    assert_in_range(message->arrival_ms, before_ms, clock_wall_ms(&clock_real));
    message = world_take().message;
    assert_int_equal(message->size, 70000);
    assert_int_equal(message->raw.size, MESSAGE_SIZE_MAX + 1);
    assert_int_equal(message->refusal.reason, REFUSAL_SIZE);
    world_stop();
}

/* With one source, what is shown ahead is what comes. */
static void shows_what_comes_ahead_of_its_turn(void **unused)
{
    struct intake_item item;
    const struct message *shown[4] = {NULL};
    size_t right = 0;

    world_write(0, 5000, 1);
    world_open(1, 0, 1);
    world_start(1);
    assert_null(intake_ahead(world.intake, 1));
    for (item = world_take(); item.kind == INTAKE_MESSAGE; item = world_take()) {
        const struct message *expected = shown[item.message->offset % 4];
        assert_true(expected == NULL || expected == item.message);
        right += expected == item.message ? 1 : 0;
        shown[(item.message->offset + 3) % 4] = intake_ahead(world.intake, 3);
    }
    assert_true(right > 4500);
    world_stop();
}

static void stops_in_the_middle_of_anything(void **unused)
{
    for (size_t file = 0; file < 8; file++) {
        world_write(file, 3000, (unsigned)file + 1);
    }
    for (unsigned count = 0; count < 60; count++) {
        world_open(count % 8 + 1, count % 2 * 200, count);
        world_start(count % 4 + 1);
        for (unsigned taken = 0; taken < count * 20; taken++) {
            (void)world_take();
        }
        (void)usleep(count * 10);
        world_stop();
    }
}

/* Standard input, idle and then not. */
static void an_idle_pipe_gives_nothing_and_can_be_stopped(void **unused)
{
    struct intake_item item;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    world_open_stdin();
    world_start(2);
    intake_next(world.intake, world.state, &item, &world.fault);
    assert_int_equal(item.kind, INTAKE_NOTHING);
    intake_wait(world.intake, 1000000);
    intake_next(world.intake, world.state, &item, &world.fault);
    assert_int_equal(item.kind, INTAKE_NOTHING);
    assert_int_equal(write(ends[1], "one\ntw", 6), 6);
    item = world_take();
    assert_int_equal(item.kind, INTAKE_MESSAGE);
    assert_int_equal(item.message->size, 3);
    intake_next(world.intake, world.state, &item, &world.fault);
    assert_int_equal(item.kind, INTAKE_NOTHING);
    assert_int_equal(write(ends[1], "o\n", 2), 2);
    assert_int_equal(world_take().message->offset, 2);
    world_stop();
    (void)close(ends[0]);
    (void)close(ends[1]);
}

#define TEST(name) cmocka_unit_test_teardown(name, world_clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_breaks_is_told_behind_what_was_read_before),
        TEST(a_restart_goes_on_behind_any_message),
        TEST(texts_with_escapes_are_whole_however_many_come),
        TEST(a_message_says_how_long_it_was_and_when_it_came),
        TEST(shows_what_comes_ahead_of_its_turn),
        TEST(stops_in_the_middle_of_anything),
        TEST(an_idle_pipe_gives_nothing_and_can_be_stopped),
    };

    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
