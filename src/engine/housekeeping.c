/* What nobody should wait for: memory ahead of need, and a word once a minute. */
#include "engine/engine_parts.h"

#include "base/instant.h"
#include "os/memory.h"

#include <stdio.h>

#define HOUSEKEEPING_NS INT64_C(200000000)

/* How many epochs each follower lacks: behind="out:3 copy:0" */
static void tell_behind(const struct engine *engine, const struct engine_gauges *gauges,
                        struct engine_event *event)
{
    char text[ENGINE_SINKS_MAX * (SINK_NAME_MAX + 32)] = "";
    size_t size = 0;

    for (size_t index = 1; index < engine->settings.sink_count; index++) {
        uint64_t epoch = gauges->sinks[index].epoch;
        size += (size_t)snprintf(
            text + size, sizeof(text) - size, "%s%s:%llu%s", size > 0 ? " " : "",
            engine->settings.sinks[index].name,
            (unsigned long long)(gauges->epoch > epoch ? gauges->epoch - epoch : 0),
            gauges->sinks[index].halted != FAULT_NONE ? " (halted)" : "");
        must(size < sizeof(text));
    }
    if (size > 0) {
        event_word(event, "behind", text);
    }
}

static void tell_summary(struct engine *engine)
{
    struct engine_gauges gauges;
    struct engine_event event;
    char watermark[INSTANT_TEXT_SIZE];
    uint64_t read = 0;

    engine_gauges(engine, &gauges);
    for (size_t tally = 0; tally < TALLY_COUNT; tally++) {
        read += gauges.verdicts[tally];
    }
    event_begin(&event, "summary", ENGINE_INFO);
    event_number(&event, "read", read);
    for (size_t verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        event_number(&event, verdict_name((enum verdict)verdict), gauges.verdicts[verdict]);
    }
    if (gauges.gap > 0) {
        event_number(&event, "gap", gauges.gap);
    }
    if (engine->feed != NULL) {
        event_number(&event, "lag", gauges.source_lag);
    }
    event_number(&event, "state_entries", gauges.state_entries);
    event_number(&event, "epoch", gauges.epoch);
    event_number(&event, "ledger_epoch", gauges.ledger_epoch);
    tell_behind(engine, &gauges, &event);
    if (gauges.watermark_ms != INSTANT_NONE) {
        instant_write(gauges.watermark_ms, watermark);
        event_word(&event, "watermark", watermark);
    }
    events_put(&engine->events, &event);
    atomic_store(&engine->conflicts_told, 0);
}

/* Wait until there is something to back, for a while. */
static struct span wait_ahead(struct engine *engine, const struct span *backed)
{
    struct timespec moment;

    (void)clock_gettime(CLOCK_MONOTONIC, &moment);
    int64_t nanoseconds = moment.tv_nsec + HOUSEKEEPING_NS;
    moment.tv_sec += nanoseconds / 1000000000;
    moment.tv_nsec = nanoseconds % 1000000000;
    (void)pthread_mutex_lock(&engine->mutex);
    if (engine->ahead.at == backed->at && engine->ahead.size == backed->size &&
        !atomic_load(&engine->home)) {
        (void)pthread_cond_timedwait(&engine->changed, &engine->mutex, &moment);
    }
    struct span ahead = engine->ahead;
    (void)pthread_mutex_unlock(&engine->mutex);
    return ahead;
}

void *housekeeping_run(void *argument)
{
    struct engine *engine = argument;
    struct span backed = {NULL, 0};
    int64_t every_ns = engine->settings.summary_every_ms * 1000000;
    int64_t told_ns = clock_steady_ns(engine->clock);

    while (!atomic_load(&engine->home)) {
        struct span ahead = wait_ahead(engine, &backed);
        if (ahead.size > 0 && (ahead.at != backed.at || ahead.size != backed.size)) {
            memory_back((void *)(uintptr_t)ahead.at, ahead.size);
            backed = ahead;
        }
        if (engine->feed != NULL) {
            engine_tend_feed(engine);
        }
        if (every_ns > 0 && clock_steady_ns(engine->clock) - told_ns >= every_ns) {
            told_ns = clock_steady_ns(engine->clock);
            tell_summary(engine);
        }
    }
    return NULL;
}
