#include "engine/engine.h"

#include "engine/engine_parts.h"
#include "os/memory.h"

#include <string.h>
#include <time.h>

static void init(struct engine *engine)
{
    pthread_condattr_t monotonic;

    engine->clock = &clock_real;
    engine->lock.file = -1;
    engine->data_disk.directory = -1;
    engine->journal_disk.directory = -1;
    engine->answers.disk.directory = -1;
    (void)pthread_mutex_init(&engine->mutex, NULL);
    (void)pthread_mutex_init(&engine->feed_mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&engine->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    events_init(&engine->events, engine->clock);
    engine->started_ns = clock_steady_ns(engine->clock);
}

static size_t aligned(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

/* How many sources there can be, and how large one is. */
static size_t sources_of(const struct engine_settings *settings, size_t *ret_size)
{
    const struct source_type *type = settings->from_stdin ? &source_stdin : &source_file;

    if (settings->feed_type != NULL) {
        *ret_size = aligned(settings->feed_type->source_type->size);
        return FEED_PARTITIONS_MAX;
    }
    *ret_size = aligned(type->size);
    return settings->from_stdin ? 1 : settings->path_count;
}

static size_t feed_size(const struct engine_settings *settings)
{
    size_t lists = FEED_PARTITIONS_MAX * (sizeof(struct origin) + sizeof(struct source_facts));

    return settings->feed_type == NULL ? 0 : aligned(settings->feed_type->size) + lists;
}

static void *part(uint8_t **at, size_t size)
{
    void *start = *at;

    *at += size;
    return start;
}

/* A follower, its sink, and its view of the ledger. */
static size_t follower_size(const struct engine_settings *settings, size_t index)
{
    return aligned(sizeof(struct follower)) + aligned(settings->sink_types[index]->size) +
           aligned(settings->sink_types[0]->size);
}

static void lay_followers(struct engine *engine, uint8_t **at)
{
    const struct engine_settings *settings = &engine->settings;

    for (size_t index = 1; index < settings->sink_count; index++) {
        struct follower *follower = part(at, aligned(sizeof(struct follower)));
        follower->engine = engine;
        follower->index = index;
        follower->sink = part(at, aligned(settings->sink_types[index]->size));
        follower->view = part(at, aligned(settings->sink_types[0]->size));
        engine->followers[engine->follower_count++] = follower;
    }
}

/* The engine, its two views of the ledger, its followers, its sources, its feed: one behind the
 * other. */
static enum outcome reserve(const struct engine_settings *settings, struct engine **ret_engine,
                            struct fault *ret_fault)
{
    size_t source_size;
    size_t count = sources_of(settings, &source_size);
    size_t sink_size = aligned(settings->sink_types[0]->size);
    size_t size =
        aligned(sizeof(struct engine)) + 2 * sink_size + count * source_size + feed_size(settings);
    void *memory;

    must(settings->sink_count >= 1);
    must(settings->sink_count <= ENGINE_SINKS_MAX);
    for (size_t index = 1; index < settings->sink_count; index++) {
        size += follower_size(settings, index);
    }
    must(count <= INTAKE_SOURCES_MAX);
    enum outcome outcome = memory_reserve(size, &memory, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    uint8_t *at = memory;
    struct engine *engine = part(&at, aligned(sizeof(struct engine)));
    engine->settings = *settings;
    engine->memory_size = size;
    engine->ledger = part(&at, sink_size);
    engine->reader = part(&at, sink_size);
    lay_followers(engine, &at);
    for (size_t index = 0; index < count; index++) {
        engine->sources[index] = part(&at, source_size);
    }
    if (settings->feed_type != NULL) {
        engine->feed = part(&at, aligned(settings->feed_type->size));
        engine->origins = part(&at, FEED_PARTITIONS_MAX * sizeof(struct origin));
        engine->met = part(&at, FEED_PARTITIONS_MAX * sizeof(struct source_facts));
    }
    init(engine);
    *ret_engine = engine;
    return DONE;
}

static enum outcome start_thread(struct engine *engine, void *(*run)(void *), void *argument,
                                 struct fault *ret_fault)
{
    size_t index = 0;

    while (engine->threads[index].started) {
        index++;
    }
    int error = pthread_create(&engine->threads[index].thread, NULL, run, argument);
    if (error != 0) {
        return fault_is(ret_fault, BROKEN, FAULT_MEMORY, "cannot start a thread: %s",
                        strerror(error));
    }
    engine->threads[index].started = true;
    return DONE;
}

static enum outcome start_threads(struct engine *engine, struct fault *ret_fault)
{
    static void *(*const runs[ENGINE_THREADS])(void *) = {delivering_run, sealing_run,
                                                          housekeeping_run, deciding_run};
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < engine->follower_count; index++) {
        outcome = start_thread(engine, following_run, engine->followers[index], ret_fault);
    }
    for (size_t index = 0; outcome == DONE && index < ENGINE_THREADS; index++) {
        outcome = start_thread(engine, runs[index], engine, ret_fault);
    }
    return outcome;
}

static void count_verdicts(const struct engine *engine, uint64_t ret_verdicts[TALLY_COUNT])
{
    for (uint8_t tally = 0; tally < TALLY_COUNT; tally++) {
        ret_verdicts[tally] = standing_count(&engine->pipeline.standing, tally);
    }
}

static void tell(struct engine *engine, const char *name)
{
    const struct engine_settings *settings = &engine->settings;
    struct engine_event event;

    event_begin(&event, name, ENGINE_INFO);
    event_word(&event, "pipeline", settings->pipeline);
    event_word(&event, "data_dir", settings->data_dir);
    event_word(&event, "sink", settings->sinks[0].name);
    if (settings->feed_type != NULL) {
        event_word(&event, "source", settings->feed_type->name);
    } else {
        event_number(&event, "sources", settings->from_stdin ? 1 : settings->path_count);
    }
    events_put(&engine->events, &event);
}

enum outcome engine_start(const struct engine_settings *settings, struct engine **ret_engine,
                          struct fault *ret_fault)
{
    struct engine *engine;
    enum outcome outcome = reserve(settings, &engine, ret_fault);

    if (outcome != DONE) {
        return BROKEN;
    }
    tell(engine, "started");
    outcome = engine_open(engine, ret_fault);
    if (outcome == DONE) {
        count_verdicts(engine, engine->found);
        outcome = engine_open_sources(engine, ret_fault);
    }
    if (outcome == DONE) {
        tell(engine, "ready");
        outcome = start_threads(engine, ret_fault);
    }
    if (outcome != DONE) {
        engine_close(engine);
        return BROKEN;
    }
    *ret_engine = engine;
    return DONE;
}

bool engine_event(struct engine *engine, struct engine_event *ret_event, int64_t timeout_ms)
{
    return events_take(&engine->events, ret_event, timeout_ms);
}

enum engine_end engine_end(struct engine *engine, struct fault *ret_fault)
{
    (void)pthread_mutex_lock(&engine->mutex);
    enum engine_end end = engine->end;
    *ret_fault = engine->fault;
    (void)pthread_mutex_unlock(&engine->mutex);
    return end;
}

static void sink_gauges(struct engine *engine, struct engine_sink_gauges *ret_sinks)
{
    ret_sinks[0].epoch = shelf_confirmed_upto(&engine->pipeline.shelf);
    ret_sinks[0].down = atomic_load(&engine->ledger_down);
    for (size_t index = 0; index < engine->follower_count; index++) {
        struct follower *follower = engine->followers[index];
        ret_sinks[follower->index].epoch = atomic_load(&follower->delivered);
        ret_sinks[follower->index].down = atomic_load(&follower->down);
        ret_sinks[follower->index].halted = (enum fault_code)atomic_load(&follower->halted);
    }
}

void engine_gauges(struct engine *engine, struct engine_gauges *ret_gauges)
{
    struct pipeline *pipeline = &engine->pipeline;

    memset(ret_gauges, 0, sizeof(*ret_gauges));
    (void)pthread_mutex_lock(&pipeline->standing_mutex);
    count_verdicts(engine, ret_gauges->verdicts);
    ret_gauges->gap = standing_count(&pipeline->standing, TALLY_COUNT);
    ret_gauges->epoch = pipeline->standing.epoch;
    ret_gauges->watermark_ms = pipeline->standing.watermark_ms;
    (void)pthread_mutex_unlock(&pipeline->standing_mutex);
    ret_gauges->ledger_epoch = shelf_confirmed_upto(&pipeline->shelf);
    sink_gauges(engine, ret_gauges->sinks);
    ret_gauges->state_entries = atomic_load(&engine->state_entries);
    ret_gauges->state_bytes = atomic_load(&engine->state_bytes);
    ret_gauges->state_limit_bytes = atomic_load(&engine->state_limit);
    (void)pthread_mutex_lock(&pipeline->journal.mutex);
    ret_gauges->journal_bytes = pipeline->journal.bytes;
    (void)pthread_mutex_unlock(&pipeline->journal.mutex);
    ret_gauges->source_lag = atomic_load(&engine->source_lag);
    ret_gauges->input_bytes = atomic_load(&engine->input_bytes);
    ret_gauges->input_total = engine->input_total;
    memcpy(ret_gauges->found, engine->found, sizeof(engine->found));
    (void)pthread_mutex_lock(&engine->mutex);
    bool halted = engine->planned == ENGINE_HALTED || engine->end == ENGINE_HALTED;
    ret_gauges->halted = halted ? engine->fault.code : FAULT_NONE;
    (void)pthread_mutex_unlock(&engine->mutex);
}

void engine_stop(struct engine *engine)
{
    atomic_store(&engine->stop_asked, true);
}

static void go_home(struct engine *engine)
{
    atomic_store(&engine->home, true);
    shelf_stop(&engine->pipeline.shelf);
    (void)pthread_mutex_lock(&engine->mutex);
    (void)pthread_cond_broadcast(&engine->changed);
    (void)pthread_mutex_unlock(&engine->mutex);
}

static void join(struct engine *engine)
{
    for (size_t index = 0; index < ENGINE_THREADS + ENGINE_SINKS_MAX; index++) {
        if (engine->threads[index].started) {
            (void)pthread_join(engine->threads[index].thread, NULL);
        }
    }
}

static void close_parts(struct engine *engine)
{
    if (engine->courier.pipeline != NULL) {
        courier_close(&engine->courier);
    }
    followers_close(engine);
    if (engine->pipeline_open) {
        pipeline_close(&engine->pipeline);
    }
    engine_close_feed(engine);
    if (engine->reader_open) {
        sink_close(engine->reader);
    }
    if (engine->ledger_open) {
        sink_close(engine->ledger);
    }
    disk_posix_close(&engine->answers.disk);
    disk_posix_close(&engine->journal_disk);
    disk_posix_close(&engine->data_disk);
    if (engine->lock_taken) {
        lock_release(&engine->lock);
    }
}

void engine_close(struct engine *engine)
{
    struct fault fault;

    if (engine->pipeline_open) {
        go_home(engine);
        join(engine);
    }
    if (engine->intake != NULL) {
        intake_stop(engine->intake);
    }
    if (engine->pipeline_open) {
        engine_review_answers(engine, false);
    }
    if (engine->feed != NULL && engine->pipeline_open) {
        engine->feed_looked_ns = INT64_MAX;
        engine->progress.noted_ns = 0; /* Told once more, of all that was delivered: */
        engine->progress.epoch = engine->progress.committed; /* not of what was noted before. */
        engine_tend_feed(engine);
    }
    /* Halted or failed is not dead: a person was told what it was. */
    if (deaths_clear(&engine->deaths, &fault) != DONE) {
        engine->deaths.marked = true; /* It counts as one death; the next seal clears it. */
    }
    close_parts(engine);
    events_destroy(&engine->events);
    (void)pthread_cond_destroy(&engine->changed);
    (void)pthread_mutex_destroy(&engine->feed_mutex);
    (void)pthread_mutex_destroy(&engine->mutex);
    memory_release(engine, engine->memory_size);
}
