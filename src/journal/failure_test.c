/* The disk says no: no space, or an error that is final. */
#include "test/disk_sim.h"
#include "test/journal_story.h"
#include "test/unit.h"

enum { EPOCHS = 14 };

static struct disk_sim sim;
static struct story story;

static int set_up(void **state)
{
    disk_sim_init(&sim);
    story_init(&story);
    story.disk = &sim.disk;
    story.settings.segment_size = 8 * DISK_BLOCK;
    return 0;
}

static int tear_down(void **state)
{
    story_free(&story);
    disk_sim_free(&sim);
    return 0;
}

static void start_anew(void)
{
    assert_int_equal(tear_down(NULL), 0);
    assert_int_equal(set_up(NULL), 0);
}

static void begin(uint64_t upto)
{
    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story_first(&story), DONE);
    assert_int_equal(story_seal_upto(&story, upto), DONE);
}

static void open_again(uint64_t damage)
{
    story_close(&story);
    disk_sim_restart(&sim, damage);
    assert_int_equal(story_open(&story), DONE);
}

/* One operation finds no space; asked again, all goes on. Nothing is lost, nothing is there twice.
 */
static void no_space_is_for_later(void **state)
{
    for (uint64_t at = 1; at < 60; at++) {
        for (int failure = DISK_SIM_NO_SPACE; failure <= DISK_SIM_SHORT; failure++) {
            start_anew();
            begin(1);
            disk_sim_fail_at(&sim, at, (enum disk_sim_failure)failure, false);
            while (story.journal.last_epoch < EPOCHS) {
                uint64_t before = story.journal.last_epoch;
                enum outcome outcome = story_seal(&story);
                assert_true(outcome == DONE || outcome == LATER);
                assert_true(outcome == DONE || story.fault.code == FAULT_DISK_SPACE);
                assert_int_equal(story.journal.last_epoch, before + (outcome == DONE ? 1 : 0));
            }
            open_again(DISK_SIM_ALL_LOST);
            assert_int_equal(story.journal.last_epoch, EPOCHS);
            assert_int_equal(story_first_wrong(&story, true), 0);
            story_close(&story);
        }
    }
}

static void while_space_is_short_nothing_changes(void **state)
{
    begin(3);
    disk_sim_fail_at(&sim, 1, DISK_SIM_NO_SPACE, true);
    for (int attempt = 0; attempt < 100; attempt++) {
        assert_int_equal(story_seal(&story), LATER);
    }
    assert_int_equal(story_first_wrong(&story, true), 0);
    disk_sim_fail_at(&sim, 1, DISK_SIM_GOOD, false);
    assert_int_equal(story_seal_upto(&story, EPOCHS), DONE);
    open_again(DISK_SIM_ALL_LOST);
    assert_int_equal(story.journal.last_epoch, EPOCHS);
    story_close(&story);
}

/* After a failed write or sync nothing more reaches the disk, and a restart finds what was sealed.
 */
static void an_error_is_final(void **state)
{
    for (uint64_t at = 1; at < 60; at++) {
        start_anew();
        begin(1);
        disk_sim_fail_at(&sim, at, DISK_SIM_EIO, false);
        enum outcome outcome = story_seal_upto(&story, EPOCHS);
        uint64_t sealed = story.journal.last_epoch;
        if (outcome == BROKEN) {
            uint64_t operations = sim.operations;
            assert_int_equal(story.fault.code, FAULT_JOURNAL_IO);
            assert_int_equal(story_seal(&story), BROKEN);
            assert_int_equal(journal_trim(&story.journal, sealed, 0, &story.fault), BROKEN);
            assert_int_equal(sim.operations, operations);
            assert_int_equal(story_first_wrong(&story, true), 0);
        }
        open_again(at % 7);
        assert_true(story.journal.last_epoch == sealed || story.journal.last_epoch == sealed + 1);
        assert_int_equal(story_first_wrong(&story, true), 0);
        story_close(&story);
    }
}

/* The read shows what the disk lacks; so what is kept is written anew before it counts. */
static void what_a_failed_sync_left_is_made_durable(void **state)
{
    begin(3);
    disk_sim_fail_at(&sim, 2, DISK_SIM_EIO, false);
    assert_int_equal(story_seal(&story), BROKEN);
    story_close(&story);
    disk_sim_reopen(&sim);
    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story.journal.last_epoch, 4);
    assert_int_equal(story_keep(&story, 4, 4), DONE);
    open_again(DISK_SIM_ALL_LOST);
    assert_int_equal(story.journal.last_epoch, 4);
    assert_int_equal(story_first_wrong(&story, true), 0);
    story_close(&story);
}

static void an_error_in_recovery_loses_nothing(void **state)
{
    for (uint64_t at = 1; at < 20; at++) {
        start_anew();
        begin(EPOCHS);
        story_close(&story);
        disk_sim_restart(&sim, DISK_SIM_ALL_LOST);
        assert_int_equal(story_open(&story), DONE);
        disk_sim_fail_at(&sim, at, DISK_SIM_EIO, false);
        enum outcome outcome = story_keep(&story, 3, EPOCHS);
        assert_int_equal(story.journal.ready, outcome == DONE);
        open_again(at % 5);
        assert_int_equal(story.journal.last_epoch, EPOCHS);
        assert_int_equal(story_first_wrong(&story, true), 0);
        assert_int_equal(story_keep(&story, 3, EPOCHS), DONE);
        assert_int_equal(story_seal(&story), DONE);
        story_close(&story);
    }
}

static void does_not_start_on_a_full_volume(void **state)
{
    assert_int_equal(story_open(&story), DONE);
    sim.free_bytes = JOURNAL_FREE_MIN - 1;
    assert_int_equal(story_first(&story), LATER);
    assert_int_equal(story.fault.code, FAULT_DISK_SPACE);
    assert_int_equal(sim.operations, 0);
    sim.free_bytes = JOURNAL_FREE_MIN;
    assert_int_equal(story_first(&story), DONE);
    assert_int_equal(story_seal(&story), DONE);
    open_again(DISK_SIM_ALL_LOST);
    sim.free_bytes = JOURNAL_FREE_MIN - 1;
    assert_int_equal(story_keep(&story, 1, 1), LATER);
    assert_int_equal(story.fault.code, FAULT_DISK_SPACE);
    assert_int_equal(sim.operations, 0);
    story_close(&story);
}

/* A start that finds no space has written nothing that counts; the next one may succeed. */
static void a_start_without_space_can_be_repeated(void **state)
{
    for (uint64_t at = 1; at < 12; at++) {
        start_anew();
        begin(5);
        open_again(DISK_SIM_ALL_LOST);
        disk_sim_fail_at(&sim, at, DISK_SIM_SHORT, false);
        enum outcome outcome = story_keep(&story, 2, 5);
        assert_true(outcome == DONE || outcome == LATER);
        if (outcome == LATER) {
            assert_int_equal(story_keep(&story, 2, 5), DONE);
        }
        assert_int_equal(story_seal(&story), DONE);
        open_again(DISK_SIM_ALL_LOST);
        assert_int_equal(story.journal.last_epoch, 6);
        assert_int_equal(story_first_wrong(&story, true), 0);
        story_close(&story);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_space_is_for_later),
        TEST(while_space_is_short_nothing_changes),
        TEST(an_error_is_final),
        TEST(what_a_failed_sync_left_is_made_durable),
        TEST(an_error_in_recovery_loses_nothing),
        TEST(does_not_start_on_a_full_volume),
        TEST(a_start_without_space_can_be_repeated),
    };
    return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
