#include "bench/kafka_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 512, PARTITIONS_MAX = 64, WAIT_MS = 10000 };

struct loop {
    rd_kafka_t *consumer;
    rd_kafka_t *producer;
    rd_kafka_topic_t *to;
    rd_kafka_consumer_group_metadata_t *group;
    const char *from;
    rd_kafka_queue_t *queues[PARTITIONS_MAX];
    int64_t next[PARTITIONS_MAX];
    int partitions;
    uint64_t taken;
};

static void done(rd_kafka_error_t *error, const char *what)
{
    if (error != NULL) {
        (void)fprintf(stderr, "bare loop: %s: %s\n", what, rd_kafka_error_string(error));
        exit(69);
    }
}

static void open_consumer(struct loop *loop)
{
    static const char *const settings[][2] = {
        {"group.id", "bench"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"isolation.level", "read_committed"},
        {"check.crcs", "true"},
        {"queued.min.messages", "1000000"},
        {"queued.max.messages.kbytes", "16384"},
        {"fetch.wait.max.ms", "100"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    for (size_t index = 0; index < sizeof(settings) / sizeof(settings[0]); index++) {
        bench_set(conf, settings[index][0], settings[index][1]);
    }
    loop->consumer = bench_client(RD_KAFKA_CONSUMER, conf);
    loop->group = rd_kafka_consumer_group_metadata_new("bench");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(loop->partitions);
    for (int index = 0; index < loop->partitions; index++) {
        loop->queues[index] = rd_kafka_queue_get_partition(loop->consumer, loop->from, index);
        rd_kafka_queue_forward(loop->queues[index], NULL);
        rd_kafka_topic_partition_list_add(list, loop->from, index)->offset = 0;
    }
    must(rd_kafka_assign(loop->consumer, list) == 0);
    rd_kafka_topic_partition_list_destroy(list);
}

static void open_producer(struct loop *loop, const char *to, int count, char **properties)
{
    static const char *const settings[][2] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"transaction.timeout.ms", "20000"},
        {"message.timeout.ms", "15000"},
        {"delivery.report.only.error", "true"},
        {"partitioner", "murmur2_random"},
        {"compression.codec", "lz4"},
        {"linger.ms", "5"},
        {"batch.num.messages", "10000"},
        {"queue.buffering.max.kbytes", "65536"},
        {"queue.buffering.max.messages", "100000"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    bench_set(conf, "transactional.id", to);
    for (size_t index = 0; index < sizeof(settings) / sizeof(settings[0]); index++) {
        bench_set(conf, settings[index][0], settings[index][1]);
    }
    for (int index = 0; index < count; index++) {
        char *equals = strchr(properties[index], '=');
        must(equals != NULL);
        *equals = '\0';
        bench_set(conf, properties[index], equals + 1);
    }
    loop->producer = bench_client(RD_KAFKA_PRODUCER, conf);
    loop->to = rd_kafka_topic_new(loop->producer, to, NULL);
    done(rd_kafka_init_transactions(loop->producer, WAIT_MS), "init");
}

static void put(struct loop *loop, const rd_kafka_message_t *message)
{
    while (rd_kafka_produce(loop->to, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, message->payload,
                            message->len, message->key, message->key_len, NULL) != 0) {
        must(rd_kafka_last_error() == RD_KAFKA_RESP_ERR__QUEUE_FULL);
        (void)rd_kafka_poll(loop->producer, 10);
    }
}

/* One look at one partition. */
static size_t take(struct loop *loop, int partition)
{
    static rd_kafka_message_t *messages[BATCH];
    ssize_t count = rd_kafka_consume_batch_queue(loop->queues[partition], 0, messages, BATCH);
    size_t taken = 0;

    for (ssize_t index = 0; index < count; index++) {
        if (messages[index]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            put(loop, messages[index]);
            loop->next[partition] = messages[index]->offset + 1;
            taken++;
        }
        rd_kafka_message_destroy(messages[index]);
    }
    return taken;
}

static void commit(struct loop *loop)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(loop->partitions);

    for (int index = 0; index < loop->partitions; index++) {
        rd_kafka_topic_partition_list_add(list, loop->from, index)->offset = loop->next[index];
    }
    done(rd_kafka_send_offsets_to_transaction(loop->producer, list, loop->group, WAIT_MS),
         "offsets");
    done(rd_kafka_commit_transaction(loop->producer, -1), "commit");
    rd_kafka_topic_partition_list_destroy(list);
}

static void copy_all(struct loop *loop, uint64_t messages, int64_t interval_ns)
{
    const struct timespec nap = {0, 200000};

    while (loop->taken < messages) {
        int64_t until_ns = measure_wall_ns() + interval_ns;
        done(rd_kafka_begin_transaction(loop->producer), "begin");
        while (loop->taken < messages && measure_wall_ns() < until_ns) {
            size_t taken = 0;
            for (int index = 0; index < loop->partitions; index++) {
                taken += take(loop, index);
            }
            loop->taken += taken;
            (void)rd_kafka_poll(loop->producer, 0);
            if (taken == 0) {
                (void)nanosleep(&nap, NULL);
            }
        }
        commit(loop);
    }
}

int loop_main(int count, char **arguments)
{
    enum { FROM, TO, MESSAGES, PARTITIONS, INTERVAL_MS, PROPERTIES };
    struct loop loop = {.from = arguments[FROM], .partitions = atoi(arguments[PARTITIONS])};

    must(count >= PROPERTIES && loop.partitions <= PARTITIONS_MAX);
    open_producer(&loop, arguments[TO], count - PROPERTIES, arguments + PROPERTIES);
    open_consumer(&loop);
    copy_all(&loop, strtoull(arguments[MESSAGES], NULL, 10),
             atoi(arguments[INTERVAL_MS]) * INT64_C(1000000));
    for (int index = 0; index < loop.partitions; index++) {
        rd_kafka_queue_destroy(loop.queues[index]);
    }
    rd_kafka_consumer_group_metadata_destroy(loop.group);
    rd_kafka_topic_destroy(loop.to);
    rd_kafka_destroy(loop.producer);
    rd_kafka_destroy(loop.consumer);
    return 0;
}
