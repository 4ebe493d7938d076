#include "sink/sink_kafka.h"

#include "os/clock.h"
#include "os/digest.h"
#include "os/kafka_read.h"

#include <stdio.h>

enum { LOOK_QUEUE_KIB = 1024 };

#define REST_NS INT64_C(1000000000)

static const char *name_of(const struct kafka_sink *kafka)
{
    return kafka->sink.settings.name;
}

static const char *topic_of(const struct kafka_sink *kafka)
{
    return kafka->sink.settings.kafka->topics[TABLE_TRANSACTIONS];
}

void kafka_sink_let_go(struct kafka_sink *kafka)
{
    if (kafka->transactor != NULL) {
        (void)kafka_transactor_close(kafka->transactor); /* Nothing of it is needed any more. */
    }
    kafka->transactor = NULL;
    kafka->fenced = false;
    kafka->current = false;
}

static enum outcome open_topics(struct kafka_sink *kafka, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    for (size_t table = 0; outcome == DONE && table < TABLE_COUNT; table++) {
        const char *topic = kafka->sink.settings.kafka->topics[table];
        if (topic != NULL) {
            outcome =
                kafka_transactor_topic(kafka->transactor, topic, &kafka->topics[table], ret_fault);
        }
    }
    return outcome;
}

static enum outcome open_transactor(struct kafka_sink *kafka, struct fault *ret_fault)
{
    const struct kafka_transactor_settings settings = {
        .client = kafka->sink.settings.kafka->client,
        .transactional_id = kafka->sink.settings.read_only ? NULL : kafka->group,
        .group = kafka->group,
        .leaving = kafka->sink.leaving,
    };

    if (kafka->transactor != NULL) {
        return DONE;
    }
    enum outcome outcome = kafka_transactor_open(&settings, &kafka->transactor, ret_fault);
    if (outcome != DONE) {
        kafka->transactor = NULL;
        return outcome;
    }
    outcome = open_topics(kafka, ret_fault);
    if (outcome != DONE) {
        kafka_sink_let_go(kafka);
    }
    return outcome;
}

static enum outcome shut_out(struct kafka_sink *kafka, struct fault *ret_fault)
{
    kafka->shut_out = true;
    kafka_sink_let_go(kafka);
    return fault_is(ret_fault, BROKEN, FAULT_FENCED,
                    "sink \"%s\" (%s): another owner of pipeline \"%s\" writes there now",
                    name_of(kafka), topic_of(kafka), kafka->sink.settings.pipeline);
}

/* What stands there, whoever wrote it. */
static enum outcome read_mark(struct kafka_sink *kafka, bool *ret_exists,
                              struct kafka_mark *ret_mark, struct fault *ret_fault)
{
    struct kafka_cursor cursor;
    enum outcome outcome = kafka_transactor_read(
        kafka->transactor, kafka->topics[TABLE_TRANSACTIONS], &cursor, ret_fault);

    *ret_exists = outcome == DONE && cursor.exists;
    if (outcome == LATER) { /* The topics were found, so somebody is there. */
        (void)fault_is(ret_fault, LATER, FAULT_SINK_BUSY,
                       "sink \"%s\": the cursor (group %s) cannot be read yet: a dead owner's "
                       "transaction is still open, or the group's coordinator does not answer",
                       name_of(kafka), kafka->group);
        fault_next(ret_fault, "wait half a minute: brokers end what a dead owner left open");
    }
    if (*ret_exists && (!mark_read(cursor.text, ret_mark) || cursor.offset != ret_mark->epoch)) {
        (void)fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                       "sink \"%s\": the cursor (group %s, topic %s) is none that payonce wrote",
                       name_of(kafka), kafka->group, topic_of(kafka));
        fault_next(ret_fault, "who has reset the offsets of that group? Name topics that are "
                              "empty, or create these anew: it is then filled from the beginning");
        return BROKEN;
    }
    return outcome;
}

enum outcome kafka_sink_look(struct kafka_sink *kafka, struct fault *ret_fault)
{
    struct kafka_mark mark;
    bool exists;
    enum outcome outcome = read_mark(kafka, &exists, &mark, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    if (exists && kafka->claimed && mark.owner != kafka->mark.owner) {
        return shut_out(kafka, ret_fault);
    }
    kafka->known = exists;
    if (exists) {
        uint64_t owner = kafka->mark.owner;
        bool ours = mark.owner == owner;
        kafka->mark = mark;
        kafka->mark.owner = owner;
        kafka->claimed = ours;
    }
    return DONE;
}

/* Whoever had it before us may still write: it is shut out, if it is not one that came after us. */
static enum outcome fence(struct kafka_sink *kafka, struct fault *ret_fault)
{
    enum outcome outcome = kafka->claimed ? kafka_sink_look(kafka, ret_fault) : DONE;

    if (outcome == DONE) {
        outcome = kafka_transactor_fence(kafka->transactor, ret_fault);
        kafka->fenced = outcome == DONE;
        if (outcome == LATER && ret_fault->code != FAULT_KAFKA_UNREACHABLE) {
            kafka_sink_let_go(kafka); /* A client that was fenced at once stays so for ever. */
        }
    }
    return outcome;
}

/* Write our number beside the cursor, so that an older owner sees us. */
static enum outcome claim(struct kafka_sink *kafka, struct fault *ret_fault)
{
    if (!kafka->known || kafka->claimed) {
        return DONE;
    }
    kafka_transactor_begin(kafka->transactor);
    return kafka_sink_end(kafka, &kafka->mark, ret_fault);
}

/*
 * Nothing was written for a while: the topics may have been made anew meanwhile, and the cursor is
 * gone with them. What comes next would be all they ever get.
 */
static bool rested(const struct kafka_sink *kafka)
{
    return clock_steady_ns(&clock_real) - kafka->beat_ns > REST_NS;
}

enum outcome kafka_sink_ready(struct kafka_sink *kafka, struct fault *ret_fault)
{
    if (kafka->shut_out) {
        return shut_out(kafka, ret_fault);
    }
    if (kafka->mark.owner == 0) {
        digest_random(&kafka->mark.owner, sizeof(kafka->mark.owner));
        digest_random(&kafka->windows.hash_key, sizeof(kafka->windows.hash_key));
    }
    enum outcome outcome = open_transactor(kafka, ret_fault);
    if (outcome == DONE && !kafka->taken) {
        return kafka_sink_look(kafka, ret_fault);
    }
    if (outcome == DONE && !kafka->fenced) {
        outcome = fence(kafka, ret_fault);
    }
    /* Until it is read after the fence, what we know may be older than our own last commit. */
    if (outcome == DONE && (!kafka->current || rested(kafka))) {
        outcome = kafka_sink_look(kafka, ret_fault);
        kafka->current = outcome == DONE;
    }
    return outcome == DONE ? claim(kafka, ret_fault) : outcome;
}

/* What is said of sources, said of a sink: it may come back. */
static enum outcome cannot_look(const char *topic, struct fault *ret_fault)
{
    struct fault why = *ret_fault;

    return fault_is(ret_fault, REFUSED,
                    why.code == FAULT_SOURCE_MISSING ? FAULT_KAFKA_TOPIC : FAULT_KAFKA_NOT_ALLOWED,
                    "topic %s of the sink: %.300s", topic, why.text);
}

static enum outcome check_topic(struct kafka_sink *kafka, struct kafka_reader *reader,
                                const char *topic, struct fault *ret_fault)
{
    uint32_t count = 0;
    enum outcome outcome = kafka_reader_topic(reader, topic, &count, ret_fault);

    for (uint32_t partition = 0; outcome == DONE && partition < count; partition++) {
        uint64_t first;
        uint64_t next;
        outcome = kafka_reader_bounds(reader, topic, partition, &first, &next, ret_fault);
        if (outcome == DONE && next > 0) {
            return fault_is(ret_fault, BROKEN, FAULT_SINK_CURSOR_LOST,
                            "sink \"%s\": topic %s has records, but there is no cursor of pipeline "
                            "\"%s\" (group %s) that says which",
                            name_of(kafka), topic, kafka->sink.settings.pipeline, kafka->group);
        }
    }
    return outcome == REFUSED ? cannot_look(topic, ret_fault) : outcome;
}

enum outcome kafka_sink_check_empty(struct kafka_sink *kafka, struct fault *ret_fault)
{
    const struct kafka_reader_settings settings = {
        .client = kafka->sink.settings.kafka->client,
        .group = kafka->group,
        .queue_kib = LOOK_QUEUE_KIB,
    };
    struct kafka_reader *reader;
    enum outcome outcome = kafka_reader_open(&settings, &reader, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    for (size_t table = 0; outcome == DONE && table < TABLE_COUNT; table++) {
        const char *topic = kafka->sink.settings.kafka->topics[table];
        if (topic != NULL) {
            outcome = check_topic(kafka, reader, topic, ret_fault);
        }
    }
    (void)kafka_reader_close(reader); /* Nothing of it is needed any more. */
    return outcome;
}
