/*
 * standing: where everything stands after the last sealed epoch.
 *
 * Sources, totals, rules, watermark: the small part of the state, kept by the sealing side, which
 * may be behind the deciding side by an epoch or two. From it come the snapshots at the heads of
 * segments, the gauges (nothing unsealed is ever shown) and what recovery compares.
 */
#ifndef ENGINE_STANDING_H
#define ENGINE_STANDING_H

#include "base/fault.h"
#include "base/instant.h"
#include "pay/epoch.h"
#include "pay/rules.h"

enum {
    STANDING_TOTALS_MAX = 1 << 17,
    STANDING_DECIDED = 128, /* The latest decisions of operators that are known again. */
    STANDING_NOTES_SIZE =
        SOURCES_MAX * 1216 + 2 * DECISION_SIZE_MAX, /* NOTE_SOURCE, NOTE_FACTS; the rules. */
};

struct standing {
    uint64_t epoch;
    struct chain chain;
    int64_t watermark_ms;
    uint64_t seed_epoch;
    uint64_t seq_next[TABLE_COUNT];
    struct rules rules;
    bool rules_known;
    uint64_t rules_epoch;               /* The epoch that brought these rules, or a snapshot's. */
    uint64_t decided[STANDING_DECIDED]; /* Ids of rulings, a ring; snapshots do not hold them. */
    size_t decided_count;
    size_t source_count;
    struct origin *origins; /* Lent: SOURCES_MAX each. */
    uint64_t *starts;
    struct source_facts *facts; /* Zeros: nothing is known. */
    uint64_t facts_version;     /* Another one: they have changed. */
    struct epoch_range *ranges; /* first = next: what a snapshot says. */
    size_t total_count;
    struct epoch_total *totals; /* Lent: STANDING_TOTALS_MAX. */
    uint32_t *total_slots;      /* Lent: twice as many; index + 1 into totals. */
    uint8_t *notes;             /* Lent: STANDING_NOTES_SIZE. */
};

/* How much zeroed memory it wants lent. */
size_t standing_memory_size(void);
void standing_init(struct standing *standing, void *memory);

/* Nothing has happened yet: epoch 0, the chain of zeros, every table's rows from 1. */
void standing_clear(struct standing *standing);

/* Take in a sealed epoch, a snapshot or a seed. BROKEN: a record that makes no sense. */
MUST_USE enum outcome standing_apply(struct standing *standing, const struct epoch *epoch,
                                     struct fault *ret_fault);

/* The standing as an epoch whose memory is the standing's own: valid until it moves on. */
void standing_snapshot(struct standing *standing, struct epoch *ret_snapshot);

/* This total, or NULL: nothing was ever counted under it. */
const struct epoch_total *standing_total(const struct standing *standing,
                                         const struct epoch_total *like);

/* Has this decision of an operator been sealed, as far back as is known? */
bool standing_decided(const struct standing *standing, uint64_t id);

/* Messages that got this verdict (TALLY_COUNT: gaps), over all sources and currencies. */
uint64_t standing_count(const struct standing *standing, uint8_t tally);

#endif
