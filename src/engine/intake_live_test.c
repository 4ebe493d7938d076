#include "test/broker_double.h"
#include "test/unit.h"

#include "engine/intake.h"

#include <stdlib.h>

#define BASE INT64_C(1790000000000)
#define MINUTE INT64_C(60000)

enum { IDLE_AFTER_MS = 120, SOON_MS = 1000 };

static struct broker broker;
static struct feed *feed;
static struct source *sources[BROKER_PARTITIONS_MAX];
static uint16_t numbers[BROKER_PARTITIONS_MAX];
static struct parser parser;
static struct state *state;
static struct watermark_memory memory;
static struct intake *intake;
static struct fault fault;
static uint64_t expected[BROKER_PARTITIONS_MAX]; /* The next offset that may come. */

static int set_up(void **unused)
{
    struct parse_settings settings;

    parse_settings_default(&settings);
    parser_init(&parser, &settings);
    state = calloc(1, sizeof(*state));
    feed = malloc(feed_double.size);
    memory.sources = calloc(SOURCES_MAX, sizeof(*memory.sources));
    memory.nodes = calloc(WATERMARK_NODES, sizeof(*memory.nodes));
    return state == NULL || feed == NULL || memory.sources == NULL || memory.nodes == NULL;
}

static int tear_down(void **unused)
{
    free(state);
    free(feed);
    free(memory.sources);
    free(memory.nodes);
    return 0;
}

static void attach(uint32_t partition)
{
    static const struct fingerprint nothing;
    struct origin origin = {.topic = "double", .partition = partition};

    sources[partition] = malloc(feed_double.source_type->size);
    assert_non_null(sources[partition]);
    assert_int_equal(feed_attach(feed, sources[partition], &origin, 0, &fault), DONE);
    assert_int_equal(source_assign(sources[partition], 0, &nothing, &fault), DONE);
    numbers[partition] = (uint16_t)partition;
    expected[partition] = 0;
    watermark_join(&state->watermark, 0);
}

/* An intake over all the broker's partitions, from their beginnings. */
static void start(unsigned thread_count, bool to_the_end)
{
    struct intake_settings settings = {
        .thread_count = thread_count,
        .parser = &parser,
        .clock = &clock_real,
        .sources = sources,
        .numbers = numbers,
        .source_count = broker.partition_count,
        .live = true,
        .to_the_end = to_the_end,
        .align_ms = 10 * MINUTE,
        .idle_after_ms = IDLE_AFTER_MS,
    };

    memset(memory.nodes, 0, WATERMARK_NODES * sizeof(*memory.nodes));
    watermark_init(&state->watermark, &memory);
    assert_int_equal(feed_open(feed, &feed_double, &broker, &fault), DONE);
    for (uint32_t partition = 0; partition < broker.partition_count; partition++) {
        attach(partition);
    }
    assert_int_equal(feed_begin(feed, &fault), DONE);
    intake = intake_start(&settings, &fault);
    assert_non_null(intake);
}

static void stop(void)
{
    intake_stop(intake);
    for (size_t partition = 0; partition < broker.partition_count; partition++) {
        assert_null(broker.partitions[partition].wake);
        source_close(sources[partition]);
        free(sources[partition]);
    }
    feed_close(feed);
    broker_free(&broker);
}

/* As the engine would: what came is in the state before the next is asked for. */
static void apply(const struct intake_item *item)
{
    struct watermark *mark = &state->watermark;

    if (item->kind == INTAKE_MESSAGE) {
        assert_int_equal(item->message->source, item->source);
        assert_true(item->message->offset >= expected[item->source]);
        expected[item->source] = item->message->offset + 1;
        watermark_take(mark, item->source, item->message->offset + 1);
        watermark_see(mark, item->source, item->message->payment.event_ms);
    } else if (item->kind == INTAKE_SKIPPED) {
        watermark_take(mark, item->source, item->offset + 1);
    } else if (item->kind == INTAKE_IDLE) {
        watermark_stand(mark, item->source, SOURCE_IDLE);
    } else if (item->kind == INTAKE_ACTIVE) {
        watermark_stand(mark, item->source, SOURCE_ACTIVE);
    }
}

/* The next item that is something, within the time; else INTAKE_NOTHING. */
static struct intake_item next(int64_t within_ms)
{
    int64_t until_ns = clock_steady_ns(&clock_real) + within_ms * 1000000;
    struct intake_item item;

    do {
        intake_next(intake, state, &item, &fault);
        if (item.kind == INTAKE_NOTHING) {
            intake_wait(intake, 5000000);
        }
    } while (item.kind == INTAKE_NOTHING && clock_steady_ns(&clock_real) < until_ns);
    apply(&item);
    return item;
}

static void expect_message(uint16_t partition, uint64_t offset)
{
    struct intake_item item = next(SOON_MS);

    assert_int_equal(item.kind, INTAKE_MESSAGE);
    assert_int_equal(item.source, partition);
    assert_int_equal(item.message->offset, offset);
}

static void pay_many(size_t partition, size_t count, int64_t from_ms, int64_t step_ms)
{
    for (size_t index = 0; index < count; index++) {
        broker_pay(&broker, partition, from_ms + (int64_t)index * step_ms, INSTANT_NONE);
    }
}

static void *pay_on(void *unused)
{
    for (size_t count = 0; count < 20000; count++) {
        size_t partition = count * 7 % broker.partition_count;
        broker_pay(&broker, partition, BASE + (int64_t)count, INSTANT_NONE);
    }
    return NULL;
}

static void few_threads_bring_what_many_partitions_get_each_in_its_order(void **unused)
{
    pthread_t producer;

    broker_init(&broker, BROKER_PARTITIONS_MAX);
    start(2, false);
    assert_int_equal(pthread_create(&producer, NULL, pay_on, NULL), 0);
    for (size_t count = 0; count < 20000; count++) {
        struct intake_item item = next(SOON_MS);
        while (item.kind == INTAKE_IDLE || item.kind == INTAKE_ACTIVE) {
            item = next(SOON_MS);
        }
        assert_int_equal(item.kind, INTAKE_MESSAGE);
        assert_int_equal(item.message->offset + 1, expected[item.source]);
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    for (size_t partition = 0; partition < broker.partition_count; partition++) {
        assert_int_equal(expected[partition], broker.partitions[partition].end);
    }
    stop();
}

static uint64_t reads_so_far(void)
{
    uint64_t reads = 0;

    (void)pthread_mutex_lock(&broker.mutex);
    for (size_t partition = 0; partition < broker.partition_count; partition++) {
        reads += broker.partitions[partition].reads;
    }
    (void)pthread_mutex_unlock(&broker.mutex);
    return reads;
}

static void a_partition_that_had_nothing_is_not_asked_before_it_calls(void **unused)
{
    broker_init(&broker, 50);
    start(2, false);
    (void)next(50);
    uint64_t reads = reads_so_far();
    assert_int_equal(next(60).kind, INTAKE_NOTHING);
    assert_int_equal(reads_so_far(), reads);
    broker_pay(&broker, 33, BASE, INSTANT_NONE);
    expect_message(33, 0);
    stop();
}

/* Is the one taken from within align of the slowest of those that have something left? */
static void expect_aligned(const struct intake_item *item, int64_t newest_before_ms)
{
    for (size_t other = 0; other < broker.partition_count; other++) {
        if (other != item->source && expected[other] < broker.partitions[other].end) {
            int64_t newest_ms = memory.sources[other].newest_ms;
            assert_true(newest_before_ms == INSTANT_NONE ||
                        newest_before_ms - newest_ms <= 10 * MINUTE);
        }
    }
}

static void while_others_have_a_backlog_none_is_far_ahead(void **unused)
{
    broker_init(&broker, 3);
    pay_many(0, 3000, BASE, MINUTE);
    pay_many(1, 3000, BASE, MINUTE / 10);
    pay_many(2, 500, BASE + 60 * MINUTE, MINUTE * 3);
    start(2, false);
    for (size_t count = 0; count < 6500; count++) {
        int64_t before[3];
        for (size_t index = 0; index < 3; index++) {
            before[index] = memory.sources[index].newest_ms;
        }
        struct intake_item item = next(SOON_MS);
        assert_int_equal(item.kind, INTAKE_MESSAGE);
        expect_aligned(&item, before[item.source]);
    }
    stop();
}

/* The one held back fills its blocks, and is read no further. */
static void a_partition_held_back_is_not_read_on(void **unused)
{
    broker_init(&broker, 2);
    pay_many(0, 100000, BASE, 0);
    pay_many(1, 50000, BASE + 60 * MINUTE, 0);
    start(2, false);
    for (size_t count = 0; count < 50000; count++) {
        assert_int_equal(next(SOON_MS).kind, INTAKE_MESSAGE);
    }
    assert_in_range(expected[1], 0, 1);
    (void)pthread_mutex_lock(&broker.mutex);
    assert_true(broker.partitions[1].reads <= 8);
    (void)pthread_mutex_unlock(&broker.mutex);
    stop();
}

static void a_partition_out_of_reach_holds_no_other_back(void **unused)
{
    broker_init(&broker, 2);
    pay_many(0, 10, BASE, MINUTE);
    pay_many(1, 100, BASE, MINUTE);
    broker_cut(&broker, 0, true);
    start(1, false);
    for (uint64_t offset = 0; offset < 100; offset++) {
        expect_message(1, offset);
    }
    broker_cut(&broker, 0, false);
    expect_message(0, 0);
    stop();
}

static void an_open_transaction_holds_no_other_back_and_is_never_idle(void **unused)
{
    broker_init(&broker, 2);
    pay_many(0, 5, BASE, MINUTE);
    broker_hang(&broker, 0, true);
    pay_many(0, 5, BASE + 5 * MINUTE, MINUTE);
    pay_many(1, 100, BASE, MINUTE);
    start(1, false);
    for (size_t count = 0; count < 105; count++) {
        assert_int_equal(next(SOON_MS).kind, INTAKE_MESSAGE);
    }
    struct intake_item item = next(SOON_MS);
    assert_int_equal(item.kind, INTAKE_IDLE);
    assert_int_equal(item.source, 1);
    assert_int_equal(next(3 * IDLE_AFTER_MS).kind, INTAKE_NOTHING);
    broker_hang(&broker, 0, false);
    expect_message(0, 5);
    stop();
}

static void what_is_no_message_is_passed_and_at_the_end_it_is_told(void **unused)
{
    broker_init(&broker, 1);
    pay_many(0, 1, BASE, 1);
    broker_mark(&broker, 0, 4);
    pay_many(0, 1, BASE, 1);
    broker_mark(&broker, 0, 1);
    start(1, false);
    expect_message(0, 0);
    expect_message(0, 5);
    struct intake_item item = next(SOON_MS);
    assert_int_equal(item.kind, INTAKE_SKIPPED);
    assert_int_equal(item.offset, 6);
    broker_mark(&broker, 0, 2);
    item = next(SOON_MS);
    assert_int_equal(item.kind, INTAKE_SKIPPED);
    assert_int_equal(item.offset, 8);
    stop();
}

static void silence_is_idle_once_and_over_with_the_next_message(void **unused)
{
    broker_init(&broker, 1);
    pay_many(0, 1, BASE, 1);
    start(1, false);
    expect_message(0, 0);
    assert_int_equal(next(IDLE_AFTER_MS / 2).kind, INTAKE_NOTHING);
    assert_int_equal(next(SOON_MS).kind, INTAKE_IDLE);
    assert_int_equal(next(2 * IDLE_AFTER_MS).kind, INTAKE_NOTHING);
    broker_pay(&broker, 0, BASE, INSTANT_NONE);
    if (next(SOON_MS).kind == INTAKE_ACTIVE) { /* Its end was seen to move before it came. */
        expect_message(0, 1);
    }
    assert_int_equal(next(SOON_MS).kind, INTAKE_IDLE);
    stop();
}

static void an_outage_is_not_silence_and_ends_what_was_idle(void **unused)
{
    broker_init(&broker, 2);
    pay_many(0, 1, BASE, 1);
    broker_cut(&broker, 1, true);
    start(1, false);
    expect_message(0, 0);
    struct intake_item item = next(SOON_MS);
    assert_int_equal(item.kind, INTAKE_IDLE);
    assert_int_equal(item.source, 0);
    assert_int_equal(next(3 * IDLE_AFTER_MS).kind, INTAKE_NOTHING);
    broker_cut(&broker, 0, true);
    assert_int_equal(next(SOON_MS).kind, INTAKE_ACTIVE);
    assert_int_equal(next(3 * IDLE_AFTER_MS).kind, INTAKE_NOTHING);
    stop();
}

static void it_finishes_where_the_ends_were_at_the_start(void **unused)
{
    size_t taken = 0;

    broker_init(&broker, 2);
    pay_many(0, 1000, BASE, 1);
    pay_many(1, 10, BASE, 1);
    broker_mark(&broker, 1, 1);
    start(1, true);
    for (;;) {
        struct intake_item item = next(SOON_MS);
        if (item.kind == INTAKE_FINISHED) {
            break;
        }
        assert_true(item.kind == INTAKE_MESSAGE || item.kind == INTAKE_SKIPPED);
        taken += item.kind == INTAKE_MESSAGE ? 1 : 0;
        broker_pay(&broker, 0, BASE, INSTANT_NONE);
        assert_true(taken < 100000);
    }
    assert_true(expected[0] >= 1000);
    assert_int_equal(memory.sources[1].next, 11);
    stop();
}

static void what_breaks_in_one_partition_is_told(void **unused)
{
    broker_init(&broker, 3);
    pay_many(1, 1, BASE, 1);
    start(2, false);
    expect_message(1, 0);
    broker_break(&broker, 2, FAULT_SOURCE_STALE);
    assert_int_equal(next(SOON_MS).kind, INTAKE_BROKEN);
    assert_int_equal(fault.code, FAULT_SOURCE_STALE);
    stop();
}

static void a_record_arrived_when_it_says_but_never_after_our_clock(void **unused)
{
    int64_t now_ms = clock_wall_ms(&clock_real);

    broker_init(&broker, 1);
    broker_pay(&broker, 0, BASE, now_ms - 5000);
    broker_pay(&broker, 0, BASE, now_ms + 500000);
    broker_pay(&broker, 0, BASE, 0);
    start(1, false);
    assert_int_equal(next(SOON_MS).message->arrival_ms, now_ms - 5000);
    assert_in_range(next(SOON_MS).message->arrival_ms, now_ms, now_ms + SOON_MS);
    assert_in_range(next(SOON_MS).message->arrival_ms, now_ms, now_ms + SOON_MS);
    stop();
}

static void it_stops_in_the_middle_of_anything(void **unused)
{
    pthread_t producer;

    for (unsigned count = 0; count < 40; count++) {
        broker_init(&broker, count % 8 + 1);
        start(count % 4 + 1, false);
        assert_int_equal(pthread_create(&producer, NULL, pay_on, NULL), 0);
        for (unsigned taken = 0; taken < count * 10; taken++) {
            (void)next(20);
        }
        intake_stop(intake);
        intake = NULL; /* Stopped once more below. */
        assert_int_equal(pthread_join(producer, NULL), 0);
        stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_threads_bring_what_many_partitions_get_each_in_its_order),
        cmocka_unit_test(a_partition_that_had_nothing_is_not_asked_before_it_calls),
        cmocka_unit_test(while_others_have_a_backlog_none_is_far_ahead),
        cmocka_unit_test(a_partition_held_back_is_not_read_on),
        cmocka_unit_test(a_partition_out_of_reach_holds_no_other_back),
        cmocka_unit_test(an_open_transaction_holds_no_other_back_and_is_never_idle),
        cmocka_unit_test(what_is_no_message_is_passed_and_at_the_end_it_is_told),
        cmocka_unit_test(silence_is_idle_once_and_over_with_the_next_message),
        cmocka_unit_test(an_outage_is_not_silence_and_ends_what_was_idle),
        cmocka_unit_test(it_finishes_where_the_ends_were_at_the_start),
        cmocka_unit_test(what_breaks_in_one_partition_is_told),
        cmocka_unit_test(a_record_arrived_when_it_says_but_never_after_our_clock),
        cmocka_unit_test(it_stops_in_the_middle_of_anything),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
