/*
 * simulate_kafka: the simulator's messages into a Kafka topic, and their truth.
 *
 * The key is the transaction id, the partition the one Java's producers would choose. A
 * payment's line of the truth is written when the broker has it, with its partition and offset
 * (empty where the broker did not say); so the order of the lines is that of the answers.
 * Every record is waited for: whoever is told that all went well can rely on it.
 *
 * Two scenarios are of the sending itself. Failovers (simulate_failover.c): the producer's
 * answers are lost for a while, and a new producer sends again everything that had none; the
 * brokers hold that window twice, its second copy behind whatever stood behind its first. Crashes
 * (simulate_crash.c): the committed offsets of a group go back, again whenever they have moved.
 */
#ifndef CMD_SIMULATE_KAFKA_H
#define CMD_SIMULATE_KAFKA_H

#include "cmd/outfile.h"
#include "cmd/simulator.h"
#include "os/kafka_group.h"
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
    uint32_t failovers;        /* So many times the producer loses its brokers. */
    uint64_t set_back;         /* So far back go the group's offsets; 0: they are let alone. */
    const char *group;         /* Lent. */
    bool quiet;
};

/* "HOST:PORT[,HOST:PORT]/TOPIC". False: it is no such thing. */
MUST_USE bool simulate_kafka_place(const char *text, struct simulate_kafka *ret_kafka);

#define TRUTH_KAFKA_HEADER "transaction_id,amount,currency,event_time,expected,partition,offset\n"

/* A record that is not known to be written yet. */
struct kafka_on_its_way {
    uint32_t
        before;    /* In the order of handing in: a ring, with a place of its own for both ends. */
    uint32_t next; /* The same; or, of a free place, the next that is free. */
    struct simulated message;
};

struct kafka_failover {
    uint64_t every; /* Records from one to the next; 0: none. */
    uint64_t since; /* Records since the last began. */
    uint32_t left;
    bool lost; /* Every answer is, for the time being. */
    int64_t lost_ns;
    uint64_t sent_again; /* Records. */
};

struct kafka_crash {
    struct kafka_group *group;             /* NULL: none. */
    uint64_t stood[SIMULATOR_OUTPUTS_MAX]; /* Where the offsets were left the last time. */
    int64_t due_ns;
    uint64_t set_back; /* So many times, of one partition each. */
};

struct kafka_sending {
    const struct simulate_kafka *kafka; /* Lent. */
    struct kafka_writer *writer;
    uint32_t topic;
    uint32_t partition_count;
    struct outfile *truth;            /* Lent; NULL: none is asked for. */
    struct kafka_on_its_way *records; /* Lent. */
    uint32_t free;                    /* The first of them that is. */
    unsigned said;                    /* Lines of the library's. */
    bool silent;
    uint64_t written; /* Records that the broker has. */
    uint64_t bytes;   /* Of values. */
    struct kafka_failover failover;
    struct kafka_crash crash;
};

size_t kafka_sending_memory_size(void);

/*
 * So many payments are to come. BROKEN, REFUSED: a setting is wrong, nobody is there, no such
 * topic, not allowed.
 */
MUST_USE enum outcome kafka_sending_open(struct kafka_sending *sending,
                                         const struct simulate_kafka *kafka, uint64_t payments,
                                         void *memory, struct fault *ret_fault);

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
