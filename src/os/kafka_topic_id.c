#include "os/kafka_read_parts.h"

#include <string.h>

#if RD_KAFKA_VERSION >= 0x020300ff

/* Sixteen zero bytes, as the library writes them: brokers without ids answer so. */
static const char none[] = "AAAAAAAAAAAAAAAAAAAAAA";

/* The controller is asked, and a cluster that has none just now can be read all the same. */
enum { ID_WAIT_MS = 2000, ERROR_SIZE = 200 };

/* The answer that has come within the time; NULL: none. */
static rd_kafka_event_t *describe(rd_kafka_t *handle, const char *topic)
{
    char error[ERROR_SIZE];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_TopicCollection_t *topics = rd_kafka_TopicCollection_of_topic_names(&topic, 1);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);

    must(rd_kafka_AdminOptions_set_request_timeout(options, ID_WAIT_MS, error, sizeof(error)) ==
         RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_DescribeTopics(handle, topics, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ID_WAIT_MS);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_TopicCollection_destroy(topics);
    rd_kafka_queue_destroy(queue);
    return event;
}

static rd_kafka_resp_err_t read_id(rd_kafka_event_t *event, char ret_id[KAFKA_TOPIC_ID_SIZE])
{
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    size_t count = 0;
    const rd_kafka_DescribeTopics_result_t *result = rd_kafka_event_DescribeTopics_result(event);
    const rd_kafka_TopicDescription_t **topics =
        result == NULL ? NULL : rd_kafka_DescribeTopics_result_topics(result, &count);

    if (error != RD_KAFKA_RESP_ERR_NO_ERROR || count != 1) {
        return error != RD_KAFKA_RESP_ERR_NO_ERROR ? error : RD_KAFKA_RESP_ERR__NOENT;
    }
    const rd_kafka_error_t *refused = rd_kafka_TopicDescription_error(topics[0]);
    if (refused != NULL && rd_kafka_error_code(refused) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return rd_kafka_error_code(refused);
    }
    const rd_kafka_Uuid_t *id = rd_kafka_TopicDescription_topic_id(topics[0]);
    const char *text = id == NULL ? none : rd_kafka_Uuid_base64str(id);
    if (text != NULL && strcmp(text, none) != 0 && strlen(text) < KAFKA_TOPIC_ID_SIZE) {
        memcpy(ret_id, text, strlen(text));
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

enum outcome kafka_reader_topic_id(struct kafka_reader *reader, const char *topic,
                                   char ret_id[KAFKA_TOPIC_ID_SIZE], struct fault *ret_fault)
{
    rd_kafka_event_t *event = describe(reader->client.handle, topic);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;

    memset(ret_id, 0, KAFKA_TOPIC_ID_SIZE);
    if (event != NULL) {
        error = read_id(event, ret_id);
        rd_kafka_event_destroy(event);
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return DONE;
    }
    bool passing = kafka_error_class(error) == KAFKA_PASSING;
    return kafka_fault(ret_fault, passing ? LATER : REFUSED,
                       passing ? FAULT_KAFKA_UNREACHABLE : FAULT_SOURCE_PERMISSION, topic, error);
}

#else

/* The library has no words for it. */
enum outcome kafka_reader_topic_id(struct kafka_reader *reader, const char *topic,
                                   char ret_id[KAFKA_TOPIC_ID_SIZE], struct fault *ret_fault)
{
    (void)reader;
    (void)topic;
    (void)ret_fault;
    memset(ret_id, 0, KAFKA_TOPIC_ID_SIZE);
    return DONE;
}

#endif
