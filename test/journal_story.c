#include "test/journal_story.h"

#include <stdlib.h>
#include <string.h>

static struct epoch_range range;
static struct epoch_total totals[2];
static uint8_t decisions[STORY_PART];
static uint8_t rows[STORY_PART];
static struct epoch_range snapshot_ranges[3];
static uint8_t snapshot_notes[64];

/* By number, as far as they are known; they hold for one choice of sizes. */
static struct chain chains[STORY_EPOCHS];
static uint64_t chain_count;

void story_begin_again(void)
{
    chain_count = 0;
}

static void fill(uint8_t *at, size_t size, uint64_t from)
{
    for (size_t index = 0; index + 8 <= size; index += 8) {
        uint64_t word = (from + index) * UINT64_C(0x9e3779b97f4a7c15);
        word ^= word >> 29;
        memcpy(at + index, &word, sizeof(word));
    }
}

void story_init(struct story *story)
{
    *story = (struct story){
        .settings = {.segment_size = STORY_SEGMENT},
        .place = {.file = -1},
        .decisions_size = 1000,
        .rows_size = 2000,
        .seed_epoch = 1,
        .memory_size = journal_memory_size(3 * STORY_PART),
        .place.buffer_size = 3 * STORY_PART,
    };
    story->memory = calloc(1, story->memory_size);
    story->place.buffer = aligned_alloc(DISK_BLOCK, story->place.buffer_size);
    must(story->memory != NULL && story->place.buffer != NULL);
    story_begin_again();
}

void story_free(struct story *story)
{
    free(story->memory);
    free(story->place.buffer);
}

static void make_bare(struct story *story, uint64_t number)
{
    range = (struct epoch_range){.source = 1, .first = number * 10, .next = number * 10 + 10};
    totals[0] = (struct epoch_total){.tally = 1, .currency = {'E', 'U', 'R'}, .count = number};
    totals[1] = (struct epoch_total){.tally = 2, .count = 7, .sum_low = number * 3};
    fill(decisions, story->decisions_size, number << 20);
    fill(rows, story->rows_size, number << 40);
    story->epoch = (struct epoch){
        .number = number,
        .decided_ms = (int64_t)number * 1000 - 5,
        .sealed_ms = (int64_t)number * 1000,
        .watermark_ms = (int64_t)number * 900,
        .newest_accepted_ms = (int64_t)number * 950,
        .seed_epoch = story->seed_epoch,
        .seq_next = {number * 4, number * 3, number * 2, number},
        .message_count = 10,
        .row_count = 9,
        .ranges = &range,
        .range_count = 1,
        .totals = totals,
        .total_count = 2,
        .decisions = {decisions, story->decisions_size, sizeof(decisions)},
        .rows = {rows, story->rows_size, sizeof(rows)},
    };
}

static struct chain chain_of(struct story *story, uint64_t number)
{
    must(number < STORY_EPOCHS);
    while (chain_count <= number) {
        if (chain_count == 0) {
            memset(&chains[0], 0, sizeof(chains[0]));
        } else {
            make_bare(story, chain_count);
            story->epoch.prev_chain = chains[chain_count - 1];
            chains[chain_count] = chain_next(&story->epoch);
        }
        chain_count++;
    }
    return chains[number];
}

void story_make(struct story *story, uint64_t number)
{
    struct chain chain = chain_of(story, number);

    make_bare(story, number);
    story->epoch.prev_chain = chains[number - 1];
    story->epoch.chain = chain;
}

void story_snapshot(struct story *story, uint64_t number)
{
    fill(snapshot_notes, sizeof(snapshot_notes), number);
    for (uint32_t source = 0; source < 3; source++) {
        snapshot_ranges[source] = (struct epoch_range){.source = source, .next = number * 10};
    }
    struct chain chain = chain_of(story, number);
    story->snapshot = (struct epoch){
        .number = number,
        .prev_chain = chain,
        .chain = chain,
        .sealed_ms = (int64_t)number * 1000,
        .seed_epoch = story->seed_epoch,
        .ranges = snapshot_ranges,
        .range_count = 3,
        .decisions = {snapshot_notes, sizeof(snapshot_notes), sizeof(snapshot_notes)},
    };
}

static bool same_bytes(const void *left, const void *right, size_t size)
{
    return size == 0 || memcmp(left, right, size) == 0;
}

bool story_is(struct story *story, const struct epoch *epoch, uint64_t number, bool with_rows)
{
    story_make(story, number);
    const struct epoch *made = &story->epoch;

    return epoch->kind == EPOCH_DECIDED && epoch->number == number &&
           epoch->journal_id == story->journal.journal_id &&
           chain_same(&epoch->prev_chain, &made->prev_chain) &&
           chain_same(&epoch->chain, &made->chain) && epoch->decided_ms == made->decided_ms &&
           epoch->sealed_ms == made->sealed_ms && epoch->watermark_ms == made->watermark_ms &&
           epoch->newest_accepted_ms == made->newest_accepted_ms &&
           same_bytes(epoch->seq_next, made->seq_next, sizeof(made->seq_next)) &&
           epoch->message_count == 10 && epoch->row_count == 9 && epoch->range_count == 1 &&
           same_bytes(epoch->ranges, &range, sizeof(range)) && epoch->total_count == 2 &&
           same_bytes(epoch->totals, totals, sizeof(totals)) &&
           epoch->decisions.size == made->decisions.size &&
           same_bytes(epoch->decisions.at, decisions, made->decisions.size) &&
           epoch->rows.size == (with_rows ? made->rows.size : 0) &&
           (!with_rows || same_bytes(epoch->rows.at, rows, made->rows.size));
}

enum outcome story_open(struct story *story)
{
    uint8_t *buffer = story->place.buffer;
    size_t buffer_size = story->place.buffer_size;

    story->place = (struct journal_place){.file = -1, .buffer = buffer, .buffer_size = buffer_size};
    return journal_open(&story->journal, story->disk, &story->settings, story->memory,
                        story->memory_size, &story->fault);
}

enum outcome story_first(struct story *story)
{
    story_snapshot(story, 0);
    return journal_begin(&story->journal, &story->snapshot, false, &story->fault);
}

enum outcome story_keep(struct story *story, uint64_t confirmed, uint64_t last_kept)
{
    story_snapshot(story, last_kept);
    return journal_keep(&story->journal, confirmed, last_kept, &story->snapshot, &story->fault);
}

enum outcome story_seal(struct story *story)
{
    uint64_t number = story->journal.last_epoch + 1;

    story_make(story, number);
    memset(&story->epoch.chain, 0, sizeof(story->epoch.chain));
    if (journal_wants_snapshot(&story->journal, &story->epoch)) {
        story_snapshot(story, number - 1);
        story_make(story, number);
    }
    return journal_seal(&story->journal, &story->epoch, &story->snapshot, &story->fault);
}

enum outcome story_seal_upto(struct story *story, uint64_t number)
{
    enum outcome outcome = DONE;

    while (outcome == DONE && story->journal.last_epoch < number) {
        outcome = story_seal(story);
    }
    return outcome;
}

uint64_t story_first_wrong(struct story *story, bool with_rows)
{
    enum journal_parts parts = with_rows ? JOURNAL_DECISIONS_AND_ROWS : JOURNAL_DECISIONS;
    struct epoch epoch;

    for (uint64_t number = story->journal.first_epoch; number <= story->journal.last_epoch;
         number++) {
        story->place.epoch = number;
        if (journal_read(&story->journal, &story->place, parts, &epoch, &story->fault) != DONE ||
            !story_is(story, &epoch, number, with_rows)) {
            return number;
        }
    }
    return 0;
}

void story_close(struct story *story)
{
    journal_place_close(&story->journal, &story->place);
    journal_close(&story->journal);
}
