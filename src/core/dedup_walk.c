/* What asks for a walk over the whole memory. */
#include "core/dedup_parts.h"

#include <string.h>

/* Fixed, so that two memories with different keys can be compared. */
static const struct siphash_key walk_key = {UINT64_C(0x7061796f6e6365), 1};

/* An id with all that is remembered of it, as bytes that do not depend on where it stands. */
static uint64_t slot_sum(const struct dedup *dedup, const struct dedup_node *node, int slot)
{
    uint8_t bytes[32 + IDENT_TEXT_MAX] = {0};
    const struct dedup_slot *at = &node->slots[slot];
    int64_t event_ms = dedup_event_ms(node, slot);
    uint64_t place = at->place >> 8;
    struct span text = {at->ident.bytes, sizeof(at->ident)};

    if (dedup_kind(node, slot) == IDENT_LONG) {
        uint64_t stands;
        memcpy(&stands, at->ident.bytes, sizeof(stands));
        text = dedup_text_at(dedup, stands).text;
    }
    bytes[0] = (uint8_t)dedup_kind(node, slot);
    memcpy(bytes + 8, &event_ms, sizeof(event_ms));
    memcpy(bytes + 16, &place, sizeof(place));
    memcpy(bytes + 32, text.at, text.size);
    return siphash(&walk_key, (struct span){bytes, 32 + text.size});
}

static uint64_t node_sum(const struct dedup *dedup, uint32_t unit, const struct dedup_now *now)
{
    const struct dedup_node *node = dedup_node(dedup, unit);
    uint64_t sum = 0;

    for (int slot = 0; slot < dedup_slots(dedup, unit); slot++) {
        if (node->tags[slot] != TAG_EMPTY && !dedup_forgotten(now, dedup_event_ms(node, slot))) {
            sum += slot_sum(dedup, node, slot);
        }
    }
    return sum;
}

uint64_t dedup_hash(const struct dedup *dedup, const struct dedup_now *now)
{
    uint64_t sum = 0;

    for (uint32_t bucket = 0; bucket < dedup->bucket_count; bucket++) {
        uint32_t unit = dedup_bucket_unit(bucket);
        do {
            sum += node_sum(dedup, unit, now);
            unit = dedup_node(dedup, unit)->next;
        } while (unit != 0);
    }
    return sum;
}

static int64_t oldest_of_all(const struct dedup *dedup)
{
    int64_t oldest_ms = INT64_MAX;

    for (uint32_t bucket = 0; bucket < dedup->bucket_count; bucket++) {
        int64_t bucket_ms = dedup_bucket_oldest_ms(dedup, bucket);
        oldest_ms = bucket_ms < oldest_ms ? bucket_ms : oldest_ms;
    }
    return oldest_ms;
}

uint64_t dedup_bytes_wanted(const struct dedup *dedup, const struct dedup_now *now,
                            int64_t newest_ms, int64_t lateness_ms)
{
    uint64_t bytes = (uint64_t)dedup->unit_count * DEDUP_UNIT_SIZE;
    int64_t covered_ms = newest_ms - oldest_of_all(dedup) + 1;
    int64_t wanted_ms = lateness_ms + now->retention_ms;

    if (covered_ms < 1 || wanted_ms < covered_ms) {
        return bytes + bytes / 4; /* All there is, and more is coming: a step up. */
    }
    uint64_t times = (uint64_t)(wanted_ms / (covered_ms / 16 + 1)) + 1; /* In sixteenths. */
    return bytes / 16 * times + bytes / 4;
}
