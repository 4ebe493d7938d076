/* What operators decided, held against what halted; noted, sealed, and then forgotten as files. */
#include "engine/engine_parts.h"

#include "os/crash.h"

#include <stdio.h>
#include <string.h>

/* How often decisions that wait are looked at, whether they wait in vain. */
#define REVIEW_EVERY_NS INT64_C(1000000000)

void engine_tell_answer(struct engine *engine, const char *name, enum engine_level level,
                        const struct answer *answer, const char *key, const char *text)
{
    char told[DECIDED_TOLD_SIZE];
    struct engine_event event;

    decided_tell(&answer->decided, told);
    event_begin(&event, name, level);
    event_number(&event, "decision", answer->number);
    event_word(&event, "what", told);
    event_word(&event, key, text);
    events_put(&engine->events, &event);
}

/* A file that cannot be put aside stays, and is met again at the next start. */
static void tell_trouble(struct engine *engine, const struct fault *fault)
{
    struct engine_event event;

    event_begin(&event, "decision_kept", ENGINE_WARN);
    event_word(&event, "error", fault->text);
    events_put(&engine->events, &event);
}

static void drop(struct answers *answers, size_t index)
{
    answers->count--;
    memmove(&answers->items[index], &answers->items[index + 1],
            (answers->count - index) * sizeof(answers->items[0]));
}

/* Its file is put aside, with this as the reason. */
static void refuse(struct engine *engine, size_t index, const char *why)
{
    struct answers *answers = &engine->answers;
    struct fault fault;

    engine_tell_answer(engine, "decision_refused", ENGINE_WARN, &answers->items[index], "error",
                       why);
    if (decisions_refuse(&answers->disk.disk, answers->items[index].number, why, &fault) != DONE) {
        tell_trouble(engine, &fault);
    }
    drop(answers, index);
}

static bool about(const struct decided *decided, const struct origin *origin)
{
    return strcmp(decided->topic, origin->topic) == 0 &&
           (decided->kind == RULING_ADOPTION || decided->partition == origin->partition);
}

/* Offsets of which some are decided already. */
static bool gap_passed(const struct engine *engine, const struct decided *decided,
                       char ret_why[DECISIONS_WHY_SIZE])
{
    const struct state *state = &engine->pipeline.state;
    uint32_t incarnation = engine_incarnation(engine, decided->topic);

    for (size_t number = 0; decided->kind == RULING_GAP && number < state->source_count; number++) {
        const struct origin *origin = &state->origins[number];
        uint64_t next = state->watermark.sources[number].next;
        if (about(decided, origin) && origin->incarnation == incarnation && next > decided->first) {
            (void)snprintf(ret_why, DECISIONS_WHY_SIZE,
                           "nothing waits for it: what comes next of it is offset %llu",
                           (unsigned long long)next);
            return true;
        }
    }
    return false;
}

/* The last one so far: does it wait for anything? */
static enum outcome look_at_last(struct engine *engine, struct fault *ret_fault)
{
    struct answers *answers = &engine->answers;
    const struct answer *answer = &answers->items[answers->count - 1];
    char why[DECISIONS_WHY_SIZE];
    enum outcome outcome = DONE;

    if (standing_decided(&engine->pipeline.standing, answer->decided.id)) {
        engine_tell_answer(engine, "decision_sealed", ENGINE_INFO, answer, "note",
                           "it was sealed before");
        outcome = decisions_remove(&answers->disk.disk, answer->number, ret_fault);
        drop(answers, answers->count - 1);
    } else if (gap_passed(engine, &answer->decided, why)) {
        refuse(engine, answers->count - 1, why);
    }
    return outcome;
}

static enum outcome load(struct engine *engine, uint64_t number, struct fault *ret_fault)
{
    struct answers *answers = &engine->answers;
    struct answer *answer = &answers->items[answers->count];

    *answer = (struct answer){.number = number};
    enum outcome outcome = decisions_load(&answers->disk.disk, number, &answer->decided, ret_fault);
    if (outcome == LATER) {
        return DONE; /* Taken back. */
    }
    if (outcome == BROKEN) {
        return outcome;
    }
    answers->count++;
    if (outcome == REFUSED) {
        refuse(engine, answers->count - 1, ret_fault->text);
        return DONE;
    }
    crash_point("decision_read");
    return look_at_last(engine, ret_fault);
}

enum outcome engine_read_decisions(struct engine *engine, struct fault *ret_fault)
{
    struct answers *answers = &engine->answers;
    uint64_t numbers[DECISIONS_MAX];
    size_t count = 0;
    enum outcome outcome = decisions_list(&answers->disk.disk, numbers, &count, ret_fault);

    answers->count = 0;
    for (size_t index = 0; outcome == DONE && index < count; index++) {
        outcome = load(engine, numbers[index], ret_fault);
    }
    return outcome;
}

static const struct source *source_of(const struct engine *engine, uint16_t number)
{
    for (size_t index = 0; index < engine->source_count; index++) {
        if (engine->numbers[index] == number) {
            return engine->sources[index];
        }
    }
    must_failed("what halts is one of our sources", __FILE__, __LINE__);
}

/* Which kind of decision answers such a halt? RULING_KINDS: none. */
static enum ruling_kind kind_wanted(const struct fault *halt)
{
    bool gone = halt->code == FAULT_KAFKA_LOST || halt->code == FAULT_KAFKA_GAP;
    bool other = halt->code == FAULT_SOURCE_REPLACED || halt->code == FAULT_SOURCE_TRUNCATED;

    return gone ? RULING_GAP : other ? RULING_ADOPTION : RULING_KINDS;
}

/* Exactly what is gone, and nothing of what is not. */
static bool answers_gap(const struct engine *engine, uint16_t number, const struct decided *decided)
{
    const struct source *source = source_of(engine, number);
    uint64_t next = engine->pipeline.state.watermark.sources[number].next;

    return decided->first == next && source->gone_first == next &&
           decided->last + 1 == source->gone_next && decided->last >= next;
}

static enum outcome note_gap(struct engine *engine, uint16_t number, struct answer *answer,
                             struct fault *ret_fault)
{
    struct pipeline *pipeline = &engine->pipeline;
    char text[RULING_TEXT_MAX];
    struct decision note = {.kind = NOTE_GAP,
                            .source = number,
                            .offset = answer->decided.first,
                            .event_ms = (int64_t)answer->decided.last + 1,
                            .arrival_ms = clock_wall_ms(engine->clock),
                            .text = decided_ruling(&answer->decided, text)};
    enum outcome outcome = pipeline_note(pipeline, &note, ret_fault);

    if (outcome == DONE) {
        answer->epoch = pipeline->next_epoch;
        engine_tell_answer(engine, "decision_taken", ENGINE_WARN, answer, "note",
                           "these offsets count as a gap; reading goes on behind them");
    }
    return outcome;
}

/* It says something else than what halted. */
static void refuse_other(struct engine *engine, size_t index, struct fault *halt)
{
    uint64_t number = engine->answers.items[index].number;
    char before[sizeof(halt->text)];
    char why[sizeof(halt->text) + 64];

    (void)snprintf(why, sizeof(why), "it does not answer the halt: %s", halt->text);
    refuse(engine, index, why);
    memcpy(before, halt->text, sizeof(before));
    (void)snprintf(halt->text, sizeof(halt->text),
                   "%.400s (decision %llu does not answer this: refused)", before,
                   (unsigned long long)number);
}

static enum outcome answer_with(struct engine *engine, uint16_t number, struct answer *answer,
                                struct fault *ret_fault)
{
    if (answer->decided.kind == RULING_GAP) {
        return note_gap(engine, number, answer, ret_fault);
    }
    answer->incarnation = engine_incarnation(engine, answer->decided.topic) + 1;
    return DONE;
}

enum outcome engine_answer(struct engine *engine, uint16_t number, struct fault *halt)
{
    struct answers *answers = &engine->answers;
    const struct origin *origin = &engine->pipeline.state.origins[number];
    enum ruling_kind kind = kind_wanted(halt);
    enum outcome outcome = REFUSED;

    for (size_t index = 0; outcome == REFUSED && index < answers->count;) {
        struct answer *answer = &answers->items[index];
        bool waits = answer->epoch == 0 && answer->incarnation == 0;
        if (!waits || answer->decided.kind != kind || !about(&answer->decided, origin)) {
            index++;
        } else if (kind == RULING_GAP && !answers_gap(engine, number, &answer->decided)) {
            refuse_other(engine, index, halt);
        } else {
            outcome = answer_with(engine, number, answer, halt);
        }
    }
    return outcome;
}

/* Why it cannot be an answer to anything any more; false: it can. */
static bool in_vain(const struct engine *engine, const struct decided *decided,
                    char ret_why[DECISIONS_WHY_SIZE])
{
    bool read = false;
    bool sound = decided->kind == RULING_ADOPTION;

    for (size_t index = 0; index < engine->source_count; index++) {
        struct source_sight sight = {.seen_ns = 1};
        const struct source *source = engine->sources[index];
        if (!about(decided, &source->origin)) {
            continue;
        }
        if (source_live(source)) {
            source_sight(engine->sources[index], &sight);
        }
        sound = sound && sight.seen_ns > 0;
        read = true;
    }
    (void)snprintf(ret_why, DECISIONS_WHY_SIZE, "%s",
                   read ? "nothing waits for it: each partition of the topic goes on where it was "
                          "read up to"
                        : "it is not read here: no source has this name");
    return !read || sound || gap_passed(engine, decided, ret_why);
}

/* Noted and sealed: the file has done its work, if it is still the one that was read. */
static void remove_sealed(struct engine *engine, size_t index)
{
    struct answers *answers = &engine->answers;
    const struct answer *answer = &answers->items[index];
    struct decided now;
    struct fault fault;

    crash_point("decision_sealed");
    if (decisions_load(&answers->disk.disk, answer->number, &now, &fault) == DONE &&
        now.id != answer->decided.id) {
        drop(answers, index); /* Another one was written under its number: it waits. */
        return;
    }
    if (decisions_remove(&answers->disk.disk, answers->items[index].number, &fault) != DONE) {
        tell_trouble(engine, &fault);
    }
    drop(answers, index);
}

void engine_review_answers(struct engine *engine, bool may_refuse)
{
    struct answers *answers = &engine->answers;
    char why[DECISIONS_WHY_SIZE];

    for (size_t index = 0; index < answers->count;) {
        const struct answer *answer = &answers->items[index];
        if (answer->epoch > 0 && answer->epoch <= shelf_sealed_upto(&engine->pipeline.shelf)) {
            remove_sealed(engine, index);
        } else if (may_refuse && answer->epoch == 0 && answer->incarnation == 0 &&
                   in_vain(engine, &answer->decided, why)) {
            refuse(engine, index, why);
        } else {
            index++;
        }
    }
    answers->reviewed_ns = clock_steady_ns(engine->clock);
}

void engine_tend_answers(struct engine *engine)
{
    const struct answers *answers = &engine->answers;

    if (answers->count > 0 &&
        clock_steady_ns(engine->clock) - answers->reviewed_ns >= REVIEW_EVERY_NS) {
        engine_review_answers(engine, true);
    }
}
