#include "test/kafka_double.h"

#include <stdlib.h>

static struct kafka_world *world_of(struct kafka_partition *partition)
{
    return (struct kafka_world *)partition;
}

static void tell(struct kafka_world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(struct kafka_world *world, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    world->story_size += (size_t)vsnprintf(world->story + world->story_size,
                                           STORY_SIZE - world->story_size, format, arguments);
    va_end(arguments);
    assert_true(world->story_size < STORY_SIZE);
}

static enum outcome double_bounds(struct kafka_partition *partition, uint64_t *ret_first,
                                  uint64_t *ret_next, struct fault *ret_fault)
{
    struct kafka_world *world = world_of(partition);

    *ret_first = world->first;
    *ret_next = world->end;
    return world->bounds == DONE
               ? DONE
               : fault_is(ret_fault, world->bounds,
                          world->bounds == LATER ? FAULT_KAFKA_UNREACHABLE : FAULT_SOURCE_MISSING,
                          "bounds");
}

static enum outcome double_assign(struct kafka_partition *partition, uint64_t offset,
                                  struct fault *ret_fault)
{
    struct kafka_world *world = world_of(partition);

    (void)ret_fault;
    tell(world, "assigned at %llu\n", (unsigned long long)offset);
    world->assigned++;
    world->given = 0;
    return DONE;
}

static size_t double_take(struct kafka_partition *partition, struct kafka_record *ret_records,
                          size_t capacity)
{
    struct kafka_world *world = world_of(partition);
    size_t fetch = world->assigned < world->fetch_count ? world->assigned : world->fetch_count;
    size_t count = 0;

    if (fetch == 0) {
        return 0;
    }
    const struct fetch *now = &world->fetches[fetch - 1];
    size_t most = world->at_once < capacity ? world->at_once : capacity;
    while (count < most && world->given < now->count) {
        ret_records[count++] = now->records[world->given++];
    }
    return count;
}

static void double_watch(struct kafka_partition *partition, void (*wake)(void *context),
                         void *context)
{
    (void)partition, (void)wake, (void)context;
}

static void double_sight(struct kafka_partition *partition, struct kafka_sight *ret_sight)
{
    *ret_sight = world_of(partition)->sight;
}

static void double_say(struct kafka_partition *partition, const char *text)
{
    struct kafka_world *world = world_of(partition);

    (void)snprintf(world->said, sizeof(world->said), "%s", text);
    tell(world, "warned\n");
}

static const struct kafka_partition_type type_double = {
    .bounds = double_bounds,
    .assign = double_assign,
    .take = double_take,
    .watch = double_watch,
    .sight = double_sight,
    .say = double_say,
};

static int64_t double_now(struct clock *clock)
{
    return ((struct kafka_world *)((char *)clock - offsetof(struct kafka_world, clock)))->now_ns;
}

static const struct clock_type clock_double = {double_now, double_now};

struct kafka_world *kafka_world_begin(enum kafka_gaps gaps)
{
    struct kafka_world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    world->partition.type = &type_double;
    world->clock.type = &clock_double;
    world->now_ns = 1;
    world->at_once = KAFKA_TAKE_MAX;
    world->end = 1000;
    world->source.source.type = &source_kafka;
    world->source.source.origin = (struct origin){"payments", 0, 3};
    world->source.partition = &world->partition;
    world->source.clock = &world->clock;
    world->source.gaps = gaps;
    world->block = (struct source_block){.bytes = world->bytes,
                                         .capacity = sizeof(world->bytes),
                                         .target = sizeof(world->bytes),
                                         .lines = world->lines,
                                         .line_capacity = LINES_MAX};
    return world;
}

void kafka_world_end(struct kafka_world *world)
{
    free(world);
}

void brings(struct kafka_world *world, struct kafka_record record)
{
    struct fetch *fetch = &world->fetches[world->fetch_count - 1];

    assert_true(fetch->count < RECORDS_MAX);
    fetch->records[fetch->count++] = record;
}

void next_fetch(struct kafka_world *world)
{
    assert_true(world->fetch_count < FETCHES_MAX);
    world->fetch_count++;
}

static struct span text(const char *from)
{
    return (struct span){from, from == NULL ? 0 : strlen(from)};
}

struct kafka_record record(uint64_t offset, const char *key, const char *value)
{
    return (struct kafka_record){.kind = KAFKA_RECORD,
                                 .offset = offset,
                                 .stamp_ms = STAMP_MS,
                                 .key = text(key),
                                 .value = text(value)};
}

void brings_records(struct kafka_world *world, uint64_t from, uint64_t to)
{
    for (uint64_t offset = from; offset < to; offset++) {
        brings(world, record(offset, "key", "value"));
    }
}

void brings_end(struct kafka_world *world, uint64_t offset)
{
    brings(world, (struct kafka_record){.kind = KAFKA_END, .offset = offset});
}

void brings_error(struct kafka_world *world, int error)
{
    brings(world, (struct kafka_record){.kind = KAFKA_ERROR, .error = error, .text = "because"});
}

struct fingerprint stored(const struct kafka_record *record)
{
    struct record_mark mark;
    struct fingerprint fingerprint;

    record_mark_of(record, &mark);
    memcpy(fingerprint.bytes, &mark, sizeof(mark));
    return fingerprint;
}

static void tell_fault(struct kafka_world *world)
{
    tell(world, "%s: %s\n", fault_code_name(world->fault.code), world->fault.text);
}

void assign(struct kafka_world *world, uint64_t next, const struct kafka_record *before)
{
    const struct fingerprint none = {{0}};
    struct fingerprint fingerprint = before == NULL ? none : stored(before);

    if (source_assign(&world->source.source, next, &fingerprint, &world->fault) != DONE) {
        tell_fault(world);
    }
}

void read_all(struct kafka_world *world)
{
    enum outcome outcome = DONE;

    while (outcome == DONE) {
        outcome = source_read(&world->source.source, &world->block, &world->fault);
        for (size_t index = 0; outcome == DONE && index < world->block.line_count; index++) {
            const struct source_line *line = &world->block.lines[index];
            tell(world, "%llu ", (unsigned long long)line->offset);
        }
        if (outcome == DONE) {
            tell(world, "next %llu\n", (unsigned long long)world->block.next);
        }
    }
    if (outcome == BROKEN) {
        tell_fault(world);
    }
}
