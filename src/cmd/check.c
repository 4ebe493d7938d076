#include "cmd/check.h"

#include "base/plural.h"
#include "cmd/commands.h"
#include "cmd/json_line.h"
#include "cmd/say.h"

#include <stdarg.h>
#include <string.h>

const char check_help[] =
    "Usage: payonce check [options] [payonce.yaml | FILE ...]\n"
    "\n"
    "Would it run? Holds the configuration against the table of settings, then looks at what it\n"
    "names: data_dir, files or topics and a sample of their messages, the ledger, the room there "
    "is.\n"
    "\n"
    "      --offline             only the configuration\n"
    "      --strict              warnings count: exit code 1\n"
    "      --production          the cluster, too: what a dead broker could lose is an error\n"
    "      --sample N            messages to try (100)\n"
    "      --json                JSON lines\n" OPTIONS_CONFIG_HELP OPTIONS_EVERY_HELP "\n"
    "Examples:\n"
    "  payonce check payonce.yaml\n"
    "  payonce check --production --strict payonce.yaml\n"
    "  payonce check payments.jsonl\n";

enum check_option { CHECK_OFFLINE = OPTION_OWN, CHECK_STRICT, CHECK_PRODUCTION, CHECK_SAMPLE };

enum { WHAT_WIDTH = 22, LINE_SIZE = 1024, ID_BYTES = 34 };

static const struct option known[] = {
    OPTIONS_EVERY,
    OPTIONS_JSON,
    OPTIONS_CONFIG,
    {"offline", no_argument, NULL, CHECK_OFFLINE},
    {"strict", no_argument, NULL, CHECK_STRICT},
    {"production", no_argument, NULL, CHECK_PRODUCTION},
    {"sample", required_argument, NULL, CHECK_SAMPLE},
    {NULL, 0, NULL, 0},
};

static const char *const levels[] = {"ok", "warn", "error"};

static struct config config;

static void print(const struct check *check, enum check_level level, const char *what,
                  const char *text)
{
    if (check->quiet && level == CHECK_OK) {
        return;
    }
    if (check->json) {
        struct json_line object;
        json_line_start(&object, stdout);
        json_line_text(&object, "level", levels[level]);
        json_line_text(&object, "what", what);
        json_line_text(&object, "text", text);
        json_line_end(&object);
        return;
    }
    say_level(stdout, levels[level]);
    (void)printf("%*s ", 5 - (int)strlen(levels[level]), "");
    size_t width = say_text(stdout, (struct span){what, strlen(what)}, WHAT_WIDTH);
    (void)printf("%*s  ", (int)(WHAT_WIDTH - width), "");
    (void)say_text(stdout, (struct span){text, strlen(text)}, SIZE_MAX);
    (void)putchar('\n');
}

void check_say(struct check *check, enum check_level level, const char *what, const char *format,
               ...)
{
    char text[LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    check->warnings += level == CHECK_WARN ? 1 : 0;
    if (level == CHECK_ERROR) {
        check->errors++;
        check->exit_code = check->exit_code == EXIT_DONE ? EXIT_NO : check->exit_code;
    }
    print(check, level, what, text);
}

void check_next(struct check *check, const char *format, ...)
{
    char text[LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (check->json) {
        print(check, CHECK_OK, "next", text);
        return;
    }
    (void)printf("%*s", WHAT_WIDTH + 8, "");
    (void)say_text(stdout, (struct span){text, strlen(text)}, SIZE_MAX);
    (void)putchar('\n');
}

void check_fault(struct check *check, const char *what, const struct fault *fault)
{
    if (check->exit_code == EXIT_DONE) {
        check->exit_code = say_exit_code(fault_code_class(fault->code));
    }
    check_say(check, CHECK_ERROR, what, "[%s] %s", fault_code_text(fault->code), fault->text);
    check_next(check, "next: %s",
               fault->next[0] != '\0' ? fault->next : fault_code_next(fault->code));
}

static unsigned lines_of(struct span text)
{
    const char *at = text.at;
    unsigned count = 0;

    for (size_t index = 0; index < text.size; index++) {
        count += at[index] == '\n' ? 1 : 0;
    }
    return count + (text.size > 0 && at[text.size - 1] != '\n' ? 1 : 0);
}

static void check_configuration(struct check *check)
{
    unsigned set = 0;

    for (size_t name = 0; name < SETTING_NAMES; name++) {
        set += check->config->values[name].text->origin != CONFIG_DEFAULT ? 1 : 0;
    }
    for (size_t index = 0; index < check->config->said_count; index++) {
        const struct config_error *error = &check->config->errors[index];
        check_say(check, CHECK_WARN, error->text == NULL ? "configuration" : error->text->name,
                  "[%s] %s", fault_code_text(error->code), error->sentence);
        if (error->next[0] != '\0') {
            check_next(check, "next: %s", error->next);
        }
    }
    if (check->config->file == NULL) {
        check_say(check, CHECK_OK, "configuration",
                  "no file; %u setting%s from the command line or environment, else defaults", set,
                  plural(set));
        return;
    }
    unsigned lines = lines_of(check->config->file->text);
    check_say(check, CHECK_OK, check->config->file->name, "%u line%s, %u setting%s given", lines,
              plural(lines), set, plural(set));
}

/* How much the ids will take, at the rate that is expected. */
static void check_state(struct check *check)
{
    const struct config *from = check->config;
    const struct rules *rules = &from->engine.rules;
    int64_t span_ms = rules->lateness_ms + rules->retention_ms + rules->align_ms;
    int64_t bytes;
    char texts[4][QUANTITY_TEXT_SIZE];

    if (__builtin_mul_overflow(config_expected_ids(from), ID_BYTES, &bytes)) {
        bytes = INT64_MAX;
    }
    quantity_say(QUANTITY_COUNT, from->expected_rate, texts[0]);
    quantity_say(QUANTITY_SIZE, bytes, texts[1]);
    quantity_say(QUANTITY_DURATION, span_ms, texts[2]);
    quantity_say(QUANTITY_SIZE, (int64_t)from->engine.memory_limit, texts[3]);
    check_say(check, CHECK_OK, "state", "at %s/s needs about %s of ids for %s; limit %s (%s %s)",
              texts[0], texts[1], texts[2], texts[3],
              config_auto(from, SET_MEMORY_LIMIT) ? "60 % of this" : "as configured; this",
              from->memory.whose);
}

static int end(const struct check *check)
{
    if (!check->json && !check->quiet) {
        (void)printf("%u warning%s, %u error%s\n", check->warnings, plural(check->warnings),
                     check->errors, plural(check->errors));
    }
    return check->exit_code == EXIT_DONE && check->request->strict && check->warnings > 0
               ? EXIT_NO
               : check->exit_code;
}

int check_run(struct options *options, const struct check_request *request)
{
    struct check check = {.config = &config,
                          .request = request,
                          .json = options->json,
                          .quiet = options->quiet,
                          .verbose = options->verbose};

    bool loaded = config_load(&config, &options->request);
    if (!loaded || !config_need_source(&config)) {
        return config_say(&config);
    }
    check_configuration(&check);
    if (!request->offline) {
        check_data_dir(&check);
        if (config.engine.feed_type != NULL) {
            check_kafka(&check);
        } else {
            check_files(&check);
            check_sample(&check);
        }
    }
    check_state(&check);
    if (!request->offline) {
        check_sinks(&check);
        check_volume(&check);
    }
    return end(&check);
}

static bool take_sample(struct check_request *request)
{
    int64_t value;

    if (quantity_read(QUANTITY_COUNT, (struct span){optarg, strlen(optarg)}, &value) !=
            QUANTITY_READ ||
        value < 0 || value > CHECK_SAMPLE_MAX) {
        (void)say_usage("check", "--sample \"%s\": a number up to %d is expected", optarg,
                        CHECK_SAMPLE_MAX);
        return false;
    }
    request->sample_max = (size_t)value;
    return true;
}

int command_check(int count, char **arguments)
{
    struct options options = {
        .command = "check", .known = known, .count = count, .arguments = arguments};
    struct check_request request = {.wanted = true, .sample_max = CHECK_SAMPLE_STANDARD};
    int option;

    while ((option = options_next(&options)) != -1) {
        if (option == CHECK_OFFLINE) {
            request.offline = true;
        } else if (option == CHECK_STRICT) {
            request.strict = true;
        } else if (option == CHECK_PRODUCTION) {
            request.production = true;
        } else if (option != CHECK_SAMPLE || !take_sample(&request)) {
            return EXIT_USAGE;
        }
    }
    if (request.production && request.offline) {
        return say_usage("check", "--production looks at the cluster, --offline at nothing");
    }
    return options_take_inputs(&options) ? check_run(&options, &request) : EXIT_USAGE;
}
