/* What stands between messages. */
#include "core/state_parts.h"

#include <string.h>

/* Longer than anything a person means; short enough that no sum of times overflows. */
#define SPAN_MAX_MS (INT64_C(100) * 366 * 86400 * 1000)

static enum outcome cannot_follow(const struct decision *note, const char *why,
                                  struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                    "a note of kind %d, source %d cannot follow: %s", note->kind, note->source,
                    why);
}

/* What stands behind the topic's end is no part of it. */
static void tidy(char *topic)
{
    size_t size = 0;

    while (topic[size] != '\0') {
        size++;
    }
    memset(topic + size, 0, TOPIC_TEXT_MAX + 1 - size);
}

static enum outcome join(struct state *state, const struct decision *note, struct fault *ret_fault)
{
    struct origin origin;

    if (note->source != state->source_count || state->source_count >= SOURCES_MAX) {
        return cannot_follow(note, "not the next source", ret_fault);
    }
    if (note->text.size != sizeof(origin) || note->offset > OFFSET_MAX) {
        return cannot_follow(note, "it names no origin", ret_fault);
    }
    memcpy(&origin, note->text.at, sizeof(origin));
    if (origin.topic[TOPIC_TEXT_MAX] != '\0' || state_source_find(state, &origin) >= 0) {
        return cannot_follow(note, "its origin is known already, or none", ret_fault);
    }
    tidy(origin.topic);
    state->origins[state->source_count++] = origin;
    watermark_join(&state->watermark, note->offset);
    return DONE;
}

static bool span_sane(int64_t ms)
{
    return ms >= 0 && ms <= SPAN_MAX_MS;
}

bool state_rules_sane(const struct rules *rules)
{
    bool sane = span_sane(rules->lateness_ms) && span_sane(rules->retention_ms) &&
                span_sane(rules->max_future_ms) && span_sane(rules->window_ms) &&
                rules->window_ms > 0 && rules->window_groups_max >= 1 && rules->senders_max >= 1 &&
                rules->fraud_rule_count <= FRAUD_RULES_MAX;

    for (uint32_t index = 0; sane && index < rules->fraud_rule_count; index++) {
        sane = rules->fraud[index].add >= 0;
    }
    return sane;
}

/* From when on was found when the rules were new, and may be recorded. */
static struct window_length length_of(const struct state *state, const struct decision *note,
                                      const struct rules *rules)
{
    int64_t from_ms = note->event_ms;

    if (from_ms < INSTANT_MIN_MS) {
        from_ms = windows_from_ms(&state->windows, rules->window_ms, state->watermark.all_ms);
    }
    return (struct window_length){from_ms, rules->window_ms};
}

static enum outcome change_rules(struct state *state, const struct decision *note,
                                 struct fault *ret_fault)
{
    struct dedup_now before = state_now(state);
    struct rules rules;

    if (note->text.size != sizeof(rules)) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_FORMAT,
                        "rules of %zu bytes: written by another version", note->text.size);
    }
    memcpy(&rules, note->text.at, sizeof(rules));
    if (!state_rules_sane(&rules)) {
        return cannot_follow(note, "rules that cannot be", ret_fault);
    }
    struct window_length length = length_of(state, note, &rules);
    if (!windows_set(&state->windows, &length, rules.window_groups_max, state->watermark.all_ms)) {
        return fault_is(ret_fault, BROKEN, FAULT_STATE_FULL,
                        "the length of windows was changed %d times while windows are open",
                        WINDOW_LENGTHS_MAX);
    }
    if (!state->accepted_apart) {
        if (state->rules_known && rules.retention_ms > before.retention_ms) {
            dedup_sweep_all(&state->dedup, &before); /* What was forgotten stays so. */
        }
        velocity_limit(&state->velocity, rules.senders_max);
    }
    state->watermark.lateness_ms = rules.lateness_ms;
    state->rules = rules;
    state->rules_known = true;
    return DONE;
}

enum outcome state_seed_rules(struct state *state, const struct decision *note,
                              struct fault *ret_fault)
{
    struct rules rules;

    if (note->text.size != sizeof(rules)) {
        return cannot_follow(note, "rules of another version", ret_fault);
    }
    memcpy(&rules, note->text.at, sizeof(rules));
    if (!state_rules_sane(&rules)) {
        return cannot_follow(note, "rules that cannot be", ret_fault);
    }
    state->windows.groups_max = rules.window_groups_max;
    if (!state->accepted_apart) {
        velocity_limit(&state->velocity, rules.senders_max);
    }
    return DONE;
}

static const char no_currency[CURRENCY_SIZE];

static enum outcome accept_gap(struct state *state, const struct decision *note,
                               struct fault *ret_fault)
{
    uint64_t next = state->watermark.sources[note->source].next;
    uint64_t end = (uint64_t)note->event_ms;
    struct tally_entry jump = {.word = tally_word(note->source, SKIPPED, no_currency)};
    struct tally_entry entry = {.word = tally_word(note->source, TALLY_GAP, no_currency)};
    uint32_t jump_number;
    uint32_t number;

    if (note->offset < next || end <= note->offset || end > OFFSET_MAX + 1) {
        return cannot_follow(note, "not a range of offsets to come", ret_fault);
    }
    jump.count = note->offset - next;
    entry.count = end - note->offset;
    if (!tallies_fit(&state->tallies, &jump, &jump_number) ||
        !tallies_fit(&state->tallies, &entry, &number)) {
        return state_totals_full(ret_fault);
    }
    if (jump.count > 0) {
        tallies_add(&state->tallies, &jump, jump_number);
    }
    tallies_add(&state->tallies, &entry, number);
    watermark_take(&state->watermark, note->source, end);
    return DONE;
}

static void start(struct state *state)
{
    for (size_t number = 0; number < state->source_count; number++) {
        watermark_stand(&state->watermark, (uint16_t)number, SOURCE_ACTIVE);
    }
}

static bool names_source(const struct decision *note)
{
    return note->kind == NOTE_IDLE || note->kind == NOTE_ENDED || note->kind == NOTE_ACTIVE ||
           note->kind == NOTE_GAP || note->kind == NOTE_DECISION || note->kind == NOTE_FACTS;
}

static enum outcome take(struct state *state, const struct decision *note, struct fault *ret_fault)
{
    switch ((enum decision_kind)note->kind) {
    case NOTE_SOURCE:
        return join(state, note, ret_fault);
    case NOTE_START:
        start(state);
        return DONE;
    case NOTE_IDLE:
        watermark_stand(&state->watermark, note->source, SOURCE_IDLE);
        return DONE;
    case NOTE_ENDED:
        watermark_stand(&state->watermark, note->source, SOURCE_ENDED);
        return DONE;
    case NOTE_ACTIVE:
        watermark_stand(&state->watermark, note->source, SOURCE_ACTIVE);
        return DONE;
    case NOTE_RULES:
        return change_rules(state, note, ret_fault);
    case NOTE_GAP:
        return accept_gap(state, note, ret_fault);
    case NOTE_DECISION: /* For people; what follows from it are notes of their own. */
    case NOTE_CLOSE:
    case NOTE_FACTS: /* For whoever takes the source up; no verdict looks at them. */
        return DONE;
    case NOTE_END:
        break;
    }
    return cannot_follow(note, "no such kind", ret_fault);
}

enum outcome state_apply_note(struct state *state, const struct decision *note,
                              struct fault *ret_fault)
{
    if (names_source(note) && note->source >= state->source_count) {
        return cannot_follow(note, "its source has not joined", ret_fault);
    }
    enum outcome outcome = take(state, note, ret_fault);
    if (outcome == DONE) {
        state_advance(state);
    }
    return outcome;
}
