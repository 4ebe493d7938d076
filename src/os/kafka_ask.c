#include "os/kafka_read_parts.h"

#include <string.h>

/* The error of a question, as an answer to whoever asked. */
static enum outcome cannot(struct kafka_reader *reader, const char *topic,
                           rd_kafka_resp_err_t error, struct fault *ret_fault)
{
    int refused = __atomic_load_n(&reader->client.not_allowed, __ATOMIC_RELAXED);
    enum kafka_class class = kafka_error_class(error);

    if (class == KAFKA_PASSING && refused != 0) {
        error = (rd_kafka_resp_err_t)refused; /* Why nobody could be asked. */
        class = KAFKA_NOT_ALLOWED;
    }
    if (class == KAFKA_MISSING) {
        (void)fault_is(ret_fault, REFUSED, FAULT_SOURCE_MISSING, "topic %s: %s", topic,
                       rd_kafka_err2str(error));
        fault_next(ret_fault, "create the topic, or mend its name in source.kafka.topics");
        return REFUSED;
    }
    if (class == KAFKA_NOT_ALLOWED) {
        (void)kafka_fault(ret_fault, REFUSED, FAULT_SOURCE_PERMISSION, topic, error);
        fault_next(ret_fault, "check the credentials, and that they allow READ and DESCRIBE of %s",
                   topic);
        return REFUSED;
    }
    return kafka_fault(ret_fault, LATER, FAULT_KAFKA_UNREACHABLE, topic, error);
}

/* What is known of one topic. Whoever asked destroys it. */
static enum outcome ask_of_topic(struct kafka_reader *reader, const char *topic,
                                 const struct rd_kafka_metadata **ret_metadata,
                                 struct fault *ret_fault)
{
    rd_kafka_topic_t *handle = strlen(topic) <= KAFKA_TOPIC_MAX
                                   ? rd_kafka_topic_new(reader->client.handle, topic, NULL)
                                   : NULL;

    if (handle == NULL) {
        return cannot(reader, topic, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, ret_fault);
    }
    rd_kafka_resp_err_t error =
        rd_kafka_metadata(reader->client.handle, 0, handle, ret_metadata, KAFKA_WAIT_MS);
    rd_kafka_topic_destroy(handle);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const struct rd_kafka_metadata *metadata = *ret_metadata;
        error = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                         : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_metadata_destroy(metadata);
        }
    }
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? DONE : cannot(reader, topic, error, ret_fault);
}

enum outcome kafka_reader_topic(struct kafka_reader *reader, const char *topic,
                                uint32_t *ret_partition_count, struct fault *ret_fault)
{
    const struct rd_kafka_metadata *metadata = NULL;
    enum outcome outcome = ask_of_topic(reader, topic, &metadata, ret_fault);

    if (outcome == DONE) {
        *ret_partition_count = (uint32_t)metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    return outcome;
}

enum outcome kafka_reader_copies(struct kafka_reader *reader, const char *topic,
                                 struct kafka_copies *ret_copies, struct fault *ret_fault)
{
    const struct rd_kafka_metadata *metadata = NULL;
    enum outcome outcome = ask_of_topic(reader, topic, &metadata, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    *ret_copies = (struct kafka_copies){0};
    for (int index = 0; index < metadata->topics[0].partition_cnt; index++) {
        const struct rd_kafka_metadata_partition *partition =
            &metadata->topics[0].partitions[index];
        uint32_t replicas = (uint32_t)partition->replica_cnt;
        if (index == 0 || replicas < ret_copies->least) {
            ret_copies->least = replicas;
        }
        ret_copies->behind += partition->isr_cnt < partition->replica_cnt ? 1 : 0;
        ret_copies->headless += partition->leader < 0 ? 1 : 0;
    }
    rd_kafka_metadata_destroy(metadata);
    return DONE;
}

enum outcome kafka_reader_brokers(struct kafka_reader *reader, int32_t *ret_numbers,
                                  size_t capacity, size_t *ret_count, struct fault *ret_fault)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error =
        rd_kafka_metadata(reader->client.handle, 0, NULL, &metadata, KAFKA_WAIT_MS);

    *ret_count = 0;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return cannot(reader, "the cluster", error, ret_fault);
    }
    for (int index = 0; index < metadata->broker_cnt && *ret_count < capacity; index++) {
        ret_numbers[(*ret_count)++] = metadata->brokers[index].id;
    }
    rd_kafka_metadata_destroy(metadata);
    return DONE;
}

enum outcome kafka_reader_cluster(struct kafka_reader *reader, char ret_cluster[KAFKA_CLUSTER_SIZE],
                                  struct fault *ret_fault)
{
    char *cluster = rd_kafka_clusterid(reader->client.handle, KAFKA_WAIT_MS);

    ret_cluster[0] = '\0';
    if (cluster == NULL) {
        return cannot(reader, "the cluster", RD_KAFKA_RESP_ERR__TIMED_OUT, ret_fault);
    }
    size_t size = strlen(cluster);
    if (size < KAFKA_CLUSTER_SIZE) {
        memcpy(ret_cluster, cluster, size + 1);
    }
    rd_kafka_mem_free(reader->client.handle, cluster);
    return DONE;
}

/*
 * Before this time: -2 is the oldest offset, -1 the next stable one. For these two there is
 * rd_kafka_query_watermark_offsets, too, but in 2.0.2 it knows no time limit; this call does.
 * *ret_offset is -1 if no record is of this time or later. A partition that nobody leads just now
 * is unknown to it; we ask of those alone that the topic was said to have.
 */
static enum outcome ask(struct kafka_reader *reader, const char *topic, uint32_t partition,
                        int64_t time_ms, int64_t *ret_offset, struct fault *ret_fault)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic, (int32_t)partition)->offset = time_ms;
    rd_kafka_resp_err_t error =
        rd_kafka_offsets_for_times(reader->client.handle, list, KAFKA_WAIT_MS);
    *ret_offset = list->elems[0].offset;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        error = list->elems[0].err;
    }
    if (error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) {
        error = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && time_ms < 0 && *ret_offset < 0) {
        error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? DONE : cannot(reader, topic, error, ret_fault);
}

/* What became of the question about each of these, or one error for all. */
static void note_offsets(rd_kafka_topic_partition_list_t **offsets,
                         const rd_kafka_topic_partition_list_t *list, rd_kafka_resp_err_t error)
{
    if (*offsets == NULL) {
        *offsets = rd_kafka_topic_partition_list_new(list->cnt);
    }
    for (int index = 0; index < list->cnt; index++) {
        const rd_kafka_topic_partition_t *answered = &list->elems[index];
        rd_kafka_topic_partition_t *noted =
            rd_kafka_topic_partition_list_add(*offsets, answered->topic, answered->partition);
        noted->offset = answered->offset;
        noted->err = error != RD_KAFKA_RESP_ERR_NO_ERROR ? error : answered->err;
    }
}

static rd_kafka_resp_err_t ask_offsets(struct kafka_reader *reader,
                                       rd_kafka_topic_partition_list_t *list, int64_t time_ms)
{
    for (int index = 0; index < list->cnt; index++) {
        list->elems[index].offset = time_ms;
    }
    return rd_kafka_offsets_for_times(reader->client.handle, list, KAFKA_WAIT_MS);
}

static void ask_leader(struct kafka_reader *reader, const struct rd_kafka_metadata_topic *topic,
                       int32_t leader)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;

    for (int index = 0; index < topic->partition_cnt; index++) {
        if (topic->partitions[index].leader == leader) {
            (void)rd_kafka_topic_partition_list_add(list, topic->topic,
                                                    topic->partitions[index].id);
        }
    }
    if (leader >= 0) {
        error = ask_offsets(reader, list, RD_KAFKA_OFFSET_BEGINNING);
    }
    note_offsets(&reader->firsts, list, error);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        error = ask_offsets(reader, list, RD_KAFKA_OFFSET_END);
    }
    note_offsets(&reader->nexts, list, error);
    rd_kafka_topic_partition_list_destroy(list);
}

static rd_kafka_topic_partition_t *find(const rd_kafka_topic_partition_list_t *offsets,
                                        const char *topic, uint32_t partition)
{
    return offsets == NULL ? NULL
                           : rd_kafka_topic_partition_list_find(offsets, topic, (int32_t)partition);
}

/*
 * Of all partitions of the topic, one question for each leader: one that is away is waited for
 * once. What one partition's error says is so of all that its leader has.
 */
static enum outcome ask_leaders(struct kafka_reader *reader, const char *topic,
                                struct fault *ret_fault)
{
    const struct rd_kafka_metadata *metadata = NULL;
    enum outcome outcome = ask_of_topic(reader, topic, &metadata, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    const struct rd_kafka_metadata_topic *all = &metadata->topics[0];
    for (int index = 0; index < all->partition_cnt; index++) {
        if (find(reader->firsts, topic, (uint32_t)all->partitions[index].id) == NULL) {
            ask_leader(reader, all, all->partitions[index].leader);
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return DONE;
}

static enum outcome noted_offset(struct kafka_reader *reader,
                                 const rd_kafka_topic_partition_t *noted, const char *topic,
                                 uint64_t *ret_offset, struct fault *ret_fault)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;

    if (noted != NULL && noted->err != RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) {
        error = noted->err;
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && noted->offset < 0) {
        error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return cannot(reader, topic, error, ret_fault);
    }
    *ret_offset = (uint64_t)noted->offset;
    return DONE;
}

/* Partitions are taken on one after the other, and all of them are asked about at the first. */
static enum outcome bounds_at_once(struct kafka_reader *reader, const char *topic,
                                   uint32_t partition, uint64_t *ret_first, uint64_t *ret_next,
                                   struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    if (find(reader->firsts, topic, partition) == NULL) {
        outcome = ask_leaders(reader, topic, ret_fault);
    }
    if (outcome == DONE) {
        outcome = noted_offset(reader, find(reader->firsts, topic, partition), topic, ret_first,
                               ret_fault);
    }
    return outcome == DONE ? noted_offset(reader, find(reader->nexts, topic, partition), topic,
                                          ret_next, ret_fault)
                           : outcome;
}

enum outcome kafka_reader_bounds(struct kafka_reader *reader, const char *topic, uint32_t partition,
                                 uint64_t *ret_first, uint64_t *ret_next, struct fault *ret_fault)
{
    int64_t first = -1;
    int64_t next = -1;

    if (!__atomic_load_n(&reader->begun, __ATOMIC_ACQUIRE)) {
        return bounds_at_once(reader, topic, partition, ret_first, ret_next, ret_fault);
    }
    enum outcome outcome =
        ask(reader, topic, partition, RD_KAFKA_OFFSET_BEGINNING, &first, ret_fault);
    if (outcome == DONE) {
        outcome = ask(reader, topic, partition, RD_KAFKA_OFFSET_END, &next, ret_fault);
    }
    if (outcome == DONE) {
        *ret_first = (uint64_t)first;
        *ret_next = (uint64_t)next;
    }
    return outcome;
}

void kafka_reader_forget_bounds(struct kafka_reader *reader)
{
    if (reader->firsts != NULL) {
        rd_kafka_topic_partition_list_destroy(reader->firsts);
    }
    if (reader->nexts != NULL) {
        rd_kafka_topic_partition_list_destroy(reader->nexts);
    }
    reader->firsts = NULL;
    reader->nexts = NULL;
}

enum outcome kafka_reader_offset_at(struct kafka_reader *reader, const char *topic,
                                    uint32_t partition, int64_t time_ms, uint64_t *ret_offset,
                                    struct fault *ret_fault)
{
    int64_t offset = -1;

    must(time_ms >= 0);
    enum outcome outcome = ask(reader, topic, partition, time_ms, &offset, ret_fault);
    if (outcome == DONE && offset < 0) {
        outcome = ask(reader, topic, partition, RD_KAFKA_OFFSET_END, &offset, ret_fault);
    }
    *ret_offset = (uint64_t)offset;
    return outcome;
}
