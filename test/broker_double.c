#include "test/broker_double.h"

#include "base/checksum.h"
#include "base/instant.h"
#include "os/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct feed_of_double {
    struct feed feed;
    struct broker *broker;
};

struct source_of_double {
    struct source source;
    struct broker *broker;
    struct broker_partition *partition;
    uint64_t next;
};

static struct broker *broker_of(struct feed *feed)
{
    return ((struct feed_of_double *)feed)->broker;
}

static struct source_of_double *double_of(struct source *source)
{
    return (struct source_of_double *)source;
}

static void take(struct broker *broker)
{
    (void)pthread_mutex_lock(&broker->mutex);
}

static void give(struct broker *broker)
{
    (void)pthread_mutex_unlock(&broker->mutex);
}

static enum outcome double_open(struct feed *feed, const void *settings, struct fault *ret_fault)
{
    struct broker *broker = (struct broker *)(uintptr_t)settings;

    ((struct feed_of_double *)feed)->broker = broker;
    take(broker);
    bool down = broker->down;
    broker->opened += down ? 0 : 1;
    give(broker);
    return down ? fault_is(ret_fault, LATER, FAULT_SOURCE_STALE, "the double is down") : DONE;
}

static enum outcome double_list(struct feed *feed, struct origin *ret_origins, size_t *ret_count,
                                struct fault *ret_fault)
{
    struct broker *broker = broker_of(feed);

    take(broker);
    *ret_count = broker->partition_count;
    broker->listed = *ret_count;
    enum fault_code code = broker->list;
    for (uint32_t index = 0; index < *ret_count; index++) {
        ret_origins[index] = (struct origin){.topic = "double", .partition = index};
    }
    give(broker);
    return code == FAULT_NONE ? DONE : fault_is(ret_fault, BROKEN, code, "the double hides it");
}

static enum outcome double_start(struct feed *feed, const struct origin *origin, bool as_set,
                                 uint64_t *ret_offset, struct fault *ret_fault)
{
    (void)origin;
    (void)ret_fault;
    *ret_offset = as_set ? broker_of(feed)->start_offset : 0;
    return DONE;
}

static enum outcome double_attach(struct feed *feed, struct source *source, struct fault *ret_fault)
{
    struct broker *broker = broker_of(feed);

    (void)ret_fault;
    double_of(source)->broker = broker;
    double_of(source)->partition = &broker->partitions[source->origin.partition];
    return DONE;
}

static enum outcome double_begin(struct feed *feed, struct fault *ret_fault)
{
    (void)feed;
    (void)ret_fault;
    return DONE;
}

static void double_commit(struct feed *feed, const struct feed_position *positions, size_t count)
{
    struct broker *broker = broker_of(feed);

    take(broker);
    for (size_t index = 0; index < count; index++) {
        broker->partitions[positions[index].origin->partition].committed = positions[index].next;
    }
    give(broker);
}

static bool double_grown(struct feed *feed)
{
    struct broker *broker = broker_of(feed);

    take(broker);
    bool grown = broker->partition_count > broker->listed;
    give(broker);
    return grown;
}

static bool double_line(struct feed *feed, struct feed_line *ret_line)
{
    (void)feed;
    (void)ret_line;
    return false;
}

static void double_close(struct feed *feed)
{
    struct broker *broker = broker_of(feed);

    take(broker);
    broker->closed++;
    give(broker);
}

/* The offset and a checksum of the record's text. */
static void mark(uint64_t offset, struct span text, struct fingerprint *ret_fingerprint)
{
    uint32_t sum = checksum(0, text);

    memset(ret_fingerprint, 0, sizeof(*ret_fingerprint));
    memcpy(ret_fingerprint->bytes, &offset, sizeof(offset));
    memcpy(ret_fingerprint->bytes + sizeof(offset), &sum, sizeof(sum));
}

/* Is it that of a record before this offset? Or of none at all. */
static bool stands(const struct broker_partition *partition, uint64_t next,
                   const struct fingerprint *fingerprint)
{
    static const struct fingerprint none;
    bool found = memcmp(fingerprint, &none, sizeof(none)) == 0;

    for (size_t index = 0; !found && index < partition->count; index++) {
        const struct broker_record *record = &partition->records[index];
        struct fingerprint its;
        mark(record->offset, (struct span){record->text, strlen(record->text)}, &its);
        found = record->offset < next && memcmp(&its, fingerprint, sizeof(its)) == 0;
    }
    return found;
}

static enum outcome double_assign(struct source *source, uint64_t next,
                                  const struct fingerprint *fingerprint, struct fault *ret_fault)
{
    struct source_of_double *own = double_of(source);

    own->next = next;
    take(own->broker);
    bool same = stands(own->partition, next, fingerprint);
    give(own->broker);
    return same ? DONE
                : fault_is(ret_fault, BROKEN, FAULT_SOURCE_REPLACED, "not the record before %llu",
                           (unsigned long long)next);
}

static uint64_t stable_of(const struct broker_partition *partition)
{
    return partition->stable < partition->end ? partition->stable : partition->end;
}

static void put_line(const struct broker_record *record, struct source_block *block)
{
    uint32_t size = (uint32_t)strlen(record->text);

    memcpy(block->bytes + block->size, record->text, size);
    block->lines[block->line_count++] = (struct source_line){
        .at = (uint32_t)block->size,
        .kept = size,
        .size = size,
        .offset = record->offset,
        .stamp_ms = record->stamp_ms,
    };
    block->size += size;
    block->next = record->offset + 1;
}

static enum outcome double_read(struct source *source, struct source_block *block,
                                struct fault *ret_fault)
{
    struct source_of_double *own = double_of(source);
    struct broker_partition *partition = own->partition;
    enum outcome outcome = LATER;

    take(own->broker);
    partition->reads++;
    uint64_t stable = stable_of(partition);
    bool all = true;
    for (size_t index = 0; index < partition->count; index++) {
        const struct broker_record *record = &partition->records[index];
        if (record->offset < own->next || record->offset >= stable) {
            continue;
        }
        all = block->line_count < block->line_capacity && block->size < block->target;
        if (!all) {
            break;
        }
        put_line(record, block);
    }
    if (partition->code != FAULT_NONE) {
        outcome = fault_is(ret_fault, BROKEN, partition->code, "the double was told so");
    } else if (own->next < stable && !partition->cut) {
        block->next = all ? stable : block->next;
        own->next = block->next;
        outcome = DONE;
    }
    give(own->broker);
    return outcome;
}

static void double_fingerprint(const struct source *source, const struct source_line *line,
                               const uint8_t *bytes, struct fingerprint *ret_fingerprint)
{
    (void)source;
    mark(line->offset, (struct span){bytes + line->at, line->kept}, ret_fingerprint);
}

static void double_watch(struct source *source, void (*wake)(void *), void *context)
{
    struct source_of_double *own = double_of(source);

    take(own->broker);
    own->partition->wake = wake;
    own->partition->context = context;
    give(own->broker);
}

static void double_sight(struct source *source, struct source_sight *ret_sight)
{
    struct source_of_double *own = double_of(source);
    const struct broker_partition *partition = own->partition;

    take(own->broker);
    *ret_sight = (struct source_sight){
        .end = partition->end,
        .stable = stable_of(partition),
        .seen_ns = partition->cut ? 0 : clock_steady_ns(&clock_real),
    };
    give(own->broker);
}

static void double_shut(struct source *source)
{
    (void)source;
}

static const struct source_type source_double = {
    .name = "double",
    .size = sizeof(struct source_of_double),
    .assign = double_assign,
    .read = double_read,
    .fingerprint = double_fingerprint,
    .close = double_shut,
    .watch = double_watch,
    .sight = double_sight,
};

const struct feed_type feed_double = {
    .name = "double",
    .size = sizeof(struct feed_of_double),
    .source_type = &source_double,
    .open = double_open,
    .list = double_list,
    .start = double_start,
    .attach = double_attach,
    .begin = double_begin,
    .commit = double_commit,
    .grown = double_grown,
    .line = double_line,
    .close = double_close,
};

void broker_init(struct broker *broker, size_t partition_count)
{
    memset(broker, 0, sizeof(*broker));
    (void)pthread_mutex_init(&broker->mutex, NULL);
    broker->partition_count = partition_count;
    for (size_t index = 0; index < BROKER_PARTITIONS_MAX; index++) {
        broker->partitions[index].stable = UINT64_MAX;
    }
}

void broker_free(struct broker *broker)
{
    for (size_t index = 0; index < BROKER_PARTITIONS_MAX; index++) {
        free(broker->partitions[index].records);
    }
    (void)pthread_mutex_destroy(&broker->mutex);
}

/* Somebody is woken with the mutex held: a real client calls like this, too. */
static void wake_and_give(struct broker *broker, const struct broker_partition *partition)
{
    if (partition->wake != NULL) {
        partition->wake(partition->context);
    }
    give(broker);
}

void broker_pay(struct broker *broker, size_t number, int64_t event_ms, int64_t stamp_ms)
{
    struct broker_partition *partition = &broker->partitions[number];

    take(broker);
    if (partition->count == partition->capacity) {
        partition->capacity = 2 * partition->capacity + 16;
        partition->records =
            realloc(partition->records, partition->capacity * sizeof(*partition->records));
        must(partition->records != NULL);
    }
    struct broker_record *record = &partition->records[partition->count++];
    record->offset = partition->end++;
    record->stamp_ms = stamp_ms;
    (void)snprintf(record->text, sizeof(record->text),
                   "{\"transaction_id\":\"p%zu-%llu\",\"event_time\":%lld,"
                   "\"sender_account_id\":\"a%zu\",\"receiver_account_id\":\"b\","
                   "\"amount\":\"1.50\",\"currency\":\"EUR\"}",
                   number, (unsigned long long)record->offset, (long long)event_ms, number);
    wake_and_give(broker, partition);
}

void broker_mark(struct broker *broker, size_t number, uint64_t count)
{
    struct broker_partition *partition = &broker->partitions[number];

    take(broker);
    partition->end += count;
    wake_and_give(broker, partition);
}

void broker_hang(struct broker *broker, size_t number, bool hang)
{
    struct broker_partition *partition = &broker->partitions[number];

    take(broker);
    partition->stable = hang ? partition->end : UINT64_MAX;
    wake_and_give(broker, partition);
}

void broker_cut(struct broker *broker, size_t number, bool cut)
{
    struct broker_partition *partition = &broker->partitions[number];

    take(broker);
    partition->cut = cut;
    wake_and_give(broker, partition);
}

void broker_grow(struct broker *broker)
{
    take(broker);
    broker->partition_count++;
    give(broker);
}

void broker_hide(struct broker *broker, enum fault_code code)
{
    take(broker);
    broker->list = code;
    give(broker);
}

void broker_down(struct broker *broker, bool down)
{
    take(broker);
    broker->down = down;
    give(broker);
}

uint64_t broker_told(struct broker *broker, size_t number)
{
    take(broker);
    uint64_t committed = broker->partitions[number].committed;
    give(broker);
    return committed;
}

void broker_break(struct broker *broker, size_t number, enum fault_code code)
{
    take(broker);
    broker->partitions[number].code = code;
    wake_and_give(broker, &broker->partitions[number]);
}
