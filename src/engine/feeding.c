/* Live sources: opened, opened anew, and the broker told how far the ledger has come. */
#include "engine/engine_parts.h"

#include <stdio.h>
#include <string.h>

_Static_assert((int)FEED_PARTITIONS_MAX <= (int)INTAKE_SOURCES_MAX, "a lane for each partition");

/* How often the broker is told. */
#define COMMIT_EVERY_NS INT64_C(3000000000)

/* Of what the client says, so much is told on in so long. */
#define TOLD_EVERY_NS INT64_C(60000000000)
enum { LINES_TOLD_MAX = 5 };

static bool topic_known(const struct state *state, const char *topic)
{
    for (size_t number = 0; number < state->source_count; number++) {
        if (strcmp(state->origins[number].topic, topic) == 0) {
            return true;
        }
    }
    return false;
}

/* As what it is read, and where it begins if the history has not met it: as the settings say, or
 * its topic. */
static enum outcome find_start(struct engine *engine, size_t index, struct fault *ret_fault)
{
    const struct state *state = &engine->pipeline.state;
    struct origin *origin = &engine->origins[index];

    engine->starts[index] = 0;
    origin->incarnation = engine_incarnation(engine, origin->topic);
    if (state_source_find(state, origin) >= 0) {
        return DONE;
    }
    bool at_oldest = !topic_known(state, origin->topic) || engine_adopting(engine, origin->topic);
    return engine->first_run || at_oldest ? feed_start(engine->feed, origin, engine->first_run,
                                                       &engine->starts[index], ret_fault)
                                          : DONE;
}

static enum outcome room_for_all(const struct engine *engine, size_t count, struct fault *ret_fault)
{
    const struct state *state = &engine->pipeline.state;
    size_t unknown = 0;

    for (size_t index = 0; index < count; index++) {
        unknown += state_source_find(state, &engine->origins[index]) < 0 ? 1 : 0;
    }
    return state->source_count + unknown > SOURCES_MAX
               ? fault_is(ret_fault, BROKEN, FAULT_SOURCE_LIMIT,
                          "more than %d sources, with every incarnation of each", SOURCES_MAX)
               : DONE;
}

/* All at once, so that none of them joins before it is known of each that it can, and where. */
static enum outcome join_all(struct engine *engine, size_t count, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < count; index++) {
        outcome = find_start(engine, index, ret_fault);
    }
    if (outcome == DONE) {
        outcome = room_for_all(engine, count, ret_fault);
    }
    for (size_t index = 0; outcome == DONE && index < count; index++) {
        outcome = pipeline_join(&engine->pipeline, &engine->origins[index], engine->starts[index],
                                &engine->numbers[index], ret_fault);
    }
    return outcome == DONE ? engine_note_adoptions(engine, ret_fault) : outcome;
}

static enum outcome open_partition(struct engine *engine, size_t index, struct fault *ret_fault)
{
    const struct pipeline *pipeline = &engine->pipeline;
    uint16_t number = engine->numbers[index];
    const struct watermark_source *mark = &pipeline->state.watermark.sources[number];
    struct source *source = engine->sources[index];
    enum outcome outcome =
        feed_attach(engine->feed, source, &engine->origins[index], mark->start, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    engine->source_count++;
    outcome = engine_meet(engine, index, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    return source_assign(source, mark->next, &pipeline->fingerprints[number], ret_fault);
}

static void close_all(struct engine *engine)
{
    for (size_t index = 0; index < engine->source_count; index++) {
        source_close(engine->sources[index]);
    }
    engine->source_count = 0;
    if (engine->feed_open) {
        feed_close(engine->feed);
        engine->feed_open = false;
    }
}

static enum outcome open_all(struct engine *engine, struct fault *ret_fault)
{
    const struct engine_settings *settings = &engine->settings;
    size_t count = 0;
    enum outcome outcome =
        feed_open(engine->feed, settings->feed_type, settings->feed_settings, ret_fault);

    engine->feed_open = outcome == DONE;
    if (outcome == DONE) {
        outcome = feed_list(engine->feed, engine->origins, &count, ret_fault);
    }
    if (outcome == DONE) {
        outcome = join_all(engine, count, ret_fault);
    }
    for (size_t index = 0; outcome == DONE && index < count; index++) {
        outcome = open_partition(engine, index, ret_fault);
    }
    return outcome == DONE ? feed_begin(engine->feed, ret_fault) : outcome;
}

static void tell_assigned(struct engine *engine)
{
    for (size_t index = 0, first = 0; index < engine->source_count; index++) {
        const char *topic = engine->sources[index]->origin.topic;
        bool last = index + 1 == engine->source_count ||
                    strcmp(engine->sources[index + 1]->origin.topic, topic) != 0;
        struct engine_event event;
        if (last) {
            event_begin(&event, "partitions_assigned", ENGINE_INFO);
            event_word(&event, "topic", topic);
            event_number(&event, "partitions", index + 1 - first);
            event_word(&event, "resume_from", engine->first_run ? "start" : "cursor");
            events_put(&engine->events, &event);
            first = index + 1;
        }
    }
}

/* REFUSED: an operator has answered what stood in the way. */
static enum outcome open_once(struct engine *engine, struct fault *ret_fault)
{
    (void)pthread_mutex_lock(&engine->feed_mutex);
    enum outcome outcome = open_all(engine, ret_fault);
    engine->feed_looked_ns = clock_steady_ns(engine->clock);
    if (outcome == BROKEN && engine->source_count > 0 &&
        engine_answer(engine, engine->numbers[engine->source_count - 1], ret_fault) == DONE) {
        outcome = REFUSED;
    }
    if (outcome != DONE) {
        close_all(engine);
    }
    (void)pthread_mutex_unlock(&engine->feed_mutex);
    return outcome;
}

enum outcome engine_open_feed(struct engine *engine, struct fault *ret_fault)
{
    enum outcome outcome;

    do { /* No more often than there are answers: each answers once. */
        outcome = open_once(engine, ret_fault);
    } while (outcome == REFUSED);
    if (outcome == DONE) {
        tell_assigned(engine);
        engine->first_run = false;
    }
    return outcome;
}

/* Files, too: their feed is none. */
void engine_close_feed(struct engine *engine)
{
    (void)pthread_mutex_lock(&engine->feed_mutex);
    close_all(engine);
    (void)pthread_mutex_unlock(&engine->feed_mutex);
}

/* What is sealed by now, to be committed once the ledger has it, too. The mutex is held. */
static void note_positions(struct engine *engine)
{
    struct pipeline *pipeline = &engine->pipeline;
    const struct standing *standing = &pipeline->standing;
    struct feed_progress *progress = &engine->progress;

    (void)pthread_mutex_lock(&pipeline->standing_mutex);
    progress->count = 0;
    progress->epoch = standing->epoch;
    for (size_t index = 0; index < engine->source_count; index++) {
        uint16_t number = engine->numbers[index];
        if (number < standing->source_count) {
            progress->positions[progress->count++] = (struct feed_position){
                .origin = &standing->origins[number],
                .next = standing->ranges[number].next,
            };
        }
    }
    (void)pthread_mutex_unlock(&pipeline->standing_mutex);
}

static void commit(struct engine *engine)
{
    struct feed_progress *progress = &engine->progress;

    int64_t now_ns = clock_steady_ns(engine->clock);

    if (progress->epoch == progress->committed && now_ns - progress->noted_ns >= COMMIT_EVERY_NS) {
        progress->noted_ns = now_ns;
        note_positions(engine);
    }
    if (progress->epoch != progress->committed &&
        shelf_confirmed_upto(&engine->pipeline.shelf) >= progress->epoch) {
        feed_commit(engine->feed, progress->positions, progress->count);
        progress->committed = progress->epoch;
    }
}

bool engine_may_tell(struct feed_told *told, int64_t now_ns)
{
    if (now_ns - told->since_ns >= TOLD_EVERY_NS) {
        *told = (struct feed_told){.since_ns = now_ns};
    }
    return told->count++ < LINES_TOLD_MAX;
}

/* What is worth no warning is worth no line. */
static void tell_lines(struct engine *engine)
{
    struct feed_line line;

    while (feed_line(engine->feed, &line)) {
        struct engine_event event;
        if (line.warning && engine_may_tell(&engine->told, clock_steady_ns(engine->clock))) {
            event_begin(&event, "source_client", ENGINE_WARN);
            event_word(&event, "says", line.text);
            events_put(&engine->events, &event);
        }
    }
}

static void look_for_more(struct engine *engine)
{
    int64_t now_ns = clock_steady_ns(engine->clock);

    if (now_ns - engine->feed_looked_ns >= engine->settings.feed_look_ms * 1000000) {
        engine->feed_looked_ns = now_ns;
        if (feed_grown(engine->feed)) {
            atomic_store(&engine->feed_grown, true);
        }
    }
}

void engine_tend_feed(struct engine *engine)
{
    if (pthread_mutex_trylock(&engine->feed_mutex) != 0) {
        return; /* It is being opened anew. */
    }
    if (engine->feed_open) {
        commit(engine);
        tell_lines(engine);
        look_for_more(engine);
    }
    (void)pthread_mutex_unlock(&engine->feed_mutex);
}
