#include "core/dedup_parts.h"

#include <string.h>

/*
 * Ids a bucket may hold on average before the next one is split. More would save memory and cost
 * look-ups into spills: at 14, of 15 slots, an id takes 44 to 46 bytes while the memory grows.
 */
enum { GROW_ENTRIES = 14 };

/* Buckets that are drawn near before the hand comes to them. */
enum { SWEEP_AHEAD = 8 };

/* The last part of the memory, in eighths of it, is left to spills and texts. */
enum { BACK_SHARE = 8 };

void dedup_init(struct dedup *dedup, const struct siphash_key *key,
                const struct dedup_memory *memory)
{
    must(memory->unit_count >= DEDUP_UNITS_MIN);
    must(memory->unit_count < UINT32_MAX / 2);
    must((uintptr_t)memory->units % 64 == 0);
    *dedup = (struct dedup){
        .key = *key,
        .units = memory->units,
        .unit_count = (uint32_t)memory->unit_count,
        .bucket_count = 1,
        .oldest_ms = INT64_MAX,
        .circle_ms = INT64_MAX,
    };
}

void dedup_prefetch(const struct dedup *dedup, uint64_t hash)
{
    const struct dedup_node *node = dedup_node(dedup, dedup_bucket_unit(dedup_bucket(dedup, hash)));

    __builtin_prefetch(node);
}

static int64_t earlier_of(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

/* A bit at the top of each byte that equals the tag; above one, also of some that do not. */
static uint64_t tags_like(const uint8_t *tags, uint8_t tag)
{
    uint64_t word;

    memcpy(&word, tags, sizeof(word));
    word ^= EACH_TAG * tag;
    return (word - EACH_TAG) & ~word & EACH_TOP;
}

void dedup_prefetch_slot(const struct dedup *dedup, uint64_t hash)
{
    const struct dedup_node *node = dedup_node(dedup, dedup_bucket_unit(dedup_bucket(dedup, hash)));
    uint64_t low = tags_like(node->tags, dedup_tag(hash));
    uint64_t high = tags_like(node->tags + 8, dedup_tag(hash));
    int slot = dedup_free_slot(node);

    if (low != 0) {
        slot = __builtin_ctzll(low) / 8;
    } else if (high != 0) {
        slot = 8 + __builtin_ctzll(high) / 8;
    }
    __builtin_prefetch(&node->slots[slot < BUCKET_SLOTS ? slot : 0], 1);
    if (node->next != 0) {
        __builtin_prefetch(dedup_node(dedup, node->next));
    }
}

static bool slot_is(const struct dedup *dedup, const struct dedup_node *node, int slot,
                    const struct dedup_id *id)
{
    const struct dedup_slot *at = &node->slots[slot];
    uint64_t place;

    if (dedup_kind(node, slot) != id->kind) {
        return false;
    }
    if (id->kind != IDENT_LONG) {
        return ident_same(&at->ident, &id->ident);
    }
    if (memcmp(at->ident.bytes + 8, id->ident.bytes + 8, 8) != 0) {
        return false;
    }
    memcpy(&place, at->ident.bytes, sizeof(place));
    struct dedup_text text = dedup_text_at(dedup, place);
    return text.text.size == id->text.size && memcmp(text.text.at, id->text.at, id->text.size) == 0;
}

/* The slot of this id among those whose tags are in the word, or -1. A forgotten one is none. */
static int find_among(const struct dedup *dedup, const struct dedup_node *node, int first_slot,
                      uint64_t like, const struct dedup_id *id, const struct dedup_now *now)
{
    for (; like != 0; like &= like - 1) {
        int slot = first_slot + __builtin_ctzll(like) / 8;
        if (node->tags[slot] == dedup_tag(id->hash) &&
            !dedup_forgotten(now, dedup_event_ms(node, slot)) && slot_is(dedup, node, slot, id)) {
            return slot;
        }
    }
    return -1;
}

static int find_in_node(const struct dedup *dedup, uint32_t unit, const struct dedup_id *id,
                        const struct dedup_now *now)
{
    const struct dedup_node *node = dedup_node(dedup, unit);
    uint8_t tag = dedup_tag(id->hash);
    const uint64_t seven = EACH_TOP >> 8; /* The eighth byte is no tag of this node. */
    bool spill = dedup_slots(dedup, unit) == SPILL_SLOTS;
    uint64_t like = tags_like(node->tags, tag);
    int slot = find_among(dedup, node, 0, spill ? like & seven : like, id, now);

    if (slot < 0 && !spill) {
        like = tags_like(node->tags + 8, tag);
        slot = find_among(dedup, node, 8, like & seven, id, now);
    }
    return slot;
}

bool dedup_find(const struct dedup *dedup, const struct dedup_id *id, const struct dedup_now *now,
                struct dedup_first *ret_first)
{
    uint32_t unit = dedup_bucket_unit(dedup_bucket(dedup, id->hash));

    do {
        const struct dedup_node *node = dedup_node(dedup, unit);
        int slot = find_in_node(dedup, unit, id, now);
        if (slot >= 0) {
            *ret_first = (struct dedup_first){
                .source = (uint16_t)(node->slots[slot].place >> 52),
                .offset = node->slots[slot].place >> 8 & OFFSET_MAX,
                .event_ms = dedup_event_ms(node, slot),
                .digest = node->slots[slot].digest,
            };
            return true;
        }
        unit = node->next;
    } while (unit != 0);
    return false;
}

/* May there be so many buckets? */
static bool buckets_fit(const struct dedup *dedup, uint32_t count)
{
    uint32_t kept = dedup->unit_count / BACK_SHARE;
    uint32_t back = dedup->back_units > kept ? dedup->back_units : kept;

    return dedup_bucket_unit(count) + back <= dedup->unit_count;
}

static bool may_split(const struct dedup *dedup)
{
    uint32_t spills = 0;

    if (!buckets_fit(dedup, dedup->bucket_count + 1)) {
        return false;
    }
    uint32_t unit = dedup_bucket_unit(dedup->bucket_count & dedup->level_mask);
    while ((unit = dedup_node(dedup, unit)->next) != 0) {
        spills++;
    }
    return dedup_gap(dedup) >= BUCKET_UNITS + spills;
}

/* What the split after this one will touch: some fourteen ids from now. */
static void prefetch_split(const struct dedup *dedup)
{
    uint32_t bucket = dedup->bucket_count & dedup->level_mask;
    const struct dedup_node *node = dedup_node(dedup, dedup_bucket_unit(bucket));
    const struct dedup_node *fresh = dedup_node(dedup, dedup_bucket_unit(dedup->bucket_count));

    for (int slot = 0; slot < BUCKET_SLOTS; slot += 2) {
        __builtin_prefetch(&node->slots[slot]);
        __builtin_prefetch(&fresh->slots[slot], 1);
    }
}

/* At most two splits, so that no id pays for many. */
static void grow(struct dedup *dedup, const struct dedup_now *now)
{
    for (int step = 0; step < 2; step++) {
        if (dedup->entry_count < (uint64_t)dedup->bucket_count * GROW_ENTRIES ||
            !may_split(dedup)) {
            return;
        }
        dedup_split(dedup, now);
        prefetch_split(dedup);
    }
}

struct span dedup_expect(struct dedup *dedup, uint64_t ids)
{
    uint64_t wanted = ids / GROW_ENTRIES;

    must(dedup->bucket_count == 1);
    must(dedup->entry_count == 0);
    must(dedup->back_units == 0);
    if (wanted > dedup->unit_count / BUCKET_UNITS) {
        wanted = dedup->unit_count / BUCKET_UNITS;
    }
    uint32_t count = (uint32_t)wanted;
    while (count > 1 && !buckets_fit(dedup, count)) {
        count -= count / 64 + 1;
    }
    if (count > 1) {
        dedup->bucket_count = count;
        dedup->level_mask = UINT32_MAX >> (__builtin_clz(count) + 1);
    }
    return (struct span){dedup->units,
                         (size_t)dedup_bucket_unit(dedup->bucket_count) * DEDUP_UNIT_SIZE};
}

static bool has_room(struct dedup *dedup, const struct dedup_id *id)
{
    uint32_t unit;
    int slot;

    return dedup_slot_find(dedup, dedup_bucket(dedup, id->hash), &unit, &slot) &&
           (id->kind != IDENT_LONG || dedup_text_room(dedup, id->text.size));
}

bool dedup_make_room(struct dedup *dedup, const struct dedup_id *id, const struct dedup_now *now)
{
    uint32_t bucket = dedup_bucket(dedup, id->hash);

    if (dedup_node(dedup, dedup_bucket_unit(bucket))->used == BUCKET_SLOTS) {
        dedup_bucket_sweep(dedup, bucket, now);
    }
    if (id->kind == IDENT_LONG) {
        dedup_text_sweep(dedup, now);
    }
    if (has_room(dedup, id)) {
        return true;
    }
    dedup_sweep_all(dedup, now); /* Before saying no, all that could be swept is. */
    return has_room(dedup, id);
}

void dedup_add(struct dedup *dedup, const struct dedup_id *id, const struct dedup_first *first,
               const struct dedup_now *now)
{
    uint64_t time = (uint64_t)(first->event_ms - INSTANT_MIN_MS);
    struct dedup_slot slot = {
        .ident = id->ident,
        .place = (uint64_t)first->source << 52 | first->offset << 8 | (time >> 32 & 0xff),
        .time_low = (uint32_t)time,
        .digest = first->digest,
    };
    uint32_t bucket = dedup_bucket(dedup, id->hash);
    uint32_t unit;
    int free;

    must(first->source < SOURCES_MAX);
    must(first->offset <= OFFSET_MAX);
    must(first->event_ms >= INSTANT_MIN_MS);
    must(first->event_ms < INSTANT_MAX_MS);
    bool found = dedup_slot_find(dedup, bucket, &unit, &free);
    must(found);
    if (id->kind == IDENT_LONG) {
        uint64_t place = dedup_text_add(dedup, id, first->event_ms);
        memcpy(slot.ident.bytes, &place, sizeof(place));
    }
    dedup_slot_fill(dedup_node(dedup, unit), free, dedup_tag(id->hash), id->kind, &slot,
                    first->event_ms);
    dedup_bucket_age(dedup, bucket, first->event_ms);
    dedup->oldest_ms = earlier_of(dedup->oldest_ms, first->event_ms);
    dedup->circle_ms = earlier_of(dedup->circle_ms, first->event_ms);
    dedup->entry_count++;
    grow(dedup, now);
}

void dedup_forget(struct dedup *dedup, const struct dedup_id *id, const struct dedup_now *now)
{
    uint32_t unit = dedup_bucket_unit(dedup_bucket(dedup, id->hash));
    int slot = find_in_node(dedup, unit, id, now);

    while (slot < 0) {
        unit = dedup_node(dedup, unit)->next;
        must(unit != 0);
        slot = find_in_node(dedup, unit, id, now);
    }
    dedup_node(dedup, unit)->tags[slot] = TAG_EMPTY;
    dedup_node(dedup, unit)->used--;
    dedup->entry_count--;
}

/* The head of a bucket some steps on; all of one less far, if it will have to be swept. */
static void prefetch_sweep(const struct dedup *dedup, const struct dedup_now *now)
{
    uint32_t near = dedup->hand + SWEEP_AHEAD / 2;

    __builtin_prefetch(dedup_node(dedup, dedup_bucket_unit(dedup->hand + SWEEP_AHEAD)));
    if (near < dedup->bucket_count && dedup_bucket_oldest_ms(dedup, near) != INT64_MAX &&
        dedup_forgotten(now, dedup_bucket_oldest_ms(dedup, near))) {
        const struct dedup_node *node = dedup_node(dedup, dedup_bucket_unit(near));
        for (int slot = 1; slot < BUCKET_SLOTS; slot += 2) {
            __builtin_prefetch(&node->slots[slot]);
        }
    }
}

/* One bucket further; once around, it is known again how old the oldest of all is. */
static void sweep_step(struct dedup *dedup, const struct dedup_now *now)
{
    if (dedup->hand >= dedup->bucket_count) {
        dedup->hand = 0;
        dedup->oldest_ms = dedup->circle_ms;
        dedup->circle_ms = INT64_MAX;
    }
    prefetch_sweep(dedup, now);
    dedup_bucket_sweep(dedup, dedup->hand, now);
    dedup->circle_ms = earlier_of(dedup->circle_ms, dedup_bucket_oldest_ms(dedup, dedup->hand));
    dedup->hand++;
}

void dedup_sweep(struct dedup *dedup, const struct dedup_now *now)
{
    for (int step = 0; step < DEDUP_SWEEP_STEPS; step++) {
        if (dedup->oldest_ms == INT64_MAX || !dedup_forgotten(now, dedup->oldest_ms)) {
            return;
        }
        sweep_step(dedup, now);
    }
}

void dedup_sweep_all(struct dedup *dedup, const struct dedup_now *now)
{
    for (uint32_t bucket = 0; dedup->entry_count > 0 && bucket < dedup->bucket_count; bucket++) {
        dedup_bucket_sweep(dedup, bucket, now);
    }
    dedup_text_sweep(dedup, now);
}

uint64_t dedup_bytes_touched(const struct dedup *dedup)
{
    return ((uint64_t)dedup_bucket_unit(dedup->bucket_count) + dedup->back_units) * DEDUP_UNIT_SIZE;
}

struct span dedup_ahead(const struct dedup *dedup, size_t size)
{
    size_t left = (size_t)dedup_gap(dedup) * DEDUP_UNIT_SIZE;

    return (struct span){dedup_node(dedup, dedup_bucket_unit(dedup->bucket_count)),
                         size < left ? size : left};
}
