/*
 * horizon: from which epoch on must a fold start, so that nothing still alive is missed?
 *
 * seed_epoch: the oldest epoch holding an accepted event time + span > G, where span is the
 * longest time anything is remembered (retention, a window, the velocity's span). For each
 * epoch the largest accepted event time is kept; when the list is full, neighbours are merged,
 * so its answer may be a little too old (that costs time) and never too young.
 */
#ifndef ENGINE_HORIZON_H
#define ENGINE_HORIZON_H

#include "pay/epoch.h"
#include "pay/rules.h"

enum { HORIZON_ENTRIES_MAX = 1 << 16 };

struct horizon_entry {
    uint64_t epoch;    /* The first one it stands for. */
    int64_t newest_ms; /* Largest accepted event time; INT64_MIN: none. */
};

struct horizon {
    struct horizon_entry *entries; /* Lent: HORIZON_ENTRIES_MAX. */
    size_t first;
    size_t count;
    uint64_t stride; /* Epochs that one entry stands for. */
    int64_t held_ms; /* Nothing is let go while G is before this moment; INT64_MIN: it may be. */
};

void horizon_init(struct horizon *horizon, struct horizon_entry *entries);

/* How long anything is remembered of a payment, by these rules. */
int64_t horizon_span_ms(const struct rules *rules);

/* Epochs come in order. */
void horizon_add(struct horizon *horizon, uint64_t epoch, int64_t newest_ms);

/*
 * Until G comes to this moment two lengths of windows are in force: a fold that knew the newer one
 * alone, or not all the windows that were open when it came, would count differently.
 */
void horizon_hold(struct horizon *horizon, int64_t until_ms);

/*
 * Forget what G has passed; the answer, or next_epoch if nothing is alive. rules: those in force
 * at that G, for what they remember longer than the rules before them is remembered already.
 */
uint64_t horizon_seed_epoch(struct horizon *horizon, const struct rules *rules,
                            int64_t watermark_ms, uint64_t next_epoch);

#endif
