/*
 * simulate_kafka: the simulator's messages into a Kafka topic, and their truth.
 *
 * The key is the transaction id, the partition the one Java's producers would choose. A
 * payment's line of the truth is written when the broker has it, with its partition and offset
 * (empty where the broker did not say); so the order of the lines is that of the answers.
 * Every record is waited for: whoever is told that all went well can rely on it.
 */
#ifndef CMD_SIMULATE_KAFKA_H
#define CMD_SIMULATE_KAFKA_H

#include "cmd/outfile.h"
#include "cmd/simulator.h"
#include "os/kafka_write.h"

enum { SIMULATE_PROPERTIES_MAX = 32, SIMULATE_PLACE_MAX = 1024, SIMULATE_TOPIC_MAX = 249 };

struct simulate_kafka {
    bool wanted;
    char brokers[SIMULATE_PLACE_MAX]; /* "host:port,host:port" */
    char topic[SIMULATE_TOPIC_MAX + 1];
    struct kafka_property properties[SIMULATE_PROPERTIES_MAX]; /* Lent, as is the next. */
    size_t property_count;
    const char *password_file; /* Or NULL. */
    uint32_t lose_every;       /* Not 0: a careless producer, and a network that loses answers. */
    bool quiet;
};

/* "HOST:PORT[,HOST:PORT]/TOPIC". False: it is no such thing. */
MUST_USE bool simulate_kafka_place(const char *text, struct simulate_kafka *ret_kafka);

#define TRUTH_KAFKA_HEADER "transaction_id,amount,currency,event_time,expected,partition,offset\n"

/* A line of the truth whose payment is on its way. */
struct truth_waiting {
    uint32_t next; /* Of those that are free. */
    uint32_t size;
    char line[SIMULATED_TRUTH_SIZE_MAX];
};

struct kafka_sending {
    struct kafka_writer *writer;
    uint32_t topic;
    uint32_t partition_count;
    struct outfile *truth;       /* Lent; NULL: none is asked for. */
    struct truth_waiting *lines; /* Lent. */
    uint32_t free;               /* The first of the lines that are. */
    unsigned said;               /* Lines of the library's. */
    bool silent;
    uint64_t written; /* Records that the broker has. */
    uint64_t bytes;   /* Of values. */
};

size_t kafka_sending_memory_size(void);

/* BROKEN, REFUSED: a setting is wrong, nobody is there, no such topic, not allowed. */
MUST_USE enum outcome kafka_sending_open(struct kafka_sending *sending,
                                         const struct simulate_kafka *kafka, void *memory,
                                         struct fault *ret_fault);

/* Hand it in; waits for room. BROKEN: records before it were not written, or may not be. */
MUST_USE enum outcome kafka_sending_send(struct kafka_sending *sending,
                                         const struct simulated *message, struct fault *ret_fault);

/* Take what comes back, for so long. */
MUST_USE enum outcome kafka_sending_wait(struct kafka_sending *sending, int64_t wait_ns,
                                         struct fault *ret_fault);

/* Until the broker has everything. */
MUST_USE enum outcome kafka_sending_flush(struct kafka_sending *sending, struct fault *ret_fault);

void kafka_sending_close(struct kafka_sending *sending);

#endif
