#include "source/lines.h"

#include "base/instant.h"

#include <string.h>

static uint32_t saturated(uint64_t size)
{
    return size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

static uint32_t kept_of(uint64_t size)
{
    return size <= MESSAGE_SIZE_MAX ? (uint32_t)size : MESSAGE_SIZE_MAX + 1;
}

size_t lines_cut(struct source_block *block, uint64_t position, uint64_t offset, bool last)
{
    const uint8_t *bytes = block->bytes;
    size_t at = 0;

    must(block->size <= block->capacity);
    block->line_count = 0;
    while (at < block->size && block->line_count < block->line_capacity) {
        const uint8_t *newline = memchr(bytes + at, '\n', block->size - at);
        if (newline == NULL && !last) {
            break;
        }
        size_t end = newline == NULL ? block->size : (size_t)(newline - bytes) + 1;
        uint32_t behind = newline == NULL ? 0 : 1;
        if (newline != NULL && newline > bytes + at && newline[-1] == '\r') {
            behind = 2;
        }
        size_t size = end - behind - at;
        block->lines[block->line_count++] = (struct source_line){
            .at = (uint32_t)at,
            .kept = kept_of(size),
            .size = saturated(size),
            .behind = behind,
            .end = position + end,
            .offset = offset++,
            .stamp_ms = INSTANT_NONE,
        };
        at = end;
    }
    block->next = offset;
    return at;
}

uint32_t lines_behind(uint64_t length, const uint8_t last_two[2])
{
    if (length < 1 || last_two[1] != '\n') {
        return 0;
    }
    return length >= 2 && last_two[0] == '\r' ? 2 : 1;
}

void lines_skipped(struct source_block *block, uint64_t begin, uint64_t end, uint32_t behind,
                   uint64_t offset)
{
    uint64_t size = end - begin - behind;

    block->size = kept_of(size);
    block->line_count = 1;
    block->lines[0] = (struct source_line){
        .at = 0,
        .kept = kept_of(size),
        .size = saturated(size),
        .behind = behind,
        .end = end,
        .offset = offset,
        .stamp_ms = INSTANT_NONE,
    };
    block->next = offset + 1;
}
