#include "os/kafka_read_parts.h"

#include <string.h>

enum { ERROR_SIZE = 200, LEVEL_WARNING = 4 }; /* Of syslog. */

static struct kafka_queue *queue_of(struct kafka_partition *partition)
{
    return (struct kafka_queue *)partition;
}

static void give_back(struct kafka_queue *queue)
{
    for (size_t index = 0; index < queue->count; index++) {
        rd_kafka_message_destroy(queue->messages[index]);
    }
    queue->count = 0;
}

static enum outcome queue_bounds(struct kafka_partition *partition, uint64_t *ret_first,
                                 uint64_t *ret_next, struct fault *ret_fault)
{
    return kafka_reader_bounds(queue_of(partition)->reader, partition->topic, partition->number,
                               ret_first, ret_next, ret_fault);
}

static enum outcome queue_assign(struct kafka_partition *partition, uint64_t offset,
                                 struct fault *ret_fault)
{
    struct kafka_queue *queue = queue_of(partition);

    must(offset <= INT64_MAX);
    give_back(queue);
    queue->start = (int64_t)offset;
    __atomic_store_n(&queue->next, offset, __ATOMIC_RELAXED);
    if (!__atomic_load_n(&queue->reader->begun, __ATOMIC_ACQUIRE)) {
        return DONE;
    }
    return kafka_queue_restart(queue, ret_fault);
}

static void fill(const rd_kafka_message_t *message, struct kafka_record *ret_record)
{
    rd_kafka_timestamp_type_t kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;

    *ret_record = (struct kafka_record){.kind = KAFKA_RECORD, .error = message->err};
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        ret_record->kind = KAFKA_END;
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        ret_record->kind = KAFKA_ERROR;
        ret_record->text = rd_kafka_message_errstr(message);
        return;
    }
    must(message->offset >= 0);
    ret_record->offset = (uint64_t)message->offset;
    if (ret_record->kind == KAFKA_END) {
        return;
    }
    ret_record->stamp_ms = rd_kafka_message_timestamp(message, &kind);
    ret_record->by_broker = kind == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
    ret_record->key = (struct span){message->key, message->key_len};
    ret_record->value = (struct span){message->payload, message->len};
}

/* Nothing that came while the process stood still, or its leader was away, is given out. */
static bool spoiled(struct kafka_queue *queue)
{
    int64_t beat_ns = __atomic_load_n(&queue->reader->beat_ns, __ATOMIC_RELAXED);

    if (kafka_now_ns() - beat_ns > KAFKA_OUTAGE_MS * INT64_C(1000000)) {
        kafka_queue_spoil(queue, "this process stood still for longer than 30 s");
    }
    if (__atomic_load_n(&queue->reader->client.missing, __ATOMIC_ACQUIRE) != 0) {
        kafka_queue_spoil(queue, "the broker said that the topic or partition is not there");
    }
    return __atomic_load_n(&queue->stale, __ATOMIC_ACQUIRE);
}

static size_t give_stale(struct kafka_queue *queue, struct kafka_record *ret_records)
{
    give_back(queue);
    *ret_records = (struct kafka_record){.kind = KAFKA_STALE, .text = queue->stale_text};
    return 1;
}

static size_t queue_take(struct kafka_partition *partition, struct kafka_record *ret_records,
                         size_t capacity)
{
    struct kafka_queue *queue = queue_of(partition);
    uint64_t next = 0;

    must(capacity >= 1);
    give_back(queue);
    if (spoiled(queue)) {
        return give_stale(queue, ret_records);
    }
    ssize_t count = rd_kafka_consume_batch_queue(
        queue->queue, 0, queue->messages, capacity < KAFKA_TAKE_MAX ? capacity : KAFKA_TAKE_MAX);
    queue->count = count > 0 ? (size_t)count : 0;
    if (spoiled(queue)) { /* Perhaps by what has just been taken. */
        return give_stale(queue, ret_records);
    }
    for (size_t index = 0; index < queue->count; index++) {
        fill(queue->messages[index], &ret_records[index]);
        if (ret_records[index].kind != KAFKA_ERROR) {
            next = ret_records[index].offset + (ret_records[index].kind == KAFKA_RECORD);
        }
    }
    if (next > 0) {
        __atomic_store_n(&queue->next, next, __ATOMIC_RELAXED);
        __atomic_store_n(&queue->came, true, __ATOMIC_RELAXED);
    }
    return queue->count;
}

static void call(rd_kafka_t *handle, void *opaque)
{
    struct kafka_queue *queue = opaque;

    (void)handle;
    queue->wake(queue->wake_context);
}

static void queue_watch(struct kafka_partition *partition, void (*wake)(void *context),
                        void *context)
{
    struct kafka_queue *queue = queue_of(partition);

    /* The library calls with its queue locked, and gives the lock up only when nobody does. */
    rd_kafka_queue_cb_event_enable(queue->queue, NULL, NULL);
    (void)pthread_mutex_lock(&queue->mutex);
    queue->wake = wake;
    queue->wake_context = context;
    (void)pthread_mutex_unlock(&queue->mutex);
    if (wake != NULL) {
        rd_kafka_queue_cb_event_enable(queue->queue, call, queue);
    }
}

static void queue_sight(struct kafka_partition *partition, struct kafka_sight *ret_sight)
{
    struct kafka_queue *queue = queue_of(partition);

    (void)pthread_mutex_lock(&queue->mutex);
    *ret_sight = queue->sight;
    (void)pthread_mutex_unlock(&queue->mutex);
}

static void queue_say(struct kafka_partition *partition, const char *text)
{
    kafka_lines_put(&queue_of(partition)->reader->client.lines, LEVEL_WARNING, text);
}

void kafka_queue_spoil(struct kafka_queue *queue, const char *text)
{
    (void)pthread_mutex_lock(&queue->mutex);
    if (!queue->stale) {
        queue->stale_text = text;
        __atomic_store_n(&queue->stale, true, __ATOMIC_RELEASE);
        if (queue->wake != NULL) {
            queue->wake(queue->wake_context);
        }
    }
    (void)pthread_mutex_unlock(&queue->mutex);
}

static enum outcome not_assigned(const struct kafka_queue *queue, rd_kafka_error_t *error,
                                 struct fault *ret_fault)
{
    char text[ERROR_SIZE];

    kafka_escape(rd_kafka_error_string(error), text, sizeof(text));
    rd_kafka_error_destroy(error);
    return fault_is(ret_fault, BROKEN, FAULT_SOURCE_STALE, "%s/%u cannot be assigned: %s",
                    queue->topic, queue->partition.number, text);
}

/* What was fetched before is of an older version of the assignment; the library drops it. */
enum outcome kafka_queue_restart(struct kafka_queue *queue, struct fault *ret_fault)
{
    rd_kafka_t *handle = queue->reader->client.handle;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    (void)rd_kafka_topic_partition_list_add(list, queue->topic, (int32_t)queue->partition.number);
    rd_kafka_error_t *error = rd_kafka_incremental_unassign(handle, list);
    if (error == NULL) {
        list->elems[0].offset = queue->start;
        error = rd_kafka_incremental_assign(handle, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return error == NULL ? DONE : not_assigned(queue, error, ret_fault);
}

const struct kafka_partition_type kafka_queue_type = {
    .bounds = queue_bounds,
    .assign = queue_assign,
    .take = queue_take,
    .watch = queue_watch,
    .sight = queue_sight,
    .say = queue_say,
};
