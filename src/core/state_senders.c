/* Senders: the part of the state that a fold may apply beside all others. */
#include "core/state_parts.h"

#include <string.h>

/* So many records before a payment is added, what that touches is drawn near: in three steps. */
enum { AHEAD_FIRST = 24, AHEAD_NEXT = 16, AHEAD_LAST = 8 };

void state_senders_apart(struct state *state, bool apart)
{
    state->senders_apart = apart;
}

void state_add_sender(struct state *state, const struct decision *decision)
{
    struct velocity_ask payment = {
        .sender_kind = decision->sender_kind,
        .sender = decision->sender,
        .sender_hash = decision->sender_hash,
        .id_kind = decision->id_kind,
        .id = decision->id,
        .long_id = decision->long_id,
        .pair_hash = decision->pair_hash,
        .event_ms = decision->event_ms,
    };

    velocity_add(&state->velocity, &payment);
}

static void draw_near(const struct velocity *velocity, const struct decision *decisions,
                      size_t count)
{
    if (count > AHEAD_FIRST && decisions[AHEAD_FIRST].kind == ACCEPTED) {
        velocity_prefetch(velocity, decisions[AHEAD_FIRST].sender_hash);
    }
    if (count > AHEAD_NEXT && decisions[AHEAD_NEXT].kind == ACCEPTED) {
        velocity_prefetch_sender(velocity, decisions[AHEAD_NEXT].sender_hash, false);
    }
    if (count > AHEAD_LAST && decisions[AHEAD_LAST].kind == ACCEPTED) {
        velocity_prefetch_next(velocity, decisions[AHEAD_LAST].sender_hash);
    }
}

/* Rules that cannot be are refused where the rest of the note is applied. */
static void limit_senders(struct state *state, const struct decision *note)
{
    struct rules rules;

    if (note->text.size == sizeof(rules)) {
        memcpy(&rules, note->text.at, sizeof(rules));
        if (state_rules_sane(&rules)) {
            velocity_limit(&state->velocity, rules.senders_max);
        }
    }
}

void state_apply_senders(struct state *state, const struct decision *decisions, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        const struct decision *decision = &decisions[index];
        draw_near(&state->velocity, decision, count - index);
        if (decision->kind == ACCEPTED) {
            state_add_sender(state, decision);
        } else if (decision->kind == NOTE_RULES) {
            limit_senders(state, decision);
        }
    }
}
