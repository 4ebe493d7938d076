/*
 * kafka_bench: what the files of bench_kafka_pipeline share.
 */
#ifndef BENCH_KAFKA_BENCH_H
#define BENCH_KAFKA_BENCH_H

#include "bench/measure.h"
#include "test/kafka/topic.h"

#include <librdkafka/rdkafka.h>
#include <sys/types.h>

enum { BENCH_PROPERTIES_MAX = 16, BENCH_PATH_SIZE = 400 };

/* What payonce is to write into. */
enum bench_sink { BENCH_KAFKA, BENCH_SQLITE };

struct bench {
    const char *brokers;
    const char *payonce; /* The program. */
    char directory[BENCH_PATH_SIZE / 2];
    uint64_t messages;
    size_t runs;
    int partitions;
    const char *rows; /* deliver.max_rows and max_wait of payonce's sink; NULL: its own. */
    const char *wait;
    unsigned interval_ms; /* Of the bare loop's transactions. */
    unsigned rate;        /* Of the latency's messages, a second. */
    unsigned seconds;
    char *properties[BENCH_PROPERTIES_MAX]; /* "name=value", of both producers. */
    size_t property_count;
    bool only_latency;
    bool only_rate;
};

/* A client with the brokers' address. */
void bench_set(rd_kafka_conf_t *conf, const char *name, const char *value);
rd_kafka_t *bench_client(rd_kafka_type_t type, rd_kafka_conf_t *conf);

/* A new topic, once it can be written to. */
void bench_topic(struct topic *topic, int partitions);

/* `payonce run` with a configuration and a directory of its own, from one topic into the sink. */
enum bench_end { BENCH_UNTIL_CAUGHT_UP, BENCH_UNTIL_STOPPED };
pid_t bench_run(const struct bench *bench, const char *from, enum bench_sink sink, const char *to,
                enum bench_end end);

/* The ledger's path, of the last of them. */
void bench_ledger(const struct bench *bench, char ret_path[BENCH_PATH_SIZE]);

/* Waits for the child. Its processor time in nanoseconds; ends the program if it failed. */
int64_t bench_wait(pid_t child, const char *what);

/* kafka_loop.c: the reference, a process of its own; what main() gets behind "--loop". */
int loop_main(int count, char **arguments);

/* kafka_latency.c: from a message's sending to when what payonce made of it can be read. */
void latency_measure(const struct bench *bench, enum bench_sink sink);

#endif
