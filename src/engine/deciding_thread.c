/* The one thread that decides: it owns the state and the open epoch. */
#include "engine/engine_parts.h"

#include "base/instant.h"

/* A start that has read nothing for so long was not killed by what it read. */
#define SURVIVED_NS INT64_C(1000000000)

enum {
    LOOK_EVERY = 64, /* Messages between two looks at the clock. */
    AHEAD = 8,       /* Messages whose memory is drawn near. */
    DRAWN_MAX = 512, /* Bytes of one. */
    LINE_SIZE = 64,
};

struct deciding {
    struct engine *engine;
    int64_t opened_ns; /* When the open epoch was begun. */
    uint32_t unlooked; /* Messages since the last look. */
    bool taken;        /* A message, since the start. */
    bool backlog_told;
    bool end_told; /* That all was read. */
};

/* What housekeeping is to do, and what may be shown. */
static void publish_use(struct engine *engine)
{
    struct state_use use;

    state_use(&engine->pipeline.state, &use);
    atomic_store(&engine->state_entries, use.entries);
    atomic_store(&engine->state_bytes, use.bytes);
    atomic_store(&engine->state_limit, use.limit_bytes);
    (void)pthread_mutex_lock(&engine->mutex);
    if (use.ahead.at != engine->ahead.at || use.ahead.size != engine->ahead.size) {
        engine->ahead = use.ahead;
        (void)pthread_cond_broadcast(&engine->changed);
    }
    (void)pthread_mutex_unlock(&engine->mutex);
}

static void close_epoch(struct engine *engine)
{
    struct pipeline *pipeline = &engine->pipeline;

    if (pipeline->open == NULL) {
        return;
    }
    for (size_t index = 0; index < engine->source_count; index++) {
        uint16_t number = engine->numbers[index];
        if (pipeline->state.watermark.sources[number].touched) {
            (void)intake_fingerprint(engine->intake, number, &pipeline->fingerprints[number]);
        }
    }
    engine_learn(engine);
    pipeline_finish(pipeline);
    publish_use(engine);
}

/* More than max_backlog undelivered: reading waits, and says so once. */
static bool backlogged(struct deciding *deciding)
{
    struct engine *engine = deciding->engine;
    uint64_t backlog = engine_backlog(engine);
    bool over = engine->settings.max_backlog > 0 && backlog > engine->settings.max_backlog;
    struct engine_event event;

    if (over && !deciding->backlog_told) {
        event_begin(&event, "sink_backlog", ENGINE_WARN);
        event_word(&event, "sink", engine->settings.sinks[0].name);
        event_number(&event, "backlog_bytes", backlog);
        event_word(&event, "note", "reading waits until the sink has caught up");
        events_put(&engine->events, &event);
    }
    deciding->backlog_told = over;
    return over;
}

/* False: there is no epoch to add to, for now. */
static bool have_epoch(struct deciding *deciding)
{
    struct engine *engine = deciding->engine;
    struct fault fault;

    if (engine->pipeline.open != NULL) {
        return true;
    }
    if (backlogged(deciding)) {
        engine_sleep(engine, LOOK_NS);
        return false;
    }
    if (pipeline_begin(&engine->pipeline, LOOK_NS, &fault) != DONE) {
        return false;
    }
    deciding->opened_ns = clock_steady_ns(engine->clock);
    deciding->unlooked = 0;
    return true;
}

/* Time to close it. Without room for the next it goes on growing instead: that is cheaper. */
static bool epoch_old(const struct deciding *deciding)
{
    struct engine *engine = deciding->engine;

    return clock_steady_ns(engine->clock) - deciding->opened_ns >=
               engine->settings.epoch_interval_ms * 1000000 &&
           shelf_has_room(&engine->pipeline.shelf);
}

/* Reading is over because a person must decide; what was taken before is finished. */
static void halt(struct engine *engine, const struct fault *fault)
{
    enum fault_class class = fault_code_class(fault->code);

    close_epoch(engine);
    engine_finish(engine, class == FAULT_CLASS_HALT ? ENGINE_HALTED : ENGINE_FAILED, fault);
}

/* Memory that another thread has written: line by line, ahead of being read. */
static void draw_lines(const void *at, size_t size)
{
    const char *line = at;

    for (size_t place = 0; place < size; place += LINE_SIZE) {
        __builtin_prefetch(line + place);
    }
}

/*
 * What the messages behind this one will touch is on its way while this one is decided: first
 * what the parser made of it, then its bytes and where to look for its id, then its entries.
 */
static void draw_near(struct engine *engine)
{
    const struct message *message = intake_ahead(engine->intake, 2 * AHEAD);

    if (message != NULL) {
        draw_lines(message, sizeof(*message));
    }
    message = intake_ahead(engine->intake, AHEAD);
    if (message != NULL && message->selected && message->refusal.reason == REFUSAL_NONE) {
        draw_lines(message->raw.at, message->raw.size < DRAWN_MAX ? message->raw.size : DRAWN_MAX);
        state_prefetch(&engine->pipeline.state, message);
    }
    message = intake_ahead(engine->intake, AHEAD / 2);
    if (message != NULL) {
        state_prefetch_more(&engine->pipeline.state, message);
    }
}

/* Something was added: the epoch closes when it is full, or old enough. */
static void close_if_due(struct deciding *deciding)
{
    struct engine *engine = deciding->engine;

    deciding->unlooked++;
    if (pipeline_full(&engine->pipeline) ||
        (deciding->unlooked >= LOOK_EVERY && epoch_old(deciding))) {
        close_epoch(engine);
    } else if (deciding->unlooked >= LOOK_EVERY) {
        deciding->unlooked = 0;
    }
}

static bool take_message(struct deciding *deciding, const struct intake_item *item)
{
    struct engine *engine = deciding->engine;
    struct fault fault;

    draw_near(engine);
    deciding->taken = true;
    if (pipeline_take(&engine->pipeline, item->message, &fault) != DONE) {
        intake_untake(engine->intake); /* So that the next start begins with it, not behind it. */
        halt(engine, &fault);
        return false;
    }
    atomic_fetch_add_explicit(&engine->input_bytes, item->message->size + 1, memory_order_relaxed);
    close_if_due(deciding);
    return true;
}

/* Where the source stands from here on: NOTE_ENDED, NOTE_IDLE, NOTE_ACTIVE. */
static bool take_standing(struct deciding *deciding, uint16_t source, enum decision_kind kind)
{
    struct engine *engine = deciding->engine;
    struct decision note = {.kind = (uint8_t)kind,
                            .source = source,
                            .offset = engine->pipeline.state.watermark.sources[source].next,
                            .event_ms = INSTANT_NONE,
                            .arrival_ms = clock_wall_ms(engine->clock)};
    struct fault fault;

    if (pipeline_note(&engine->pipeline, &note, &fault) != DONE) {
        halt(engine, &fault);
        return false;
    }
    close_if_due(deciding);
    return true;
}

/* Up to this offset there are no messages. */
static bool take_skipped(struct deciding *deciding, const struct intake_item *item)
{
    struct engine *engine = deciding->engine;
    struct fault fault;

    if (pipeline_skip(&engine->pipeline, item->source, item->offset, &fault) != DONE) {
        halt(engine, &fault);
        return false;
    }
    close_if_due(deciding);
    return true;
}

/* Nothing has arrived: a message that waits is sealed as soon as the last seal is done. */
static bool take_nothing(struct deciding *deciding)
{
    struct engine *engine = deciding->engine;
    bool waits = engine->pipeline.open->decisions.size > 0;

    if (waits && (shelf_sealer_idle(&engine->pipeline.shelf) || epoch_old(deciding))) {
        close_epoch(engine);
        return true;
    }
    if (engine->feed != NULL && !deciding->taken &&
        clock_steady_ns(engine->clock) - engine->started_ns > SURVIVED_NS) {
        deciding->taken = true;
        return engine_survived(engine);
    }
    intake_wait(engine->intake, waits ? engine->settings.epoch_interval_ms * 1000000 : LOOK_NS);
    return true;
}

/* All was read. Without until_caught_up there is nothing to do but to wait for the stop. */
static bool take_all_read(struct deciding *deciding)
{
    struct engine *engine = deciding->engine;
    struct engine_event event;

    close_epoch(engine);
    if (!deciding->taken && !engine_survived(engine)) {
        return false;
    }
    if (engine->settings.until_caught_up) {
        engine_finish(engine, ENGINE_CAUGHT_UP, NULL);
        return false;
    }
    if (!deciding->end_told) {
        deciding->end_told = true;
        event_begin(&event, "all_read", ENGINE_INFO);
        event_word(&event, "note",
                   "all input was read; what is appended is read at the next start. With "
                   "--until-caught-up payonce ends here");
        events_put(&engine->events, &event);
    }
    engine_sleep(engine, LOOK_NS);
    return true;
}

/* False: reading is over. */
static bool open_anew(struct engine *engine, const struct fault *stale)
{
    struct fault fault;

    close_epoch(engine);
    if (engine_open_anew(engine, stale, &fault) == BROKEN) {
        halt(engine, &fault);
        return false;
    }
    return true;
}

static bool open_grown(struct engine *engine)
{
    struct fault grown;

    (void)fault_is(&grown, LATER, FAULT_SOURCE_STALE,
                   "there are further partitions, or another topic");
    return open_anew(engine, &grown);
}

/* A right may be given back; whoever waits for the end is told at once that it is missing. */
static bool is_mended_anew(const struct engine *engine, const struct fault *fault)
{
    return fault->code == FAULT_SOURCE_STALE ||
           (engine->feed != NULL && fault->code == FAULT_SOURCE_PERMISSION &&
            !engine->settings.until_caught_up);
}

/* What a new client mends, or an operator has answered; else reading is over. */
static bool take_broken(struct engine *engine, uint16_t source, struct fault *fault)
{
    struct fault answered;

    if (is_mended_anew(engine, fault)) {
        return open_anew(engine, fault);
    }
    if (engine->feed != NULL && engine_answer(engine, source, fault) == DONE) {
        (void)fault_is(&answered, LATER, FAULT_SOURCE_STALE, "an operator has decided on: %.400s",
                       fault->text);
        return open_anew(engine, &answered);
    }
    halt(engine, fault);
    return false;
}

/* What the live sources see, told on. True: there are further partitions. */
static bool watch_feed(struct engine *engine)
{
    atomic_store_explicit(&engine->source_lag, intake_lag(engine->intake), memory_order_relaxed);
    engine_tell_reach(engine, intake_unreachable(engine->intake), NULL);
    return atomic_exchange_explicit(&engine->feed_grown, false, memory_order_relaxed);
}

/* One look at the intake. False: reading is over. */
static bool step(struct deciding *deciding)
{
    struct engine *engine = deciding->engine;
    struct intake_item item;
    struct fault fault;

    if (!have_epoch(deciding)) {
        return true;
    }
    engine_tend_answers(engine);
    if (engine->feed != NULL && watch_feed(engine)) {
        return open_grown(engine);
    }
    intake_next(engine->intake, &engine->pipeline.state, &item, &fault);
    switch (item.kind) {
    case INTAKE_MESSAGE:
        return take_message(deciding, &item);
    case INTAKE_ENDED:
        return take_standing(deciding, item.source, NOTE_ENDED);
    case INTAKE_IDLE:
        return take_standing(deciding, item.source, NOTE_IDLE);
    case INTAKE_ACTIVE:
        return take_standing(deciding, item.source, NOTE_ACTIVE);
    case INTAKE_SKIPPED:
        return take_skipped(deciding, &item);
    case INTAKE_NOTHING:
        return take_nothing(deciding);
    case INTAKE_FINISHED:
        return take_all_read(deciding);
    case INTAKE_BROKEN:
        return take_broken(engine, item.source, &fault);
    }
    must_failed("an item is of one of its kinds", __FILE__, __LINE__);
}

/* Nothing is decided before it is known who is the owner. False: it never was. */
static bool await_taken(struct engine *engine)
{
    while (!followers_taken(engine)) {
        if (atomic_load(&engine->stop_asked)) {
            engine_finish(engine, ENGINE_STOPPED, NULL); /* The open epoch never happened. */
            return false;
        }
        if (atomic_load(&engine->home)) {
            return false;
        }
        engine_sleep(engine, LOOK_NS);
    }
    return true;
}

void *deciding_run(void *argument)
{
    struct engine *engine = argument;
    struct deciding deciding = {.engine = engine, .opened_ns = clock_steady_ns(engine->clock)};
    bool going = await_taken(engine);

    while (going && !atomic_load_explicit(&engine->home, memory_order_relaxed)) {
        if (atomic_load_explicit(&engine->stop_asked, memory_order_relaxed)) {
            close_epoch(engine);
            engine_finish(engine, ENGINE_STOPPED, NULL);
            break;
        }
        going = step(&deciding);
    }
    atomic_store(&engine->decided_all, true);
    shelf_wake(&engine->pipeline.shelf);
    return NULL;
}
