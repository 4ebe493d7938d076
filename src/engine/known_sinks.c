#include "engine/known_sinks.h"

#include "base/checksum.h"

#include <stdio.h>
#include <string.h>

static const char file_name[] = "sinks";
static const char new_name[] = "sinks.new";
static const char magic[8] = {'P', 'A', 'Y', 'S', 'I', 'N', 'K', '1'};

struct file_bytes {
    char magic[8];
    uint32_t checksum;
    uint32_t count;
    struct known_sink sinks[ENGINE_SINKS_MAX];
};

_Static_assert(sizeof(struct known_sink) == 1144, "as drawn in the header");
_Static_assert((int)SINK_NAME_MAX < (int)KNOWN_SINK_NAME_SIZE, "a sink's name fits");
_Static_assert((int)SINK_PATH_MAX < (int)KNOWN_SINK_PATH_SIZE, "a sink's path fits");

enum {
    HEAD_SIZE = offsetof(struct file_bytes, sinks),
    BEFORE = offsetof(struct file_bytes, count)
};

static size_t size_of(const struct file_bytes *bytes)
{
    return HEAD_SIZE + bytes->count * sizeof(bytes->sinks[0]);
}

static uint32_t checksum_of(const struct file_bytes *bytes)
{
    return checksum(0, (struct span){(const uint8_t *)bytes + BEFORE, size_of(bytes) - BEFORE});
}

static bool whole(const struct file_bytes *bytes, size_t size)
{
    return size >= HEAD_SIZE && memcmp(bytes->magic, magic, sizeof(magic)) == 0 &&
           bytes->count <= ENGINE_SINKS_MAX && size == size_of(bytes) &&
           bytes->checksum == checksum_of(bytes);
}

static void take(const struct file_bytes *bytes, struct known_sinks *ret_known)
{
    ret_known->count = bytes->count;
    memcpy(ret_known->sinks, bytes->sinks, bytes->count * sizeof(bytes->sinks[0]));
    for (size_t index = 0; index < ret_known->count; index++) {
        struct known_sink *sink = &ret_known->sinks[index];
        sink->name[KNOWN_SINK_NAME_SIZE - 1] = '\0';
        sink->type[KNOWN_SINK_TYPE_SIZE - 1] = '\0';
        sink->path[KNOWN_SINK_PATH_SIZE - 1] = '\0';
    }
}

enum outcome known_sinks_read(struct disk *disk, struct known_sinks *ret_known,
                              struct fault *ret_fault)
{
    struct file_bytes bytes;
    size_t size = 0;

    memset(ret_known, 0, sizeof(*ret_known));
    enum outcome outcome =
        disk_read_whole(disk, file_name, &bytes, sizeof(bytes), &size, ret_fault);
    if (outcome != DONE) {
        return outcome == LATER ? DONE : outcome;
    }
    if (!whole(&bytes, size)) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "journal/%s, which says how far each sink had come, is damaged (%zu bytes)",
                        file_name, size);
    }
    take(&bytes, ret_known);
    return DONE;
}

enum outcome known_sinks_write(struct disk *disk, const struct known_sinks *known,
                               struct fault *ret_fault)
{
    struct file_bytes bytes;

    memset(&bytes, 0, sizeof(bytes));
    memcpy(bytes.magic, magic, sizeof(magic));
    bytes.count = (uint32_t)known->count;
    memcpy(bytes.sinks, known->sinks, known->count * sizeof(known->sinks[0]));
    bytes.checksum = checksum_of(&bytes);

    return disk_replace(disk, file_name, new_name, (struct span){&bytes, size_of(&bytes)},
                        ret_fault);
}

static void name_sink(const struct sink_type *type, const struct sink_settings *settings,
                      struct known_sink *ret_sink)
{
    memset(ret_sink, 0, sizeof(*ret_sink));
    (void)snprintf(ret_sink->name, sizeof(ret_sink->name), "%s", settings->name);
    (void)snprintf(ret_sink->type, sizeof(ret_sink->type), "%s", type->name);
    (void)snprintf(ret_sink->path, sizeof(ret_sink->path), "%s", settings->path);
}

void known_sinks_add(struct known_sinks *known, const struct sink_type *type,
                     const struct sink_settings *settings, uint64_t epoch)
{
    must(known->count < ENGINE_SINKS_MAX);
    name_sink(type, settings, &known->sinks[known->count]);
    known->sinks[known->count++].epoch = epoch;
}

const struct known_sink *known_sinks_find(const struct known_sinks *known,
                                          const struct sink_type *type,
                                          const struct sink_settings *settings)
{
    struct known_sink wanted;

    name_sink(type, settings, &wanted);
    for (size_t index = 0; index < known->count; index++) {
        const struct known_sink *sink = &known->sinks[index];
        if (strcmp(sink->name, wanted.name) == 0 && strcmp(sink->type, wanted.type) == 0 &&
            strcmp(sink->path, wanted.path) == 0) {
            return sink;
        }
    }
    return NULL;
}
