/* Buckets and their spills: filled, emptied, split. */
#include "core/dedup_parts.h"

#include "pay/decision.h"

#include <string.h>

uint64_t dedup_slot_hash(const struct dedup *dedup, const struct dedup_node *node, int slot)
{
    const struct dedup_slot *at = &node->slots[slot];
    enum ident_kind kind = dedup_kind(node, slot);

    if (kind == IDENT_LONG) {
        uint64_t place;
        memcpy(&place, at->ident.bytes, sizeof(place));
        return dedup_text_at(dedup, place).hash;
    }
    return ident_hash(&dedup->key, kind, &at->ident, (struct span){NULL, 0});
}

static uint32_t seconds_of(int64_t event_ms)
{
    return (uint32_t)((event_ms - INSTANT_MIN_MS) / 1000);
}

void dedup_slot_fill(struct dedup_node *node, int slot, uint8_t tag, enum ident_kind kind,
                     const struct dedup_slot *from, int64_t event_ms)
{
    int shift = slot % 2 * 4;
    uint32_t top = (uint32_t)((uint64_t)(event_ms - INSTANT_MIN_MS) >> 40);
    uint32_t nibble = ((uint32_t)kind | top << 2) << shift;

    must(node->tags[slot] == TAG_EMPTY);
    node->slots[slot] = *from;
    node->tags[slot] = tag;
    node->highs[slot / 2] = (uint8_t)((node->highs[slot / 2] & ~(15U << shift)) | nibble);
    node->used++;
}

void dedup_bucket_age(struct dedup *dedup, uint32_t bucket, int64_t event_ms)
{
    struct dedup_node *node = dedup_node(dedup, dedup_bucket_unit(bucket));
    uint32_t age = ~seconds_of(event_ms);

    if (age > node->eldest) {
        node->eldest = age;
    }
}

int64_t dedup_bucket_oldest_ms(const struct dedup *dedup, uint32_t bucket)
{
    uint32_t eldest = dedup_node(dedup, dedup_bucket_unit(bucket))->eldest;

    return eldest == 0 ? INT64_MAX : INSTANT_MIN_MS + (int64_t)~eldest * 1000;
}

static uint32_t take_spill(struct dedup *dedup)
{
    uint32_t unit = dedup->free_node;

    if (unit == 0) {
        unit = dedup_take_units(dedup, 1);
    } else {
        dedup->free_node = dedup_node(dedup, unit)->next;
    }
    if (unit != 0) {
        memset(dedup_node(dedup, unit), 0, offsetof(struct dedup_node, slots));
    }
    return unit;
}

bool dedup_slot_find(struct dedup *dedup, uint32_t bucket, uint32_t *ret_unit, int *ret_slot)
{
    uint32_t unit = dedup_bucket_unit(bucket);
    struct dedup_node *node = dedup_node(dedup, unit);

    while (node->used == dedup_slots(dedup, unit)) {
        if (node->next == 0) {
            node->next = take_spill(dedup);
        }
        if (node->next == 0) {
            return false;
        }
        unit = node->next;
        node = dedup_node(dedup, unit);
    }
    *ret_unit = unit;
    *ret_slot = dedup_free_slot(node);
    return true;
}

static void empty_slot(struct dedup_node *node, int slot)
{
    node->tags[slot] = TAG_EMPTY;
    node->used--;
}

/* Empty what is forgotten in one node; what stays makes its bucket as old as it is. */
static void node_sweep(struct dedup *dedup, uint32_t bucket, uint32_t unit,
                       const struct dedup_now *now)
{
    struct dedup_node *node = dedup_node(dedup, unit);

    for (int slot = 0; slot < dedup_slots(dedup, unit); slot++) {
        if (node->tags[slot] == TAG_EMPTY) {
            continue;
        }
        int64_t event_ms = dedup_event_ms(node, slot);
        if (dedup_forgotten(now, event_ms)) {
            empty_slot(node, slot);
            dedup->entry_count--;
        } else {
            dedup_bucket_age(dedup, bucket, event_ms);
        }
    }
}

/* A free slot in the chain before this spill. */
static bool earlier_slot(const struct dedup *dedup, uint32_t bucket, uint32_t spill,
                         struct dedup_node **ret_node, int *ret_slot)
{
    for (uint32_t unit = dedup_bucket_unit(bucket); unit != spill;
         unit = dedup_node(dedup, unit)->next) {
        struct dedup_node *node = dedup_node(dedup, unit);
        if (node->used < dedup_slots(dedup, unit)) {
            *ret_node = node;
            *ret_slot = dedup_free_slot(node);
            return true;
        }
    }
    return false;
}

static void carry(struct dedup_node *from, int slot, struct dedup_node *to, int free)
{
    dedup_slot_fill(to, free, from->tags[slot], dedup_kind(from, slot), &from->slots[slot],
                    dedup_event_ms(from, slot));
    empty_slot(from, slot);
}

static void spill_tighten(const struct dedup *dedup, uint32_t bucket, uint32_t unit)
{
    struct dedup_node *node = dedup_node(dedup, unit);
    struct dedup_node *to;
    int free;

    for (int slot = 0; slot < SPILL_SLOTS; slot++) {
        if (node->tags[slot] != TAG_EMPTY && earlier_slot(dedup, bucket, unit, &to, &free)) {
            carry(node, slot, to, free);
        }
    }
}

/* Carry what a spill holds into free slots before it; give it back once it is empty. */
static void chain_tighten(struct dedup *dedup, uint32_t bucket)
{
    uint32_t before = dedup_bucket_unit(bucket);
    uint32_t unit = dedup_node(dedup, before)->next;

    while (unit != 0) {
        struct dedup_node *node = dedup_node(dedup, unit);
        uint32_t next = node->next;
        spill_tighten(dedup, bucket, unit);
        if (node->used == 0) {
            dedup_node(dedup, before)->next = next;
            node->next = dedup->free_node;
            dedup->free_node = unit;
        } else {
            before = unit;
        }
        unit = next;
    }
}

void dedup_bucket_sweep(struct dedup *dedup, uint32_t bucket, const struct dedup_now *now)
{
    uint32_t unit = dedup_bucket_unit(bucket);
    struct dedup_node *first = dedup_node(dedup, unit);
    int64_t oldest_ms = dedup_bucket_oldest_ms(dedup, bucket);

    if (oldest_ms == INT64_MAX || !dedup_forgotten(now, oldest_ms)) {
        return;
    }
    first->eldest = 0;
    for (; unit != 0; unit = dedup_node(dedup, unit)->next) {
        node_sweep(dedup, bucket, unit, now);
    }
    if (first->next != 0) {
        chain_tighten(dedup, bucket);
    }
}

static void node_split(struct dedup *dedup, uint32_t unit, uint32_t new_bucket)
{
    struct dedup_node *node = dedup_node(dedup, unit);

    for (int slot = 0; slot < dedup_slots(dedup, unit); slot++) {
        uint32_t to;
        int free;
        if (node->tags[slot] == TAG_EMPTY ||
            dedup_bucket(dedup, dedup_slot_hash(dedup, node, slot)) != new_bucket) {
            continue;
        }
        bool found = dedup_slot_find(dedup, new_bucket, &to, &free);
        must(found);
        dedup_bucket_age(dedup, new_bucket, dedup_event_ms(node, slot));
        carry(node, slot, dedup_node(dedup, to), free);
    }
}

void dedup_split(struct dedup *dedup, const struct dedup_now *now)
{
    uint32_t new_bucket = dedup->bucket_count;
    uint32_t old_bucket = new_bucket & dedup->level_mask;
    uint32_t unit = dedup_bucket_unit(old_bucket);

    dedup_bucket_sweep(dedup, old_bucket, now); /* What is forgotten may have lost its text. */
    dedup->bucket_count++;
    if (dedup->bucket_count > 2 * dedup->level_mask + 1) {
        dedup->level_mask = 2 * dedup->level_mask + 1;
    }
    do {
        node_split(dedup, unit, new_bucket);
        unit = dedup_node(dedup, unit)->next;
    } while (unit != 0);
    chain_tighten(dedup, old_bucket);
}
