/*
 * transact_place: a topic of a test's own, and a transactor that writes into it.
 */
#ifndef TEST_KAFKA_TRANSACT_PLACE_H
#define TEST_KAFKA_TRANSACT_PLACE_H

#include "os/kafka_transact.h"
#include "test/kafka/committed.h"
#include "test/kafka/topic.h"

enum { PLACE_PARTITIONS = 3, PLACE_ROWS = 500, PLACE_SEEN_MAX = 2000 };

struct place {
    struct topic topic;
    int64_t made_ms;
    struct kafka_settings client;
    struct kafka_transactor *transactor;
    struct kafka_cursor cursor; /* As read last. */
    enum outcome outcome;       /* Of the end that was not KAFKA_APPLIED. */
    struct fault fault;
    struct committed_record seen[PLACE_SEEN_MAX];
};

/* brokers: NULL: those of $KAFKA_BOOTSTRAP. */
struct place *place_make(const char *brokers);
void place_end(struct place *place);

/* Opens a transactor, and finds the topic. */
enum outcome place_open(struct place *place, bool writes);
void place_let_go(struct place *place);

/* Opens, fences, reads the cursor; what hangs there is waited for. */
void place_take_over(struct place *place);

enum outcome place_read_cursor(struct place *place);
void place_assert_cursor(struct place *place, uint64_t offset, const char *text);

/*
 * Rows "<word>-0", "<word>-1" ... with values "<word>-value-0" ..., of the times made_ms,
 * made_ms + 1 ...: not of long ago, for the brokers soon forget what is.
 */
void place_write(struct place *place, const char *word);

/* Begin, write, end: the cursor's text is the word. */
enum kafka_end place_deliver(struct place *place, const char *word, uint64_t offset);
enum kafka_end place_finish(struct place *place, uint64_t offset, const char *text);

/* How many records somebody sees who reads committed ones. */
size_t place_see(struct place *place);

void place_nap(int ms);

#endif
