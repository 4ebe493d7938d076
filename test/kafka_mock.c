#include "test/kafka_mock.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FLUSH_MS = 10000,
    POUR_MS = 120000,
    ERRORS_MAX = 32,
    MOCKS_MAX = 64,
    COMMIT_ATTEMPTS = 100,
    COMMIT_WAIT_MS = 1000
};

struct kafka_mock {
    rd_kafka_t *owner;
    rd_kafka_t *producer;
    rd_kafka_mock_cluster_t *cluster;
    char topic[64];
};

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    must(rd_kafka_conf_set(conf, name, value, NULL, 0) == RD_KAFKA_CONF_OK);
}

static rd_kafka_t *client_of(rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *brokers)
{
    set(conf, "log_level", "0");
    if (brokers != NULL) {
        set(conf, "bootstrap.servers", brokers);
    }
    rd_kafka_t *handle = rd_kafka_new(type, conf, NULL, 0);
    must(handle != NULL);
    return handle;
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers, const char *group)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    if (group != NULL) {
        set(conf, "group.id", group);
    }
    return client_of(type, conf, brokers);
}

struct kafka_mock *kafka_mock_start(int broker_count, const char *topic, int partition_count)
{
    struct kafka_mock *mock = calloc(1, sizeof(*mock));

    must(mock != NULL);
    (void)snprintf(mock->topic, sizeof(mock->topic), "%s", topic);
    mock->owner = client(RD_KAFKA_PRODUCER, NULL, NULL);
    mock->cluster = rd_kafka_mock_cluster_new(mock->owner, broker_count);
    must(mock->cluster != NULL);
    must(rd_kafka_mock_topic_create(mock->cluster, topic, partition_count, 1) == 0);
    mock->producer =
        client(RD_KAFKA_PRODUCER, rd_kafka_mock_cluster_bootstraps(mock->cluster), NULL);
    return mock;
}

void kafka_mock_topic(struct kafka_mock *mock, const char *topic, int partition_count)
{
    must(rd_kafka_mock_topic_create(mock->cluster, topic, partition_count, 1) == 0);
}

static void *stop(void *argument)
{
    struct kafka_mock *mock = argument;

    rd_kafka_destroy(mock->producer);
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->owner);
    free(mock);
    return NULL;
}

static pthread_t stopping[MOCKS_MAX];
static size_t stopping_count;

static void join_all(void)
{
    while (stopping_count > 0) {
        (void)pthread_join(stopping[--stopping_count], NULL);
    }
}

/* It takes a second, in which the next test may run. */
void kafka_mock_stop(struct kafka_mock *mock)
{
    must(stopping_count < MOCKS_MAX);
    if (stopping_count == 0) {
        must(atexit(join_all) == 0);
    }
    must(pthread_create(&stopping[stopping_count++], NULL, stop, mock) == 0);
}

const char *kafka_mock_brokers(const struct kafka_mock *mock)
{
    return rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

void kafka_mock_put_at(struct kafka_mock *mock, int partition, int64_t stamp_ms, const char *key,
                       const char *value)
{
    char *bytes = (char *)(uintptr_t)value;
    size_t size = value == NULL ? 0 : strlen(value);
    size_t key_size = key == NULL ? 0 : strlen(key);
    rd_kafka_resp_err_t error = rd_kafka_producev(
        mock->producer, RD_KAFKA_V_TOPIC(mock->topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_TIMESTAMP(stamp_ms), RD_KAFKA_V_KEY(key, key_size),
        RD_KAFKA_V_VALUE(bytes, size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    must(error == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void kafka_mock_put(struct kafka_mock *mock, int partition, const char *key, const char *value)
{
    kafka_mock_put_at(mock, partition, 0, key, value);
}

void kafka_mock_flush(struct kafka_mock *mock)
{
    must(rd_kafka_flush(mock->producer, FLUSH_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void kafka_mock_write(struct kafka_mock *mock, int partition, const char *key, const char *value)
{
    kafka_mock_put(mock, partition, key, value);
    kafka_mock_flush(mock);
}

void kafka_mock_write_many(struct kafka_mock *mock, int partition, int number, int count)
{
    char text[32];

    for (int index = 0; index < count; index++) {
        (void)snprintf(text, sizeof(text), "p-%d", number + index);
        kafka_mock_put(mock, partition, text, text);
    }
    kafka_mock_flush(mock);
}

void kafka_mock_pour(struct kafka_mock *mock, int partition, int count)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    set(conf, "batch.num.messages", "1");
    set(conf, "linger.ms", "0");
    set(conf, "queue.buffering.max.messages", "1000000");
    rd_kafka_t *producer = client_of(RD_KAFKA_PRODUCER, conf, kafka_mock_brokers(mock));
    for (int index = 0; index < count; index++) {
        must(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(mock->topic),
                               RD_KAFKA_V_PARTITION(partition),
                               RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    must(rd_kafka_flush(producer, POUR_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(producer);
}

void kafka_mock_lead(struct kafka_mock *mock, int partition, int broker)
{
    must(rd_kafka_mock_partition_set_leader(mock->cluster, mock->topic, partition, broker) == 0);
}

void kafka_mock_down(struct kafka_mock *mock, int broker, bool down)
{
    must((down ? rd_kafka_mock_broker_set_down(mock->cluster, broker)
               : rd_kafka_mock_broker_set_up(mock->cluster, broker)) == 0);
}

void kafka_mock_slow(struct kafka_mock *mock, int round_trip_ms)
{
    must(rd_kafka_mock_broker_set_rtt(mock->cluster, -1, round_trip_ms) == 0);
}

void kafka_mock_coordinate(struct kafka_mock *mock, const char *group, int broker)
{
    must(rd_kafka_mock_coordinator_set(mock->cluster, "group", group, broker) == 0);
}

void kafka_mock_fail(struct kafka_mock *mock, int request, int error, int count)
{
    rd_kafka_resp_err_t errors[ERRORS_MAX];

    must(count <= ERRORS_MAX);
    for (int index = 0; index < count; index++) {
        errors[index] = (rd_kafka_resp_err_t)error;
    }
    rd_kafka_mock_push_request_errors_array(mock->cluster, (int16_t)request, (size_t)count, errors);
}

void kafka_mock_fail_at(struct kafka_mock *mock, int broker, int request, int error, int count)
{
    for (int index = 0; index < count; index++) {
        must(rd_kafka_mock_broker_push_request_error_rtts(mock->cluster, broker, (int16_t)request,
                                                          1, error, 0) == 0);
    }
}

size_t kafka_mock_unmet(struct kafka_mock *mock, int broker, int request)
{
    size_t count = 0;

    must(rd_kafka_mock_broker_error_stack_cnt(mock->cluster, broker, (int16_t)request, &count) ==
         0);
    return count;
}

void kafka_mock_topic_error(struct kafka_mock *mock, int error)
{
    rd_kafka_mock_topic_set_error(mock->cluster, mock->topic, (rd_kafka_resp_err_t)error);
}

int64_t kafka_mock_stored(struct kafka_mock *mock, int partition)
{
    int64_t first;
    int64_t next;

    must(rd_kafka_query_watermark_offsets(mock->producer, mock->topic, partition, &first, &next,
                                          FLUSH_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
    return next - first;
}

int64_t kafka_mock_committed(struct kafka_mock *mock, const char *group, int partition)
{
    rd_kafka_t *reader = client(RD_KAFKA_CONSUMER, kafka_mock_brokers(mock), group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t offset = -1;

    (void)rd_kafka_topic_partition_list_add(list, mock->topic, partition);
    for (int attempt = 0; attempt < COMMIT_ATTEMPTS && offset < 0; attempt++) {
        if (rd_kafka_committed(reader, list, COMMIT_WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            offset = list->elems[0].offset;
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(reader);
    return offset;
}
