/* source.kafka: from the values in force to what the client is opened with. */
#include "cmd/config_parts.h"

#include "base/instant.h"

#include <stdio.h>
#include <string.h>

/* A producer may write to a partition for so long before payonce reads it. */
#define FURTHER_PARTITIONS_MS INT64_C(60000)

static struct config_error *wrong(struct config *config, enum setting_name name,
                                  enum fault_code code, const char *sentence)
{
    const struct config_value *value = &config->values[name];

    return config_wrong(config, value->text, value->node->mark, code, "%s: %s", settings[name].path,
                        sentence);
}

static size_t resolve_list(const struct config *config, enum setting_name name,
                           const char *ret_texts[])
{
    size_t count = 0;

    for (const struct yaml_node *entry = config->values[name].node->child; entry != NULL;
         entry = entry->next) {
        ret_texts[count++] = entry->text;
    }
    return count;
}

static void resolve_names(struct config *config)
{
    bool named = !config_auto(config, SET_KAFKA_GROUP);

    (void)snprintf(config->kafka_group, sizeof(config->kafka_group), "payonce-%s",
                   config->engine.pipeline);
    config->kafka.group = named ? config_text(config, SET_KAFKA_GROUP) : config->kafka_group;
}

static void resolve_start(struct config *config)
{
    const char *text = config_text(config, SET_KAFKA_START);
    struct span span = {text, strlen(text)};
    struct kafka_feed_settings *kafka = &config->kafka;

    if (strcmp(text, "earliest") == 0) {
        kafka->start = KAFKA_START_EARLIEST;
    } else if (strcmp(text, "latest") == 0) {
        kafka->start = KAFKA_START_LATEST;
    } else if (instant_read(span, &kafka->start_ms)) {
        kafka->start = KAFKA_START_TIME;
    } else {
        struct config_error *error = wrong(config, SET_KAFKA_START, FAULT_CONFIG_VALUE,
                                           "neither earliest nor latest nor a time");
        (void)snprintf(error->hint, sizeof(error->hint), "write a time as 2026-02-25T00:00:00Z");
    }
}

bool config_need_topics(struct config *config)
{
    static const enum setting_name needed[] = {SET_KAFKA_BROKERS, SET_KAFKA_TOPICS};
    bool all = true;

    for (size_t index = 0; index < sizeof(needed) / sizeof(needed[0]); index++) {
        if (config->values[needed[index]].node->count == 0) {
            struct config_error *error =
                wrong(config, needed[index], FAULT_CONFIG_MISSING, "nothing is named");
            (void)snprintf(error->next, sizeof(error->next),
                           "source: {type: kafka, kafka: {brokers: [localhost:9092], topics: "
                           "[payment-events]}}");
            all = false;
        }
    }
    return all;
}

void config_resolve_kafka(struct config *config)
{
    struct kafka_feed_settings *kafka = &config->kafka;

    config_connect_source(config);
    kafka->client = config->connections[0].client;
    resolve_names(config);
    kafka->topics = config->kafka_topics;
    kafka->topic_count = resolve_list(config, SET_KAFKA_TOPICS, config->kafka_topics);
    resolve_start(config);
    static const enum kafka_gaps gaps[] = {KAFKA_GAPS_STRICT, KAFKA_GAPS_CONFIRM, KAFKA_GAPS_COUNT};
    kafka->gaps = gaps[config_choice(config, SET_KAFKA_GAPS)];
    kafka->queue_bytes = (uint64_t)config_number(config, SET_KAFKA_MEMORY);
    kafka->clock = &clock_real;
    config->engine.feed_type = &feed_kafka;
    config->engine.feed_settings = kafka;
    config->engine.feed_look_ms = FURTHER_PARTITIONS_MS;
}
