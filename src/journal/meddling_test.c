/* Between a reader's looking at the list and its reading of the file, anything may happen. */
#include "journal/segment.h"
#include "test/disk_sim.h"
#include "test/journal_story.h"
#include "test/unit.h"

static struct disk_sim sim;
static struct story story;
static struct disk_type meddling; /* The simulated disk's calls, but for open or read. */
static const struct disk_type *simulated;
static bool armed;

static int set_up(void **state)
{
    disk_sim_init(&sim);
    story_init(&story);
    story.disk = &sim.disk;
    simulated = sim.disk.type;
    meddling = *simulated;
    sim.disk.type = &meddling;
    armed = false;
    return story_open(&story) != DONE || story_first(&story) != DONE ||
           story_seal_upto(&story, 40) != DONE;
}

static int tear_down(void **state)
{
    story_close(&story);
    story_free(&story);
    disk_sim_free(&sim);
    return 0;
}

/* All but the newest segment go, and their files are filled anew. */
static void let_go(void)
{
    if (armed) {
        armed = false;
        uint64_t last = story.journal.last_epoch;
        assert_int_equal(journal_trim(&story.journal, last, INT64_MAX, &story.fault), DONE);
        assert_int_equal(story_seal_upto(&story, last + 40), DONE);
    }
}

static enum outcome meddling_open(struct disk *disk, const char *name, bool create,
                                  disk_file *ret_file, struct fault *ret_fault)
{
    let_go();
    return simulated->open(disk, name, create, ret_file, ret_fault);
}

static enum outcome meddling_read(struct disk *disk, disk_file file, uint64_t offset, void *into,
                                  size_t size, size_t *ret_size, struct fault *ret_fault)
{
    let_go();
    return simulated->read(disk, file, offset, into, size, ret_size, ret_fault);
}

static enum outcome read_epoch(uint64_t number)
{
    struct epoch epoch;

    story.place.epoch = number;
    return journal_read(&story.journal, &story.place, JOURNAL_DECISIONS_AND_ROWS, &epoch,
                        &story.fault);
}

static void a_segment_may_go_before_it_is_opened(void **state)
{
    meddling.open = meddling_open;
    armed = true;
    assert_int_equal(read_epoch(2), REFUSED);
    assert_false(armed);
    assert_int_equal(read_epoch(story.journal.first_epoch), DONE);
}

static void a_segment_may_be_filled_anew_while_it_is_read(void **state)
{
    assert_int_equal(read_epoch(1), DONE);
    meddling.read = meddling_read;
    armed = true;
    assert_int_equal(read_epoch(2), REFUSED);
    assert_false(armed);
    assert_int_equal(read_epoch(story.journal.first_epoch), DONE);
}

/* A cache that kept what was there before a write which went past it. */
static unsigned stale_reads;

static enum outcome stale_read(struct disk *disk, disk_file file, uint64_t offset, void *into,
                               size_t size, size_t *ret_size, struct fault *ret_fault)
{
    enum outcome outcome = simulated->read(disk, file, offset, into, size, ret_size, ret_fault);

    if (armed) {
        memset(into, 0, *ret_size);
        stale_reads++;
    }
    return outcome;
}

static void forgotten(struct disk *disk, disk_file file)
{
    armed = false;
}

static void a_stale_page_is_no_damage(void **state)
{
    meddling.read = stale_read;
    meddling.forget = forgotten;
    armed = true;
    assert_int_equal(read_epoch(17), DONE);
    assert_true(stale_reads > 0);
    assert_int_equal(story_first_wrong(&story, true), 0);
}

static void a_stale_page_hides_no_chain(void **state)
{
    uint64_t epoch = 0;

    story_make(&story, 17);
    meddling.read = stale_read;
    meddling.forget = forgotten;
    armed = true;
    assert_int_equal(journal_find_chain(&story.journal, &story.epoch.chain, &epoch, &story.fault),
                     DONE);
    assert_int_equal(epoch, 17);
    assert_false(armed);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_segment_may_go_before_it_is_opened),
        TEST(a_segment_may_be_filled_anew_while_it_is_read),
        TEST(a_stale_page_is_no_damage),
        TEST(a_stale_page_hides_no_chain),
    };
    return cmocka_run_group_tests_name("meddling", tests, NULL, NULL);
}
