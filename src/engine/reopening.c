/* Live sources that cannot be trusted any more: closed, and opened anew at our own cursors. */
#include "engine/engine_parts.h"

/* Pauses between two attempts; once it went well for so long, the next ones begin anew. */
#define PAUSE_FIRST_NS INT64_C(1000000000)
#define PAUSE_LONGEST_NS INT64_C(30000000000)
#define CALM_NS INT64_C(60000000000)

/* Whether a right that was missing is back shows when records are asked for: soon after that. */
#define ANSWERED_NS INT64_C(5000000000)

static void tell_stale(struct engine *engine, const struct fault *stale)
{
    struct feed_trouble *trouble = &engine->trouble;
    struct engine_event event;

    if (stale->code == FAULT_SOURCE_PERMISSION) {
        if (trouble->refused) {
            return;
        }
        trouble->refused = true;
        trouble->since_ns =
            trouble->since_ns > 0 ? trouble->since_ns : clock_steady_ns(engine->clock);
    }
    event_begin(&event, fault_code_name(stale->code), ENGINE_WARN);
    event_fault(&event, stale);
    events_put(&engine->events, &event);
}

void engine_tell_reach(struct engine *engine, size_t partitions, const struct fault *fault)
{
    struct feed_trouble *trouble = &engine->trouble;
    struct engine_event event;
    struct fault unheard;

    if ((trouble->since_ns > 0) == (partitions > 0)) {
        return;
    }
    int64_t now_ns = clock_steady_ns(engine->clock);
    if (trouble->refused && now_ns - trouble->anew_ns < ANSWERED_NS) {
        return;
    }
    if (partitions > 0) {
        event_begin(&event, "source_unreachable", ENGINE_WARN);
        event_number(&event, "partitions", partitions);
        (void)fault_is(&unheard, LATER, FAULT_KAFKA_UNREACHABLE,
                       "nothing is heard from the broker");
        event_fault(&event, fault == NULL ? &unheard : fault);
        event_word(&event, "note",
                   "nothing is lost; what is out of reach holds the watermark and nothing else");
    } else {
        event_begin(&event, "source_recovered", ENGINE_INFO);
        event_seconds(&event, "down", (now_ns - trouble->since_ns) / 1000000);
        trouble->refused = false;
    }
    trouble->since_ns = partitions > 0 ? now_ns : 0;
    events_put(&engine->events, &event);
}

static bool going_on(struct engine *engine)
{
    return !atomic_load(&engine->home) && !atomic_load(&engine->stop_asked);
}

/* Before an attempt; at first not at all, then each time twice as long. */
static void wait_a_while(struct engine *engine)
{
    struct feed_trouble *trouble = &engine->trouble;
    int64_t until_ns = clock_steady_ns(engine->clock) + trouble->pause_ns;

    while (going_on(engine) && clock_steady_ns(engine->clock) < until_ns) {
        engine_sleep(engine, LOOK_NS);
    }
    if (trouble->pause_ns == 0) {
        trouble->pause_ns = PAUSE_FIRST_NS;
    } else if (trouble->pause_ns < PAUSE_LONGEST_NS) {
        trouble->pause_ns *= 2;
    }
}

/*
 * May what stands in the way go by itself? A right may be given back. And a topic that was there
 * may come back: brokers that start do not know all of their topics at once. That counts from
 * their first answer, however long they were away before.
 */
static bool may_pass(struct engine *engine, const struct fault *fault)
{
    struct feed_trouble *trouble = &engine->trouble;
    int64_t now_ns = clock_steady_ns(engine->clock);

    if (fault->code != FAULT_SOURCE_MISSING) {
        return fault_code_class(fault->code) == FAULT_CLASS_PERMISSION;
    }
    if (trouble->missing_ns == 0) {
        trouble->missing_ns = now_ns;
        trouble->pause_ns = PAUSE_FIRST_NS;
    }
    return now_ns - trouble->missing_ns < engine->settings.feed_look_ms * 1000000;
}

/* LATER: out of reach, or the sinks are behind. */
static enum outcome attempt(struct engine *engine, size_t partitions, struct fault *ret_fault)
{
    struct pipeline *pipeline = &engine->pipeline;

    if (pipeline->open == NULL && pipeline_begin(pipeline, LOOK_NS, ret_fault) != DONE) {
        return LATER;
    }
    enum outcome outcome = engine_open_feed(engine, ret_fault);
    if (outcome == LATER) {
        engine->trouble.missing_ns = 0;
    }
    if (outcome == BROKEN && may_pass(engine, ret_fault)) {
        outcome = LATER;
    }
    if (outcome == LATER) {
        engine_tell_reach(engine, partitions, ret_fault);
    }
    return outcome == DONE ? engine_start_intake(engine, ret_fault) : outcome;
}

enum outcome engine_open_anew(struct engine *engine, const struct fault *stale,
                              struct fault *ret_fault)
{
    struct feed_trouble *trouble = &engine->trouble;
    size_t partitions = engine->source_count;
    enum outcome outcome = LATER;

    trouble->missing_ns = 0;
    tell_stale(engine, stale);
    intake_stop(engine->intake);
    engine->intake = NULL;
    engine_close_feed(engine);
    if (clock_steady_ns(engine->clock) - trouble->anew_ns > CALM_NS) {
        trouble->pause_ns = 0;
    }
    while (outcome == LATER && going_on(engine)) {
        wait_a_while(engine);
        outcome = going_on(engine) ? attempt(engine, partitions, ret_fault) : LATER;
    }
    trouble->anew_ns = clock_steady_ns(engine->clock);
    return outcome;
}
