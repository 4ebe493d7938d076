/*
 * index: which numbers stand under this hash?
 *
 * Open addressing over cells of eight bytes: half hash, half number. It compares no keys: the
 * caller looks at each number it is given, and decides on whole bytes. Cells are lent, zeroed,
 * a power of two of them and at least twice as many as numbers; so there is always an empty one.
 */
#ifndef CORE_INDEX_H
#define CORE_INDEX_H

#include "base/base.h"

#define INDEX_NONE UINT32_MAX

struct index {
    uint64_t *cells; /* hash << 32 | number + 1; 0: empty. Lent. */
    uint32_t mask;
};

/* How many cells so many numbers want. */
size_t index_cell_count(size_t number_count);

void index_init(struct index *index, uint64_t *cells, size_t cell_count);

/*
 * Walk over the numbers under a hash: begin with index_first, go on with index_next until
 * INDEX_NONE. Between the two nothing may be added or removed.
 */
uint32_t index_first(const struct index *index, uint32_t hash, uint32_t *ret_cell);
uint32_t index_next(const struct index *index, uint32_t hash, uint32_t *cell);

void index_add(struct index *index, uint32_t hash, uint32_t number);

/* The number stands under the hash (a must). */
void index_remove(struct index *index, uint32_t hash, uint32_t number);

static inline void index_prefetch(const struct index *index, uint32_t hash)
{
    __builtin_prefetch(&index->cells[hash & index->mask]);
}

#endif
