/*
 * kafka_read: what stands in the partitions of Kafka topics, record by record, with its offset.
 *
 * One client for all partitions, one queue for each. Partitions are assigned at offsets that
 * the caller names; there is no group to join, nothing is committed by itself, and no offset is
 * ever chosen for us. What a queue holds is bounded; whoever does not take is not sent more.
 *
 *   - Records come in the order of their offsets, but with gaps (markers and aborted records
 *     are not given out), perhaps with repeats; what that means is for the caller to judge.
 *   - A partition may be called by one thread at a time; different partitions by different
 *     threads at once, and while others call the reader. In librdkafka (2.0.2 and 2.15.0 read)
 *     rd_kafka_consume_batch_queue takes from a queue under that queue's own lock, what it
 *     touches of the client are atomic counters, of the partition its own lock, and what has
 *     been taken is counted by reference atomically. Nothing else is shared on that way.
 *   - A partition's queue is its own from the beginning: forwarding to the common queue is
 *     switched off before the first fetch, so nothing can stray there.
 *   - What the library has to say is served by a thread of the reader's, never in the way of
 *     the messages.
 *
 * Calls that ask the broker wait KAFKA_WAIT_MS at most and then say LATER.
 */
#ifndef OS_KAFKA_READ_H
#define OS_KAFKA_READ_H

#include "os/kafka.h"

enum {
    KAFKA_OUTAGE_MS = 30000,   /* A leader away for longer may have come back as another. */
    KAFKA_SILENCE_MS = 300000, /* Stable records are there, and nothing comes: a new client. */
};

enum kafka_record_kind {
    KAFKA_RECORD,
    KAFKA_END,   /* No more for now; offset: the one that comes next. */
    KAFKA_ERROR, /* error, text. */
    KAFKA_STALE, /* The assignment must not be trusted any more; text: why. */
};

/* Lent until the partition's next take or assign. */
struct kafka_record {
    enum kafka_record_kind kind;
    bool by_broker; /* The time is the broker's (LogAppendTime), else the producer's. */
    int error;      /* KAFKA_ERROR: the library's number. */
    uint64_t offset;
    int64_t stamp_ms; /* 0 or less: none. */
    struct span key;  /* at: NULL: there is none. */
    struct span value;
    const char *text; /* As it came: may hold anything. */
};

/* What the broker last said about a partition's end. */
struct kafka_sight {
    uint64_t first;  /* The oldest offset that is kept. */
    uint64_t end;    /* High watermark. */
    uint64_t stable; /* Last stable offset. */
    int64_t seen_ns; /* CLOCK_MONOTONIC. 0: not heard of yet, or its leader is out of reach. */
};

struct kafka_partition;

/* As librdkafka gives them; or as a test does. */
struct kafka_partition_type {
    enum outcome (*bounds)(struct kafka_partition *partition, uint64_t *ret_first,
                           uint64_t *ret_next, struct fault *ret_fault);
    enum outcome (*assign)(struct kafka_partition *partition, uint64_t offset,
                           struct fault *ret_fault);
    size_t (*take)(struct kafka_partition *partition, struct kafka_record *ret_records,
                   size_t capacity);
    void (*watch)(struct kafka_partition *partition, void (*wake)(void *context), void *context);
    void (*sight)(struct kafka_partition *partition, struct kafka_sight *ret_sight);
    void (*say)(struct kafka_partition *partition, const char *text);
};

struct kafka_partition {
    const struct kafka_partition_type *type;
    const char *topic;
    uint32_t number;
};

/* Its oldest offset and the one behind its last stable record, asked now. LATER, REFUSED, BROKEN.
 */
static inline MUST_USE enum outcome kafka_partition_bounds(struct kafka_partition *partition,
                                                           uint64_t *ret_first, uint64_t *ret_next,
                                                           struct fault *ret_fault)
{
    return partition->type->bounds(partition, ret_first, ret_next, ret_fault);
}

/* Records from this offset on, and none that was fetched before. */
static inline MUST_USE enum outcome kafka_partition_assign(struct kafka_partition *partition,
                                                           uint64_t offset, struct fault *ret_fault)
{
    return partition->type->assign(partition, offset, ret_fault);
}

/* What has arrived, at most `capacity` (KAFKA_TAKE_MAX is enough); never waits. */
enum { KAFKA_TAKE_MAX = 512 };
static inline size_t kafka_partition_take(struct kafka_partition *partition,
                                          struct kafka_record *ret_records, size_t capacity)
{
    return partition->type->take(partition, ret_records, capacity);
}

/*
 * wake(context) when something has arrived after a take that gave nothing, and once a second, for
 * what depends on time; from any thread, with locks held: it must not call back. NULL: not any
 * more, and none is under way when this returns.
 */
static inline void kafka_partition_watch(struct kafka_partition *partition,
                                         void (*wake)(void *context), void *context)
{
    partition->type->watch(partition, wake, context);
}

static inline void kafka_partition_sight(struct kafka_partition *partition,
                                         struct kafka_sight *ret_sight)
{
    partition->type->sight(partition, ret_sight);
}

/* A line for whoever takes the reader's lines: a warning. */
static inline void kafka_partition_say(struct kafka_partition *partition, const char *text)
{
    partition->type->say(partition, text);
}

struct kafka_reader;

struct kafka_reader_settings {
    struct kafka_settings client;
    const char *group;  /* The name under which positions are committed, for others to see. */
    uint32_t queue_kib; /* What the queue of one partition may hold. */
};

/* BROKEN: a setting is refused. It does not wait for a broker. */
MUST_USE enum outcome kafka_reader_open(const struct kafka_reader_settings *settings,
                                        struct kafka_reader **ret_reader, struct fault *ret_fault);

/*
 * How many partitions has it? LATER: out of reach. REFUSED: there is no such topic
 * (FAULT_SOURCE_MISSING), or we may not read it (FAULT_SOURCE_PERMISSION).
 */
MUST_USE enum outcome kafka_reader_topic(struct kafka_reader *reader, const char *topic,
                                         uint32_t *ret_partition_count, struct fault *ret_fault);

/* The cluster's id; empty: an old broker that has none. */
MUST_USE enum outcome kafka_reader_cluster(struct kafka_reader *reader,
                                           char ret_cluster[KAFKA_CLUSTER_SIZE],
                                           struct fault *ret_fault);

/*
 * The topic's id, which it got when it was created; zeros behind it. Empty: this library (before
 * 2.3.0) or these brokers do not know of any. LATER: whoever knows is out of reach, which says
 * nothing of those who can be read from. REFUSED: we may not ask.
 */
enum { KAFKA_TOPIC_ID_SIZE = 24 };
MUST_USE enum outcome kafka_reader_topic_id(struct kafka_reader *reader, const char *topic,
                                            char ret_id[KAFKA_TOPIC_ID_SIZE],
                                            struct fault *ret_fault);

/*
 * A partition's oldest offset, and the one behind its last stable record. Until the reader has
 * begun: as they were when the first partition of the topic was asked about.
 */
MUST_USE enum outcome kafka_reader_bounds(struct kafka_reader *reader, const char *topic,
                                          uint32_t partition, uint64_t *ret_first,
                                          uint64_t *ret_next, struct fault *ret_fault);

/* The first offset whose record is of this time or later; none: the end. */
MUST_USE enum outcome kafka_reader_offset_at(struct kafka_reader *reader, const char *topic,
                                             uint32_t partition, int64_t time_ms,
                                             uint64_t *ret_offset, struct fault *ret_fault);

/*
 * What is set for the topic, or holds for it by default: "retention.ms", "cleanup.policy". Long
 * values are cut. LATER: out of reach. REFUSED: we may not see it, or there is no such setting.
 */
enum { KAFKA_VALUE_SIZE = 128 };
MUST_USE enum outcome kafka_reader_topic_setting(struct kafka_reader *reader, const char *topic,
                                                 const char *name, char ret_value[KAFKA_VALUE_SIZE],
                                                 struct fault *ret_fault);

/* The same of a broker: what holds for topics that do not say. */
MUST_USE enum outcome kafka_reader_broker_setting(struct kafka_reader *reader, int32_t broker,
                                                  const char *name,
                                                  char ret_value[KAFKA_VALUE_SIZE],
                                                  struct fault *ret_fault);

/* How often the partitions of a topic are there, as the brokers have it now. */
struct kafka_copies {
    uint32_t least;    /* Replicas that each partition has. */
    uint32_t behind;   /* Partitions of which not every replica is in step. */
    uint32_t headless; /* Partitions that nobody leads. */
};
MUST_USE enum outcome kafka_reader_copies(struct kafka_reader *reader, const char *topic,
                                          struct kafka_copies *ret_copies, struct fault *ret_fault);

/* The numbers of the brokers that are up, at most `capacity` of them. LATER. */
MUST_USE enum outcome kafka_reader_brokers(struct kafka_reader *reader, int32_t *ret_numbers,
                                           size_t capacity, size_t *ret_count,
                                           struct fault *ret_fault);

/* The partition's own queue, held by the reader until it is closed. BROKEN: no memory. */
MUST_USE enum outcome kafka_reader_partition(struct kafka_reader *reader, const char *topic,
                                             uint32_t partition,
                                             struct kafka_partition **ret_partition,
                                             struct fault *ret_fault);

/* Every partition asked for has been assigned an offset: fetch. */
MUST_USE enum outcome kafka_reader_begin(struct kafka_reader *reader, struct fault *ret_fault);

/* Tell the group's coordinator, for tools that show a lag. Does not wait; a failure is a line. */
struct kafka_position {
    const char *topic;
    uint32_t partition;
    uint64_t next;
};
void kafka_reader_commit(struct kafka_reader *reader, const struct kafka_position *positions,
                         size_t count);

/* The oldest line not taken yet. False: none. */
bool kafka_reader_line(struct kafka_reader *reader, struct kafka_line *ret_line);

/*
 * No partition is being called. False: the library did not come to its end within
 * KAFKA_CLOSE_MS; then its memory is given up, and nothing else is lost.
 */
enum { KAFKA_CLOSE_MS = 5000 };
bool kafka_reader_close(struct kafka_reader *reader);

#endif
