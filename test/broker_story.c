/* What a test lets happen at the broker. */
#include "test/broker_double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take(struct broker *broker)
{
    (void)pthread_mutex_lock(&broker->mutex);
}

static void give(struct broker *broker)
{
    (void)pthread_mutex_unlock(&broker->mutex);
}

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
                   "{\"transaction_id\":\"p%zu-%llu.%u\",\"event_time\":%lld,"
                   "\"sender_account_id\":\"a%zu\",\"receiver_account_id\":\"b\","
                   "\"amount\":\"1.50\",\"currency\":\"EUR\"}",
                   number, (unsigned long long)record->offset, partition->generation,
                   (long long)event_ms, number);
    wake_and_give(broker, partition);
}

void broker_mark(struct broker *broker, size_t number, uint64_t count)
{
    struct broker_partition *partition = &broker->partitions[number];

    take(broker);
    partition->end += count;
    wake_and_give(broker, partition);
}

void broker_retain(struct broker *broker, size_t number, uint64_t first)
{
    struct broker_partition *partition = &broker->partitions[number];
    size_t kept = 0;

    take(broker);
    for (size_t index = 0; index < partition->count; index++) {
        if (partition->records[index].offset >= first) {
            partition->records[kept++] = partition->records[index];
        }
    }
    partition->count = kept;
    partition->first = first;
    give(broker);
}

void broker_lose(struct broker *broker, size_t number, uint64_t count)
{
    struct broker_partition *partition = &broker->partitions[number];

    take(broker);
    partition->lost_first = partition->end;
    partition->lost_next = partition->end + count;
    partition->end += count;
    wake_and_give(broker, partition);
}

void broker_recreate(struct broker *broker)
{
    take(broker);
    for (size_t number = 0; number < BROKER_PARTITIONS_MAX; number++) {
        struct broker_partition *partition = &broker->partitions[number];
        partition->count = 0;
        partition->end = 0;
        partition->first = 0;
        partition->lost_first = partition->lost_next = 0;
        partition->generation++;
    }
    give(broker);
}

void broker_be(struct broker *broker, const char *cluster, const char *topic_id)
{
    take(broker);
    memset(&broker->facts, 0, sizeof(broker->facts));
    memcpy(broker->facts.cluster, cluster, strlen(cluster));
    memcpy(broker->facts.topic_id, topic_id, strlen(topic_id));
    give(broker);
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
    broker->list_once = false;
    give(broker);
}

void broker_hide_once(struct broker *broker, enum fault_code code)
{
    take(broker);
    broker->list = code;
    broker->list_once = true;
    give(broker);
}

unsigned broker_opened(struct broker *broker)
{
    take(broker);
    unsigned opened = broker->opened;
    give(broker);
    return opened;
}

unsigned broker_hidden(struct broker *broker)
{
    take(broker);
    unsigned hidden = broker->hidden;
    give(broker);
    return hidden;
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
