/*
 * kafka_story: the engine over a topic of a mock cluster, with SQLite for the ledger.
 *
 * Payments are written, something goes wrong, and in the end the ledger holds each of them once.
 * A payment says by its id where it stands ("p0-17"), its record has its event time for a stamp:
 * a partition of the same number and count is the same, byte for byte, on every cluster.
 * There is one story at a time. Whatever is asked for and does not come ends the test.
 */
#ifndef TEST_KAFKA_STORY_H
#define TEST_KAFKA_STORY_H

#include "test/engine_place.h"
#include "test/kafka_mock.h"

enum { STORY_PARTITIONS_MAX = 4, STORY_REQUESTS = 32 };

#define STORY_TOPIC "payment-events"
#define STORY_GROUP "payonce-payments"

struct story {
    struct kafka_mock *mock;
    uint64_t written[STORY_PARTITIONS_MAX]; /* Payments that must come to stand in the ledger. */
    bool failed[STORY_REQUESTS];            /* Requests that met errors (story_fail). */
};

extern struct story story;

/* A cluster of so many brokers, a topic of so many partitions, a place for the engine. */
void story_begin(int broker_count, int partition_count);

/* The ledger is told (story_exact), and all is taken away. */
void story_end(void);

/* The next payments of a partition, so many a batch: a mock cluster sends one batch a fetch. */
void story_pay(int partition, int count, int batch);

/* Payments first to last - 1 of a partition, for a cluster that is not the story's. */
void story_write(struct kafka_mock *mock, int partition, uint64_t first, uint64_t last, int batch);

/* Broker 1 answers its next requests of this kind with this error; by the end it has done so. */
void story_fail(int request, int error, int count);

/* From the next start on these brokers are asked. */
void story_ask(const char *brokers);

/* From the next start on nobody asks a cluster who it is: one copied from another has its id. */
void story_ask_no_id(void);

void story_start(void);

/* The start is refused, and this is why. */
void story_refused(enum fault_code code);

/* So many of the payments written are in the ledger, or all; it waits for that. */
void story_some(uint64_t count);
void story_all(void);

/* How many are by now. */
uint64_t story_count(void);

/* The group's position in partition 0 becomes this. */
void story_committed(int64_t offset);

/* Something is told (place.events) that begins so. */
void story_told(const char *begin);

/* It stops when asked; it has halted by itself, and this is why. */
void story_stop(void);
void story_halted(enum fault_code code);

/* Each payment written stands in the ledger once, in its order, and nothing else does. */
void story_exact(void);

void story_nap(int ms);

#endif
