/*
 * live_world: an intake over the partitions of a double of a broker.
 *
 * For the tests of intake with live sources. What it gives is applied as the engine would, to a
 * state of which only the watermarks are alive.
 */
#ifndef TEST_LIVE_WORLD_H
#define TEST_LIVE_WORLD_H

#include "engine/intake.h"
#include "test/broker_double.h"

#define LIVE_BASE INT64_C(1790000000000)
#define LIVE_MINUTE INT64_C(60000)

enum { LIVE_IDLE_AFTER_MS = 250, LIVE_LONG_MS = 600000, LIVE_SOON_MS = 20000 };

struct live_world {
    struct broker broker;
    struct intake *intake;
    struct state *state;
    struct watermark_memory memory;
    struct fault fault;
    int64_t idle_after_ms; /* Of the next start; LIVE_LONG_MS: nothing becomes idle. */
    uint64_t expected[BROKER_PARTITIONS_MAX]; /* The next offset that may come. */
};

extern struct live_world live;

/* cmocka's: once for all tests. */
int live_set_up(void **unused);
int live_tear_down(void **unused);

/* An intake over all the broker's partitions, from their beginnings; stop it, free the broker. */
void live_start(unsigned thread_count, bool to_the_end);
void live_stop(void);

/* The next item that is something, within the time, applied; else INTAKE_NOTHING. */
struct intake_item live_next_item(int64_t within_ms);
void live_expect_message(uint16_t partition, uint64_t offset);

/* So many payments, so far apart. */
void live_pay(size_t partition, size_t count, int64_t from_ms, int64_t step_ms);

#endif
