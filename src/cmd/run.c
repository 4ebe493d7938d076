#include "cmd/run.h"

#include "cmd/check.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/say.h"

const char run_help[] =
    "Usage: payonce run [options] [payonce.yaml | FILE ... | -]\n"
    "\n"
    "Processes payments until stopped (SIGTERM, Ctrl-C). Without a configuration, from the files\n"
    "named (JSON lines; - is standard input) into ./payments.db, with its journal in\n"
    "./payonce-data. kill -9 is as safe as any other end: start it again.\n"
    "\n"
    "      --until-caught-up     end when all input has been read and delivered\n"
    "      --check-only          the same as payonce check\n"
    "      --json                the last line as a JSON object\n" OPTIONS_CONFIG_HELP
        OPTIONS_EVERY_HELP "\n"
    "Examples:\n"
    "  payonce run payonce.yaml\n"
    "  payonce run --until-caught-up payments.jsonl\n"
    "  payonce simulate --duration 1m | payonce run -\n";

enum run_option { RUN_UNTIL_CAUGHT_UP = OPTION_OWN, RUN_CHECK_ONLY };

static const struct option known[] = {
    OPTIONS_EVERY,
    OPTIONS_JSON,
    OPTIONS_CONFIG,
    {"until-caught-up", no_argument, NULL, RUN_UNTIL_CAUGHT_UP},
    {"check-only", no_argument, NULL, RUN_CHECK_ONLY},
    {NULL, 0, NULL, 0},
};

static struct config config;

void run_settings(struct config *from, bool until_caught_up)
{
    struct engine_settings *engine = &from->engine;

    for (size_t index = 0; index < engine->sink_count; index++) {
        engine->sink_types[index] = sink_type_named(from->sink_type_names[index]);
        must(engine->sink_types[index] != NULL); /* The table of settings lists no other. */
    }
    /* Nothing comes any more once a pipe has ended. */
    engine->until_caught_up = until_caught_up || engine->from_stdin;
}

int command_run(int count, char **arguments)
{
    struct options options = {
        .command = "run", .known = known, .count = count, .arguments = arguments};
    struct check_request check = {0};
    bool until_caught_up = false;
    struct log log;
    int option;

    while ((option = options_next(&options)) != -1) {
        if (option == '?') {
            return EXIT_USAGE;
        }
        until_caught_up = until_caught_up || option == RUN_UNTIL_CAUGHT_UP;
        check.wanted = check.wanted || option == RUN_CHECK_ONLY;
    }
    if (!options_take_inputs(&options)) {
        return EXIT_USAGE;
    }
    if (check.wanted) {
        check.sample_max = CHECK_SAMPLE_STANDARD;
        return check_run(&options, &check);
    }
    bool loaded = config_load(&config, &options.request);
    if (!loaded || !config_need_source(&config)) {
        return config_say(&config);
    }
    run_settings(&config, until_caught_up);
    log_open(&log, stderr, config.log_format,
             options.quiet     ? LOG_ERROR
             : options.verbose ? LOG_INFO
                               : config.log_level);
    return run_engine(&config, &log, options.quiet, options.json);
}
