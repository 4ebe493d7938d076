/* How the engine's threads agree on the end, and wait for each other. */
#include "engine/engine_parts.h"

#include <string.h>
#include <time.h>

void engine_finish(struct engine *engine, enum engine_end planned, const struct fault *fault)
{
    (void)pthread_mutex_lock(&engine->mutex);
    if (engine->planned == ENGINE_RUNNING) {
        engine->planned = planned;
        engine->planned_ns = clock_steady_ns(engine->clock);
        if (fault != NULL) {
            engine->fault = *fault;
        }
    }
    (void)pthread_mutex_unlock(&engine->mutex);
}

static void end_with(struct engine *engine, enum engine_end end)
{
    struct engine_event event;

    if (engine->end != ENGINE_RUNNING) {
        return;
    }
    engine->end = end;
    event_begin(&event, end == ENGINE_HALTED || end == ENGINE_FAILED ? "halted" : "stopped",
                end == ENGINE_HALTED || end == ENGINE_FAILED ? ENGINE_ERROR : ENGINE_INFO);
    if (end == ENGINE_HALTED || end == ENGINE_FAILED) {
        event_fault(&event, &engine->fault);
    }
    event_number(&event, "epoch", shelf_sealed_upto(&engine->pipeline.shelf));
    event_number(&event, "undelivered",
                 shelf_sealed_upto(&engine->pipeline.shelf) -
                     shelf_confirmed_upto(&engine->pipeline.shelf));
    event_seconds(&event, "took", (clock_steady_ns(engine->clock) - engine->planned_ns) / 1000000);
    events_put(&engine->events, &event);
}

void engine_break(struct engine *engine, const struct fault *fault)
{
    bool halt = fault_code_class(fault->code) == FAULT_CLASS_HALT;

    engine_finish(engine, halt ? ENGINE_HALTED : ENGINE_FAILED, fault);
    (void)pthread_mutex_lock(&engine->mutex);
    if (engine->end == ENGINE_RUNNING) {
        engine->fault = *fault;
        end_with(engine, halt ? ENGINE_HALTED : ENGINE_FAILED);
    }
    atomic_store(&engine->home, true);
    (void)pthread_cond_broadcast(&engine->changed);
    (void)pthread_mutex_unlock(&engine->mutex);
    shelf_stop(&engine->pipeline.shelf);
}

void engine_conclude(struct engine *engine)
{
    (void)pthread_mutex_lock(&engine->mutex);
    must(engine->planned != ENGINE_RUNNING);
    end_with(engine, engine->planned);
    atomic_store(&engine->home, true);
    (void)pthread_cond_broadcast(&engine->changed);
    (void)pthread_mutex_unlock(&engine->mutex);
    shelf_stop(&engine->pipeline.shelf);
}

/* The mutex is held. */
static bool limited(const struct engine *engine)
{
    return engine->planned != ENGINE_RUNNING && engine->planned != ENGINE_CAUGHT_UP;
}

bool engine_time_is_limited(struct engine *engine)
{
    (void)pthread_mutex_lock(&engine->mutex);
    bool is = limited(engine);
    (void)pthread_mutex_unlock(&engine->mutex);
    return is;
}

bool engine_out_of_time(struct engine *engine)
{
    (void)pthread_mutex_lock(&engine->mutex);
    if (engine->planned == ENGINE_CAUGHT_UP && atomic_load(&engine->stop_asked)) {
        engine->planned = ENGINE_STOPPED; /* All is read, and a sink still lacks some of it. */
        engine->planned_ns = clock_steady_ns(engine->clock);
    }
    bool is = limited(engine);
    int64_t since_ns = clock_steady_ns(engine->clock) - engine->planned_ns;
    (void)pthread_mutex_unlock(&engine->mutex);
    return is && since_ns > engine->settings.shutdown_grace_ms * 1000000;
}

bool engine_survived(struct engine *engine)
{
    struct fault fault;

    (void)pthread_mutex_lock(&engine->mutex);
    enum outcome outcome = deaths_clear(&engine->deaths, &fault);
    (void)pthread_mutex_unlock(&engine->mutex);
    if (outcome != DONE) {
        engine_break(engine, &fault);
    }
    return outcome == DONE;
}

void engine_sleep(struct engine *engine, int64_t timeout_ns)
{
    struct timespec moment;

    (void)clock_gettime(CLOCK_MONOTONIC, &moment);
    int64_t nanoseconds = moment.tv_nsec + timeout_ns % 1000000000;
    moment.tv_sec += timeout_ns / 1000000000 + nanoseconds / 1000000000;
    moment.tv_nsec = nanoseconds % 1000000000;
    (void)pthread_mutex_lock(&engine->mutex);
    bool time_left = true;
    while (time_left && !atomic_load(&engine->home)) {
        time_left = pthread_cond_timedwait(&engine->changed, &engine->mutex, &moment) == 0;
    }
    (void)pthread_mutex_unlock(&engine->mutex);
}

uint64_t engine_backlog(struct engine *engine)
{
    uint64_t delivered = atomic_load(&engine->delivered_bytes);
    uint64_t sealed = atomic_load(&engine->sealed_bytes);

    uint64_t ledger = sealed > delivered ? sealed - delivered : 0;
    uint64_t followers = followers_backlog(engine);

    return ledger > followers ? ledger : followers;
}

/* The frames' sizes are not known without reading them: an average stands for them. */
uint64_t engine_journal_bytes(struct engine *engine, uint64_t delivered, uint64_t sealed)
{
    struct journal *journal = &engine->pipeline.journal;
    uint64_t lacking = sealed > delivered ? sealed - delivered : 0;

    (void)pthread_mutex_lock(&journal->mutex);
    uint64_t epochs = journal->last_epoch - journal->first_epoch + 1;
    uint64_t bytes = epochs == 0 ? 0 : journal->bytes / epochs * lacking;
    (void)pthread_mutex_unlock(&journal->mutex);
    return bytes;
}

void engine_reckon_backlog(struct engine *engine, uint64_t delivered, uint64_t sealed)
{
    uint64_t bytes = engine_journal_bytes(engine, delivered, sealed);

    atomic_store(&engine->delivered_bytes, 0);
    atomic_store(&engine->sealed_bytes, bytes);
}
