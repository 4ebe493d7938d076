/*
 * tally: how many messages got which verdict, and how much money was in them?
 *
 * One running total for each (source, verdict or skipped or gap, currency), from the beginning
 * of the history. Sums are 128 bits and checked.
 */
#ifndef CORE_TALLY_H
#define CORE_TALLY_H

#include "core/index.h"
#include "pay/epoch.h"
#include "pay/money.h"

enum {
    TALLIES_MAX = 1 << 17,
    TALLY_GAP = TALLY_COUNT, /* struct epoch_total's tally of an acknowledged gap. */
};

/* Lent, zeroed. */
struct tally_memory {
    struct epoch_total *totals; /* TALLIES_MAX */
    uint32_t *touched;          /* TALLIES_MAX */
    uint8_t *marks;             /* TALLIES_MAX */
    uint64_t *cells;            /* index_cell_count(TALLIES_MAX) */
};

struct tallies {
    struct epoch_total *totals;
    uint32_t *touched; /* Numbers of totals, in the order in which the epoch touched them. */
    uint8_t *marks;    /* 1: it is in that list. */
    struct index index;
    size_t count;
    size_t touched_count;
};

/* Which total, as one word. Currency: zeros where there is no money in it. */
static inline uint64_t tally_word(uint32_t source, uint8_t tally, const char *currency)
{
    return (uint64_t)source << 32 | (uint64_t)tally << 24 | (uint64_t)(uint8_t)currency[0] << 16 |
           (uint64_t)(uint8_t)currency[1] << 8 | (uint8_t)currency[2];
}

/* What to add to a total. */
struct tally_entry {
    uint64_t word;
    uint64_t count;
    struct money amount; /* 0 where there is none. */
};

void tallies_init(struct tallies *tallies, const struct tally_memory *memory);

/*
 * False: as many totals as there may be, or a sum beyond 128 bits. Nothing changes. Which total it
 * is stands for as long as none is restored; INDEX_NONE: none yet.
 */
MUST_USE bool tallies_fit(const struct tallies *tallies, const struct tally_entry *entry,
                          uint32_t *ret_number);

/* It fits, there (a must). */
void tallies_add(struct tallies *tallies, const struct tally_entry *entry, uint32_t number);

/* Take over a total as it stands. False: no room. */
MUST_USE bool tallies_restore(struct tallies *tallies, const struct epoch_total *total);

void tallies_epoch_end(struct tallies *tallies);

uint64_t tallies_hash(const struct tallies *tallies);

#endif
