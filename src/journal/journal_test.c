#include "journal/segment.h"
#include "test/disk_sim.h"
#include "test/journal_story.h"
#include "test/unit.h"

static struct disk_sim sim;
static struct story story;

static int set_up(void **state)
{
    disk_sim_free(&sim);
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

static void gives_back_what_was_sealed(void **state)
{
    begin(100);
    assert_true(story.journal.segment_count > 5);
    assert_int_equal(story_first_wrong(&story, true), 0);
    assert_int_equal(story_first_wrong(&story, false), 0);
    open_again();
    assert_false(story.journal.empty);
    assert_int_equal(story.journal.first_epoch, 1);
    assert_int_equal(story.journal.last_epoch, 100);
    assert_int_equal(story.journal.torn_bytes, 0);
    assert_int_equal(story_first_wrong(&story, true), 0);
    assert_int_equal(story_keep(&story, 40, 100), DONE);
    assert_int_equal(story_seal_upto(&story, 120), DONE);
    assert_int_equal(story_first_wrong(&story, true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_was_sealed, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
