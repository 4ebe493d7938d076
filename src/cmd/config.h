/*
 * config: the settings in force, and every mistake in them at once.
 *
 * Precedence: command line (--set KEY=VALUE) > environment (PAYONCE_DEDUP_RETENTION) > file >
 * default. A value replaces the whole setting; lists and maps are not merged. Values are typed
 * by the table of settings, never by their looks. Each mistake comes with its place; all are
 * collected in one pass, and only without any is something resolved.
 */
#ifndef CMD_CONFIG_H
#define CMD_CONFIG_H

#include "cmd/settings.h"
#include "engine/engine.h"
#include "os/machine.h"
#include "os/yaml.h"
#include "source/source_kafka.h"

#include <stdio.h>

enum {
    CONFIG_NODES_MAX = 16384,
    CONFIG_TEXT_SIZE = 1024 * 1024,
    CONFIG_TEXTS_MAX = 256, /* The file, and every --set and variable. */
    CONFIG_ERRORS_MAX = 64,
    CONFIG_NAME_SIZE = 1100,
    CONFIG_EXTRA_MAX = 64,
    CONFIG_TOPICS_MAX = 64,
    CONFIG_BROKERS_SIZE = 64 * 256,
};

enum config_origin {
    CONFIG_DEFAULT,
    CONFIG_FILE,
    CONFIG_ENVIRONMENT,
    CONFIG_COMMAND_LINE,
};

/* What was read: a file, a variable, an option. */
struct config_text {
    char name[CONFIG_NAME_SIZE]; /* "payonce.yaml", "--set dedup.retention" */
    struct span text;            /* Lent: by config for files, else by the caller. */
    enum config_origin origin;
};

struct config_value {
    const struct yaml_node *node;
    const struct config_text *text;
};

struct config_error {
    enum fault_code code;
    bool warning;
    const struct config_text *text; /* NULL: nowhere in particular. */
    struct yaml_mark mark;
    char sentence[400];
    char hint[200]; /* Under the value: "did you mean ...". Or empty. */
    char next[240]; /* A line of its own. Or empty. */
};

enum log_level { LOG_INFO, LOG_WARN, LOG_ERROR }; /* In the order of log.level */
enum log_format { LOG_AUTO, LOG_TEXT, LOG_JSON }; /* and of log.format. */

/* How a Kafka cluster is reached, and the memory behind it. */
struct config_connection {
    struct kafka_settings client;
    struct kafka_property extra[CONFIG_EXTRA_MAX];
    char brokers[CONFIG_BROKERS_SIZE];
    char client_id[KAFKA_CLIENT_ID_MAX + 1];
};

struct config {
    /* What was asked for. */
    const struct config_text *file; /* NULL: none was read. */
    struct config_value values[SETTING_NAMES];

    /* What it comes to. */
    struct engine_settings engine; /* Its sink_types are found by whoever starts it. */
    char sink_type_names[ENGINE_SINKS_MAX][SINK_NAME_MAX + 1];
    enum log_level log_level;
    enum log_format log_format;
    int64_t expected_rate;
    struct machine_memory memory;

    struct config_error errors[CONFIG_ERRORS_MAX];
    size_t error_count; /* Warnings not counted. */
    size_t said_count;  /* Errors and warnings, at most CONFIG_ERRORS_MAX of them kept. */

    /* The memory behind it. */
    struct yaml yaml;
    struct yaml_node nodes[CONFIG_NODES_MAX];
    char texts[CONFIG_TEXT_SIZE];
    struct config_text read[CONFIG_TEXTS_MAX];
    size_t read_count;
    char file_bytes[YAML_SIZE_MAX + 2];
    const char *paths[ENGINE_PATHS_MAX];
    struct kafka_feed_settings kafka;
    const char *kafka_topics[CONFIG_TOPICS_MAX];
    struct config_connection connections[1 + ENGINE_SINKS_MAX]; /* Of the source, of each sink. */
    struct sink_kafka sink_kafkas[ENGINE_SINKS_MAX];
    char kafka_group[PIPELINE_NAME_MAX + 16];
};

/* What the command line says about the configuration. */
struct config_request {
    const char *file;        /* -c, or an argument; NULL: look for one, unless there are inputs. */
    const char *const *sets; /* "key=value", in order. */
    size_t set_count;
    const char *const *inputs; /* Files to read, "-" for standard input. */
    size_t input_count;
};

/* False: there are errors; then nothing is resolved. config is the caller's memory, any state. */
MUST_USE bool config_load(struct config *config, const struct config_request *request);

/* Every error and warning, with the line it stands in. Returns the exit code: 0 or 78. */
int config_say(const struct config *config);

/* For commands that read payments: is there something to read? Else that is one more error. */
bool config_need_source(struct config *config);

/* Ids alive at the expected rate: each lives for lateness, retention and align. */
int64_t config_expected_ids(const struct config *config);

/* The value in force; for a setting that is not a key of a list's entries. */
int64_t config_number(const struct config *config, enum setting_name name);
const char *config_text(const struct config *config, enum setting_name name);
bool config_auto(const struct config *config, enum setting_name name);

#endif
