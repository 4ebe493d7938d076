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

static void a_fold_reads_decisions_and_skips_rows(void **state)
{
    struct epoch epoch;

    story.rows_size = 20000;
    begin(3);
    story.place.epoch = 2;
    assert_int_equal(
        journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch, &story.fault), DONE);
    assert_true(story_is(&story, &epoch, 2, false));
    assert_null(epoch.rows.at);
    assert_int_equal(epoch.row_count, 9);
    assert_int_equal(story.place.epoch, 3);
}

static void a_reader_meets_both_ends(void **state)
{
    struct epoch epoch;

    begin(20);
    story.place.epoch = 21;
    assert_int_equal(
        journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch, &story.fault), LATER);
    assert_int_equal(story_seal(&story), DONE);
    assert_int_equal(
        journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch, &story.fault), DONE);
    assert_true(story_is(&story, &epoch, 21, false));
    assert_int_equal(journal_trim(&story.journal, 21, INT64_MAX, &story.fault), DONE);
    assert_true(story.journal.first_epoch > 1);
    story.place.epoch = story.journal.first_epoch - 1;
    assert_int_equal(
        journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch, &story.fault),
        REFUSED);
    story.place.epoch = story.journal.first_epoch;
    assert_int_equal(
        journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch, &story.fault), DONE);
}

/* Who still stands in a segment that was let go and filled anew is told so, not frightened. */
static void a_reader_is_told_when_its_segment_is_gone(void **state)
{
    struct epoch epoch;

    begin(40);
    story.place.epoch = 1;
    assert_int_equal(
        journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch, &story.fault), DONE);
    assert_int_equal(journal_trim(&story.journal, 40, INT64_MAX, &story.fault), DONE);
    assert_int_equal(story_seal_upto(&story, 100), DONE);
    assert_int_equal(
        journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch, &story.fault),
        REFUSED);
}

static void a_snapshot_stands_before_what_must_be_folded(void **state)
{
    struct epoch snapshot;
    struct epoch epoch;

    begin(60);
    for (uint64_t number = 1; number <= 61; number++) {
        assert_int_equal(
            journal_snapshot(&story.journal, number, &story.place, &snapshot, &story.fault), DONE);
        assert_true(snapshot.number < number);
        assert_true(snapshot.number + 20 > number);
        story_snapshot(&story, snapshot.number);
        assert_int_equal(snapshot.range_count, 3);
        assert_memory_equal(snapshot.ranges, story.snapshot.ranges, 3 * sizeof(struct epoch_range));
        assert_memory_equal(snapshot.decisions.at, story.snapshot.decisions.at, 64);
        assert_true(chain_same(&snapshot.chain, &story.snapshot.chain));
        uint64_t next = snapshot.number + 1;
        while (journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch,
                            &story.fault) == DONE) {
            assert_true(story_is(&story, &epoch, next, false));
            next++;
        }
        assert_int_equal(next, 61);
    }
}

static void every_chain_is_found_and_no_other(void **state)
{
    uint64_t found = 0;
    struct chain chain;

    begin(50);
    for (uint64_t number = 0; number <= 50; number++) {
        story_snapshot(&story, number);
        chain = story.snapshot.chain;
        assert_int_equal(journal_find_chain(&story.journal, &chain, &found, &story.fault), DONE);
        assert_int_equal(found, number);
        chain.bytes[3] ^= 1;
        assert_int_equal(journal_find_chain(&story.journal, &chain, &found, &story.fault), DONE);
        assert_int_equal(found, 0);
    }
    assert_int_equal(journal_trim(&story.journal, 50, INT64_MAX, &story.fault), DONE);
    story_snapshot(&story, story.journal.first_epoch - 1);
    chain = story.snapshot.chain;
    assert_int_equal(journal_find_chain(&story.journal, &chain, &found, &story.fault), DONE);
    assert_int_equal(found, story.journal.first_epoch - 1);
    story_snapshot(&story, 1);
    chain = story.snapshot.chain;
    assert_int_equal(journal_find_chain(&story.journal, &chain, &found, &story.fault), DONE);
    assert_int_equal(found, 0);
}

static void a_frame_larger_than_a_segment_gets_a_larger_one(void **state)
{
    begin(2);
    story_begin_again();
    story_close(&story);
    disk_sim_reopen(&sim);
    story.decisions_size = STORY_PART;
    story.rows_size = STORY_PART;
    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story_first(&story), DONE);
    assert_int_equal(story_seal_upto(&story, 5), DONE);
    assert_int_equal(story_first_wrong(&story, true), 0);
    open_again();
    assert_int_equal(story.journal.last_epoch, 5);
    assert_int_equal(story_first_wrong(&story, true), 0);
    assert_int_equal(story_keep(&story, 4, 5), DONE);
    assert_int_equal(story_first_wrong(&story, true), 0);
}

static void a_frame_larger_than_the_buffer_is_named(void **state)
{
    struct epoch epoch;

    story.decisions_size = 3 * DISK_BLOCK;
    begin(1);
    story.place.buffer_size = 2 * DISK_BLOCK;
    story.place.epoch = 1;
    assert_int_equal(
        journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch, &story.fault),
        BROKEN);
    assert_int_equal(story.fault.code, FAULT_MEMORY);
    story.place.buffer_size = 3 * STORY_PART;
    assert_int_equal(
        journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch, &story.fault), DONE);
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

static void seal_seeds(uint64_t number, uint64_t count, size_t size)
{
    for (uint64_t index = 0; index < count; index++) {
        story_make(&story, number);
        story.epoch.kind = EPOCH_SEED;
        story.epoch.seed_last = index + 1 == count;
        story.epoch.message_count = index;
        story.epoch.decisions.size = size;
        assert_false(journal_wants_snapshot(&story.journal, &story.epoch));
        assert_int_equal(journal_seal(&story.journal, &story.epoch, NULL, &story.fault), DONE);
    }
}

static void read_seeds(uint64_t number, uint64_t count)
{
    struct epoch epoch;

    assert_int_equal(journal_snapshot(&story.journal, 7, &story.place, &epoch, &story.fault), DONE);
    assert_int_equal(epoch.number, number);
    for (uint64_t index = 0; index < count; index++) {
        assert_int_equal(
            journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch, &story.fault),
            DONE);
        assert_int_equal(epoch.kind, EPOCH_SEED);
        assert_int_equal(epoch.number, number);
        assert_int_equal(epoch.message_count, index);
        assert_int_equal(epoch.seed_last, index + 1 == count);
    }
    for (uint64_t next = number + 1; next <= story.journal.last_epoch; next++) {
        assert_int_equal(journal_read(&story.journal, &story.place, JOURNAL_DECISIONS_AND_ROWS,
                                      &epoch, &story.fault),
                         DONE);
        assert_true(story_is(&story, &epoch, next, true));
    }
}

static void a_seed_stands_at_the_head_and_history_goes_on(void **state)
{
    uint64_t journal_id;
    uint64_t found = 0;

    begin(9);
    journal_id = story.journal.journal_id;
    open_again();
    story.seed_epoch = 7;
    story_snapshot(&story, 20);
    assert_int_equal(journal_begin(&story.journal, &story.snapshot, true, &story.fault), DONE);
    assert_int_equal(file_count(), 1);
    assert_true(story.journal.journal_id != journal_id);
    assert_true(story.journal.journal_id <= INT64_MAX);
    seal_seeds(20, 12, 20000); /* More than one segment's size. */
    assert_int_equal(story.journal.segment_count, 1);
    assert_int_equal(story.journal.first_epoch, 21);
    assert_int_equal(story_seal_upto(&story, 40), DONE);
    assert_int_equal(story.journal.segment_count, 2);
    read_seeds(20, 12);
    open_again();
    assert_false(story.journal.empty);
    assert_int_equal(story.journal.last_epoch, 40);
    read_seeds(20, 12);
    story_snapshot(&story, 20);
    struct chain chain = story.snapshot.chain;
    assert_int_equal(journal_find_chain(&story.journal, &chain, &found, &story.fault), DONE);
    assert_int_equal(found, 20);
    assert_int_equal(story_keep(&story, 20, 20), DONE);
    assert_int_equal(story_seal_upto(&story, 90), DONE);
    read_seeds(20, 12);
}

static void a_seed_that_is_not_whole_does_not_count(void **state)
{
    struct epoch epoch;

    begin(9);
    open_again();
    story_snapshot(&story, 20);
    assert_int_equal(journal_begin(&story.journal, &story.snapshot, true, &story.fault), DONE);
    story_make(&story, 20);
    story.epoch.kind = EPOCH_SEED;
    assert_int_equal(journal_seal(&story.journal, &story.epoch, NULL, &story.fault), DONE);
    open_again();
    assert_true(story.journal.empty);
    assert_int_equal(story.journal.last_epoch, 0);
    assert_int_equal(
        journal_read(&story.journal, &story.place, JOURNAL_DECISIONS, &epoch, &story.fault), LATER);
    story_snapshot(&story, 20);
    assert_int_equal(journal_begin(&story.journal, &story.snapshot, true, &story.fault), DONE);
    seal_seeds(20, 2, 64);
    read_seeds(20, 2);
}

/* What recovery cuts never comes back, even if the same epoch is sealed with other decisions. */
static void proposals_that_are_cut_are_gone(void **state)
{
    begin(40);
    open_again();
    assert_int_equal(story_keep(&story, 17, 17), DONE);
    assert_int_equal(story.journal.last_epoch, 17);
    assert_int_equal(story_seal_upto(&story, 20), DONE);
    open_again();
    assert_int_equal(story.journal.last_epoch, 20);
    assert_int_equal(story_first_wrong(&story, true), 0);
}

/* A service that cannot get anywhere does not fill the disk with segments. */
static void starting_again_and_again_adds_nothing(void **state)
{
    begin(3);
    for (int start = 0; start < 20; start++) {
        open_again();
        assert_int_equal(story_keep(&story, 3, 3), DONE);
    }
    assert_int_equal(story.journal.segment_count, 3);
    assert_int_equal(story_first_wrong(&story, true), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gives_back_what_was_sealed),
        TEST(a_fold_reads_decisions_and_skips_rows),
        TEST(a_reader_meets_both_ends),
        TEST(a_reader_is_told_when_its_segment_is_gone),
        TEST(a_snapshot_stands_before_what_must_be_folded),
        TEST(every_chain_is_found_and_no_other),
        TEST(a_frame_larger_than_a_segment_gets_a_larger_one),
        TEST(a_frame_larger_than_the_buffer_is_named),
        TEST(a_seed_stands_at_the_head_and_history_goes_on),
        TEST(a_seed_that_is_not_whole_does_not_count),
        TEST(proposals_that_are_cut_are_gone),
        TEST(starting_again_and_again_adds_nothing),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
