#include "engine/whereabouts.h"

/* Offsets have 44 bits (OFFSET_MAX); one more than source and offset, so that 0 stays free. */
static uint64_t place_of(uint16_t source, uint64_t offset)
{
    return ((uint64_t)source << 44 | offset) + 1;
}

static struct whereabouts_entry *entry_of(const struct whereabouts *whereabouts, uint64_t place)
{
    uint64_t hash = place * UINT64_C(0x9e3779b97f4a7c15);

    return &whereabouts->entries[hash >> 44];
}

_Static_assert(WHEREABOUTS_COUNT == 1 << (64 - 44), "the top bits of the hash");

void whereabouts_add(struct whereabouts *whereabouts, uint16_t source, uint64_t offset,
                     uint64_t epoch)
{
    uint64_t place = place_of(source, offset);

    *entry_of(whereabouts, place) = (struct whereabouts_entry){place, epoch};
}

void whereabouts_prefetch(const struct whereabouts *whereabouts, uint16_t source, uint64_t offset)
{
    __builtin_prefetch(entry_of(whereabouts, place_of(source, offset)), 1);
}

uint64_t whereabouts_find(const struct whereabouts *whereabouts, uint16_t source, uint64_t offset)
{
    uint64_t place = place_of(source, offset);
    const struct whereabouts_entry *entry = entry_of(whereabouts, place);

    return entry->place == place ? entry->epoch : 0;
}
