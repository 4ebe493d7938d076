#include "source/record_mark.h"

#include "base/checksum.h"
#include "base/instant.h"

#include <string.h>

enum { KIND_SHIFT = 32 }; /* A line's end: the key's size, and above it what there is. */

static uint32_t saturated(size_t size)
{
    return size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

static uint32_t kept(size_t size, uint32_t most)
{
    return size < most ? (uint32_t)size : most;
}

static uint32_t kind_of(const struct kafka_record *record)
{
    return RECORD_THERE | (record->key.at != NULL ? (uint32_t)RECORD_HAS_KEY : 0) |
           (record->value.at != NULL ? (uint32_t)RECORD_HAS_VALUE : 0);
}

bool record_mark_read(const struct fingerprint *fingerprint, struct record_mark *ret_mark)
{
    memcpy(ret_mark, fingerprint->bytes, sizeof(*ret_mark));
    return (ret_mark->kind & RECORD_THERE) != 0;
}

static int64_t stamp_of(const struct kafka_record *record)
{
    return record->stamp_ms > 0 ? record->stamp_ms : INSTANT_NONE;
}

void record_mark_of(const struct kafka_record *record, struct record_mark *ret_mark)
{
    uint32_t sum =
        checksum(0, (struct span){record->key.at, kept(record->key.size, RECORD_KEY_KEPT)});

    *ret_mark = (struct record_mark){
        .offset = record->offset,
        .stamp_ms = stamp_of(record),
        .key_size = saturated(record->key.size),
        .value_size = saturated(record->value.size),
        .checksum = checksum(
            sum, (struct span){record->value.at, kept(record->value.size, MESSAGE_SIZE_MAX + 1)}),
        .kind = kind_of(record),
    };
}

bool record_mark_same(const struct record_mark *left, const struct record_mark *right)
{
    return memcmp(left, right, sizeof(*left)) == 0;
}

bool record_keep(const struct kafka_record *record, struct source_block *block)
{
    uint32_t key_size = kept(record->key.size, RECORD_KEY_KEPT);
    uint32_t size = kept(record->value.size, MESSAGE_SIZE_MAX + 1);
    uint8_t *to = block->bytes + block->size;

    if (block->line_count == block->line_capacity ||
        block->capacity - block->size < (size_t)key_size + size) {
        return false;
    }
    if (key_size > 0) {
        memcpy(to, record->key.at, key_size);
    }
    if (size > 0) {
        memcpy(to + key_size, record->value.at, size);
    }
    block->lines[block->line_count++] = (struct source_line){
        .at = (uint32_t)block->size + key_size,
        .kept = size,
        .size = saturated(record->value.size),
        .behind = key_size,
        .end = (uint64_t)kind_of(record) << KIND_SHIFT | saturated(record->key.size),
        .offset = record->offset,
        .stamp_ms = stamp_of(record),
    };
    block->size += (size_t)key_size + size;
    return true;
}

void record_mark_of_line(const struct source_line *line, const uint8_t *bytes,
                         struct record_mark *ret_mark)
{
    const uint8_t *begin = bytes + line->at - line->behind;

    *ret_mark = (struct record_mark){
        .offset = line->offset,
        .stamp_ms = line->stamp_ms,
        .key_size = (uint32_t)line->end,
        .value_size = line->size,
        .checksum = checksum(0, (struct span){begin, (size_t)line->behind + line->kept}),
        .kind = (uint32_t)(line->end >> KIND_SHIFT),
    };
}
