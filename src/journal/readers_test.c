/* One seals and trims, others read, on the real disk. Meant to be run under TSan as well. */
#include "journal/segment.h"
#include "test/journal_story.h"
#include "test/unit.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { EPOCHS = 400, READERS = 3 };

struct reader {
    pthread_t thread;
    unsigned index;
    struct journal_place place;
    uint64_t read;
    uint64_t gone;
    uint64_t wrong;
    struct fault fault;
};

static char directory[] = "readers_test_XXXXXX";
static struct disk_posix posix;
static struct story story;
static struct reader readers[READERS];
static atomic_uint_fast64_t needed;

static int set_up(void **state)
{
    struct fault fault;

    story_init(&story);
    story.disk = &posix.disk;
    return mkdtemp(directory) == NULL || disk_posix_open(&posix, directory, &fault) != DONE;
}

static int tear_down(void **state)
{
    char name[DISK_NAME_MAX];
    struct fault fault;

    story_close(&story);
    while (disk_list(&posix.disk, 0, name, &fault) == DONE) {
        if (disk_unlink(&posix.disk, name, &fault) != DONE) {
            return 1;
        }
    }
    disk_posix_close(&posix);
    story_free(&story);
    return rmdir(directory);
}

/* The chain says whether it is the epoch that was sealed; the rows have one known byte. */
static bool is_right(const struct epoch *epoch, uint64_t number, bool with_rows)
{
    struct chain chain = chain_next(epoch);

    return epoch->number == number && chain_same(&chain, &epoch->chain) &&
           (!with_rows || epoch->rows.size == 2000 + 8 * (number % 100));
}

/* The first follows closely; the second reads decisions only; the third jumps to and fro. */
static void *read_along(void *argument)
{
    struct reader *reader = argument;
    struct journal *journal = &story.journal;
    bool with_rows = reader->index != 1;
    uint64_t number = 1;
    uint64_t steps = 0;

    while (number <= EPOCHS) {
        struct epoch epoch;
        reader->place.epoch = number;
        enum outcome outcome = journal_read(
            journal, &reader->place, with_rows ? JOURNAL_DECISIONS_AND_ROWS : JOURNAL_DECISIONS,
            &epoch, &reader->fault);
        if (outcome == LATER) {
            (void)usleep(10);
            continue;
        }
        reader->gone += outcome == REFUSED ? 1 : 0;
        reader->wrong += outcome == BROKEN ? 1 : 0;
        if (outcome == DONE) {
            reader->read++;
            reader->wrong += is_right(&epoch, number, with_rows) ? 0 : 1;
        }
        steps++;
        if (reader->index == 2) {
            number = steps % 3 == 0 && number > 8 ? number - 8 : number + 6;
        } else {
            number++;
        }
        if (reader->index == 0) {
            atomic_store(&needed, number);
        }
    }
    return NULL;
}

static void seal_and_trim(void)
{
    for (uint64_t number = 1; number <= EPOCHS; number++) {
        story.rows_size = 2000 + 8 * (number % 100);
        assert_int_equal(story_seal(&story), DONE);
        if (number % 20 == 0) {
            assert_int_equal(
                journal_trim(&story.journal, atomic_load(&needed), INT64_MAX, &story.fault), DONE);
        }
    }
}

static void readers_see_only_what_was_sealed(void **state)
{
    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story_first(&story), DONE);
    atomic_store(&needed, 1);
    for (unsigned index = 0; index < READERS; index++) {
        struct reader *reader = &readers[index];
        reader->index = index;
        reader->place = (struct journal_place){
            .file = -1, .buffer = aligned_alloc(DISK_BLOCK, STORY_PART), .buffer_size = STORY_PART};
        assert_non_null(reader->place.buffer);
        assert_int_equal(pthread_create(&reader->thread, NULL, read_along, reader), 0);
    }
    seal_and_trim();
    for (unsigned index = 0; index < READERS; index++) {
        struct reader *reader = &readers[index];
        assert_int_equal(pthread_join(reader->thread, NULL), 0);
        assert_int_equal(reader->wrong, 0);
        journal_place_close(&story.journal, &reader->place);
        free(reader->place.buffer);
    }
    /* Whoever is counted in `needed` misses nothing. */
    assert_int_equal(readers[0].gone, 0);
    assert_int_equal(readers[0].read, EPOCHS);
}

static void what_stands_on_the_real_disk_is_found_again(void **state)
{
    uint64_t first = story.journal.first_epoch;

    story_close(&story);
    assert_int_equal(story_open(&story), DONE);
    assert_int_equal(story.journal.first_epoch, first);
    assert_int_equal(story.journal.last_epoch, EPOCHS);
    story_begin_again();
    assert_int_equal(story_keep(&story, EPOCHS, EPOCHS), DONE);
    assert_int_equal(story_seal(&story), DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_only_what_was_sealed),
        cmocka_unit_test(what_stands_on_the_real_disk_is_found_again),
    };
    return cmocka_run_group_tests_name("readers", tests, set_up, tear_down);
}
