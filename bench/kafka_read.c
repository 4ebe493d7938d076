/*
 * kafka_read: what it costs to take messages from Kafka, beside a bare librdkafka loop.
 *
 * The source (every offset looked at, keys and values copied into blocks of 256 KiB, a
 * fingerprint each) and, in turn with it, rd_kafka_consume_batch_queue on the partition's own
 * queue with the same settings, each message looked at (offset, length) and given back. Both
 * read the same topic of one partition from its beginning, by one thread. Processor time is
 * that of all threads: the library's are most of it.
 *
 * usage: KAFKA_BOOTSTRAP=host:port bench_kafka_read [MESSAGES]     1,000,000 of 305 bytes
 */
#include "bench/measure.h"
#include "source/source_kafka.h"
#include "test/kafka/topic.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 5, BLOCK = 256 * 1024, LINES = BLOCK / 64, BATCH = 512, QUEUE_MIB = 16 };

struct figures {
    double wall[RUNS]; /* Seconds. */
    double cpu[RUNS];
};

static const char *brokers;
static struct topic topic;
static uint64_t message_count = 1000000;

static void must_be(enum outcome outcome, const struct fault *fault)
{
    if (outcome != DONE) {
        (void)fprintf(stderr, "bench_kafka_read: %s\n", fault->text);
        exit(69);
    }
}

static void nap(void)
{
    const struct timespec step = {0, 200000};

    (void)nanosleep(&step, NULL);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    must(rd_kafka_conf_set(conf, name, value, NULL, 0) == RD_KAFKA_CONF_OK);
}

static rd_kafka_t *open_bare(void)
{
    static const char *const settings[][2] = {
        {"group.id", "bench"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"isolation.level", "read_committed"},
        {"check.crcs", "true"},
        {"enable.partition.eof", "true"},
        {"queued.min.messages", "1000000"},
        {"queued.max.messages.kbytes", "16384"},
        {"fetch.wait.max.ms", "100"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char error[200];

    set(conf, "bootstrap.servers", brokers);
    for (size_t index = 0; index < sizeof(settings) / sizeof(settings[0]); index++) {
        set(conf, settings[index][0], settings[index][1]);
    }
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
    must(handle != NULL);
    return handle;
}

static uint64_t read_bare(rd_kafka_queue_t *queue)
{
    static rd_kafka_message_t *messages[BATCH];
    uint64_t next = 0;
    uint64_t bytes = 0;

    while (next < message_count) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, 0, messages, BATCH);
        for (ssize_t index = 0; index < count; index++) {
            if (messages[index]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                must(messages[index]->offset == (int64_t)next);
                next++;
                bytes += messages[index]->len;
            }
            rd_kafka_message_destroy(messages[index]);
        }
        if (count <= 0) {
            nap();
        }
    }
    return bytes;
}

static uint64_t run_bare(void)
{
    rd_kafka_t *handle = open_bare();
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(handle, topic.name, 0);

    rd_kafka_queue_forward(queue, NULL);
    rd_kafka_topic_partition_list_add(list, topic.name, 0)->offset = 0;
    must(rd_kafka_assign(handle, list) == 0);
    rd_kafka_topic_partition_list_destroy(list);
    uint64_t bytes = read_bare(queue);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
    return bytes;
}

static uint64_t read_source(struct source *source)
{
    static uint8_t room[BLOCK + SOURCE_BLOCK_MIN];
    static struct source_line lines[LINES];
    struct source_block block = {.bytes = room,
                                 .capacity = sizeof(room),
                                 .target = BLOCK,
                                 .lines = lines,
                                 .line_capacity = LINES};
    struct fault fault;
    uint64_t bytes = 0;

    do {
        enum outcome outcome = source_read(source, &block, &fault);
        for (size_t index = 0; outcome == DONE && index < block.line_count; index++) {
            bytes += block.lines[index].size;
        }
        if (outcome == LATER) {
            nap();
            continue;
        }
        must_be(outcome, &fault);
    } while (block.next < message_count);
    return bytes;
}

static uint64_t run_source(void)
{
    static const struct fingerprint none;
    const char *const topics[] = {topic.name};
    struct kafka_feed_settings settings = {
        .client = {.brokers = brokers},
        .group = "bench",
        .topics = topics,
        .topic_count = 1,
        .gaps = KAFKA_GAPS_CONFIRM,
        .queue_bytes = QUEUE_MIB * 1024 * 1024,
        .clock = &clock_real,
    };
    struct feed *feed = calloc(1, feed_kafka.size);
    struct source *source = calloc(1, source_kafka.size);
    struct origin *origins = calloc(FEED_PARTITIONS_MAX, sizeof(*origins));
    size_t count = 0;
    struct fault fault;

    must(feed != NULL && source != NULL && origins != NULL);
    must_be(feed_open(feed, &feed_kafka, &settings, &fault), &fault);
    must_be(feed_list(feed, origins, &count, &fault), &fault);
    must_be(feed_attach(feed, source, &origins[0], 0, &fault), &fault);
    must_be(source_assign(source, 0, &none, &fault), &fault);
    must_be(feed_begin(feed, &fault), &fault);
    uint64_t bytes = read_source(source);
    source_close(source);
    feed_close(feed);
    free(origins);
    free(source);
    free(feed);
    return bytes;
}

static void measure(const char *name, uint64_t (*run)(void), struct figures *figures, size_t at)
{
    int64_t wall_ns = measure_wall_ns();
    int64_t cpu_ns = measure_cpu_ns();
    uint64_t bytes = run();

    figures->wall[at] = (double)(measure_wall_ns() - wall_ns) / 1e9;
    figures->cpu[at] = (double)(measure_cpu_ns() - cpu_ns) / 1e9;
    (void)fprintf(stderr, "%s: %.3f s, %.3f s of processor, %llu bytes\n", name, figures->wall[at],
                  figures->cpu[at], (unsigned long long)bytes);
}

static void tell(const char *name, struct figures *figures)
{
    double wall = measure_median(figures->wall, RUNS);
    double cpu = measure_median(figures->cpu, RUNS);
    double million = (double)message_count / 1e6;

    (void)printf("%-22s %5.2f M messages/s, %5.2f CPU s a million messages\n", name, million / wall,
                 cpu / million);
}

int main(int count, char **arguments)
{
    static char word[290];
    struct figures bare;
    struct figures source;

    if (!topic_brokers(&brokers)) {
        (void)printf("kafka_read: SKIPPED: no brokers are named in KAFKA_BOOTSTRAP\n");
        return 0;
    }
    if (count > 1) {
        message_count = strtoull(arguments[1], NULL, 10);
    }
    memset(word, 'w', sizeof(word) - 1);
    topic_create(&topic, 1);
    for (uint64_t written = 0; written < message_count; written += 50000) {
        topic_write(&topic, 0, word, 50000);
    }
    for (size_t run = 0; run < RUNS; run++) {
        measure("bare", run_bare, &bare, run);
        measure("source", run_source, &source, run);
    }
    tell("bare batch queue", &bare);
    tell("source_kafka", &source);
    topic_delete(&topic);
    topic_close(&topic);
    return 0;
}
