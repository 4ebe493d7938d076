/*
 * source_kafka_parts: what the files of the Kafka source share: only they include it.
 */
#ifndef SOURCE_SOURCE_KAFKA_PARTS_H
#define SOURCE_SOURCE_KAFKA_PARTS_H

#include "source/source_kafka.h"

/* What a record asks of the loop. */
enum kafka_step {
    STEP_ON,
    STEP_FULL, /* It does not fit into this block; it comes first in the next one. */
    STEP_ANEW, /* Assigned anew: what has been fetched and not looked at is void. */
    STEP_HALTED,
};

/* Read on from the mark, which must come first, or from next. */
enum kafka_step kafka_assign_at(struct kafka_source *kafka, bool at_mark);

/* An error, or an assignment that must not be trusted any more. */
enum kafka_step kafka_judge_error(struct kafka_source *kafka, const struct kafka_record *record);

/* A warning: something that is right so, and that somebody should know. */
void kafka_say(struct kafka_source *kafka, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Retention has passed the fingerprint and not the cursor: it need not match. */
void kafka_say_passed(struct kafka_source *kafka, uint64_t first);

/* Halts, each with its sentence. */
enum kafka_step kafka_lost(struct kafka_source *kafka, uint64_t first);
enum kafka_step kafka_truncated(struct kafka_source *kafka, uint64_t end);
enum kafka_step kafka_replaced(struct kafka_source *kafka, const char *instead);
enum kafka_step kafka_missing(struct kafka_source *kafka, uint64_t to);
enum kafka_step kafka_beyond(struct kafka_source *kafka, uint64_t offset);

#endif
