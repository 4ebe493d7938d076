#include "test/kafka_story.h"

#include "test/unit.h"

#include "source/source_kafka.h"

#include <sqlite3.h>
#include <time.h>

enum { PATIENCE_MS = 60000, STEP_MS = 10, LOOK_MS = 200 };

#define FIRST_MS INT64_C(1770000000000)

struct story story;

static const char *const topics[] = {STORY_TOPIC};

/* What a client of ours does every minute otherwise. */
static const struct kafka_property impatient[] = {{"topic.metadata.refresh.interval.ms", "1000"}};

static struct kafka_feed_settings feed;
static struct feed_type feed_without_id;

void story_begin(int broker_count, int partition_count)
{
    memset(&story, 0, sizeof(story));
    story.mock = kafka_mock_start(broker_count, STORY_TOPIC, partition_count);
    feed = (struct kafka_feed_settings){
        .client = {.client_id = "payonce-test", .extra = impatient, .extra_count = 1},
        .group = STORY_GROUP,
        .topics = topics,
        .topic_count = 1,
        .queue_bytes = 8 << 20,
        .clock = &clock_real,
    };
    story_ask(kafka_mock_brokers(story.mock));
    place_make(0);
    place.settings.feed_type = &feed_kafka;
    place.settings.feed_settings = &feed;
    place.settings.feed_look_ms = 30000;
    place.settings.until_caught_up = false;
}

void story_fail(int request, int error, int count)
{
    story.failed[request] = true;
    kafka_mock_fail_at(story.mock, 1, request, error, count);
}

void story_end(void)
{
    for (int request = 0; request < STORY_REQUESTS; request++) {
        if (story.failed[request]) {
            assert_int_equal(kafka_mock_unmet(story.mock, 1, request), 0);
        }
    }
    story_exact();
    place_remove();
    kafka_mock_stop(story.mock);
}

void story_write(struct kafka_mock *mock, int partition, uint64_t first, uint64_t last, int batch)
{
    char text[320];

    for (uint64_t number = first; number < last; number++) {
        int64_t event_ms = FIRST_MS + (int64_t)number * 10;
        (void)snprintf(text, sizeof(text),
                       "{\"transaction_id\":\"p%d-%llu\",\"event_time\":%lld,"
                       "\"sender_account_id\":\"a%llu\",\"receiver_account_id\":\"b\","
                       "\"amount\":\"1.50\",\"currency\":\"EUR\"}",
                       partition, (unsigned long long)number, (long long)event_ms,
                       (unsigned long long)number % 100);
        kafka_mock_put_at(mock, partition, event_ms, NULL, text);
        if ((number - first + 1) % (uint64_t)batch == 0) {
            kafka_mock_flush(mock);
        }
    }
    kafka_mock_flush(mock);
}

void story_pay(int partition, int count, int batch)
{
    uint64_t first = story.written[partition];

    story.written[partition] += (uint64_t)count;
    story_write(story.mock, partition, first, first + (uint64_t)count, batch);
}

void story_ask(const char *brokers)
{
    feed.client.brokers = brokers;
}

void story_ask_no_id(void)
{
    feed_without_id = feed_kafka;
    feed_without_id.facts = NULL;
    place.settings.feed_type = &feed_without_id;
}

void story_start(void)
{
    place.events[0] = '\0';
    if (engine_start(&place.settings, &place.engine, &place.fault) != DONE) {
        fail_msg("no start: %s", place.fault.text);
    }
}

void story_refused(enum fault_code code)
{
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), BROKEN);
    assert_string_equal(fault_code_name(place.fault.code), fault_code_name(code));
}

static uint64_t all_written(void)
{
    uint64_t count = 0;

    for (size_t partition = 0; partition < STORY_PARTITIONS_MAX; partition++) {
        count += story.written[partition];
    }
    return count;
}

uint64_t story_count(void)
{
    struct engine_gauges gauges;

    engine_gauges(place.engine, &gauges);
    return gauges.verdicts[ACCEPTED];
}

void story_some(uint64_t count)
{
    for (int ms = 0; ms < PATIENCE_MS && story_count() < count; ms += STEP_MS) {
        note_events(STEP_MS);
        if (engine_end(place.engine, &place.fault) != ENGINE_RUNNING) {
            fail_msg("it ended: %s", place.fault.text);
        }
    }
    assert_true(story_count() >= count);
}

void story_all(void)
{
    story_some(all_written());
    assert_int_equal(story_count(), all_written());
}

void story_committed(int64_t offset)
{
    int64_t committed = -1;

    for (int ms = 0; ms < PATIENCE_MS && committed < offset; ms += LOOK_MS) {
        story_nap(LOOK_MS);
        committed = kafka_mock_committed(story.mock, STORY_GROUP, 0);
    }
    assert_int_equal(committed, offset);
}

void story_told(const char *begin)
{
    for (int ms = 0; ms < PATIENCE_MS && strstr(place.events, begin) == NULL; ms += STEP_MS) {
        note_events(STEP_MS);
    }
    if (strstr(place.events, begin) == NULL) {
        fail_msg("not told: %s; but:\n%s", begin, place.events);
    }
}

void story_stop(void)
{
    engine_stop(place.engine);
    assert_int_equal(wait_for_end(), ENGINE_STOPPED);
    engine_close(place.engine);
}

void story_halted(enum fault_code code)
{
    assert_int_equal(wait_for_end(), ENGINE_HALTED);
    assert_string_equal(fault_code_name(place.fault.code), fault_code_name(code));
    engine_close(place.engine);
}

/* partition: what ?1 stands for. */
static void assert_counts(sqlite3 *database, const char *sql, size_t partition, uint64_t expected)
{
    sqlite3_stmt *statement = NULL;

    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    if (sqlite3_bind_parameter_count(statement) > 0) {
        assert_int_equal(sqlite3_bind_int64(statement, 1, (int64_t)partition), SQLITE_OK);
    }
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    if ((uint64_t)sqlite3_column_int64(statement, 0) != expected) {
        fail_msg("%lld, not %llu: %s (%zu)", (long long)sqlite3_column_int64(statement, 0),
                 (unsigned long long)expected, sql, partition);
    }
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
}

/* Each offset of a partition once, from 0 on, each with its own id, in their order. */
static void partition_exact(sqlite3 *database, size_t partition)
{
    static const char *const questions[] = {
        "SELECT count(*) FROM payment_transactions WHERE source_partition = ?1",
        "SELECT count(*) FROM payment_transactions WHERE source_partition = ?1"
        " AND transaction_id = 'p' || source_partition || '-' || source_offset",
        "SELECT count(*) FROM (SELECT source_offset, row_number() OVER (ORDER BY seq) AS place"
        " FROM payment_transactions WHERE source_partition = ?1) WHERE source_offset = place - 1",
        "SELECT coalesce(sum(next), 0) FROM payonce_cursor WHERE partition = ?1",
    };

    for (size_t index = 0; index < sizeof(questions) / sizeof(questions[0]); index++) {
        assert_counts(database, questions[index], partition, story.written[partition]);
    }
}

void story_exact(void)
{
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open(place.settings.sinks[0].path, &database), SQLITE_OK);
    for (size_t partition = 0; partition < STORY_PARTITIONS_MAX; partition++) {
        partition_exact(database, partition);
    }
    assert_counts(database, "SELECT count(*) FROM payment_transactions", 0, all_written());
    assert_counts(database, "SELECT count(*) FROM payment_duplicates", 0, 0);
    assert_counts(database, "SELECT count(*) FROM payment_dead_letters", 0, 0);
    assert_counts(database, "SELECT sum(count) FROM payonce_total", 0, all_written());
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

void story_nap(int ms)
{
    const struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};

    (void)nanosleep(&time, NULL);
}
