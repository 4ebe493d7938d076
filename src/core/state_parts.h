/*
 * state_parts: what state's own files share; for nobody else.
 */
#ifndef CORE_STATE_PARTS_H
#define CORE_STATE_PARTS_H

#include "core/state.h"

struct dedup_now state_now(const struct state *state);

/* After anything that may let G move: move it, close windows. */
void state_advance(struct state *state);

/*
 * An accepted payment, or one out of a seed, to ids and senders as of now. BROKEN, and nothing
 * changed: its id is remembered, or there is no room.
 */
MUST_USE enum outcome state_add_accepted(struct state *state, const struct state_accepted *accepted,
                                         const struct dedup_now *now, struct fault *ret_fault);
MUST_USE enum outcome state_add_seed(struct state *state, const struct state_accepted *accepted,
                                     const struct dedup_now *now, struct fault *ret_fault);

/* The newest event time of all sources; INSTANT_NONE: none yet. */
int64_t state_newest_ms(const struct state *state);

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
