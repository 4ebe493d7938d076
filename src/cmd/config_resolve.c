#include "cmd/config_parts.h"

#include "cmd/fraud_rule.h"

#include <inttypes.h>
#include <string.h>

enum {
    MEMORY_SHARE = 60, /* Percent of the machine, for state.memory_limit: auto. */
    ID_BYTES = 34,     /* One live id; 48 at worst, while the table grows. */
    PARSER_THREADS_AUTO_MAX = 4,
};

int64_t setting_number(const struct setting *setting, const char *text)
{
    int64_t value = 0;

    must(setting->kind <= SETTING_PERCENT);
    must(quantity_read((enum quantity)setting->kind, (struct span){text, strlen(text)}, &value) ==
         QUANTITY_READ);
    return value;
}

const char *config_text(const struct config *config, enum setting_name name)
{
    const char *text = config->values[name].node->text;

    must(text != NULL);
    return text;
}

int64_t config_number(const struct config *config, enum setting_name name)
{
    return setting_number(&settings[name], config_text(config, name));
}

bool config_auto(const struct config *config, enum setting_name name)
{
    return strcmp(config_text(config, name), "auto") == 0;
}

unsigned setting_choice(const struct setting *setting, const char *text)
{
    unsigned index = 0;

    for (const char *at = setting->choices;; index++) {
        size_t size = strcspn(at, "|");
        if (strlen(text) == size && strncmp(at, text, size) == 0) {
            return index;
        }
        must(at[size] == '|'); /* It was checked. */
        at += size + 1;
    }
}

unsigned config_choice(const struct config *config, enum setting_name name)
{
    return setting_choice(&settings[name], config_text(config, name));
}

static void copy_text(char *to, size_t size, const char *from)
{
    must(strlen(from) < size);
    memcpy(to, from, strlen(from) + 1);
}

static void resolve_names(const struct yaml_node *list, struct parse_names *ret_names)
{
    memset(ret_names, 0, sizeof(*ret_names));
    for (const struct yaml_node *entry = list->child; entry != NULL; entry = entry->next) {
        copy_text(ret_names->names[ret_names->count++], PARSE_NAME_SIZE, entry->text);
    }
}

static void resolve_payment(const struct config *config, struct parse_settings *parse)
{
    static const enum setting_name fields[PARSE_FIELDS] = {
        [PARSE_ID] = SET_FIELD_ID,         [PARSE_EVENT_TIME] = SET_FIELD_EVENT_TIME,
        [PARSE_SENDER] = SET_FIELD_SENDER, [PARSE_RECEIVER] = SET_FIELD_RECEIVER,
        [PARSE_AMOUNT] = SET_FIELD_AMOUNT, [PARSE_CURRENCY] = SET_FIELD_CURRENCY,
    };

    for (size_t field = 0; field < PARSE_FIELDS; field++) {
        resolve_names(config->values[fields[field]].node, &parse->fields[field]);
    }
    resolve_names(config->values[SET_CARRY].node, &parse->carry);
    const struct yaml_node *only = config->values[SET_ONLY].node->child;
    if (only != NULL) {
        copy_text(parse->only_field, sizeof(parse->only_field), only->key);
        resolve_names(only, &parse->only_values);
    }
    resolve_names(config->values[SET_DROP].node, &parse->drop);
    parse->reject_unknown =
        setting_choice(&settings[SET_UNKNOWN_FIELDS], config_text(config, SET_UNKNOWN_FIELDS)) == 1;
    parse->decimals_max = (int32_t)config_number(config, SET_MAX_DECIMALS);
}

/* privacy.mask: {name: last4} is masked; {name: drop} is one more name to drop. */
static void resolve_mask(struct config *config, struct parse_settings *parse)
{
    const struct config_value *value = &config->values[SET_MASK];

    for (const struct yaml_node *entry = value->node->child; entry != NULL; entry = entry->next) {
        bool drop = setting_choice(&settings[SET_MASK], entry->text) == 1;
        struct parse_names *names = drop ? &parse->drop : &parse->mask;
        if (names->count == PARSE_PRIVATE_MAX) {
            config_wrong(config, value->text, entry->key_mark, FAULT_CONFIG_RANGE,
                         "more than %d fields to drop", PARSE_PRIVATE_MAX);
            return;
        }
        copy_text(names->names[names->count++], PARSE_NAME_SIZE, entry->key);
    }
}

static void resolve_fraud(const struct config *config, struct rules *rules)
{
    const struct yaml_node *list = config->values[SET_FRAUD_SCORE].node;

    rules->fraud_enabled = strcmp(config_text(config, SET_FRAUD_ENABLED), "true") == 0;
    rules->high_risk_above = config_number(config, SET_HIGH_RISK);
    rules->senders_max = config_number(config, SET_MAX_SENDERS);
    for (const struct yaml_node *entry = list->child; entry != NULL; entry = entry->next) {
        struct fraud_rule *rule = &rules->fraud[rules->fraud_rule_count++];
        const struct yaml_node *when = config_record_value(entry, &settings[SET_FRAUD_WHEN]);
        const struct yaml_node *add = config_record_value(entry, &settings[SET_FRAUD_ADD]);
        const char *wrong = fraud_rule_read(when->text, rule);
        must(wrong == NULL);
        rule->add = setting_number(&settings[SET_FRAUD_ADD], add->text);
    }
}

static void resolve_rules(const struct config *config, struct rules *rules)
{
    memset(rules, 0, sizeof(*rules)); /* Compared and recorded as bytes. */
    rules->lateness_ms = config_number(config, SET_LATENESS);
    rules->retention_ms = config_number(config, SET_RETENTION);
    rules->max_future_ms = config_number(config, SET_MAX_FUTURE);
    rules->idle_after_ms = config_number(config, SET_IDLE_AFTER);
    rules->align_ms = config_number(config, SET_ALIGN);
    rules->window_ms = config_number(config, SET_WINDOW_EVERY);
    rules->window_groups_max = config_number(config, SET_WINDOW_GROUPS);
    resolve_fraud(config, rules);
}

static void resolve_source(struct config *config, struct engine_settings *engine)
{
    const struct config_value *paths = &config->values[SET_SOURCE_FILE_PATHS];

    unsigned type = config_choice(config, SET_SOURCE_TYPE);

    engine->from_stdin = type == 1;
    if (config_auto(config, SET_SOURCE_PARSER_THREADS)) {
        unsigned spare = machine_processors() - 1;
        engine->parser_threads = spare < 1                         ? 1
                                 : spare > PARSER_THREADS_AUTO_MAX ? PARSER_THREADS_AUTO_MAX
                                                                   : spare;
    } else {
        engine->parser_threads = (unsigned)config_number(config, SET_SOURCE_PARSER_THREADS);
    }
    engine->paths = config->paths;
    if (type == 2) {
        config_resolve_kafka(config);
    }
    if (type != 0) {
        return;
    }
    for (const struct yaml_node *path = paths->node->child; path != NULL; path = path->next) {
        config->paths[engine->path_count++] = path->text;
    }
}

int64_t config_expected_ids(const struct config *config)
{
    const struct rules *rules = &config->engine.rules;
    int64_t span_ms = rules->lateness_ms + rules->retention_ms + rules->align_ms;
    int64_t ids;

    if (__builtin_mul_overflow(config->expected_rate, span_ms, &ids)) {
        return INT64_MAX;
    }
    return ids / 1000;
}

static void check_forecast(struct config *config)
{
    const struct config_value *rate = &config->values[SET_EXPECTED_RATE];
    const struct rules *rules = &config->engine.rules;
    int64_t ids = config_expected_ids(config);
    char texts[6][QUANTITY_TEXT_SIZE];
    int64_t bytes;

    if (__builtin_mul_overflow(ids, ID_BYTES, &bytes)) {
        bytes = INT64_MAX;
    }
    if ((uint64_t)bytes <= config->engine.memory_limit) {
        return;
    }
    quantity_say(QUANTITY_COUNT, config->expected_rate, texts[0]);
    quantity_say(QUANTITY_DURATION, rules->lateness_ms, texts[1]);
    quantity_say(QUANTITY_DURATION, rules->retention_ms, texts[2]);
    quantity_say(QUANTITY_DURATION, rules->align_ms, texts[3]);
    quantity_say(QUANTITY_COUNT, ids, texts[4]);
    quantity_say(QUANTITY_SIZE, bytes, texts[5]);
    char limit[QUANTITY_TEXT_SIZE];
    quantity_say(QUANTITY_SIZE, (int64_t)config->engine.memory_limit, limit);
    /* A rate that nobody stated is no reason to refuse. */
    struct config_error *(*say)(struct config *, const struct config_text *, struct yaml_mark,
                                enum fault_code, const char *, ...) =
        rate->text->origin == CONFIG_DEFAULT ? config_warn : config_wrong;
    struct config_error *error =
        say(config, NULL, (struct yaml_mark){0}, FAULT_CONFIG_STATE_TOO_SMALL,
            "the dedup state cannot fit: %s payments/s x (%s lateness + %s retention + %s align) "
            "= %s ids = %s, but state.memory_limit is %s",
            texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], limit);
    (void)snprintf(error->next, sizeof(error->next), "%s",
                   fault_code_next(FAULT_CONFIG_STATE_TOO_SMALL));
}

static void resolve_memory(struct config *config)
{
    const struct config_value *value = &config->values[SET_MEMORY_LIMIT];

    config->memory = machine_memory("", 0);
    if (config_auto(config, SET_MEMORY_LIMIT)) {
        config->engine.memory_limit = config->memory.bytes / 100 * MEMORY_SHARE;
        return;
    }
    config->engine.memory_limit = (uint64_t)config_number(config, SET_MEMORY_LIMIT);
    if (config->engine.memory_limit > config->memory.bytes) {
        char has[QUANTITY_TEXT_SIZE];
        quantity_say(QUANTITY_SIZE, (int64_t)config->memory.bytes, has);
        config_wrong(config, value->text, value->node->mark, FAULT_CONFIG_MEMORY,
                     "\"%s\" is larger than this machine's memory (%s, from the %s)",
                     value->node->text, has, config->memory.whose);
    }
}

static void resolve_journal(const struct config *config, struct engine_settings *engine)
{
    engine->epoch_interval_ms = config_number(config, SET_EPOCH_INTERVAL);
    engine->epoch_messages_max = (uint64_t)config_number(config, SET_EPOCH_MESSAGES);
    engine->epoch_bytes_max = (uint64_t)config_number(config, SET_EPOCH_BYTES);
    engine->journal.segment_size = (uint64_t)config_number(config, SET_JOURNAL_SEGMENT);
    engine->journal.keep_ms = config_number(config, SET_JOURNAL_KEEP);
    engine->journal.max_bytes =
        config_auto(config, SET_JOURNAL_MAX) ? 0 : (uint64_t)config_number(config, SET_JOURNAL_MAX);
    engine->shutdown_grace_ms = config_number(config, SET_SHUTDOWN_GRACE);
    engine->reconcile_every_ms = config_number(config, SET_RECONCILE);
    engine->summary_every_ms = config_number(config, SET_LOG_SUMMARY);
}

void config_resolve(struct config *config)
{
    struct engine_settings *engine = &config->engine;

    copy_text(engine->pipeline, sizeof(engine->pipeline), config_text(config, SET_PIPELINE));
    copy_text(engine->data_dir, sizeof(engine->data_dir), config_text(config, SET_DATA_DIR));
    resolve_rules(config, &engine->rules);
    resolve_payment(config, &engine->parse);
    resolve_mask(config, &engine->parse);
    resolve_source(config, engine);
    resolve_journal(config, engine);
    config_resolve_sinks(config);
    config->log_level = (enum log_level)setting_choice(&settings[SET_LOG_LEVEL],
                                                       config_text(config, SET_LOG_LEVEL));
    config->log_format = (enum log_format)setting_choice(&settings[SET_LOG_FORMAT],
                                                         config_text(config, SET_LOG_FORMAT));
    config->expected_rate = config_number(config, SET_EXPECTED_RATE);
    resolve_memory(config);
    check_forecast(config);
}

bool config_need_source(struct config *config)
{
    const struct config_value *value = &config->values[SET_SOURCE_FILE_PATHS];

    if (config->engine.feed_type != NULL) {
        return config_need_topics(config);
    }
    if (config->engine.from_stdin || config->engine.path_count > 0) {
        return true;
    }
    bool given = value->text->origin != CONFIG_DEFAULT;
    struct config_error *error = config_wrong(config, given ? value->text : config->file,
                                              given ? value->node->mark : (struct yaml_mark){0},
                                              FAULT_CONFIG_MISSING, "no file of payments is named");
    (void)snprintf(error->next, sizeof(error->next),
                   "name them: payonce run payments.jsonl, or source.file.paths in a "
                   "configuration: payonce run payonce.yaml");
    return false;
}
