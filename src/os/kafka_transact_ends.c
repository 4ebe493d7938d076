#include "os/kafka_transact_parts.h"

/* Where each partition ends, summed up. */
static rd_kafka_resp_err_t sum_ends(rd_kafka_t *handle, const char *topic, uint32_t partition_count,
                                    uint64_t *ret_sum)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)partition_count);

    for (uint32_t partition = 0; partition < partition_count; partition++) {
        rd_kafka_topic_partition_list_add(list, topic, (int32_t)partition)->offset =
            RD_KAFKA_OFFSET_END;
    }
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(handle, list, KAFKA_WAIT_MS);
    *ret_sum = 0;
    for (int index = 0; error == RD_KAFKA_RESP_ERR_NO_ERROR && index < list->cnt; index++) {
        const rd_kafka_topic_partition_t *end = &list->elems[index];
        error = end->err == RD_KAFKA_RESP_ERR_NO_ERROR && end->offset < 0
                    ? RD_KAFKA_RESP_ERR__TIMED_OUT
                    : end->err;
        *ret_sum += end->offset < 0 ? 0 : (uint64_t)end->offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

enum outcome kafka_transactor_ends(struct kafka_transactor *transactor, uint32_t topic,
                                   uint64_t *ret_sum, struct fault *ret_fault)
{
    must(topic < transactor->topic_count);
    must(transactor->writer.handle != NULL); /* The reader would ask for what is committed. */
    struct kafka_client *reader = &transactor->reader;
    const char *name = rd_kafka_topic_name(transactor->topics[topic]);
    rd_kafka_topic_t *handle;
    uint32_t partition_count;
    enum outcome outcome = kafka_client_topic(reader, name, &handle, &partition_count, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    rd_kafka_topic_destroy(handle);
    rd_kafka_resp_err_t error = sum_ends(transactor->writer.handle, name, partition_count, ret_sum);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR
               ? DONE
               : kafka_client_cannot(reader, name, error, ret_fault);
}
