#include "journal/segment.h"
#include "test/disk_sim.h"
#include "test/journal_story.h"
#include "test/unit.h"

static struct disk_sim sim;
static struct story story;

static int set_up(void **state)
{
    disk_sim_init(&sim);
    story_init(&story);
    story.disk = &sim.disk;
    return 0;
}

static int tear_down(void **state)
{
    story_close(&story);
    story_free(&story);
    disk_sim_free(&sim);
    return 0;
}

static void begin(uint64_t upto)
{
    assert_int_equal(story_open(&story), DONE);
    assert_true(story.journal.empty);
    assert_int_equal(story_first(&story), DONE);
    assert_int_equal(story_seal_upto(&story, upto), DONE);
}

static void open_again(void)
{
    story_close(&story);
    disk_sim_reopen(&sim);
    assert_int_equal(story_open(&story), DONE);
}

static void trims_only_what_nobody_needs(void **state)
{
    struct epoch snapshot;

    story.settings.keep_ms = 10000;
    begin(60);
    uint64_t segments = story.journal.segment_count;
    assert_int_equal(journal_trim(&story.journal, 1, INT64_MAX, &story.fault), DONE);
    assert_int_equal(story.journal.segment_count, segments);
    /* Not needed, but young: the first segment was left at about 14 s. */
    assert_int_equal(journal_trim(&story.journal, 60, 20000, &story.fault), DONE);
    assert_int_equal(story.journal.segment_count, segments);
    for (uint64_t needed = 1; needed <= 60; needed++) {
        assert_int_equal(journal_trim(&story.journal, needed, INT64_MAX, &story.fault), DONE);
        assert_true(story.journal.first_epoch <= needed);
        assert_true(needed - story.journal.first_epoch < 20);
        assert_int_equal(
            journal_snapshot(&story.journal, needed, &story.place, &snapshot, &story.fault), DONE);
        assert_true(snapshot.number < needed);
    }
    assert_int_equal(story.journal.segment_count, 1);
    open_again();
    assert_true(story.journal.first_epoch > 40);
    assert_int_equal(story_first_wrong(&story, true), 0);
}

static void keeps_by_age_and_less_when_there_is_too_much(void **state)
{
    story.settings.keep_ms = 30000;
    begin(60);
    uint64_t segments = story.journal.segment_count;
    assert_int_equal(journal_trim(&story.journal, 60, 50000, &story.fault), DONE);
    assert_true(story.journal.segment_count < segments);
    assert_true(story.journal.first_epoch <= 20); /* Sealed at 20 s: just 30 s old. */
    assert_true(story.journal.first_epoch > 5);
    story.journal.settings.max_bytes = 2 * STORY_SEGMENT;
    assert_int_equal(journal_trim(&story.journal, 60, 0, &story.fault), DONE);
    assert_int_equal(story.journal.segment_count, 2);
    story.journal.settings.max_bytes = 1;
    assert_int_equal(journal_trim(&story.journal, 60, 0, &story.fault), DONE);
    assert_int_equal(story.journal.segment_count, 1);
}

/* A fresh segment after a recovery has a snapshot that is newer than its first frames. */
static void trims_nothing_that_only_an_older_snapshot_covers(void **state)
{
    struct epoch snapshot;

    begin(12);
    open_again();
    assert_int_equal(story_keep(&story, 11, 12), DONE);
    assert_int_equal(journal_trim(&story.journal, 12, INT64_MAX, &story.fault), DONE);
    assert_int_equal(journal_snapshot(&story.journal, 12, &story.place, &snapshot, &story.fault),
                     DONE);
    assert_true(snapshot.number < 12);
}

static size_t file_count(void)
{
    char name[DISK_NAME_MAX];
    size_t files = 0;

    while (disk_list(&sim.disk, files, name, &story.fault) == DONE) {
        files++;
    }
    return files;
}

static void let_go_files_are_used_again_and_surplus_ones_removed(void **state)
{
    begin(150);
    assert_int_equal(journal_trim(&story.journal, 150, INT64_MAX, &story.fault), DONE);
    assert_int_equal(file_count(), 1 + JOURNAL_SPARES_MAX);
    assert_int_equal(story.journal.bytes, STORY_SEGMENT);
    assert_int_equal(story_seal_upto(&story, 180), DONE);
    assert_int_equal(story_first_wrong(&story, true), 0);
}

/* What was let go is used again: no name may lead there any more, if one could not be. */
static void a_trim_that_found_no_space_is_safe_from_power_cuts(void **state)
{
    for (uint64_t fuse = 1; fuse < 30; fuse++) {
        assert_int_equal(tear_down(NULL), 0);
        assert_int_equal(set_up(NULL), 0);
        begin(60);
        disk_sim_fail_at(&sim, 2, DISK_SIM_NO_SPACE, false);
        assert_int_equal(journal_trim(&story.journal, 60, INT64_MAX, &story.fault), LATER);
        disk_sim_cut_at(&sim, fuse, DISK_SIM_BEFORE);
        enum outcome outcome = story_seal_upto(&story, 90);
        assert_int_equal(outcome, sim.dead ? BROKEN : DONE);
        story_close(&story);
        disk_sim_restart(&sim, DISK_SIM_ALL_LOST);
        assert_int_equal(story_open(&story), DONE);
        assert_true(story.journal.last_epoch >= 60);
        assert_int_equal(story_first_wrong(&story, true), 0);
    }
}

/*
 * Killed while frames were copied into a file to be used again, under the serial that comes next;
 * then the ledger has more of them, and fewer are copied: those of before do not stand behind.
 */
static void what_a_killed_copy_left_is_not_found_again(void **state)
{
    bool through = false;

    for (uint64_t fuse = 1; !through; fuse++) {
        assert_int_equal(tear_down(NULL), 0);
        assert_int_equal(set_up(NULL), 0);
        begin(150);
        assert_int_equal(journal_trim(&story.journal, 150, INT64_MAX, &story.fault), DONE);
        open_again();
        disk_sim_cut_at(&sim, fuse, DISK_SIM_BEFORE);
        through = story_keep(&story, story.journal.first_epoch, 150) == DONE;
        story_close(&story);
        disk_sim_restart(&sim, DISK_SIM_ALL_KEPT);
        assert_int_equal(story_open(&story), DONE);
        assert_int_equal(story_keep(&story, 149, 150), DONE);
        open_again();
        assert_int_equal(story.journal.last_epoch, 150);
        assert_int_equal(story_first_wrong(&story, true), 0);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(trims_only_what_nobody_needs),
        TEST(keeps_by_age_and_less_when_there_is_too_much),
        TEST(trims_nothing_that_only_an_older_snapshot_covers),
        TEST(let_go_files_are_used_again_and_surplus_ones_removed),
        TEST(a_trim_that_found_no_space_is_safe_from_power_cuts),
        TEST(what_a_killed_copy_left_is_not_found_again),
    };
    return cmocka_run_group_tests_name("trimming", tests, NULL, NULL);
}
