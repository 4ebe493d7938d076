/*
 * dedup_parts: how dedup lays out its memory; for dedup's own files, nobody else's.
 *
 * A node is a run of slots behind a head: a bucket (two units) or what overflowed it (one unit),
 * linked from the bucket on. A chunk holds texts of long ids, one behind the other:
 * 8 bytes hash, 1 byte length, the text, zero-padded to 8.
 */
#ifndef CORE_DEDUP_PARTS_H
#define CORE_DEDUP_PARTS_H

#include "core/dedup.h"

#include <string.h>

enum {
    BUCKET_UNITS = 2,
    BUCKET_SLOTS = 15,
    SPILL_SLOTS = 7,
    CHUNK_UNITS = 16,
    CHUNK_SIZE = CHUNK_UNITS * DEDUP_UNIT_SIZE,
    TAG_EMPTY = 0,
};

struct dedup_slot {
    struct ident ident;
    uint64_t place;
    uint32_t time_low;
    uint32_t digest;
};

struct dedup_node {
    uint8_t tags[BUCKET_SLOTS]; /* TAG_EMPTY: a free slot. */
    uint8_t used;
    uint8_t highs[8]; /* Four bits a slot: kind, and bits 40 and 41 of the time. */
    uint32_t next;    /* Unit of the next spill of this bucket; 0: none. Free: the next free. */
    uint32_t eldest;  /* Of a bucket, for its whole chain: ~seconds since INSTANT_MIN_MS of an */
                      /* event no later than any in it, so that untouched memory says: none. */
    struct dedup_slot slots[BUCKET_SLOTS]; /* Of a spill: the first SPILL_SLOTS. */
};

_Static_assert(sizeof(struct dedup_slot) == 32, "thirty-two bytes an id");
_Static_assert(sizeof(struct dedup_node) == BUCKET_UNITS * DEDUP_UNIT_SIZE, "two units");
_Static_assert(offsetof(struct dedup_node, slots[SPILL_SLOTS]) == DEDUP_UNIT_SIZE, "one unit");

struct dedup_chunk {
    uint32_t next; /* Unit of the chunk taken after it; 0: none. */
    uint32_t used; /* Bytes, this head included. */
    int64_t newest_ms;
    uint8_t bytes[CHUNK_SIZE - 16];
};

_Static_assert(sizeof(struct dedup_chunk) == CHUNK_SIZE, "no padding");

struct dedup_text {
    uint64_t hash;
    struct span text;
};

static inline struct dedup_node *dedup_node(const struct dedup *dedup, uint32_t unit)
{
    return (struct dedup_node *)(void *)(dedup->units + (size_t)unit * DEDUP_UNIT_SIZE);
}

/* The first two units stand empty: unit 0 means none. */
static inline uint32_t dedup_bucket_unit(uint32_t bucket)
{
    return BUCKET_UNITS * (bucket + 1);
}

static inline int dedup_slots(const struct dedup *dedup, uint32_t unit)
{
    return unit < dedup_bucket_unit(dedup->bucket_count) ? BUCKET_SLOTS : SPILL_SLOTS;
}

static inline uint32_t dedup_bucket(const struct dedup *dedup, uint64_t hash)
{
    uint32_t bucket = (uint32_t)hash & (2 * dedup->level_mask + 1);

    return bucket < dedup->bucket_count ? bucket : bucket & dedup->level_mask;
}

static inline int64_t dedup_event_ms(const struct dedup_node *node, int slot)
{
    uint64_t high = (node->highs[slot / 2] >> (slot % 2 * 4 + 2)) & 3;
    uint64_t middle = node->slots[slot].place & 0xff;

    return INSTANT_MIN_MS +
           (int64_t)(high << 40 | middle << 32 | (uint64_t)node->slots[slot].time_low);
}

static inline enum ident_kind dedup_kind(const struct dedup_node *node, int slot)
{
    return (enum ident_kind)((node->highs[slot / 2] >> (slot % 2 * 4)) & 3);
}

/* Units between the buckets at the front and what is taken from the back. */
static inline uint32_t dedup_gap(const struct dedup *dedup)
{
    return dedup->unit_count - dedup_bucket_unit(dedup->bucket_count) - dedup->back_units;
}

/* Units from the back; 0: none left. */
uint32_t dedup_take_units(struct dedup *dedup, uint32_t count);

/* Let go of the oldest chunks, whose texts are all forgotten. */
void dedup_text_sweep(struct dedup *dedup, const struct dedup_now *now);

/* Have room for a text of this length. False: no units left. */
MUST_USE bool dedup_text_room(struct dedup *dedup, size_t size);

/* Keep it; there is room. Returns where it stands. */
uint64_t dedup_text_add(struct dedup *dedup, const struct dedup_id *id, int64_t event_ms);

/* What stands there; the id must not be forgotten. */
struct dedup_text dedup_text_at(const struct dedup *dedup, uint64_t place);

/* The hash by which this slot's id was placed; it must not be forgotten. */
uint64_t dedup_slot_hash(const struct dedup *dedup, const struct dedup_node *node, int slot);

/* Empty what is forgotten in this bucket and its spills; give empty spills back. */
void dedup_bucket_sweep(struct dedup *dedup, uint32_t bucket, const struct dedup_now *now);

/* Split the next bucket in two. The caller has made sure of the units. */
void dedup_split(struct dedup *dedup, const struct dedup_now *now);

/* A free slot in the bucket's chain, a spill added if need be. False: no units left. */
MUST_USE bool dedup_slot_find(struct dedup *dedup, uint32_t bucket, uint32_t *ret_unit,
                              int *ret_slot);

/* Fill a free slot of a chain, whose bucket may have to become elder by it. */
void dedup_slot_fill(struct dedup_node *node, int slot, uint8_t tag, enum ident_kind kind,
                     const struct dedup_slot *from, int64_t event_ms);
void dedup_bucket_age(struct dedup *dedup, uint32_t bucket, int64_t event_ms);

/* No event in this bucket is older, to the second; INT64_MAX: it is empty. */
int64_t dedup_bucket_oldest_ms(const struct dedup *dedup, uint32_t bucket);

/* Never TAG_EMPTY; the low bits find the bucket. */
static inline uint8_t dedup_tag(uint64_t hash)
{
    return (uint8_t)(hash >> 56 | 0x80);
}

#define EACH_TAG UINT64_C(0x0101010101010101)
#define EACH_TOP UINT64_C(0x8080808080808080)

/* The first free slot of a node; where none is free in a bucket, BUCKET_SLOTS. */
static inline int dedup_free_slot(const struct dedup_node *node)
{
    uint64_t low, high;

    memcpy(&low, node->tags, sizeof(low));
    memcpy(&high, node->tags + sizeof(low), sizeof(high)); /* Its last byte is used, and small. */
    low = ~low & EACH_TOP;
    return low != 0 ? __builtin_ctzll(low) / 8 : 8 + __builtin_ctzll(~high & EACH_TOP) / 8;
}

#endif
