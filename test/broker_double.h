/*
 * broker_double: a broker as the tests of live sources need it: in memory, and at their command.
 *
 * It stands in for a real one where moments must be hit exactly: silence and outage, gaps and
 * markers, a transaction left open, a client that must be made anew. Its feed is opened over a
 * struct broker, which outlives it. All may be called while an intake or an engine runs.
 */
#ifndef TEST_BROKER_DOUBLE_H
#define TEST_BROKER_DOUBLE_H

#include "source/feed.h"

#include <pthread.h>

enum { BROKER_PARTITIONS_MAX = 300, BROKER_RECORD_SIZE = 320 };

struct broker_record {
    uint64_t offset;
    int64_t stamp_ms;
    char text[BROKER_RECORD_SIZE];
};

struct broker_partition {
    struct broker_record *records;
    size_t count;
    size_t capacity;
    uint64_t first;      /* Below it retention has deleted. */
    uint64_t lost_first; /* [lost_first, lost_next) does not come, and that is a halt. */
    uint64_t lost_next;
    unsigned generation;  /* How often the topic was made anew. */
    uint64_t end;         /* Of the next record; markers move it, too. */
    uint64_t stable;      /* UINT64_MAX: the end. */
    enum fault_code code; /* What reading it meets; FAULT_NONE: messages. */
    uint64_t committed;
    bool cut;             /* Nothing is heard of it. */
    uint64_t reads;       /* Calls so far. */
    void (*wake)(void *); /* Of its open source; NULL: none. */
    void *context;
};

struct broker {
    pthread_mutex_t mutex;
    struct broker_partition partitions[BROKER_PARTITIONS_MAX];
    size_t partition_count;
    size_t listed;         /* Partitions, when a feed last asked. */
    bool down;             /* Opening a feed is LATER. */
    enum fault_code list;  /* What listing meets; FAULT_NONE: partitions. */
    bool list_once;        /* It meets that once. */
    unsigned hidden;       /* How often it met that. */
    uint64_t start_offset; /* Of partitions as set. */
    struct source_facts facts;
    unsigned opened; /* Feeds, so far. */
    unsigned closed;
};

extern const struct feed_type feed_double;

void broker_init(struct broker *broker, size_t partition_count);
void broker_free(struct broker *broker);

/* A payment at this event time; its id says where it stands. stamp_ms: INSTANT_NONE for none. */
void broker_pay(struct broker *broker, size_t partition, int64_t event_ms, int64_t stamp_ms);

/* Offsets that are no messages: transaction markers, aborted records. */
void broker_mark(struct broker *broker, size_t partition, uint64_t count);

/* Retention has deleted everything below this offset. */
void broker_retain(struct broker *broker, size_t partition, uint64_t first);

/* Records that are lost: what reads the partition halts before them. */
void broker_lose(struct broker *broker, size_t partition, uint64_t count);

/* The topic is deleted and made anew: empty, from offset 0; what is paid then are other payments.
 */
void broker_recreate(struct broker *broker);

/* Another cluster, or another id of the topic; empty: it does not tell. */
void broker_be(struct broker *broker, const char *cluster, const char *topic_id);

/* From here on a transaction is undecided: its records are not shown. false: it is decided. */
void broker_hang(struct broker *broker, size_t partition, bool hang);

/* Nothing is heard of the partition any more; and again. */
void broker_cut(struct broker *broker, size_t partition, bool cut);

/* One more partition; and: opening a feed is LATER, or not. */
void broker_grow(struct broker *broker);
void broker_down(struct broker *broker, bool down);

/* What listing the partitions meets from now on. */
void broker_hide(struct broker *broker, enum fault_code code);

/* What it meets the next time only: nobody has to be in time to end it. */
void broker_hide_once(struct broker *broker, enum fault_code code);

/* How often listing has met something so far. */
unsigned broker_hidden(struct broker *broker);

/* How many feeds were opened so far. */
unsigned broker_opened(struct broker *broker);

/* How far it was told that we are. */
uint64_t broker_told(struct broker *broker, size_t partition);

/* What reading meets from now on. */
void broker_break(struct broker *broker, size_t partition, enum fault_code code);

#endif
