/* The sinks: the ledger, and what follows it. */
#include "cmd/config_parts.h"

#include <inttypes.h>
#include <string.h>

enum {
    PART_ROWS = 500000, /* Measured: DESIGN section 3, "Rows in parts". */
    BUSY_TIMEOUT_MS = 1000,
    CURSORS_WAIT_PART = 10, /* A ledger of cursors waits for so small a part of its follower's. */
};

/* What deliver.max_rows and max_wait come to by themselves. */
struct bounds {
    const char *type;
    uint64_t rows;
    int64_t wait_ms;
};

static const struct bounds bounds_of_types[] = {
    {"sqlite", 50000, 200}, {"kafka", 20000, 50}, /* Measured: docs/kafka_sink.md, "How fast". */
};

static int64_t number_or(const struct yaml_node *record, enum setting_name name, int64_t standard)
{
    const struct yaml_node *node = config_record_value(record, &settings[name]);

    return node == NULL || strcmp(node->text, "auto") == 0
               ? standard
               : setting_number(&settings[name], node->text);
}

/* record NULL: nothing is given. */
static void resolve_bounds(struct config *config, const struct yaml_node *record, size_t index)
{
    struct engine_settings *engine = &config->engine;
    const struct bounds *bounds = bounds_of_types;

    while (strcmp(bounds->type, config->sink_type_names[index]) != 0) {
        bounds++; /* The table of settings lists no other type. */
        must(bounds < bounds_of_types + sizeof(bounds_of_types) / sizeof(bounds_of_types[0]));
    }
    engine->deliver_rows_max[index] = bounds->rows;
    engine->deliver_wait_ms[index] = bounds->wait_ms;
    if (record != NULL) {
        engine->deliver_rows_max[index] =
            (uint64_t)number_or(record, SET_SINK_ROWS, (int64_t)bounds->rows);
        engine->deliver_wait_ms[index] = number_or(record, SET_SINK_WAIT, bounds->wait_ms);
    }
}

static uint64_t backlog_of(const struct config *config, const struct yaml_node *record)
{
    const struct yaml_node *node = config_record_value(record, &settings[SET_SINK_BACKLOG]);

    if (node == NULL || strcmp(node->text, "auto") == 0) {
        return config->engine.journal.max_bytes;
    }
    return (uint64_t)setting_number(&settings[SET_SINK_BACKLOG], node->text);
}

static void resolve_path(const struct engine_settings *engine, const struct yaml_node *path,
                         struct sink_settings *sink)
{
    if (path != NULL) {
        (void)snprintf(sink->path, sizeof(sink->path), "%s", path->text);
    } else {
        (void)snprintf(sink->path, sizeof(sink->path), "%s%s", engine->data_dir,
                       strchr(settings[SET_SINK_PATH].standard, '/'));
    }
}

/* What every sink has, whatever its kind. */
static void resolve_shared(const struct engine_settings *engine, struct sink_settings *sink)
{
    (void)snprintf(sink->pipeline, sizeof(sink->pipeline), "%s", engine->pipeline);
    sink->carry_count = engine->parse.carry.count;
    memcpy(sink->carry, engine->parse.carry.names, sizeof(sink->carry));
    sink->part_rows = PART_ROWS;
    sink->busy_timeout_ms = BUSY_TIMEOUT_MS;
}

static const char *topic_of(const struct yaml_node *record, enum setting_name name)
{
    const struct yaml_node *node = config_record_value(record, &settings[name]);

    return node == NULL || strcmp(node->text, "none") == 0 ? NULL : node->text;
}

static void resolve_kafka(struct config *config, const struct yaml_node *record, size_t index)
{
    static const enum setting_name topics[TABLE_COUNT] = {
        [TABLE_TRANSACTIONS] = SET_SINK_TRANSACTIONS,
        [TABLE_DUPLICATES] = SET_SINK_DUPLICATES,
        [TABLE_DEAD_LETTERS] = SET_SINK_DEAD_LETTERS,
        [TABLE_METRICS] = SET_SINK_METRICS,
    };
    struct sink_settings *sink = &config->engine.sinks[index];
    struct sink_kafka *kafka = &config->sink_kafkas[index];

    config_connect_sink(config, record, index);
    kafka->client = config->connections[1 + index].client;
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        kafka->topics[table] = topic_of(record, topics[table]);
    }
    sink->kafka = kafka;
    sink->path[0] = '\0';
    if (kafka->topics[TABLE_TRANSACTIONS] == NULL) {
        struct config_error *error =
            config_wrong(config, config->values[SET_SINKS].text, record->mark, FAULT_CONFIG_MISSING,
                         "sink \"%s\" names no topic for payment_transactions", sink->name);
        (void)snprintf(error->next, sizeof(error->next),
                       "topics: {payment_transactions: payments-accepted}");
    } else {
        (void)snprintf(sink->path, sizeof(sink->path), "%s", kafka->topics[TABLE_TRANSACTIONS]);
    }
}

static void resolve_sink(struct config *config, const struct yaml_node *record, size_t index)
{
    struct engine_settings *engine = &config->engine;
    struct sink_settings *sink = &engine->sinks[index];

    (void)snprintf(sink->name, sizeof(sink->name), "%s",
                   config_record_value(record, &settings[SET_SINK_NAME])->text);
    (void)snprintf(config->sink_type_names[index], sizeof(config->sink_type_names[index]), "%s",
                   config_record_value(record, &settings[SET_SINK_TYPE])->text);
    resolve_path(engine, config_record_value(record, &settings[SET_SINK_PATH]), sink);
    resolve_shared(engine, sink);
    resolve_bounds(config, record, index);
    if (strcmp(config->sink_type_names[index], "kafka") == 0) {
        resolve_kafka(config, record, index);
    }
    engine->follower_backlog_max[index] = backlog_of(config, record);
}

static bool same_place(const struct sink_settings *left, const struct sink_settings *right)
{
    if (left->path[0] == '\0' || strcmp(left->path, right->path) != 0) {
        return false;
    }
    return left->kafka == NULL || right->kafka == NULL ||
           strcmp(left->kafka->client.brokers, right->kafka->client.brokers) == 0;
}

/* Two of a name could not be told apart; two of a place would undo each other. */
static void check_sink(struct config *config, const struct yaml_node *record, size_t index)
{
    const struct sink_settings *sinks = config->engine.sinks;
    const struct config_text *text = config->values[SET_SINKS].text;

    for (size_t other = 0; other < index; other++) {
        if (strcmp(sinks[other].name, sinks[index].name) == 0) {
            config_wrong(config, text, record->mark, FAULT_CONFIG_VALUE,
                         "two sinks are called \"%s\"", sinks[index].name);
        }
        if (strcmp(config->sink_type_names[other], config->sink_type_names[index]) == 0 &&
            same_place(&sinks[other], &sinks[index])) {
            config_wrong(config, text, record->mark, FAULT_CONFIG_VALUE,
                         "sinks \"%s\" and \"%s\" would both write to %s", sinks[other].name,
                         sinks[index].name, sinks[index].path);
        }
    }
}

void config_add_ledger(struct config *config)
{
    struct engine_settings *engine = &config->engine;
    struct sink_settings *ledger = &engine->sinks[0];

    must(engine->sink_count == 1);
    engine->sinks[1] = engine->sinks[0];
    engine->deliver_rows_max[1] = engine->deliver_rows_max[0];
    engine->deliver_wait_ms[1] = engine->deliver_wait_ms[0];
    engine->follower_backlog_max[1] = engine->follower_backlog_max[0];
    memcpy(config->sink_type_names[1], config->sink_type_names[0],
           sizeof(config->sink_type_names[1]));
    engine->sink_count = 2;
    memset(ledger, 0, sizeof(*ledger));
    resolve_shared(engine, ledger);
    (void)strcpy(ledger->name, "ledger");
    (void)snprintf(ledger->path, sizeof(ledger->path), "%.1000s/ledger.db", engine->data_dir);
    ledger->cursors_only = true;
    (void)strcpy(config->sink_type_names[0], "sqlite");
    resolve_bounds(config, NULL, 0);
    engine->deliver_wait_ms[0] = engine->deliver_wait_ms[1] / CURSORS_WAIT_PART;
}

/* Who may be the ledger: DESIGN section 3. */
static void find_ledger(struct config *config, const struct yaml_node *list)
{
    struct engine_settings *engine = &config->engine;
    const struct sink_type *first = sink_type_named(config->sink_type_names[0]);

    must(first != NULL); /* The table of settings lists no other. */
    if (!first->can_be_ledger && engine->sink_count == 1) {
        config_add_ledger(config);
    } else if (!first->can_be_ledger) {
        struct config_error *error = config_wrong(
            config, config->values[SET_SINKS].text, list->child->mark, FAULT_CONFIG_VALUE,
            "a sink of type %s cannot decide for others", config->sink_type_names[0]);
        (void)snprintf(error->next, sizeof(error->next),
                       "put a ledger first: - {name: local, type: sqlite}");
    }
    engine->max_backlog = engine->follower_backlog_max[0];
}

void config_resolve_sinks(struct config *config)
{
    const struct yaml_node *list = config->values[SET_SINKS].node;

    for (const struct yaml_node *entry = list->child; entry != NULL; entry = entry->next) {
        size_t index = config->engine.sink_count++;
        resolve_sink(config, entry, index);
        check_sink(config, entry, index);
    }
    find_ledger(config, list);
}
