#include "test/kafka_keeper.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 10000, TRANSACTIONS_MAX = 1000, TEXT_SIZE = 1024, KEY_SIZE = 40, KEY_PREFIX = 3 };

/* Records [first, next) were committed together. */
struct committed {
    int64_t first;
    int64_t next;
};

static struct {
    pthread_mutex_t mutex;
    rd_kafka_t *client;
    const char *topic;
    bool carry_out;
    unsigned unknown;
    int64_t begun; /* The topic's end when the open transaction began. */
    int64_t offset;
    char text[TEXT_SIZE]; /* The open one's cursor; offset -1: none yet. */
    size_t count;
    struct committed committed[TRANSACTIONS_MAX];
} keeper = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    must(rd_kafka_conf_set(conf, name, value, NULL, 0) == RD_KAFKA_CONF_OK);
}

void kafka_keeper_start(const char *brokers, const char *group, const char *topic)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    set(conf, "bootstrap.servers", brokers);
    set(conf, "group.id", group);
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.partition.eof", "true");
    set(conf, "isolation.level", "read_uncommitted");
    set(conf, "log_level", "0");
    keeper.client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    must(keeper.client != NULL);
    keeper.topic = topic;
    keeper.carry_out = false;
    keeper.unknown = 0;
    keeper.count = 0;
    keeper.offset = -1;
}

void kafka_keeper_stop(void)
{
    rd_kafka_destroy(keeper.client);
    keeper.client = NULL;
}

void kafka_keeper_carry_out(bool unknown)
{
    (void)pthread_mutex_lock(&keeper.mutex);
    keeper.carry_out = unknown;
    (void)pthread_mutex_unlock(&keeper.mutex);
}

unsigned kafka_keeper_unknown(void)
{
    (void)pthread_mutex_lock(&keeper.mutex);
    unsigned unknown = keeper.unknown;
    (void)pthread_mutex_unlock(&keeper.mutex);
    return unknown;
}

static int64_t end_of_topic(void)
{
    int64_t first = 0;
    int64_t end = -1;

    must(rd_kafka_query_watermark_offsets(keeper.client, keeper.topic, 0, &first, &end, WAIT_MS) ==
         RD_KAFKA_RESP_ERR_NO_ERROR);
    return end;
}

static bool counts(int64_t offset)
{
    for (size_t index = 0; index < keeper.count; index++) {
        if (offset >= keeper.committed[index].first && offset < keeper.committed[index].next) {
            return true;
        }
    }
    return false;
}

static void count_record(const rd_kafka_message_t *record, unsigned *ret_counts, size_t count)
{
    char key[KEY_SIZE] = {0};

    must(record->key_len > KEY_PREFIX && record->key_len < KEY_SIZE);
    memcpy(key, record->key, record->key_len);
    unsigned long number = strtoul(key + KEY_PREFIX, NULL, 10);
    must(number < count);
    ret_counts[number] += counts(record->offset) ? 1 : 0;
}

void kafka_keeper_count(unsigned *ret_counts, size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t end = end_of_topic();
    int64_t next = 0;

    rd_kafka_topic_partition_list_add(list, keeper.topic, 0)->offset = 0;
    must(rd_kafka_assign(keeper.client, list) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    while (next < end) {
        rd_kafka_message_t *record = rd_kafka_consumer_poll(keeper.client, WAIT_MS);
        must(record != NULL);
        if (record->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            next = record->offset;
        } else if (record->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            count_record(record, ret_counts, count);
            next = record->offset + 1;
        }
        rd_kafka_message_destroy(record);
    }
}

static void commit_cursor(int64_t offset, const char *text)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *cursor = rd_kafka_topic_partition_list_add(list, keeper.topic, 0);

    cursor->offset = offset;
    cursor->metadata_size = strlen(text);
    cursor->metadata = malloc(cursor->metadata_size); /* The list's. */
    must(cursor->metadata != NULL);
    memcpy(cursor->metadata, text, cursor->metadata_size);
    must(rd_kafka_commit(keeper.client, list, 0) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_keeper_usurp(void)
{
    static const char owner[] = "owner=";
    char text[TEXT_SIZE];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *cursor = rd_kafka_topic_partition_list_add(list, keeper.topic, 0);

    must(rd_kafka_committed(keeper.client, list, WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
    must(cursor->offset >= 0 && cursor->metadata_size < TEXT_SIZE);
    memcpy(text, cursor->metadata, cursor->metadata_size);
    text[cursor->metadata_size] = '\0';
    char *at = strstr(text, owner);
    must(at != NULL);
    at += strlen(owner);
    *at = *at == '0' ? '1' : '0';
    commit_cursor(cursor->offset, text);
    rd_kafka_topic_partition_list_destroy(list);
}

/* The open transaction is committed. The mutex is held. */
static void keep(void)
{
    must(keeper.count < TRANSACTIONS_MAX);
    keeper.committed[keeper.count++] = (struct committed){keeper.begun, end_of_topic()};
    if (keeper.offset >= 0) {
        commit_cursor(keeper.offset, keeper.text);
    }
}

/* The linker gives our calls of the library to these, and the library's own to their names. */
rd_kafka_error_t *__real_rd_kafka_begin_transaction(rd_kafka_t *handle);
rd_kafka_error_t *__wrap_rd_kafka_begin_transaction(rd_kafka_t *handle);
rd_kafka_error_t *__real_rd_kafka_send_offsets_to_transaction(
    rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *offsets,
    const rd_kafka_consumer_group_metadata_t *group, int timeout_ms);
rd_kafka_error_t *__wrap_rd_kafka_send_offsets_to_transaction(
    rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *offsets,
    const rd_kafka_consumer_group_metadata_t *group, int timeout_ms);
rd_kafka_error_t *__real_rd_kafka_commit_transaction(rd_kafka_t *handle, int timeout_ms);
rd_kafka_error_t *__wrap_rd_kafka_commit_transaction(rd_kafka_t *handle, int timeout_ms);

rd_kafka_error_t *__wrap_rd_kafka_begin_transaction(rd_kafka_t *handle)
{
    (void)pthread_mutex_lock(&keeper.mutex);
    keeper.begun = end_of_topic();
    keeper.offset = -1;
    (void)pthread_mutex_unlock(&keeper.mutex);
    return __real_rd_kafka_begin_transaction(handle);
}

rd_kafka_error_t *__wrap_rd_kafka_send_offsets_to_transaction(
    rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *offsets,
    const rd_kafka_consumer_group_metadata_t *group, int timeout_ms)
{
    const rd_kafka_topic_partition_t *cursor = &offsets->elems[0];
    rd_kafka_error_t *error =
        __real_rd_kafka_send_offsets_to_transaction(handle, offsets, group, timeout_ms);

    if (error == NULL) {
        must(offsets->cnt == 1 && cursor->metadata_size < TEXT_SIZE);
        (void)pthread_mutex_lock(&keeper.mutex);
        keeper.offset = cursor->offset;
        memcpy(keeper.text, cursor->metadata, cursor->metadata_size);
        keeper.text[cursor->metadata_size] = '\0';
        (void)pthread_mutex_unlock(&keeper.mutex);
    }
    return error;
}

rd_kafka_error_t *__wrap_rd_kafka_commit_transaction(rd_kafka_t *handle, int timeout_ms)
{
    rd_kafka_error_t *error = __real_rd_kafka_commit_transaction(handle, timeout_ms);
    bool unknown = error != NULL && !rd_kafka_error_is_retriable(error);

    (void)pthread_mutex_lock(&keeper.mutex);
    keeper.unknown += unknown ? 1 : 0;
    if (error == NULL || (unknown && keeper.carry_out)) {
        keep();
    }
    (void)pthread_mutex_unlock(&keeper.mutex);
    return error;
}
