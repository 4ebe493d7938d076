/* Recording: what a decision adds up to. */
#include "core/state_parts.h"

#include <string.h>

static struct dedup_id id_of(const struct decision *decision)
{
    return (struct dedup_id){decision->id_kind, decision->id, decision->id_hash, decision->long_id};
}

static struct window_payment window_payment_of(const struct decision *decision)
{
    static const char too_long[GROUP_TEXT_MAX + 1];
    struct window_payment payment = {
        .event_ms = decision->event_ms,
        .region = decision->region_size == REGION_OTHER ? (struct span){too_long, sizeof(too_long)}
                                                        : decision->region,
        .amount = {decision->units, decision->scale},
    };

    memcpy(payment.currency, decision->currency, sizeof(payment.currency));
    return payment;
}

static struct tally_entry tally_of(const struct decision *decision)
{
    struct tally_entry entry = {
        .source = decision->source,
        .tally = decision->kind,
        .count = 1,
        .amount = {decision->units, decision->scale},
    };

    memcpy(entry.currency, decision->currency, sizeof(entry.currency));
    return entry;
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

static enum outcome ids_full(const struct state *state, struct fault *ret_fault)
{
    struct dedup_now now = state_now(state);
    uint64_t have = (uint64_t)state->dedup.unit_count * DEDUP_UNIT_SIZE;
    int64_t newest_ms = INSTANT_NONE;

    for (size_t number = 0; number < state->watermark.source_count; number++) {
        if (state->watermark.sources[number].newest_ms > newest_ms) {
            newest_ms = state->watermark.sources[number].newest_ms;
        }
    }
    uint64_t wanted = have;
    if (newest_ms != INSTANT_NONE) {
        wanted = dedup_bytes_wanted(&state->dedup, &now, newest_ms, state->rules.lateness_ms);
    }
    (void)fault_is(ret_fault, BROKEN, FAULT_STATE_FULL,
                   "the memory for ids is full: %llu ids within lateness + retention in %llu MiB",
                   (unsigned long long)state->dedup.entry_count, (unsigned long long)(have >> 20));
    fault_next(ret_fault, "raise state.memory_limit by at least %llu MiB, then start again",
               (unsigned long long)((wanted - have) >> 20) + 1);
    return BROKEN;
}

/* Which parts an accepted payment goes into, besides velocity. */
struct parts {
    bool ids;
    bool windows;
};

static enum outcome make_room(struct state *state, const struct decision *decision,
                              struct parts parts, struct fault *ret_fault)
{
    struct window_payment payment = window_payment_of(decision);
    struct dedup_id id = id_of(decision);
    struct dedup_now now = state_now(state);

    if (parts.windows && !windows_fit(&state->windows, &payment)) {
        return fault_is(ret_fault, BROKEN, FAULT_STATE_FULL,
                        "the memory for open windows is full: %zu windows with %zu groups of "
                        "region and currency",
                        state->windows.window_count, state->windows.group_count);
    }
    if (parts.ids && !dedup_make_room(&state->dedup, &id, &now)) {
        return ids_full(state, ret_fault);
    }
    return DONE;
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

/* An accepted payment that could not have been accepted here. NULL: it could. */
static const char *wrong_accepted(const struct state *state, const struct decision *decision)
{
    struct dedup_id id = id_of(decision);
    struct dedup_now now = state_now(state);
    struct dedup_first first;

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
    return dedup_find(&state->dedup, &id, &now, &first) ? "its id is remembered" : NULL;
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
    return decision->kind == ACCEPTED ? wrong_accepted(state, decision) : NULL;
}

static void remember(struct state *state, const struct decision *decision, struct parts parts)
{
    struct window_payment counted = window_payment_of(decision);
    struct dedup_id id = id_of(decision);
    struct dedup_now now = state_now(state);
    struct dedup_first first = {decision->source, decision->offset, decision->event_ms,
                                decision->digest};
    struct velocity_ask payment = {
        .sender_kind = decision->sender_kind,
        .sender = decision->sender,
        .id_kind = decision->id_kind,
        .id = decision->id,
        .long_id = decision->long_id,
        .pair_hash = decision->pair_hash,
        .event_ms = decision->event_ms,
    };

    velocity_add(&state->velocity, &payment);
    if (parts.ids) {
        dedup_add(&state->dedup, &id, &first, &now);
    }
    if (parts.windows) {
        windows_add(&state->windows, &counted);
    }
}

/* Offsets that nobody has shown: transaction markers, aborted or compacted records. */
static struct tally_entry jump_of(const struct state *state, const struct decision *decision)
{
    uint64_t next = state->watermark.sources[decision->source].next;

    return (struct tally_entry){
        .source = decision->source,
        .tally = SKIPPED,
        .count = decision->offset - next,
    };
}

/* Room in every part it goes into; nothing that can be seen changes. */
static enum outcome check_room(struct state *state, const struct decision *decision,
                               struct fault *ret_fault)
{
    struct tally_entry jump = jump_of(state, decision);
    struct tally_entry entry = tally_of(decision);

    if ((jump.count > 0 && !tallies_fit(&state->tallies, &jump)) ||
        !tallies_fit(&state->tallies, &entry)) {
        return state_totals_full(ret_fault);
    }
    if (decision->kind == ACCEPTED) {
        return make_room(state, decision, (struct parts){true, true}, ret_fault);
    }
    return DONE;
}

static void record(struct state *state, const struct decision *decision)
{
    struct tally_entry jump = jump_of(state, decision);
    struct tally_entry entry = tally_of(decision);

    if (jump.count > 0) {
        tallies_add(&state->tallies, &jump);
    }
    tallies_add(&state->tallies, &entry);
    watermark_take(&state->watermark, decision->source, decision->offset + 1);
    if (decision->kind == ACCEPTED) {
        remember(state, decision, (struct parts){true, true});
    }
    if (moves_watermark(decision)) {
        watermark_see(&state->watermark, decision->source, decision->event_ms);
        state_advance(state);
    }
}

static enum outcome apply_message(struct state *state, const struct decision *decision,
                                  struct fault *ret_fault)
{
    const char *wrong = wrong_message(state, decision);

    if (wrong != NULL) {
        return cannot_follow(decision, wrong, ret_fault);
    }
    enum outcome outcome = check_room(state, decision, ret_fault);
    if (outcome == DONE) {
        record(state, decision);
        struct dedup_now now = state_now(state);
        dedup_sweep(&state->dedup, &now);
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

enum outcome state_seed(struct state *state, const struct decision *decision,
                        struct fault *ret_fault)
{
    struct dedup_now now = state_now(state);
    struct dedup_id id = id_of(decision);
    struct dedup_first first;

    if (decision->kind != ACCEPTED || decision->source >= state->source_count ||
        !state->rules_known || decision->event_ms < INSTANT_MIN_MS ||
        decision->event_ms >= INSTANT_MAX_MS || decision->offset > OFFSET_MAX) {
        return cannot_follow(decision, "no accepted payment of this ledger", ret_fault);
    }
    struct parts parts = {
        .ids = !dedup_forgotten(&now, decision->event_ms),
        .windows = windows_count(&state->windows, decision->event_ms, now.watermark_ms),
    };
    bool again = parts.ids && dedup_find(&state->dedup, &id, &now, &first);
    if (again && decision->event_ms <= first.event_ms) {
        return cannot_follow(decision, "its id is remembered", ret_fault);
    }
    enum outcome outcome = make_room(state, decision, parts, ret_fault);
    if (outcome == DONE && again) { /* Forgotten under rules that kept it for less than these. */
        dedup_forget(&state->dedup, &id, &now);
    }
    if (outcome == DONE) {
        remember(state, decision, parts);
    }
    return outcome;
}
