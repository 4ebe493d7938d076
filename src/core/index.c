#include "core/index.h"

size_t index_cell_count(size_t number_count)
{
    size_t count = 2;

    while (count < 2 * number_count) {
        count *= 2;
    }
    return count;
}

void index_init(struct index *index, uint64_t *cells, size_t cell_count)
{
    must(cell_count >= 2);
    must((cell_count & (cell_count - 1)) == 0);
    must(cell_count <= UINT32_MAX);
    *index = (struct index){cells, (uint32_t)cell_count - 1};
}

/* The number under this hash in the first cell from here on, before an empty one. */
static uint32_t look_from(const struct index *index, uint32_t hash, uint32_t *cell)
{
    for (; index->cells[*cell] != 0; *cell = (*cell + 1) & index->mask) {
        if (index->cells[*cell] >> 32 == hash) {
            return (uint32_t)index->cells[*cell] - 1;
        }
    }
    return INDEX_NONE;
}

uint32_t index_first(const struct index *index, uint32_t hash, uint32_t *ret_cell)
{
    *ret_cell = hash & index->mask;
    return look_from(index, hash, ret_cell);
}

uint32_t index_next(const struct index *index, uint32_t hash, uint32_t *cell)
{
    *cell = (*cell + 1) & index->mask;
    return look_from(index, hash, cell);
}

void index_add(struct index *index, uint32_t hash, uint32_t number)
{
    uint32_t cell = hash & index->mask;

    must(number < INDEX_NONE);
    while (index->cells[cell] != 0) {
        cell = (cell + 1) & index->mask;
    }
    index->cells[cell] = (uint64_t)hash << 32 | (number + 1);
}

/* May what belongs at `home` stand in `hole`, coming from `cell`? Not if home is behind the hole.
 */
static bool may_move(uint32_t home, uint32_t hole, uint32_t cell, uint32_t mask)
{
    return ((cell - home) & mask) >= ((cell - hole) & mask);
}

/* What follows moves up, so that no walk ends too early (Knuth, 6.4 R). */
static void close_hole(struct index *index, uint32_t hole)
{
    uint32_t cell = (hole + 1) & index->mask;

    for (; index->cells[cell] != 0; cell = (cell + 1) & index->mask) {
        uint32_t home = (uint32_t)(index->cells[cell] >> 32) & index->mask;
        if (may_move(home, hole, cell, index->mask)) {
            index->cells[hole] = index->cells[cell];
            hole = cell;
        }
    }
    index->cells[hole] = 0;
}

void index_remove(struct index *index, uint32_t hash, uint32_t number)
{
    uint32_t cell;
    uint32_t found = index_first(index, hash, &cell);

    while (found != number) {
        must(found != INDEX_NONE);
        found = index_next(index, hash, &cell);
    }
    close_hole(index, cell);
}
