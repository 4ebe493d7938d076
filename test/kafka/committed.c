#include "test/kafka/committed.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 30000 };

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    must(rd_kafka_conf_set(conf, name, value, NULL, 0) == RD_KAFKA_CONF_OK);
}

static rd_kafka_t *open_reader(const char *topic, int partition_count)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partition_count);

    set(conf, "bootstrap.servers", getenv("KAFKA_BOOTSTRAP"));
    set(conf, "group.id", "committed");
    set(conf, "isolation.level", "read_committed");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.partition.eof", "true");
    set(conf, "log_level", "2");
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    must(handle != NULL);
    for (int partition = 0; partition < partition_count; partition++) {
        rd_kafka_topic_partition_list_add(list, topic, partition)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    }
    must(rd_kafka_assign(handle, list) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    return handle;
}

static void take_text(char *ret_text, const void *from, size_t size)
{
    (void)snprintf(ret_text, COMMITTED_TEXT_SIZE, "%.*s", (int)size, (const char *)from);
}

static void take_headers(const rd_kafka_message_t *message, char *ret_text)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t size;
    size_t length = 0;

    ret_text[0] = '\0';
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    for (size_t index = 0; rd_kafka_header_get_all(headers, index, &name, &value, &size) == 0;
         index++) {
        length += (size_t)snprintf(ret_text + length, COMMITTED_TEXT_SIZE - length, "%s%s=%.*s",
                                   index == 0 ? "" : " ", name, (int)size, (const char *)value);
        must(length < COMMITTED_TEXT_SIZE);
    }
}

static void take(const rd_kafka_message_t *message, struct committed_record *ret_record)
{
    ret_record->partition = message->partition;
    ret_record->stamp_ms = rd_kafka_message_timestamp(message, NULL);
    ret_record->tombstone = message->payload == NULL;
    take_text(ret_record->key, message->key, message->key_len);
    take_text(ret_record->value, message->payload, message->len);
    take_headers(message, ret_record->headers);
}

size_t committed_read(const char *topic, int partition_count, struct committed_record *ret_records,
                      size_t capacity)
{
    rd_kafka_t *handle = open_reader(topic, partition_count);
    uint64_t open = (UINT64_C(1) << partition_count) - 1; /* A bit for each. */
    size_t count = 0;

    while (open != 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(handle, WAIT_MS);
        must(message != NULL);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            open &= ~(UINT64_C(1) << message->partition);
        } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (count < capacity) {
                take(message, &ret_records[count]);
            }
            count++;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy(handle);
    return count;
}
