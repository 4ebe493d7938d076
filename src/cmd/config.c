#include "cmd/config_parts.h"

#include "cmd/suggest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* A file is looked for under these names, if none is named. */
static const char *const usual_files[] = {"payonce.yaml", "/etc/payonce/payonce.yaml"};

/* Without a configuration, for files named on the command line: everything stays right here. */
static const char here[] =
    "{data_dir: ./payonce-data, sinks: [{name: local, type: sqlite, path: ./payments.db}]}";

static const struct config_text defaults = {.name = "default", .origin = CONFIG_DEFAULT};

static struct config_text *text_add(struct config *config, const char *name, struct span text,
                                    enum config_origin origin)
{
    if (config->read_count == CONFIG_TEXTS_MAX) {
        config_wrong(config, NULL, (struct yaml_mark){0}, FAULT_CONFIG_RANGE,
                     "more than %d values from options and environment", CONFIG_TEXTS_MAX);
        return NULL;
    }
    struct config_text *added = &config->read[config->read_count++];
    (void)snprintf(added->name, sizeof(added->name), "%s", name);
    added->text = text;
    added->origin = origin;
    return added;
}

/* The tree of a text; NULL with nothing said: it is empty. */
static const struct yaml_node *text_read(struct config *config, const struct config_text *text)
{
    const struct yaml_node *root = NULL;
    struct yaml_mark mark;
    struct fault fault;

    if (yaml_read(&config->yaml, text->text, &root, &mark, &fault) != DONE) {
        config_wrong(config, text, mark, fault.code, "%s", fault.text);
    }
    return root;
}

static bool is_tree(const struct setting *setting)
{
    return setting->kind >= SETTING_TEXTS;
}

static void take_defaults(struct config *config)
{
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        const struct setting *setting = &settings[name];
        struct span text = {setting->standard, strlen(setting->standard)};
        const struct yaml_node *node = NULL;
        struct yaml_mark mark;
        struct fault fault;
        if (!is_tree(setting)) {
            node = yaml_text(&config->yaml, text);
        } else if (yaml_read(&config->yaml, text, &node, &mark, &fault) != DONE) {
            must(node != NULL); /* The table's own text. */
        }
        must(node != NULL);
        config->values[name] = (struct config_value){node, &defaults};
    }
}

/* One value from outside a file: a list or map is written as YAML, anything else as it is. */
static void take_value(struct config *config, const char *label, enum setting_name name,
                       const char *value, enum config_origin origin)
{
    struct span span = {value, strlen(value)};
    struct config_text *text = text_add(config, label, span, origin);

    if (text == NULL) {
        return;
    }
    const struct yaml_node *node =
        is_tree(&settings[name]) ? text_read(config, text) : yaml_text(&config->yaml, span);
    if (node == NULL) {
        if (!is_tree(&settings[name])) {
            config_wrong(config, text, (struct yaml_mark){0}, FAULT_CONFIG_RANGE, "too much text");
        }
        return;
    }
    if (config_check(config, text, node, &settings[name])) {
        config->values[name] = (struct config_value){node, text};
    }
}

static void suggest_setting(struct config_error *error, const char *path)
{
    struct suggestion suggestion = {.word = path};

    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        if (!setting_in_record(&settings[name])) {
            suggest_offer(&suggestion, settings[name].path);
        }
    }
    if (suggestion.best != NULL) {
        (void)snprintf(error->hint, sizeof(error->hint), "did you mean %s?", suggestion.best);
    }
}

static void take_option(struct config *config, const char *option)
{
    char label[CONFIG_NAME_SIZE];
    char path[SUGGEST_WORD_MAX];
    size_t size = strcspn(option, "=");

    (void)snprintf(label, sizeof(label), "--set %s", option);
    if (option[size] != '=' || size == 0 || size >= sizeof(path)) {
        struct config_text *text =
            text_add(config, label, (struct span){"", 0}, CONFIG_COMMAND_LINE);
        config_wrong(config, text, (struct yaml_mark){0}, FAULT_CONFIG_VALUE,
                     "--set takes KEY=VALUE, as in --set dedup.retention=30m");
        return;
    }
    memcpy(path, option, size);
    path[size] = '\0';
    enum setting_name name = setting_named(path);
    if (name == SETTING_NAMES || setting_in_record(&settings[name])) {
        struct config_text *text =
            text_add(config, label, (struct span){"", 0}, CONFIG_COMMAND_LINE);
        suggest_setting(config_wrong(config, text, (struct yaml_mark){0}, FAULT_CONFIG_UNKNOWN_KEY,
                                     "unknown setting \"%s\"", path),
                        path);
        return;
    }
    (void)snprintf(label, sizeof(label), "--set %s", path);
    take_value(config, label, name, option + size + 1, CONFIG_COMMAND_LINE);
}

/*
 * A variable that only looks like ours is no error: Kubernetes sets PAYONCE_PORT and the like
 * for a service of that name. One that is nearly ours is worth a word.
 */
static void take_variables(struct config *config)
{
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        char variable[SETTING_VARIABLE_SIZE];
        if (setting_in_record(&settings[name])) {
            continue;
        }
        setting_variable(&settings[name], variable);
        const char *value = getenv(variable);
        if (value != NULL) {
            take_value(config, variable, name, value, CONFIG_ENVIRONMENT);
        }
    }
    for (char **entry = environ; *entry != NULL; entry++) {
        char word[SUGGEST_WORD_MAX];
        size_t size = strcspn(*entry, "=");
        if (strncmp(*entry, "PAYONCE_", 8) != 0 || size >= sizeof(word)) {
            continue;
        }
        memcpy(word, *entry, size);
        word[size] = '\0';
        for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
            char variable[SETTING_VARIABLE_SIZE];
            setting_variable(&settings[name], variable);
            unsigned distance = suggest_distance(word, variable);
            if (distance > 0 && distance <= 2 && !setting_in_record(&settings[name])) {
                config_warn(config, NULL, (struct yaml_mark){0}, FAULT_CONFIG_UNKNOWN_KEY,
                            "the environment variable %s is no setting; is %s meant?", word,
                            variable);
            }
        }
    }
}

static void take_file(struct config *config, const char *path)
{
    struct config_text *text = text_add(config, path, (struct span){"", 0}, CONFIG_FILE);
    FILE *stream = fopen(path, "re");

    if (stream == NULL) {
        config_wrong(config, text, (struct yaml_mark){0}, FAULT_CONFIG_READ, "%s", strerror(errno));
        return;
    }
    size_t size = fread(config->file_bytes, 1, sizeof(config->file_bytes) - 1, stream);
    if (ferror(stream) != 0) {
        config_wrong(config, text, (struct yaml_mark){0}, FAULT_CONFIG_READ, "%s", strerror(errno));
        size = 0;
    }
    (void)fclose(stream);
    text->text = (struct span){config->file_bytes, size};
    config->file = text;
    size_t first_node = config->yaml.node_count;
    const struct yaml_node *root = text_read(config, text);
    config_expand(config, text, first_node);
    config_walk(config, text, root);
}

/* Which file, if any: the one named, or the first usual one that is there. */
static const char *find_file(const struct config_request *request)
{
    const char *named = request->file != NULL ? request->file : getenv("PAYONCE_CONFIG");

    if (named != NULL && named[0] != '\0') {
        return named;
    }
    /* Files on the command line are an errand of their own: no ledger that happens to be
     * configured on this machine is to receive them. */
    if (request->input_count > 0) {
        return NULL;
    }
    for (size_t index = 0; index < sizeof(usual_files) / sizeof(usual_files[0]); index++) {
        if (access(usual_files[index], F_OK) == 0) {
            return usual_files[index];
        }
    }
    return NULL;
}

/* Files on the command line stand for source.file.paths, "-" for standard input. */
static void take_inputs(struct config *config, const struct config_request *request)
{
    static struct yaml_node nodes[ENGINE_PATHS_MAX];
    struct config_text *text = text_add(config, "FILE", (struct span){"", 0}, CONFIG_COMMAND_LINE);
    bool from_stdin = request->input_count == 1 && strcmp(request->inputs[0], "-") == 0;
    struct span type = {from_stdin ? "stdin" : "file", from_stdin ? 5 : 4};
    static struct yaml_node list;

    config->values[SET_SOURCE_TYPE] = (struct config_value){yaml_text(&config->yaml, type), text};
    if (from_stdin) {
        return;
    }
    list = (struct yaml_node){.kind = YAML_LIST, .child = nodes};
    for (size_t index = 0; index < request->input_count && index < ENGINE_PATHS_MAX; index++) {
        nodes[index] = (struct yaml_node){.kind = YAML_TEXT, .text = request->inputs[index]};
        if (index > 0) {
            nodes[index - 1].next = &nodes[index];
        }
    }
    list.count = (uint32_t)request->input_count;
    if (config_check(config, text, &list, &settings[SET_SOURCE_FILE_PATHS])) {
        config->values[SET_SOURCE_FILE_PATHS] = (struct config_value){&list, text};
    }
}

/* "=watermark.lateness" is that setting's value; "=data_dir/payments.db" stands below it. */
static void follow_defaults(struct config *config)
{
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        const char *standard = settings[name].standard;
        if (standard[0] == '=' && config->values[name].text == &defaults &&
            strchr(standard, '/') == NULL) {
            enum setting_name other = setting_named(standard + 1);
            must(other < SETTING_NAMES);
            config->values[name].node = config->values[other].node;
        }
    }
}

bool config_load(struct config *config, const struct config_request *request)
{
    memset(config, 0, sizeof(*config));
    yaml_init(&config->yaml, config->nodes, CONFIG_NODES_MAX, config->texts, CONFIG_TEXT_SIZE);
    take_defaults(config);
    const char *file = find_file(request);
    if (file != NULL) {
        take_file(config, file);
    } else if (request->input_count > 0) {
        struct config_text *text =
            text_add(config, "default", (struct span){here, sizeof(here) - 1}, CONFIG_DEFAULT);
        config_walk(config, text, text_read(config, text));
    }
    take_variables(config);
    for (size_t index = 0; index < request->set_count; index++) {
        take_option(config, request->sets[index]);
    }
    if (request->input_count > 0) {
        take_inputs(config, request);
    }
    follow_defaults(config);
    if (config->error_count == 0) {
        config_resolve(config);
    }
    return config->error_count == 0;
}
