/* The one thread that delivers to the ledger, and looks after it. */
#include "engine/engine_parts.h"

#include "journal/frame.h"
#include "os/crash.h"

#define GROW_NS INT64_C(2000000) /* A transaction that may grow is looked at this often. */
#define AUDIT_EVERY_NS INT64_C(5000000000)
/* Looking after the ledger takes as long as it takes, so only once nothing came for a while. */
#define TEND_AFTER_NS INT64_C(1000000000)
#define RETRY_FIRST_NS INT64_C(100000000)
#define RETRY_LONGEST_NS INT64_C(5000000000)

struct delivering {
    struct engine *engine;
    struct courier *courier;
    int64_t gathered_ns; /* When the first of what is gathered was there; 0: nothing is. */
    int64_t idle_ns;     /* Nothing was there since then; 0: something was. */
    int64_t audited_ns;
    int64_t down_ns; /* Out of reach since then; 0: it answers. */
    int64_t retry_ns;
    uint64_t down_epoch;
    bool fenced_before; /* The last delivery was refused, and an audit found nothing. */
};

static void tell_down(struct delivering *delivering, const struct fault *fault)
{
    struct engine *engine = delivering->engine;
    struct engine_event event;

    event_begin(&event, fault_code_name(FAULT_SINK_BUSY), ENGINE_WARN);
    event_word(&event, "sink", engine->settings.sinks[0].name);
    event_fault(&event, fault);
    event_number(&event, "backlog_bytes", engine_backlog(engine));
    event_word(&event, "note", "payments are safe in the journal; reading goes on");
    events_put(&engine->events, &event);
}

static void unreachable(struct delivering *delivering, const struct fault *fault)
{
    struct engine *engine = delivering->engine;

    if (delivering->down_ns == 0) {
        delivering->down_ns = clock_steady_ns(engine->clock);
        delivering->down_epoch = delivering->courier->delivered;
        delivering->retry_ns = RETRY_FIRST_NS;
        shelf_ledger_down(&engine->pipeline.shelf, true);
        atomic_store(&engine->ledger_down, true);
        tell_down(delivering, fault);
    }
    engine_sleep(engine, delivering->retry_ns);
    delivering->retry_ns *= 2;
    if (delivering->retry_ns > RETRY_LONGEST_NS) {
        delivering->retry_ns = RETRY_LONGEST_NS;
    }
}

static void reached(struct delivering *delivering)
{
    struct engine *engine = delivering->engine;
    struct engine_event event;

    if (delivering->down_ns == 0) {
        return;
    }
    event_begin(&event, "sink_recovered", ENGINE_INFO);
    event_word(&event, "sink", engine->settings.sinks[0].name);
    event_seconds(&event, "down", (clock_steady_ns(engine->clock) - delivering->down_ns) / 1000000);
    event_number(&event, "epochs_delivered",
                 delivering->courier->delivered - delivering->down_epoch);
    events_put(&engine->events, &event);
    delivering->down_ns = 0;
    shelf_ledger_down(&engine->pipeline.shelf, false);
    atomic_store(&engine->ledger_down, false);
}

static void tell_restored(struct delivering *delivering, uint64_t before)
{
    struct engine *engine = delivering->engine;
    struct engine_event event;

    event_begin(&event, "ledger_restored", ENGINE_WARN);
    event_word(&event, "sink", engine->settings.sinks[0].name);
    event_number(&event, "was_at_epoch", before);
    event_number(&event, "is_at_epoch", delivering->courier->delivered);
    event_word(&event, "note", "it was put back; what it lacks is delivered again");
    events_put(&engine->events, &event);
}

/* Rule R4. False: it cannot go on. refused: a delivery did not fit, so something must be found. */
static bool audit(struct delivering *delivering, const struct fault *refused)
{
    struct engine *engine = delivering->engine;
    struct courier *courier = delivering->courier;
    uint64_t before = courier->delivered;
    struct fault fault;
    bool restored;

    delivering->audited_ns = clock_steady_ns(engine->clock);
    enum outcome outcome = courier_audit(courier, &restored, &fault);
    if (outcome == LATER) {
        unreachable(delivering, &fault);
        return true;
    }
    if (outcome == DONE && refused != NULL && courier->delivered == before && !restored) {
        outcome = BROKEN;
        fault = *refused;
    }
    if (outcome != DONE) {
        engine_break(engine, &fault);
        return false;
    }
    reached(delivering);
    if (courier->delivered != before) {
        delivering->gathered_ns = 0;
        engine_reckon_backlog(engine, courier->delivered,
                              shelf_sealed_upto(&engine->pipeline.shelf));
    }
    if (restored) {
        tell_restored(delivering, before);
    }
    return true;
}

/*
 * Once it has taken something of ours, a start can tell this ledger from another one of the same
 * pipeline's name; until then nothing is known of it but its place.
 */
static bool know(struct delivering *delivering)
{
    struct engine *engine = delivering->engine;
    struct pipeline *pipeline = &engine->pipeline;
    struct known_ledger now;
    struct fault fault;

    if (pipeline->known.epoch > 0) {
        return true;
    }
    known_ledger_of(engine->ledger, delivering->courier->delivered, &delivering->courier->chain,
                    &now);
    now.begun_by = pipeline->known.begun_by;
    enum outcome outcome = known_ledger_write(pipeline->disk, &now, &fault);
    if (outcome == DONE) {
        pipeline->known = now;
    }
    if (outcome == BROKEN) {
        engine_break(engine, &fault);
    }
    return outcome != BROKEN; /* Without room the next delivery tries again. */
}

static bool deliver(struct delivering *delivering)
{
    struct engine *engine = delivering->engine;
    struct courier *courier = delivering->courier;
    uint64_t bytes = courier->bytes;
    struct fault fault;
    enum outcome outcome = courier_deliver(courier, &fault);

    delivering->gathered_ns = 0;
    if (outcome == LATER) {
        unreachable(delivering, &fault);
        return true;
    }
    if (outcome == BROKEN && fault.code == FAULT_FENCED) {
        return audit(delivering, &fault);
    }
    if (outcome != DONE) {
        engine_break(engine, &fault);
        return false;
    }
    atomic_fetch_add(&engine->delivered_bytes, bytes);
    if (courier->delivered == shelf_sealed_upto(&engine->pipeline.shelf)) {
        /* What was reckoned at the start may have been too much. */
        engine_reckon_backlog(engine, courier->delivered, courier->delivered);
    }
    delivering->audited_ns = clock_steady_ns(engine->clock);
    reached(delivering);
    return know(delivering);
}

/* Nothing waits to be delivered. False: all is done, or it cannot go on. */
static bool idle(struct delivering *delivering)
{
    struct engine *engine = delivering->engine;
    struct shelf *shelf = &engine->pipeline.shelf;
    uint64_t next = delivering->courier->delivered + 1;
    struct fault fault;

    if (atomic_load(&engine->sealed_all) && shelf_sealed_upto(shelf) < next &&
        followers_done(engine)) {
        crash_point("stop_delivered");
        engine_conclude(engine);
        return false;
    }
    if (clock_steady_ns(engine->clock) - delivering->audited_ns >= AUDIT_EVERY_NS) {
        return audit(delivering, NULL);
    }
    int64_t now_ns = clock_steady_ns(engine->clock);
    if (delivering->idle_ns == 0) {
        delivering->idle_ns = now_ns;
    }
    if (now_ns - delivering->idle_ns < TEND_AFTER_NS) {
        (void)shelf_wait_sealed(shelf, next, LOOK_NS);
        return true;
    }
    enum outcome outcome = sink_tend(engine->ledger, &fault);
    if (outcome == BROKEN) {
        engine_break(engine, &fault);
        return false;
    }
    if (outcome != DONE) {
        (void)shelf_wait_sealed(shelf, next, LOOK_NS);
    }
    return true;
}

/* Is it worth waiting for more epochs to go with these? */
static bool may_grow(struct delivering *delivering)
{
    struct engine *engine = delivering->engine;
    struct courier *courier = delivering->courier;
    int64_t now_ns = clock_steady_ns(engine->clock);

    if (delivering->gathered_ns == 0) {
        delivering->gathered_ns = now_ns;
    }
    return !courier_full(courier) && courier->again == 0 && !atomic_load(&engine->decided_all) &&
           !shelf_wanted(&engine->pipeline.shelf) &&
           now_ns - delivering->gathered_ns < engine->settings.deliver_wait_ms[0] * 1000000;
}

static bool step(struct delivering *delivering)
{
    struct engine *engine = delivering->engine;
    struct courier *courier = delivering->courier;
    struct fault fault;

    if (courier_gather(courier, &fault) != DONE) {
        engine_break(engine, &fault);
        return false;
    }
    if (courier->count == 0) {
        return idle(delivering);
    }
    delivering->idle_ns = 0;
    if (may_grow(delivering)) {
        (void)shelf_wait_sealed(&engine->pipeline.shelf, courier->delivered + courier->count + 1,
                                GROW_NS);
        return true;
    }
    return deliver(delivering);
}

void *delivering_run(void *argument)
{
    struct engine *engine = argument;
    struct delivering delivering = {.engine = engine,
                                    .courier = &engine->courier,
                                    .audited_ns = clock_steady_ns(engine->clock)};

    while (!atomic_load(&engine->home) && step(&delivering)) {
        if (engine_out_of_time(engine)) {
            engine_conclude(engine);
            break;
        }
    }
    return NULL;
}
