#include "test/kafka/topic.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    WAIT_MS = 30000,
    TRIES = 600,
    PAUSE_MS = 100,
    ERROR_SIZE = 400,
    KEY_SIZE = 16,
    VALUE_SIZE = 512
};

struct transaction_open {
    rd_kafka_t *producer;
};

bool topic_brokers(const char **ret_brokers)
{
    *ret_brokers = getenv("KAFKA_BOOTSTRAP");
    return *ret_brokers != NULL;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char error[ERROR_SIZE];

    must(rd_kafka_conf_set(conf, name, value, error, sizeof(error)) == RD_KAFKA_CONF_OK);
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *name, const char *value)
{
    char error[ERROR_SIZE];
    const char *brokers = NULL;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    must(topic_brokers(&brokers));
    set(conf, "bootstrap.servers", brokers);
    set(conf, "log_level", "2");
    if (name != NULL) {
        set(conf, name, value);
    }
    rd_kafka_t *handle = rd_kafka_new(type, conf, error, sizeof(error));
    must(handle != NULL);
    return handle;
}

static void check(rd_kafka_resp_err_t error, const char *what)
{
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)fprintf(stderr, "%s: %s\n", what, rd_kafka_err2str(error));
        must(error == RD_KAFKA_RESP_ERR_NO_ERROR);
    }
}

static void nap(void)
{
    const struct timespec pause = {0, PAUSE_MS * 1000000};

    (void)nanosleep(&pause, NULL);
}

/* What became of the one thing that was asked. */
static rd_kafka_resp_err_t result(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    size_t count = 0;

    must(event != NULL);
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    if (error == 0 && rd_kafka_event_CreateTopics_result(event) != NULL) {
        error = rd_kafka_topic_result_error(rd_kafka_CreateTopics_result_topics(
            rd_kafka_event_CreateTopics_result(event), &count)[0]);
    } else if (error == 0 && rd_kafka_event_DeleteTopics_result(event) != NULL) {
        error = rd_kafka_topic_result_error(rd_kafka_DeleteTopics_result_topics(
            rd_kafka_event_DeleteTopics_result(event), &count)[0]);
    } else if (error == 0 && rd_kafka_event_DeleteRecords_result(event) != NULL) {
        error = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event))
                    ->elems[0]
                    .err;
    } else if (error == 0 && rd_kafka_event_CreatePartitions_result(event) != NULL) {
        error = rd_kafka_topic_result_error(rd_kafka_CreatePartitions_result_topics(
            rd_kafka_event_CreatePartitions_result(event), &count)[0]);
    }
    rd_kafka_event_destroy(event);
    return error;
}

static rd_kafka_resp_err_t create(struct topic *topic, int partition_count)
{
    char error[ERROR_SIZE];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(topic->producer);
    rd_kafka_NewTopic_t *made =
        rd_kafka_NewTopic_new(topic->name, partition_count, 1, error, sizeof(error));

    must(made != NULL);
    rd_kafka_CreateTopics(topic->producer, &made, 1, NULL, queue);
    rd_kafka_resp_err_t became = result(queue);
    rd_kafka_NewTopic_destroy(made);
    rd_kafka_queue_destroy(queue);
    return became;
}

/* Each of so many partitions is led by somebody; 0: the topic is gone. */
static bool stands(const struct rd_kafka_metadata_topic *told, int partition_count)
{
    bool led = told->err == RD_KAFKA_RESP_ERR_NO_ERROR && told->partition_cnt == partition_count;

    for (int index = 0; led && index < partition_count; index++) {
        led = told->partitions[index].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    return partition_count > 0 ? led : told->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

/* The controller knows first. A client of its own: the topic's would keep in mind what it hears. */
static void await_brokers(struct topic *topic, int partition_count)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_t *asking = client(RD_KAFKA_PRODUCER, "linger.ms", "1");
    rd_kafka_topic_t *handle = rd_kafka_topic_new(asking, topic->name, NULL);
    bool known = false;

    for (int tries = 0; !known && tries < TRIES; tries++) {
        nap();
        check(rd_kafka_metadata(asking, 0, handle, &metadata, WAIT_MS), "metadata");
        known = stands(&metadata->topics[0], partition_count);
        rd_kafka_metadata_destroy(metadata);
    }
    must(known);
    rd_kafka_topic_destroy(handle);
    rd_kafka_destroy(asking);
}

void topic_create(struct topic *topic, int partition_count)
{
    static int number;

    (void)snprintf(topic->name, sizeof(topic->name), "test-%d-%lld-%d", (int)getpid(),
                   (long long)time(NULL), number++);
    topic->producer = client(RD_KAFKA_PRODUCER, "linger.ms", "1");
    check(create(topic, partition_count), "create");
    await_brokers(topic, partition_count);
}

/* A deletion is not over at once. */
void topic_create_again(struct topic *topic, int partition_count)
{
    rd_kafka_resp_err_t error = create(topic, partition_count);

    for (int tries = 0; error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS && tries < TRIES; tries++) {
        nap();
        error = create(topic, partition_count);
    }
    check(error, "create again");
    await_brokers(topic, partition_count);
}

void topic_delete(struct topic *topic)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(topic->producer);
    rd_kafka_DeleteTopic_t *name = rd_kafka_DeleteTopic_new(topic->name);

    rd_kafka_DeleteTopics(topic->producer, &name, 1, NULL, queue);
    check(result(queue), "delete");
    rd_kafka_DeleteTopic_destroy(name);
    rd_kafka_queue_destroy(queue);
    await_brokers(topic, 0);
}

void topic_close(struct topic *topic)
{
    rd_kafka_destroy(topic->producer);
}

static void write_to(rd_kafka_t *producer, struct topic *topic, int partition, const char *word,
                     int count)
{
    char value[VALUE_SIZE];
    char key[KEY_SIZE];

    for (int index = 0; index < count; index++) {
        size_t size = (size_t)snprintf(value, sizeof(value), "%s-%d", word, index);
        size_t key_size = (size_t)snprintf(key, sizeof(key), "key-%d", index);
        check(rd_kafka_producev(
                  producer, RD_KAFKA_V_TOPIC(topic->name), RD_KAFKA_V_PARTITION(partition),
                  RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_VALUE(value, size),
                  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK), RD_KAFKA_V_END),
              "produce");
    }
    check(rd_kafka_flush(producer, WAIT_MS), "flush");
}

void topic_write(struct topic *topic, int partition, const char *word, int count)
{
    write_to(topic->producer, topic, partition, word, count);
}

static void done(rd_kafka_error_t *error, const char *what)
{
    check(error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error), what);
}

static struct transaction_open *open_transaction(struct topic *topic)
{
    char id[TOPIC_NAME_SIZE + 32];
    static int number;
    struct transaction_open *open = calloc(1, sizeof(*open));

    must(open != NULL);
    (void)snprintf(id, sizeof(id), "%s-%d", topic->name, number++);
    open->producer = client(RD_KAFKA_PRODUCER, "transactional.id", id);
    done(rd_kafka_init_transactions(open->producer, WAIT_MS), "init");
    done(rd_kafka_begin_transaction(open->producer), "begin");
    return open;
}

struct transaction_open *topic_write_transaction(struct topic *topic, int partition,
                                                 const char *word, int count, enum transaction end)
{
    struct transaction_open *open = open_transaction(topic);

    write_to(open->producer, topic, partition, word, count);
    if (end == TRANSACTION_OPEN) {
        return open;
    }
    done(end == TRANSACTION_COMMITTED ? rd_kafka_commit_transaction(open->producer, -1)
                                      : rd_kafka_abort_transaction(open->producer, -1),
         "end");
    rd_kafka_destroy(open->producer);
    free(open);
    return NULL;
}

struct transaction_open *topic_offset_in_transaction(struct topic *topic, const char *group,
                                                     int64_t offset, const char *text)
{
    struct transaction_open *open = open_transaction(topic);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *place = rd_kafka_topic_partition_list_add(list, topic->name, 0);
    rd_kafka_consumer_group_metadata_t *of = rd_kafka_consumer_group_metadata_new(group);

    place->offset = offset;
    place->metadata = strdup(text);
    place->metadata_size = strlen(text);
    done(rd_kafka_send_offsets_to_transaction(open->producer, list, of, WAIT_MS), "offsets");
    rd_kafka_consumer_group_metadata_destroy(of);
    rd_kafka_topic_partition_list_destroy(list);
    return open;
}

void topic_commit(struct transaction_open *transaction)
{
    done(rd_kafka_commit_transaction(transaction->producer, -1), "commit");
    rd_kafka_destroy(transaction->producer);
    free(transaction);
}

void topic_delete_records(struct topic *topic, int partition, int64_t offset)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(topic->producer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic->name, partition)->offset = offset;
    rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_DeleteRecords(topic->producer, &records, 1, NULL, queue);
    check(result(queue), "delete records");
    rd_kafka_DeleteRecords_destroy(records);
    rd_kafka_queue_destroy(queue);
}

void topic_grow(struct topic *topic, int partition_count)
{
    char error[ERROR_SIZE];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(topic->producer);
    rd_kafka_NewPartitions_t *more =
        rd_kafka_NewPartitions_new(topic->name, (size_t)partition_count, error, sizeof(error));

    must(more != NULL);
    rd_kafka_CreatePartitions(topic->producer, &more, 1, NULL, queue);
    check(result(queue), "grow");
    rd_kafka_NewPartitions_destroy(more);
    rd_kafka_queue_destroy(queue);
}

void topic_commit_offset(struct topic *topic, const char *group, int partition, int64_t offset)
{
    rd_kafka_t *handle = client(RD_KAFKA_CONSUMER, "group.id", group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic->name, partition)->offset = offset;
    check(rd_kafka_commit(handle, list, 0), "commit an offset");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(handle);
}

int64_t topic_committed(struct topic *topic, const char *group, int partition)
{
    rd_kafka_t *handle = client(RD_KAFKA_CONSUMER, "group.id", group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    (void)rd_kafka_topic_partition_list_add(list, topic->name, partition);
    check(rd_kafka_committed(handle, list, WAIT_MS), "committed");
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(handle);
    return offset;
}
