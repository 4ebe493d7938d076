/* The Kafka feed on real brokers: what a mock cluster knows nothing of. */
#include "test/unit.h"

#include "source/source_kafka.h"
#include "test/kafka/topic.h"

#include <stdlib.h>
#include <time.h>

enum { PATIENCE = 12000, STEP_MS = 10, LINES_MAX = 200, READ_MAX = 4 };

/* A feed over one topic, and how far each of its partitions has been read. */
struct reading {
    struct topic topic;
    const char *topics[1];
    struct kafka_feed_settings settings;
    struct feed *feed;
    struct source *sources[READ_MAX];
    struct origin origins[FEED_PARTITIONS_MAX];
    size_t count;
    uint64_t next[READ_MAX];
    struct fingerprint fingerprint[READ_MAX];
    char last[READ_MAX][64]; /* The value taken last. */
    uint64_t taken[READ_MAX];
    struct fault fault;
    uint8_t bytes[SOURCE_BLOCK_MIN];
    struct source_line lines[LINES_MAX];
    struct source_block block;
};

static void nap(void)
{
    const struct timespec step = {0, STEP_MS * 1000000};

    (void)nanosleep(&step, NULL);
}

static struct reading *begin(int partition_count, enum kafka_gaps gaps)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    const char *brokers = NULL;

    assert_non_null(reading);
    assert_true(topic_brokers(&brokers));
    topic_create(&reading->topic, partition_count);
    reading->topics[0] = reading->topic.name;
    reading->settings = (struct kafka_feed_settings){
        .client = {.brokers = brokers, .client_id = "payonce-test"},
        .group = reading->topic.name,
        .topics = reading->topics,
        .topic_count = 1,
        .gaps = gaps,
        .queue_bytes = 8 * 1024 * 1024,
        .clock = &clock_real,
    };
    reading->block = (struct source_block){.bytes = reading->bytes,
                                           .capacity = sizeof(reading->bytes),
                                           .target = sizeof(reading->bytes),
                                           .lines = reading->lines,
                                           .line_capacity = LINES_MAX};
    return reading;
}

static void open_feed(struct reading *reading)
{
    reading->feed = calloc(1, feed_kafka.size);
    assert_non_null(reading->feed);
    assert_int_equal(feed_open(reading->feed, &feed_kafka, &reading->settings, &reading->fault),
                     DONE);
}

/* A topic just created is not known everywhere at once. */
static enum outcome list(struct reading *reading)
{
    enum outcome outcome = BROKEN;

    for (int patience = 20; outcome != DONE && patience > 0; patience--) {
        outcome = feed_list(reading->feed, reading->origins, &reading->count, &reading->fault);
        nap();
    }
    return outcome;
}

/* Open, and assign every partition where the last reading came to. */
static enum outcome resume(struct reading *reading)
{
    enum outcome outcome = DONE;

    open_feed(reading);
    assert_int_equal(list(reading), DONE);
    assert_true(reading->count <= READ_MAX);
    for (size_t index = 0; outcome == DONE && index < reading->count; index++) {
        reading->sources[index] = calloc(1, source_kafka.size);
        assert_non_null(reading->sources[index]);
        assert_int_equal(feed_attach(reading->feed, reading->sources[index],
                                     &reading->origins[index], 0, &reading->fault),
                         DONE);
        outcome = source_assign(reading->sources[index], reading->next[index],
                                &reading->fingerprint[index], &reading->fault);
    }
    return outcome == DONE ? feed_begin(reading->feed, &reading->fault) : outcome;
}

static void rest(struct reading *reading)
{
    for (size_t index = 0; index < reading->count; index++) {
        if (reading->sources[index] != NULL) {
            source_close(reading->sources[index]);
        }
        free(reading->sources[index]);
        reading->sources[index] = NULL;
    }
    feed_close(reading->feed);
    free(reading->feed);
    reading->count = 0;
}

static void end(struct reading *reading)
{
    rest(reading);
    topic_close(&reading->topic);
    free(reading);
}

static enum outcome read_once(struct reading *reading, size_t index)
{
    enum outcome outcome = source_read(reading->sources[index], &reading->block, &reading->fault);

    if (outcome != DONE) {
        return outcome;
    }
    for (size_t line = 0; line < reading->block.line_count; line++) {
        const struct source_line *taken = &reading->lines[line];
        assert_true(taken->offset >= reading->next[index]);
        reading->next[index] = taken->offset + 1;
        reading->taken[index]++;
        (void)snprintf(reading->last[index], sizeof(reading->last[index]), "%.*s", (int)taken->kept,
                       (const char *)reading->bytes + taken->at);
        source_fingerprint(reading->sources[index], taken, reading->bytes,
                           &reading->fingerprint[index]);
    }
    reading->next[index] = reading->block.next;
    return DONE;
}

/* Read this partition up to this offset, or until something breaks. */
static enum outcome read_to(struct reading *reading, size_t index, uint64_t next)
{
    enum outcome outcome = LATER;

    for (int patience = PATIENCE; patience > 0 && outcome != BROKEN; patience--) {
        if (reading->next[index] >= next) {
            return DONE;
        }
        outcome = read_once(reading, index);
        if (outcome == LATER) {
            nap();
        }
    }
    return outcome;
}

static void resumes_at_its_own_cursor_whatever_the_group_says(void **state)
{
    struct reading *reading = begin(2, KAFKA_GAPS_STRICT);

    topic_write(&reading->topic, 0, "a", 1000);
    topic_write(&reading->topic, 1, "b", 10);
    assert_int_equal(resume(reading), DONE);
    assert_int_equal(read_to(reading, 0, 1000), DONE);
    assert_int_equal(read_to(reading, 1, 10), DONE);
    const struct feed_position position = {&reading->origins[0], 1000};
    feed_commit(reading->feed, &position, 1);
    rest(reading);
    assert_int_equal(topic_committed(&reading->topic, reading->topic.name, 0), 1000);
    topic_commit_offset(&reading->topic, reading->topic.name, 0, 990);
    topic_write(&reading->topic, 0, "c", 5);
    assert_int_equal(resume(reading), DONE);
    assert_int_equal(read_to(reading, 0, 1005), DONE);
    assert_int_equal(reading->taken[0], 1005);
    assert_string_equal(reading->last[0], "c-4");
    end(reading);
}

static void transactions_leave_gaps_that_are_settled(void **state)
{
    struct reading *reading = begin(1, KAFKA_GAPS_CONFIRM);

    topic_write(&reading->topic, 0, "plain", 3);                                   /* 0 */
    topic_write_transaction(&reading->topic, 0, "good", 4, TRANSACTION_COMMITTED); /* 3 */
    topic_write_transaction(&reading->topic, 0, "bad", 100, TRANSACTION_ABORTED);  /* 8 */
    topic_write(&reading->topic, 0, "more", 2);                                    /* 109 */
    topic_write_transaction(&reading->topic, 0, "last", 1, TRANSACTION_COMMITTED); /* 111 */
    assert_int_equal(resume(reading), DONE);
    assert_int_equal(read_to(reading, 0, 113), DONE);
    const struct kafka_source *source = (const struct kafka_source *)reading->sources[0];
    assert_int_equal(reading->taken[0], 3 + 4 + 2 + 1);
    assert_int_equal(source->counts.gap_offsets, 1 + 100 + 1 + 1);
    assert_int_equal(source->counts.healed, 0);

    /* The cursor stands behind a marker, and the fingerprint before it is still found. */
    rest(reading);
    assert_int_equal(resume(reading), DONE);
    topic_write(&reading->topic, 0, "after", 1);
    assert_int_equal(read_to(reading, 0, 114), DONE);
    assert_string_equal(reading->last[0], "after-0");
    end(reading);
}

static void what_an_open_transaction_holds_back_is_seen_and_not_taken(void **state)
{
    struct reading *reading = begin(1, KAFKA_GAPS_CONFIRM);
    struct source_sight sight = {0};

    topic_write(&reading->topic, 0, "before", 2);
    struct transaction_open *open =
        topic_write_transaction(&reading->topic, 0, "hanging", 3, TRANSACTION_OPEN);
    topic_write(&reading->topic, 0, "behind", 4);
    assert_int_equal(resume(reading), DONE);
    assert_int_equal(read_to(reading, 0, 2), DONE);
    for (int patience = PATIENCE; sight.end != 9 && patience > 0; patience--) {
        assert_int_not_equal(read_once(reading, 0), BROKEN);
        source_sight(reading->sources[0], &sight);
        nap();
    }
    assert_int_equal(sight.end, 9);
    assert_int_equal(sight.stable, 2);
    assert_true(sight.seen_ns > 0);
    assert_int_equal(reading->taken[0], 2);
    topic_commit(open);
    assert_int_equal(read_to(reading, 0, 10), DONE);
    assert_int_equal(reading->taken[0], 9);
    end(reading);
}

static void retention_that_passed_the_cursor_halts(void **state)
{
    struct reading *reading = begin(1, KAFKA_GAPS_CONFIRM);

    topic_write(&reading->topic, 0, "a", 100);
    assert_int_equal(resume(reading), DONE);
    assert_int_equal(read_to(reading, 0, 100), DONE);
    rest(reading);
    topic_write(&reading->topic, 0, "b", 50);
    topic_delete_records(&reading->topic, 0, 100);
    assert_int_equal(resume(reading), DONE); /* Only the fingerprint is gone. */
    assert_int_equal(read_to(reading, 0, 110), DONE);
    rest(reading);
    reading->next[0] = 110;
    topic_delete_records(&reading->topic, 0, 140);
    assert_int_equal(resume(reading), BROKEN);
    assert_int_equal(reading->fault.code, FAULT_KAFKA_LOST);
    assert_non_null(strstr(reading->fault.text, ": 30 offsets are gone"));
    end(reading);
}

static void retention_that_passed_a_cursor_without_a_fingerprint_halts(void **state)
{
    struct reading *reading = begin(1, KAFKA_GAPS_COUNT);

    topic_write(&reading->topic, 0, "a", 100);
    assert_int_equal(resume(reading), DONE);
    assert_int_equal(read_to(reading, 0, 100), DONE);
    rest(reading);
    topic_write(&reading->topic, 0, "b", 50);
    topic_delete_records(&reading->topic, 0, 100);
    reading->next[0] = 60; /* As if the rest had not been decided. */
    memset(&reading->fingerprint[0], 0, sizeof(reading->fingerprint[0]));
    assert_int_equal(resume(reading), BROKEN);
    assert_int_equal(reading->fault.code, FAULT_KAFKA_LOST);
    end(reading);
}

/* A topic made anew behind our back, with this many records of this word. */
static enum outcome made_anew(struct reading *reading, const char *word, int count)
{
    topic_write(&reading->topic, 0, "old", 100);
    assert_int_equal(resume(reading), DONE);
    assert_int_equal(read_to(reading, 0, 100), DONE);
    rest(reading);
    topic_delete(&reading->topic);
    topic_create_again(&reading->topic, 1);
    topic_write(&reading->topic, 0, word, count);
    enum outcome outcome = resume(reading);
    return outcome == DONE ? read_to(reading, 0, 101) : outcome;
}

static void a_topic_made_anew_is_not_taken_from(void **state)
{
    const struct {
        int count;
        enum fault_code code;
    } cases[] = {{40, FAULT_SOURCE_TRUNCATED}, {150, FAULT_SOURCE_REPLACED}};

    for (size_t index = 0; index < 2; index++) {
        struct reading *reading = begin(1, KAFKA_GAPS_COUNT);
        assert_int_equal(made_anew(reading, "new", cases[index].count), BROKEN);
        assert_int_equal(reading->fault.code, cases[index].code);
        assert_int_equal(reading->taken[0], 100);
        end(reading);
    }
}

static void a_topic_deleted_while_it_is_read_wants_a_new_client_which_misses_it(void **state)
{
    const struct kafka_property impatient[] = {{"topic.metadata.refresh.interval.ms", "500"}};
    struct reading *reading = begin(1, KAFKA_GAPS_STRICT);
    enum outcome outcome = LATER;

    reading->settings.client.extra = impatient;
    reading->settings.client.extra_count = 1;
    topic_write(&reading->topic, 0, "a", 10);
    assert_int_equal(resume(reading), DONE);
    assert_int_equal(read_to(reading, 0, 10), DONE);
    topic_delete(&reading->topic);
    for (int patience = PATIENCE; outcome != BROKEN && patience > 0; patience--) {
        outcome = read_once(reading, 0);
        assert_int_equal(reading->next[0], 10);
        nap();
    }
    assert_int_equal(outcome, BROKEN);
    assert_int_equal(reading->fault.code, FAULT_SOURCE_STALE);
    rest(reading);
    open_feed(reading);
    assert_int_equal(feed_list(reading->feed, reading->origins, &reading->count, &reading->fault),
                     BROKEN);
    assert_int_equal(reading->fault.code, FAULT_SOURCE_MISSING);
    assert_non_null(strstr(reading->fault.text, reading->topic.name));
    end(reading);
}

static void begins_where_it_is_told_to(void **state)
{
    struct reading *reading = begin(1, KAFKA_GAPS_STRICT);
    uint64_t offset = 99;
    struct timespec now;

    topic_write(&reading->topic, 0, "a", 7);
    nap();
    (void)clock_gettime(CLOCK_REALTIME, &now);
    nap();
    topic_write(&reading->topic, 0, "b", 3);
    reading->settings.start_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000;
    open_feed(reading);
    assert_int_equal(list(reading), DONE);
    const uint64_t expected[] = {0, 10, 7};
    for (int start = KAFKA_START_EARLIEST; start <= KAFKA_START_TIME; start++) {
        reading->settings.start = (enum kafka_start)start;
        assert_int_equal(
            feed_start(reading->feed, &reading->origins[0], true, &offset, &reading->fault), DONE);
        assert_int_equal(offset, expected[start]);
    }
    assert_int_equal(
        feed_start(reading->feed, &reading->origins[0], false, &offset, &reading->fault), DONE);
    assert_int_equal(offset, 0);
    topic_grow(&reading->topic, 3);
    for (int patience = PATIENCE; reading->count < 3 && patience > 0; patience--) {
        assert_int_equal(list(reading), DONE);
    }
    assert_int_equal(reading->count, 3);
    end(reading);
}

int main(void)
{
    const char *brokers = NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumes_at_its_own_cursor_whatever_the_group_says),
        cmocka_unit_test(transactions_leave_gaps_that_are_settled),
        cmocka_unit_test(what_an_open_transaction_holds_back_is_seen_and_not_taken),
        cmocka_unit_test(retention_that_passed_the_cursor_halts),
        cmocka_unit_test(retention_that_passed_a_cursor_without_a_fingerprint_halts),
        cmocka_unit_test(a_topic_made_anew_is_not_taken_from),
        cmocka_unit_test(a_topic_deleted_while_it_is_read_wants_a_new_client_which_misses_it),
        cmocka_unit_test(begins_where_it_is_told_to),
    };

    if (!topic_brokers(&brokers)) {
        (void)printf("SKIPPED: no brokers are named in KAFKA_BOOTSTRAP\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
