/*
 * options: the words behind a command, over getopt_long, with mistakes told our way.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "cmd/config.h"

#include <getopt.h>

enum {
    OPTIONS_SETS_MAX = 64,
    OPTIONS_LETTERS_MAX = 16,
    OPTION_SET = 1000,
    OPTION_NO_COLOR,
    OPTION_JSON,
    OPTION_OWN, /* The first that a command may give a number of its own. */
};

/* clang-format off: lists of options, put first among a command's own. */
/* What every command takes. */
#define OPTIONS_EVERY                                                                              \
    {"quiet", no_argument, NULL, 'q'}, {"verbose", no_argument, NULL, 'v'},                        \
    {                                                                                              \
        "no-color", no_argument, NULL, OPTION_NO_COLOR                                             \
    }

/* What every command with a configuration takes. */
#define OPTIONS_CONFIG                                                                             \
    {"config", required_argument, NULL, 'c'},                                                      \
    {                                                                                              \
        "set", required_argument, NULL, OPTION_SET                                                 \
    }

#define OPTIONS_JSON                                                                               \
    {                                                                                              \
        "json", no_argument, NULL, OPTION_JSON                                                     \
    }
/* clang-format on */

#define OPTIONS_EVERY_HELP                                                                         \
    "  -q, --quiet           say nothing but errors\n"                                             \
    "  -v, --verbose         say more\n"                                                           \
    "      --no-color        also NO_COLOR, and wherever there is no terminal\n"                   \
    "  -h, --help\n"

#define OPTIONS_CONFIG_HELP                                                                        \
    "  -c, --config FILE     the configuration; else PAYONCE_CONFIG, ./payonce.yaml,\n"            \
    "                        /etc/payonce/payonce.yaml\n"                                          \
    "      --set KEY=VALUE   one setting (repeatable); payonce help settings\n"

#define OPTIONS_JSON_HELP "      --json            the result as one JSON object\n"

struct options {
    const char *command;
    const struct option *known; /* Ends with zeros. */
    int count;
    char **arguments;
    bool quiet;
    bool verbose;
    bool json;
    struct config_request request;
    const char *sets[OPTIONS_SETS_MAX];
};

/* The next option of the command's own; common ones are taken. -1: no more; '?': wrong, said. */
int options_next(struct options *options);

/* The arguments that are no options, behind the last option. */
int options_rest(const struct options *options, char ***ret_rest);

/*
 * For commands that read payments: behind the options a configuration, by its name, and inputs.
 * False: wrong, and said.
 */
MUST_USE bool options_take_inputs(struct options *options);

/* "payonce.yaml" or "x.yml": a configuration by its name. */
bool options_names_config(const char *argument);

#endif
