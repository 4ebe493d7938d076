/* What stands on the disk is not what was written: torn, or damaged? */
#include "journal/segment.h"
#include "base/checksum.h"
#include "test/disk_sim.h"
#include "test/journal_story.h"
#include "test/unit.h"

enum { LAST = 6 };

static struct disk_sim sim;
static struct disk_sim good;
static struct story story;
static uint64_t frame_at[LAST + 2]; /* Where each frame begins; [LAST + 1]: where the next would. */
static uint8_t bytes[16 * DISK_BLOCK];

static const char name[] = "seg-0000000000000001";

static int set_up(void **state)
{
    disk_sim_init(&good);
    story_init(&story);
    story.disk = &good.disk;
    story.settings.segment_size = 16 * DISK_BLOCK;
    story.rows_size = 1200;
    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story_first(&story), DONE);
    for (uint64_t number = 1; number <= LAST; number++) {
        frame_at[number] = story.journal.write_at;
        assert_int_equal(story_seal(&story), DONE);
    }
    frame_at[LAST + 1] = story.journal.write_at;
    assert_int_equal(story.journal.segment_count, 1);
    story_close(&story);
    disk_sim_restart(&good, DISK_SIM_ALL_LOST);
    disk_sim_copy(&sim, &good);
    story.disk = &sim.disk;
    return 0;
}

static int tear_down(void **state)
{
    story_free(&story);
    disk_sim_free(&sim);
    disk_sim_free(&good);
    return 0;
}

/* Opens, ends at this epoch, and the rest is as it was sealed. */
static void ends_at(uint64_t last)
{
    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story.journal.last_epoch, last);
    assert_int_equal(story_first_wrong(&story, true), 0);
    story_close(&story);
}

static void is_damaged_in(const char *segment)
{
    uint64_t before = disk_sim_hash(&sim);

    assert_int_equal(story_open(&story), BROKEN);
    assert_int_equal(story.fault.code, FAULT_JOURNAL_CORRUPT);
    assert_non_null(strstr(story.fault.text, segment));
    assert_true(disk_sim_hash(&sim) == before);
    story_close(&story);
}

static void is_damaged(void)
{
    is_damaged_in(name);
}

/* The bytes of the last frame from here on never arrived: there is what was there before. */
static void cut_at(uint64_t offset, uint8_t before)
{
    memset(bytes, before, sizeof(bytes));
    disk_sim_poke(&sim, name, offset, (struct span){bytes, frame_at[LAST + 1] - offset});
}

static void a_torn_tail_is_no_damage_wherever_it_tears(void **state)
{
    for (uint64_t offset = frame_at[LAST]; offset < frame_at[LAST + 1]; offset++) {
        disk_sim_copy(&sim, &good);
        (void)disk_sim_peek(&sim, name, bytes, sizeof(bytes));
        bool padding = true;
        for (uint64_t at = offset; at < frame_at[LAST + 1]; at++) {
            padding = padding && bytes[at] == 0;
        }
        cut_at(offset, 0);
        ends_at(padding ? LAST : LAST - 1);
        cut_at(offset, 0xa5);
        ends_at(LAST - 1);
    }
}

static void after_a_torn_tail_sealing_goes_on(void **state)
{
    cut_at(frame_at[LAST] + 300, 0xa5);
    assert_int_equal(story_open(&story), DONE);
    assert_true(story.journal.torn_bytes > 0);
    assert_int_equal(story_keep(&story, 0, LAST - 1), DONE);
    assert_int_equal(story_seal_upto(&story, 30), DONE);
    story_close(&story);
    disk_sim_restart(&sim, DISK_SIM_ALL_LOST);
    ends_at(30);
}

static void every_bit_of_a_middle_frame_is_missed(void **state)
{
    for (uint64_t bit = frame_at[LAST - 2] * 8; bit < frame_at[LAST - 1] * 8; bit++) {
        disk_sim_flip(&sim, name, bit);
        is_damaged();
        disk_sim_flip(&sim, name, bit);
    }
    ends_at(LAST);
}

static void a_bit_of_the_last_frame_may_be_a_torn_tail(void **state)
{
    for (uint64_t bit = frame_at[LAST] * 8; bit < frame_at[LAST + 1] * 8; bit += 3) {
        disk_sim_flip(&sim, name, bit);
        ends_at(LAST - 1);
        disk_sim_flip(&sim, name, bit);
    }
}

static void header_and_snapshot_were_whole_before_they_counted(void **state)
{
    for (uint64_t at = 0; at < frame_at[1]; at++) {
        disk_sim_flip(&sim, name, at * 8 + at % 8);
        is_damaged();
        disk_sim_flip(&sim, name, at * 8 + at % 8);
    }
}

static void damage_in_an_older_segment_is_seen_at_once(void **state)
{
    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story_keep(&story, LAST, LAST), DONE);
    assert_int_equal(story_seal_upto(&story, 40), DONE);
    assert_true(story.journal.segment_count > 3);
    story_close(&story);
    disk_sim_restart(&sim, DISK_SIM_ALL_LOST);
    disk_sim_flip(&sim, name, (frame_at[3] + FRAME_HEADER_SIZE + 100) * 8);
    is_damaged();
    disk_sim_flip(&sim, name, (frame_at[3] + FRAME_HEADER_SIZE + 100) * 8);
    ends_at(40);
}

/* Rows are not read by a fold; who reads them notices. */
static void damage_among_rows_is_seen_by_their_reader(void **state)
{
    struct epoch epoch;

    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story_keep(&story, LAST, LAST), DONE);
    assert_int_equal(story_seal_upto(&story, LAST + 1), DONE);
    disk_sim_flip(&sim, name, (frame_at[3] + 2000) * 8);
    assert_int_equal(story_first_wrong(&story, false), 0);
    assert_int_equal(story_first_wrong(&story, true), 3);
    story.place.epoch = 3;
    assert_int_equal(journal_read(&story.journal, &story.place, JOURNAL_DECISIONS_AND_ROWS, &epoch,
                                  &story.fault),
                     BROKEN);
    assert_int_equal(story.fault.code, FAULT_JOURNAL_CORRUPT);
    story_close(&story);
}

/* They were whole when their segment became one. */
static void damage_in_copied_frames_is_no_torn_tail(void **state)
{
    char fresh[DISK_NAME_MAX];

    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story_keep(&story, LAST - 1, LAST), DONE);
    const struct journal_segment *newest = &story.journal.segments[1];
    uint64_t at = newest->frames_at;
    assert_int_equal(newest->after, LAST - 1);
    segment_name(newest->serial, fresh);
    story_close(&story);
    disk_sim_restart(&sim, DISK_SIM_ALL_LOST);
    ends_at(LAST);
    disk_sim_flip(&sim, fresh, (at + 500) * 8);
    is_damaged_in(fresh);
}

/* Frames of a seed: any later one proves the earlier. Behind the last, nothing: it is not whole. */
static void a_damaged_seed_is_no_unfinished_one(void **state)
{
    char fresh[DISK_NAME_MAX];
    uint64_t at[3];

    assert_int_equal(story_open(&story), DONE);
    story_snapshot(&story, 9);
    assert_int_equal(journal_begin(&story.journal, &story.snapshot, true, &story.fault), DONE);
    for (uint32_t piece = 0; piece < 3; piece++) {
        at[piece] = story.journal.write_at;
        story_make(&story, 9);
        story.epoch.kind = EPOCH_SEED;
        story.epoch.seed_last = piece == 2;
        assert_int_equal(journal_seal(&story.journal, &story.epoch, NULL, &story.fault), DONE);
    }
    segment_name(story.journal.segments[0].serial, fresh);
    story_close(&story);
    disk_sim_restart(&sim, DISK_SIM_ALL_LOST);
    for (size_t piece = 0; piece < 3; piece++) {
        disk_sim_flip(&sim, fresh, (at[piece] + 500) * 8);
        if (piece < 2) {
            is_damaged_in(fresh);
        } else {
            assert_int_equal(story_open(&story), DONE);
            assert_true(story.journal.empty);
            story_close(&story);
        }
        disk_sim_flip(&sim, fresh, (at[piece] + 500) * 8);
    }
}

/* A frame of epoch LAST + 1, as it would stand behind the last, with this synced_upto. */
static void write_next_frame(uint64_t synced_upto)
{
    struct frame_stamp stamp;

    assert_int_equal(story_open(&story), DONE);
    stamp = segment_stamp(&story.journal, &story.journal.segments[0]);
    story_close(&story);
    story_make(&story, LAST + 1);
    frame_write(&story.epoch, FRAME_DECIDED, &stamp, synced_upto, 0, story.place.buffer);
    disk_sim_poke(&sim, name, frame_at[LAST + 1],
                  (struct span){story.place.buffer, frame_size(&story.epoch)});
}

static void of_two_unsynced_frames_the_later_proves_nothing(void **state)
{
    write_next_frame(LAST - 1);
    ends_at(LAST + 1);
    disk_sim_flip(&sim, name, (frame_at[LAST] + 1000) * 8);
    ends_at(LAST - 1);
    write_next_frame(LAST - 1);
    disk_sim_copy(&good, &sim);
    for (uint64_t bit = 0; bit < 100; bit++) { /* Its header, too. */
        disk_sim_copy(&sim, &good);
        disk_sim_flip(&sim, name, frame_at[LAST] * 8 + bit);
        ends_at(LAST - 1);
    }
}

static void of_two_frames_the_later_proves_the_earlier(void **state)
{
    write_next_frame(LAST);
    disk_sim_flip(&sim, name, (frame_at[LAST] + 1000) * 8);
    is_damaged();
    /* Even if it is itself only half there. */
    disk_sim_flip(&sim, name, (frame_at[LAST + 1] + 1000) * 8);
    is_damaged();
    disk_sim_flip(&sim, name, (frame_at[LAST + 1] + 100) * 8);
    ends_at(LAST - 1);
}

static void frames_of_another_segment_are_not_there(void **state)
{
    uint64_t size = frame_at[LAST + 1] - frame_at[2];
    char fresh[DISK_NAME_MAX];

    (void)disk_sim_peek(&good, name, bytes, sizeof(bytes));
    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story_keep(&story, 0, 1), DONE);
    segment_name(story.journal.segments[story.journal.segment_count - 1].serial, fresh);
    uint64_t at = story.journal.write_at;
    story_close(&story);
    disk_sim_restart(&sim, DISK_SIM_ALL_LOST);
    /* Epochs 2 to 6 as another segment had them, at the very place where 2 would stand. */
    disk_sim_poke(&sim, fresh, at, (struct span){bytes + frame_at[2], size});
    ends_at(1);
    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story.journal.torn_bytes, 0);
    story_close(&story);
}

static void a_recycled_segment_full_of_old_frames_is_empty(void **state)
{
    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story_keep(&story, LAST, LAST), DONE);
    assert_int_equal(story_seal_upto(&story, 60), DONE);
    assert_int_equal(journal_trim(&story.journal, 59, INT64_MAX, &story.fault), DONE);
    assert_int_equal(story.journal.spare_count, JOURNAL_SPARES_MAX);
    size_t before = story.journal.segment_count;
    while (story.journal.segment_count == before) {
        assert_int_equal(story_seal(&story), DONE);
    }
    assert_int_equal(story.journal.spare_count, JOURNAL_SPARES_MAX - 1);
    uint64_t last = story.journal.last_epoch;
    story_close(&story);
    disk_sim_restart(&sim, DISK_SIM_ALL_LOST);
    ends_at(last);
}

static void a_frame_of_another_history_is_damage(void **state)
{
    story_begin_again();
    story.decisions_size += 8; /* Other epochs, so another chain. */
    write_next_frame(LAST);
    is_damaged();
}

/* A header may be whole and yet not be the next one: a write that went astray, then damaged. */
static void what_stands_behind_the_end_is_not_kept(void **state)
{
    (void)disk_sim_peek(&sim, name, bytes, sizeof(bytes));
    for (uint64_t at = DISK_BLOCK; at < frame_at[LAST]; at += DISK_BLOCK) {
        disk_sim_copy(&sim, &good);
        disk_sim_poke(&sim, name, frame_at[LAST + 1], (struct span){bytes + at, DISK_BLOCK});
        disk_sim_flip(&sim, name, (frame_at[LAST + 1] + 400) * 8);
        assert_int_equal(story_open(&story), DONE);
        assert_int_equal(story.journal.last_epoch, LAST);
        assert_int_equal(story_keep(&story, LAST, LAST), DONE);
        assert_int_equal(story_seal_upto(&story, 20), DONE);
        assert_int_equal(story_first_wrong(&story, true), 0);
        story_close(&story);
    }
}

static void another_format_is_named(void **state)
{
    struct segment_header *header = (struct segment_header *)(void *)bytes;

    (void)disk_sim_peek(&sim, name, bytes, sizeof(bytes));
    header->version = 2;
    header->checksum = checksum(0, (struct span){bytes + 12, DISK_BLOCK - 12});
    disk_sim_poke(&sim, name, 0, (struct span){bytes, DISK_BLOCK});
    assert_int_equal(story_open(&story), BROKEN);
    assert_int_equal(story.fault.code, FAULT_JOURNAL_FORMAT);
    story_close(&story);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_torn_tail_is_no_damage_wherever_it_tears),
        TEST(after_a_torn_tail_sealing_goes_on),
        TEST(every_bit_of_a_middle_frame_is_missed),
        TEST(a_bit_of_the_last_frame_may_be_a_torn_tail),
        TEST(header_and_snapshot_were_whole_before_they_counted),
        TEST(damage_in_an_older_segment_is_seen_at_once),
        TEST(damage_among_rows_is_seen_by_their_reader),
        TEST(damage_in_copied_frames_is_no_torn_tail),
        TEST(a_damaged_seed_is_no_unfinished_one),
        TEST(of_two_unsynced_frames_the_later_proves_nothing),
        TEST(of_two_frames_the_later_proves_the_earlier),
        TEST(frames_of_another_segment_are_not_there),
        TEST(a_recycled_segment_full_of_old_frames_is_empty),
        TEST(a_frame_of_another_history_is_damage),
        TEST(what_stands_behind_the_end_is_not_kept),
        TEST(another_format_is_named),
    };
    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
