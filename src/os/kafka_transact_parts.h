/*
 * kafka_transact_parts: what the files of kafka_transact share: only they include it.
 */
#ifndef OS_KAFKA_TRANSACT_PARTS_H
#define OS_KAFKA_TRANSACT_PARTS_H

#include "os/kafka_parts.h"
#include "os/kafka_transact.h"

/* The transaction that is open. */
struct kafka_transaction {
    bool open;    /* Between begin and end. */
    bool begun;   /* The library knows of it. */
    bool dropped; /* Records of it were given up, for a reason that is told elsewhere. */
    bool troubled;
    enum outcome outcome; /* Of its trouble. */
    struct fault fault;
};

struct kafka_transactor {
    struct kafka_client reader; /* Of the cursor; and asks for topics, for it creates none. */
    struct kafka_client writer; /* handle: NULL: it reads only. */
    rd_kafka_consumer_group_metadata_t *group;
    rd_kafka_topic_t *topics[KAFKA_TRANSACTION_TOPICS_MAX]; /* Of the writer, if there is one. */
    uint32_t topic_count;
    uint64_t written; /* Records handed in. */
    bool fenced;
    bool failed;     /* Records did. */
    bool spent;      /* Only close is allowed. */
    uint32_t asked;  /* Kinds of requests that wait for an answer: bits. Atomic, as is the next. */
    bool unanswered; /* One was sent, once, and no answer came. */
    const atomic_bool *leaving;
    struct kafka_transaction transaction;
};

/* A moment so far from now, and how far it still is; 0: it is over. */
int64_t kafka_moment(int in_ms);
int kafka_moment_left(int64_t moment_ns);

/* Of a record that is not written. Called where the writer is polled: in the caller's thread. */
void kafka_transact_failed(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque);

/*
 * What an error of the transaction's asks for, as a fault: LATER or REFUSED. text: the library's
 * words for it, if it had more than the error's own.
 */
enum outcome kafka_transact_fault(struct fault *ret_fault, const char *what,
                                  rd_kafka_resp_err_t error, const char *text);

/* The same of what a call came to, if it was not refused for want of credentials. Destroys it. */
enum outcome kafka_transact_error(const struct kafka_transactor *transactor, const char *what,
                                  rd_kafka_error_t *error, struct fault *ret_fault);

#endif
