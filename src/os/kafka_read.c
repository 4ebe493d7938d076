#include "os/kafka_read_parts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    POLL_MS = 200,
    FETCH_KEY = 1, /* Fetch, in the protocol. */
    NUMBER_SIZE = 16,
    OWN_COUNT = 17,
    COMMIT_WAIT_MS = 6000, /* The library looks once a second what has waited too long. */
    COMMIT_LOOK_MS = 5,
};

static const struct kafka_own fixed[] = {
    {"enable.auto.commit", "false", KAFKA_FORCED, false},
    {"enable.auto.offset.store", "false", KAFKA_FORCED, false},
    {"auto.offset.reset", "error", KAFKA_FORCED, false},
    {"isolation.level", "read_committed", KAFKA_FORCED, false},
    {"check.crcs", "true", KAFKA_FORCED, false},
    {"enable.partition.eof", "true", KAFKA_FORCED, false},
    {"allow.auto.create.topics", "false", KAFKA_FORCED, false},
    /* What is gone is told at once. Since some later version it is believed for 30 s that it is
     * only late; and if it is back by then, made anew, it is read on as if nothing had been. */
    {"topic.metadata.propagation.max.ms", "0", KAFKA_FORCED, false},
    {"statistics.interval.ms", "1000", KAFKA_FORCED, false}, /* Sights come from them. */
    {"queued.min.messages", "1000000", KAFKA_CHOSEN, false}, /* The bytes are the limit. */
    {"fetch.wait.max.ms", "100", KAFKA_CHOSEN, false},
    {"socket.timeout.ms", "10000", KAFKA_CHOSEN, false}, /* No answer is waited for longer. */
    {"fetch.error.backoff.ms", "500", KAFKA_CHOSEN, false},
    /* There is no session. But so long a commit waits for a coordinator that is away; and a
     * client that is closed meanwhile waits as long again, and spins. */
    {"session.timeout.ms", "4000", KAFKA_CHOSEN, false},
    {"fetch.queue.backoff.ms", "50", KAFKA_CHOSEN, true},
};

/* Statistics: in the keeper's thread. */
static int take_statistics(rd_kafka_t *handle, char *text, size_t size, void *opaque)
{
    struct kafka_client *client = opaque;

    (void)handle;
    kafka_reader_look(client->context, text, size);
    return 0; /* The text is the library's. */
}

static void take_commit(rd_kafka_t *handle, rd_kafka_resp_err_t error,
                        rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
    struct kafka_client *client = opaque;
    struct kafka_reader *reader = client->context;

    (void)handle;
    for (int index = 0; offsets != NULL && error == 0 && index < offsets->cnt; index++) {
        error = offsets->elems[index].err;
    }
    bool outage = kafka_error_class(error) == KAFKA_PASSING; /* That is told elsewhere. */
    if (error != 0 && !outage && !reader->commit_failed) {
        char text[200];
        (void)snprintf(text, sizeof(text),
                       "positions could not be committed for others to see, nothing else is "
                       "touched by it: %s",
                       rd_kafka_err2str(error));
        kafka_lines_put(&client->lines, 4, text);
    }
    reader->commit_failed = error != 0 && (!outage || reader->commit_failed);
    (void)__atomic_sub_fetch(&reader->commits, 1, __ATOMIC_RELEASE);
}

static rd_kafka_resp_err_t hear(rd_kafka_t *handle, int socket, const char *name, int32_t broker,
                                int16_t key, int16_t version, int32_t correlation, size_t size,
                                int64_t round_trip, rd_kafka_resp_err_t error, void *opaque)
{
    (void)handle, (void)socket, (void)name, (void)version, (void)correlation, (void)size;
    (void)round_trip;
    if (key == FETCH_KEY && error == RD_KAFKA_RESP_ERR_NO_ERROR && broker >= 0) {
        kafka_reader_heard(opaque, broker);
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The library is being made: from here on each answer of a broker is heard. */
static rd_kafka_resp_err_t start_hearing(rd_kafka_t *handle, const rd_kafka_conf_t *conf,
                                         void *opaque, char *error, size_t error_size)
{
    struct kafka_client *client = rd_kafka_opaque(handle);

    (void)conf, (void)opaque, (void)error, (void)error_size;
    return rd_kafka_interceptor_add_on_response_received(handle, "payonce", hear, client->context);
}

static void prepare(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_stats_cb(conf, take_statistics);
    rd_kafka_conf_set_offset_commit_cb(conf, take_commit);
    (void)rd_kafka_conf_interceptor_add_on_new(conf, "payonce", start_hearing, NULL);
}

/* Serve what is not a message: logs, errors, statistics, what became of commits. */
static void *keep(void *argument)
{
    struct kafka_reader *reader = argument;

    while (!__atomic_load_n(&reader->stopping, __ATOMIC_ACQUIRE)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader->client.handle, POLL_MS);
        if (message != NULL) {
            kafka_lines_put(&reader->client.lines, 4, rd_kafka_message_errstr(message));
            rd_kafka_message_destroy(message);
        }
        int64_t before_ns = __atomic_exchange_n(&reader->beat_ns, kafka_now_ns(), __ATOMIC_RELAXED);
        bool stood_still = kafka_now_ns() - before_ns > KAFKA_OUTAGE_MS * INT64_C(1000000);
        if (stood_still && __atomic_load_n(&reader->begun, __ATOMIC_ACQUIRE)) {
            for (size_t index = 0; index < reader->count; index++) {
                kafka_queue_spoil(reader->queues[index],
                                  "this process stood still for longer than 30 s");
            }
        }
    }
    return NULL;
}

static enum outcome open_client(struct kafka_reader *reader,
                                const struct kafka_reader_settings *settings,
                                struct fault *ret_fault)
{
    char kib[NUMBER_SIZE];
    struct kafka_own own[OWN_COUNT];
    struct kafka_plan plan = {KAFKA_READS, own, OWN_COUNT, prepare, reader};

    (void)snprintf(kib, sizeof(kib), "%u", settings->queue_kib);
    memcpy(own, fixed, sizeof(fixed));
    own[OWN_COUNT - 2] = (struct kafka_own){"group.id", settings->group, KAFKA_FORCED, false};
    own[OWN_COUNT - 1] = (struct kafka_own){"queued.max.messages.kbytes", kib, KAFKA_FORCED, false};
    return kafka_client_open(&reader->client, &settings->client, &plan, ret_fault);
}

enum outcome kafka_reader_open(const struct kafka_reader_settings *settings,
                               struct kafka_reader **ret_reader, struct fault *ret_fault)
{
    struct kafka_reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL) {
        return fault_is(ret_fault, BROKEN, FAULT_MEMORY, "no memory for a Kafka client");
    }
    (void)pthread_mutex_init(&reader->mutex, NULL);
    reader->beat_ns = kafka_now_ns();
    enum outcome outcome = open_client(reader, settings, ret_fault);
    if (outcome != DONE) {
        (void)pthread_mutex_destroy(&reader->mutex);
        free(reader);
        return outcome;
    }
    (void)rd_kafka_poll_set_consumer(reader->client.handle);
    if (pthread_create(&reader->keeper, NULL, keep, reader) != 0) {
        (void)kafka_reader_close(reader);
        return fault_is(ret_fault, BROKEN, FAULT_MEMORY, "cannot start the Kafka client's thread");
    }
    reader->keeping = true;
    *ret_reader = reader;
    return DONE;
}

static void init_queue(struct kafka_queue *queue, struct kafka_reader *reader, const char *topic,
                       uint32_t partition)
{
    queue->partition.type = &kafka_queue_type;
    queue->partition.topic = queue->topic;
    queue->partition.number = partition;
    queue->reader = reader;
    queue->start = -1;
    memcpy(queue->topic, topic, strlen(topic) + 1);
    (void)pthread_mutex_init(&queue->mutex, NULL);
    queue->queue = rd_kafka_queue_get_partition(reader->client.handle, topic, (int32_t)partition);
    /* Said before the first fetch, this keeps its messages out of the common queue for good. */
    rd_kafka_queue_forward(queue->queue, NULL);
}

enum outcome kafka_reader_partition(struct kafka_reader *reader, const char *topic,
                                    uint32_t partition, struct kafka_partition **ret_partition,
                                    struct fault *ret_fault)
{
    must(!reader->begun);
    must(strlen(topic) <= KAFKA_TOPIC_MAX);
    must(partition <= INT32_MAX);

    struct kafka_queue *queue =
        reader->count < KAFKA_PARTITIONS_MAX ? calloc(1, sizeof(*queue)) : NULL;
    if (queue == NULL) {
        return fault_is(ret_fault, BROKEN, FAULT_SOURCE_LIMIT,
                        "no room for %s/%u: at most %d partitions can be read", topic, partition,
                        KAFKA_PARTITIONS_MAX);
    }
    init_queue(queue, reader, topic, partition);
    reader->queues[reader->count++] = queue;
    *ret_partition = &queue->partition;
    return DONE;
}

enum outcome kafka_reader_begin(struct kafka_reader *reader, struct fault *ret_fault)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)reader->count + 1);

    for (size_t index = 0; index < reader->count; index++) {
        const struct kafka_queue *queue = reader->queues[index];
        must(queue->start >= 0);
        rd_kafka_topic_partition_list_add(list, queue->topic, (int32_t)queue->partition.number)
            ->offset = queue->start;
    }
    rd_kafka_resp_err_t error = rd_kafka_assign(reader->client.handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_fault(ret_fault, BROKEN, FAULT_SOURCE_STALE, "partitions cannot be assigned",
                           error);
    }
    kafka_reader_forget_bounds(reader);
    __atomic_store_n(&reader->begun, true, __ATOMIC_RELEASE);
    return DONE;
}

void kafka_reader_commit(struct kafka_reader *reader, const struct kafka_position *positions,
                         size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count + 1);

    for (size_t index = 0; index < count; index++) {
        rd_kafka_topic_partition_list_add(list, positions[index].topic,
                                          (int32_t)positions[index].partition)
            ->offset = (int64_t)positions[index].next;
    }
    (void)__atomic_add_fetch(&reader->commits, 1, __ATOMIC_RELAXED);
    if (rd_kafka_commit(reader->client.handle, list, 1) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)__atomic_sub_fetch(&reader->commits, 1, __ATOMIC_RELEASE); /* None was sent. */
    }
    rd_kafka_topic_partition_list_destroy(list);
}

bool kafka_reader_line(struct kafka_reader *reader, struct kafka_line *ret_line)
{
    return kafka_lines_take(&reader->client.lines, ret_line);
}

static void close_queue(struct kafka_queue *queue)
{
    kafka_partition_watch(&queue->partition, NULL, NULL);
    for (size_t index = 0; index < queue->count; index++) {
        rd_kafka_message_destroy(queue->messages[index]);
    }
    rd_kafka_queue_destroy(queue->queue);
}

/* What was committed last should arrive; but nobody's end waits for it. */
static void await_commits(struct kafka_reader *reader)
{
    const struct timespec moment = {.tv_nsec = COMMIT_LOOK_MS * 1000000};

    for (int ms = 0; ms < COMMIT_WAIT_MS; ms += COMMIT_LOOK_MS) {
        if (__atomic_load_n(&reader->commits, __ATOMIC_ACQUIRE) == 0) {
            return;
        }
        (void)nanosleep(&moment, NULL);
    }
}

bool kafka_reader_close(struct kafka_reader *reader)
{
    await_commits(reader);
    if (reader->keeping) {
        rd_kafka_queue_t *common = rd_kafka_queue_get_consumer(reader->client.handle);
        __atomic_store_n(&reader->stopping, true, __ATOMIC_RELEASE);
        rd_kafka_queue_yield(common); /* The keeper sleeps on it. */
        rd_kafka_queue_destroy(common);
        (void)pthread_join(reader->keeper, NULL);
    }
    for (size_t index = 0; index < reader->count; index++) {
        close_queue(reader->queues[index]);
    }
    kafka_reader_forget_bounds(reader);
    if (!kafka_client_close(&reader->client, KAFKA_CLOSE_MS)) {
        return false;
    }
    for (size_t index = 0; index < reader->count; index++) {
        (void)pthread_mutex_destroy(&reader->queues[index]->mutex);
        free(reader->queues[index]);
    }
    (void)pthread_mutex_destroy(&reader->mutex);
    free(reader);
    return true;
}
