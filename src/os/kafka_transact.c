#include "os/kafka_transact_parts.h"

#include "os/clock.h"

#include <stdlib.h>
#include <string.h>

enum { OWN_MAX = 24, LOOK_MS = 50 };

_Static_assert(KAFKA_TRANSACTION_MS == 20000, "transaction.timeout.ms below says so, too");
_Static_assert(KAFKA_WAIT_MS == 5000, "and socket.timeout.ms and request.timeout.ms");

static const struct kafka_own reading[] = {
    {"enable.auto.commit", "false", KAFKA_FORCED, false},
    {"enable.auto.offset.store", "false", KAFKA_FORCED, false},
    {"isolation.level", "read_committed", KAFKA_FORCED, false}, /* The cursor waits for it, too. */
    {"allow.auto.create.topics", "false", KAFKA_FORCED, false},
    {"socket.timeout.ms", "5000", KAFKA_CHOSEN, false},
};
static const struct kafka_own writing[] = {
    {"enable.idempotence", "true", KAFKA_FORCED, false},
    {"acks", "all", KAFKA_FORCED, false},
    {"transaction.timeout.ms", "20000", KAFKA_FORCED, false},
    {"message.timeout.ms", "15000", KAFKA_FORCED, false}, /* The rest is for the abort. */
    {"delivery.report.only.error", "true", KAFKA_FORCED, false},
    {"partitioner", "murmur2_random", KAFKA_FORCED, false},
    {"isolation.level", "read_uncommitted", KAFKA_OURS, false}, /* Of the ends it asks for. */
    {"allow.auto.create.topics", "false", KAFKA_FORCED, false},
    {"compression.codec", "lz4", KAFKA_CHOSEN, false},
    {"linger.ms", "5", KAFKA_CHOSEN, false},
    {"batch.num.messages", "10000", KAFKA_CHOSEN, false},
    {"queue.buffering.max.kbytes", "65536", KAFKA_CHOSEN, false},
    {"queue.buffering.max.messages", "100000", KAFKA_CHOSEN, false},
    {"socket.timeout.ms", "5000", KAFKA_CHOSEN, false}, /* No answer is waited for longer. */
    {"request.timeout.ms", "5000", KAFKA_CHOSEN, false},
};

int64_t kafka_moment(int in_ms)
{
    return clock_steady_ns(&clock_real) + in_ms * INT64_C(1000000);
}

int kafka_moment_left(int64_t moment_ns)
{
    int64_t left_ns = moment_ns - clock_steady_ns(&clock_real);

    return left_ns <= 0 ? 0 : (int)(left_ns / 1000000 + 1);
}

/* A bit for each thing that the coordinators are asked for in a transaction; 0: another one. */
static uint32_t bit_of(int16_t key)
{
    enum { ADD_PARTITIONS = 24, ADD_OFFSETS = 25, END = 26, OFFSET_COMMIT = 28 };

    return key == ADD_PARTITIONS || key == ADD_OFFSETS || key == END || key == OFFSET_COMMIT
               ? UINT32_C(1) << key
               : 0;
}

/* Of each kind at most one is on its way. */
static rd_kafka_resp_err_t ask(rd_kafka_t *handle, int socket, const char *name, int32_t broker,
                               int16_t key, int16_t version, int32_t correlation, size_t size,
                               void *opaque)
{
    struct kafka_transactor *transactor = opaque;

    (void)handle, (void)socket, (void)name, (void)broker, (void)version;
    (void)correlation, (void)size;
    (void)__atomic_or_fetch(&transactor->asked, bit_of(key), __ATOMIC_RELEASE);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The library comes here once at least for each request: with its answer, or why there is none. */
static rd_kafka_resp_err_t hear(rd_kafka_t *handle, int socket, const char *name, int32_t broker,
                                int16_t key, int16_t version, int32_t correlation, size_t size,
                                int64_t round_trip, rd_kafka_resp_err_t error, void *opaque)
{
    struct kafka_transactor *transactor = opaque;
    uint32_t asked =
        __atomic_fetch_and(&transactor->asked, ~bit_of(key), __ATOMIC_ACQ_REL) & bit_of(key);

    (void)handle, (void)socket, (void)name, (void)broker, (void)version;
    (void)correlation, (void)size, (void)round_trip;
    if (asked != 0 && error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        __atomic_store_n(&transactor->unanswered, true, __ATOMIC_RELEASE);
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t start_hearing(rd_kafka_t *handle, const rd_kafka_conf_t *conf,
                                         void *opaque, char *error, size_t error_size)
{
    struct kafka_client *client = rd_kafka_opaque(handle);

    (void)conf, (void)opaque, (void)error, (void)error_size;
    (void)rd_kafka_interceptor_add_on_request_sent(handle, "payonce", ask, client->context);
    return rd_kafka_interceptor_add_on_response_received(handle, "payonce", hear, client->context);
}

/* A callback, not an event: whoever flushes or commits serves it, so neither waits for others. */
static void prepare(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_dr_msg_cb(conf, kafka_transact_failed);
    (void)rd_kafka_conf_interceptor_add_on_new(conf, "payonce", start_hearing, NULL);
}

/* One of the two clients: with these of ours, and one more that has this value. */
static enum outcome open_client(struct kafka_client *client, struct kafka_plan plan,
                                const char *name, const char *value,
                                const struct kafka_settings *settings, struct fault *ret_fault)
{
    struct kafka_own own[OWN_MAX];

    must(plan.own_count < OWN_MAX);
    memcpy(own, plan.own, plan.own_count * sizeof(*own));
    own[plan.own_count] = (struct kafka_own){name, value, KAFKA_FORCED, false};
    plan.own = own;
    plan.own_count++;
    return kafka_client_open(client, settings, &plan, ret_fault);
}

static enum outcome open_both(struct kafka_transactor *transactor,
                              const struct kafka_transactor_settings *settings,
                              struct fault *ret_fault)
{
    const struct kafka_plan plans[] = {
        {KAFKA_READS, reading, sizeof(reading) / sizeof(reading[0]), NULL, transactor},
        {KAFKA_WRITES, writing, sizeof(writing) / sizeof(writing[0]), prepare, transactor},
    };
    enum outcome outcome = open_client(&transactor->reader, plans[0], "group.id", settings->group,
                                       &settings->client, ret_fault);

    if (outcome != DONE || settings->transactional_id == NULL) {
        return outcome;
    }
    return open_client(&transactor->writer, plans[1], "transactional.id",
                       settings->transactional_id, &settings->client, ret_fault);
}

enum outcome kafka_transactor_open(const struct kafka_transactor_settings *settings,
                                   struct kafka_transactor **ret_transactor,
                                   struct fault *ret_fault)
{
    struct kafka_transactor *transactor = calloc(1, sizeof(*transactor));

    if (transactor == NULL) {
        return fault_is(ret_fault, BROKEN, FAULT_MEMORY, "no memory for a Kafka client");
    }
    transactor->leaving = settings->leaving;
    enum outcome outcome = open_both(transactor, settings, ret_fault);
    if (outcome != DONE && transactor->reader.handle == NULL) {
        free(transactor);
        return outcome;
    }
    (void)rd_kafka_poll_set_consumer(transactor->reader.handle);
    transactor->group = rd_kafka_consumer_group_metadata_new(settings->group);
    if (outcome != DONE) {
        (void)kafka_transactor_close(transactor);
        return outcome;
    }
    *ret_transactor = transactor;
    return DONE;
}

enum outcome kafka_transactor_topic(struct kafka_transactor *transactor, const char *topic,
                                    uint32_t *ret_number, struct fault *ret_fault)
{
    must(transactor->topic_count < KAFKA_TRANSACTION_TOPICS_MAX);
    rd_kafka_topic_t *handle = NULL;
    uint32_t partition_count;
    enum outcome outcome =
        kafka_client_topic(&transactor->reader, topic, &handle, &partition_count, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    if (transactor->writer.handle != NULL) {
        rd_kafka_topic_destroy(handle);
        handle = rd_kafka_topic_new(transactor->writer.handle, topic, NULL);
        must(handle != NULL);
    }
    *ret_number = transactor->topic_count;
    transactor->topics[transactor->topic_count++] = handle;
    return DONE;
}

static void take_cursor(const rd_kafka_topic_partition_t *found, struct kafka_cursor *ret_cursor)
{
    char text[KAFKA_CURSOR_TEXT_SIZE];
    size_t size = found->metadata_size < sizeof(text) ? found->metadata_size : sizeof(text) - 1;

    ret_cursor->exists = found->offset >= 0;
    ret_cursor->offset = found->offset >= 0 ? (uint64_t)found->offset : 0;
    if (size > 0) {
        memcpy(text, found->metadata, size);
    }
    text[size] = '\0';
    kafka_escape(text, ret_cursor->text, sizeof(ret_cursor->text));
}

static rd_kafka_resp_err_t ask_cursor(struct kafka_transactor *transactor, const char *topic,
                                      int wait_ms, struct kafka_cursor *ret_cursor)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    (void)rd_kafka_topic_partition_list_add(list, topic, 0);
    rd_kafka_resp_err_t error = rd_kafka_committed(transactor->reader.handle, list, wait_ms);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        error = list->elems[0].err;
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        take_cursor(&list->elems[0], ret_cursor);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

enum outcome kafka_transactor_read(struct kafka_transactor *transactor, uint32_t topic,
                                   struct kafka_cursor *ret_cursor, struct fault *ret_fault)
{
    must(topic < transactor->topic_count);
    const char *name = rd_kafka_topic_name(transactor->topics[topic]);
    int64_t until_ns = kafka_moment(KAFKA_WAIT_MS);
    rd_kafka_resp_err_t error;

    *ret_cursor = (struct kafka_cursor){0};
    do {
        error = ask_cursor(transactor, name, kafka_moment_left(until_ns), ret_cursor);
        (void)rd_kafka_poll(transactor->reader.handle, error == 0 ? 0 : LOOK_MS);
    } while (kafka_error_class(error) == KAFKA_PASSING && transactor->reader.not_allowed == 0 &&
             kafka_moment_left(until_ns) > 0);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_client_cannot(&transactor->reader, name, error, ret_fault);
    }
    return DONE;
}

enum outcome kafka_transactor_fence(struct kafka_transactor *transactor, struct fault *ret_fault)
{
    must(transactor->writer.handle != NULL);
    must(!transactor->fenced);

    rd_kafka_error_t *error = rd_kafka_init_transactions(transactor->writer.handle, KAFKA_WAIT_MS);
    (void)rd_kafka_poll(transactor->writer.handle, 0);
    if (error != NULL) {
        return kafka_transact_error(transactor, "the transactional id", error, ret_fault);
    }
    transactor->fenced = true;
    return DONE;
}

/* One client's properties are strange to the other, and both are given the user's. */
static bool of_the_other(const struct kafka_line *line)
{
    return strstr(line->text, "is a producer property and will be ignored") != NULL ||
           strstr(line->text, "is a consumer property and will be ignored") != NULL;
}

static bool client_line(struct kafka_client *client, struct kafka_line *ret_line)
{
    if (client->handle == NULL) {
        return false;
    }
    (void)rd_kafka_poll(client->handle, 0);
    do {
        if (!kafka_lines_take(&client->lines, ret_line)) {
            return false;
        }
    } while (of_the_other(ret_line));
    return true;
}

bool kafka_transactor_line(struct kafka_transactor *transactor, struct kafka_line *ret_line)
{
    return client_line(&transactor->writer, ret_line) || client_line(&transactor->reader, ret_line);
}

bool kafka_transactor_close(struct kafka_transactor *transactor)
{
    for (uint32_t index = 0; index < transactor->topic_count; index++) {
        rd_kafka_topic_destroy(transactor->topics[index]);
    }
    rd_kafka_consumer_group_metadata_destroy(transactor->group);
    bool gone = true;
    if (transactor->writer.handle != NULL) {
        (void)rd_kafka_purge(transactor->writer.handle,
                             RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        gone = kafka_client_close(&transactor->writer, KAFKA_WAIT_MS);
    }
    if (!kafka_client_close(&transactor->reader, KAFKA_WAIT_MS) || !gone) {
        return false;
    }
    free(transactor);
    return true;
}
