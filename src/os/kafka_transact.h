/*
 * kafka_transact: records and a cursor into Kafka, visible together or not at all.
 *
 * One client with a transactional.id, and a group that nobody joins. The cursor is a committed
 * offset of that group, with a text beside it; it travels in the same transaction as the
 * records. Readers that read committed see all of a transaction or nothing of it.
 *
 * A transaction is no compare-and-set: what keeps a predecessor out is the producer's epoch.
 * kafka_transactor_fence ends what a predecessor left and shuts it out; a cursor read after it
 * stands until our own commit moves it. So: look at the cursor, fence, read it again, write on
 * from exactly there.
 *
 * Once a commit was tried, no error of it says what happened: the broker may have carried it out
 * and the answer was lost, and an abort could then hit the next transaction. Only success, or the
 * cursor read back through a transactor opened and fenced anew, says so: KAFKA_ASK_AGAIN. An
 * error that looks like a fence may also be a transaction that took longer than its timeout;
 * that is for the caller to tell apart, by what the cursor's text says of its owner.
 *
 * Source: KIP-98, KIP-360, KIP-447; librdkafka's rdkafka.h on the transactional producer. The
 * limits of older libraries are those of kafka.h.
 *
 *   - One thread calls all of these.
 *   - Each waits at most KAFKA_WAIT_MS, but for end: KAFKA_TRANSACTION_MS more. When `leaving` is
 *     set the end waits for no broker any more, and says KAFKA_ASK_AGAIN.
 */
#ifndef OS_KAFKA_TRANSACT_H
#define OS_KAFKA_TRANSACT_H

#include "os/kafka.h"

#include <stdatomic.h>

enum {
    KAFKA_TRANSACTION_TOPICS_MAX = 8,
    KAFKA_TRANSACTION_MS = 20000, /* transaction.timeout.ms: so long a dead owner holds readers. */
    KAFKA_CURSOR_TEXT_SIZE = 1024,
    KAFKA_HEADERS_MAX = 8,
};

struct kafka_transactor_settings {
    struct kafka_settings client;
    const char *transactional_id; /* NULL: to read the cursor only; fence and begin are a must. */
    const char *group;
    const atomic_bool *leaving; /* Everybody goes home. Borrowed; NULL: nobody will. */
};

/* Where a cursor stands, and what it says. */
struct kafka_cursor {
    bool exists;
    uint64_t offset;
    char text[KAFKA_CURSOR_TEXT_SIZE]; /* No control characters; zero-terminated. */
};

struct kafka_header {
    const char *name;
    struct span value;
};

/* One record; its partition is chosen by the key, as Java's producers do. Lent for the call. */
struct kafka_outgoing {
    uint32_t topic;   /* As kafka_transactor_topic numbered it. */
    int64_t stamp_ms; /* 0: now. */
    struct span key;
    struct span value; /* at: NULL: a tombstone. */
    const struct kafka_header *headers;
    size_t header_count;
};

enum kafka_end {
    KAFKA_APPLIED,
    KAFKA_NOT_APPLIED, /* Aborted, and no commit was ever tried. */
    KAFKA_ASK_AGAIN,   /* Unknown: close, open, fence, read the cursor. */
    KAFKA_SHUT_OUT,    /* Another transactor holds the id, or ours took too long. */
};

struct kafka_transactor;

/* BROKEN: a setting is refused, or no memory. It does not wait for a broker. */
MUST_USE enum outcome kafka_transactor_open(const struct kafka_transactor_settings *settings,
                                            struct kafka_transactor **ret_transactor,
                                            struct fault *ret_fault);

/*
 * Write to this topic, too; it gets the next number, from 0. LATER: out of reach
 * (FAULT_KAFKA_UNREACHABLE). REFUSED: there is no such topic (FAULT_KAFKA_TOPIC), or no right.
 */
MUST_USE enum outcome kafka_transactor_topic(struct kafka_transactor *transactor, const char *topic,
                                             uint32_t *ret_number, struct fault *ret_fault);

/*
 * The cursor at (topic, partition 0), as committed: waits for what hangs there. LATER: out of
 * reach, or a transaction on it is still open. REFUSED: no right to the group or topic.
 */
MUST_USE enum outcome kafka_transactor_read(struct kafka_transactor *transactor, uint32_t topic,
                                            struct kafka_cursor *ret_cursor,
                                            struct fault *ret_fault);

/*
 * How many offsets the topic's partitions have given out, those of open transactions, too. LATER:
 * out of reach. REFUSED: as above.
 */
MUST_USE enum outcome kafka_transactor_ends(struct kafka_transactor *transactor, uint32_t topic,
                                            uint64_t *ret_sum, struct fault *ret_fault);

/* init_transactions. LATER: out of reach. REFUSED: not allowed, or the id's timeout is. */
MUST_USE enum outcome kafka_transactor_fence(struct kafka_transactor *transactor,
                                             struct fault *ret_fault);

/*
 * After a fence, and with no transaction open. What goes wrong is told by the end; so it is, by
 * KAFKA_ASK_AGAIN, that this client can begin no other: after records of it had failed, or an
 * answer was lost.
 */
void kafka_transactor_begin(struct kafka_transactor *transactor);

/* Copied. Waits for room. What goes wrong is told by the end, and what follows is not sent. */
void kafka_transactor_write(struct kafka_transactor *transactor,
                            const struct kafka_outgoing *record);

/*
 * Set the cursor at (topic, partition 0), and commit; or, if something went wrong before, abort.
 * Anything but KAFKA_APPLIED has a fault: its outcome in ret_outcome is LATER if time mends it
 * (out of reach, too few replicas), REFUSED if not (a record too large, a right missing, a topic
 * gone). After KAFKA_ASK_AGAIN and KAFKA_SHUT_OUT only close is allowed.
 */
MUST_USE enum kafka_end kafka_transactor_end(struct kafka_transactor *transactor, uint32_t topic,
                                             uint64_t offset, const char *text,
                                             enum outcome *ret_outcome, struct fault *ret_fault);

/* The oldest line not taken yet. False: none. */
bool kafka_transactor_line(struct kafka_transactor *transactor, struct kafka_line *ret_line);

/* Without waiting for what is open: whoever fences next ends it. False: as kafka_writer_close. */
bool kafka_transactor_close(struct kafka_transactor *transactor);

#endif
