/* The texts of long ids, in the order of acceptance. */
#include "core/dedup_parts.h"

#include <string.h>

enum { TEXT_HEAD = 9, CHUNK_HEAD = 16 };

static struct dedup_chunk *chunk_of(const struct dedup *dedup, uint32_t unit)
{
    return (struct dedup_chunk *)(void *)(dedup->units + (size_t)unit * DEDUP_UNIT_SIZE);
}

static size_t record_size(size_t text_size)
{
    return (TEXT_HEAD + text_size + 7) & ~(size_t)7;
}

uint32_t dedup_take_units(struct dedup *dedup, uint32_t count)
{
    if (dedup_gap(dedup) < count) {
        return 0;
    }
    dedup->back_units += count;
    return dedup->unit_count - dedup->back_units;
}

void dedup_text_sweep(struct dedup *dedup, const struct dedup_now *now)
{
    while (dedup->oldest_chunk != dedup->newest_chunk) {
        struct dedup_chunk *chunk = chunk_of(dedup, dedup->oldest_chunk);
        if (!dedup_forgotten(now, chunk->newest_ms)) {
            return;
        }
        uint32_t freed = dedup->oldest_chunk;
        dedup->oldest_chunk = chunk->next;
        chunk->next = dedup->free_chunk;
        dedup->free_chunk = freed;
    }
}

static uint32_t take_chunk(struct dedup *dedup)
{
    uint32_t unit = dedup->free_chunk;

    if (unit == 0) {
        return dedup_take_units(dedup, CHUNK_UNITS);
    }
    dedup->free_chunk = chunk_of(dedup, unit)->next;
    return unit;
}

bool dedup_text_room(struct dedup *dedup, size_t size)
{
    struct dedup_chunk *newest = chunk_of(dedup, dedup->newest_chunk);

    if (dedup->newest_chunk != 0 && CHUNK_SIZE - newest->used >= record_size(size)) {
        return true;
    }
    uint32_t unit = take_chunk(dedup);
    if (unit == 0) {
        return false;
    }
    struct dedup_chunk *chunk = chunk_of(dedup, unit);
    chunk->next = 0;
    chunk->used = CHUNK_HEAD;
    chunk->newest_ms = INSTANT_MIN_MS;
    if (dedup->newest_chunk == 0) {
        dedup->oldest_chunk = unit;
    } else {
        newest->next = unit;
    }
    dedup->newest_chunk = unit;
    return true;
}

uint64_t dedup_text_add(struct dedup *dedup, const struct dedup_id *id, int64_t event_ms)
{
    struct dedup_chunk *chunk = chunk_of(dedup, dedup->newest_chunk);
    uint8_t *to = (uint8_t *)chunk + chunk->used;
    uint64_t place = (uint64_t)dedup->newest_chunk * DEDUP_UNIT_SIZE + chunk->used;

    must(id->text.size <= IDENT_TEXT_MAX);
    must(CHUNK_SIZE - chunk->used >= record_size(id->text.size));
    memcpy(to, &id->hash, sizeof(id->hash));
    to[8] = (uint8_t)id->text.size;
    memcpy(to + TEXT_HEAD, id->text.at, id->text.size);
    chunk->used += (uint32_t)record_size(id->text.size);
    if (event_ms > chunk->newest_ms) {
        chunk->newest_ms = event_ms;
    }
    return place;
}

struct dedup_text dedup_text_at(const struct dedup *dedup, uint64_t place)
{
    const uint8_t *at = dedup->units + place;
    struct dedup_text text = {.text = {at + TEXT_HEAD, at[8]}};

    memcpy(&text.hash, at, sizeof(text.hash));
    return text;
}
