#include "cmd/config_parts.h"

#include "cmd/suggest.h"

#include <string.h>

enum { PATH_SIZE = 160 };

/* Where a walk stands: which text, and the path of the map it is in. */
struct walk {
    struct config *config;
    const struct config_text *text;
    const struct setting *records; /* Inside an entry of this list; else NULL. */
};

static bool path_of(const char *prefix, const char *key, char ret_path[PATH_SIZE])
{
    int size = snprintf(ret_path, PATH_SIZE, "%s%s", prefix, key);
    return size >= 0 && size < PATH_SIZE;
}

static bool is_section(const char *path)
{
    size_t size = strlen(path);

    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        if (strncmp(settings[name].path, path, size) == 0 && settings[name].path[size] == '.') {
            return true;
        }
    }
    return false;
}

/* The words that may stand at this level, and the same word one level elsewhere. */
static void suggest_key(struct config_error *error, const char *prefix, const char *key)
{
    char words[SETTING_NAMES][SUGGEST_WORD_MAX];
    struct suggestion suggestion = {.word = key};
    size_t size = strlen(prefix);
    const char *elsewhere = NULL;

    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        const char *path = settings[name].path;
        const char *last = strrchr(path, '.');
        if (strncmp(path, prefix, size) == 0) {
            (void)snprintf(words[name], SUGGEST_WORD_MAX, "%.*s", (int)strcspn(path + size, ".["),
                           path + size);
            suggest_offer(&suggestion, words[name]);
        }
        if (last != NULL && strcmp(last + 1, key) == 0 && !setting_in_record(&settings[name])) {
            elsewhere = path;
        }
    }
    if (suggestion.best != NULL && suggestion.distance <= 2) {
        (void)snprintf(error->hint, sizeof(error->hint), "did you mean \"%s\"?", suggestion.best);
    } else if (elsewhere != NULL) {
        (void)snprintf(error->hint, sizeof(error->hint), "there is %s", elsewhere);
    } else if (suggestion.best != NULL) {
        (void)snprintf(error->hint, sizeof(error->hint), "did you mean \"%s\"?", suggestion.best);
    }
}

static void unknown(const struct walk *walk, const char *prefix, const struct yaml_node *node)
{
    size_t size = strlen(prefix);
    struct config_error *error;

    if (size == 0) {
        error = config_wrong(walk->config, walk->text, node->key_mark, FAULT_CONFIG_UNKNOWN_KEY,
                             "unknown key \"%s\"", node->key);
    } else {
        error = config_wrong(walk->config, walk->text, node->key_mark, FAULT_CONFIG_UNKNOWN_KEY,
                             "unknown key \"%s\" in \"%.*s\"", node->key, (int)size - 1, prefix);
    }
    suggest_key(error, prefix, node->key);
}

static void duplicate(const struct walk *walk, const struct yaml_node *node,
                      const struct yaml_node *first)
{
    struct config_error *error =
        config_wrong(walk->config, walk->text, node->key_mark, FAULT_CONFIG_DUPLICATE_KEY,
                     "\"%s\" is set twice", node->key);
    (void)snprintf(error->hint, sizeof(error->hint), "first on line %u", first->key_mark.line);
}

static const struct yaml_node *same_key_before(const struct yaml_node *map,
                                               const struct yaml_node *node)
{
    const struct yaml_node *first = yaml_child(map, node->key);
    return first == node ? NULL : first;
}

static void take(const struct walk *walk, const struct yaml_node *node, enum setting_name name)
{
    struct config_value *value = &walk->config->values[name];

    if (walk->records == NULL && value->node != NULL && value->text == walk->text) {
        duplicate(walk, node, value->node);
        return;
    }
    bool right = config_check(walk->config, walk->text, node, &settings[name]);
    if (walk->records == NULL && right) {
        *value = (struct config_value){node, walk->text};
    }
}

static void walk_map(const struct walk *walk, const char *prefix, const struct yaml_node *map)
{
    for (const struct yaml_node *node = map->child; node != NULL; node = node->next) {
        char path[PATH_SIZE];
        char deeper[PATH_SIZE];
        bool fits = path_of(prefix, node->key, path) && path_of(path, ".", deeper);
        enum setting_name name = fits ? setting_named(path) : SETTING_NAMES;
        const struct yaml_node *first = same_key_before(map, node);
        if (first != NULL) {
            duplicate(walk, node, first);
        } else if (name < SETTING_NAMES) {
            take(walk, node, name);
        } else if (!fits || !is_section(path)) {
            unknown(walk, prefix, node);
        } else if (node->kind == YAML_MAP) {
            walk_map(walk, deeper, node);
        } else {
            struct config_error *error =
                config_wrong(walk->config, walk->text, node->mark, FAULT_CONFIG_VALUE,
                             "\"%s\" is a section, not a value", path);
            (void)snprintf(error->next, sizeof(error->next), "payonce help settings %s", path);
        }
    }
}

void config_walk(struct config *config, const struct config_text *text,
                 const struct yaml_node *root)
{
    struct walk walk = {.config = config, .text = text};

    if (root == NULL) {
        return;
    }
    if (root->kind != YAML_MAP) {
        config_wrong(config, text, root->mark, FAULT_CONFIG_SYNTAX,
                     "a map of settings is expected, as in `pipeline: payments`");
        return;
    }
    walk_map(&walk, "", root);
}

static const struct yaml_node *find_below(const struct yaml_node *map, const char *path)
{
    for (const struct yaml_node *node = map->child; node != NULL; node = node->next) {
        size_t size = strlen(node->key);
        if (strcmp(node->key, path) == 0) {
            return node;
        }
        if (node->kind == YAML_MAP && strncmp(node->key, path, size) == 0 && path[size] == '.') {
            const struct yaml_node *found = find_below(node, path + size + 1);
            if (found != NULL) {
                return found;
            }
        }
    }
    return NULL;
}

const struct yaml_node *config_record_value(const struct yaml_node *record,
                                            const struct setting *setting)
{
    const char *bracket = strstr(setting->path, "[].");

    must(bracket != NULL);
    return find_below(record, bracket + 3);
}

void config_walk_record(struct config *config, const struct config_text *text,
                        const struct yaml_node *record, const struct setting *records)
{
    struct walk walk = {.config = config, .text = text, .records = records};
    char prefix[PATH_SIZE];

    if (record->kind != YAML_MAP) {
        config_wrong(config, text, record->mark, FAULT_CONFIG_VALUE,
                     "each entry of %s is a map of its own", records->path);
        return;
    }
    must(path_of(records->path, "[].", prefix));
    walk_map(&walk, prefix, record);
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        const struct setting *setting = &settings[name];
        if (strncmp(setting->path, prefix, strlen(prefix)) == 0 && setting_required(setting) &&
            config_record_value(record, setting) == NULL) {
            config_wrong(config, text, record->mark, FAULT_CONFIG_MISSING,
                         "an entry of %s has no \"%s\"", records->path,
                         setting->path + strlen(prefix));
        }
    }
}
