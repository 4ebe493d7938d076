/* From settings to an engine whose threads may run: lock, disks, ledger, recovery, sources. */
#include "base/plural.h"
#include "engine/engine_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* How long a start asks a ledger or broker that does not answer, and how often. */
#define PATIENCE_NS INT64_C(10000000000)
#define ASK_AGAIN_NS INT64_C(250000000)

enum { PLACES_TOLD_MAX = 3 };

static enum outcome make_directory(const char *path, struct fault *ret_fault)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return fault_is(ret_fault, BROKEN, FAULT_DATA_DIR, "%s: %s", path, strerror(errno));
    }
    return DONE;
}

static enum outcome enough_room(struct engine *engine, struct fault *ret_fault)
{
    uint64_t bytes;
    enum outcome outcome = disk_free_bytes(&engine->journal_disk.disk, &bytes, ret_fault);

    if (outcome == DONE && bytes < JOURNAL_FREE_MIN) {
        return fault_is(ret_fault, BROKEN, FAULT_DISK_SPACE, "%s has %llu byte%s free",
                        engine->settings.data_dir, (unsigned long long)bytes, plural(bytes));
    }
    return outcome;
}

static enum outcome open_decisions(struct engine *engine, struct fault *ret_fault)
{
    char path[ENGINE_PATH_MAX + 16];

    (void)snprintf(path, sizeof(path), "%s/decisions", engine->settings.data_dir);
    enum outcome outcome = make_directory(path, ret_fault);
    return outcome == DONE ? disk_posix_open(&engine->answers.disk, path, ret_fault) : outcome;
}

/* The volume is ours from here on. */
static enum outcome open_data_dir(struct engine *engine, struct fault *ret_fault)
{
    const char *data_dir = engine->settings.data_dir;
    char path[ENGINE_PATH_MAX + 16];
    enum outcome outcome = make_directory(data_dir, ret_fault);

    if (outcome == DONE) {
        (void)snprintf(path, sizeof(path), "%s/lock", data_dir);
        outcome = lock_take(&engine->lock, path, ret_fault);
        engine->lock_taken = outcome == DONE;
    }
    if (outcome == DONE) {
        outcome = open_decisions(engine, ret_fault);
    }
    (void)snprintf(path, sizeof(path), "%s/journal", data_dir);
    if (outcome == DONE) {
        outcome = make_directory(path, ret_fault);
    }
    if (outcome == DONE) {
        outcome = disk_posix_open(&engine->data_disk, data_dir, ret_fault);
    }
    if (outcome == DONE) {
        outcome = disk_posix_open(&engine->journal_disk, path, ret_fault);
    }
    if (outcome == DONE) {
        outcome = enough_room(engine, ret_fault);
    }
    return outcome == DONE ? deaths_open(&engine->deaths, &engine->data_disk.disk, ret_fault)
                           : outcome;
}

static void close_recovering(struct engine *engine)
{
    if (engine->pipeline_open) {
        pipeline_close(&engine->pipeline);
        engine->pipeline_open = false;
    }
    if (engine->reader_open) {
        sink_close(engine->reader);
        engine->reader_open = false;
    }
    if (engine->ledger_open) {
        sink_close(engine->ledger);
        engine->ledger_open = false;
    }
}

/* The ledger first: it makes its tables; then a second view of it, for looking only. */
static enum outcome open_ledger(struct engine *engine, struct fault *ret_fault)
{
    const struct sink_type *type = engine->settings.sink_types[0];
    struct sink_settings looking = engine->settings.sinks[0];
    enum outcome outcome = sink_open(engine->ledger, type, &engine->settings.sinks[0], ret_fault);

    engine->ledger_open = outcome == DONE;
    looking.read_only = true;
    if (outcome == DONE) {
        outcome = sink_open(engine->reader, type, &looking, ret_fault);
        engine->reader_open = outcome == DONE;
    }
    return outcome;
}

static enum outcome recover_once(struct engine *engine, struct fault *ret_fault)
{
    enum outcome outcome = open_ledger(engine, ret_fault);

    if (outcome == DONE) {
        outcome = pipeline_open(&engine->pipeline, &engine->settings, &engine->journal_disk.disk,
                                engine->clock, engine->ledger, engine->reader, ret_fault);
        engine->pipeline_open = outcome == DONE;
        engine->pipeline.beside = true;
        engine->pipeline.holder = engine->holder;
    }
    return outcome == DONE ? pipeline_recover(&engine->pipeline, ret_fault) : outcome;
}

bool engine_leaving(const struct engine *engine)
{
    return engine->settings.stop_asked != NULL && engine->settings.stop_asked();
}

/* A ledger that is busy is asked again, from the beginning, for a while. */
static enum outcome recover(struct engine *engine, struct fault *ret_fault)
{
    int64_t until_ns = clock_steady_ns(engine->clock) + PATIENCE_NS;
    enum outcome outcome = recover_once(engine, ret_fault);

    while (outcome == LATER && ret_fault->code != FAULT_DISK_SPACE && !engine_leaving(engine) &&
           clock_steady_ns(engine->clock) < until_ns) {
        close_recovering(engine);
        engine_sleep(engine, ASK_AGAIN_NS);
        outcome = recover_once(engine, ret_fault);
    }
    return outcome == DONE ? DONE : BROKEN;
}

static void tell_recovered(struct engine *engine, int64_t took_ns)
{
    const struct pipeline *pipeline = &engine->pipeline;
    struct engine_event event;

    event_begin(&event, pipeline->recovered_seed ? "journal_rebuilt" : "journal_recovered",
                ENGINE_INFO);
    event_number(&event, "epochs", pipeline->recovered_epochs);
    event_number(&event, "ids", pipeline->recovered_ids);
    event_number(&event, "epoch", pipeline->next_epoch - 1);
    event_number(&event, "ledger_epoch", pipeline->head.epoch);
    event_number(&event, "truncated_bytes", pipeline->recovered_torn_bytes);
    if (pipeline->recovered_torn_bytes > 0) {
        event_word(&event, "reason", "unfinished last record, as after a crash");
    }
    if (pipeline->recovered_seed) {
        event_word(&event, "reason", "the journal did not fit the ledger: rebuilt from its rows");
    }
    event_seconds(&event, "took", took_ns / 1000000);
    events_put(&engine->events, &event);
}

enum outcome engine_open(struct engine *engine, struct fault *ret_fault)
{
    int64_t before_ns = clock_steady_ns(engine->clock);
    enum outcome outcome = open_data_dir(engine, ret_fault);

    if (outcome == DONE) {
        outcome = followers_open(engine, &engine->holder, ret_fault);
    }
    if (outcome == DONE) {
        outcome = recover(engine, ret_fault);
    }
    if (outcome != DONE) {
        return BROKEN;
    }
    tell_recovered(engine, clock_steady_ns(engine->clock) - before_ns);
    courier_init(&engine->courier, &engine->pipeline, engine->ledger,
                 engine->settings.deliver_rows_max[0], engine->pipeline.courier_memory,
                 &engine->pipeline.head);
    engine_reckon_backlog(engine, engine->pipeline.head.epoch, engine->pipeline.next_epoch - 1);
    return followers_stand(engine, ret_fault) == DONE ? DONE : BROKEN;
}

/* A broker out of reach may come; and one that starts does not know all of its topics at once. */
static bool may_come(const struct engine *engine, enum outcome outcome, const struct fault *fault)
{
    bool missed = outcome == BROKEN && fault->code == FAULT_SOURCE_MISSING && !engine->first_run;

    return (outcome == LATER || missed) && !engine_leaving(engine);
}

/* It is asked again for a while. */
static enum outcome await_feed(struct engine *engine, struct fault *ret_fault)
{
    int64_t until_ns = clock_steady_ns(engine->clock) + PATIENCE_NS;

    engine->first_run =
        engine->pipeline.next_epoch == 1 && engine->pipeline.state.source_count == 0;
    enum outcome outcome = engine_open_feed(engine, ret_fault);
    while (may_come(engine, outcome, ret_fault) && clock_steady_ns(engine->clock) < until_ns) {
        engine_sleep(engine, ASK_AGAIN_NS);
        outcome = engine_open_feed(engine, ret_fault);
    }
    return outcome;
}

/* From where this start reads, for people who look for what killed it. */
static void write_places(const struct engine *engine, char ret_places[DEATHS_PLACES_SIZE])
{
    const struct watermark_source *sources = engine->pipeline.state.watermark.sources;
    size_t used = 0;

    ret_places[0] = '\0';
    for (size_t index = 0; index < engine->source_count && index < PLACES_TOLD_MAX; index++) {
        int size = snprintf(ret_places + used, DEATHS_PLACES_SIZE - used, "%s%.80s from %llu on",
                            index > 0 ? ", " : "", engine->sources[index]->origin.topic,
                            (unsigned long long)sources[engine->numbers[index]].next);
        used += (size_t)size < DEATHS_PLACES_SIZE - used ? (size_t)size : 0;
    }
    if (engine->source_count > PLACES_TOLD_MAX) {
        (void)snprintf(ret_places + used, DEATHS_PLACES_SIZE - used, " and %zu more",
                       engine->source_count - PLACES_TOLD_MAX);
    }
}

/* Which sources stand at their end, before a start makes them active again. */
static void note_ended(const struct engine *engine, bool ret_ended[SOURCES_MAX])
{
    const struct watermark *mark = &engine->pipeline.state.watermark;

    for (size_t number = 0; number < SOURCES_MAX; number++) {
        ret_ended[number] =
            number < mark->source_count && mark->sources[number].standing == SOURCE_ENDED;
    }
}

/* The watermark cannot pass what may still be in it. */
static void tell_left(struct engine *engine, size_t number)
{
    const struct state *state = &engine->pipeline.state;
    const char *topic = state->origins[number].topic;
    struct engine_event event;

    event_begin(&event, "source_left", ENGINE_WARN);
    event_text(&event, "topic", (struct span){topic, strlen(topic)});
    event_number(&event, "offset", state->watermark.sources[number].next);
    event_word(&event, "reason",
               "not read to its end and not named any more: it holds back the watermark, and with "
               "it what is remembered and the closing of windows");
    events_put(&engine->events, &event);
}

/*
 * A file that was read to its end and is not named any more has left: nobody will say so, and it
 * would hold the watermark for ever. One that was not read to its end holds it.
 */
static enum outcome end_the_left(struct engine *engine, const bool ended[SOURCES_MAX],
                                 struct fault *ret_fault)
{
    struct pipeline *pipeline = &engine->pipeline;
    const struct state *state = &pipeline->state;
    bool named[SOURCES_MAX] = {false};
    enum outcome outcome = DONE;

    for (size_t index = 0; index < engine->source_count; index++) {
        named[engine->numbers[index]] = true;
    }
    for (size_t number = 0; outcome == DONE && number < state->source_count; number++) {
        if (named[number] || state->watermark.sources[number].standing == SOURCE_ENDED) {
            continue; /* An adoption has ended it just now. */
        }
        struct decision note = {.kind = NOTE_ENDED,
                                .source = (uint16_t)number,
                                .event_ms = INSTANT_NONE,
                                .arrival_ms = pipeline->open->decided_ms};
        if (ended[number]) {
            note.offset = state->watermark.sources[number].next;
            outcome = pipeline_note(pipeline, &note, ret_fault);
        } else {
            tell_left(engine, number);
        }
    }
    return outcome;
}

/* The first epoch begins with the start's notes; sources new to the history join in it. */
enum outcome engine_open_sources(struct engine *engine, struct fault *ret_fault)
{
    char places[DEATHS_PLACES_SIZE];
    bool ended[SOURCES_MAX];
    enum outcome outcome = pipeline_begin(&engine->pipeline, 0, ret_fault);

    note_ended(engine, ended);
    if (outcome == DONE) {
        outcome = engine_read_decisions(engine, ret_fault);
    }
    if (outcome == DONE) {
        outcome = pipeline_start_notes(&engine->pipeline, ret_fault);
    }
    if (outcome == DONE) {
        outcome = engine->feed != NULL ? await_feed(engine, ret_fault)
                                       : engine_open_lines(engine, ret_fault);
    }
    if (outcome == DONE) {
        outcome = end_the_left(engine, ended, ret_fault);
    }
    if (outcome == DONE) {
        write_places(engine, places);
        outcome = deaths_mark(&engine->deaths, places, ret_fault);
    }
    if (outcome != DONE) {
        return BROKEN;
    }
    engine_review_answers(engine, true);
    engine->settings.parse.key = engine->pipeline.journal.key;
    parser_init(&engine->parser, &engine->settings.parse);
    return engine_start_intake(engine, ret_fault);
}

enum outcome engine_start_intake(struct engine *engine, struct fault *ret_fault)
{
    struct intake_settings intake = {.thread_count = engine->settings.parser_threads,
                                     .parser = &engine->parser,
                                     .clock = engine->clock,
                                     .sources = engine->sources,
                                     .numbers = engine->numbers,
                                     .source_count = engine->source_count,
                                     .live = engine->feed != NULL,
                                     .to_the_end = engine->settings.until_caught_up,
                                     .align_ms = engine->settings.rules.align_ms,
                                     .idle_after_ms = engine->settings.rules.idle_after_ms};

    engine->intake = intake_start(&intake, ret_fault);
    return engine->intake == NULL ? BROKEN : DONE;
}
