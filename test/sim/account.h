/*
 * account: what must be true of a ledger, whatever happened on the way to it.
 *
 * Each failed check says which invariant (notes: I1 to I6) by a must. Rows are compared with a
 * ledger that was filled without any accident: the same, byte for byte, but for the metrics'
 * versions.
 */
#ifndef TEST_SIM_ACCOUNT_H
#define TEST_SIM_ACCOUNT_H

#include "test/sim/ledger_sim.h"

/* I1, I2, I3, I5, I6 of this ledger. */
void account_check(const struct ledger_store *store);

/* Nothing lost, nothing double: the same rows as in the other ledger. */
void account_compare(const struct ledger_store *store, const struct ledger_store *golden);

/* A follower has what the ledger has, byte for byte; of a window at least the newest version. */
void account_follows(const struct ledger_store *follower, const struct ledger_store *ledger);

/* How many accepted rows have this id. */
size_t account_accepted(const struct ledger_store *store, const char *id);

/* How many messages got this verdict. */
uint64_t account_count(const struct ledger_store *store, uint8_t tally);

#endif
