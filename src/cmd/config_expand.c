#include "cmd/config_parts.h"

#include <stdlib.h>
#include <string.h>

enum { EXPANDED_SIZE = YAML_TEXT_SIZE_MAX + 1, VARIABLE_SIZE = 128 };

/* One text on its way from what stands in the file to what is meant. */
struct expansion {
    struct config *config;
    const struct config_text *text;
    const struct yaml_node *node;
    size_t size;
    char result[EXPANDED_SIZE];
};

static bool append(struct expansion *expansion, const char *at, size_t size)
{
    if (size >= EXPANDED_SIZE - expansion->size) {
        config_wrong(expansion->config, expansion->text, expansion->node->mark, FAULT_CONFIG_RANGE,
                     "longer than %d bytes with its variables filled in", YAML_TEXT_SIZE_MAX);
        return false;
    }
    memcpy(expansion->result + expansion->size, at, size);
    expansion->size += size;
    return true;
}

/* at: behind "${"; end: at its "}". */
static bool append_variable(struct expansion *expansion, const char *at, const char *end)
{
    char variable[VARIABLE_SIZE];
    size_t size = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    bool has_default = strncmp(at + size, ":-", 2) == 0;

    if (size == 0 || size >= sizeof(variable) || (at + size != end && !has_default)) {
        config_wrong(expansion->config, expansion->text, expansion->node->mark, FAULT_CONFIG_VALUE,
                     "\"${%.*s}\" is neither ${NAME} nor ${NAME:-default}", (int)(end - at), at);
        return false;
    }
    memcpy(variable, at, size);
    variable[size] = '\0';
    const char *value = getenv(variable);
    if (has_default && (value == NULL || value[0] == '\0')) {
        return append(expansion, at + size + 2, (size_t)(end - at) - size - 2);
    }
    if (value == NULL) {
        config_wrong(expansion->config, expansion->text, expansion->node->mark,
                     FAULT_CONFIG_VARIABLE, "the environment variable %s is not set", variable);
        return false;
    }
    return append(expansion, value, strlen(value));
}

static bool expand(struct expansion *expansion)
{
    const char *at = expansion->node->text;

    for (const char *opened = strstr(at, "${"); opened != NULL; opened = strstr(at, "${")) {
        const char *end = strchr(opened, '}');
        if (end == NULL) {
            config_wrong(expansion->config, expansion->text, expansion->node->mark,
                         FAULT_CONFIG_VALUE, "\"${\" without its \"}\"");
            return false;
        }
        if (!append(expansion, at, (size_t)(opened - at)) ||
            !append_variable(expansion, opened + 2, end)) {
            return false;
        }
        at = end + 1;
    }
    return append(expansion, at, strlen(at));
}

void config_expand(struct config *config, const struct config_text *text, size_t first_node)
{
    size_t end = config->yaml.node_count;

    for (size_t index = first_node; index < end; index++) {
        struct yaml_node *node = &config->nodes[index];
        if (node->kind != YAML_TEXT || strstr(node->text, "${") == NULL) {
            continue;
        }
        struct expansion expansion = {.config = config, .text = text, .node = node};
        if (!expand(&expansion)) {
            continue;
        }
        const struct yaml_node *whole =
            yaml_text(&config->yaml, (struct span){expansion.result, expansion.size});
        if (whole == NULL) {
            config_wrong(config, text, node->mark, FAULT_CONFIG_RANGE, "too much text");
            continue;
        }
        node->text = whole->text;
    }
}
