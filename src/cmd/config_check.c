#include "cmd/config_parts.h"

#include "cmd/fraud_rule.h"
#include "cmd/suggest.h"

#include <string.h>

enum { CHOICE_SIZE = 32, LONG_TEXT_MAX = 255 };

/* One value being held against its setting. */
struct checking {
    struct config *config;
    const struct config_text *text;
    const struct setting *setting;
};

static struct config_error *wrong_value(const struct checking *checking,
                                        const struct yaml_node *node, const char *expected)
{
    if (node->kind == YAML_TEXT && node->text[0] != '\0') {
        return config_wrong(checking->config, checking->text, node->mark, FAULT_CONFIG_VALUE,
                            "\"%s\" is not %s", node->text, expected);
    }
    return config_wrong(checking->config, checking->text, node->mark, FAULT_CONFIG_VALUE,
                        node->kind == YAML_TEXT ? "%s has no value; %s is expected" : "%s takes %s",
                        checking->setting->path, expected);
}

static bool is_text(const struct checking *checking, const struct yaml_node *node,
                    const char *expected)
{
    if (node->kind == YAML_TEXT && (node->text[0] != '\0' || node->quoted)) {
        return true;
    }
    wrong_value(checking, node, expected);
    return false;
}

static void hint_units(struct config_error *error, enum quantity kind, const char *text)
{
    switch (kind) {
    case QUANTITY_DURATION:
        (void)snprintf(error->hint, sizeof(error->hint), "write %ss, %sm or %sh", text, text, text);
        break;
    case QUANTITY_SIZE:
        (void)snprintf(error->hint, sizeof(error->hint), "write %sB, %sKiB or %sMiB", text, text,
                       text);
        break;
    case QUANTITY_RATE:
        (void)snprintf(error->hint, sizeof(error->hint), "write %s/s", text);
        break;
    case QUANTITY_PERCENT:
        (void)snprintf(error->hint, sizeof(error->hint), "write %s%%", text);
        break;
    case QUANTITY_COUNT:
        break;
    }
}

static bool out_of_range(const struct checking *checking, const struct yaml_node *node)
{
    char takes[SETTING_LIMITS_SIZE];

    setting_takes(checking->setting, takes);
    config_wrong(checking->config, checking->text, node->mark, FAULT_CONFIG_RANGE,
                 "\"%s\" is out of range: %s takes a %s", node->text, checking->setting->path,
                 takes);
    return false;
}

static bool check_quantity(const struct checking *checking, const struct yaml_node *node)
{
    const struct setting *setting = checking->setting;
    enum quantity kind = (enum quantity)setting->kind;
    int64_t value = 0;

    if (!is_text(checking, node, quantity_example(kind))) {
        return false;
    }
    if (setting_has_auto(setting) && strcmp(node->text, "auto") == 0) {
        return true;
    }
    struct span text = {node->text, strlen(node->text)};
    switch (quantity_read(kind, text, &value)) {
    case QUANTITY_READ:
        return (value >= setting->least && value <= setting->most) || out_of_range(checking, node);
    case QUANTITY_NO_UNIT:
        hint_units(config_wrong(checking->config, checking->text, node->mark, FAULT_CONFIG_UNIT,
                                "\"%s\" has no unit", node->text),
                   kind, node->text);
        return false;
    case QUANTITY_NO_NUMBER:
        wrong_value(checking, node, quantity_example(kind));
        return false;
    case QUANTITY_TOO_LARGE:
        return out_of_range(checking, node);
    }
    return false;
}

/* The choices of the setting, one by one; false after the last. */
static bool next_choice(const char **at, char ret_choice[CHOICE_SIZE])
{
    size_t size = strcspn(*at, "|");

    must(size < CHOICE_SIZE);
    memcpy(ret_choice, *at, size);
    ret_choice[size] = '\0';
    *at += (*at)[size] == '|' ? size + 1 : size;
    return size > 0;
}

static bool check_choice(const struct checking *checking, const struct yaml_node *node,
                         const char *choices)
{
    char expected[CHOICE_SIZE * 4];
    char choice[CHOICE_SIZE];

    (void)snprintf(expected, sizeof(expected), "one of %s", choices);
    if (!is_text(checking, node, expected)) {
        return false;
    }
    for (const char *at = choices; next_choice(&at, choice);) {
        if (strcmp(choice, node->text) == 0) {
            return true;
        }
    }
    wrong_value(checking, node, expected);
    return false;
}

static bool check_length(const struct checking *checking, const struct yaml_node *node,
                         const char *expected, int64_t least, int64_t most)
{
    if (!is_text(checking, node, expected)) {
        return false;
    }
    int64_t size = (int64_t)strlen(node->text);
    if (size >= least && size <= most) {
        return true;
    }
    config_wrong(checking->config, checking->text, node->mark, FAULT_CONFIG_RANGE,
                 "%s takes %s of %d to %d bytes, not %d", checking->setting->path, expected,
                 (int)least, (int)most, (int)size);
    return false;
}

static bool check_name(const struct checking *checking, const struct yaml_node *node)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    if (!check_length(checking, node, "a name", checking->setting->least,
                      checking->setting->most)) {
        return false;
    }
    if (node->text[strspn(node->text, allowed)] != '\0') {
        wrong_value(checking, node, "a name of letters, digits, - _ and .");
        return false;
    }
    return true;
}

static bool check_count(const struct checking *checking, const struct yaml_node *node,
                        int64_t least, int64_t most)
{
    if (node->count >= least && node->count <= most) {
        return true;
    }
    if (least == most) {
        config_wrong(checking->config, checking->text, node->mark, FAULT_CONFIG_RANGE,
                     "%s takes exactly %d %s, not %u", checking->setting->path, (int)most,
                     most == 1 ? "entry" : "entries", node->count);
        return false;
    }
    config_wrong(checking->config, checking->text, node->mark, FAULT_CONFIG_RANGE,
                 "%s takes %d to %d %s, not %u", checking->setting->path, (int)least, (int)most,
                 most == 1 ? "entry" : "entries", node->count);
    return false;
}

static bool repeated(const struct checking *checking, const struct yaml_node *list,
                     const struct yaml_node *entry)
{
    for (const struct yaml_node *other = list->child; other != entry; other = other->next) {
        if (other->kind == YAML_TEXT && strcmp(other->text, entry->text) == 0) {
            config_wrong(checking->config, checking->text, entry->mark, FAULT_CONFIG_DUPLICATE_KEY,
                         "\"%s\" stands twice in %s", entry->text, checking->setting->path);
            return true;
        }
    }
    return false;
}

static bool check_list(const struct checking *checking, const struct yaml_node *list,
                       const char *entry_name, int64_t size_max, int64_t least, int64_t most)
{
    if (list->kind != YAML_LIST) {
        struct config_error *error = wrong_value(checking, list, "a list");
        if (list->kind == YAML_TEXT && list->text[0] != '\0') {
            (void)snprintf(error->hint, sizeof(error->hint), "write [%.100s]", list->text);
        }
        return false;
    }
    bool right = check_count(checking, list, least, most);
    for (const struct yaml_node *entry = list->child; entry != NULL; entry = entry->next) {
        right = check_length(checking, entry, entry_name, 1, size_max) &&
                !repeated(checking, list, entry) && right;
    }
    return right;
}

/* What stands under a name. */
static bool check_named(const struct checking *checking, const struct yaml_node *entry)
{
    if (checking->setting->kind == SETTING_CHOICE_BY_NAME) {
        return check_choice(checking, entry, checking->setting->choices);
    }
    if (checking->setting->kind == SETTING_TEXT_BY_NAME) {
        return check_length(checking, entry, "a value", 0, ENGINE_PATH_MAX);
    }
    return check_list(checking, entry, "a value", PARSE_NAME_SIZE - 1, 1, PARSE_ONLY_VALUES_MAX);
}

/* A map of name: [value ...], of name: text, or of name: choice. */
static bool check_by_name(const struct checking *checking, const struct yaml_node *map)
{
    bool right = true;

    if (map->kind != YAML_MAP) {
        wrong_value(checking, map, "a map of names and values");
        return false;
    }
    right = check_count(checking, map, checking->setting->least, checking->setting->most);
    for (const struct yaml_node *entry = map->child; entry != NULL; entry = entry->next) {
        if (entry->key[0] == '\0' || strlen(entry->key) >= PARSE_NAME_SIZE) {
            config_wrong(checking->config, checking->text, entry->key_mark, FAULT_CONFIG_RANGE,
                         "a name has 1 to %d bytes", PARSE_NAME_SIZE - 1);
            right = false;
        }
        if (yaml_child(map, entry->key) != entry) {
            config_wrong(checking->config, checking->text, entry->key_mark,
                         FAULT_CONFIG_DUPLICATE_KEY, "\"%s\" is set twice", entry->key);
            right = false;
        }
        right = check_named(checking, entry) && right;
    }
    return right;
}

static bool check_records(const struct checking *checking, const struct yaml_node *list)
{
    size_t before = checking->config->error_count;

    if (list->kind != YAML_LIST) {
        wrong_value(checking, list, "a list of maps");
        return false;
    }
    (void)check_count(checking, list, checking->setting->least, checking->setting->most);
    for (const struct yaml_node *entry = list->child; entry != NULL; entry = entry->next) {
        config_walk_record(checking->config, checking->text, entry, checking->setting);
    }
    return checking->config->error_count == before;
}

static bool check_rule(const struct checking *checking, const struct yaml_node *node)
{
    struct fraud_rule rule;

    if (!is_text(checking, node, "a comparison, as in: amount > 5000 USD")) {
        return false;
    }
    const char *wrong = fraud_rule_read(node->text, &rule);
    if (wrong == NULL) {
        return true;
    }
    config_wrong(checking->config, checking->text, node->mark, FAULT_CONFIG_VALUE, "\"%s\": %s",
                 node->text, wrong);
    return false;
}

bool config_check(struct config *config, const struct config_text *text,
                  const struct yaml_node *node, const struct setting *setting)
{
    struct checking checking = {config, text, setting};

    switch (setting->kind) {
    case SETTING_COUNT:
    case SETTING_DURATION:
    case SETTING_SIZE:
    case SETTING_RATE:
    case SETTING_PERCENT:
        return check_quantity(&checking, node);
    case SETTING_BOOL:
        return check_choice(&checking, node, "true|false");
    case SETTING_CHOICE:
        return check_choice(&checking, node, setting->choices);
    case SETTING_TEXT:
        return check_length(&checking, node, "a text", setting->least, setting->most);
    case SETTING_NAME:
        return check_name(&checking, node);
    case SETTING_PATH:
        return check_length(&checking, node, "a path", setting->least, setting->most);
    case SETTING_RULE:
        return check_rule(&checking, node);
    case SETTING_TEXTS:
        return check_list(&checking, node, "a name", PARSE_NAME_SIZE - 1, setting->least,
                          setting->most);
    case SETTING_LONG_TEXTS:
        return check_list(&checking, node, "a text", LONG_TEXT_MAX, setting->least, setting->most);
    case SETTING_PATHS:
        return check_list(&checking, node, "a path", ENGINE_PATH_MAX - 1, setting->least,
                          setting->most);
    case SETTING_TEXTS_BY_NAME:
    case SETTING_TEXT_BY_NAME:
    case SETTING_CHOICE_BY_NAME:
        return check_by_name(&checking, node);
    case SETTING_RECORDS:
        return check_records(&checking, node);
    }
    return false;
}
