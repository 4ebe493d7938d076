/* The one thread that delivers to a follower, and looks after it. */
#include "engine/engine_parts.h"

#define AUDIT_EVERY_NS INT64_C(5000000000)
#define HOLD_EVERY_NS INT64_C(500000000)
#define TEND_AFTER_NS INT64_C(1000000000)
#define RETRY_FIRST_NS INT64_C(100000000)
#define RETRY_LONGEST_NS INT64_C(5000000000)
#define GROW_NS INT64_C(2000000) /* A transaction that may grow is looked at this often. */

struct following {
    struct engine *engine;
    struct follower *follower;
    struct courier *courier;
    int64_t gathered_ns; /* When the first of what is gathered was there; 0: nothing is. */
    int64_t idle_ns;     /* Nothing was there since then; 0: something was. */
    int64_t audited_ns;
    int64_t held_ns;
    int64_t down_ns; /* Out of reach since then; 0: it answers. */
    int64_t retry_ns;
    uint64_t down_epoch;
    bool refilling; /* Told. */
    struct feed_told told;
};

static const char *name_of(const struct following *following)
{
    return following->engine->settings.sinks[following->follower->index].name;
}

static void tell(const struct following *following, const char *event_name, enum engine_level level,
                 const char *key, uint64_t number)
{
    struct engine_event event;

    event_begin(&event, event_name, level);
    event_word(&event, "sink", name_of(following));
    event_number(&event, key, number);
    events_put(&following->engine->events, &event);
}

static void tell_down(const struct following *following, const struct fault *fault)
{
    struct engine_event event;

    event_begin(&event, fault_code_name(FAULT_SINK_BUSY), ENGINE_WARN);
    event_word(&event, "sink", name_of(following));
    event_fault(&event, fault);
    event_word(&event, "note", "it follows: the ledger goes on, and it gets what it lacks later");
    events_put(&following->engine->events, &event);
}

static void unreachable(struct following *following, const struct fault *fault)
{
    struct engine *engine = following->engine;

    if (following->down_ns == 0) {
        following->down_ns = clock_steady_ns(engine->clock);
        following->down_epoch = following->courier->delivered;
        following->retry_ns = RETRY_FIRST_NS;
        atomic_store(&following->follower->down, true);
        tell_down(following, fault);
    }
    engine_sleep(engine, following->retry_ns);
    following->retry_ns *= 2;
    if (following->retry_ns > RETRY_LONGEST_NS) {
        following->retry_ns = RETRY_LONGEST_NS;
    }
}

static void reached(struct following *following)
{
    struct engine *engine = following->engine;
    struct engine_event event;

    atomic_store(&following->follower->delivered, following->courier->delivered);
    if (following->down_ns == 0) {
        return;
    }
    event_begin(&event, "sink_recovered", ENGINE_INFO);
    event_word(&event, "sink", name_of(following));
    event_seconds(&event, "down", (clock_steady_ns(engine->clock) - following->down_ns) / 1000000);
    events_put(&engine->events, &event);
    following->down_ns = 0;
    atomic_store(&following->follower->down, false);
}

/* A second owner, or a journal that cannot be read, is not this follower's trouble alone. */
static bool of_all(const struct fault *fault)
{
    return fault->code == FAULT_FENCED || fault->code == FAULT_FOLLOWER_AHEAD ||
           fault->code == FAULT_JOURNAL_IO || fault->code == FAULT_JOURNAL_CORRUPT;
}

/* LATER: it is tried again. False: everybody goes home. */
static bool trouble(struct following *following, enum outcome outcome, const struct fault *fault)
{
    following->gathered_ns = 0;
    if (outcome == LATER) {
        unreachable(following, fault);
        return true;
    }
    bool untaken =
        follower_alone(following->follower) && !atomic_load(&following->follower->standing);
    if (of_all(fault) || untaken) {
        engine_break(following->engine, fault);
        return false;
    }
    follower_halt(following->follower, fault);
    return true;
}

static bool acquire(struct following *following)
{
    struct fault fault;
    enum outcome outcome = follower_acquire(following->follower, &fault);

    if (outcome != DONE) {
        return trouble(following, outcome, &fault);
    }
    reached(following);
    return true;
}

/* Rule R4. refused: a delivery did not fit, so something must be found. */
static bool audit(struct following *following, const struct fault *refused)
{
    struct courier *courier = following->courier;
    uint64_t before = courier->delivered;
    struct fault fault;
    bool restored;

    following->audited_ns = clock_steady_ns(following->engine->clock);
    enum outcome outcome = courier_audit(courier, &restored, &fault);
    if (outcome == DONE && refused != NULL && courier->delivered == before && !restored) {
        outcome = BROKEN;
        fault = *refused;
    }
    if (outcome != DONE) {
        return trouble(following, outcome, &fault);
    }
    reached(following);
    if (restored) {
        tell(following, "sink_restored", ENGINE_WARN, "is_at_epoch", courier->delivered);
    }
    return true;
}

static void tell_refill(struct following *following)
{
    bool refilling = following->courier->refilling;

    if (refilling != following->refilling) {
        tell(following, refilling ? "sink_refilling" : "sink_refilled", ENGINE_INFO, "epoch",
             following->courier->delivered);
        following->refilling = refilling;
    }
}

static bool deliver(struct following *following)
{
    struct fault fault;

    following->gathered_ns = 0;
    tell_refill(following);
    enum outcome outcome = courier_deliver(following->courier, &fault);
    if (outcome == BROKEN && fault.code == FAULT_FENCED) {
        return audit(following, &fault);
    }
    if (outcome != DONE) {
        return trouble(following, outcome, &fault);
    }
    following->audited_ns = clock_steady_ns(following->engine->clock);
    reached(following);
    tell_refill(following);
    return true;
}

/* Nothing waits to be delivered. */
static bool idle(struct following *following)
{
    struct engine *engine = following->engine;
    uint64_t next = following->courier->delivered + 1;
    int64_t now_ns = clock_steady_ns(engine->clock);
    struct fault fault;

    if (now_ns - following->audited_ns >= AUDIT_EVERY_NS) {
        return audit(following, NULL);
    }
    if (following->idle_ns == 0) {
        following->idle_ns = now_ns;
    }
    enum outcome outcome = LATER;
    if (now_ns - following->idle_ns >= TEND_AFTER_NS) {
        outcome = sink_tend(following->follower->sink, &fault);
    }
    if (outcome == BROKEN) {
        return trouble(following, outcome, &fault);
    }
    if (outcome == LATER) {
        (void)shelf_wait_confirmed(&engine->pipeline.shelf, next, LOOK_NS);
    }
    return true;
}

/* Is it worth waiting for more epochs to go with these? */
static bool may_grow(struct following *following)
{
    struct engine *engine = following->engine;
    struct courier *courier = following->courier;
    int64_t now_ns = clock_steady_ns(engine->clock);
    int64_t wait_ns = engine->settings.deliver_wait_ms[following->follower->index] * 1000000;

    if (following->gathered_ns == 0) {
        following->gathered_ns = now_ns;
    }
    return !courier_full(courier) && courier->again == 0 && !courier->refilling &&
           !atomic_load(&engine->decided_all) && now_ns - following->gathered_ns < wait_ns;
}

static bool follow(struct following *following)
{
    struct courier *courier = following->courier;
    struct fault fault;
    enum outcome outcome = courier_gather(courier, &fault);

    if (outcome != DONE) {
        courier_let_go(courier);
        return trouble(following, outcome, &fault);
    }
    if (courier->count == 0) {
        return idle(following);
    }
    following->idle_ns = 0;
    if (may_grow(following)) {
        (void)shelf_wait_confirmed(&following->engine->pipeline.shelf,
                                   courier->delivered + courier->count + 1, GROW_NS);
        return true;
    }
    return deliver(following);
}

/* What the client behind it has to say; it may say it again and again. */
static void tell_lines(struct following *following)
{
    struct follower *follower = following->follower;
    int64_t now_ns = clock_steady_ns(following->engine->clock);
    char text[SINK_LINE_SIZE];

    while (follower->open && sink_line(follower->sink, text)) {
        struct engine_event event;
        if (!engine_may_tell(&following->told, now_ns)) {
            continue;
        }
        event_begin(&event, "sink_client", ENGINE_WARN);
        event_word(&event, "sink", name_of(following));
        event_word(&event, "says", text);
        events_put(&following->engine->events, &event);
    }
}

/* How much of the journal is kept for it changes while it is down or halted, too. */
static bool step(struct following *following)
{
    struct engine *engine = following->engine;
    struct follower *follower = following->follower;
    int64_t now_ns = clock_steady_ns(engine->clock);

    if (now_ns - following->held_ns >= HOLD_EVERY_NS) {
        following->held_ns = now_ns;
        follower_hold(follower);
        tell_lines(following);
    }
    if (atomic_load(&follower->halted) != FAULT_NONE) {
        engine_sleep(engine, HOLD_EVERY_NS);
        return true;
    }
    return atomic_load(&follower->standing) ? follow(following) : acquire(following);
}

void *following_run(void *argument)
{
    struct follower *follower = argument;
    struct following following = {.engine = follower->engine,
                                  .follower = follower,
                                  .courier = &follower->courier,
                                  .audited_ns = clock_steady_ns(follower->engine->clock)};

    while (!atomic_load(&follower->engine->home) && step(&following)) {
    }
    return NULL;
}
