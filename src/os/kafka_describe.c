#include "os/kafka_read_parts.h"

#include <string.h>

/* The value of that name among what the broker answered. False: it is not there. */
static bool find_value(const rd_kafka_ConfigResource_t *resource, const char *name,
                       char ret_value[KAFKA_VALUE_SIZE])
{
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);

    for (size_t index = 0; index < count; index++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[index]);
        if (strcmp(rd_kafka_ConfigEntry_name(entries[index]), name) == 0 && value != NULL) {
            size_t size = strnlen(value, KAFKA_VALUE_SIZE - 1);
            memcpy(ret_value, value, size);
            ret_value[size] = '\0';
            return true;
        }
    }
    return false;
}

/* The answer that has come within the time; NULL: none. */
static rd_kafka_event_t *describe(rd_kafka_t *handle, const char *topic)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);

    rd_kafka_DescribeConfigs(handle, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, KAFKA_WAIT_MS);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_queue_destroy(queue);
    return event;
}

static enum outcome read_answer(rd_kafka_event_t *event, const char *topic, const char *name,
                                char ret_value[KAFKA_VALUE_SIZE], struct fault *ret_fault)
{
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    size_t count = 0;
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(event);
    const rd_kafka_ConfigResource_t **resources =
        result == NULL ? NULL : rd_kafka_DescribeConfigs_result_resources(result, &count);

    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && count == 1) {
        error = rd_kafka_ConfigResource_error(resources[0]);
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR &&
        (count != 1 || !find_value(resources[0], name, ret_value))) {
        error = RD_KAFKA_RESP_ERR__NOENT;
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return DONE;
    }
    bool passing = kafka_error_class(error) == KAFKA_PASSING;
    return kafka_fault(ret_fault, passing ? LATER : REFUSED,
                       passing ? FAULT_KAFKA_UNREACHABLE : FAULT_SOURCE_PERMISSION, topic, error);
}

enum outcome kafka_reader_topic_setting(struct kafka_reader *reader, const char *topic,
                                        const char *name, char ret_value[KAFKA_VALUE_SIZE],
                                        struct fault *ret_fault)
{
    rd_kafka_event_t *event = describe(reader->client.handle, topic);

    ret_value[0] = '\0';
    if (event == NULL) {
        return kafka_fault(ret_fault, LATER, FAULT_KAFKA_UNREACHABLE, topic,
                           RD_KAFKA_RESP_ERR__TIMED_OUT);
    }
    enum outcome outcome = read_answer(event, topic, name, ret_value, ret_fault);
    rd_kafka_event_destroy(event);
    return outcome;
}
