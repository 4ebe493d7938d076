/* check --production: would the messages of a topic outlive a broker, and the haste of a night? */
#include "cmd/check.h"

#include "base/plural.h"
#include "os/kafka_read.h"

#include <stdlib.h>
#include <string.h>

enum {
    REPLICAS_LEAST = 3, /* One is being replaced, one dies, one is left. */
    IN_STEP_LEAST = 2,  /* An acknowledged message stands on so many brokers. */
    BROKERS_MAX = 64,
};

struct topic_look {
    struct check *check;
    struct kafka_reader *reader;
    const char *what;
    const char *topic;
    struct kafka_copies copies;
    char value[KAFKA_VALUE_SIZE]; /* Of the setting that is being judged. */
};

/* In Kafka's own words, to be typed where its tools are. */
static void next_set(const struct topic_look *look, const char *pair)
{
    check_next(look->check,
               "next: kafka-configs.sh --bootstrap-server ... --alter --entity-type topics "
               "--entity-name %s --add-config %s",
               look->topic, pair);
}

static void judge_copies(const struct topic_look *look)
{
    const struct kafka_copies *copies = &look->copies;
    bool enough = copies->least >= REPLICAS_LEAST;

    check_say(look->check, enough ? CHECK_OK : CHECK_ERROR, look->what,
              "topic %s: each partition has %u replica%s%s", look->topic, copies->least,
              plural(copies->least), enough ? "" : "; 3 are wanted");
    if (!enough) {
        check_next(look->check, "next: give each partition 3 brokers "
                                "(kafka-reassign-partitions.sh --execute)");
    }
    if (copies->behind > 0) {
        check_say(look->check, CHECK_WARN, look->what,
                  "topic %s: %u partition%s without all replicas in step now (%u without a leader)",
                  look->topic, copies->behind, plural(copies->behind), copies->headless);
        check_next(look->check, "next: look which broker is away (kafka-topics.sh --describe "
                                "--under-replicated-partitions)");
    }
}

static void judge_in_step(const struct topic_look *look)
{
    long least = strtol(look->value, NULL, 10);
    bool enough = least >= IN_STEP_LEAST;
    bool stuck = enough && look->copies.least > 1 && least >= (long)look->copies.least;

    check_say(look->check,
              !enough ? CHECK_ERROR
              : stuck ? CHECK_WARN
                      : CHECK_OK,
              look->what, "topic %s: min.insync.replicas is %ld%s", look->topic, least,
              !enough ? ": an acknowledged payment can be lost with one broker"
              : stuck ? ", as many as there are replicas: one broker away, and nobody can write"
                      : "");
    if (!enough || stuck) {
        next_set(look, "min.insync.replicas=2");
    }
}

static void judge_election(const struct topic_look *look)
{
    bool unclean = strcmp(look->value, "false") != 0;

    check_say(look->check, unclean ? CHECK_ERROR : CHECK_OK, look->what,
              "topic %s: unclean.leader.election.enable is %s%s", look->topic, look->value,
              unclean ? ": a replica that lacks payments may come to lead, and they are gone" : "");
    if (unclean) {
        next_set(look, "unclean.leader.election.enable=false");
    }
}

/* Compacted ones are an error already. */
static void judge_cleanup(const struct topic_look *look)
{
    bool deletes = strcmp(look->value, "delete") == 0;

    check_say(look->check, deletes ? CHECK_OK : CHECK_WARN, look->what,
              "topic %s: cleanup.policy is %s", look->topic, look->value);
    if (!deletes) {
        next_set(look, "cleanup.policy=delete");
    }
}

static void judge_retention_bytes(const struct topic_look *look)
{
    int64_t bytes = strtoll(look->value, NULL, 10);
    char text[QUANTITY_TEXT_SIZE];

    if (bytes < 0) {
        return; /* The usual: time alone decides. */
    }
    quantity_say(QUANTITY_SIZE, bytes, text);
    check_say(look->check, CHECK_WARN, look->what,
              "topic %s: retention.bytes is %s a partition: full before retention.ms is over, and "
              "the oldest go",
              look->topic, text);
    next_set(look, "retention.bytes=-1");
}

static void tell_stamps(const struct topic_look *look)
{
    bool by_broker = strcmp(look->value, "LogAppendTime") == 0;

    check_say(look->check, CHECK_OK, look->what, "topic %s: message.timestamp.type is %s: %s",
              look->topic, look->value,
              by_broker
                  ? "the brokers' clocks say when a message arrived"
                  : "the producers' clocks say when a message arrived, ours if it is earlier");
}

static void tell_size(const struct topic_look *look)
{
    char most[QUANTITY_TEXT_SIZE];
    char ours[QUANTITY_TEXT_SIZE];

    quantity_say(QUANTITY_SIZE, strtoll(look->value, NULL, 10), most);
    quantity_say(QUANTITY_SIZE, MESSAGE_SIZE_MAX, ours);
    check_say(look->check, CHECK_OK, look->what,
              "topic %s: max.message.bytes is %s (of a batch); a message above %s is set aside as "
              "invalid",
              look->topic, most, ours);
}

static const struct {
    const char *setting;
    void (*judge)(const struct topic_look *look);
} wishes[] = {
    {"min.insync.replicas", judge_in_step},  {"unclean.leader.election.enable", judge_election},
    {"cleanup.policy", judge_cleanup},       {"retention.bytes", judge_retention_bytes},
    {"message.timestamp.type", tell_stamps}, {"max.message.bytes", tell_size},
};

static void not_for_us(struct check *check, const char *what, const char *whose, const char *grant)
{
    check_say(check, CHECK_WARN, what,
              "%s: how it is set is not for us to see: loss of a broker is not judged", whose);
    check_next(check, "next: allow payonce to DESCRIBE_CONFIGS of %s", grant);
}

void check_production_topic(struct check *check, struct kafka_reader *reader, const char *what,
                            const char *topic)
{
    struct topic_look look = {.check = check, .reader = reader, .what = what, .topic = topic};
    struct fault fault;
    enum outcome outcome = kafka_reader_copies(reader, topic, &look.copies, &fault);

    if (outcome == DONE) {
        judge_copies(&look);
    }
    for (size_t index = 0; outcome == DONE && index < sizeof(wishes) / sizeof(wishes[0]); index++) {
        outcome =
            kafka_reader_topic_setting(reader, topic, wishes[index].setting, look.value, &fault);
        if (outcome == REFUSED) {
            not_for_us(check, what, topic, "the topic");
            return;
        }
        if (outcome == DONE) {
            wishes[index].judge(&look);
        }
    }
    if (outcome != DONE) {
        check_fault(check, what, &fault);
    }
}

/* What __consumer_offsets, __transaction_state and topics made later inherit. */
void check_production_brokers(struct check *check, struct kafka_reader *reader, const char *what)
{
    int32_t numbers[BROKERS_MAX];
    size_t count = 0;
    size_t unclean = 0;
    char value[KAFKA_VALUE_SIZE];
    struct fault fault;
    enum outcome outcome = kafka_reader_brokers(reader, numbers, BROKERS_MAX, &count, &fault);

    for (size_t index = 0; outcome == DONE && index < count; index++) {
        outcome = kafka_reader_broker_setting(reader, numbers[index],
                                              "unclean.leader.election.enable", value, &fault);
        unclean += outcome == DONE && strcmp(value, "false") != 0 ? 1 : 0;
    }
    if (outcome == REFUSED) {
        not_for_us(check, what, "the brokers", "the cluster");
    } else if (outcome != DONE) {
        check_fault(check, what, &fault);
    } else if (unclean > 0) {
        check_say(check, CHECK_ERROR, what,
                  "%zu of %zu brokers: unclean.leader.election.enable is true by default: "
                  "Kafka's own topics of offsets and transactions can lose what was acknowledged",
                  unclean, count);
        check_next(check, "next: set unclean.leader.election.enable=false in server.properties "
                          "of each broker");
    } else {
        check_say(check, CHECK_OK, what,
                  "%zu broker%s: unclean.leader.election.enable is false by default", count,
                  plural(count));
    }
}
