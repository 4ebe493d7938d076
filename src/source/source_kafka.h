/*
 * source_kafka: one partition of a Kafka topic, taken without loss and without doubles.
 *
 * The offsets that count are ours; a group's are only told to others. In short:
 *
 *   - Nothing is taken before the record that stands before the cursor has been read once more
 *     and is the same (record_mark.h). Another: topic_replaced. None there: topic_truncated.
 *     Retention has passed it, but not the cursor: reading goes on at the cursor (passed).
 *     Retention has passed the cursor: retention_passed, which says how many are gone.
 *   - Every offset is expected. A lower one is a repeat, dropped and counted. A higher one is
 *     a gap: markers of transactions, aborted records, what compaction took, or a mistake.
 *   - A gap is settled before anything behind it is taken (enum kafka_gaps). The end of the
 *     partition moves next by the same rule.
 *   - A record without a value, or with an empty one, is a message of no bytes. Of one longer
 *     than MESSAGE_SIZE_MAX one byte more is kept, as of a line.
 *   - Bytes damaged on their way are fetched once more, from the fingerprint on; damaged again:
 *     record_damaged. Whatever a new client may mend is source_stale. Everything else halts.
 *
 * What a halt found out stays: the source says it again at each read.
 */
#ifndef SOURCE_SOURCE_KAFKA_H
#define SOURCE_SOURCE_KAFKA_H

#include "os/clock.h"
#include "os/kafka_read.h"
#include "source/feed.h"
#include "source/record_mark.h"

/* What is done about offsets that do not come. */
enum kafka_gaps {
    KAFKA_GAPS_CONFIRM, /* Fetch once more from before the gap: what is missing twice is none. */
    KAFKA_GAPS_STRICT,  /* Halt: nobody writes transactions here, nothing may be missing. */
    KAFKA_GAPS_COUNT,   /* What does not come is none. */
};

enum {
    /* A transaction's end leaves a gap of one offset, rarely two. So many confirmed, and such
     * are believed: to ask each time would be a crawl where every commit leaves one. */
    KAFKA_SMALL_GAP = 2,
    KAFKA_SMALL_GAPS_CONFIRMED = 10,
    KAFKA_END_PATIENCE_MS = 30000, /* A new leader may not show yet all that it has. */
};

struct kafka_counts {
    uint64_t repeated; /* Records that came again. */
    uint64_t gaps;     /* Accepted, and how many offsets they had. */
    uint64_t gap_offsets;
    uint64_t healed; /* Gaps that were the client's mistake: the records came when asked. */
    uint64_t errors; /* That passed by themselves. */
};

struct kafka_source {
    struct source source;
    struct kafka_partition *partition; /* Borrowed, as is the clock. */
    struct clock *clock;
    enum kafka_gaps gaps;

    uint64_t next;           /* Of the record to be given out next. */
    struct record_mark mark; /* Of the last one before it. */
    bool marked;
    bool matched; /* It has been read again since the assignment, or there is none. */
    bool passed;  /* By retention; that is why it was not. */

    uint64_t asked_to; /* Asked once more whether [next, asked_to) is empty; 0: not. */
    unsigned small_gaps;
    bool damaged;           /* Something was, and next has not moved since. */
    int64_t waits_since_ns; /* The end came before the fingerprint; 0: not so. */

    bool sound; /* Atomic: matched and not halted: what is seen of it is a witness. */
    bool halted;
    struct fault fault; /* What it halted with. */
    struct kafka_counts counts;

    size_t at; /* records[at, count) have been taken and not looked at. */
    size_t count;
    struct kafka_record records[KAFKA_TAKE_MAX];
};

extern const struct source_type source_kafka;

/* Where a partition that nobody knows yet begins. */
enum kafka_start { KAFKA_START_EARLIEST, KAFKA_START_LATEST, KAFKA_START_TIME };

/* What feed_open of feed_kafka wants. Lent as long as it is open. */
struct kafka_feed_settings {
    struct kafka_settings client;
    const char *group;
    const char *const *topics;
    size_t topic_count;
    enum kafka_start start;
    int64_t start_ms; /* KAFKA_START_TIME */
    enum kafka_gaps gaps;
    uint64_t queue_bytes; /* What the queues of all partitions may hold together, about. */
    struct clock *clock;
};

extern const struct feed_type feed_kafka;

/* May it be read? BROKEN with FAULT_KAFKA_COMPACTED: messages may vanish from it. LATER. */
MUST_USE enum outcome kafka_topic_fits(struct kafka_reader *reader, const char *topic,
                                       struct fault *ret_fault);

#endif
