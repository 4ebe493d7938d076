#include "bench/kafka_bench.h"
#include "cmd/mint.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WARM_SECONDS = 3, /* Not measured. */
    STEP_US = 1000,
    LOOK_US = 1000,
    PATIENCE_SECONDS = 30,
    ID_HIGH = 0x4000,
};

#define ID_LOW UINT64_C(0x8000000000000000)

static struct {
    const struct bench *bench;
    uint64_t count;
    int64_t *sent_ns; /* By number. */
    int64_t *seen_ns;
    uint64_t seen; /* Atomic. */
    bool over;     /* Atomic. */
    struct topic from;
    struct topic to;
} latency;

static void nap_us(long us)
{
    const struct timespec nap = {0, us * 1000};

    (void)nanosleep(&nap, NULL);
}

/* A payment's number is the end of its id. */
static void see(const char *id, size_t size, int64_t now_ns)
{
    char digits[13] = {0};

    must(size == MINTED_ID_SIZE);
    memcpy(digits, id + size - 12, 12);
    uint64_t number = strtoull(digits, NULL, 16);
    must(number < latency.count && latency.seen_ns[number] == 0);
    latency.seen_ns[number] = now_ns;
    (void)__atomic_add_fetch(&latency.seen, 1, __ATOMIC_RELEASE);
}

static bool over(void)
{
    return __atomic_load_n(&latency.over, __ATOMIC_ACQUIRE);
}

/* Reads what is committed, as anybody would. */
static void *read_topic(void *unused)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    bench_set(conf, "group.id", "bench-reader");
    bench_set(conf, "isolation.level", "read_committed");
    bench_set(conf, "enable.auto.commit", "false");
    bench_set(conf, "fetch.wait.max.ms", "100");
    rd_kafka_t *consumer = bench_client(RD_KAFKA_CONSUMER, conf);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(latency.bench->partitions);
    for (int index = 0; index < latency.bench->partitions; index++) {
        rd_kafka_topic_partition_list_add(list, latency.to.name, index)->offset = 0;
    }
    (void)rd_kafka_poll_set_consumer(consumer);
    must(rd_kafka_assign(consumer, list) == 0);
    while (!over()) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 100);
        if (message != NULL && message->err == 0) {
            see(message->key, message->key_len, measure_wall_ns());
        }
        if (message != NULL) {
            rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(consumer);
    return unused;
}

/* NULL as long as there is no such table. */
static sqlite3_stmt *ask_ledger(sqlite3 **ret_database)
{
    char path[BENCH_PATH_SIZE];
    sqlite3_stmt *question = NULL;

    bench_ledger(latency.bench, path);
    if (sqlite3_open_v2(path, ret_database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(*ret_database,
                           "SELECT transaction_id, seq FROM payment_transactions WHERE seq > ?1",
                           -1, &question, NULL) != SQLITE_OK) {
        (void)sqlite3_close(*ret_database);
        return NULL;
    }
    return question;
}

static void *read_ledger(void *unused)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *question = NULL;
    int64_t last = 0;

    while (question == NULL && !over()) {
        nap_us(LOOK_US);
        question = ask_ledger(&database);
    }
    while (!over()) {
        (void)sqlite3_bind_int64(question, 1, last);
        while (sqlite3_step(question) == SQLITE_ROW) {
            see((const char *)sqlite3_column_text(question, 0), MINTED_ID_SIZE, measure_wall_ns());
            last = sqlite3_column_int64(question, 1);
        }
        (void)sqlite3_reset(question);
        nap_us(LOOK_US);
    }
    (void)sqlite3_finalize(question);
    (void)sqlite3_close(database);
    return unused;
}

static void send_one(rd_kafka_topic_t *topic, const struct mint *mint, uint64_t number)
{
    char value[MINTED_SIZE_MAX];
    char id[MINTED_ID_SIZE];
    struct minted payment;
    struct dice dice;
    struct timespec now;

    mint_payment(mint, number, &payment, &dice);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    payment.id_high = ID_HIGH;
    payment.id_low = ID_LOW | number;
    payment.event_ms = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
    minted_id_write(&payment, id);
    size_t size = minted_write(&payment, value);
    latency.sent_ns[number] = measure_wall_ns();
    must(rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, size, id,
                          sizeof(id), NULL) == 0);
}

/* At the rate, whatever comes of it. */
static void send_all(void)
{
    struct mint mint;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    mint_default(&mint);
    bench_set(conf, "linger.ms", "1");
    bench_set(conf, "partitioner", "murmur2_random");
    rd_kafka_t *producer = bench_client(RD_KAFKA_PRODUCER, conf);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, latency.from.name, NULL);
    int64_t begun_ns = measure_wall_ns();
    for (uint64_t number = 0; number < latency.count;) {
        int64_t gone_ns = measure_wall_ns() - begun_ns;
        uint64_t due = (uint64_t)gone_ns / 1000 * latency.bench->rate / 1000000;
        while (number < latency.count && number <= due) {
            send_one(topic, &mint, number++);
        }
        (void)rd_kafka_poll(producer, 0);
        nap_us(STEP_US);
    }
    (void)rd_kafka_flush(producer, PATIENCE_SECONDS * 1000);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
}

static int compare(const void *left, const void *right)
{
    int64_t first = *(const int64_t *)left;
    int64_t second = *(const int64_t *)right;

    return (first > second) - (first < second);
}

static void tell(enum bench_sink sink)
{
    uint64_t first = (uint64_t)WARM_SECONDS * latency.bench->rate;
    uint64_t measured = latency.count - first;
    int64_t *took_ns = latency.seen_ns + first;

    for (uint64_t index = 0; index < measured; index++) {
        took_ns[index] -= latency.sent_ns[first + index];
    }
    qsort(took_ns, measured, sizeof(took_ns[0]), compare);
    (void)printf("%-14s p50 %6.1f ms   p99 %6.1f ms   p99.9 %6.1f ms   worst %6.1f ms   (%u a "
                 "second, %llu messages)\n",
                 sink == BENCH_KAFKA ? "kafka-kafka" : "kafka-sqlite",
                 (double)took_ns[measured / 2] / 1e6, (double)took_ns[measured * 99 / 100] / 1e6,
                 (double)took_ns[measured * 999 / 1000] / 1e6, (double)took_ns[measured - 1] / 1e6,
                 latency.bench->rate, (unsigned long long)measured);
}

static void wait_for_all(void)
{
    int64_t until_ns = measure_wall_ns() + PATIENCE_SECONDS * INT64_C(1000000000);

    while (__atomic_load_n(&latency.seen, __ATOMIC_ACQUIRE) < latency.count) {
        if (measure_wall_ns() > until_ns) {
            (void)fprintf(stderr, "bench_kafka_pipeline: only %llu of %llu came out\n",
                          (unsigned long long)latency.seen, (unsigned long long)latency.count);
            exit(1);
        }
        nap_us(STEP_US);
    }
}

void latency_measure(const struct bench *bench, enum bench_sink sink)
{
    pthread_t reader;

    latency.bench = bench;
    latency.count = (uint64_t)bench->rate * (bench->seconds + WARM_SECONDS);
    latency.seen = 0;
    latency.over = false;
    latency.sent_ns = calloc(latency.count, sizeof(latency.sent_ns[0]));
    latency.seen_ns = calloc(latency.count, sizeof(latency.seen_ns[0]));
    must(latency.sent_ns != NULL && latency.seen_ns != NULL);
    bench_topic(&latency.from, bench->partitions);
    bench_topic(&latency.to, bench->partitions);
    pid_t child = bench_run(bench, latency.from.name, sink, latency.to.name, BENCH_UNTIL_STOPPED);
    must(pthread_create(&reader, NULL, sink == BENCH_KAFKA ? read_topic : read_ledger, NULL) == 0);
    send_all();
    wait_for_all();
    __atomic_store_n(&latency.over, true, __ATOMIC_RELEASE);
    (void)pthread_join(reader, NULL);
    (void)kill(child, SIGTERM);
    int64_t cpu_ns = bench_wait(child, "payonce");
    (void)fprintf(stderr, "payonce: %.2f s of processor\n", (double)cpu_ns / 1e9);
    tell(sink);
    topic_delete(&latency.from);
    topic_delete(&latency.to);
    topic_close(&latency.from);
    topic_close(&latency.to);
    free(latency.sent_ns);
    free(latency.seen_ns);
}
