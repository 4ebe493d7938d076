#include "source/source_kafka.h"

#include <string.h>

_Static_assert(sizeof(((struct feed_line *)NULL)->text) == KAFKA_LINE_SIZE, "a line is a line");

enum {
    QUEUE_KIB_MIN = 1024,
    QUEUE_KIB_MAX = 16 * 1024,
    IDS_MAX = 64, /* As many topics can be configured. */
};

struct kafka_feed {
    struct feed feed;
    const struct kafka_feed_settings *settings;
    struct kafka_reader *reader;
    uint32_t queue_kib; /* What the reader's queues hold. */
    size_t listed;      /* Partitions. */
    bool attached;
    bool facts_known; /* Of the topic facts_of: its partitions are asked for one after the other. */
    char facts_of[TOPIC_TEXT_MAX + 1];
    struct source_facts facts;
    char ids[IDS_MAX][KAFKA_TOPIC_ID_SIZE]; /* By topic, when it was asked for. Empty: not known. */
    struct kafka_position positions[FEED_PARTITIONS_MAX];
};

static struct kafka_feed *kafka_of(struct feed *feed)
{
    return (struct kafka_feed *)feed;
}

/* What one of so many queues may hold. */
static uint32_t queue_kib(const struct kafka_feed_settings *settings, size_t count)
{
    uint64_t kib = settings->queue_bytes / 1024 / (count > 0 ? count : 1);

    return kib < QUEUE_KIB_MIN   ? QUEUE_KIB_MIN
           : kib > QUEUE_KIB_MAX ? QUEUE_KIB_MAX
                                 : (uint32_t)kib;
}

static enum outcome open_reader(struct kafka_feed *kafka, uint32_t kib, struct fault *ret_fault)
{
    const struct kafka_reader_settings settings = {
        .client = kafka->settings->client,
        .group = kafka->settings->group,
        .queue_kib = kib,
    };

    kafka->queue_kib = kib;
    kafka->reader = NULL;
    return kafka_reader_open(&settings, &kafka->reader, ret_fault);
}

static enum outcome kafka_open(struct feed *feed, const void *settings, struct fault *ret_fault)
{
    struct kafka_feed *kafka = kafka_of(feed);

    kafka->settings = settings;
    return open_reader(kafka, queue_kib(settings, kafka->settings->topic_count), ret_fault);
}

static enum outcome too_many(struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SOURCE_LIMIT,
                    "the topics have more than %d partitions, which is as many as can be read",
                    FEED_PARTITIONS_MAX);
}

enum outcome kafka_topic_fits(struct kafka_reader *reader, const char *topic,
                              struct fault *ret_fault)
{
    char policy[KAFKA_VALUE_SIZE];
    enum outcome outcome =
        kafka_reader_topic_setting(reader, topic, "cleanup.policy", policy, ret_fault);

    if (outcome == DONE && strstr(policy, "compact") != NULL) {
        return fault_is(ret_fault, BROKEN, FAULT_KAFKA_COMPACTED,
                        "topic %s is compacted (cleanup.policy=%s): of messages with one key only "
                        "the last ones stay",
                        topic, policy);
    }
    return outcome == REFUSED ? DONE : outcome; /* Whoever may not look is not kept from reading. */
}

static enum outcome list_topic(struct kafka_feed *kafka, const char *topic,
                               struct origin *ret_origins, size_t *count, struct fault *ret_fault)
{
    uint32_t partition_count = 0;
    enum outcome outcome = kafka_reader_topic(kafka->reader, topic, &partition_count, ret_fault);

    if (outcome != DONE) {
        return outcome == REFUSED ? BROKEN : outcome;
    }
    if (partition_count > FEED_PARTITIONS_MAX - *count) {
        return too_many(ret_fault);
    }
    outcome = kafka_topic_fits(kafka->reader, topic, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    for (uint32_t partition = 0; partition < partition_count; partition++) {
        struct origin *origin = &ret_origins[(*count)++];
        memset(origin, 0, sizeof(*origin));
        memcpy(origin->topic, topic, strlen(topic));
        origin->partition = partition;
    }
    return DONE;
}

/* How much a queue may hold is said to a client when it is made. */
static enum outcome share_out(struct kafka_feed *kafka, size_t count, struct fault *ret_fault)
{
    uint32_t kib = queue_kib(kafka->settings, count);

    if (kafka->attached || kib == kafka->queue_kib) {
        return DONE;
    }
    (void)kafka_reader_close(kafka->reader); /* Not at its end in time: its memory is given up. */
    return open_reader(kafka, kib, ret_fault);
}

static enum outcome kafka_list(struct feed *feed, struct origin *ret_origins, size_t *ret_count,
                               struct fault *ret_fault)
{
    struct kafka_feed *kafka = kafka_of(feed);

    *ret_count = 0;
    for (size_t index = 0; index < kafka->settings->topic_count; index++) {
        enum outcome outcome =
            list_topic(kafka, kafka->settings->topics[index], ret_origins, ret_count, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
    }
    kafka->listed = *ret_count;
    return share_out(kafka, *ret_count, ret_fault);
}

static enum outcome kafka_start(struct feed *feed, const struct origin *origin, bool as_set,
                                uint64_t *ret_offset, struct fault *ret_fault)
{
    struct kafka_feed *kafka = kafka_of(feed);
    uint64_t first = 0;
    uint64_t end = 0;
    enum kafka_start start = as_set ? kafka->settings->start : KAFKA_START_EARLIEST;
    enum outcome outcome =
        start == KAFKA_START_TIME
            ? kafka_reader_offset_at(kafka->reader, origin->topic, origin->partition,
                                     kafka->settings->start_ms, &first, ret_fault)
            : kafka_reader_bounds(kafka->reader, origin->topic, origin->partition, &first, &end,
                                  ret_fault);

    *ret_offset = start == KAFKA_START_LATEST ? end : first;
    return outcome == REFUSED ? BROKEN : outcome;
}

_Static_assert((int)KAFKA_CLUSTER_SIZE == (int)CLUSTER_TEXT_MAX + 1, "as it is asked for");
_Static_assert((int)KAFKA_TOPIC_ID_SIZE == (int)TOPIC_ID_TEXT_MAX + 1, "as it is asked for");

/* Whoever may not ask for a topic's id, or gets no answer, may read it all the same. */
static enum outcome ask_facts(struct kafka_feed *kafka, const char *topic, struct fault *ret_fault)
{
    enum outcome outcome = kafka_reader_cluster(kafka->reader, kafka->facts.cluster, ret_fault);

    if (outcome == DONE &&
        kafka_reader_topic_id(kafka->reader, topic, kafka->facts.topic_id, ret_fault) != DONE) {
        memset(kafka->facts.topic_id, 0, sizeof(kafka->facts.topic_id));
    }
    return outcome == REFUSED ? BROKEN : outcome;
}

/* Its id, to be looked at from time to time. */
static void keep_id(struct kafka_feed *kafka, const char *topic)
{
    for (size_t index = 0; index < kafka->settings->topic_count && index < IDS_MAX; index++) {
        if (strcmp(kafka->settings->topics[index], topic) == 0) {
            memcpy(kafka->ids[index], kafka->facts.topic_id, KAFKA_TOPIC_ID_SIZE);
        }
    }
}

static enum outcome kafka_facts(struct feed *feed, const struct origin *origin,
                                struct source_facts *ret_facts, struct fault *ret_fault)
{
    struct kafka_feed *kafka = kafka_of(feed);
    enum outcome outcome = DONE;

    if (!kafka->facts_known || strcmp(kafka->facts_of, origin->topic) != 0) {
        memset(&kafka->facts, 0, sizeof(kafka->facts));
        outcome = ask_facts(kafka, origin->topic, ret_fault);
        memcpy(kafka->facts_of, origin->topic, sizeof(kafka->facts_of));
        kafka->facts_known = outcome == DONE;
        keep_id(kafka, origin->topic);
    }
    *ret_facts = kafka->facts;
    return outcome;
}

static enum outcome kafka_attach(struct feed *feed, struct source *source, struct fault *ret_fault)
{
    struct kafka_feed *kafka = kafka_of(feed);
    struct kafka_source *partition = (struct kafka_source *)source;

    kafka->attached = true;
    partition->clock = kafka->settings->clock;
    partition->gaps = kafka->settings->gaps;
    return kafka_reader_partition(kafka->reader, source->origin.topic, source->origin.partition,
                                  &partition->partition, ret_fault);
}

static enum outcome kafka_begin(struct feed *feed, struct fault *ret_fault)
{
    return kafka_reader_begin(kafka_of(feed)->reader, ret_fault);
}

static void kafka_commit(struct feed *feed, const struct feed_position *positions, size_t count)
{
    struct kafka_feed *kafka = kafka_of(feed);

    must(count <= FEED_PARTITIONS_MAX);
    for (size_t index = 0; index < count; index++) {
        kafka->positions[index] = (struct kafka_position){
            .topic = positions[index].origin->topic,
            .partition = positions[index].origin->partition,
            .next = positions[index].next,
        };
    }
    kafka_reader_commit(kafka->reader, kafka->positions, count);
}

static void kafka_close(struct feed *feed)
{
    struct kafka_feed *kafka = kafka_of(feed);

    if (kafka->reader != NULL) {
        (void)kafka_reader_close(kafka->reader); /* Nothing that counts is lost with it. */
    }
}

/* Made anew so soon that the library has not missed it. */
static bool made_anew(struct kafka_feed *kafka, size_t index)
{
    char id[KAFKA_TOPIC_ID_SIZE];
    struct fault fault;

    return index < IDS_MAX && kafka->ids[index][0] != '\0' &&
           kafka_reader_topic_id(kafka->reader, kafka->settings->topics[index], id, &fault) ==
               DONE &&
           id[0] != '\0' && strcmp(id, kafka->ids[index]) != 0;
}

static bool kafka_grown(struct feed *feed)
{
    struct kafka_feed *kafka = kafka_of(feed);
    struct fault fault;
    size_t count = 0;

    for (size_t index = 0; index < kafka->settings->topic_count; index++) {
        uint32_t partition_count = 0;
        if (kafka_reader_topic(kafka->reader, kafka->settings->topics[index], &partition_count,
                               &fault) != DONE) {
            return false; /* Whoever reads will find out why. */
        }
        if (made_anew(kafka, index)) {
            return true;
        }
        count += partition_count;
    }
    return count > kafka->listed;
}

enum { LEVEL_WARNING = 4 }; /* Of syslog. */

static bool kafka_line(struct feed *feed, struct feed_line *ret_line)
{
    struct kafka_line line;

    if (!kafka_reader_line(kafka_of(feed)->reader, &line)) {
        return false;
    }
    ret_line->warning = line.level <= LEVEL_WARNING;
    memcpy(ret_line->text, line.text, sizeof(ret_line->text));
    return true;
}

const struct feed_type feed_kafka = {
    .name = "kafka",
    .size = sizeof(struct kafka_feed),
    .source_type = &source_kafka,
    .open = kafka_open,
    .list = kafka_list,
    .start = kafka_start,
    .facts = kafka_facts,
    .attach = kafka_attach,
    .begin = kafka_begin,
    .commit = kafka_commit,
    .grown = kafka_grown,
    .line = kafka_line,
    .close = kafka_close,
};
