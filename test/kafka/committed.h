/*
 * committed: what somebody sees of a topic who reads committed records only, from its beginning
 * to its end. The brokers are those of $KAFKA_BOOTSTRAP.
 */
#ifndef TEST_KAFKA_COMMITTED_H
#define TEST_KAFKA_COMMITTED_H

#include "base/base.h"

enum { COMMITTED_TEXT_SIZE = 64 };

struct committed_record {
    int partition;
    int64_t stamp_ms;
    bool tombstone;
    char key[COMMITTED_TEXT_SIZE];
    char value[COMMITTED_TEXT_SIZE];   /* Its beginning. */
    char headers[COMMITTED_TEXT_SIZE]; /* "name=value name=value" */
};

/* How many there are; those that fit are written down, each partition's in its order. */
size_t committed_read(const char *topic, int partition_count, struct committed_record *ret_records,
                      size_t capacity);

#endif
