#include "os/kafka_read_parts.h"

#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = KAFKA_TOPIC_MAX + 1 };

/* Whose settings are asked for. */
struct subject {
    rd_kafka_ResourceType_t type;
    char name[NAME_SIZE];  /* As the library wants it, */
    char shown[NAME_SIZE]; /* and as a person does. */
};

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

/* Any broker knows a topic's settings; by default the controller is asked, and it may be away. */
static rd_kafka_AdminOptions_t *ask_whoever_answers(rd_kafka_t *handle)
{
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    const struct rd_kafka_metadata *metadata = NULL;

    if (rd_kafka_metadata(handle, 0, NULL, &metadata, KAFKA_WAIT_MS) == 0) {
        int32_t broker = metadata->orig_broker_id;
        if (broker < 0 && metadata->broker_cnt > 0) {
            broker = metadata->brokers[0].id;
        }
        if (broker >= 0) {
            (void)rd_kafka_AdminOptions_set_broker(options, broker, NULL, 0);
        }
        rd_kafka_metadata_destroy(metadata);
    }
    return options;
}

/* The answer that has come within the time; NULL: none. */
static rd_kafka_event_t *describe(rd_kafka_t *handle, const struct subject *subject)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(subject->type, subject->name);

    rd_kafka_AdminOptions_t *options =
        subject->type == RD_KAFKA_RESOURCE_TOPIC ? ask_whoever_answers(handle) : NULL;

    rd_kafka_DescribeConfigs(handle, &resource, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, KAFKA_WAIT_MS);
    if (options != NULL) {
        rd_kafka_AdminOptions_destroy(options);
    }
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_queue_destroy(queue);
    return event;
}

static enum outcome read_answer(rd_kafka_event_t *event, const struct subject *subject,
                                const char *name, char ret_value[KAFKA_VALUE_SIZE],
                                struct fault *ret_fault)
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
                       passing ? FAULT_KAFKA_UNREACHABLE : FAULT_SOURCE_PERMISSION, subject->shown,
                       error);
}

static enum outcome setting_of(struct kafka_reader *reader, const struct subject *subject,
                               const char *name, char ret_value[KAFKA_VALUE_SIZE],
                               struct fault *ret_fault)
{
    rd_kafka_event_t *event = describe(reader->client.handle, subject);

    ret_value[0] = '\0';
    if (event == NULL) {
        return kafka_fault(ret_fault, LATER, FAULT_KAFKA_UNREACHABLE, subject->shown,
                           RD_KAFKA_RESP_ERR__TIMED_OUT);
    }
    enum outcome outcome = read_answer(event, subject, name, ret_value, ret_fault);
    rd_kafka_event_destroy(event);
    return outcome;
}

enum outcome kafka_reader_topic_setting(struct kafka_reader *reader, const char *topic,
                                        const char *name, char ret_value[KAFKA_VALUE_SIZE],
                                        struct fault *ret_fault)
{
    struct subject subject = {.type = RD_KAFKA_RESOURCE_TOPIC};

    (void)snprintf(subject.name, NAME_SIZE, "%s", topic);
    (void)snprintf(subject.shown, NAME_SIZE, "%s", topic);
    return setting_of(reader, &subject, name, ret_value, ret_fault);
}

enum outcome kafka_reader_broker_setting(struct kafka_reader *reader, int32_t broker,
                                         const char *name, char ret_value[KAFKA_VALUE_SIZE],
                                         struct fault *ret_fault)
{
    struct subject subject = {.type = RD_KAFKA_RESOURCE_BROKER};

    (void)snprintf(subject.name, NAME_SIZE, "%d", broker);
    (void)snprintf(subject.shown, NAME_SIZE, "broker %d", broker);
    return setting_of(reader, &subject, name, ret_value, ret_fault);
}
