#include "os/kafka_group.h"

#include "os/kafka_parts.h"

#include <stdlib.h>

struct kafka_group {
    struct kafka_client client;
    rd_kafka_queue_t *answers;
};

static const struct kafka_own own[] = {
    {"enable.auto.commit", "false", KAFKA_FORCED, false},
    {"enable.auto.offset.store", "false", KAFKA_FORCED, false},
    {"allow.auto.create.topics", "false", KAFKA_FORCED, false},
    {"socket.timeout.ms", "5000", KAFKA_CHOSEN, false},
};

enum { OWN = sizeof(own) / sizeof(own[0]) };

enum outcome kafka_group_open(const struct kafka_settings *client, const char *group,
                              struct kafka_group **ret_group, struct fault *ret_fault)
{
    struct kafka_own all[OWN + 1] = {[OWN] = {"group.id", group, KAFKA_FORCED, false}};
    const struct kafka_plan plan = {.side = KAFKA_READS, .own = all, .own_count = OWN + 1};
    struct kafka_group *made = calloc(1, sizeof(*made));

    if (made == NULL) {
        return fault_is(ret_fault, BROKEN, FAULT_MEMORY, "no memory for a Kafka client");
    }
    for (size_t index = 0; index < OWN; index++) {
        all[index] = own[index];
    }
    enum outcome outcome = kafka_client_open(&made->client, client, &plan, ret_fault);
    if (outcome != DONE) {
        free(made);
        return outcome;
    }
    made->answers = rd_kafka_queue_new(made->client.handle);
    *ret_group = made;
    return DONE;
}

static enum outcome cannot(struct kafka_group *group, const char *topic, rd_kafka_resp_err_t error,
                           struct fault *ret_fault)
{
    (void)rd_kafka_poll(group->client.handle, 0);
    if (error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
        error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
        error == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS) {
        return kafka_fault(ret_fault, BROKEN, FAULT_KAFKA_WRITE,
                           "the group has members: its offsets are not set from outside", error);
    }
    return kafka_client_cannot(&group->client, topic, error, ret_fault);
}

/* The first error of the whole or of one partition. */
static rd_kafka_resp_err_t error_of(rd_kafka_resp_err_t error,
                                    const rd_kafka_topic_partition_list_t *list)
{
    for (int index = 0; error == 0 && list != NULL && index < list->cnt; index++) {
        error = list->elems[index].err;
    }
    return error;
}

enum outcome kafka_group_read(struct kafka_group *group, const char *topic, uint64_t *ret_offsets,
                              uint32_t partition_count, struct fault *ret_fault)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)partition_count);

    for (uint32_t partition = 0; partition < partition_count; partition++) {
        (void)rd_kafka_topic_partition_list_add(list, topic, (int32_t)partition);
    }
    rd_kafka_resp_err_t error = rd_kafka_committed(group->client.handle, list, KAFKA_WAIT_MS);
    error = error_of(error, list);
    for (uint32_t partition = 0; error == 0 && partition < partition_count; partition++) {
        int64_t offset = list->elems[partition].offset;
        ret_offsets[partition] = offset < 0 ? KAFKA_UNCOMMITTED : (uint64_t)offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? DONE : cannot(group, topic, error, ret_fault);
}

/* What became of it; the list's own errors are not all of it. */
static rd_kafka_resp_err_t commit(struct kafka_group *group,
                                  const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t error =
        rd_kafka_commit_queue(group->client.handle, list, group->answers, NULL, NULL);

    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return error;
    }
    rd_kafka_event_t *event = rd_kafka_queue_poll(group->answers, KAFKA_WAIT_MS);
    if (event == NULL) {
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    error = error_of(rd_kafka_event_error(event), rd_kafka_event_topic_partition_list(event));
    rd_kafka_event_destroy(event);
    return error;
}

enum outcome kafka_group_write(struct kafka_group *group, const char *topic,
                               const uint64_t *offsets, uint32_t partition_count,
                               struct fault *ret_fault)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)partition_count);

    for (uint32_t partition = 0; partition < partition_count; partition++) {
        if (offsets[partition] != KAFKA_UNCOMMITTED) {
            rd_kafka_topic_partition_list_add(list, topic, (int32_t)partition)->offset =
                (int64_t)offsets[partition];
        }
    }
    rd_kafka_resp_err_t error = list->cnt > 0 ? commit(group, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? DONE : cannot(group, topic, error, ret_fault);
}

void kafka_group_close(struct kafka_group *group)
{
    rd_kafka_queue_destroy(group->answers);
    if (kafka_client_close(&group->client, KAFKA_WAIT_MS)) {
        free(group);
    }
}
