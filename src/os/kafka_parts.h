/*
 * kafka_parts: what the files of the door to Kafka share: only they include it.
 */
#ifndef OS_KAFKA_PARTS_H
#define OS_KAFKA_PARTS_H

#include "os/kafka.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>

enum kafka_side { KAFKA_READS, KAFKA_WRITES };

enum kafka_force {
    KAFKA_FORCED, /* Whoever sets it otherwise is refused. */
    KAFKA_CHOSEN, /* The user's own value comes first. */
    KAFKA_OURS,   /* The user's is meant for the other client of a pair; this one's is ours. */
};

/* A property that we set. */
struct kafka_own {
    const char *name;
    const char *value;
    enum kafka_force force;
    bool if_known; /* Older libraries do not know it; then it is left out. */
};

/* Lines between the library's threads and whoever takes them. */
struct kafka_lines {
    pthread_mutex_t mutex;
    uint64_t put; /* Counts, as does taken. */
    uint64_t taken;
    uint64_t dropped; /* Since one was taken. */
    struct kafka_line lines[KAFKA_LINES_MAX];
};

void kafka_lines_init(struct kafka_lines *lines);
void kafka_lines_destroy(struct kafka_lines *lines);

/* Control characters and what is not ASCII are escaped; what is too long is cut. */
void kafka_lines_put(struct kafka_lines *lines, int level, const char *text);
bool kafka_lines_take(struct kafka_lines *lines, struct kafka_line *ret_line);

/*
 * A client. Memory is the caller's, and stays where it is: the library knows its address as
 * its opaque. Whoever opened it serves handle's main queue (rd_kafka_poll), where what it logs
 * and its errors come to lines.
 */
struct kafka_client {
    rd_kafka_t *handle;
    struct kafka_lines lines;
    uint64_t errors; /* Atomic, as are the next three: errors that no partition or message had. */
    int not_allowed; /* The last error of this class; 0: none. */
    int fatal;       /* The error that ended the client; 0: none. */
    int missing;     /* A topic or partition in use is gone, or was; 0: none. */
    void *context;   /* Its owner's own. */
    pthread_mutex_t mutex;
    pthread_cond_t destroyed;
    bool gone;
};

/* What a side sets beside what holds for both. */
struct kafka_plan {
    enum kafka_side side;
    const struct kafka_own *own;
    size_t own_count;
    void (*prepare)(rd_kafka_conf_t *conf); /* Callbacks of the owner's; or NULL. */
    void *context;                          /* client->context from the beginning. */
};

/* BROKEN: a setting is refused, by us or by the library; nothing is open. */
MUST_USE enum outcome kafka_client_open(struct kafka_client *client,
                                        const struct kafka_settings *settings,
                                        const struct kafka_plan *plan, struct fault *ret_fault);

/*
 * Destroys the handle, after whatever stands on it is gone. False: the library did not come to
 * its end within that time; then the client's memory must stay for ever.
 */
MUST_USE bool kafka_client_close(struct kafka_client *client, int timeout_ms);

/* REFUSED, and the error named as a fault: for what the library itself could not do. */
enum outcome kafka_fault(struct fault *ret_fault, enum outcome outcome, enum fault_code code,
                         const char *what, rd_kafka_resp_err_t error);

/*
 * The topic, if a broker says that it is there; the caller destroys it. Waits for an answer,
 * KAFKA_WAIT_MS at most; of a client that nobody else polls. LATER, REFUSED: kafka_client_cannot.
 */
MUST_USE enum outcome kafka_client_topic(struct kafka_client *client, const char *topic,
                                         rd_kafka_topic_t **ret_topic,
                                         uint32_t *ret_partition_count, struct fault *ret_fault);

/*
 * Why nothing can be done with `what`, a topic or what else the brokers were asked for. REFUSED:
 * it is not there, or not for us. LATER: out of reach, and everything else.
 */
enum outcome kafka_client_cannot(struct kafka_client *client, const char *what,
                                 rd_kafka_resp_err_t error, struct fault *ret_fault);

/* The property's one name: librdkafka has several for some. */
const char *kafka_property_name(const char *name);

/* Ours for both sides (kafka_property.c). */
extern const struct kafka_own kafka_own_both[];
extern const size_t kafka_own_both_count;

/* A configuration with everything set. NULL and a fault: something is refused. */
rd_kafka_conf_t *kafka_configure(const struct kafka_settings *settings,
                                 const struct kafka_plan *plan, struct fault *ret_fault);

/*
 * The secret's text, at most size - 1 bytes. BROKEN: not there, not only its owner's, or too
 * long. Whoever asked wipes it.
 */
MUST_USE enum outcome kafka_secret_read(const struct kafka_secret *secret, const char *what,
                                        char *ret_text, size_t size, struct fault *ret_fault);

#endif
