/*
 * merge: from which source is the next message taken?
 *
 * From the one with the smallest newest event time; none yet is smallest; of equals the one
 * with the smaller number (configured order). A heap: what a message costs grows with the
 * logarithm of the sources, and with one source is one comparison.
 */
#ifndef ENGINE_MERGE_H
#define ENGINE_MERGE_H

#include "base/base.h"

struct merge_entry {
    int64_t newest_ms;
    size_t lane; /* The source's place in configured order. */
};

struct merge {
    struct merge_entry *entries; /* Lent: one for each source. entries[0] is next. */
    size_t count;
};

void merge_init(struct merge *merge, struct merge_entry *entries);
void merge_add(struct merge *merge, size_t lane, int64_t newest_ms);

/* Put the first entry where it belongs now. */
void merge_sink(struct merge *merge);

/* The newest event of the source that is next may have moved; it never moves back. */
static inline void merge_move(struct merge *merge, int64_t newest_ms)
{
    must(newest_ms >= merge->entries[0].newest_ms);

    if (newest_ms > merge->entries[0].newest_ms) {
        merge->entries[0].newest_ms = newest_ms;
        if (merge->count > 1) {
            merge_sink(merge);
        }
    }
}

/* The source that is next leaves. */
void merge_leave(struct merge *merge);

#endif
