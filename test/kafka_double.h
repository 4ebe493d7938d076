/*
 * kafka_double: a partition of Kafka as a test wants it: what each assignment brings, in words.
 *
 * A test says what the first fetch brings, then what comes after the next assignment, and so
 * on; the story tells at which offsets was assigned, what was given out, and what halted.
 */
#ifndef TEST_KAFKA_DOUBLE_H
#define TEST_KAFKA_DOUBLE_H

#include "test/unit.h"

#include "source/source_kafka.h"

enum {
    FETCHES_MAX = 40,
    RECORDS_MAX = 16,
    STORY_SIZE = 4096,
    LINES_MAX = 64,
    STAMP_MS = 1700000,
};

/* What each assignment brings, one after the other; the last one's is all there is. */
struct fetch {
    size_t count;
    struct kafka_record records[RECORDS_MAX];
};

struct kafka_world {
    struct kafka_partition partition; /* First: the double is found by it. */
    struct clock clock;
    int64_t now_ns;
    struct kafka_source source;
    struct source_block block;
    struct fault fault;
    size_t fetch_count;
    struct fetch fetches[FETCHES_MAX];
    size_t assigned; /* How often. */
    size_t given;    /* Of the fetch of now. */
    size_t at_once;  /* Records a take gives. */
    enum outcome bounds;
    uint64_t first;
    uint64_t end;
    struct kafka_sight sight;
    char story[STORY_SIZE];
    size_t story_size;
    char said[KAFKA_LINE_SIZE]; /* The warning said last. */
    uint8_t bytes[SOURCE_BLOCK_MIN];
    struct source_line lines[LINES_MAX];
};

/* The world of partition 3 of payments, and memory for it. */
struct kafka_world *kafka_world_begin(enum kafka_gaps gaps);
void kafka_world_end(struct kafka_world *world);

/* What follows is brought after one more assignment. */
void next_fetch(struct kafka_world *world);
void brings(struct kafka_world *world, struct kafka_record record);
void brings_records(struct kafka_world *world, uint64_t from, uint64_t to); /* "key", "value" */
void brings_end(struct kafka_world *world, uint64_t offset);
void brings_error(struct kafka_world *world, int error);
struct kafka_record record(uint64_t offset, const char *key, const char *value);

/* The fingerprint of a record, as it was stored. */
struct fingerprint stored(const struct kafka_record *record);

/* Assign with the fingerprint of the record before, or none; a fault is told. */
void assign(struct kafka_world *world, uint64_t next, const struct kafka_record *before);

/* Read until there is nothing more, or something is wrong, and tell it. */
void read_all(struct kafka_world *world);

#endif
