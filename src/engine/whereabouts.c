#include "engine/whereabouts.h"

/* Offsets have 44 bits (OFFSET_MAX); one more than source and offset, so that 0 stays free. */
static uint64_t place_of(uint16_t source, uint64_t offset)
{
    return ((uint64_t)source << 44 | offset) + 1;
}

/* Neighbours stand side by side, for a source is read in its order; sources far apart. */
static struct whereabouts_entry *entry_of(const struct whereabouts *whereabouts, uint16_t source,
                                          uint64_t offset)
{
    uint64_t apart = source * UINT64_C(0x9e3779b97f4a7c15) >> 44;

    return &whereabouts->entries[(offset + apart) % WHEREABOUTS_COUNT];
}

_Static_assert(WHEREABOUTS_COUNT == 1 << (64 - 44), "the top bits of a source's product");

void whereabouts_add(struct whereabouts *whereabouts, uint16_t source, uint64_t offset,
                     uint64_t epoch)
{
    *entry_of(whereabouts, source, offset) =
        (struct whereabouts_entry){place_of(source, offset), epoch};
}

uint64_t whereabouts_find(const struct whereabouts *whereabouts, uint16_t source, uint64_t offset)
{
    const struct whereabouts_entry *entry = entry_of(whereabouts, source, offset);

    return entry->place == place_of(source, offset) ? entry->epoch : 0;
}
