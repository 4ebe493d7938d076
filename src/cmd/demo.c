#include "cmd/demo.h"

#include "cmd/commands.h"
#include "cmd/json_line.h"
#include "cmd/ledger_view.h"
#include "cmd/options.h"
#include "cmd/reconcile.h"
#include "cmd/say.h"
#include "cmd/simulate.h"
#include "os/clock.h"

#include <stdlib.h>
#include <string.h>

const char demo_help[] =
    "Usage: payonce demo [--story]\n"
    "\n"
    "See it work: makes 10,000 payments, with copies, late, broken, conflicting and future ones,\n"
    "processes them through three crashes (kill -9) and proves the result to the cent. Needs\n"
    "nothing else and no network; everything stays in ./" DEMO_DIRECTORY ".\n"
    "\n"
    "      --story               five messages, one payment sent three times: what is kept and "
    "why\n"
    "  -h, --help\n"
    "\n"
    "Examples:\n"
    "  payonce demo\n"
    "  payonce demo --story\n";

#define CONFIG_PATH DEMO_DIRECTORY "/payonce.yaml"
#define PAYMENTS_PATH DEMO_DIRECTORY "/payments.jsonl"
#define TRUTH_PATH DEMO_DIRECTORY "/sent.csv"

enum {
    DEMO_SEED = 42,
    DEMO_PAYMENTS = 10000,
    DEMO_ATTEMPTS = 6,
    MATCH_BYTES = 64 * 1024 * 1024,
    PLACES = 2,
};

#define FIRST_SLICE_NS INT64_C(1000000)

enum demo_option { DEMO_STORY = OPTION_OWN };

static const struct option known[] = {
    OPTIONS_EVERY,
    {"story", no_argument, NULL, DEMO_STORY},
    {NULL, 0, NULL, 0},
};

/* Small epochs, so that a crash has many places to hit. */
static const char config_text_demo[] =
    "# What payonce demo runs with.\n"
    "pipeline: demo\n"
    "data_dir: ./" DEMO_DIRECTORY "/data\n"
    "source: {file: {paths: [./" PAYMENTS_PATH "]}}\n"
    "sinks: [{name: local, type: sqlite, path: ./" DEMO_DIRECTORY "/payments.db}]\n"
    "checkpoint: {max_messages: 25, interval: 1ms}\n"
    "journal: {segment_size: 1MiB}\n"
    "fraud: {max_senders: 10000}\n"
    "state: {memory_limit: 64MiB, expected_rate: 100/s}\n";

static struct config config;

static enum outcome simulate(struct simulate_counts *ret_counts, struct fault *ret_fault)
{
    static struct simulate_request request;
    struct simulator_settings *simulator = &request.simulator;

    request =
        (struct simulate_request){.paths = {PAYMENTS_PATH}, .truth = TRUTH_PATH, .quiet = true};
    simulator_settings_default(simulator);
    simulator->mint.seed = DEMO_SEED;
    simulator->mint.currency_count = 1; /* The first: USD. */
    simulator->count = DEMO_PAYMENTS;
    simulator->duplicates = 50000;
    simulator->late = 2000;
    simulator->broken = 1000;
    simulator->conflicts = 500;
    simulator->future = 500;
    return simulate_send(&request, ret_counts, ret_fault);
}

static enum outcome prepare(struct fault *ret_fault)
{
    enum outcome outcome = demo_place_make(ret_fault);

    return outcome == DONE ? demo_write(CONFIG_PATH, config_text_demo, ret_fault) : outcome;
}

/* From an empty directory to three crashes that hit. A kill that came too late is tried again. */
static enum outcome crash(const struct simulate_counts *counts,
                          struct demo_crash crashes[DEMO_CRASHES], struct fault *ret_fault)
{
    int64_t slice_ns = FIRST_SLICE_NS;
    enum outcome outcome = LATER;

    for (int attempt = 0; attempt < DEMO_ATTEMPTS && outcome == LATER; attempt++) {
        struct simulate_counts again;
        if (attempt > 0) {
            outcome = prepare(ret_fault);
            if (outcome == DONE) {
                outcome = simulate(&again, ret_fault);
            }
            if (outcome != DONE) {
                return outcome;
            }
        }
        outcome = demo_crash(CONFIG_PATH, counts->messages, slice_ns, crashes, ret_fault);
        slice_ns /= 2;
    }
    if (outcome == LATER) {
        (void)fault_is(ret_fault, BROKEN, FAULT_BUG,
                       "payonce was done before it could be killed, %d times", DEMO_ATTEMPTS);
        return BROKEN;
    }
    return outcome;
}

static void say_count(const char *name, uint64_t count, const char *what)
{
    char text[QUANTITY_TEXT_SIZE];

    quantity_say(QUANTITY_COUNT, (int64_t)count, text);
    (void)printf("  %-10s %12s   %s\n", name, text, what);
}

static void say_sum(const char *name, uint64_t count, struct money_sum sum, const char *what)
{
    char text[QUANTITY_TEXT_SIZE];
    char money[MONEY_SUM_TEXT_SIZE];
    char grouped[2 * MONEY_SUM_TEXT_SIZE];

    quantity_say(QUANTITY_COUNT, (int64_t)count, text);
    (void)money_sum_write(sum, PLACES, money);
    say_grouped(money, grouped, sizeof(grouped));
    (void)printf("  %-16s %12s %18s%s%s\n", name, text, grouped, what[0] == '\0' ? "" : "     ",
                 what);
}

static struct money_sum add(struct money_sum left, struct money_sum right)
{
    left.billionths += right.billionths;
    return left;
}

static void say_counts(const struct reconcile_report *report)
{
    const uint64_t *counts = report->counts;
    const struct reconcile_sum *usd = &report->sums[reconcile_currency_index("USD")];
    uint64_t read = 0;
    char money[MONEY_SUM_TEXT_SIZE];
    char grouped[2 * MONEY_SUM_TEXT_SIZE];
    char text[3 * MONEY_SUM_TEXT_SIZE];

    for (size_t verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        read += counts[verdict];
    }
    (void)money_sum_write(usd->sums[DUPLICATE], PLACES, money);
    say_grouped(money, grouped, sizeof(grouped));
    (void)snprintf(text, sizeof(text), "%s USD not counted twice", grouped);
    say_count("read", read, "messages, each counted in one line below");
    say_count("accepted", counts[ACCEPTED], "each transaction_id once");
    say_count("duplicate", counts[DUPLICATE], text);
    say_count("conflict", counts[CONFLICT],
              "same id, another amount     -> set aside, one row each");
    say_count("late", counts[LATE], "at or before the watermark  -> set aside, one row each");
    say_count("future", counts[FUTURE], "dated ahead of its arrival  -> set aside, one row each");
    say_count("invalid", counts[INVALID], "not usable                  -> set aside, one row each");
}

static void say_table(const struct reconcile_report *report)
{
    const struct reconcile_sum *usd = &report->sums[reconcile_currency_index("USD")];
    struct money_sum plain = {0};
    uint64_t plain_count = 0;

    for (size_t verdict = 0; verdict < INVALID; verdict++) {
        plain = add(plain, usd->sums[verdict]);
        plain_count += usd->counts[verdict];
    }
    (void)printf("\n  %-16s %12s %18s\n", "", "payments", "sum (USD)");
    say_sum("really sent", usd->sent + usd->sent_aside, add(usd->sent_sum, usd->sent_aside_sum),
            "");
    say_sum("in the table", usd->counts[ACCEPTED], usd->sums[ACCEPTED], "<- payonce");
    say_sum("set aside", usd->sent_aside, usd->sent_aside_sum,
            "<- payonce: kept, one row each, with the reason");
    say_sum("plain consumer", plain_count, plain, "<- what would have been stored without dedup");
}

static int prove(int64_t started_ns)
{
    struct config_request ask = {.file = CONFIG_PATH};
    struct ledger_view view;
    struct progress progress;
    struct reconcile *reconcile = NULL;
    struct fault fault;

    if (!config_load(&config, &ask)) {
        return config_say(&config);
    }
    if (ledger_view_open(&view, config.sink_type_names[0], &config.engine.sinks[0], &fault) !=
        DONE) {
        return say_fault(&fault);
    }
    struct reconcile_settings asked = {.ledger = view.sink,
                                       .truth = TRUTH_PATH,
                                       .list_max = RECONCILE_LIST_STANDARD,
                                       .match_bytes = MATCH_BYTES};
    progress_init(&progress, "reconcile", true);
    int exit_code = EXIT_DONE;
    if (reconcile_all(&asked, &progress, &reconcile, &fault) != DONE) {
        exit_code = say_fault(&fault);
    } else {
        const struct reconcile_report *report = reconcile_report(reconcile);
        int64_t took_ms = (clock_steady_ns(&clock_real) - started_ns) / 1000000;
        say_counts(report);
        say_table(report);
        (void)putchar('\n');
        reconcile_print(report, RECONCILE_LIST_STANDARD, true, true, stdout);
        (void)printf("             from the first payment made to this line: %lld.%lld s\n",
                     (long long)(took_ms / 1000), (long long)(took_ms % 1000 / 100));
        exit_code = reconcile_good(report) ? EXIT_DONE : EXIT_NO;
    }
    reconcile_close(reconcile);
    ledger_view_close(&view);
    return exit_code;
}

static void say_next(void)
{
    (void)printf("Next:  payonce demo --story\n"
                 "       payonce run --until-caught-up YOUR-PAYMENTS.jsonl\n"
                 "       sqlite3 " DEMO_DIRECTORY "/payments.db 'SELECT * FROM payment_sums'\n");
}

static int run_demo(void)
{
    int64_t started_ns = clock_steady_ns(&clock_real);
    struct simulate_counts counts;
    struct demo_crash crashes[DEMO_CRASHES] = {0};
    struct fault fault;
    enum outcome outcome = prepare(&fault);

    if (outcome != DONE) {
        return say_fault(&fault);
    }
    (void)printf("payonce demo - everything stays on this machine, in ./" DEMO_DIRECTORY "\n\n"
                 "  simulate   10,000 payments; 5 %% sent again, 0.2 %% late, 0.1 %% broken, some "
                 "conflicting or from the future (seed 42)\n"
                 "  process    with 3 crashes on purpose (kill -9)");
    outcome = simulate(&counts, &fault);
    if (outcome == DONE) {
        (void)fflush(stdout);
        outcome = crash(&counts, crashes, &fault);
    }
    for (int index = 0; outcome == DONE && index < DEMO_CRASHES; index++) {
        (void)printf("   crash %d after %llu", index + 1,
                     (unsigned long long)crashes[index].messages);
    }
    (void)printf("\n\n");
    if (outcome == DONE) {
        outcome = demo_finish(CONFIG_PATH, &fault);
    }
    if (outcome != DONE) {
        return say_fault(&fault);
    }
    int exit_code = prove(started_ns);
    if (exit_code == EXIT_DONE) {
        say_next();
    }
    return exit_code;
}

/* The demo is the same for everybody: settings of this environment are left out. */
static void forget_settings(void)
{
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        char variable[SETTING_VARIABLE_SIZE];
        if (!setting_in_record(&settings[name])) {
            setting_variable(&settings[name], variable);
            (void)unsetenv(variable);
        }
    }
    (void)unsetenv("PAYONCE_CONFIG");
}

int command_demo(int count, char **arguments)
{
    struct options options = {
        .command = "demo", .known = known, .count = count, .arguments = arguments};
    bool story = false;
    char **rest;
    int option;

    while ((option = options_next(&options)) != -1) {
        if (option == '?') {
            return EXIT_USAGE;
        }
        story = story || option == DEMO_STORY;
    }
    if (options_rest(&options, &rest) > 0) {
        return say_usage("demo", "\"%s\" is one word too many", rest[0]);
    }
    forget_settings();
    return story ? demo_story() : run_demo();
}
