/*
 * story: a world is told what to do, in text.
 *
 *     A start | A take 1 | A seal | B start | A deliver | B take 1 | B seal | B deliver = fenced
 *
 * A and B are instances. Each part is one act:
 *     X start, take N, take-from P N, seal, deliver [N], audit, trim, finish     the verbs of the
 * pipeline X kill, power N                    the process dies; the power goes, with damage N X
 * lose, clone Y                    the volume is lost; becomes a copy of Y's X trouble KIND N its
 * ledger's Nth answer from now on: busy, unknown X set NAME N                       a setting, from
 * the next start on: window, retention (s), path (of the ledger); arrival (s), from now on save N,
 * restore N, empty, wipe     the ledger: kept, put back, emptied whole, its row gone hours N the
 * clock goes on
 * `= name` says which fault the act must end with; without it, it must be DONE.
 */
#ifndef TEST_SIM_STORY_H
#define TEST_SIM_STORY_H

#include "test/sim/world.h"

/*
 * Run it. False: an act ended otherwise than told; ret_fault says which, and how. When the power
 * of instance A goes in the middle (its disk is dead), that is where the story ends: true.
 */
MUST_USE bool story_run(struct world *world, const char *story, struct fault *ret_fault);

#endif
