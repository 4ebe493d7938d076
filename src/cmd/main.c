/*
 * main: picks a command from the table.
 */
#include "cmd/commands.h"
#include "cmd/open_files.h"
#include "cmd/say.h"
#include "cmd/suggest.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* What payonce has in memory is payments: no core file, and nobody else's debugger. */
static void keep_to_ourselves(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(PAYONCE_SANITIZED)
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

static bool wants_help(int count, char **arguments)
{
    for (int index = 1; index < count && strcmp(arguments[index], "--") != 0; index++) {
        if (strcmp(arguments[index], "--help") == 0 || strcmp(arguments[index], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static int unknown(const char *name)
{
    struct suggestion suggestion = {.word = name};

    for (const struct command *command = commands; command->name != NULL; command++) {
        suggest_offer(&suggestion, command->name);
    }
    if (suggestion.best != NULL) {
        return say_usage("", "unknown command \"%s\"; did you mean \"%s\"?", name, suggestion.best);
    }
    return say_usage("", "unknown command \"%s\"", name);
}

static int ask_for_help(char *name)
{
    char help[] = "help";
    char *arguments[] = {help, name, NULL};

    return command_help(name == NULL ? 1 : 2, arguments);
}

int main(int count, char **arguments)
{
    keep_to_ourselves();
    open_files_raise();
    if (count < 2) {
        (void)ask_for_help(NULL);
        return say_end(EXIT_USAGE);
    }
    if (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0) {
        return say_end(ask_for_help(NULL));
    }
    const char *name = strcmp(arguments[1], "--version") == 0 ? "version" : arguments[1];
    const struct command *command = command_named(name);
    if (command == NULL && name[0] == '-') {
        return say_usage("", "%s: options stand behind a command", name);
    }
    if (command == NULL) {
        return unknown(name);
    }
    if (wants_help(count - 1, arguments + 1)) {
        return say_end(ask_for_help(arguments[1]));
    }
    return say_end(command->run(count - 1, arguments + 1));
}
