#include "test/unit.h"

#include "os/kafka_read.h"
#include "test/kafka_mock.h"

#include <pthread.h>
#include <time.h>

enum { PATIENCE = 12000, STEP_MS = 10, MANY = 20000 };

#define TOPIC "payment-events"

static void nap(void)
{
    const struct timespec step = {0, STEP_MS * 1000000};

    (void)nanosleep(&step, NULL);
}

/* One thread of several: takes a partition to its end, and has it assigned anew now and then. */
struct taker {
    struct kafka_partition *partition;
    uint64_t next;
    unsigned anew;
    bool failed;
    struct kafka_record records[KAFKA_TAKE_MAX];
};

static void *take_all(void *argument)
{
    struct taker *taker = argument;
    struct fault fault;

    for (int patience = PATIENCE; taker->next < MANY && !taker->failed && patience > 0;) {
        size_t got = kafka_partition_take(taker->partition, taker->records, KAFKA_TAKE_MAX);
        for (size_t index = 0; index < got; index++) {
            const struct kafka_record *record = &taker->records[index];
            taker->failed |= record->kind == KAFKA_ERROR || record->kind == KAFKA_STALE;
            if (record->kind == KAFKA_RECORD) {
                taker->failed |= record->offset != taker->next;
                taker->next++;
            }
        }
        if (taker->next > (taker->anew + 1) * (MANY / 8)) {
            taker->anew++;
            taker->failed |= kafka_partition_assign(taker->partition, taker->next, &fault) != DONE;
        }
        if (got == 0) {
            patience--;
            nap();
        }
    }
    return NULL;
}

static void partitions_are_taken_by_threads_of_their_own_at_once(void **state)
{
    struct kafka_mock *mock = kafka_mock_start(1, TOPIC, 2);
    const struct kafka_reader_settings settings = {
        .client = {.brokers = kafka_mock_brokers(mock), .client_id = "test"},
        .group = "payonce-test",
        .queue_kib = 1024,
    };
    struct kafka_reader *reader = NULL;
    struct fault fault;
    static struct taker takers[2];
    pthread_t threads[2];

    assert_int_equal(kafka_reader_open(&settings, &reader, &fault), DONE);
    for (uint32_t number = 0; number < 2; number++) {
        kafka_mock_write_many(mock, (int)number, 0, MANY);
        assert_int_equal(
            kafka_reader_partition(reader, TOPIC, number, &takers[number].partition, &fault), DONE);
        assert_int_equal(kafka_partition_assign(takers[number].partition, 0, &fault), DONE);
    }
    assert_int_equal(kafka_reader_begin(reader, &fault), DONE);
    for (size_t index = 0; index < 2; index++) {
        assert_int_equal(pthread_create(&threads[index], NULL, take_all, &takers[index]), 0);
    }
    for (size_t index = 0; index < 2; index++) {
        assert_int_equal(pthread_join(threads[index], NULL), 0);
        assert_false(takers[index].failed);
        assert_int_equal(takers[index].next, MANY);
        assert_int_equal(takers[index].anew, 7);
    }
    assert_true(kafka_reader_close(reader));
    kafka_mock_stop(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_are_taken_by_threads_of_their_own_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
