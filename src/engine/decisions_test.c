#include "engine/decisions.h"
#include "test/disk_sim.h"
#include "test/unit.h"

#include <stdio.h>

static struct disk_sim disk;
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

static struct decided gap(uint64_t id)
{
    return (struct decided){.kind = RULING_GAP,
                            .topic = "payments",
                            .partition = 1,
                            .first = 10,
                            .last = 19,
                            .by = "Eve",
                            .why = "old",
                            .id = id};
}

static uint64_t add(uint64_t id)
{
    struct decided decided = gap(id);
    uint64_t number = 0;

    assert_int_equal(decisions_add(&disk.disk, &decided, &number, &fault), DONE);
    return number;
}

static enum decisions_fate fate(uint64_t number, char ret_why[DECISIONS_WHY_SIZE])
{
    enum decisions_fate fate = DECISION_WAITS;

    assert_int_equal(decisions_fate(&disk.disk, number, &fate, ret_why, &fault), DONE);
    return fate;
}

static void write_file(const char *name, struct span bytes)
{
    assert_int_equal(disk_replace(&disk.disk, name, "other", bytes, &fault), DONE);
}

static void they_are_numbered_and_listed_in_order(void **state)
{
    uint64_t numbers[DECISIONS_MAX];
    struct decided decided;
    size_t count;

    for (uint64_t id = 1; id <= 12; id++) {
        assert_int_equal(add(id), id);
    }
    assert_int_equal(decisions_remove(&disk.disk, 3, &fault), DONE);
    write_file("07.json", (struct span){"", 0});
    write_file("7.json.bak", (struct span){"", 0});
    write_file("lock", (struct span){"", 0});
    assert_int_equal(decisions_list(&disk.disk, numbers, &count, &fault), DONE);
    assert_int_equal(count, 11);
    for (size_t index = 0; index < count; index++) {
        assert_int_equal(numbers[index], index < 2 ? index + 1 : index + 2);
        assert_int_equal(decisions_load(&disk.disk, numbers[index], &decided, &fault), DONE);
        assert_true(decided.id == numbers[index]);
    }
}

static void of_too_many_the_first_are_listed(void **state)
{
    uint64_t numbers[DECISIONS_MAX];
    char name[DISK_NAME_MAX];
    size_t count;

    for (int number = 60; number > 0; number--) { /* As many files as the disk has, nearly. */
        (void)snprintf(name, sizeof(name), "%d.json", number * 1000);
        write_file(name, (struct span){"", 0});
    }
    assert_int_equal(decisions_list(&disk.disk, numbers, &count, &fault), DONE);
    assert_int_equal(count, 60);
    for (size_t index = 0; index < count; index++) {
        assert_int_equal(numbers[index], (index + 1) * 1000);
    }
}

static void a_refused_one_says_why_and_keeps_what_was_written(void **state)
{
    char why[DECISIONS_WHY_SIZE];
    char text[2 * DECIDED_SIZE_MAX];
    char written[DECIDED_SIZE_MAX];
    struct decided decided = gap(7);
    size_t size = decided_write(&decided, written);
    size_t read = 0;

    assert_int_equal(add(7), 1);
    assert_int_equal(fate(1, why), DECISION_WAITS);
    assert_int_equal(decisions_refuse(&disk.disk, 1, "nothing is\nmissing", &fault), DONE);
    assert_int_equal(fate(1, why), DECISION_REFUSED);
    assert_string_equal(why, "nothing is");
    assert_int_equal(disk_read_whole(&disk.disk, "1.refused", text, sizeof(text), &read, &fault),
                     DONE);
    assert_true(read > size);
    assert_memory_equal(text, written, size);
    assert_int_equal(add(8), 2);
    assert_int_equal(fate(3, why), DECISION_SEALED);
}

static void a_long_reason_is_cut(void **state)
{
    char why[DECISIONS_WHY_SIZE];
    char longest[2 * DECISIONS_WHY_SIZE];

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    (void)add(1);
    assert_int_equal(decisions_refuse(&disk.disk, 1, longest, &fault), DONE);
    assert_int_equal(fate(1, why), DECISION_REFUSED);
    assert_int_equal(strlen(why), DECISIONS_WHY_SIZE - 1);
}

static void what_cannot_be_read_again_is_not_added(void **state)
{
    struct decided decided = gap(1);
    uint64_t number = 0;

    decided.by[0] = (char)0xff;
    assert_int_equal(decisions_add(&disk.disk, &decided, &number, &fault), REFUSED);
    assert_non_null(strstr(fault.text, "JSON is broken"));
    decided = gap(1);
    decided.why[1] = '\n';
    assert_int_equal(decisions_add(&disk.disk, &decided, &number, &fault), REFUSED);
}

static void a_file_that_is_too_large_is_no_decision(void **state)
{
    static char large[3 * DECIDED_SIZE_MAX];
    struct decided decided;
    char why[DECISIONS_WHY_SIZE];

    memset(large, ' ', sizeof(large));
    write_file("4.json", (struct span){large, sizeof(large)});
    assert_int_equal(decisions_load(&disk.disk, 4, &decided, &fault), REFUSED);
    assert_int_equal(decisions_refuse(&disk.disk, 4, fault.text, &fault), DONE);
    assert_int_equal(fate(4, why), DECISION_REFUSED);
    assert_non_null(strstr(why, "too large"));
    assert_int_equal(decisions_load(&disk.disk, 5, &decided, &fault), LATER);
}

static void the_sum_tells_whether_others_wait(void **state)
{
    uint64_t sums[4];

    assert_int_equal(decisions_sum(&disk.disk, &sums[0], &fault), DONE);
    assert_true(sums[0] == 0);
    (void)add(1);
    assert_int_equal(decisions_sum(&disk.disk, &sums[1], &fault), DONE);
    assert_true(sums[1] != 0);
    assert_int_equal(decisions_sum(&disk.disk, &sums[2], &fault), DONE);
    assert_true(sums[2] == sums[1]);
    assert_int_equal(decisions_remove(&disk.disk, 1, &fault), DONE);
    (void)add(2);
    assert_int_equal(decisions_sum(&disk.disk, &sums[3], &fault), DONE);
    assert_true(sums[3] != 0 && sums[3] != sums[1]);
}

/* The power goes at every operation: it is there whole, or not there. */
static void a_power_cut_leaves_a_decision_whole_or_none(void **state)
{
    const struct decided written = gap(5);
    static struct disk_sim before;
    bool done = false;

    disk_sim_init(&before);
    for (uint64_t damage = 0; damage < 8; damage++) {
        done = false;
        for (uint64_t fuse = 1; !done; fuse++) {
            struct decided decided;
            uint64_t number;
            disk_sim_copy(&disk, &before);
            disk_sim_cut_at(&disk, fuse, DISK_SIM_HALF);
            done = decisions_add(&disk.disk, &written, &number, &fault) == DONE;
            disk_sim_restart(&disk, damage);
            enum outcome outcome = decisions_load(&disk.disk, 1, &decided, &fault);
            assert_true(outcome == DONE || (outcome == LATER && !done));
            assert_true(outcome == LATER || memcmp(&decided, &written, sizeof(decided)) == 0);
        }
    }
    disk_sim_free(&before);
}

/* Under one name or the other, what was written stands at the front. */
static void a_power_cut_in_a_refusal_loses_nothing(void **state)
{
    static struct disk_sim before;
    struct decided decided = gap(5);
    char written[DECIDED_SIZE_MAX];
    size_t size = decided_write(&decided, written);
    uint64_t number;
    bool done = false;

    disk_sim_init(&before);
    assert_int_equal(decisions_add(&before.disk, &decided, &number, &fault), DONE);
    for (uint64_t damage = 0; damage < 8; damage++) {
        done = false;
        for (uint64_t fuse = 1; !done; fuse++) {
            char text[2 * DECIDED_SIZE_MAX];
            size_t read = 0;
            disk_sim_copy(&disk, &before);
            disk_sim_cut_at(&disk, fuse, DISK_SIM_HALF);
            done = decisions_refuse(&disk.disk, 1, "no", &fault) == DONE;
            disk_sim_restart(&disk, damage);
            enum outcome outcome =
                disk_read_whole(&disk.disk, "1.json", text, sizeof(text), &read, &fault);
            if (outcome == LATER) {
                outcome =
                    disk_read_whole(&disk.disk, "1.refused", text, sizeof(text), &read, &fault);
            } else {
                assert_false(done);
            }
            assert_int_equal(outcome, DONE);
            assert_true(read >= size);
            assert_memory_equal(text, written, size);
        }
    }
    disk_sim_free(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_are_numbered_and_listed_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_too_many_the_first_are_listed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_one_says_why_and_keeps_what_was_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_long_reason_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_again_is_not_added, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_too_large_is_no_decision, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_sum_tells_whether_others_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_power_cut_leaves_a_decision_whole_or_none, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_power_cut_in_a_refusal_loses_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
