/*
 * kafka_read_parts: what the files of the reading side share: only they include it.
 */
#ifndef OS_KAFKA_READ_PARTS_H
#define OS_KAFKA_READ_PARTS_H

#include "os/kafka_parts.h"
#include "os/kafka_read.h"

enum { KAFKA_PARTITIONS_MAX = 1024, KAFKA_BROKERS_MAX = 256, KAFKA_TOPIC_MAX = 249 };

/* When a broker last answered a fetch, and the time before: that answer has been looked at. */
struct kafka_broker {
    int32_t number;
    bool up;
    int64_t heard_ns;
    int64_t heard_before_ns;
};

struct kafka_reader;

struct kafka_queue {
    struct kafka_partition partition;
    struct kafka_reader *reader;
    char topic[KAFKA_TOPIC_MAX + 1];
    rd_kafka_queue_t *queue;
    int64_t start; /* The offset assigned last; -1: none yet. */

    /* Of the thread that takes. */
    size_t count;
    rd_kafka_message_t *messages[KAFKA_TAKE_MAX];

    uint64_t next; /* Atomic: what has been given out, and its end, lie before. */
    bool came;     /* Atomic: something has been given out. */
    bool stale;    /* Atomic. */

    pthread_mutex_t mutex;
    const char *stale_text; /* With the mutex, as is all that follows. */
    void (*wake)(void *context);
    void *wake_context;
    struct kafka_sight sight;
    bool met;               /* A leader of it was there. */
    int64_t away_since_ns;  /* Its leader has not been there since; 0: it is. */
    int64_t quiet_since_ns; /* There is more to read, and nothing has come since; 0: not so. */
    uint64_t quiet_next;    /* What next was then. */
};

struct kafka_reader {
    struct kafka_client client;
    pthread_t keeper;
    bool keeping;
    bool stopping;      /* Atomic. */
    int64_t beat_ns;    /* Atomic: when the keeper last looked. */
    bool begun;         /* Atomic. */
    bool commit_failed; /* And has been told. */
    unsigned commits;   /* Atomic: on their way. */
    size_t count;
    struct kafka_queue *queues[KAFKA_PARTITIONS_MAX];

    /* Before it has begun: where partitions begin and end, as far as was asked. NULL: not yet. */
    rd_kafka_topic_partition_list_t *firsts;
    rd_kafka_topic_partition_list_t *nexts;

    pthread_mutex_t mutex; /* The brokers'. */
    size_t broker_count;
    struct kafka_broker brokers[KAFKA_BROKERS_MAX];
};

extern const struct kafka_partition_type kafka_queue_type;

/* What the library's statistics say about one partition. Offsets: -1 and below, not known. */
struct kafka_report {
    const char *topic; /* topic_size bytes of the statistics. */
    size_t topic_size;
    int32_t number;
    int32_t leader;
    int32_t broker; /* That it is fetched from. */
    bool active;
    int64_t first;
    int64_t end;
    int64_t stable;
    int64_t waiting; /* Messages in its queue. */
};

/* Called for each broker (that has a number), then for each partition. */
struct kafka_visitor {
    void (*broker)(void *context, int32_t number, bool up);
    void (*partition)(void *context, const struct kafka_report *report);
    void *context;
};

/* Walk through statistics (JSON). What is not as expected is passed over. */
void kafka_statistics_read(const char *text, size_t size, const struct kafka_visitor *visitor);

int64_t kafka_now_ns(void);

/* Look at the statistics: sights, leaders away, silence. */
void kafka_reader_look(struct kafka_reader *reader, const char *text, size_t size);

/* A broker answered a fetch. */
void kafka_reader_heard(struct kafka_reader *reader, int32_t broker);

/* What was asked before it has begun is old. */
void kafka_reader_forget_bounds(struct kafka_reader *reader);

/* The assignment of this queue must not be trusted any more. */
void kafka_queue_spoil(struct kafka_queue *queue, const char *text);

/* One partition's start, told to the library while the others go on. */
MUST_USE enum outcome kafka_queue_restart(struct kafka_queue *queue, struct fault *ret_fault);

#endif
