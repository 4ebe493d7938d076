/* The deciding side of the pipeline: from a message to its place in the open epoch. */
#include "engine/pipeline.h"

#include "os/crash.h"

#include <string.h>

enum outcome pipeline_begin(struct pipeline *pipeline, int64_t timeout_ns, struct fault *ret_fault)
{
    must(pipeline->open == NULL);

    pipeline->open = shelf_open(&pipeline->shelf, timeout_ns);
    if (pipeline->open == NULL) {
        return fault_is(ret_fault, LATER, FAULT_SINK_BUSY, "the sinks are behind");
    }
    pipeline->rules_noted = false;
    pipeline->open->decided_ms = clock_wall_ms(pipeline->clock);
    return DONE;
}

enum outcome pipeline_note(struct pipeline *pipeline, const struct decision *note,
                           struct fault *ret_fault)
{
    must(pipeline->open != NULL);

    struct decision recorded = *note;
    enum outcome outcome = state_apply(&pipeline->state, note, ret_fault);
    if (outcome == DONE && note->kind == NOTE_RULES) {
        recorded.event_ms = state_settled_ms(&pipeline->state);
        pipeline->rules_noted = true;
    }
    if (outcome == DONE) {
        epoch_add_decision(pipeline->open, &recorded);
    }
    return outcome;
}

enum outcome pipeline_join(struct pipeline *pipeline, const struct origin *origin, uint64_t start,
                           uint16_t *ret_number, struct fault *ret_fault)
{
    int number = state_source_find(&pipeline->state, origin);

    if (number >= 0) {
        *ret_number = (uint16_t)number;
        return DONE;
    }
    if (pipeline->state.source_count >= SOURCES_MAX) {
        return fault_is(ret_fault, BROKEN, FAULT_SOURCE_LIMIT, "more than %d sources", SOURCES_MAX);
    }
    *ret_number = (uint16_t)pipeline->state.source_count;
    struct decision note = {.kind = NOTE_SOURCE,
                            .source = *ret_number,
                            .offset = start,
                            .event_ms = INSTANT_NONE,
                            .arrival_ms = pipeline->open->decided_ms,
                            .text = {origin, sizeof(*origin)}};
    return pipeline_note(pipeline, &note, ret_fault);
}

enum outcome pipeline_learn(struct pipeline *pipeline, uint16_t source,
                            const struct source_facts *facts, struct fault *ret_fault)
{
    struct decision note = {.kind = NOTE_FACTS,
                            .source = source,
                            .event_ms = INSTANT_NONE,
                            .arrival_ms = pipeline->open->decided_ms,
                            .text = {&pipeline->facts[source], sizeof(*facts)}};

    return source_facts_learn(&pipeline->facts[source], facts)
               ? pipeline_note(pipeline, &note, ret_fault)
               : DONE;
}

enum outcome pipeline_start_notes(struct pipeline *pipeline, struct fault *ret_fault)
{
    const struct rules *rules = &pipeline->settings->rules;
    struct decision note = {.kind = NOTE_RULES,
                            .event_ms = INSTANT_NONE,
                            .arrival_ms = pipeline->open->decided_ms,
                            .text = {rules, sizeof(*rules)}};

    if (!pipeline->state.rules_known || !rules_same(&pipeline->state.rules, rules)) {
        enum outcome outcome = pipeline_note(pipeline, &note, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
    }
    note.kind = NOTE_START;
    note.text = (struct span){NULL, 0};
    return pipeline_note(pipeline, &note, ret_fault);
}

static void judge(struct pipeline *pipeline, const struct message *message,
                  struct judgement *ret_judgement)
{
    if (message->selected) {
        state_judge(&pipeline->state, message, ret_judgement);
    } else {
        ret_judgement->verdict = SKIPPED;
        ret_judgement->known_id = false;
        ret_judgement->earlier = false;
    }
}

static void add_row(struct pipeline *pipeline, const struct message *message,
                    const struct judgement *judgement, enum payment_field differing,
                    int64_t watermark_ms)
{
    struct row row;

    if (judgement->verdict == SKIPPED) {
        return;
    }
    drawing_row(&pipeline->drawing, message, judgement, differing, watermark_ms,
                pipeline->carried.count, &row);
    row.numbers[0] = (int64_t)pipeline->state.seq_next[row.table]++;
    epoch_add_row(pipeline->open, &row);
    if (row.table == TABLE_TRANSACTIONS) {
        whereabouts_add(&pipeline->whereabouts, message->source, message->offset,
                        pipeline->next_epoch);
    }
}

enum outcome pipeline_take(struct pipeline *pipeline, const struct message *message,
                           struct fault *ret_fault)
{
    struct judgement judgement;
    struct decision decision;
    enum payment_field differing = FIELD_SAME;

    must(pipeline->open != NULL);
    judge(pipeline, message, &judgement);
    if (judgement.verdict == CONFLICT) {
        differing = pipeline_differing(pipeline, message, &judgement);
    }
    int64_t watermark_ms = watermark_of(&pipeline->state.watermark, message->source);
    state_decide(message, &judgement, &decision);
    enum outcome outcome = state_apply(&pipeline->state, &decision, ret_fault);
    if (outcome == DONE) {
        epoch_add_decision(pipeline->open, &decision);
        add_row(pipeline, message, &judgement, differing, watermark_ms);
        crash_point("after_take");
    }
    return outcome;
}

enum outcome pipeline_skip(struct pipeline *pipeline, uint16_t source, uint64_t offset,
                           struct fault *ret_fault)
{
    struct decision decision = {.kind = SKIPPED,
                                .source = source,
                                .offset = offset,
                                .event_ms = INSTANT_NONE,
                                .arrival_ms = clock_wall_ms(pipeline->clock)};

    must(pipeline->open != NULL);
    enum outcome outcome = state_apply(&pipeline->state, &decision, ret_fault);
    if (outcome == DONE) {
        epoch_add_decision(pipeline->open, &decision);
    }
    return outcome;
}

bool pipeline_full(const struct pipeline *pipeline)
{
    const struct epoch *open = pipeline->open;
    const struct engine_settings *settings = pipeline->settings;

    return open->message_count >= settings->epoch_messages_max ||
           open->rows.size >= settings->epoch_bytes_max ||
           open->decisions.size >= settings->epoch_bytes_max;
}

static void finish_ranges(struct pipeline *pipeline)
{
    const struct watermark *mark = &pipeline->state.watermark;
    struct epoch *open = pipeline->open;

    for (size_t number = 0; number < mark->source_count; number++) {
        const struct watermark_source *source = &mark->sources[number];
        if (source->touched) {
            open->ranges[open->range_count++] = (struct epoch_range){
                .source = (uint32_t)number,
                .standing = source->standing,
                .first = source->first,
                .next = source->next,
                .newest_ms = source->newest_ms,
                .fingerprint = pipeline->fingerprints[number],
            };
        }
    }
}

static void finish_metrics(struct pipeline *pipeline)
{
    size_t count = state_metric_count(&pipeline->state);

    for (size_t index = 0; index < count; index++) {
        struct row row;
        state_metric_row(&pipeline->state, index, &row);
        row.numbers[METRIC_SEQ] = (int64_t)pipeline->state.seq_next[TABLE_METRICS]++;
        epoch_add_row(pipeline->open, &row);
    }
}

void pipeline_finish(struct pipeline *pipeline)
{
    struct epoch *open = pipeline->open;

    must(open != NULL);
    if (open->decisions.size == 0) {
        pipeline->open = NULL;
        shelf_return(&pipeline->shelf, open);
        return;
    }
    open->number = pipeline->next_epoch++;
    open->watermark_ms = pipeline->state.watermark.all_ms;
    finish_ranges(pipeline);
    finish_metrics(pipeline);
    open->total_count = state_total_count(&pipeline->state);
    must(open->total_count <= EPOCH_TOTALS_MAX);
    for (size_t index = 0; index < open->total_count; index++) {
        state_total(&pipeline->state, index, &open->totals[index]);
    }
    memcpy(open->seq_next, pipeline->state.seq_next, sizeof(open->seq_next));
    pipeline->settled_ms[open->number % EPOCHS_IN_FLIGHT] =
        pipeline->rules_noted ? state_settled_ms(&pipeline->state) : INSTANT_NONE;
    state_epoch_end(&pipeline->state);
    pipeline->open = NULL;
    shelf_close(&pipeline->shelf, open);
}
