#include "cmd/commands.h"

#include <string.h>

const struct command commands[] = {
    {"demo", "Start", "see it work: simulate, crash, reconcile; needs nothing else", command_demo,
     demo_help},
    {"run", "Run", "process payments until stopped", command_run, run_help},
    {"simulate", "Run", "make payments, with duplicates, late and broken ones", command_simulate,
     simulate_help},
    {"check", "Check", "check a configuration, and what it names", command_check, check_help},
    {"reconcile", "Check", "prove that the ledger holds each payment once, to the cent",
     command_reconcile, reconcile_help},
    {"config", "Look", "print the settings in force, or every setting with its default",
     command_config, config_help},
    {"accept-gap", "Repair", "acknowledge offsets as lost, so that payonce goes on behind them",
     command_accept_gap, accept_gap_help},
    {"adopt-topic", "Repair", "read a topic that was made anew, from its start",
     command_adopt_topic, adopt_topic_help},
    {"version", "Help", "print the version", command_version, version_help},
    {"help", "Help", "explain a command, a setting, an error code, the exit codes", command_help,
     help_help},
    {.name = NULL},
};

const struct command *command_named(const char *name)
{
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}
