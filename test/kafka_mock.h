/*
 * kafka_mock: librdkafka's own mock cluster, on loopback, and somebody who writes into it.
 *
 * Good for faults of the network and the brokers; it keeps at most 5 MiB or 100,000 batches of
 * a partition, and knows no transactions.
 */
#ifndef TEST_KAFKA_MOCK_H
#define TEST_KAFKA_MOCK_H

#include "base/base.h"

struct kafka_mock;

/* Requests, as the protocol numbers them. */
enum {
    KAFKA_MOCK_PRODUCE = 0,
    KAFKA_MOCK_FETCH = 1,
    KAFKA_MOCK_LIST_OFFSETS = 2,
    KAFKA_MOCK_OFFSET_COMMIT = 8,
    KAFKA_MOCK_FIND_COORDINATOR = 10,
    KAFKA_MOCK_INIT_PRODUCER_ID = 22,
    KAFKA_MOCK_ADD_PARTITIONS = 24,
    KAFKA_MOCK_ADD_OFFSETS = 25,
    KAFKA_MOCK_END_TRANSACTION = 26,
    KAFKA_MOCK_TRANSACTION_OFFSETS = 28,
};

/* Brokers are numbered from 1. The topic is created with so many partitions. */
struct kafka_mock *kafka_mock_start(int broker_count, const char *topic, int partition_count);
/* One more topic. What is written and asked is the first one's. */
void kafka_mock_topic(struct kafka_mock *mock, const char *topic, int partition_count);
void kafka_mock_stop(struct kafka_mock *mock);

const char *kafka_mock_brokers(const struct kafka_mock *mock); /* "127.0.0.1:40001,..." */

/* One record; value NULL: a tombstone, key NULL: none. Returns when the broker has it. */
void kafka_mock_write(struct kafka_mock *mock, int partition, const char *key, const char *value);

/* "p-0", "p-1" ... from number on, each the key and value of a record. */
void kafka_mock_write_many(struct kafka_mock *mock, int partition, int number, int count);

/* Without waiting, and waiting for all of that. stamp_ms: the record's own time; 0: now. */
void kafka_mock_put(struct kafka_mock *mock, int partition, const char *key, const char *value);
void kafka_mock_put_at(struct kafka_mock *mock, int partition, int64_t stamp_ms, const char *key,
                       const char *value);
void kafka_mock_flush(struct kafka_mock *mock);

/* So many records, each a batch of its own: the oldest batches make room for them. */
void kafka_mock_pour(struct kafka_mock *mock, int partition, int count);

/* How many records a partition holds, aborted ones, too. */
int64_t kafka_mock_stored(struct kafka_mock *mock, int partition);

/* The group's committed offset, as another client reads it; waits until there is one. */
int64_t kafka_mock_committed(struct kafka_mock *mock, const char *group, int partition);

void kafka_mock_lead(struct kafka_mock *mock, int partition, int broker);
void kafka_mock_down(struct kafka_mock *mock, int broker, bool down);

/* Every answer of every broker takes so long on its way from now on. */
void kafka_mock_slow(struct kafka_mock *mock, int round_trip_ms);

/* Who coordinates the group, for whoever asks. */
void kafka_mock_coordinate(struct kafka_mock *mock, const char *group, int broker);

/* The next requests of this kind are answered with this error. */
void kafka_mock_fail(struct kafka_mock *mock, int request, int error, int count);

/* The same of those that this broker gets; and how many of these errors nobody has met yet. */
void kafka_mock_fail_at(struct kafka_mock *mock, int broker, int request, int error, int count);
size_t kafka_mock_unmet(struct kafka_mock *mock, int broker, int request);

/* The topic answers with this error from now on; 0: with none. */
void kafka_mock_topic_error(struct kafka_mock *mock, int error);

#endif
