#include "test/transact_double.h"

#include "base/siphash.h"
#include "os/kafka_read.h"
#include "os/kafka_transact.h"

#include <stdlib.h>
#include <string.h>

enum { CLIENTS_MAX = 64, TOPICS_MAX = 8, TOPIC_SIZE = 64, PENDING_MAX = 4096 };

/* A transaction's end as it travels, or as it is carried out. */
struct double_end {
    bool there;
    uint64_t offset;
    char text[KAFKA_CURSOR_TEXT_SIZE];
};

struct kafka_transactor {
    uint64_t epoch; /* 0: it has not fenced. */
    bool open;
    bool spent;
    bool outrun;
    bool fails; /* What is open will be aborted. */
    uint32_t topic_count;
    uint32_t topics[KAFKA_TRANSACTION_TOPICS_MAX];
};

static struct {
    uint64_t seed;
    uint64_t thrown;
    struct double_odds odds;
    char topics[TOPICS_MAX][TOPIC_SIZE];
    bool written[TOPICS_MAX];
    uint32_t topic_count;
    bool gone; /* The topics. */
    bool cursor_there;
    uint64_t cursor_offset;
    char cursor[KAFKA_CURSOR_TEXT_SIZE];
    uint64_t epoch;         /* Of the producer that may write. */
    bool open;              /* Its transaction, */
    struct double_end late; /* and the end of it that is still on its way. */
    size_t pending_count;
    struct double_record *records; /* Committed ones, and behind them the pending. */
    size_t record_count;
    uint64_t commits;
    struct kafka_transactor *clients[CLIENTS_MAX];
    size_t client_count;
} cluster;

static bool happens(uint32_t thousandths)
{
    const struct siphash_key key = {cluster.seed, 1};
    uint64_t number = siphash_words(&key, &cluster.thrown, 1);

    cluster.thrown++;
    return number % 1000 < thousandths;
}

void double_start(uint64_t seed, const struct double_odds *odds)
{
    memset(&cluster, 0, sizeof(cluster));
    cluster.seed = seed;
    cluster.odds = *odds;
    cluster.records = calloc(DOUBLE_COMMITS_MAX + PENDING_MAX, sizeof(cluster.records[0]));
    must(cluster.records != NULL);
}

void double_forget_clients(void)
{
    for (size_t index = 0; index < cluster.client_count; index++) {
        free(cluster.clients[index]);
    }
    cluster.client_count = 0;
}

void double_stop(void)
{
    double_forget_clients();
    free(cluster.records);
}

void double_set_odds(const struct double_odds *odds)
{
    cluster.odds = *odds;
}

const char *double_cursor(void)
{
    return cluster.cursor_there ? cluster.cursor : NULL;
}

void double_set_cursor(const char *text, uint64_t offset)
{
    cluster.cursor_there = text != NULL;
    cluster.cursor_offset = offset;
    memcpy(cluster.cursor, text == NULL ? "" : text, text == NULL ? 1 : strlen(text) + 1);
}

void double_empty(void)
{
    memset(cluster.written, 0, sizeof(cluster.written));
    cluster.cursor_there = false;
    cluster.record_count = 0;
}

void double_take_away(bool gone)
{
    double_empty();
    cluster.gone = gone;
}

size_t double_record_count(void)
{
    return cluster.record_count;
}

const struct double_record *double_record(size_t index)
{
    must(index < cluster.record_count);
    return &cluster.records[index];
}

uint64_t double_commit_count(void)
{
    return cluster.commits;
}

/* The open transaction comes to its end. */
static void end_open(const struct double_end *end)
{
    if (end != NULL) {
        cluster.commits++;
        for (size_t index = 0; index < cluster.pending_count; index++) {
            struct double_record *record = &cluster.records[cluster.record_count + index];
            record->commit = cluster.commits;
            cluster.written[record->topic] = true;
        }
        cluster.record_count += cluster.pending_count;
        must(cluster.record_count <= DOUBLE_COMMITS_MAX);
        double_set_cursor(end->text, end->offset);
    }
    cluster.pending_count = 0;
    cluster.open = false;
    cluster.late.there = false;
}

static enum outcome nobody(struct fault *ret_fault)
{
    return fault_is(ret_fault, LATER, FAULT_KAFKA_UNREACHABLE, "nobody answers");
}

enum outcome kafka_transactor_open(const struct kafka_transactor_settings *settings,
                                   struct kafka_transactor **ret_transactor,
                                   struct fault *ret_fault)
{
    (void)settings, (void)ret_fault;
    must(cluster.client_count < CLIENTS_MAX);
    *ret_transactor = calloc(1, sizeof(**ret_transactor));
    must(*ret_transactor != NULL);
    cluster.clients[cluster.client_count++] = *ret_transactor;
    return DONE;
}

bool kafka_transactor_close(struct kafka_transactor *transactor)
{
    size_t index = 0;

    while (index < cluster.client_count && cluster.clients[index] != transactor) {
        index++;
    }
    must(index < cluster.client_count);
    cluster.clients[index] = cluster.clients[--cluster.client_count];
    free(transactor);
    return true;
}

bool kafka_transactor_line(struct kafka_transactor *transactor, struct kafka_line *ret_line)
{
    (void)transactor, (void)ret_line;
    return false;
}

static uint32_t number_of(const char *topic)
{
    uint32_t number = 0;

    while (number < cluster.topic_count && strcmp(cluster.topics[number], topic) != 0) {
        number++;
    }
    if (number == cluster.topic_count) {
        must(number < TOPICS_MAX && strlen(topic) < TOPIC_SIZE);
        memcpy(cluster.topics[cluster.topic_count++], topic, strlen(topic) + 1);
    }
    return number;
}

enum outcome kafka_transactor_topic(struct kafka_transactor *transactor, const char *topic,
                                    uint32_t *ret_number, struct fault *ret_fault)
{
    if (happens(cluster.odds.unreachable)) {
        return nobody(ret_fault);
    }
    if (cluster.gone) {
        return fault_is(ret_fault, REFUSED, FAULT_KAFKA_TOPIC, "topic %s is not there", topic);
    }
    *ret_number = transactor->topic_count;
    transactor->topics[transactor->topic_count++] = number_of(topic);
    return DONE;
}

enum outcome kafka_transactor_ends(struct kafka_transactor *transactor, uint32_t topic,
                                   uint64_t *ret_sum, struct fault *ret_fault)
{
    must(topic < transactor->topic_count);
    if (happens(cluster.odds.unreachable)) {
        return nobody(ret_fault);
    }
    *ret_sum = 0;
    for (size_t index = 0; index < cluster.record_count; index++) {
        *ret_sum += cluster.records[index].topic == transactor->topics[topic] ? 1 : 0;
    }
    return DONE;
}

/* An end that was lost on its way arrives after all, sometimes, before somebody fences. */
static void arrive(void)
{
    if (cluster.late.there && happens(300)) {
        end_open(&cluster.late);
    }
}

enum outcome kafka_transactor_read(struct kafka_transactor *transactor, uint32_t topic,
                                   struct kafka_cursor *ret_cursor, struct fault *ret_fault)
{
    must(topic < transactor->topic_count && !transactor->open);
    arrive();
    if (happens(cluster.odds.unreachable)) {
        return nobody(ret_fault);
    }
    ret_cursor->exists = cluster.cursor_there;
    ret_cursor->offset = cluster.cursor_offset;
    memcpy(ret_cursor->text, cluster.cursor, sizeof(ret_cursor->text));
    return DONE;
}

enum outcome kafka_transactor_fence(struct kafka_transactor *transactor, struct fault *ret_fault)
{
    must(transactor->epoch == 0 && !transactor->open && !transactor->spent);
    arrive();
    if (happens(cluster.odds.unreachable)) {
        return nobody(ret_fault);
    }
    if (cluster.open) {
        end_open(NULL);
    }
    cluster.epoch++;
    if (transactor->outrun || happens(cluster.odds.outrun)) {
        transactor->outrun = true;
        return fault_is(ret_fault, LATER, FAULT_FENCED, "another one has fenced");
    }
    if (happens(cluster.odds.answer_lost)) {
        return nobody(ret_fault);
    }
    transactor->epoch = cluster.epoch;
    return DONE;
}

void kafka_transactor_begin(struct kafka_transactor *transactor)
{
    must(transactor->epoch > 0 && !transactor->open && !transactor->spent);
    transactor->open = true;
    transactor->fails = happens(cluster.odds.aborted);
}

void kafka_transactor_write(struct kafka_transactor *transactor,
                            const struct kafka_outgoing *record)
{
    must(transactor->open && record->topic < transactor->topic_count);
    must(record->key.size <= DOUBLE_TEXT_SIZE && record->value.size <= DOUBLE_VALUE_SIZE);
    if (transactor->epoch != cluster.epoch) {
        transactor->fails = true; /* It was fenced. */
        return;
    }
    must(cluster.pending_count < PENDING_MAX);
    cluster.open = true;
    struct double_record *kept = &cluster.records[cluster.record_count + cluster.pending_count++];
    kept->topic = transactor->topics[record->topic];
    kept->key_size = record->key.size;
    kept->value_size = record->value.size;
    if (record->key.size > 0) {
        memcpy(kept->key, record->key.at, record->key.size);
    }
    memcpy(kept->value, record->value.at, record->value.size);
}

static enum kafka_end lost(struct kafka_transactor *transactor, enum kafka_end end)
{
    transactor->spent = end != KAFKA_NOT_APPLIED;
    return end;
}

enum kafka_end kafka_transactor_end(struct kafka_transactor *transactor, uint32_t topic,
                                    uint64_t offset, const char *text, enum outcome *ret_outcome,
                                    struct fault *ret_fault)
{
    struct double_end end = {.there = true, .offset = offset};

    must(transactor->open && topic < transactor->topic_count);
    must(strcmp(cluster.topics[transactor->topics[topic]], "accepted") == 0);
    memcpy(end.text, text, strlen(text) + 1);
    transactor->open = false;
    *ret_outcome = nobody(ret_fault);
    if (transactor->epoch != cluster.epoch) {
        return lost(transactor, KAFKA_SHUT_OUT);
    }
    cluster.open = true;
    if (happens(cluster.odds.too_slow)) {
        end_open(NULL);
        cluster.epoch++; /* The coordinator's own doing. */
        return lost(transactor, KAFKA_SHUT_OUT);
    }
    if (transactor->fails) {
        end_open(NULL);
        return lost(transactor, KAFKA_NOT_APPLIED);
    }
    if (happens(cluster.odds.late_commit)) {
        cluster.late = end;
        return lost(transactor, KAFKA_ASK_AGAIN);
    }
    end_open(&end);
    return happens(cluster.odds.answer_lost) ? lost(transactor, KAFKA_ASK_AGAIN) : KAFKA_APPLIED;
}

/* As much of a reader as tells whether a topic holds anything. */
struct kafka_reader {
    int unused;
};

enum outcome kafka_reader_open(const struct kafka_reader_settings *settings,
                               struct kafka_reader **ret_reader, struct fault *ret_fault)
{
    static struct kafka_reader reader;

    (void)settings, (void)ret_fault;
    *ret_reader = &reader;
    return DONE;
}

enum outcome kafka_reader_topic(struct kafka_reader *reader, const char *topic,
                                uint32_t *ret_partition_count, struct fault *ret_fault)
{
    (void)reader;
    if (cluster.gone) {
        return fault_is(ret_fault, REFUSED, FAULT_SOURCE_MISSING, "topic %s is not there", topic);
    }
    *ret_partition_count = 1;
    return happens(cluster.odds.unreachable) ? nobody(ret_fault) : DONE;
}

enum outcome kafka_reader_bounds(struct kafka_reader *reader, const char *topic, uint32_t partition,
                                 uint64_t *ret_first, uint64_t *ret_next, struct fault *ret_fault)
{
    (void)reader, (void)partition;
    *ret_first = 0;
    *ret_next = cluster.written[number_of(topic)] ? 1 : 0;
    return happens(cluster.odds.unreachable) ? nobody(ret_fault) : DONE;
}

bool kafka_reader_close(struct kafka_reader *reader)
{
    (void)reader;
    return true;
}
