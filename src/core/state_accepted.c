/* Ids and senders of accepted payments: what a fold may apply beside all the rest. */
#include "core/state_parts.h"

#include <string.h>

_Static_assert(sizeof(struct state_accepted) <= 2 * STATE_LINE, "two cache lines");

void state_accepted_apart(struct state *state, bool apart)
{
    state->accepted_apart = apart;
    state->apart = (struct state_apart){
        .retention_ms = state->rules.retention_ms,
        .lateness_ms = state->rules.lateness_ms,
        .newest_ms = state_newest_ms(state),
    };
}

/* Rules that cannot be leave nothing: they are refused where the rest of the note is applied. */
static bool leave_rules(const struct state *state, const struct decision *note,
                        struct state_accepted *ret_accepted)
{
    struct rules rules;

    if (note->text.size != sizeof(rules)) {
        return false;
    }
    memcpy(&rules, note->text.at, sizeof(rules));
    *ret_accepted = (struct state_accepted){
        .payment = {.id_kind = IDENT_NONE},
        .watermark_ms = state->watermark.all_ms,
        .retention_ms = rules.retention_ms,
        .lateness_ms = rules.lateness_ms,
        .senders_max = rules.senders_max,
    };
    return state_rules_sane(&rules);
}

bool state_leave_accepted(const struct state *state, const struct decision *decision,
                          struct state_accepted *ret_accepted)
{
    struct velocity_ask *payment = &ret_accepted->payment;

    if (decision->kind != ACCEPTED) {
        return decision->kind == NOTE_RULES && leave_rules(state, decision, ret_accepted);
    }
    payment->sender_kind = decision->sender_kind;
    payment->sender = decision->sender;
    payment->sender_hash = decision->sender_hash;
    payment->id_kind = decision->id_kind;
    payment->id = decision->id;
    payment->long_id.at = decision->long_id.at;
    payment->long_id.size = decision->long_id.size;
    payment->pair_hash = decision->pair_hash;
    payment->event_ms = decision->event_ms;
    ret_accepted->id_hash = decision->id_hash;
    ret_accepted->offset = decision->offset;
    ret_accepted->watermark_ms = state->watermark.all_ms;
    ret_accepted->digest = decision->digest;
    ret_accepted->source = decision->source;
    return true;
}

void state_prefetch_accepted(const struct state *state, const struct state_accepted *accepted,
                             enum state_step step)
{
    switch (step) {
    case STATE_FAR:
        dedup_prefetch(&state->dedup, accepted->id_hash);
        velocity_prefetch(&state->velocity, accepted->payment.sender_hash);
        return;
    case STATE_NEAR:
        dedup_prefetch_slot(&state->dedup, accepted->id_hash);
        velocity_prefetch_sender(&state->velocity, accepted->payment.sender_hash, false);
        return;
    case STATE_NEXT:
        velocity_prefetch_next(&state->velocity, accepted->payment.sender_hash);
        return;
    }
}

static struct dedup_id id_of(const struct state_accepted *accepted)
{
    return (struct dedup_id){
        .kind = accepted->payment.id_kind,
        .ident = accepted->payment.id,
        .hash = accepted->id_hash,
        .text = accepted->payment.long_id,
    };
}

static enum outcome remembered(const struct state_accepted *accepted, struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                    "a record of kind %d, source %d, offset %llu cannot follow: its id is "
                    "remembered",
                    ACCEPTED, accepted->source, (unsigned long long)accepted->offset);
}

static enum outcome ids_full(const struct dedup *dedup, const struct dedup_now *now,
                             const struct state_apart *needs, struct fault *ret_fault)
{
    uint64_t have = (uint64_t)dedup->unit_count * DEDUP_UNIT_SIZE;
    uint64_t wanted = have;

    if (needs->newest_ms != INSTANT_NONE) {
        wanted = dedup_bytes_wanted(dedup, now, needs->newest_ms, needs->lateness_ms);
    }
    (void)fault_is(ret_fault, BROKEN, FAULT_STATE_FULL,
                   "the memory for ids is full: %llu ids within lateness + retention in %llu MiB",
                   (unsigned long long)dedup->entry_count, (unsigned long long)(have >> 20));
    fault_next(ret_fault, "raise state.memory_limit by at least %llu MiB, then start again",
               (unsigned long long)((wanted - have) >> 20) + 1);
    return BROKEN;
}

static enum outcome no_room(const struct state *state, const struct dedup_now *now,
                            struct fault *ret_fault)
{
    struct state_apart needs = state->apart;

    if (!state->accepted_apart) {
        needs.lateness_ms = state->rules.lateness_ms;
        needs.newest_ms = state_newest_ms(state);
    }
    return ids_full(&state->dedup, now, &needs, ret_fault);
}

static void add(struct state *state, const struct state_accepted *accepted,
                const struct dedup_id *id, const struct dedup_now *now)
{
    struct dedup_first first = {accepted->source, accepted->offset, accepted->payment.event_ms,
                                accepted->digest};

    dedup_add(&state->dedup, id, &first, now);
}

enum outcome state_add_accepted(struct state *state, const struct state_accepted *accepted,
                                const struct dedup_now *now, struct fault *ret_fault)
{
    struct dedup_id id = id_of(accepted);
    struct dedup_first first;

    if (dedup_find(&state->dedup, &id, now, &first)) {
        return remembered(accepted, ret_fault);
    }
    if (!dedup_make_room(&state->dedup, &id, now)) {
        return no_room(state, now, ret_fault);
    }
    add(state, accepted, &id, now);
    velocity_add(&state->velocity, &accepted->payment);
    return DONE;
}

static enum outcome add_seed_id(struct state *state, const struct state_accepted *accepted,
                                const struct dedup_now *now, struct fault *ret_fault)
{
    struct dedup_id id = id_of(accepted);
    struct dedup_first first;
    bool again = dedup_find(&state->dedup, &id, now, &first);

    if (again && accepted->payment.event_ms <= first.event_ms) {
        return remembered(accepted, ret_fault);
    }
    if (!dedup_make_room(&state->dedup, &id, now)) {
        return no_room(state, now, ret_fault);
    }
    if (again) { /* Forgotten under rules that kept it for less than these. */
        dedup_forget(&state->dedup, &id, now);
    }
    add(state, accepted, &id, now);
    return DONE;
}

enum outcome state_add_seed(struct state *state, const struct state_accepted *accepted,
                            const struct dedup_now *now, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    if (!dedup_forgotten(now, accepted->payment.event_ms)) {
        outcome = add_seed_id(state, accepted, now, ret_fault);
    }
    if (outcome == DONE) {
        velocity_add(&state->velocity, &accepted->payment);
    }
    return outcome;
}

static void apply_rules(struct state *state, const struct state_accepted *rules)
{
    struct dedup_now before = {rules->watermark_ms, state->apart.retention_ms};

    if (rules->retention_ms > before.retention_ms) {
        dedup_sweep_all(&state->dedup, &before); /* What was forgotten stays so. */
    }
    state->apart.retention_ms = rules->retention_ms;
    state->apart.lateness_ms = rules->lateness_ms;
    velocity_limit(&state->velocity, rules->senders_max);
}

enum outcome state_apply_accepted(struct state *state, const struct state_accepted *accepted,
                                  struct fault *ret_fault)
{
    struct dedup_now now = {accepted->watermark_ms, state->apart.retention_ms};

    if (accepted->payment.id_kind == IDENT_NONE) {
        apply_rules(state, accepted);
        return DONE;
    }
    if (accepted->payment.event_ms > state->apart.newest_ms) {
        state->apart.newest_ms = accepted->payment.event_ms;
    }
    enum outcome outcome = state_add_accepted(state, accepted, &now, ret_fault);
    dedup_sweep(&state->dedup, &now);
    return outcome;
}

enum outcome state_seed_accepted(struct state *state, const struct state_accepted *accepted,
                                 struct fault *ret_fault)
{
    struct dedup_now now = {accepted->watermark_ms, state->apart.retention_ms};

    if (accepted->payment.id_kind == IDENT_NONE) {
        velocity_limit(&state->velocity, accepted->senders_max);
        return DONE;
    }
    return state_add_seed(state, accepted, &now, ret_fault);
}
