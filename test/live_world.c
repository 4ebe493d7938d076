#include "test/live_world.h"

#include "test/unit.h"

#include <stdlib.h>

struct live_world live;

static struct feed *feed;
static struct source *sources[BROKER_PARTITIONS_MAX];
static uint16_t numbers[BROKER_PARTITIONS_MAX];
static struct parser parser;

int live_set_up(void **unused)
{
    struct parse_settings settings;

    live.idle_after_ms = LIVE_LONG_MS;
    parse_settings_default(&settings);
    parser_init(&parser, &settings);
    live.state = calloc(1, sizeof(*live.state));
    feed = malloc(feed_double.size);
    live.memory.sources = calloc(SOURCES_MAX, sizeof(*live.memory.sources));
    live.memory.nodes = calloc(WATERMARK_NODES, sizeof(*live.memory.nodes));
    return live.state == NULL || feed == NULL || live.memory.sources == NULL ||
           live.memory.nodes == NULL;
}

int live_tear_down(void **unused)
{
    free(live.state);
    free(feed);
    free(live.memory.sources);
    free(live.memory.nodes);
    return 0;
}

static void attach(uint32_t partition)
{
    static const struct fingerprint nothing;
    struct origin origin = {.topic = "double", .partition = partition};

    sources[partition] = malloc(feed_double.source_type->size);
    assert_non_null(sources[partition]);
    assert_int_equal(feed_attach(feed, sources[partition], &origin, 0, &live.fault), DONE);
    assert_int_equal(source_assign(sources[partition], 0, &nothing, &live.fault), DONE);
    numbers[partition] = (uint16_t)partition;
    live.expected[partition] = 0;
    watermark_join(&live.state->watermark, 0);
}

void live_start(unsigned thread_count, bool to_the_end)
{
    struct intake_settings settings = {
        .thread_count = thread_count,
        .parser = &parser,
        .clock = &clock_real,
        .sources = sources,
        .numbers = numbers,
        .source_count = live.broker.partition_count,
        .live = true,
        .to_the_end = to_the_end,
        .align_ms = 10 * LIVE_MINUTE,
        .idle_after_ms = live.idle_after_ms,
    };

    memset(live.memory.nodes, 0, WATERMARK_NODES * sizeof(*live.memory.nodes));
    watermark_init(&live.state->watermark, &live.memory);
    assert_int_equal(feed_open(feed, &feed_double, &live.broker, &live.fault), DONE);
    for (uint32_t partition = 0; partition < live.broker.partition_count; partition++) {
        attach(partition);
    }
    assert_int_equal(feed_begin(feed, &live.fault), DONE);
    live.intake = intake_start(&settings, &live.fault);
    assert_non_null(live.intake);
}

void live_stop(void)
{
    intake_stop(live.intake);
    for (size_t partition = 0; partition < live.broker.partition_count; partition++) {
        assert_null(live.broker.partitions[partition].wake);
        source_close(sources[partition]);
        free(sources[partition]);
    }
    feed_close(feed);
    broker_free(&live.broker);
}

/* As the engine would: what came is in the state before the next is asked for. */
static void apply(const struct intake_item *item)
{
    struct watermark *mark = &live.state->watermark;

    if (item->kind == INTAKE_MESSAGE) {
        assert_int_equal(item->message->source, item->source);
        assert_true(item->message->offset >= live.expected[item->source]);
        live.expected[item->source] = item->message->offset + 1;
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

struct intake_item live_next_item(int64_t within_ms)
{
    int64_t until_ns = clock_steady_ns(&clock_real) + within_ms * 1000000;
    struct intake_item item;

    do {
        intake_next(live.intake, live.state, &item, &live.fault);
        if (item.kind == INTAKE_NOTHING) {
            intake_wait(live.intake, 5000000);
        }
    } while (item.kind == INTAKE_NOTHING && clock_steady_ns(&clock_real) < until_ns);
    apply(&item);
    return item;
}

void live_expect_message(uint16_t partition, uint64_t offset)
{
    struct intake_item item = live_next_item(LIVE_SOON_MS);

    assert_int_equal(item.kind, INTAKE_MESSAGE);
    assert_int_equal(item.source, partition);
    assert_int_equal(item.message->offset, offset);
}

void live_pay(size_t partition, size_t count, int64_t from_ms, int64_t step_ms)
{
    for (size_t index = 0; index < count; index++) {
        broker_pay(&live.broker, partition, from_ms + (int64_t)index * step_ms, INSTANT_NONE);
    }
}
