#include "engine/followers.h"

#include "engine/engine_parts.h"
#include "os/memory.h"

#include <string.h>

/* How long a start asks a follower that it meets for the first time, and how often; and one that
 * answers, but is busy: Kafka's brokers end what a dead owner left open within half a minute. */
#define PATIENCE_NS INT64_C(10000000000)
#define BUSY_PATIENCE_NS INT64_C(45000000000)
#define TOPIC_PATIENCE_NS INT64_C(2000000000) /* Brokers learn of a new topic one by one. */
#define ASK_AGAIN_NS INT64_C(250000000)

/* A stop waits so long for one that does not get on: it may be out of reach, and not know yet. */
#define STILL_NS INT64_C(4000000000)

static const struct sink_settings *settings_of(const struct follower *follower)
{
    return &follower->engine->settings.sinks[follower->index];
}

static const struct sink_type *type_of(const struct follower *follower)
{
    return follower->engine->settings.sink_types[follower->index];
}

static size_t place_of(const struct follower *follower)
{
    return follower->index - 1;
}

void follower_halt(struct follower *follower, const struct fault *fault)
{
    struct engine_event event;

    atomic_store(&follower->halted, (int)fault->code);
    event_begin(&event, "sink_halted", ENGINE_ERROR);
    event_word(&event, "sink", settings_of(follower)->name);
    event_fault(&event, fault);
    event_word(&event, "note",
               "this follower alone: the ledger goes on. Mend it, then start again: it gets what "
               "it lacks");
    events_put(&follower->engine->events, &event);
}

static enum outcome open_and_look(struct follower *follower, struct sink_head *ret_head,
                                  struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    if (!follower->open) {
        follower->sink->met = follower->known;
        follower->sink->leaving = &follower->engine->home;
        outcome = sink_open(follower->sink, type_of(follower), settings_of(follower), ret_fault);
        follower->open = outcome == DONE;
    }
    return outcome == DONE ? sink_read_head(follower->sink, ret_head, ret_fault) : outcome;
}

/* How long such an answer of one that is met for the first time is not its last. */
static int64_t patience_ns(enum outcome outcome, const struct fault *fault)
{
    if (outcome == LATER) {
        return fault->code == FAULT_SINK_BUSY ? BUSY_PATIENCE_NS : PATIENCE_NS;
    }
    return outcome == BROKEN && fault->code == FAULT_KAFKA_TOPIC ? TOPIC_PATIENCE_NS : 0;
}

static bool worth_waiting(const struct follower *follower, enum outcome outcome,
                          const struct fault *fault, int64_t since_ns)
{
    int64_t waited_ns = clock_steady_ns(follower->engine->clock) - since_ns;

    return !follower->known && !engine_leaving(follower->engine) &&
           waited_ns < patience_ns(outcome, fault);
}

static enum outcome open_patiently(struct follower *follower, struct sink_head *ret_head,
                                   struct fault *ret_fault)
{
    struct engine *engine = follower->engine;
    int64_t since_ns = clock_steady_ns(engine->clock);
    enum outcome outcome = open_and_look(follower, ret_head, ret_fault);

    while (worth_waiting(follower, outcome, ret_fault, since_ns)) {
        engine_sleep(engine, ASK_AGAIN_NS);
        outcome = open_and_look(follower, ret_head, ret_fault);
    }
    return outcome;
}

/* What becomes of a start whose follower is in trouble. DONE: it goes on without. */
static enum outcome weigh(struct follower *follower, enum outcome outcome,
                          const struct fault *fault)
{
    if (outcome == DONE) {
        return DONE;
    }
    bool of_all = fault->code == FAULT_FOLLOWER_AHEAD || fault->code == FAULT_FENCED;
    if (!follower->known || (outcome == BROKEN && (of_all || follower_alone(follower)))) {
        return BROKEN;
    }
    if (outcome == BROKEN) {
        follower_halt(follower, fault);
    }
    return DONE;
}

static void tell_left(struct engine *engine, const struct known_sink *sink)
{
    struct engine_event event;

    event_begin(&event, "sink_left", ENGINE_WARN);
    event_word(&event, "sink", sink->name);
    event_number(&event, "epoch", sink->epoch);
    event_word(
        &event, "note",
        "not named any more: nothing is delivered to it, and the journal is not kept for it");
    events_put(&engine->events, &event);
}

static bool still_named(const struct engine *engine, const struct known_sink *sink)
{
    struct known_sinks one = {.count = 1, .sinks = {*sink}};

    for (size_t index = 1; index < engine->settings.sink_count; index++) {
        if (known_sinks_find(&one, engine->settings.sink_types[index],
                             &engine->settings.sinks[index]) != NULL) {
            return true;
        }
    }
    return false;
}

static enum outcome learn_known(struct engine *engine, struct fault *ret_fault)
{
    struct known_sinks known;
    enum outcome outcome = known_sinks_read(&engine->journal_disk.disk, &known, ret_fault);

    for (size_t index = 0; outcome == DONE && index < known.count; index++) {
        if (!still_named(engine, &known.sinks[index])) {
            tell_left(engine, &known.sinks[index]);
        }
    }
    for (size_t index = 0; outcome == DONE && index < engine->follower_count; index++) {
        struct follower *follower = engine->followers[index];
        const struct known_sink *found =
            known_sinks_find(&known, type_of(follower), settings_of(follower));
        follower->known = found != NULL;
        follower->known_upto = found == NULL ? 0 : found->epoch;
    }
    return outcome;
}

enum outcome followers_open(struct engine *engine, const char **ret_holder, struct fault *ret_fault)
{
    enum outcome outcome = learn_known(engine, ret_fault);

    *ret_holder = NULL;
    for (size_t index = 0; outcome == DONE && index < engine->follower_count; index++) {
        struct follower *follower = engine->followers[index];
        struct sink_head head = {.exists = false};
        outcome = weigh(follower, open_patiently(follower, &head, ret_fault), ret_fault);
        if (outcome == DONE && head.exists && head.epoch > 0) {
            *ret_holder = settings_of(follower)->name;
        }
    }
    return outcome;
}

static enum outcome reserve_courier(struct follower *follower, struct fault *ret_fault)
{
    static const struct sink_head nowhere;
    struct engine *engine = follower->engine;

    if (follower->memory != NULL) {
        return DONE;
    }
    follower->memory_size = pipeline_courier_memory_size(&engine->pipeline);
    enum outcome outcome = memory_reserve(follower->memory_size, &follower->memory, ret_fault);
    if (outcome == DONE) {
        refill_init(&follower->refill, &engine->pipeline, follower->view);
        courier_init(&follower->courier, &engine->pipeline, follower->sink,
                     engine->settings.deliver_rows_max[follower->index], follower->memory,
                     &nowhere);
    }
    return outcome;
}

enum outcome follower_acquire(struct follower *follower, struct fault *ret_fault)
{
    struct sink_head head;
    enum outcome outcome = open_and_look(follower, &head, ret_fault);

    if (outcome == DONE) {
        outcome = courier_look(&follower->courier, &follower->refill, &head, ret_fault);
    }
    if (outcome == DONE) {
        outcome =
            courier_follow(&follower->courier, &follower->refill, place_of(follower), ret_fault);
    }
    if (outcome == DONE) {
        atomic_store(&follower->standing, true);
        atomic_store(&follower->delivered, follower->courier.delivered);
    }
    return outcome;
}

static enum outcome acquire_patiently(struct follower *follower, struct fault *ret_fault)
{
    struct engine *engine = follower->engine;
    int64_t since_ns = clock_steady_ns(engine->clock);
    enum outcome outcome = follower_acquire(follower, ret_fault);

    while (worth_waiting(follower, outcome, ret_fault, since_ns)) {
        engine_sleep(engine, ASK_AGAIN_NS);
        outcome = follower_acquire(follower, ret_fault);
    }
    return outcome;
}

static enum outcome stand(struct follower *follower, struct fault *ret_fault)
{
    enum outcome outcome = reserve_courier(follower, ret_fault);

    if (outcome != DONE) {
        return BROKEN;
    }
    shelf_hold(&follower->engine->pipeline.shelf, place_of(follower), follower->known_upto);
    atomic_store(&follower->delivered, follower->known_upto);
    if (follower->open && atomic_load(&follower->halted) == FAULT_NONE) {
        outcome = weigh(follower, acquire_patiently(follower, ret_fault), ret_fault);
    }
    return outcome;
}

static enum outcome note_known(struct engine *engine, struct fault *ret_fault)
{
    struct known_sinks known = {.count = 0};

    for (size_t index = 0; index < engine->follower_count; index++) {
        struct follower *follower = engine->followers[index];
        known_sinks_add(&known, type_of(follower), settings_of(follower),
                        atomic_load(&follower->delivered));
    }
    return known_sinks_write(&engine->journal_disk.disk, &known, ret_fault);
}

enum outcome followers_stand(struct engine *engine, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < engine->follower_count; index++) {
        outcome = stand(engine->followers[index], ret_fault);
    }
    if (outcome == DONE) {
        outcome = note_known(engine, ret_fault);
        engine->followers_met = outcome == DONE;
    }
    return outcome;
}

/* Is there no use in waiting for it? */
static bool stands_still(struct follower *follower)
{
    uint64_t delivered = atomic_load(&follower->delivered);
    int64_t now_ns = clock_steady_ns(follower->engine->clock);

    if (follower->awaited_ns == 0 || follower->awaited_upto != delivered) {
        follower->awaited_upto = delivered;
        follower->awaited_ns = now_ns;
    }
    return atomic_load(&follower->down) || now_ns - follower->awaited_ns >= STILL_NS;
}

bool follower_alone(const struct follower *follower)
{
    return follower->engine->settings.sinks[0].cursors_only;
}

bool followers_taken(const struct engine *engine)
{
    bool taken = true;

    for (size_t index = 0; taken && index < engine->follower_count; index++) {
        const struct follower *follower = engine->followers[index];
        taken = !follower_alone(follower) || atomic_load(&follower->standing);
    }
    return taken;
}

bool followers_done(struct engine *engine)
{
    uint64_t sealed = shelf_sealed_upto(&engine->pipeline.shelf);
    bool limited = engine_time_is_limited(engine);

    for (size_t index = 0; index < engine->follower_count; index++) {
        struct follower *follower = engine->followers[index];
        if (atomic_load(&follower->halted) == FAULT_NONE &&
            atomic_load(&follower->delivered) < sealed && !(limited && stands_still(follower))) {
            return false;
        }
    }
    return true;
}

uint64_t followers_backlog(const struct engine *engine)
{
    uint64_t most = 0;

    for (size_t index = 0; index < engine->follower_count; index++) {
        uint64_t backlog = atomic_load(&engine->followers[index]->backlog);
        most = backlog > most ? backlog : most;
    }
    return engine->settings.sinks[0].cursors_only ? most : 0;
}

static void tell_let_go(struct follower *follower, uint64_t backlog)
{
    struct engine_event event;

    event_begin(&event, "sink_backlog", ENGINE_WARN);
    event_word(&event, "sink", settings_of(follower)->name);
    event_number(&event, "backlog_bytes", backlog);
    event_word(&event, "note",
               "over its max_backlog: the journal is not kept for it any more; what it lacks comes "
               "from the ledger's rows");
    events_put(&follower->engine->events, &event);
}

void follower_hold(struct follower *follower)
{
    struct engine *engine = follower->engine;
    struct shelf *shelf = &engine->pipeline.shelf;
    uint64_t most = engine->settings.follower_backlog_max[follower->index];
    uint64_t delivered = atomic_load(&follower->delivered);
    uint64_t backlog = engine_journal_bytes(engine, delivered, shelf_confirmed_upto(shelf));
    bool let_go = most > 0 && backlog > most && !engine->settings.sinks[0].cursors_only;

    if (let_go && !follower->let_go) {
        tell_let_go(follower, backlog);
    }
    follower->let_go = let_go;
    atomic_store(&follower->backlog, backlog);
    shelf_hold(shelf, place_of(follower), let_go ? SHELF_NOTHING_HELD : delivered);
}

static void close_one(struct follower *follower)
{
    if (follower->memory != NULL) {
        courier_close(&follower->courier);
        refill_close(&follower->refill);
        memory_release(follower->memory, follower->memory_size);
        follower->memory = NULL;
    }
    if (follower->open) {
        sink_close(follower->sink);
        follower->open = false;
    }
}

void followers_close(struct engine *engine)
{
    struct fault ignored; /* What is noted there is a bound, and still is. */

    for (size_t index = 0; index < engine->follower_count; index++) {
        close_one(engine->followers[index]);
    }
    if (engine->followers_met) {
        enum outcome outcome = note_known(engine, &ignored);
        (void)outcome;
    }
}
