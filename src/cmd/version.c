#include "cmd/commands.h"
#include "cmd/say.h"
#include "cmd/version.h"

const char version_help[] = "Usage: payonce version\n"
                            "\n"
                            "Print the version.\n"
                            "\n"
                            "Example:\n"
                            "  payonce version\n";

int command_version(int count, char **arguments)
{
    if (count > 1) {
        return say_usage("version", "\"%s\" is one word too many", arguments[1]);
    }
    (void)printf("payonce %s\n", PAYONCE_VERSION);
    return EXIT_DONE;
}
