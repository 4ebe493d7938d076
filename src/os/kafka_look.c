#include "os/kafka_read_parts.h"

#include <string.h>
#include <time.h>

int64_t kafka_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The reader's mutex is held. NULL: more brokers than we keep in mind. */
static struct kafka_broker *broker_of(struct kafka_reader *reader, int32_t number)
{
    for (size_t index = 0; index < reader->broker_count; index++) {
        if (reader->brokers[index].number == number) {
            return &reader->brokers[index];
        }
    }
    if (reader->broker_count == KAFKA_BROKERS_MAX) {
        return NULL;
    }
    struct kafka_broker *broker = &reader->brokers[reader->broker_count++];
    *broker = (struct kafka_broker){.number = number};
    return broker;
}

void kafka_reader_heard(struct kafka_reader *reader, int32_t number)
{
    (void)pthread_mutex_lock(&reader->mutex);
    struct kafka_broker *broker = broker_of(reader, number);
    if (broker != NULL) {
        broker->heard_before_ns = broker->heard_ns;
        broker->heard_ns = kafka_now_ns();
    }
    (void)pthread_mutex_unlock(&reader->mutex);
}

/*
 * When did this broker give the answer before its last? A fetch is sent when the answer to the
 * one before has been looked at, so what that one said is in the statistics. 0: it is away.
 */
static int64_t heard_of(struct kafka_reader *reader, int32_t number)
{
    int64_t heard_ns = 0;

    (void)pthread_mutex_lock(&reader->mutex);
    struct kafka_broker *broker = number < 0 ? NULL : broker_of(reader, number);
    if (broker != NULL && broker->up) {
        heard_ns = broker->heard_before_ns;
    }
    (void)pthread_mutex_unlock(&reader->mutex);
    return heard_ns;
}

static bool broker_up(struct kafka_reader *reader, int32_t number)
{
    (void)pthread_mutex_lock(&reader->mutex);
    struct kafka_broker *broker = number < 0 ? NULL : broker_of(reader, number);
    bool up = broker != NULL && broker->up;
    (void)pthread_mutex_unlock(&reader->mutex);
    return up;
}

static void look_at_broker(void *context, int32_t number, bool up)
{
    struct kafka_reader *reader = context;

    (void)pthread_mutex_lock(&reader->mutex);
    struct kafka_broker *broker = broker_of(reader, number);
    if (broker != NULL) {
        broker->up = up;
    }
    (void)pthread_mutex_unlock(&reader->mutex);
}

static struct kafka_queue *queue_of(struct kafka_reader *reader, const struct kafka_report *report)
{
    for (size_t index = 0; index < reader->count; index++) {
        struct kafka_queue *queue = reader->queues[index];
        if (report->number >= 0 && queue->partition.number == (uint32_t)report->number &&
            strlen(queue->topic) == report->topic_size &&
            memcmp(queue->topic, report->topic, report->topic_size) == 0) {
            return queue;
        }
    }
    return NULL;
}

static void see(struct kafka_queue *queue, const struct kafka_report *report, int64_t heard_ns)
{
    bool known = report->active && report->leader == report->broker && report->end >= 0 &&
                 report->stable >= 0 && report->stable <= report->end;

    if (known) {
        queue->sight.first = report->first < 0 ? 0 : (uint64_t)report->first;
        queue->sight.end = (uint64_t)report->end;
        queue->sight.stable = (uint64_t)report->stable;
    }
    queue->sight.seen_ns = known ? heard_ns : 0;
}

/*
 * Longer away than an outage may be: whoever leads now may have another past. Of one that was
 * never there nothing has come yet, and what comes first is compared. (A leader may give records
 * and be gone before anybody has looked.)
 */
static const char *judge_leader(struct kafka_queue *queue, bool up, int64_t now_ns)
{
    if (up) {
        queue->met = true;
        queue->away_since_ns = 0;
        return NULL;
    }
    if (!queue->met && !__atomic_load_n(&queue->came, __ATOMIC_RELAXED)) {
        return NULL;
    }
    if (queue->away_since_ns == 0) {
        queue->away_since_ns = now_ns;
    }
    return now_ns - queue->away_since_ns > KAFKA_OUTAGE_MS * INT64_C(1000000)
               ? "its leader was out of reach for longer than 30 s"
               : NULL;
}

/* A partition that has more, and is silent: the client may have lost its way. */
static const char *judge_silence(struct kafka_queue *queue, const struct kafka_report *report,
                                 int64_t now_ns)
{
    uint64_t next = __atomic_load_n(&queue->next, __ATOMIC_RELAXED);
    bool more = queue->sight.seen_ns > 0 && queue->sight.stable > next && report->waiting == 0;

    if (!more || queue->quiet_since_ns == 0 || queue->quiet_next != next) {
        queue->quiet_since_ns = more ? now_ns : 0;
        queue->quiet_next = next;
        return NULL;
    }
    return now_ns - queue->quiet_since_ns > KAFKA_SILENCE_MS * INT64_C(1000000)
               ? "there is more to read, and nothing has come for five minutes"
               : NULL;
}

static void look_at_partition(void *context, const struct kafka_report *report)
{
    struct kafka_reader *reader = context;
    struct kafka_queue *queue = queue_of(reader, report);
    int64_t now_ns = kafka_now_ns();

    if (queue == NULL || !__atomic_load_n(&reader->begun, __ATOMIC_ACQUIRE)) {
        return;
    }
    int64_t heard_ns = heard_of(reader, report->leader);
    (void)pthread_mutex_lock(&queue->mutex);
    see(queue, report, heard_ns);
    const char *silence = judge_silence(queue, report, now_ns);
    const char *text = judge_leader(queue, broker_up(reader, report->leader), now_ns);
    if (queue->wake != NULL) {
        queue->wake(queue->wake_context);
    }
    (void)pthread_mutex_unlock(&queue->mutex);
    if (text != NULL || silence != NULL) {
        kafka_queue_spoil(queue, text != NULL ? text : silence);
    }
}

void kafka_reader_look(struct kafka_reader *reader, const char *text, size_t size)
{
    const struct kafka_visitor visitor = {look_at_broker, look_at_partition, reader};

    kafka_statistics_read(text, size, &visitor);
}
