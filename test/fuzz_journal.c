/*
 * fuzz_journal: whatever happens to the files of a journal, only what was sealed is read.
 *
 * The input is a row of steps of 8 bytes, applied to three segments: which file, what is done,
 * where (4 bytes), with what (2 bytes). If the first byte of the input is odd, checksums may be
 * made good again afterwards: then what is read may be anything, but nothing past its end.
 */
#include "base/checksum.h"
#include "journal/segment.h"
#include "test/disk_sim.h"
#include "test/journal_story.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEGMENT_SIZE = 8 * DISK_BLOCK, EPOCHS = 14, FILES = 3, STEP_SIZE = 8, STEPS_MAX = 64 };
enum { CHECKSUM_AT = 8, CHECKED_FROM = 12 }; /* In both kinds of header. */

enum step_kind { SET_BYTE, SET_RUN, ZERO_SECTOR, COPY_SECTOR, COPY_BLOCK, CUT, MAKE_GOOD, KINDS };

static struct disk_sim base;
static struct disk_sim sim;
static struct story story;
static char names[FILES][DISK_NAME_MAX];
static struct frame_stamp stamps[FILES];
static _Alignas(DISK_BLOCK) uint8_t bytes[SEGMENT_SIZE];
static uint8_t other[SEGMENT_SIZE];

/* As must, which is never left out, either; a name for what this target asks. */
static void check(bool condition)
{
    must(condition);
}

static void prepare(void)
{
    disk_sim_init(&base);
    story_init(&story);
    story.disk = &base.disk;
    story.settings.segment_size = SEGMENT_SIZE;
    check(story_open(&story) == DONE && story_first(&story) == DONE);
    check(story_seal_upto(&story, EPOCHS) == DONE);
    check(story.journal.segment_count == FILES);
    for (size_t file = 0; file < FILES; file++) {
        segment_name(story.journal.segments[file].serial, names[file]);
        stamps[file] = segment_stamp(&story.journal, &story.journal.segments[file]);
    }
    story_close(&story);
    disk_sim_restart(&base, DISK_SIM_ALL_LOST);
    story.disk = &sim.disk;
}

static void cut(const char *name, uint64_t size)
{
    struct fault fault;
    disk_file file = -1;

    check(disk_open(&sim.disk, name, false, &file, &fault) == DONE);
    check(disk_cut(&sim.disk, file, size, &fault) == DONE);
    check(disk_allocate(&sim.disk, file, SEGMENT_SIZE, &fault) == DONE);
    disk_close(&sim.disk, file);
}

/* The checksums of what stands in this block say that it is whole. */
static void make_good(size_t file, uint64_t block)
{
    uint8_t *frame = bytes + block;
    struct frame_header *header = (struct frame_header *)(void *)frame;
    bool is_segment = block == 0;
    size_t size = is_segment ? DISK_BLOCK : FRAME_HEADER_SIZE;
    struct span rest = {frame + CHECKED_FROM, size - CHECKED_FROM};
    uint32_t crc = checksum(is_segment ? 0 : stamps[file].seed, rest);

    memcpy(frame + CHECKSUM_AT, &crc, sizeof(crc));
    if (!is_segment && frame_header_whole(header, &stamps[file], SEGMENT_SIZE - block)) {
        frame_restamp(frame, &stamps[file]);
    }
    disk_sim_poke(&sim, names[file], block, (struct span){frame, DISK_BLOCK});
}

/* What a step that only replaces bytes puts where: at is moved to where that may begin. */
static struct span bytes_of(const uint8_t *step, uint64_t *at)
{
    switch ((enum step_kind)(step[1] % KINDS)) {
    case SET_BYTE:
        return (struct span){step + 6, 1};
    case SET_RUN:
        memset(other, step[6], SEGMENT_SIZE);
        return (struct span){other, step[7] < SEGMENT_SIZE - *at ? step[7] : SEGMENT_SIZE - *at};
    case ZERO_SECTOR:
        *at = *at / DISK_SIM_SECTOR * DISK_SIM_SECTOR;
        memset(other, 0, DISK_SIM_SECTOR);
        return (struct span){other, DISK_SIM_SECTOR};
    case COPY_SECTOR:
        *at = *at / DISK_SIM_SECTOR * DISK_SIM_SECTOR;
        return (struct span){other + step[6] % 64 * DISK_SIM_SECTOR, DISK_SIM_SECTOR};
    case COPY_BLOCK:
        *at = *at / DISK_BLOCK * DISK_BLOCK;
        return (struct span){other + step[6] % 8 * DISK_BLOCK, DISK_BLOCK};
    case CUT:
    case MAKE_GOOD:
    case KINDS:
        break;
    }
    return (struct span){other, 0};
}

static void take_step(const uint8_t *step, bool may_repair)
{
    size_t file = step[0] % FILES;
    uint32_t where;

    memcpy(&where, step + 2, sizeof(where));
    uint64_t at = where % SEGMENT_SIZE;
    (void)disk_sim_peek(&sim, names[file], bytes, SEGMENT_SIZE);
    (void)disk_sim_peek(&base, names[step[7] % FILES], other, SEGMENT_SIZE);
    if (step[1] % KINDS == CUT) {
        cut(names[file], at);
    } else if (step[1] % KINDS == MAKE_GOOD && may_repair) {
        make_good(file, at / DISK_BLOCK * DISK_BLOCK);
    } else {
        struct span piece = bytes_of(step, &at);
        disk_sim_poke(&sim, names[file], at, piece);
    }
}

/* Every epoch there is can be read as it was sealed, or is refused as damaged. */
static void read_all(bool repaired)
{
    struct epoch epoch;
    uint64_t last = story.journal.last_epoch;

    check(repaired || last <= EPOCHS);
    last = last - story.journal.first_epoch > 100 ? story.journal.first_epoch + 100 : last;
    for (uint64_t number = story.journal.first_epoch; number <= last; number++) {
        story.place.epoch = number;
        enum outcome outcome = journal_read(&story.journal, &story.place,
                                            JOURNAL_DECISIONS_AND_ROWS, &epoch, &story.fault);
        check(outcome == DONE || outcome == BROKEN || repaired);
        check(outcome != DONE || repaired || story_is(&story, &epoch, number, true));
    }
}

static void go_on(bool repaired)
{
    uint64_t last = story.journal.last_epoch;

    if (repaired || last + 1 < story.journal.first_epoch) {
        return;
    }
    if (story_keep(&story, last, last) == DONE) {
        check(story_seal(&story) == DONE);
        check(story.journal.last_epoch == last + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (story.memory == NULL) {
        prepare();
    }
    if (size < 1) {
        return 0;
    }
    bool repaired = data[0] % 2 == 1;
    disk_sim_copy(&sim, &base);
    for (size_t step = 0; step < STEPS_MAX && 1 + (step + 1) * STEP_SIZE <= size; step++) {
        take_step(data + 1 + step * STEP_SIZE, repaired);
    }
    enum outcome outcome = story_open(&story);
    check(outcome == DONE || outcome == BROKEN);
    if (outcome == DONE && !story.journal.empty) {
        read_all(repaired);
        go_on(repaired);
    }
    story_close(&story);
    return 0;
}
