#include "test/broker_double.h"

#include "base/checksum.h"
#include "base/instant.h"
#include "os/clock.h"

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
    broker->hidden += code != FAULT_NONE ? 1 : 0;
    broker->list = broker->list_once ? FAULT_NONE : code;
    for (uint32_t index = 0; index < *ret_count; index++) {
        ret_origins[index] = (struct origin){.topic = "double", .partition = index};
    }
    give(broker);
    return code == FAULT_NONE ? DONE : fault_is(ret_fault, BROKEN, code, "the double hides it");
}

static enum outcome double_start(struct feed *feed, const struct origin *origin, bool as_set,
                                 uint64_t *ret_offset, struct fault *ret_fault)
{
    struct broker *broker = broker_of(feed);

    (void)ret_fault;
    take(broker);
    *ret_offset = as_set ? broker->start_offset : broker->partitions[origin->partition].first;
    give(broker);
    return DONE;
}

static enum outcome double_facts(struct feed *feed, const struct origin *origin,
                                 struct source_facts *ret_facts, struct fault *ret_fault)
{
    struct broker *broker = broker_of(feed);

    (void)origin;
    (void)ret_fault;
    take(broker);
    *ret_facts = broker->facts;
    give(broker);
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
    uint64_t offset;

    memcpy(&offset, fingerprint->bytes, sizeof(offset));
    bool passed = offset < partition->first;
    bool found = passed || memcmp(fingerprint, &none, sizeof(none)) == 0;

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
    uint64_t first = own->partition->first;
    give(own->broker);
    if (same && first > next) {
        source->gone_first = next;
        source->gone_next = first;
        return fault_is(ret_fault, BROKEN, FAULT_KAFKA_LOST, "offsets %llu to %llu are gone",
                        (unsigned long long)next, (unsigned long long)first - 1);
    }
    return same ? DONE
                : fault_is(ret_fault, BROKEN, FAULT_SOURCE_REPLACED, "not the record before %llu",
                           (unsigned long long)next);
}

static uint64_t stable_of(const struct broker_partition *partition)
{
    return partition->stable < partition->end ? partition->stable : partition->end;
}

/* Behind which nothing may be shown now. */
static uint64_t limit_of(const struct broker_partition *partition, uint64_t next)
{
    uint64_t stable = stable_of(partition);
    bool ahead = partition->lost_first < partition->lost_next && next <= partition->lost_first;

    return ahead && partition->lost_first < stable ? partition->lost_first : stable;
}

static enum outcome halted(struct source_of_double *own, struct fault *ret_fault)
{
    const struct broker_partition *partition = own->partition;

    if (partition->code != FAULT_NONE) {
        return fault_is(ret_fault, BROKEN, partition->code, "the double was told so");
    }
    own->source.gone_first = partition->lost_first;
    own->source.gone_next = partition->lost_next;
    return fault_is(ret_fault, BROKEN, FAULT_KAFKA_GAP, "offsets %llu to %llu are missing",
                    (unsigned long long)partition->lost_first,
                    (unsigned long long)partition->lost_next - 1);
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
    uint64_t stable = limit_of(partition, own->next);
    bool lost = partition->lost_first < partition->lost_next &&
                own->next == partition->lost_first && stable_of(partition) > own->next;
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
    if (partition->code != FAULT_NONE || lost) {
        outcome = halted(own, ret_fault);
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
    .facts = double_facts,
    .attach = double_attach,
    .begin = double_begin,
    .commit = double_commit,
    .grown = double_grown,
    .line = double_line,
    .close = double_close,
};
