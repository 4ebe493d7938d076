/* Files and standard input: opened, known again, and assigned to where they were read up to. */
#include "engine/engine_parts.h"

/* A file under two names would be read twice, each of its payments a duplicate. */
static enum outcome met_once(const struct engine *engine, size_t index, struct fault *ret_fault)
{
    const struct source *source = engine->sources[index];

    for (size_t other = 0; other < index; other++) {
        const struct source *met = engine->sources[other];
        if (met->device == source->device && met->inode == source->inode) {
            (void)fault_is(ret_fault, BROKEN, FAULT_CONFIG_DUPLICATE_KEY,
                           "%.200s and %.200s are two names of one file", met->origin.topic,
                           source->origin.topic);
            fault_next(ret_fault, "name it once");
            return BROKEN;
        }
    }
    return DONE;
}

static enum outcome join_and_assign(struct engine *engine, size_t index, struct fault *ret_fault)
{
    struct pipeline *pipeline = &engine->pipeline;
    struct source *source = engine->sources[index];
    uint16_t number;

    source->origin.incarnation = engine_incarnation(engine, source->origin.topic);
    enum outcome outcome =
        pipeline_join(pipeline, &source->origin, source->start, &number, ret_fault);
    if (outcome == DONE) {
        engine->numbers[index] = number;
        outcome = engine_note_adoptions(engine, ret_fault);
    }
    if (outcome == DONE) {
        outcome = source_assign(source, pipeline->state.watermark.sources[number].next,
                                &pipeline->fingerprints[number], ret_fault);
    }
    return outcome;
}

/* REFUSED: an operator has answered what stood in the way. */
static enum outcome open_once(struct engine *engine, size_t index, struct fault *ret_fault)
{
    bool from_stdin = engine->settings.from_stdin;
    struct source *source = engine->sources[index];
    enum outcome outcome =
        source_open(source, from_stdin ? &source_stdin : &source_file,
                    from_stdin ? "stdin" : engine->settings.paths[index], ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    engine->source_count++;
    outcome = met_once(engine, index, ret_fault);
    if (outcome == DONE) {
        outcome = join_and_assign(engine, index, ret_fault);
    }
    if (outcome == DONE) {
        engine->input_total += source->ahead;
    } else if (outcome == BROKEN &&
               engine_answer(engine, engine->numbers[index], ret_fault) == DONE) {
        engine->source_count--;
        source_close(source);
        outcome = REFUSED;
    }
    return outcome;
}

enum outcome engine_open_lines(struct engine *engine, struct fault *ret_fault)
{
    size_t count = engine->settings.from_stdin ? 1 : engine->settings.path_count;
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < count; index++) {
        do { /* A second time at most: an answer answers once. */
            outcome = open_once(engine, index, ret_fault);
        } while (outcome == REFUSED);
    }
    return outcome;
}
