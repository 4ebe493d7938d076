#include "source/source.h"

#include "base/checksum.h"
#include "source/fingerprint.h"

#include <string.h>

enum outcome source_open(struct source *source, const struct source_type *type, const char *path,
                         struct fault *ret_fault)
{
    size_t size = strlen(path);

    if (size > TOPIC_TEXT_MAX) {
        return fault_is(ret_fault, BROKEN, FAULT_SOURCE_LIMIT,
                        "a path of %zu bytes: at most %d can be recorded: %.60s...", size,
                        TOPIC_TEXT_MAX, path);
    }
    memset(source, 0, type->size);
    source->type = type;
    source->start = 1;
    memcpy(source->origin.topic, path, size);
    return type->open(source, path, ret_fault);
}

enum outcome source_assign(struct source *source, uint64_t next,
                           const struct fingerprint *fingerprint, struct fault *ret_fault)
{
    must(next >= source->start);
    return source->type->assign(source, next, fingerprint, ret_fault);
}

enum outcome source_read(struct source *source, struct source_block *block, struct fault *ret_fault)
{
    must(block->capacity >= SOURCE_BLOCK_MIN);
    must(block->target >= 1);
    must(block->line_capacity >= 1);

    block->size = 0;
    block->line_count = 0;
    block->next = 0;
    block->ended = false;
    enum outcome outcome = source->type->read(source, block, ret_fault);
    must(outcome != REFUSED);
    must(outcome != DONE || block->next > 0 || block->ended);
    must(block->line_count == 0 || block->lines[block->line_count - 1].offset < block->next);
    return outcome;
}

void source_close(struct source *source)
{
    source->type->close(source);
}

void source_fingerprint(const struct source *source, const struct source_line *line,
                        const uint8_t *bytes, struct fingerprint *ret_fingerprint)
{
    source->type->fingerprint(source, line, bytes, ret_fingerprint);
}

void source_watch(struct source *source, void (*wake)(void *context), void *context)
{
    must(source_live(source));
    source->type->watch(source, wake, context);
}

void source_sight(struct source *source, struct source_sight *ret_sight)
{
    must(source_live(source));
    source->type->sight(source, ret_sight);
}

void line_fingerprint(const struct source *source, const struct source_line *line,
                      const uint8_t *bytes, struct fingerprint *ret_fingerprint)
{
    uint64_t length = (uint64_t)line->size + line->behind;
    struct line_mark mark = {
        .position = line->end,
        .device = source->device,
        .inode = source->inode,
        .length = length < UINT32_MAX ? (uint32_t)length : UINT32_MAX,
        .checksum = checksum(0, (struct span){bytes + line->at, line->kept}),
    };

    memcpy(ret_fingerprint->bytes, &mark, sizeof(mark));
}

bool fingerprint_read(const struct fingerprint *fingerprint, struct line_mark *ret_mark)
{
    memcpy(ret_mark, fingerprint->bytes, sizeof(*ret_mark));
    return ret_mark->position > 0;
}
