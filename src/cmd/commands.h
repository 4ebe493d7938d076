/*
 * commands: what payonce can be told to do. One line each in commands.c.
 *
 * A command takes the arguments behind its name (arguments[0] is the name) and returns the
 * exit code: payonce help exit-codes. main has already answered --help and -h.
 */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "base/base.h"

struct command {
    const char *name;
    const char *group;   /* The heading in the list of commands. */
    const char *summary; /* One line. */
    int (*run)(int count, char **arguments);
    const char *help; /* "Usage: payonce run ...", its options, and examples. */
};

extern const struct command commands[]; /* Ends with a NULL name. */

const struct command *command_named(const char *name);

int command_accept_gap(int count, char **arguments);
int command_adopt_topic(int count, char **arguments);
int command_check(int count, char **arguments);
int command_config(int count, char **arguments);
int command_help(int count, char **arguments);
int command_demo(int count, char **arguments);
int command_reconcile(int count, char **arguments);
int command_run(int count, char **arguments);
int command_simulate(int count, char **arguments);
int command_version(int count, char **arguments);

extern const char accept_gap_help[];
extern const char adopt_topic_help[];
extern const char check_help[];
extern const char config_help[];
extern const char demo_help[];
extern const char help_help[];
extern const char reconcile_help[];
extern const char run_help[];
extern const char simulate_help[];
extern const char version_help[];

#endif
