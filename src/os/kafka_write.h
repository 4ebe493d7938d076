/*
 * kafka_write: records into Kafka topics, and what became of each.
 *
 * One client. A record is copied when it is handed in, and sent with others by the library's own
 * threads; what became of it comes back once, by the token it was handed in with.
 *
 *   - What is on its way is bounded: room for so many records, reserved at the opening. No room
 *     is LATER; take what has come back, and hand it in again.
 *   - Records of one partition arrive in the order they were handed in.
 *   - An idempotent writer's retries are not doubled, by the brokers' doing, for as long as this
 *     client lives. A plain writer's are, whenever an answer is lost: what careless producers
 *     do, for the simulator. It can also lose answers on purpose: they are really carried out by
 *     the broker, and never arrive here.
 *   - One thread calls all of these. Nothing here waits but what says so.
 */
#ifndef OS_KAFKA_WRITE_H
#define OS_KAFKA_WRITE_H

#include "os/kafka.h"

enum {
    KAFKA_WRITER_TOPICS_MAX = 8,
    KAFKA_WRITER_RECORDS_MAX = 100000, /* On their way at once, at most. */
};

enum kafka_writing {
    KAFKA_PLAIN,
    KAFKA_IDEMPOTENT,
};

struct kafka_writer_settings {
    struct kafka_settings client;
    enum kafka_writing writing;
    size_t capacity; /* Records on their way, 1 to KAFKA_WRITER_RECORDS_MAX. */
    /* Of so many Produce requests one is answered in vain; 0: none. KAFKA_PLAIN only. */
    uint32_t lose_every;
    /* KAFKA_PLAIN only: nothing is sent twice; what had no answer comes back as KAFKA_PERHAPS. */
    bool once;
};

/* One record. What is lent here may go as soon as the call is back. */
struct kafka_message {
    uint32_t topic;    /* As kafka_writer_topic numbered it. */
    int32_t partition; /* KAFKA_PARTITION_BY_KEY: as Java's producers choose (murmur2). */
    int64_t stamp_ms;  /* 0: now. */
    struct span key;   /* at: NULL: none. */
    struct span value; /* at: NULL: a tombstone. */
    uint64_t token;    /* The caller's own. */
};

enum { KAFKA_PARTITION_BY_KEY = -1 };

enum kafka_fate {
    KAFKA_WRITTEN,
    KAFKA_NOT_WRITTEN,
    KAFKA_PERHAPS, /* It was sent, and no answer came in time. */
};

/* No offset is known: the broker had it already, or did not say. */
#define KAFKA_OFFSET_NONE UINT64_MAX

struct kafka_written {
    uint64_t token;
    enum kafka_fate fate;
    int error; /* 0: none. */
    uint32_t partition;
    uint64_t offset;
};

struct kafka_writer;

/* BROKEN: a setting is refused, or no memory. It does not wait for a broker. */
MUST_USE enum outcome kafka_writer_open(const struct kafka_writer_settings *settings,
                                        struct kafka_writer **ret_writer, struct fault *ret_fault);

/*
 * Write to this topic, too; it gets the next number, from 0. Asks the broker, and waits
 * KAFKA_WAIT_MS at most. LATER: out of reach (FAULT_KAFKA_UNREACHABLE). REFUSED: there is no
 * such topic (FAULT_KAFKA_TOPIC), or we may not write to it (FAULT_KAFKA_NOT_ALLOWED).
 */
MUST_USE enum outcome kafka_writer_topic(struct kafka_writer *writer, const char *topic,
                                         uint32_t *ret_number, uint32_t *ret_partition_count,
                                         struct fault *ret_fault);

/*
 * LATER: no room; nothing has changed. REFUSED: this record can never be written (too large).
 * BROKEN: this client writes no more (FAULT_KAFKA_WRITE).
 */
MUST_USE enum outcome kafka_write(struct kafka_writer *writer, const struct kafka_message *message,
                                  struct fault *ret_fault);

/* What has come back, at most `capacity` of it; waits so long for the first. */
size_t kafka_writer_take(struct kafka_writer *writer, int wait_ms,
                         struct kafka_written *ret_written, size_t capacity);

/* Records handed in and not taken back yet. */
size_t kafka_writer_waiting(const struct kafka_writer *writer);

/*
 * Is there something that time does not mend? BROKEN: the client is done for. REFUSED: the
 * brokers do not let us in, or not do this.
 */
MUST_USE enum outcome kafka_writer_trouble(const struct kafka_writer *writer,
                                           struct fault *ret_fault);

/* The oldest line not taken yet. False: none. */
bool kafka_writer_line(struct kafka_writer *writer, struct kafka_line *ret_line);

/*
 * What is still on its way is given up. False: the library did not come to its end within
 * KAFKA_WAIT_MS; then its memory is given up, too.
 */
bool kafka_writer_close(struct kafka_writer *writer);

#endif
