/*
 * The plug is pulled at every disk operation of the journal, with SQLite as the ledger: what it
 * committed is there, as it would be. Rows are compared with those of an undisturbed run.
 */
#include "test/sim/story.h"
#include "test/unit.h"

#include <stdlib.h>
#include <unistd.h>

static const struct world_message messages[] = {
    {0, "a", 10, 100, "USD", "EU", false},         {0, "b", 11, 250, "EUR", "EU", false},
    {0, "a", 10, 100, "USD", "EU", false},         {0, NULL, 0, 0, "", NULL, false},
    {0, "b", 12, 999, "EUR", "EU", false},         {0, "far", 200000, 100, "USD", "US", false},
    {0, "c", 3800, 100, "USD", "US", false},       {0, "late", 200, 100, "USD", "US", false},
    {0, "late too", 199, 100, "USD", NULL, false}, {0, "out", 3801, 100, "USD", "US", true},
    {0, "c", 3805, 100, "USD", "US", false},       {0, "d", 3900, 300, "USD", "EU", false},
};

static const char *const stories[] = {
    "A start | A take 5 | A seal | A deliver | A take 3 | A seal | A take 2 | A seal | A deliver",
    "A start | A take 5 | A seal | A deliver | A take 3 | A seal | A lose | A start | A take 4"
    "| A seal | A deliver",
};

enum { DRAWN_SIZE_MAX = 64 * 1024 };

static struct world world;
static char directory[64];
static uint8_t golden[DRAWN_SIZE_MAX];
static size_t golden_size;

static void begin(void)
{
    const struct sink_type *type = sink_type_named("sqlite");
    struct world_setting setting = {.messages = messages,
                                    .message_count = sizeof(messages) / sizeof(messages[0]),
                                    .per_epoch = 3,
                                    .segment_size = 16384,
                                    .keep_s = 3600,
                                    .retention_s = 3600};
    struct instance *instance = &world.instances[0];
    struct sink_settings *sink = &instance->settings.sinks[0];
    static void *memory[2];
    char command[128];

    world_init(&world, &setting);
    (void)snprintf(command, sizeof(command), "rm -f %s/*", directory);
    assert_int_equal(system(command), 0);
    for (size_t index = 0; index < 2; index++) {
        memory[index] = memory[index] == NULL ? malloc(type->size) : memory[index];
        assert_non_null(memory[index]);
    }
    instance->real_ledger = memory[0];
    instance->real_reader = memory[1];
    instance->settings.sink_types[0] = type;
    (void)snprintf(sink->path, sizeof(sink->path), "%s/payments.db", directory);
    sink->carry_count = instance->settings.parse.carry.count;
    memcpy(sink->carry, instance->settings.parse.carry.names, sizeof(sink->carry));
}

/* All rows but the metrics' versions, one behind the other. */
static size_t draw_rows(uint8_t *to)
{
    struct sink *ledger = world.instances[0].real_ledger;
    size_t size = 0;
    struct fault fault;
    struct row row;
    uint64_t epoch;
    int64_t decided_ms;

    for (enum table table = 0; table < TABLE_METRICS; table++) {
        for (uint64_t seq = 1;
             sink_read_row(ledger, table, seq, &row, &epoch, &decided_ms, &fault) == DONE; seq++) {
            assert_true(size + 4096 < DRAWN_SIZE_MAX);
            size += row_write(&row, to + size);
        }
    }
    return size;
}

static void recover_and_finish(uint8_t *to, size_t *ret_size)
{
    struct instance *instance = &world.instances[0];
    struct fault fault;

    world.fuse = 0;
    instance_kill(&world, instance);
    if (instance_start(&world, instance, &fault) != DONE ||
        instance_finish(&world, instance, &fault) != DONE) {
        fail_msg("%s", fault.text);
    }
    *ret_size = draw_rows(to);
}

static bool tell(const char *story)
{
    struct fault fault;

    if (!story_run(&world, story, &fault)) {
        fail_msg("%s", fault.text);
    }
    return world.instances[0].disk.dead;
}

static void sqlite_holds_every_payment_once_wherever_the_power_goes(void **state)
{
    static uint8_t drawn[DRAWN_SIZE_MAX];
    size_t size;

    for (size_t index = 0; index < sizeof(stories) / sizeof(stories[0]); index++) {
        begin();
        assert_false(tell(stories[index]));
        recover_and_finish(golden, &golden_size);
        assert_true(golden_size > 0);
        for (uint64_t operation = 1;; operation++) {
            begin();
            world.fuse = operation;
            world_burn_on(&world, &world.instances[0]);
            if (!tell(stories[index])) {
                break;
            }
            instance_kill(&world, &world.instances[0]);
            disk_sim_restart(&world.instances[0].disk, operation);
            recover_and_finish(drawn, &size);
            assert_int_equal(size, golden_size);
            assert_memory_equal(drawn, golden, size);
        }
    }
    world_free(&world);
}

static int make_directory(void **state)
{
    (void)snprintf(directory, sizeof(directory), "/tmp/payonce-cut-XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqlite_holds_every_payment_once_wherever_the_power_goes),
    };
    return cmocka_run_group_tests_name("power_cut_sqlite", tests, make_directory, remove_directory);
}
