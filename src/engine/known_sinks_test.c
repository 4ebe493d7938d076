#include "engine/known_sinks.h"

#include "test/disk_sim.h"
#include "test/unit.h"

static struct disk_sim disk;
static struct fault fault;
static const struct sink_type kind = {.name = "sqlite"};
static const struct sink_type other_kind = {.name = "kafka"};

static struct sink_settings named(const char *name, const char *path)
{
    struct sink_settings settings = {.name = ""};

    (void)snprintf(settings.name, sizeof(settings.name), "%s", name);
    (void)snprintf(settings.path, sizeof(settings.path), "%s", path);
    return settings;
}

static void write_two(void)
{
    struct known_sinks known = {.count = 0};
    struct sink_settings first = named("copy", "a.db");
    struct sink_settings second = named("stream", "");

    disk_sim_init(&disk);
    known_sinks_add(&known, &kind, &first, 7);
    known_sinks_add(&known, &other_kind, &second, 9);
    assert_int_equal(known_sinks_write(&disk.disk, &known, &fault), DONE);
}

static void knows_none_where_there_is_no_file(void **state)
{
    struct known_sinks known;

    disk_sim_init(&disk);
    assert_int_equal(known_sinks_read(&disk.disk, &known, &fault), DONE);
    assert_int_equal(known.count, 0);
    disk_sim_free(&disk);
}

static void finds_a_sink_by_name_kind_and_path(void **state)
{
    struct sink_settings same = named("copy", "a.db");
    struct sink_settings moved = named("copy", "b.db");
    struct sink_settings renamed = named("other", "a.db");
    struct known_sinks known;

    write_two();
    assert_int_equal(known_sinks_read(&disk.disk, &known, &fault), DONE);
    assert_int_equal(known.count, 2);
    assert_int_equal(known_sinks_find(&known, &kind, &same)->epoch, 7);
    assert_null(known_sinks_find(&known, &other_kind, &same));
    assert_null(known_sinks_find(&known, &kind, &moved));
    assert_null(known_sinks_find(&known, &kind, &renamed));
    disk_sim_free(&disk);
}

static void a_power_cut_leaves_the_old_or_the_new(void **state)
{
    bool gone = true;

    for (uint64_t operation = 1; gone; operation++) {
        struct known_sinks known = {.count = 0};
        struct sink_settings only = named("copy", "a.db");
        write_two();
        known_sinks_add(&known, &kind, &only, 8);
        disk_sim_cut_at(&disk, disk.operations + operation, DISK_SIM_HALF);
        gone = known_sinks_write(&disk.disk, &known, &fault) != DONE;
        if (gone) {
            disk_sim_restart(&disk, operation);
        }
        assert_int_equal(known_sinks_read(&disk.disk, &known, &fault), DONE);
        assert_true((known.count == 2 && known.sinks[0].epoch == 7) ||
                    (known.count == 1 && known.sinks[0].epoch == 8));
        disk_sim_free(&disk);
    }
}

static void refuses_a_damaged_file(void **state)
{
    struct known_sinks known;
    disk_file file;
    uint8_t byte = 0x55;

    for (uint64_t at = 0; at < 16 + 2 * 1144; at += 13) {
        write_two();
        assert_int_equal(disk_open(&disk.disk, "sinks", false, &file, &fault), DONE);
        assert_int_equal(disk_write(&disk.disk, file, at, (struct span){&byte, 1}, &fault), DONE);
        disk_close(&disk.disk, file);
        assert_int_equal(known_sinks_read(&disk.disk, &known, &fault), BROKEN);
        assert_int_equal(fault.code, FAULT_JOURNAL_CORRUPT);
        disk_sim_free(&disk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_none_where_there_is_no_file),
        cmocka_unit_test(finds_a_sink_by_name_kind_and_path),
        cmocka_unit_test(a_power_cut_leaves_the_old_or_the_new),
        cmocka_unit_test(refuses_a_damaged_file),
    };
    return cmocka_run_group_tests_name("known_sinks", tests, NULL, NULL);
}
