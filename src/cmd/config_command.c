#include "cmd/commands.h"
#include "cmd/help_parts.h"
#include "cmd/say.h"

#include <string.h>

const char config_help[] =
    "Usage: payonce config --defaults | --reference\n"
    "\n"
    "  --defaults     the YAML file that sets every setting to its default, with its reason\n"
    "  --reference    the same as a table for docs/configuration.md\n"
    "\n"
    "Example:\n"
    "  payonce config --defaults > payonce.yaml\n";

int command_config(int count, char **arguments)
{
    if (count != 2) {
        return say_usage("config", "one of --defaults and --reference is expected");
    }
    if (strcmp(arguments[1], "--defaults") == 0) {
        help_print_defaults();
    } else if (strcmp(arguments[1], "--reference") == 0) {
        help_print_reference();
    } else {
        return say_usage("config", "unknown option \"%s\"", arguments[1]);
    }
    return EXIT_DONE;
}
