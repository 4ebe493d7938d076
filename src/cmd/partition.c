#include "cmd/partition.h"

enum { MIX_SHIFT = 24 };

#define SEED UINT32_C(0x9747b28c)
#define MIX UINT32_C(0x5bd1e995)

/* Little-endian, whatever the machine. */
static uint32_t word_at(const uint8_t *at, size_t size)
{
    uint32_t word = 0;

    for (size_t index = 0; index < size; index++) {
        word |= (uint32_t)at[index] << (8 * index);
    }
    return word;
}

uint32_t partition_hash(struct span key)
{
    const uint8_t *at = key.at;
    size_t left = key.size;
    uint32_t hash = SEED ^ (uint32_t)key.size;

    for (; left >= 4; at += 4, left -= 4) {
        uint32_t word = word_at(at, 4) * MIX;
        word = (word ^ word >> MIX_SHIFT) * MIX;
        hash = hash * MIX ^ word;
    }
    if (left > 0) {
        hash = (hash ^ word_at(at, left)) * MIX;
    }
    hash = (hash ^ hash >> 13) * MIX;
    return hash ^ hash >> 15;
}

uint32_t partition_of(struct span key, uint32_t partition_count)
{
    must(partition_count >= 1);
    return (partition_hash(key) & INT32_MAX) % partition_count;
}
