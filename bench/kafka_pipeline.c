/*
 * kafka_pipeline: Kafka -> payonce -> Kafka, and -> SQLite, beside a bare librdkafka loop.
 *
 *   loop     rd_kafka_consume_batch_queue of every partition, rd_kafka_produce of each message as
 *            it is, a transaction every 200 ms with the offsets in it. The reference.
 *   kafka    `payonce run` with a sink `type: kafka` alone: judged, journalled, into a topic.
 *   sqlite   the same with the default ledger.
 *
 * All from one topic (payments of 305 bytes, 3 % of them twice), with the same properties of both
 * clients, in turns; each is a process of its own. What a thousand messages take, from start to
 * end, is told apart and taken off. Processor time is that of the process; the brokers' comes on
 * top, and on one machine is taken from all three.
 * Then, at a steady rate: from a message's sending until a reader of committed records has what
 * became of it, or a reader of the ledger sees its row.
 *
 * usage: KAFKA_BOOTSTRAP=host:port bench_kafka_pipeline [--payonce PROGRAM] [--messages N]
 *          [--runs N] [--partitions N] [--rows N] [--wait TIME] [--interval MS]
 *          [--property NAME=VALUE ...] [--rate N] [--seconds N] [--only-rate | --only-latency]
 *          [--way loop|kafka|sqlite]
 */
#include "bench/kafka_bench.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 32, WORD_SIZE = 64, WAIT_MS = 10000, FEW = 1000 };

enum way { LOOP, TO_KAFKA, TO_SQLITE, WAYS };

static const char *const way_names[] = {"bare loop", "kafka-kafka", "kafka-sqlite"};

/* The only one wanted; WAYS: all. */
static enum way wanted = WAYS;

struct figures {
    double wall[MEASURE_RUNS_MAX]; /* Seconds. */
    double cpu[MEASURE_RUNS_MAX];
};

/* Of all runs from one topic. */
struct measured {
    uint64_t messages;
    struct figures ways[WAYS];
};

void bench_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char error[200];

    if (rd_kafka_conf_set(conf, name, value, error, sizeof(error)) != RD_KAFKA_CONF_OK) {
        (void)fprintf(stderr, "bench_kafka_pipeline: %s\n", error);
        exit(78);
    }
}

rd_kafka_t *bench_client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    const char *brokers = NULL;
    char error[200];

    must(topic_brokers(&brokers));
    bench_set(conf, "bootstrap.servers", brokers);
    bench_set(conf, "socket.nagle.disable", "true");
    rd_kafka_t *handle = rd_kafka_new(type, conf, error, sizeof(error));
    must(handle != NULL);
    return handle;
}

static pid_t start(const char *const *words)
{
    pid_t child = fork();

    must(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* Whoever gives up leaves nobody behind. */
        (void)execv(words[0], (char *const *)(uintptr_t)words);
        perror(words[0]);
        _exit(127);
    }
    return child;
}

int64_t bench_wait(pid_t child, const char *what)
{
    struct rusage use;
    int status;

    must(wait4(child, &status, 0, &use) == child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        (void)fprintf(stderr, "bench_kafka_pipeline: %s failed (%d)\n", what, status);
        exit(1);
    }
    return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * INT64_C(1000000000) +
           (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * INT64_C(1000);
}

void bench_ledger(const struct bench *bench, char ret_path[BENCH_PATH_SIZE])
{
    (void)snprintf(ret_path, BENCH_PATH_SIZE, "%s/run/payments.db", bench->directory);
}

static void write_sink(const struct bench *bench, FILE *file, enum bench_sink sink, const char *to)
{
    char path[BENCH_PATH_SIZE];

    if (sink == BENCH_SQLITE) {
        bench_ledger(bench, path);
        (void)fprintf(file, "  - name: out\n    type: sqlite\n    path: %s\n", path);
    } else {
        (void)fprintf(
            file, "  - name: out\n    type: kafka\n    topics: {payment_transactions: %s}\n", to);
    }
    if (sink == BENCH_KAFKA && bench->property_count > 0) {
        (void)fprintf(file, "    kafka:\n      brokers: [\"%s\"]\n      extra:\n", bench->brokers);
        for (size_t index = 0; index < bench->property_count; index++) {
            const char *word = bench->properties[index];
            (void)fprintf(file, "        %.*s: \"%s\"\n", (int)strcspn(word, "="), word,
                          strchr(word, '=') + 1);
        }
    }
    if (bench->rows != NULL || bench->wait != NULL) {
        (void)fprintf(file, "    deliver: {max_rows: %s, max_wait: %s}\n",
                      bench->rows == NULL ? "auto" : bench->rows,
                      bench->wait == NULL ? "auto" : bench->wait);
    }
}

pid_t bench_run(const struct bench *bench, const char *from, enum bench_sink sink, const char *to,
                enum bench_end end)
{
    char directory[BENCH_PATH_SIZE];
    char path[BENCH_PATH_SIZE + 20];

    (void)snprintf(directory, sizeof(directory), "%s/run", bench->directory);
    measure_remove(directory);
    must(mkdir(directory, 0700) == 0);
    (void)snprintf(path, sizeof(path), "%s/payonce.yaml", directory);
    FILE *file = fopen(path, "w");
    must(file != NULL);
    (void)fprintf(file,
                  "data_dir: %s/state\nsource:\n  type: kafka\n  kafka: {brokers: [\"%s\"], "
                  "topics: [%s]}\nsinks:\n",
                  directory, bench->brokers, from);
    write_sink(bench, file, sink, to);
    (void)fclose(file);
    const char *const words[] = {bench->payonce,
                                 "run",
                                 "--quiet",
                                 path,
                                 end == BENCH_UNTIL_CAUGHT_UP ? "--until-caught-up" : NULL,
                                 NULL};
    return start(words);
}

static pid_t start_loop(const struct bench *bench, const char *from, const char *to)
{
    char numbers[3][WORD_SIZE];
    const char *words[WORDS_MAX] = {"/proc/self/exe", "--loop", from, to};
    size_t count = 4;

    (void)snprintf(numbers[0], WORD_SIZE, "%llu", (unsigned long long)bench->messages);
    (void)snprintf(numbers[1], WORD_SIZE, "%d", bench->partitions);
    (void)snprintf(numbers[2], WORD_SIZE, "%u", bench->interval_ms);
    for (size_t index = 0; index < 3; index++) {
        words[count++] = numbers[index];
    }
    for (size_t index = 0; index < bench->property_count; index++) {
        words[count++] = bench->properties[index];
    }
    return start(words);
}

void bench_topic(struct topic *topic, int partitions)
{
    const struct timespec nap = {0, 20000000};
    int64_t first = 0;
    int64_t next = 0;

    topic_create(topic, partitions);
    for (int index = 0; index < partitions; index++) {
        while (rd_kafka_query_watermark_offsets(topic->producer, topic->name, index, &first, &next,
                                                WAIT_MS) != 0) {
            (void)nanosleep(&nap, NULL);
        }
    }
}

/* Payments into the topic; how many messages stand there. */
static void fill(struct bench *bench, struct topic *topic)
{
    char place[BENCH_PATH_SIZE];
    char count[WORD_SIZE];

    (void)snprintf(place, sizeof(place), "kafka://%s/%s", bench->brokers, topic->name);
    (void)snprintf(count, sizeof(count), "%llu", (unsigned long long)bench->messages);
    const char *const words[] = {bench->payonce,
                                 "simulate",
                                 "--quiet",
                                 "--to",
                                 place,
                                 "--clock",
                                 "virtual",
                                 "--rate",
                                 "10000/s",
                                 "--count",
                                 count,
                                 "--duplicates",
                                 "3%",
                                 "--property",
                                 "compression.codec=lz4",
                                 NULL};
    (void)bench_wait(start(words), "simulate");
    bench->messages = 0;
    for (int index = 0; index < bench->partitions; index++) {
        int64_t first = 0;
        int64_t next = 0;
        must(rd_kafka_query_watermark_offsets(topic->producer, topic->name, index, &first, &next,
                                              WAIT_MS) == 0);
        bench->messages += (uint64_t)next;
    }
}

static void measure_once(const struct bench *bench, enum way way, const char *from,
                         struct figures *figures, size_t run)
{
    struct topic to;

    if (wanted != WAYS && wanted != way) {
        return;
    }
    bench_topic(&to, bench->partitions);
    int64_t begun_ns = measure_wall_ns();
    pid_t child = way == LOOP ? start_loop(bench, from, to.name)
                              : bench_run(bench, from, way == TO_KAFKA ? BENCH_KAFKA : BENCH_SQLITE,
                                          to.name, BENCH_UNTIL_CAUGHT_UP);
    figures->cpu[run] = (double)bench_wait(child, way_names[way]) / 1e9;
    figures->wall[run] = (double)(measure_wall_ns() - begun_ns) / 1e9;
    (void)fprintf(stderr, "%s: %.3f s, %.3f s of processor\n", way_names[way], figures->wall[run],
                  figures->cpu[run]);
    topic_delete(&to);
    topic_close(&to);
}

static void measure_all(struct bench *bench, uint64_t messages, struct measured *ret_measured)
{
    struct topic from;

    bench->messages = messages;
    bench_topic(&from, bench->partitions);
    fill(bench, &from);
    for (size_t run = 0; run < bench->runs; run++) {
        for (enum way way = LOOP; way < WAYS; way++) {
            measure_once(bench, way, from.name, &ret_measured->ways[way], run);
        }
    }
    ret_measured->messages = bench->messages;
    topic_delete(&from);
    topic_close(&from);
}

/* bare: messages a second of the loop; 0: it was not asked for. */
static double tell(enum way way, size_t runs, struct measured *few, struct measured *many,
                   double bare)
{
    double start = measure_median(few->ways[way].wall, runs);
    double wall = measure_median(many->ways[way].wall, runs) - start;
    double cpu =
        measure_median(many->ways[way].cpu, runs) - measure_median(few->ways[way].cpu, runs);
    double messages = (double)(many->messages - few->messages);

    (void)printf("%-14s %9.0f messages/s   %5.2f CPU s a million messages   start and end %.2f s",
                 way_names[way], messages / wall, cpu * 1e6 / messages, start);
    if (bare > 0) {
        (void)printf("   %.2f of the bare loop", messages / wall / bare);
    }
    (void)printf("   (%llu messages, %zu runs)\n", (unsigned long long)many->messages, runs);
    return messages / wall;
}

static void measure_rate(struct bench *bench)
{
    static struct measured few;
    static struct measured many;
    uint64_t messages = bench->messages;
    double bare = 0;

    measure_all(bench, FEW, &few);
    measure_all(bench, messages, &many);
    for (enum way way = LOOP; way < WAYS; way++) {
        if (wanted == WAYS || wanted == way) {
            double rate = tell(way, bench->runs, &few, &many, bare);
            bare = way == LOOP ? rate : bare;
        }
    }
}

static const struct option known[] = {
    {"messages", required_argument, NULL, 'm'},   {"runs", required_argument, NULL, 'r'},
    {"partitions", required_argument, NULL, 'P'}, {"interval", required_argument, NULL, 'i'},
    {"rate", required_argument, NULL, 'a'},       {"seconds", required_argument, NULL, 's'},
    {"payonce", required_argument, NULL, 'p'},    {"rows", required_argument, NULL, 'R'},
    {"wait", required_argument, NULL, 'w'},       {"property", required_argument, NULL, 'o'},
    {"way", required_argument, NULL, 'W'},        {"only-latency", no_argument, NULL, 'L'},
    {"only-rate", no_argument, NULL, 'T'},        {NULL, 0, NULL, 0}};

static bool number_take(struct bench *bench, int option)
{
    uint64_t number = optarg == NULL ? 0 : strtoull(optarg, NULL, 10);

    if (option == 'm') {
        bench->messages = number;
    } else if (option == 'r' && number >= 1 && number <= MEASURE_RUNS_MAX) {
        bench->runs = (size_t)number;
    } else if (option == 'P') {
        bench->partitions = (int)number;
    } else if (option == 'i') {
        bench->interval_ms = (unsigned)number;
    } else if (option == 'a') {
        bench->rate = (unsigned)number;
    } else if (option == 's') {
        bench->seconds = (unsigned)number;
    } else {
        return false;
    }
    return true;
}

static void options_read(struct bench *bench, int count, char **arguments)
{
    int found;

    while ((found = getopt_long(count, arguments, "", known, NULL)) != -1) {
        if (found == 'p') {
            bench->payonce = optarg;
        } else if (found == 'R') {
            bench->rows = optarg;
        } else if (found == 'w') {
            bench->wait = optarg;
        } else if (found == 'o' && bench->property_count < BENCH_PROPERTIES_MAX &&
                   strchr(optarg, '=') != NULL) {
            bench->properties[bench->property_count++] = optarg;
        } else if (found == 'W') {
            wanted = optarg[0] == 'l' ? LOOP : optarg[0] == 'k' ? TO_KAFKA : TO_SQLITE;
        } else if (found == 'L') {
            bench->only_latency = true;
        } else if (found == 'T') {
            bench->only_rate = true;
        } else if (!number_take(bench, found)) {
            exit(2);
        }
    }
}

int main(int count, char **arguments)
{
    struct bench bench = {.payonce = "../payonce",
                          .messages = 2000000,
                          .runs = 3,
                          .partitions = 3,
                          .interval_ms = 200,
                          .rate = 10000,
                          .seconds = 20};

    if (!topic_brokers(&bench.brokers)) {
        (void)printf("kafka_pipeline: SKIPPED: no brokers are named in KAFKA_BOOTSTRAP\n");
        return 0;
    }
    if (count > 2 && strcmp(arguments[1], "--loop") == 0) {
        return loop_main(count - 2, arguments + 2);
    }
    options_read(&bench, count, arguments);
    measure_directory(bench.directory, sizeof(bench.directory));
    if (!bench.only_latency) {
        measure_rate(&bench);
    }
    if (!bench.only_rate) {
        if (wanted != TO_SQLITE) {
            latency_measure(&bench, BENCH_KAFKA);
        }
        if (wanted != TO_KAFKA) {
            latency_measure(&bench, BENCH_SQLITE);
        }
    }
    measure_remove(bench.directory);
    return 0;
}
