#include "os/clock.h"
#include "os/kafka_parts.h"

enum { ASK_MS = 500 };

static enum outcome not_allowed(const char *what, int error, struct fault *ret_fault)
{
    return kafka_fault(ret_fault, REFUSED, FAULT_KAFKA_NOT_ALLOWED, what,
                       (rd_kafka_resp_err_t)error);
}

enum outcome kafka_client_cannot(struct kafka_client *client, const char *what,
                                 rd_kafka_resp_err_t error, struct fault *ret_fault)
{
    enum kafka_class class = kafka_error_class(error);

    if (class == KAFKA_PASSING && client->not_allowed != 0) { /* Why nobody answered. */
        return not_allowed(what, client->not_allowed, ret_fault);
    }
    if (class == KAFKA_MISSING) {
        return fault_is(ret_fault, REFUSED, FAULT_KAFKA_TOPIC, "topic %s: %s", what,
                        rd_kafka_err2str(error));
    }
    if (class == KAFKA_NOT_ALLOWED) {
        return not_allowed(what, error, ret_fault);
    }
    return kafka_fault(ret_fault, LATER, FAULT_KAFKA_UNREACHABLE, what, error);
}

static rd_kafka_resp_err_t ask_once(rd_kafka_t *handle, rd_kafka_topic_t *topic,
                                    uint32_t *ret_count)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = rd_kafka_metadata(handle, 0, topic, &metadata, ASK_MS);

    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return error;
    }
    error = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (metadata->topic_cnt == 1) {
        error = metadata->topics[0].err;
        *ret_count = (uint32_t)metadata->topics[0].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return error;
}

/* Until somebody answers, or says that we may not ask. */
static rd_kafka_resp_err_t ask_patiently(struct kafka_client *client, rd_kafka_topic_t *topic,
                                         uint32_t *ret_count)
{
    int64_t until_ns = clock_steady_ns(&clock_real) + KAFKA_WAIT_MS * INT64_C(1000000);
    rd_kafka_resp_err_t error;

    do {
        error = ask_once(client->handle, topic, ret_count);
        (void)rd_kafka_poll(client->handle, 0);
    } while (kafka_error_class(error) == KAFKA_PASSING && client->not_allowed == 0 &&
             clock_steady_ns(&clock_real) < until_ns);
    return error;
}

enum outcome kafka_client_topic(struct kafka_client *client, const char *topic,
                                rd_kafka_topic_t **ret_topic, uint32_t *ret_partition_count,
                                struct fault *ret_fault)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client->handle, topic, NULL);

    if (handle == NULL) {
        return kafka_client_cannot(client, topic, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, ret_fault);
    }
    rd_kafka_resp_err_t error = ask_patiently(client, handle, ret_partition_count);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_topic_destroy(handle);
        return kafka_client_cannot(client, topic, error, ret_fault);
    }
    *ret_topic = handle;
    return DONE;
}
