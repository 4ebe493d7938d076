#include "engine/seed_rules.h"

#include "core/window.h"

#include <string.h>

/* Rules of whose windows some may be open, by epoch. */
struct lengths {
    size_t count;
    struct sink_rules rules[WINDOW_LENGTHS_MAX];
};

static struct decision note_of(const struct sink_rules *rules)
{
    return (struct decision){.kind = NOTE_RULES,
                             .event_ms = rules->windows_from_ms,
                             .arrival_ms = INSTANT_NONE,
                             .text = {&rules->rules, sizeof(rules->rules)}};
}

/* As the windows did when these rules came, and as time passed (windows_set). */
static bool take_length(struct lengths *lengths, const struct sink_rules *rules,
                        int64_t watermark_ms)
{
    while (lengths->count > 0 &&
           lengths->rules[lengths->count - 1].windows_from_ms >= rules->windows_from_ms) {
        lengths->count--;
    }
    if (rules->windows_from_ms <= watermark_ms) {
        lengths->count = 0;
    }
    if (lengths->count >= WINDOW_LENGTHS_MAX) {
        return false;
    }
    lengths->rules[lengths->count++] = *rules;
    return true;
}

static enum outcome unlike(const struct pipeline *pipeline, struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                    "sink \"%s\": the rules it keeps by epoch are not those it stands by",
                    pipeline->ledger->settings.name);
}

static enum outcome read_lengths(struct pipeline *pipeline, struct lengths *lengths,
                                 struct fault *ret_fault)
{
    struct sink_rules rules = {.epoch = 0};
    enum outcome outcome;

    while ((outcome = sink_read_rules(pipeline->ledger, rules.epoch + 1, &rules, ret_fault)) ==
           DONE) {
        if (!take_length(lengths, &rules, pipeline->head.watermark_ms)) {
            return unlike(pipeline, ret_fault);
        }
    }
    return outcome == LATER ? DONE : outcome;
}

enum outcome seed_rules_snapshot(struct pipeline *pipeline, struct epoch *snapshot,
                                 struct fault *ret_fault)
{
    const struct sink_head *head = &pipeline->head;
    struct lengths lengths = {.count = 0};

    if (head->epoch == 0) {
        return DONE; /* The first epoch brings them, as in every history. */
    }
    enum outcome outcome = read_lengths(pipeline, &lengths, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    if (lengths.count == 0 || !rules_same(&lengths.rules[lengths.count - 1].rules, &head->rules)) {
        return unlike(pipeline, ret_fault);
    }
    for (size_t index = 0; index < lengths.count; index++) {
        struct decision note = note_of(&lengths.rules[index]);
        epoch_add_decision(snapshot, &note);
    }
    return DONE;
}

void seed_rules_init(struct seed_rules *rules, struct pipeline *pipeline)
{
    *rules = (struct seed_rules){.pipeline = pipeline, .from = 1};
}

static enum outcome know_next(struct seed_rules *rules, struct fault *ret_fault)
{
    if (rules->known) {
        return DONE;
    }
    enum outcome outcome =
        sink_read_rules(rules->pipeline->ledger, rules->from, &rules->next, ret_fault);
    rules->none = outcome == LATER;
    rules->known = outcome == DONE || outcome == LATER;
    return outcome == LATER ? DONE : outcome;
}

enum outcome seed_rules_upto(struct seed_rules *rules, uint64_t epoch, struct epoch *piece,
                             struct fault *ret_fault)
{
    struct sink_rules newest = {.epoch = 0};
    enum outcome outcome = know_next(rules, ret_fault);

    while (outcome == DONE && !rules->none && rules->next.epoch <= epoch) {
        newest = rules->next;
        rules->from = newest.epoch + 1;
        rules->known = false;
        outcome = know_next(rules, ret_fault);
    }
    if (outcome != DONE || newest.epoch == 0) {
        return outcome;
    }
    struct decision note = note_of(&newest);
    outcome = state_seed(&rules->pipeline->state, &note, ret_fault);
    if (outcome == DONE) {
        epoch_add_decision(piece, &note);
    }
    return outcome;
}
