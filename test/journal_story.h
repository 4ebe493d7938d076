/*
 * journal_story: epochs that can be made again from their number, and a journal to put them in.
 *
 * Epoch n of a story always has the same bytes and the same chain, so a test can tell whether
 * what it read is what was sealed: nothing lost, nothing invented.
 */
#ifndef TEST_JOURNAL_STORY_H
#define TEST_JOURNAL_STORY_H

#include "journal/chain.h"
#include "journal/journal.h"

enum {
    STORY_SEGMENT = 64 * 1024,
    STORY_PART = 256 * 1024, /* The most a test epoch has of decisions, or of rows. */
    STORY_EPOCHS = 512,
};

struct story {
    struct disk *disk; /* Borrowed. */
    struct journal_settings settings;
    struct journal journal;
    struct journal_place place;
    struct fault fault;
    size_t decisions_size; /* Of each epoch it makes, both. */
    size_t rows_size;
    uint64_t seed_epoch; /* Of each epoch it makes. */
    size_t memory_size;
    void *memory;
    struct epoch epoch; /* The one last made. */
    struct epoch snapshot;
};

/* Memory for all of it; story_open may follow as often as one likes. */
void story_init(struct story *story);
void story_free(struct story *story);

/* Fill story->epoch with epoch `number`, and its prev_chain and chain; sizes are the story's. */
void story_make(struct story *story, uint64_t number);

/* The standing as of this epoch, in story->snapshot. */
void story_snapshot(struct story *story, uint64_t number);

/* Forget the chains: epochs will have other sizes from now on. */
void story_begin_again(void);

/* Is it epoch `number` as this story makes it, whole? */
bool story_is(struct story *story, const struct epoch *epoch, uint64_t number, bool with_rows);

MUST_USE enum outcome story_open(struct story *story);
MUST_USE enum outcome story_first(struct story *story); /* journal_begin: a first run. */
MUST_USE enum outcome story_keep(struct story *story, uint64_t confirmed, uint64_t last_kept);
MUST_USE enum outcome story_seal(struct story *story); /* The next epoch. */
MUST_USE enum outcome story_seal_upto(struct story *story, uint64_t number);

/* Read from the first to the last epoch; 0, or the number of the first that is not as sealed. */
uint64_t story_first_wrong(struct story *story, bool with_rows);

void story_close(struct story *story);

#endif
