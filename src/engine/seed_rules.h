/*
 * seed_rules: by what rules were the payments counted that a journal is rebuilt from?
 *
 * Which window a payment counts in, and whether its region has a row of its own there, was
 * settled by the rules in force when it was accepted. The ledger keeps all rules it was ever
 * given, by epoch; a seed takes from them what the windows that are still open depend on.
 */
#ifndef ENGINE_SEED_RULES_H
#define ENGINE_SEED_RULES_H

#include "engine/pipeline.h"

struct seed_rules {
    struct pipeline *pipeline;
    uint64_t from; /* The rules of this epoch and of later ones are still to come: */
    bool known;    /* the first of them have been read, */
    bool none;     /* or there are none. */
    struct sink_rules next;
};

/*
 * Into the snapshot of the ledger's standing: all rules whose length of windows is in force now or
 * later, the newest last. BROKEN: the ledger's rules are not what its head says.
 */
MUST_USE enum outcome seed_rules_snapshot(struct pipeline *pipeline, struct epoch *snapshot,
                                          struct fault *ret_fault);

void seed_rules_init(struct seed_rules *rules, struct pipeline *pipeline);

/* Before a payment of this epoch: the rules in force there, if new, into the state and the piece.
 */
MUST_USE enum outcome seed_rules_upto(struct seed_rules *rules, uint64_t epoch, struct epoch *piece,
                                      struct fault *ret_fault);

#endif
