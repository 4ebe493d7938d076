/* A topic that was made anew, or a file replaced, and an operator who said: go on with that one. */
#include "engine/engine_parts.h"

#include <string.h>

uint32_t engine_incarnation(const struct engine *engine, const char *topic)
{
    const struct state *state = &engine->pipeline.state;
    const struct answers *answers = &engine->answers;
    uint32_t incarnation = 0;

    for (size_t number = 0; number < state->source_count; number++) {
        const struct origin *origin = &state->origins[number];
        if (origin->incarnation > incarnation && strcmp(origin->topic, topic) == 0) {
            incarnation = origin->incarnation;
        }
    }
    for (size_t index = 0; index < answers->count; index++) {
        const struct answer *answer = &answers->items[index];
        if (answer->incarnation > incarnation && strcmp(answer->decided.topic, topic) == 0) {
            incarnation = answer->incarnation;
        }
    }
    return incarnation;
}

/* Before the new incarnation's sources have joined. */
bool engine_adopting(const struct engine *engine, const char *topic)
{
    for (size_t index = 0; index < engine->answers.count; index++) {
        const struct answer *answer = &engine->answers.items[index];
        if (answer->incarnation > 0 && answer->epoch == 0 &&
            strcmp(answer->decided.topic, topic) == 0) {
            return true;
        }
    }
    return false;
}

/* What was read of it before is over: it holds neither watermark nor anything else. */
static enum outcome end_old(struct engine *engine, const struct answer *answer, uint16_t *ret_first,
                            struct fault *ret_fault)
{
    struct pipeline *pipeline = &engine->pipeline;
    const struct state *state = &pipeline->state;
    enum outcome outcome = DONE;

    *ret_first = SOURCES_MAX;
    for (size_t number = 0; outcome == DONE && number < state->source_count; number++) {
        const struct origin *origin = &state->origins[number];
        struct decision note = {.kind = NOTE_ENDED,
                                .source = (uint16_t)number,
                                .offset = state->watermark.sources[number].next,
                                .event_ms = INSTANT_NONE,
                                .arrival_ms = clock_wall_ms(engine->clock)};
        if (strcmp(origin->topic, answer->decided.topic) != 0) {
            continue;
        }
        if (origin->incarnation < answer->incarnation) {
            outcome = pipeline_note(pipeline, &note, ret_fault);
        } else if (*ret_first == SOURCES_MAX) {
            *ret_first = (uint16_t)number;
        }
    }
    return outcome;
}

static enum outcome note_adoption(struct engine *engine, struct answer *answer,
                                  struct fault *ret_fault)
{
    char text[RULING_TEXT_MAX];
    struct decision note = {.kind = NOTE_DECISION,
                            .event_ms = INSTANT_NONE,
                            .arrival_ms = clock_wall_ms(engine->clock),
                            .text = decided_ruling(&answer->decided, text)};
    enum outcome outcome = end_old(engine, answer, &note.source, ret_fault);

    if (outcome == DONE) {
        must(note.source < SOURCES_MAX);
        note.offset = engine->pipeline.state.watermark.sources[note.source].next;
        outcome = pipeline_note(&engine->pipeline, &note, ret_fault);
    }
    if (outcome == DONE) {
        answer->epoch = engine->pipeline.next_epoch;
        engine_tell_answer(engine, "decision_taken", ENGINE_WARN, answer, "note",
                           "the topic is read as its next incarnation, from its start");
    }
    return outcome;
}

enum outcome engine_note_adoptions(struct engine *engine, struct fault *ret_fault)
{
    struct answers *answers = &engine->answers;
    enum outcome outcome = DONE;

    for (size_t index = 0; outcome == DONE && index < answers->count; index++) {
        struct answer *answer = &answers->items[index];
        if (answer->incarnation > 0 && answer->epoch == 0) {
            outcome = note_adoption(engine, answer, ret_fault);
        }
    }
    return outcome;
}
