/* Kafka: can it be reached, are the topics there, do they keep messages long enough, and what
 * stands in them? Nothing is committed. */
#include "cmd/check.h"

#include "base/plural.h"
#include "cmd/partition.h"
#include "os/clock.h"
#include "os/kafka_read.h"
#include "source/source_kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CHECK_QUEUE_KIB = 1024,
    SAMPLE_WAIT_MS = 5000, /* For messages that are there. */
    SAMPLE_LOOK_MS = 10,
    PLACE_SIZE = 300,
    CLOCKS_APART_MS = 60000, /* Two clocks further apart are told. */
};

/* A partition of which the newest messages are tried. */
struct tail {
    struct kafka_partition *partition;
    uint32_t count;   /* Partitions of its topic. */
    int64_t asked_ms; /* When its end was asked for, by our clock. */
    uint64_t next;
    uint64_t end;
};

struct looking {
    struct check *check;
    const struct kafka_feed_settings *settings;
    struct kafka_reader *reader;
    char what[PLACE_SIZE];
    size_t tail_count;
    struct tail tails[FEED_PARTITIONS_MAX];
    size_t keyed;     /* Of the messages that are payments: those whose key is their id, */
    size_t other;     /* and the others. */
    size_t placed;    /* Of the messages that have a key: those that stand where murmur2 puts it. */
    size_t strayed;   /* The others. */
    size_t stamped;   /* Messages with a broker's time; and how far, at most, */
    int64_t ahead_ms; /* that was after our time of reading; */
    int64_t behind_ms; /* of those written while we looked, before it. */
};

static bool duration_of(const char *text, int64_t *ret_ms)
{
    char *end;

    *ret_ms = strtoll(text, &end, 10);
    return end != text && *end == '\0';
}

static void say_retention(struct looking *looking, const char *topic, uint32_t partitions,
                          int64_t retention_ms)
{
    const struct config *config = looking->check->config;
    const struct rules *rules = &config->engine.rules;
    int64_t needs_ms =
        rules->lateness_ms + rules->retention_ms + config_number(config, SET_LONGEST_OUTAGE);
    char keeps[QUANTITY_TEXT_SIZE] = "for ever";
    char needs[QUANTITY_TEXT_SIZE];

    if (retention_ms >= 0) {
        quantity_say(QUANTITY_DURATION, retention_ms, keeps);
    }
    quantity_say(QUANTITY_DURATION, needs_ms, needs);
    bool enough = retention_ms < 0 || retention_ms >= needs_ms;
    bool production = looking->check->request->production;
    check_say(looking->check,
              enough       ? CHECK_OK
              : production ? CHECK_ERROR
                           : CHECK_WARN,
              looking->what,
              "topic %s, %u partition%s, retention %s (needs %s: lateness + dedup retention + "
              "longest outage)",
              topic, partitions, plural(partitions), keeps, needs);
    if (!enough) {
        check_next(looking->check, "next: set retention.ms of the topic to %lld or more",
                   (long long)needs_ms);
    }
}

/* LATER, BROKEN: it would not run. */
static enum outcome look_at_settings(struct looking *looking, const char *topic,
                                     uint32_t partitions, struct fault *ret_fault)
{
    char value[KAFKA_VALUE_SIZE];
    int64_t retention_ms;
    enum outcome outcome = kafka_topic_fits(looking->reader, topic, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    outcome = kafka_reader_topic_setting(looking->reader, topic, "retention.ms", value, ret_fault);
    if (outcome == DONE && duration_of(value, &retention_ms)) {
        say_retention(looking, topic, partitions, retention_ms);
        return DONE;
    }
    if (outcome == REFUSED) {
        check_say(looking->check, CHECK_WARN, looking->what,
                  "topic %s, %u partition%s; how long it keeps messages is not for us to see "
                  "(DESCRIBE_CONFIGS)",
                  topic, partitions, plural(partitions));
        return DONE;
    }
    return outcome;
}

/* Its newest messages are tried, so many at most. */
static enum outcome add_tail(struct looking *looking, const char *topic, uint32_t partition,
                             uint32_t count, struct fault *ret_fault)
{
    size_t share = looking->check->request->sample_max / looking->settings->topic_count + 1;
    uint64_t most = share / count + 1;
    struct tail *tail = &looking->tails[looking->tail_count];
    uint64_t first = 0;

    tail->count = count;
    tail->asked_ms = clock_wall_ms(&clock_real);
    enum outcome outcome =
        kafka_reader_partition(looking->reader, topic, partition, &tail->partition, ret_fault);
    if (outcome == DONE) {
        outcome = kafka_partition_bounds(tail->partition, &first, &tail->end, ret_fault);
    }
    if (outcome == DONE) {
        tail->next = tail->end - first > most ? tail->end - most : first;
        outcome = kafka_partition_assign(tail->partition, tail->next, ret_fault);
    }
    if (outcome == DONE) {
        looking->tail_count++;
    }
    return outcome;
}

static enum outcome look_at_topic(struct looking *looking, const char *topic,
                                  struct fault *ret_fault)
{
    uint32_t count = 0;
    enum outcome outcome = kafka_reader_topic(looking->reader, topic, &count, ret_fault);

    if (outcome == DONE) {
        outcome = look_at_settings(looking, topic, count, ret_fault);
    }
    if (outcome == DONE && looking->check->request->production) {
        check_production_topic(looking->check, looking->reader, looking->what, topic);
    }
    for (uint32_t partition = 0; outcome == DONE && partition < count; partition++) {
        if (looking->tail_count == FEED_PARTITIONS_MAX) {
            return fault_is(ret_fault, BROKEN, FAULT_SOURCE_LIMIT,
                            "more than %d partitions cannot be read", FEED_PARTITIONS_MAX);
        }
        outcome = add_tail(looking, topic, partition, count, ret_fault);
    }
    return outcome;
}

static void try_record(struct looking *looking, struct sample *sample, const struct tail *tail,
                       const struct kafka_record *record)
{
    struct message message = {
        .offset = record->offset,
        .raw = {record->value.at == NULL ? "" : record->value.at,
                record->value.size <= MESSAGE_SIZE_MAX ? record->value.size : MESSAGE_SIZE_MAX + 1},
        .size = record->value.size < UINT32_MAX ? (uint32_t)record->value.size : UINT32_MAX,
    };
    char place[PLACE_SIZE];

    if (record->key.at != NULL) {
        bool placed = partition_of(record->key, tail->count) == tail->partition->number;
        looking->placed += placed ? 1 : 0;
        looking->strayed += placed ? 0 : 1;
    }
    (void)snprintf(place, sizeof(place), "%s/%u", tail->partition->topic, tail->partition->number);
    if (sample_take(sample, place, &message)) {
        const struct span id = message.payment.transaction_id;
        bool same = record->key.at != NULL && record->key.size == id.size &&
                    memcmp(record->key.at, id.at, id.size) == 0;
        looking->keyed += same ? 1 : 0;
        looking->other += same ? 0 : 1;
    }
}

/* A message behind the end that was told to us was written after we had asked. */
static void compare_clocks(struct looking *looking, const struct tail *tail,
                           const struct kafka_record *record)
{
    int64_t ahead_ms = record->stamp_ms - clock_wall_ms(&clock_real);
    int64_t behind_ms = record->offset >= tail->end ? tail->asked_ms - record->stamp_ms : 0;

    looking->stamped++;
    looking->ahead_ms = ahead_ms > looking->ahead_ms ? ahead_ms : looking->ahead_ms;
    looking->behind_ms = behind_ms > looking->behind_ms ? behind_ms : looking->behind_ms;
}

/* What has arrived of this one. An error that stays is shown by nothing coming any more. */
static void take_tail(struct looking *looking, struct sample *sample, struct tail *tail,
                      size_t *taken)
{
    static struct kafka_record records[KAFKA_TAKE_MAX];
    size_t count = kafka_partition_take(tail->partition, records, KAFKA_TAKE_MAX);

    for (size_t index = 0; index < count; index++) {
        const struct kafka_record *record = &records[index];
        if (record->kind == KAFKA_RECORD && record->by_broker) {
            compare_clocks(looking, tail, record);
        }
        bool more = *taken < looking->check->request->sample_max && tail->next < tail->end;
        if (record->kind == KAFKA_RECORD && more && record->offset >= tail->next) {
            try_record(looking, sample, tail, record);
            (*taken)++;
            tail->next = record->offset + 1;
        } else if (record->kind == KAFKA_END && record->offset > tail->next) {
            tail->next = record->offset;
        }
    }
}

static void take_all(struct looking *looking, struct sample *sample)
{
    const struct timespec moment = {.tv_nsec = SAMPLE_LOOK_MS * 1000000};
    size_t taken = 0;
    bool more = true;

    for (int ms = 0; more && ms < SAMPLE_WAIT_MS; ms += SAMPLE_LOOK_MS) {
        more = false;
        for (size_t index = 0; index < looking->tail_count; index++) {
            struct tail *tail = &looking->tails[index];
            take_tail(looking, sample, tail, &taken);
            more = more || tail->next < tail->end;
        }
        more = more && taken < looking->check->request->sample_max;
        if (more) {
            (void)nanosleep(&moment, NULL);
        }
    }
}

static void tell_keys(const struct looking *looking)
{
    if (looking->keyed > 0 && looking->other == 0) {
        check_say(looking->check, CHECK_OK, "sample", "every key is the payment's transaction_id");
    } else if (looking->other > 0) {
        check_say(looking->check, CHECK_OK, "sample",
                  "%zu of %zu key%s %s not the payment's transaction_id: with one payonce for all "
                  "partitions that is no harm",
                  looking->other, looking->keyed + looking->other,
                  plural(looking->keyed + looking->other), plural_verb(looking->other));
    }
}

static void tell_places(const struct looking *looking)
{
    size_t all = looking->placed + looking->strayed;

    if (looking->strayed > 0) {
        check_say(looking->check, CHECK_WARN, "sample",
                  "%zu of %zu key%s %s not in the partition that murmur2 gives it: copies of one "
                  "payment may stand in two partitions",
                  looking->strayed, all, plural(all), plural_verb(looking->strayed));
        check_next(looking->check,
                   "next: nothing for one payonce; for more of them set partitioner=murmur2_random "
                   "in producers that use librdkafka");
    } else if (all > 0) {
        check_say(looking->check, CHECK_OK, "sample",
                  "every key stands in the partition that murmur2 gives it");
    }
}

static void tell_clocks(const struct looking *looking)
{
    bool slow = looking->ahead_ms > CLOCKS_APART_MS;
    bool fast = looking->behind_ms > CLOCKS_APART_MS;
    char text[QUANTITY_TEXT_SIZE];

    if (looking->stamped == 0) {
        return;
    }
    quantity_say(QUANTITY_DURATION, slow ? looking->ahead_ms : looking->behind_ms, text);
    if (slow || fast) {
        check_say(looking->check, CHECK_WARN, "clock", "it is %s %s the brokers' clocks: %s", text,
                  slow ? "behind" : "ahead of",
                  slow ? "payments can be taken for future ones"
                       : "delays will be shown longer than they are");
        check_next(looking->check,
                   "next: set the clocks of this machine and of the brokers by NTP");
    } else {
        check_say(looking->check, CHECK_OK, "clock",
                  "no broker has stamped a message that does not fit this machine's clock");
    }
}

static void try_messages(struct looking *looking)
{
    struct check *check = looking->check;
    struct fault fault;

    if (check->request->sample_max == 0) {
        return;
    }
    if (kafka_reader_begin(looking->reader, &fault) != DONE) {
        check_fault(check, looking->what, &fault);
        return;
    }
    struct sample *sample = sample_begin(check);
    if (sample == NULL) {
        return;
    }
    take_all(looking, sample);
    sample_end(sample);
    tell_keys(looking);
    if (check->request->production) {
        tell_places(looking);
        tell_clocks(looking);
    }
}

/* What the settings and the library alone tell. */
static void look_at_client(struct looking *looking)
{
    struct check *check = looking->check;
    const struct kafka_settings *client = &looking->settings->client;
    size_t risks = kafka_settings_risks(client);
    const char *warning;

    for (size_t index = 0; (warning = kafka_settings_warning(client, index)) != NULL; index++) {
        bool risk = check->request->production && index < risks;
        check_say(check, risk ? CHECK_ERROR : CHECK_WARN, looking->what, "%s", warning);
        if (risk) {
            check_next(check, "next: source.kafka.tls: {enabled: true, ca_file: ...}, and nothing "
                              "in source.kafka.extra that weakens it");
        }
    }
    if (check->request->production && kafka_version_warning() != NULL) {
        check_say(check, CHECK_WARN, looking->what, "%s", kafka_version_warning());
    }
}

static void look_at_all(struct looking *looking)
{
    const struct kafka_feed_settings *kafka = looking->settings;
    struct fault fault;
    bool all = true;

    look_at_client(looking);
    for (size_t index = 0; index < kafka->topic_count; index++) {
        if (look_at_topic(looking, kafka->topics[index], &fault) != DONE) {
            check_fault(looking->check, looking->what, &fault);
            all = false;
        }
    }
    if (all && looking->check->request->production) {
        check_production_brokers(looking->check, looking->reader, looking->what);
    }
    if (all) {
        try_messages(looking);
    }
}

void check_kafka(struct check *check)
{
    static struct looking looking;
    const struct kafka_feed_settings *kafka = check->config->engine.feed_settings;
    const struct kafka_reader_settings reader = {
        .client = kafka->client, .group = kafka->group, .queue_kib = CHECK_QUEUE_KIB};
    struct fault fault;

    looking = (struct looking){.check = check, .settings = kafka};
    (void)snprintf(looking.what, sizeof(looking.what), "kafka %.200s", kafka->client.brokers);
    if (kafka_reader_open(&reader, &looking.reader, &fault) != DONE) {
        check_fault(check, looking.what, &fault);
        return;
    }
    look_at_all(&looking);
    (void)kafka_reader_close(looking.reader); /* Nothing of it is needed any more. */
}
