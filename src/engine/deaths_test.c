#include "engine/deaths.h"
#include "test/disk_sim.h"
#include "test/unit.h"

static struct disk_sim disk;
static struct deaths deaths;
static struct fault fault;

static int set_up(void **state)
{
    disk_sim_free(&disk);
    disk_sim_init(&disk);
    return 0;
}

static int tear_down(void **state)
{
    disk_sim_free(&disk);
    return 0;
}

/* A start that reads from here; the process then dies. */
static void start_and_die(const char *places)
{
    assert_int_equal(deaths_open(&deaths, &disk.disk, &fault), DONE);
    assert_int_equal(deaths_mark(&deaths, places, &fault), DONE);
    disk_sim_reopen(&disk);
}

static void three_in_a_row_are_poison_and_say_where(void **state)
{
    start_and_die("one.jsonl from 5 on");
    start_and_die("one.jsonl from 5 on");
    start_and_die("one.jsonl from 7 on");
    assert_int_equal(deaths_open(&deaths, &disk.disk, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_POISON);
    assert_string_equal(fault.text, "3 starts in a row died before anything they read was sealed; "
                                    "they read one.jsonl from 7 on");
}

static void a_seal_in_between_forgives_all(void **state)
{
    start_and_die("x");
    start_and_die("x");
    assert_int_equal(deaths_open(&deaths, &disk.disk, &fault), DONE);
    assert_int_equal(deaths_mark(&deaths, "x", &fault), DONE);
    assert_int_equal(deaths_clear(&deaths, &fault), DONE);
    start_and_die("x");
    start_and_die("x");
    assert_int_equal(deaths_open(&deaths, &disk.disk, &fault), DONE);
    assert_int_equal(deaths.count, 2);
}

static void a_start_that_reads_nothing_does_not_count(void **state)
{
    for (int start = 0; start < 5; start++) {
        assert_int_equal(deaths_open(&deaths, &disk.disk, &fault), DONE);
        assert_int_equal(deaths_clear(&deaths, &fault), DONE);
    }
    assert_int_equal(deaths.count, 0);
}

static void a_long_list_of_places_is_cut(void **state)
{
    char places[4 * DEATHS_PLACES_SIZE];

    memset(places, 'x', sizeof(places) - 1);
    places[sizeof(places) - 1] = '\0';
    start_and_die(places);
    start_and_die(places);
    start_and_die(places);
    assert_int_equal(deaths_open(&deaths, &disk.disk, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_POISON);
}

#define WITH_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DISK(three_in_a_row_are_poison_and_say_where),
        WITH_DISK(a_seal_in_between_forgives_all),
        WITH_DISK(a_start_that_reads_nothing_does_not_count),
        WITH_DISK(a_long_list_of_places_is_cut),
    };
    return cmocka_run_group_tests_name("deaths", tests, NULL, NULL);
}
