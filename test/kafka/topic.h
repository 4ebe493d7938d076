/*
 * topic: a topic of a test's own on real brokers, and somebody who writes into it.
 *
 * The brokers are those of $KAFKA_BOOTSTRAP. Names are drawn anew, so that tests may share a
 * cluster. Whatever fails here ends the test.
 */
#ifndef TEST_KAFKA_TOPIC_H
#define TEST_KAFKA_TOPIC_H

#include "base/base.h"

enum { TOPIC_NAME_SIZE = 64 };

struct topic {
    char name[TOPIC_NAME_SIZE];
    void *producer; /* The one without transactions. */
};

/* False: no brokers are named; the test is to be skipped. */
bool topic_brokers(const char **ret_brokers);

void topic_create(struct topic *topic, int partition_count);
void topic_delete(struct topic *topic);
void topic_create_again(struct topic *topic, int partition_count);
void topic_close(struct topic *topic);

/* Records of keys "key-0", "key-1" ... and values "<word>-0", "<word>-1" ... */
void topic_write(struct topic *topic, int partition, const char *word, int count);

/* The same in a transaction of a producer of its own. */
enum transaction { TRANSACTION_COMMITTED, TRANSACTION_ABORTED, TRANSACTION_OPEN };
struct transaction_open;
struct transaction_open *topic_write_transaction(struct topic *topic, int partition,
                                                 const char *word, int count, enum transaction end);
/* A group's offset, with a text beside it, in a transaction that is left open. */
struct transaction_open *topic_offset_in_transaction(struct topic *topic, const char *group,
                                                     int64_t offset, const char *text);
/* Commits one that was left open. */
void topic_commit(struct transaction_open *transaction);

/* Offsets below this one are gone. */
void topic_delete_records(struct topic *topic, int partition, int64_t offset);
void topic_grow(struct topic *topic, int partition_count);

/* A group's committed offset; set it, and read it (-1001: none). */
void topic_commit_offset(struct topic *topic, const char *group, int partition, int64_t offset);
int64_t topic_committed(struct topic *topic, const char *group, int partition);

#endif
