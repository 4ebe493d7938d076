/* Recording: what a decision adds up to. */
#include "core/state_parts.h"

#include <string.h>

static struct window_payment window_payment_of(const struct decision *decision)
{
    static const char too_long[GROUP_TEXT_MAX + 1];
    struct window_payment payment = {
        .event_ms = decision->event_ms,
        .region = decision->region_size == REGION_OTHER ? (struct span){too_long, sizeof(too_long)}
                                                        : decision->region,
        .region_hash = decision->region_hash,
        .amount = {decision->units, decision->scale},
    };

    memcpy(payment.currency, decision->currency, sizeof(payment.currency));
    return payment;
}

void state_advance(struct state *state)
{
    int64_t before_ms = state->watermark.all_ms;

    watermark_advance(&state->watermark);
    if (state->watermark.all_ms != before_ms) {
        windows_close(&state->windows, state->watermark.all_ms);
    }
}

enum outcome state_totals_full(struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_STATE_FULL,
                    "%d totals (source, verdict, currency) are as many as there may be, or a sum "
                    "is beyond 128 bits",
                    TALLIES_MAX);
}

int64_t state_newest_ms(const struct state *state)
{
    int64_t newest_ms = INSTANT_NONE;

    for (size_t number = 0; number < state->watermark.source_count; number++) {
        if (state->watermark.sources[number].newest_ms > newest_ms) {
            newest_ms = state->watermark.sources[number].newest_ms;
        }
    }
    return newest_ms;
}

static enum outcome windows_full(const struct state *state, struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_STATE_FULL,
                    "the memory for open windows is full: %zu windows with %zu groups of region "
                    "and currency",
                    state->windows.window_count, state->windows.group_count);
}

static enum outcome cannot_follow(const struct decision *decision, const char *why,
                                  struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                    "a record of kind %d, source %d, offset %llu cannot follow: %s", decision->kind,
                    decision->source, (unsigned long long)decision->offset, why);
}

static bool moves_watermark(const struct decision *decision)
{
    switch ((enum verdict)decision->kind) {
    case ACCEPTED:
    case DUPLICATE:
    case CONFLICT:
    case LATE:
        return true;
    case FUTURE: /* One wrong clock must not make everybody else late. */
    case INVALID:
    case SKIPPED:
        return false;
    }
    must_failed("a message has one of the verdicts", __FILE__, __LINE__);
}

/* An accepted payment that could not have been accepted here. NULL: but for its id it could. */
static const char *wrong_accepted(const struct state *state, const struct decision *decision)
{
    if (!state->rules_known) {
        return "no rules are in force";
    }
    if (decision->id_kind == IDENT_NONE || decision->id_kind > IDENT_LONG ||
        (decision->id_kind == IDENT_LONG && decision->long_id.size > IDENT_TEXT_MAX)) {
        return "its id is none";
    }
    if (watermark_passed(watermark_of(&state->watermark, decision->source), decision->event_ms)) {
        return "accepted at or before the watermark";
    }
    return NULL;
}

/* Why this message cannot be the next one of its source. NULL: it can. */
static const char *wrong_message(const struct state *state, const struct decision *decision)
{
    if (decision->kind > SKIPPED) {
        return "no such kind";
    }
    if (decision->source >= state->source_count) {
        return "its source has not joined";
    }
    if (decision->offset < state->watermark.sources[decision->source].next) {
        return "the offset is decided already";
    }
    if (decision->offset > OFFSET_MAX) {
        return "no offset is so large";
    }
    if (decision->kind == INVALID || decision->kind == SKIPPED) {
        return NULL;
    }
    if (decision->event_ms < INSTANT_MIN_MS || decision->event_ms >= INSTANT_MAX_MS ||
        decision->scale > MONEY_SCALE_MAX) {
        return "its time or amount is none";
    }
    return NULL;
}

/* What a message counts as, and where. */
struct counting {
    struct tally_entry jump; /* Offsets before it that nobody has shown: transaction markers, */
    uint32_t jump_number;    /* aborted or compacted records. */
    struct tally_entry entry;
    uint32_t number;
};

static struct counting counting_of(const struct state *state, const struct decision *decision)
{
    static const char no_currency[CURRENCY_SIZE];

    return (struct counting){
        .jump = {.word = tally_word(decision->source, SKIPPED, no_currency),
                 .count = decision->offset - state->watermark.sources[decision->source].next},
        .entry = {.word = tally_word(decision->source, decision->kind, decision->currency),
                  .count = 1,
                  .amount = {decision->units, decision->scale}},
    };
}

/* Do its totals have room, and can they be added to? */
static bool totals_fit(const struct state *state, struct counting *counting)
{
    return (counting->jump.count == 0 ||
            tallies_fit(&state->tallies, &counting->jump, &counting->jump_number)) &&
           tallies_fit(&state->tallies, &counting->entry, &counting->number);
}

static void count(struct state *state, const struct counting *counting)
{
    if (counting->jump.count > 0) {
        tallies_add(&state->tallies, &counting->jump, counting->jump_number);
    }
    tallies_add(&state->tallies, &counting->entry, counting->number);
}

static void move(struct state *state, const struct decision *decision)
{
    watermark_take(&state->watermark, decision->source, decision->offset + 1);
    if (moves_watermark(decision)) {
        watermark_see(&state->watermark, decision->source, decision->event_ms);
        state_advance(state);
    }
}

/* What id and sender need of it. False: they are another thread's. */
static bool take_apart(const struct state *state, const struct decision *decision,
                       struct state_accepted *ret_accepted)
{
    if (state->accepted_apart) {
        return false;
    }
    bool left = state_leave_accepted(state, decision, ret_accepted);
    must(left);
    return true;
}

static enum outcome add_accepted(struct state *state, const struct decision *decision,
                                 struct fault *ret_fault)
{
    struct dedup_now now = state_now(state);
    struct state_accepted accepted;

    return take_apart(state, decision, &accepted)
               ? state_add_accepted(state, &accepted, &now, ret_fault)
               : DONE;
}

/* Ids come last of all that can say no: so nothing that can be seen has changed if they do. */
static enum outcome apply_accepted(struct state *state, const struct decision *decision,
                                   struct fault *ret_fault)
{
    struct window_payment counted = window_payment_of(decision);
    struct window_place place;
    const char *wrong = wrong_accepted(state, decision);

    if (wrong != NULL) {
        return cannot_follow(decision, wrong, ret_fault);
    }
    if (!windows_fit(&state->windows, &counted, &place)) {
        return windows_full(state, ret_fault);
    }
    enum outcome outcome = add_accepted(state, decision, ret_fault);
    if (outcome == DONE) {
        windows_add(&state->windows, &counted, &place);
    }
    return outcome;
}

static void sweep(struct state *state)
{
    if (!state->accepted_apart) {
        struct dedup_now now = state_now(state);
        dedup_sweep(&state->dedup, &now);
    }
}

static enum outcome apply_message(struct state *state, const struct decision *decision,
                                  struct fault *ret_fault)
{
    const char *wrong = wrong_message(state, decision);
    enum outcome outcome = DONE;

    if (wrong != NULL) {
        return cannot_follow(decision, wrong, ret_fault);
    }
    struct counting counting = counting_of(state, decision);
    if (!totals_fit(state, &counting)) {
        return state_totals_full(ret_fault);
    }
    if (decision->kind == ACCEPTED) {
        outcome = apply_accepted(state, decision, ret_fault);
    }
    if (outcome == DONE) {
        count(state, &counting);
        move(state, decision);
        sweep(state);
    }
    return outcome;
}

enum outcome state_apply(struct state *state, const struct decision *decision,
                         struct fault *ret_fault)
{
    if (decision_is_note(decision)) {
        return state_apply_note(state, decision, ret_fault);
    }
    return apply_message(state, decision, ret_fault);
}

static enum outcome add_seed(struct state *state, const struct decision *decision,
                             struct fault *ret_fault)
{
    struct dedup_now now = state_now(state);
    struct state_accepted accepted;

    return take_apart(state, decision, &accepted)
               ? state_add_seed(state, &accepted, &now, ret_fault)
               : DONE;
}

enum outcome state_seed(struct state *state, const struct decision *decision,
                        struct fault *ret_fault)
{
    struct window_payment counted = window_payment_of(decision);
    struct window_place place;

    if (decision->kind == NOTE_RULES) {
        return state_seed_rules(state, decision, ret_fault);
    }
    if (decision->kind != ACCEPTED || decision->source >= state->source_count ||
        !state->rules_known || decision->event_ms < INSTANT_MIN_MS ||
        decision->event_ms >= INSTANT_MAX_MS || decision->offset > OFFSET_MAX) {
        return cannot_follow(decision, "no accepted payment of this ledger", ret_fault);
    }
    bool windows = windows_count(&state->windows, decision->event_ms, state->watermark.all_ms);
    if (windows && !windows_fit(&state->windows, &counted, &place)) {
        return windows_full(state, ret_fault);
    }
    enum outcome outcome = add_seed(state, decision, ret_fault);
    if (outcome == DONE && windows) {
        windows_add(&state->windows, &counted, &place);
    }
    return outcome;
}
