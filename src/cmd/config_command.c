#include "cmd/commands.h"
#include "cmd/help_parts.h"
#include "cmd/json_line.h"
#include "cmd/options.h"
#include "cmd/say.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char config_help[] =
    "Usage: payonce config [options] [payonce.yaml]\n"
    "       payonce config --defaults | --reference\n"
    "\n"
    "Prints the settings in force, as a configuration that would give them.\n"
    "\n"
    "      --origin              and where each comes from\n"
    "      --defaults            the YAML file that sets every setting to its default, with its\n"
    "                            reason\n"
    "      --reference           the same as a table for docs/configuration.md\n" OPTIONS_JSON_HELP
        OPTIONS_CONFIG_HELP OPTIONS_EVERY_HELP "\n"
    "Examples:\n"
    "  payonce config --defaults > payonce.yaml\n"
    "  payonce config --origin payonce.yaml\n";

enum config_option { CONFIG_ORIGIN = OPTION_OWN, CONFIG_DEFAULTS, CONFIG_REFERENCE };

enum { ORIGIN_COLUMN_MAX = 84 };

static const struct option known[] = {
    OPTIONS_EVERY,
    OPTIONS_JSON,
    OPTIONS_CONFIG,
    {"origin", no_argument, NULL, CONFIG_ORIGIN},
    {"defaults", no_argument, NULL, CONFIG_DEFAULTS},
    {"reference", no_argument, NULL, CONFIG_REFERENCE},
    {NULL, 0, NULL, 0},
};

static struct config config;

/* May it stand without quotes, wherever it stands? */
static bool is_plain(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        bool word = isalnum((unsigned char)*at) || strchr("_./%-~", *at) != NULL;
        bool inside = at != text && at[1] != '\0' && strchr(" <>=", *at) != NULL;
        if (!word && !inside) {
            return false;
        }
    }
    return text[0] != '\0' && text[0] != '-' && text[0] != '%' && text[0] != '~';
}

static void write_text(FILE *stream, const char *text, bool json)
{
    if (!json && is_plain(text)) {
        (void)fputs(text, stream);
    } else {
        json_line_quote(stream, (struct span){text, strlen(text)});
    }
}

static void write_leaf(FILE *stream, const struct yaml_node *node, bool json)
{
    if (json && node->key != NULL) {
        json_line_quote(stream, (struct span){node->key, strlen(node->key)});
        (void)fputs(": ", stream);
    } else if (node->key != NULL) {
        (void)fprintf(stream, "%s: ", node->key);
    }
    if (node->kind == YAML_TEXT) {
        write_text(stream, node->text, json);
    }
}

/* Everything on one line. The tree is shallow (YAML_DEPTH_MAX), so the stack of it is, too. */
static void write_node(FILE *stream, const struct yaml_node *node, bool json)
{
    bool list = node->kind == YAML_LIST;

    if (node->kind == YAML_TEXT) {
        write_text(stream, node->text, json);
        return;
    }
    (void)fputs(list ? "[" : "{", stream);
    for (const struct yaml_node *child = node->child; child != NULL; child = child->next) {
        write_leaf(stream, child, json);
        if (child->kind != YAML_TEXT) {
            write_node(stream, child, json);
        }
        (void)fputs(child->next == NULL ? "" : ", ", stream);
    }
    (void)fputs(list ? "]" : "}", stream);
}

static void write_origin(const struct config_value *value, char *ret_text, size_t size)
{
    if (value->node->mark.line > 0 && value->text->origin == CONFIG_FILE) {
        (void)snprintf(ret_text, size, "%s:%u", value->text->name, value->node->mark.line);
    } else {
        (void)snprintf(ret_text, size, "%s", value->text->name);
    }
}

/* "path: value" as one line; freed by the caller. */
static char *setting_line(enum setting_name name, size_t *ret_size)
{
    char *line = NULL;
    FILE *stream = open_memstream(&line, ret_size);

    must(stream != NULL);
    (void)fprintf(stream, "%s: ", settings[name].path);
    write_node(stream, config.values[name].node, false);
    (void)fclose(stream);
    return line;
}

/* Characters, not bytes: what the origins behind them are aligned by. */
static size_t width_of(const char *line, size_t size)
{
    size_t width = 0;

    for (size_t index = 0; index < size; index++) {
        width += ((unsigned char)line[index] & 0xc0U) != 0x80 ? 1 : 0;
    }
    return width;
}

/* Behind the longest line that is not too long. */
static size_t origin_column(void)
{
    size_t column = 0;

    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        size_t size;
        char *line = setting_line(name, &size);
        size_t width = width_of(line, size);
        if (width <= ORIGIN_COLUMN_MAX && width > column && !setting_in_record(&settings[name])) {
            column = width;
        }
        free(line);
    }
    return column;
}

/* column 0: without its origin. A line that reaches beyond it has that on the next one. */
static void print_setting(enum setting_name name, size_t column)
{
    char text[CONFIG_NAME_SIZE + 16];
    size_t size;
    char *line = setting_line(name, &size);
    size_t width = say_text(stdout, (struct span){line, size}, SIZE_MAX);

    if (column > 0) {
        write_origin(&config.values[name], text, sizeof(text));
        if (width > column) {
            (void)putchar('\n');
            width = 0;
        }
        (void)printf("%*s # ", (int)(column - width), "");
        (void)say_text(stdout, (struct span){text, strlen(text)}, SIZE_MAX);
    }
    (void)putchar('\n');
    free(line);
}

static void print_json(bool origin)
{
    struct json_line object;

    json_line_start(&object, stdout);
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        char text[CONFIG_NAME_SIZE + 16];
        if (setting_in_record(&settings[name])) {
            continue;
        }
        json_line_key(&object, settings[name].path);
        if (!origin) {
            write_node(stdout, config.values[name].node, true);
            continue;
        }
        struct json_line inner;
        json_line_start(&inner, stdout);
        json_line_key(&inner, "value");
        write_node(stdout, config.values[name].node, true);
        write_origin(&config.values[name], text, sizeof(text));
        json_line_text(&inner, "origin", text);
        json_line_close(&inner);
    }
    json_line_end(&object);
}

static int print_in_force(struct options *options, bool origin)
{
    if (!options_take_inputs(options)) {
        return EXIT_USAGE;
    }
    if (!config_load(&config, &options->request)) {
        return config_say(&config);
    }
    (void)config_say(&config);
    if (options->json) {
        print_json(origin);
        return EXIT_DONE;
    }
    size_t column = origin ? origin_column() : 0;
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        if (!setting_in_record(&settings[name])) {
            print_setting(name, column);
        }
    }
    return EXIT_DONE;
}

int command_config(int count, char **arguments)
{
    struct options options = {
        .command = "config", .known = known, .count = count, .arguments = arguments};
    bool asked[CONFIG_REFERENCE + 1 - OPTION_OWN] = {false};
    int option;

    while ((option = options_next(&options)) != -1) {
        if (option == '?') {
            return EXIT_USAGE;
        }
        asked[option - OPTION_OWN] = true;
    }
    bool defaults = asked[CONFIG_DEFAULTS - OPTION_OWN];
    bool reference = asked[CONFIG_REFERENCE - OPTION_OWN];
    if (!defaults && !reference) {
        return print_in_force(&options, asked[CONFIG_ORIGIN - OPTION_OWN]);
    }
    if (count != 2) {
        return say_usage("config", "--defaults and --reference stand alone");
    }
    if (defaults) {
        help_print_defaults();
    } else {
        help_print_reference();
    }
    return EXIT_DONE;
}
