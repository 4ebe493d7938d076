/*
 * whereabouts: which epoch holds the accepted payment at this place?
 *
 * A direct-mapped table of the latest accepted payments, for conflicts: to name the field that
 * differs, the first payment's row is read again from its epoch. It may not know (an older
 * payment; then others are asked); it is never wrong. What follows in a source follows here, so
 * adding misses no cache.
 */
#ifndef ENGINE_WHEREABOUTS_H
#define ENGINE_WHEREABOUTS_H

#include "base/base.h"

enum { WHEREABOUTS_COUNT = 1 << 20 };

struct whereabouts_entry {
    uint64_t place; /* source and offset packed, plus 1; 0: empty. */
    uint64_t epoch;
};

struct whereabouts {
    struct whereabouts_entry *entries; /* Lent, zeroed: WHEREABOUTS_COUNT. */
};

void whereabouts_add(struct whereabouts *whereabouts, uint16_t source, uint64_t offset,
                     uint64_t epoch);

/* 0: not known. */
uint64_t whereabouts_find(const struct whereabouts *whereabouts, uint16_t source, uint64_t offset);

#endif
