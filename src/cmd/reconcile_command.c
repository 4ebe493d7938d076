#include "cmd/reconcile.h"

#include "base/plural.h"
#include "cmd/commands.h"
#include "cmd/ledger_view.h"
#include "cmd/options.h"
#include "cmd/say.h"
#include "engine/likeness.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

const char reconcile_help[] =
    "Usage: payonce reconcile [options] [payonce.yaml]\n"
    "\n"
    "Reads the ledger and proves that it holds each payment once, to the cent: rows against\n"
    "totals, windows against payments, offsets against epochs, each id once. Only looks; works\n"
    "beside a running payonce. Exit code 0: reconciled, 1: not.\n"
    "\n"
    "      --ledger FILE         a SQLite ledger, without a configuration\n"
    "      --sink NAME           a follower instead, and its rows against the ledger's\n"
    "      --expect TRUTH.csv    and hold it against this: CSV with transaction_id, amount,\n"
    "                            currency and, if known, expected (the verdict)\n"
    "      --max-list N          of each kind of finding so many are listed "
    "(20)\n" OPTIONS_JSON_HELP OPTIONS_CONFIG_HELP OPTIONS_EVERY_HELP "\n"
    "Examples:\n"
    "  payonce reconcile\n"
    "  payonce reconcile --ledger payments.db --expect sent.csv\n";

enum reconcile_option {
    RECONCILE_LEDGER = OPTION_OWN,
    RECONCILE_SINK,
    RECONCILE_EXPECT,
    RECONCILE_MAX_LIST
};

enum { MATCH_BYTES = 1 << 30, LEDGER_PATIENCE = 20 };

static const struct option known[] = {
    OPTIONS_EVERY,
    OPTIONS_JSON,
    OPTIONS_CONFIG,
    {"ledger", required_argument, NULL, RECONCILE_LEDGER},
    {"sink", required_argument, NULL, RECONCILE_SINK},
    {"expect", required_argument, NULL, RECONCILE_EXPECT},
    {"max-list", required_argument, NULL, RECONCILE_MAX_LIST},
    {NULL, 0, NULL, 0},
};

static struct config config;

struct reconcile_words {
    const char *ledger;
    const char *sink;
    const char *expect;
    size_t list_max;
};

enum outcome reconcile_all(const struct reconcile_settings *asked, struct progress *progress,
                           struct reconcile **ret_reconcile, struct fault *ret_fault)
{
    enum outcome outcome = reconcile_open(asked, ret_reconcile, ret_fault);

    if (outcome != DONE) {
        *ret_reconcile = NULL;
        return outcome;
    }
    do {
        uint64_t done;
        uint64_t total;
        outcome = reconcile_step(*ret_reconcile, ret_fault);
        reconcile_progress(*ret_reconcile, &done, &total);
        progress_say(progress, QUANTITY_COUNT, done, total);
    } while (outcome == LATER);
    progress_end(progress);
    return outcome;
}

static bool take_list_max(struct reconcile_words *words)
{
    int64_t value;
    struct span text = {optarg, strlen(optarg)};

    if (quantity_read(QUANTITY_COUNT, text, &value) != QUANTITY_READ || value < 1 ||
        value > RECONCILE_LIST_MAX) {
        (void)say_usage("reconcile", "--max-list \"%s\": a number from 1 to %d is expected", optarg,
                        RECONCILE_LIST_MAX);
        return false;
    }
    words->list_max = (size_t)value;
    return true;
}

static bool read_words(struct options *options, struct reconcile_words *words)
{
    char **rest;
    int option;

    while ((option = options_next(options)) != -1) {
        if (option == RECONCILE_LEDGER) {
            words->ledger = optarg;
        } else if (option == RECONCILE_SINK) {
            words->sink = optarg;
        } else if (option == RECONCILE_EXPECT) {
            words->expect = optarg;
        } else if (option != RECONCILE_MAX_LIST || !take_list_max(words)) {
            return false;
        }
    }
    int count = options_rest(options, &rest);
    if (count > 0 && options->request.file == NULL && options_names_config(rest[0])) {
        options->request.file = *rest++;
        count--;
    }
    if (count > 0) {
        (void)say_usage("reconcile", "\"%s\" is one word too many; is it a ledger? --ledger %s",
                        rest[0], rest[0]);
        return false;
    }
    if (words->ledger != NULL && words->sink != NULL) {
        (void)say_usage("reconcile", "either --ledger or --sink");
        return false;
    }
    return true;
}

/* Which of the sinks is meant; sink_count: none has that name. */
static size_t sink_meant(const struct reconcile_words *words)
{
    size_t index = 0;

    while (words->sink != NULL && index < config.engine.sink_count &&
           strcmp(config.engine.sinks[index].name, words->sink) != 0) {
        index++;
    }
    return index;
}

/* --ledger names the file; without it, or beside it, the configuration says the rest. */
static bool find_ledger(struct options *options, const struct reconcile_words *words)
{
    static const char *const no_inputs[] = {"-"};

    if (words->ledger != NULL && options->request.file == NULL) {
        /* An errand of its own: no configuration that happens to lie here is meant. */
        options->request.inputs = no_inputs;
        options->request.input_count = 1;
    }
    if (!config_load(&config, &options->request)) {
        return false;
    }
    if (sink_meant(words) == config.engine.sink_count) {
        (void)say_usage("reconcile", "--sink \"%s\": no sink has this name", words->sink);
        return false;
    }
    if (sink_type_named(config.sink_type_names[sink_meant(words)])->read_row == NULL) {
        (void)say_usage("reconcile", "--sink \"%s\": what it holds cannot be read back",
                        words->sink);
        return false;
    }
    if (words->ledger == NULL) {
        return true;
    }
    struct sink_settings *sink = &config.engine.sinks[0];
    if (strlen(words->ledger) >= sizeof(sink->path)) {
        (void)say_usage("reconcile", "--ledger: a path of at most %zu bytes", sizeof(sink->path));
        return false;
    }
    (void)strcpy(sink->path, words->ledger);
    return true;
}

/* No file there is a slip or a run that has not been yet; nobody's permissions are to be mended. */
static enum outcome look_for_file(const struct sink_settings *sink, bool named,
                                  struct fault *ret_fault)
{
    struct stat status;
    bool missing = stat(sink->path, &status) != 0;
    int why = missing ? errno : EISDIR;

    if ((missing && why != ENOENT && why != ENOTDIR) || (!missing && !S_ISDIR(status.st_mode))) {
        return DONE; /* Whatever else is wrong with it, the sink says. */
    }
    (void)fault_is(ret_fault, BROKEN, named ? FAULT_USAGE : FAULT_SINK_BUSY,
                   "there is no ledger %s: %s", sink->path, strerror(why));
    if (named) {
        fault_next(ret_fault, "name the SQLite file that payonce run wrote: the path of a sink, or "
                              "payments.db where it ran without a configuration");
    } else if (config.file == NULL) {
        fault_next(ret_fault, "no configuration was found: name the ledger (--ledger payments.db), "
                              "or the configuration that was run (-c payonce.yaml)");
    } else {
        fault_next(ret_fault, "payonce run makes it and fills it; is this the configuration that "
                              "was run?");
    }
    return BROKEN;
}

/* A ledger without a configuration knows by itself whose it is and what it carries. */
static enum outcome open_view(const struct options *options, const struct reconcile_words *words,
                              struct ledger_view *view, struct fault *ret_fault)
{
    size_t index = sink_meant(words);
    struct sink_settings *sink = &config.engine.sinks[index];
    const struct sink_type *type = sink_type_named(config.sink_type_names[index]);
    enum outcome outcome = look_for_file(sink, words->ledger != NULL, ret_fault);

    if (outcome == DONE && words->ledger != NULL && options->request.file == NULL) {
        outcome = type->identify(sink, ret_fault);
    }
    for (int tries = 0; outcome == DONE && tries < LEDGER_PATIENCE; tries++) {
        outcome = ledger_view_open(view, type->name, sink, ret_fault);
        if (outcome != LATER) {
            return outcome;
        }
        outcome = DONE;
    }
    return outcome == DONE ? LATER : outcome;
}

static void say_looked(const struct reconcile_report *report)
{
    say_note("looked at epoch %llu: %llu source%s, %llu row%s, %llu window%s, %llu epoch%s",
             (unsigned long long)report->epoch, (unsigned long long)report->sources,
             plural(report->sources), (unsigned long long)report->rows, plural(report->rows),
             (unsigned long long)report->windows, plural(report->windows),
             (unsigned long long)report->epochs, plural(report->epochs));
}

static int look(const struct options *options, const struct reconcile_words *words,
                struct ledger_view *view)
{
    struct reconcile_settings asked = {
        .ledger = view->sink,
        .truth = words->expect,
        .list_max = words->list_max,
        .match_bytes = MATCH_BYTES,
    };
    struct progress progress;
    struct reconcile *reconcile;
    struct fault fault;
    int exit_code;

    progress_init(&progress, "reconcile", options->quiet);
    if (reconcile_all(&asked, &progress, &reconcile, &fault) != DONE) {
        exit_code = say_fault(&fault);
    } else {
        const struct reconcile_report *report = reconcile_report(reconcile);
        if (options->json) {
            reconcile_print_json(report, words->list_max, words->expect != NULL, stdout);
        } else {
            reconcile_print(report, words->list_max, words->expect != NULL, options->quiet, stdout);
        }
        if (options->verbose && !options->json) {
            say_looked(report);
        }
        exit_code = reconcile_good(report) ? EXIT_DONE : EXIT_NO;
    }
    reconcile_close(reconcile);
    return exit_code;
}

/* The follower's rows against the ledger's. */
static int compare(struct ledger_view *follower, bool quiet)
{
    static struct likeness likeness;
    struct ledger_view view;
    struct fault fault;

    if (ledger_view_open(&view, config.sink_type_names[0], &config.engine.sinks[0], &fault) !=
        DONE) {
        return say_fault(&fault);
    }
    enum outcome outcome = likeness_look(&likeness, view.sink, follower->sink, &fault);
    ledger_view_close(&view);
    if (outcome != DONE) {
        return say_fault(&fault);
    }
    if (likeness.different > 0) {
        say_note("%llu of %llu row%s %s not the ledger's; the first is row %llu of %s",
                 (unsigned long long)likeness.different, (unsigned long long)likeness.rows,
                 plural(likeness.rows), plural_verb(likeness.different),
                 (unsigned long long)likeness.seq, table_name(likeness.table));
        return EXIT_NO;
    }
    if (!quiet) {
        say_note("sink %s stands at epoch %llu, the ledger at epoch %llu; %llu row%s %s the same",
                 follower->sink->settings.name, (unsigned long long)likeness.epoch,
                 (unsigned long long)likeness.ledger_epoch, (unsigned long long)likeness.rows,
                 plural(likeness.rows), plural_verb(likeness.rows));
    }
    return EXIT_DONE;
}

int command_reconcile(int count, char **arguments)
{
    struct options options = {
        .command = "reconcile", .known = known, .count = count, .arguments = arguments};
    struct reconcile_words words = {.list_max = RECONCILE_LIST_STANDARD};
    struct ledger_view view;
    struct fault fault;

    if (!read_words(&options, &words)) {
        return EXIT_USAGE;
    }
    if (!find_ledger(&options, &words)) {
        return config.error_count > 0 ? config_say(&config) : EXIT_USAGE;
    }
    if (open_view(&options, &words, &view, &fault) != DONE) {
        return say_fault(&fault);
    }
    int exit_code = look(&options, &words, &view);
    if (exit_code == EXIT_DONE && sink_meant(&words) > 0 && !config.engine.sinks[0].cursors_only) {
        exit_code = compare(&view, options.quiet);
    }
    ledger_view_close(&view);
    return exit_code;
}
