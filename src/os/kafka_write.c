#include "os/kafka_write.h"

#include "os/kafka_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PRODUCE_KEY = 0, OWN_MAX = 12 };

struct kafka_writer {
    struct kafka_client client;
    rd_kafka_topic_t *topics[KAFKA_WRITER_TOPICS_MAX];
    uint32_t topic_count;
    uint32_t lose_every;
    uint32_t asked; /* Produce requests sent. Atomic: by the library's threads. */
    size_t waiting; /* Handed in, not taken back. */
    size_t capacity;
    size_t first; /* Of those that came back, a ring. */
    size_t count;
    struct kafka_written written[];
};

static const struct kafka_own both[] = {
    {"partitioner", "murmur2_random", KAFKA_CHOSEN, false},
    {"linger.ms", "5", KAFKA_CHOSEN, false},
    {"batch.num.messages", "10000", KAFKA_CHOSEN, false},
    {"queue.buffering.max.kbytes", "65536", KAFKA_CHOSEN, false},
    {"queue.buffering.max.messages", "100000", KAFKA_FORCED, false}, /* Ours is the limit. */
};
static const struct kafka_own plain[] = {
    {"enable.idempotence", "false", KAFKA_FORCED, false},
    {"acks", "all", KAFKA_CHOSEN, false},
    {"max.in.flight", "1", KAFKA_CHOSEN, false}, /* Else a retry comes behind later ones. */
};
static const struct kafka_own losing[] = {
    {"retry.backoff.ms", "10", KAFKA_CHOSEN, false}, /* Each loss costs a connection. */
    {"reconnect.backoff.ms", "10", KAFKA_CHOSEN, false},
    {"reconnect.backoff.max.ms", "50", KAFKA_CHOSEN, false},
};
static const struct kafka_own once[] = {
    {"message.send.max.retries", "0", KAFKA_FORCED, false},
};
static const struct kafka_own idempotent[] = {
    {"enable.idempotence", "true", KAFKA_FORCED, false},
    {"acks", "all", KAFKA_FORCED, false},
};

static enum kafka_fate fate_of(const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return KAFKA_WRITTEN;
    }
    return rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED ? KAFKA_NOT_WRITTEN
                                                                                 : KAFKA_PERHAPS;
}

/* Of one record; in the thread that polls, the caller's. */
static void take_back(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    struct kafka_client *client = opaque;
    struct kafka_writer *writer = client->context;

    (void)handle;
    must(writer->count < writer->capacity);
    writer->written[(writer->first + writer->count++) % writer->capacity] = (struct kafka_written){
        .token = (uint64_t)(uintptr_t)message->_private,
        .fate = fate_of(message),
        .error = message->err,
        .partition = (uint32_t)message->partition,
        .offset = message->offset < 0 ? KAFKA_OFFSET_NONE : (uint64_t)message->offset,
    };
}

/* The request is on its way to the broker; nothing will be read from there any more. */
static rd_kafka_resp_err_t lose_answer(rd_kafka_t *handle, int socket, const char *name,
                                       int32_t broker, int16_t key, int16_t version,
                                       int32_t correlation, size_t size, void *opaque)
{
    struct kafka_writer *writer = opaque;

    (void)handle, (void)name, (void)broker, (void)version, (void)correlation, (void)size;
    if (key == PRODUCE_KEY &&
        __atomic_add_fetch(&writer->asked, 1, __ATOMIC_RELAXED) % writer->lose_every == 0) {
        (void)shutdown(socket, SHUT_RD);
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t start_losing(rd_kafka_t *handle, const rd_kafka_conf_t *conf,
                                        void *opaque, char *error, size_t error_size)
{
    struct kafka_client *client = rd_kafka_opaque(handle);

    (void)conf, (void)opaque, (void)error, (void)error_size;
    return rd_kafka_interceptor_add_on_request_sent(handle, "payonce", lose_answer,
                                                    client->context);
}

static void prepare(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_dr_msg_cb(conf, take_back);
}

static void prepare_losing(rd_kafka_conf_t *conf)
{
    prepare(conf);
    (void)rd_kafka_conf_interceptor_add_on_new(conf, "payonce", start_losing, NULL);
}

static void add_own(struct kafka_own *own, size_t *count, const struct kafka_own *added,
                    size_t added_count)
{
    must(*count + added_count <= OWN_MAX);
    memcpy(own + *count, added, added_count * sizeof(*own));
    *count += added_count;
}

static enum outcome open_client(struct kafka_writer *writer,
                                const struct kafka_writer_settings *settings,
                                struct fault *ret_fault)
{
    struct kafka_own own[OWN_MAX];
    size_t count = 0;

    add_own(own, &count, both, sizeof(both) / sizeof(both[0]));
    switch (settings->writing) {
    case KAFKA_PLAIN:
        add_own(own, &count, plain, sizeof(plain) / sizeof(plain[0]));
        break;
    case KAFKA_IDEMPOTENT:
        add_own(own, &count, idempotent, sizeof(idempotent) / sizeof(idempotent[0]));
        break;
    }
    if (settings->lose_every > 0) {
        add_own(own, &count, losing, sizeof(losing) / sizeof(losing[0]));
    }
    if (settings->once) {
        add_own(own, &count, once, sizeof(once) / sizeof(once[0]));
    }
    const struct kafka_plan plan = {
        .side = KAFKA_WRITES,
        .own = own,
        .own_count = count,
        .prepare = settings->lose_every > 0 ? prepare_losing : prepare,
        .context = writer,
    };
    return kafka_client_open(&writer->client, &settings->client, &plan, ret_fault);
}

enum outcome kafka_writer_open(const struct kafka_writer_settings *settings,
                               struct kafka_writer **ret_writer, struct fault *ret_fault)
{
    must(settings->capacity >= 1 && settings->capacity <= KAFKA_WRITER_RECORDS_MAX);
    must((settings->lose_every == 0 && !settings->once) || settings->writing == KAFKA_PLAIN);
    struct kafka_writer *writer =
        calloc(1, sizeof(*writer) + settings->capacity * sizeof(writer->written[0]));

    if (writer == NULL) {
        return fault_is(ret_fault, BROKEN, FAULT_MEMORY, "no memory for a Kafka client");
    }
    writer->capacity = settings->capacity;
    writer->lose_every = settings->lose_every;
    enum outcome outcome = open_client(writer, settings, ret_fault);
    if (outcome != DONE) {
        free(writer);
        return outcome;
    }
    *ret_writer = writer;
    return DONE;
}

enum outcome kafka_writer_topic(struct kafka_writer *writer, const char *topic,
                                uint32_t *ret_number, uint32_t *ret_partition_count,
                                struct fault *ret_fault)
{
    must(writer->topic_count < KAFKA_WRITER_TOPICS_MAX);
    enum outcome outcome =
        kafka_client_topic(&writer->client, topic, &writer->topics[writer->topic_count],
                           ret_partition_count, ret_fault);

    if (outcome == DONE) {
        *ret_number = writer->topic_count++;
    }
    return outcome;
}

/* What handing it in has come to. */
static enum outcome handed_in(struct kafka_writer *writer, rd_kafka_resp_err_t error,
                              struct fault *ret_fault)
{
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        writer->waiting++;
        return DONE;
    }
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return kafka_fault(ret_fault, LATER, FAULT_KAFKA_UNREACHABLE, "no room for more records",
                           error);
    }
    enum outcome outcome =
        error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || kafka_error_class(error) == KAFKA_MISSING
            ? REFUSED
            : BROKEN;
    return kafka_fault(ret_fault, outcome, FAULT_KAFKA_WRITE, "a record is not taken", error);
}

enum outcome kafka_write(struct kafka_writer *writer, const struct kafka_message *message,
                         struct fault *ret_fault)
{
    must(message->topic < writer->topic_count);

    if (writer->waiting == writer->capacity) {
        return handed_in(writer, RD_KAFKA_RESP_ERR__QUEUE_FULL, ret_fault);
    }
    /* The library copies both, and takes them without const. */
    rd_kafka_resp_err_t error = rd_kafka_producev(
        writer->client.handle, RD_KAFKA_V_RKT(writer->topics[message->topic]),
        RD_KAFKA_V_PARTITION(message->partition), RD_KAFKA_V_TIMESTAMP(message->stamp_ms),
        RD_KAFKA_V_KEY(message->key.at, message->key.size),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)message->value.at, message->value.size),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_OPAQUE((void *)(uintptr_t)message->token), RD_KAFKA_V_END);
    return handed_in(writer, error, ret_fault);
}

size_t kafka_writer_take(struct kafka_writer *writer, int wait_ms,
                         struct kafka_written *ret_written, size_t capacity)
{
    size_t taken = 0;

    (void)rd_kafka_poll(writer->client.handle, writer->count > 0 ? 0 : wait_ms);
    while (taken < capacity && writer->count > 0) {
        ret_written[taken++] = writer->written[writer->first];
        writer->first = (writer->first + 1) % writer->capacity;
        writer->count--;
        writer->waiting--;
    }
    return taken;
}

size_t kafka_writer_waiting(const struct kafka_writer *writer)
{
    return writer->waiting;
}

enum outcome kafka_writer_trouble(const struct kafka_writer *writer, struct fault *ret_fault)
{
    if (writer->client.fatal != 0) {
        return kafka_fault(ret_fault, BROKEN, FAULT_KAFKA_WRITE, "the Kafka client is done for",
                           (rd_kafka_resp_err_t)writer->client.fatal);
    }
    if (writer->client.not_allowed != 0) {
        return kafka_fault(ret_fault, REFUSED, FAULT_KAFKA_NOT_ALLOWED, "the brokers refuse",
                           (rd_kafka_resp_err_t)writer->client.not_allowed);
    }
    return DONE;
}

bool kafka_writer_line(struct kafka_writer *writer, struct kafka_line *ret_line)
{
    return kafka_lines_take(&writer->client.lines, ret_line);
}

bool kafka_writer_close(struct kafka_writer *writer)
{
    (void)rd_kafka_purge(writer->client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (uint32_t index = 0; index < writer->topic_count; index++) {
        rd_kafka_topic_destroy(writer->topics[index]);
    }
    if (!kafka_client_close(&writer->client, KAFKA_WAIT_MS)) {
        return false;
    }
    free(writer);
    return true;
}
