/*
 * simulate_kafka_parts: what the files of the sending share: only they include it.
 */
#ifndef CMD_SIMULATE_KAFKA_PARTS_H
#define CMD_SIMULATE_KAFKA_PARTS_H

#include "cmd/simulate_kafka.h"

enum { RECORDS_ON_THEIR_WAY = 32768, SLICE_MS = 100, MS_NS = 1000000 };

/* For somebody who waits at a prompt there is no later, and nothing to set aside. */
static inline enum outcome firm(enum outcome outcome)
{
    return outcome == DONE ? DONE : BROKEN;
}

/* How a producer behaves. */
enum sending_manner {
    MANNER_OF_SCENARIO, /* Careful, or as careless as the scenario wants it. */
    MANNER_LOSES_ALL,   /* Hears no answer to anything, and sends nothing again. */
};

/* A producer for the topic; the one before is closed, and what it had not written is not lost. */
MUST_USE enum outcome sending_connect(struct kafka_sending *sending, enum sending_manner manner,
                                      struct fault *ret_fault);

/* Hand in the record at this place; waits for room. */
MUST_USE enum outcome sending_hand_in(struct kafka_sending *sending, uint32_t place,
                                      struct fault *ret_fault);

/* One look at what has come back. */
MUST_USE enum outcome sending_take(struct kafka_sending *sending, int wait_ms,
                                   struct fault *ret_fault);

/* Until nothing is waited for any more. */
MUST_USE enum outcome sending_wait_for_all(struct kafka_sending *sending, struct fault *ret_fault);

/* simulate_failover.c: a turn before each record, and the end of what has begun. */
void failover_plan(struct kafka_sending *sending, uint64_t payments);
MUST_USE enum outcome failover_turn(struct kafka_sending *sending, struct fault *ret_fault);
MUST_USE enum outcome failover_end(struct kafka_sending *sending, struct fault *ret_fault);

/* simulate_crash.c: the group's offsets. A look now and then, and a last one. */
MUST_USE enum outcome crash_open(struct kafka_sending *sending, const struct kafka_settings *client,
                                 struct fault *ret_fault);
MUST_USE enum outcome crash_turn(struct kafka_sending *sending, struct fault *ret_fault);
MUST_USE enum outcome crash_end(struct kafka_sending *sending, struct fault *ret_fault);

#endif
