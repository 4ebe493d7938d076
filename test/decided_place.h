/*
 * decided_place: an engine's place over a broker double, and an operator who decides in it.
 */
#ifndef TEST_DECIDED_PLACE_H
#define TEST_DECIDED_PLACE_H

#include "engine/decisions.h"
#include "test/broker_double.h"
#include "test/engine_place.h"

/* 2026-02-02: event times begin here; of a topic made anew some minutes later. */
#define DECIDED_BASE INT64_C(1770000000000)
#define DECIDED_ANEW_MS INT64_C(1000000)

extern struct broker broker;

/* A new place that reads so many partitions. */
void decided_make(size_t partition_count);
void decided_unmake(void);

/* So many payments more, 10 ms apart. */
void pay(size_t partition, size_t count);

/* Eve's decisions, as the verbs write them. The number of the file. */
uint64_t accept_gap(const char *topic, uint32_t partition, uint64_t first, uint64_t last);
uint64_t adopt(const char *topic);

/* What became of it; `why`, if it was refused. */
extern char why[DECISIONS_WHY_SIZE];
enum decisions_fate fate(uint64_t number);

/* It does not start, and this is why. */
void start_halts(enum fault_code code);

/* Two partitions of 10 payments are read; then offsets 10 to 14 of the second are gone unread. */
void read_then_lose_by_retention(void);

/* Everything a query answers, with bars between. */
const char *ask_ledger(const char *query);

/* next - start is all that was counted, of every source. */
void balances(void);

#define DECISIONS                                                                                  \
    "SELECT kind, topic, incarnation, partition, first, d.next, who, why, id"                      \
    " FROM payonce_decision d JOIN payonce_cursor c USING (source) ORDER BY decision"

#endif
