/*
 * state_parts: what state's own files share; for nobody else.
 */
#ifndef CORE_STATE_PARTS_H
#define CORE_STATE_PARTS_H

#include "core/state.h"

struct dedup_now state_now(const struct state *state);

/* After anything that may let G move: move it, close windows. */
void state_advance(struct state *state);

/* An accepted payment, to its sender. */
void state_add_sender(struct state *state, const struct decision *decision);

MUST_USE enum outcome state_apply_note(struct state *state, const struct decision *note,
                                       struct fault *ret_fault);

/* Rules among the payments of a seed: what they say of groups and senders only. */
MUST_USE enum outcome state_seed_rules(struct state *state, const struct decision *note,
                                       struct fault *ret_fault);

/* May these rules be in force? Whatever stands in a journal must not break what follows. */
bool state_rules_sane(const struct rules *rules);

/* Totals are full, or a sum is beyond 128 bits. */
enum outcome state_totals_full(struct fault *ret_fault);

#endif
