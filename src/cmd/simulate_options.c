#include "cmd/simulate.h"

#include "base/instant.h"
#include "cmd/say.h"
#include "os/clock.h"

#include <string.h>

enum simulate_option {
    SIMULATE_TO = OPTION_OWN,
    SIMULATE_FORCE,
    SIMULATE_TRUTH,
    SIMULATE_COUNT,
    SIMULATE_RATE,
    SIMULATE_DURATION,
    SIMULATE_CLOCK,
    SIMULATE_START,
    SIMULATE_SEED,
    SIMULATE_DUPLICATES,
    SIMULATE_COPIES,
    SIMULATE_AFTER,
    SIMULATE_CONFLICTS,
    SIMULATE_LATE,
    SIMULATE_FUTURE,
    SIMULATE_BROKEN,
    SIMULATE_OUT_OF_ORDER,
    SIMULATE_LATENESS,
    SIMULATE_ACCOUNTS,
    SIMULATE_CURRENCIES,
    SIMULATE_END,
};

static const struct option known[] = {
    OPTIONS_EVERY,
    OPTIONS_JSON,
    {"to", required_argument, NULL, SIMULATE_TO},
    {"force", no_argument, NULL, SIMULATE_FORCE},
    {"truth", required_argument, NULL, SIMULATE_TRUTH},
    {"count", required_argument, NULL, SIMULATE_COUNT},
    {"rate", required_argument, NULL, SIMULATE_RATE},
    {"duration", required_argument, NULL, SIMULATE_DURATION},
    {"clock", required_argument, NULL, SIMULATE_CLOCK},
    {"start", required_argument, NULL, SIMULATE_START},
    {"seed", required_argument, NULL, SIMULATE_SEED},
    {"duplicates", required_argument, NULL, SIMULATE_DUPLICATES},
    {"copies", required_argument, NULL, SIMULATE_COPIES},
    {"duplicate-after", required_argument, NULL, SIMULATE_AFTER},
    {"conflicts", required_argument, NULL, SIMULATE_CONFLICTS},
    {"late", required_argument, NULL, SIMULATE_LATE},
    {"future", required_argument, NULL, SIMULATE_FUTURE},
    {"broken", required_argument, NULL, SIMULATE_BROKEN},
    {"out-of-order", required_argument, NULL, SIMULATE_OUT_OF_ORDER},
    {"lateness", required_argument, NULL, SIMULATE_LATENESS},
    {"accounts", required_argument, NULL, SIMULATE_ACCOUNTS},
    {"currencies", required_argument, NULL, SIMULATE_CURRENCIES},
    {NULL, 0, NULL, 0},
};

enum {
    DAY_MS = 24 * 3600 * 1000,
    ALL_OF_THEM = 1000000, /* Parts per million. */
};

#define YEARS_MAX_MS (INT64_C(365) * DAY_MS * 70)

/* What the options say, before it is fitted together. */
struct simulate_words {
    struct simulate_request *request;
    int64_t values[SIMULATE_END - OPTION_OWN]; /* Of options that are one number; -1: not given. */
    const char *clock;
    unsigned output_count;
    bool stdout_named;
    bool start_given;
};

/* Options that are one number. */
static const struct number_option {
    int option;
    const char *name;
    enum quantity kind;
    int64_t least;
    int64_t most;
} numbers[] = {
    {SIMULATE_COUNT, "--count", QUANTITY_COUNT, 0, INT64_C(1000000000000)},
    {SIMULATE_RATE, "--rate", QUANTITY_RATE, 1, 1000000000},
    {SIMULATE_DURATION, "--duration", QUANTITY_DURATION, 0, YEARS_MAX_MS},
    {SIMULATE_SEED, "--seed", QUANTITY_COUNT, 0, INT64_MAX},
    {SIMULATE_DUPLICATES, "--duplicates", QUANTITY_PERCENT, 0, ALL_OF_THEM},
    {SIMULATE_CONFLICTS, "--conflicts", QUANTITY_PERCENT, 0, ALL_OF_THEM},
    {SIMULATE_LATE, "--late", QUANTITY_PERCENT, 0, ALL_OF_THEM},
    {SIMULATE_FUTURE, "--future", QUANTITY_PERCENT, 0, ALL_OF_THEM},
    {SIMULATE_BROKEN, "--broken", QUANTITY_PERCENT, 0, ALL_OF_THEM},
    {SIMULATE_OUT_OF_ORDER, "--out-of-order", QUANTITY_DURATION, 0, DAY_MS},
    {SIMULATE_LATENESS, "--lateness", QUANTITY_DURATION, 0, INT64_C(30) * DAY_MS},
    {SIMULATE_ACCOUNTS, "--accounts", QUANTITY_COUNT, 2, MINT_ACCOUNTS_MAX},
};

static bool read_quantity(const char *name, enum quantity kind, struct span text, int64_t least,
                          int64_t most, int64_t *ret_value)
{
    char texts[2][QUANTITY_TEXT_SIZE];

    if (quantity_read(kind, text, ret_value) != QUANTITY_READ) {
        (void)say_usage("simulate", "%s \"%.*s\": %s is expected", name, (int)text.size,
                        (const char *)text.at, quantity_example(kind));
        return false;
    }
    if (*ret_value < least || *ret_value > most) {
        quantity_write(kind, least, texts[0]);
        quantity_write(kind, most, texts[1]);
        (void)say_usage("simulate", "%s \"%.*s\": from %s to %s", name, (int)text.size,
                        (const char *)text.at, texts[0], texts[1]);
        return false;
    }
    return true;
}

/* "0s..30s", or one value for both. */
static bool read_range(const char *name, enum quantity kind, int64_t most, int64_t *ret_least,
                       int64_t *ret_most)
{
    const char *between = strstr(optarg, "..");
    size_t size = between == NULL ? strlen(optarg) : (size_t)(between - optarg);
    const char *second = between == NULL ? optarg : between + 2;

    if (!read_quantity(name, kind, (struct span){optarg, size}, 0, most, ret_least) ||
        !read_quantity(name, kind, (struct span){second, strlen(second)}, 0, most, ret_most)) {
        return false;
    }
    if (*ret_least > *ret_most) {
        (void)say_usage("simulate", "%s \"%s\": the first is larger than the second", name, optarg);
        return false;
    }
    return true;
}

static bool take_output(struct simulate_words *words)
{
    if (strcmp(optarg, "stdout") == 0) {
        words->stdout_named = true;
    } else if (strncmp(optarg, "file:", 5) == 0 && optarg[5] != '\0') {
        if (words->output_count == SIMULATOR_OUTPUTS_MAX) {
            (void)say_usage("simulate", "more than %d files", SIMULATOR_OUTPUTS_MAX);
            return false;
        }
        for (unsigned index = 0; index < words->output_count; index++) {
            if (strcmp(words->request->paths[index], optarg + 5) == 0) {
                (void)say_usage("simulate", "--to \"%s\" twice", optarg);
                return false;
            }
        }
        words->request->paths[words->output_count++] = optarg + 5;
    } else {
        (void)say_usage("simulate", "--to \"%s\": stdout or file:PATH is expected", optarg);
        return false;
    }
    if (words->stdout_named && words->output_count > 0) {
        (void)say_usage("simulate", "--to: either stdout or files");
        return false;
    }
    return true;
}

static bool take_currencies(struct mint *mint)
{
    mint->currency_count = 0;
    for (const char *at = optarg;;) {
        size_t size = strcspn(at, ",");
        if (size != CURRENCY_SIZE || strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") < CURRENCY_SIZE ||
            mint->currency_count == MINT_CURRENCIES_MAX) {
            (void)say_usage("simulate",
                            "--currencies \"%s\": at most %d of three capital letters, "
                            "as in USD,EUR",
                            optarg, MINT_CURRENCIES_MAX);
            return false;
        }
        memcpy(mint->currencies[mint->currency_count++], at, CURRENCY_SIZE);
        if (at[size] == '\0') {
            return true;
        }
        at += size + 1;
    }
}

static bool take_range(struct simulate_words *words, int option)
{
    struct simulator_settings *simulator = &words->request->simulator;
    int64_t least;
    int64_t most;

    if (option == SIMULATE_COPIES) {
        if (!read_range("--copies", QUANTITY_COUNT, SIMULATOR_COPIES_MAX, &least, &most)) {
            return false;
        }
        simulator->copies_min = (uint64_t)least;
        simulator->copies_max = (uint64_t)most;
        return true;
    }
    return read_range("--duplicate-after", QUANTITY_DURATION, INT64_C(30) * DAY_MS,
                      &simulator->after_min_ms, &simulator->after_max_ms);
}

static bool take_start(struct simulate_words *words)
{
    struct simulator_settings *simulator = &words->request->simulator;

    words->start_given = true;
    if (instant_read((struct span){optarg, strlen(optarg)}, &simulator->start_ms)) {
        return true;
    }
    (void)say_usage("simulate", "--start \"%s\": a time such as 2026-01-01T00:00:00Z is expected",
                    optarg);
    return false;
}

static bool take_option(struct simulate_words *words, int option)
{
    for (size_t index = 0; index < sizeof(numbers) / sizeof(numbers[0]); index++) {
        const struct number_option *number = &numbers[index];
        if (number->option == option) {
            return read_quantity(number->name, number->kind, (struct span){optarg, strlen(optarg)},
                                 number->least, number->most, &words->values[option - OPTION_OWN]);
        }
    }
    if (option == SIMULATE_TO) {
        return take_output(words);
    }
    if (option == SIMULATE_START) {
        return take_start(words);
    }
    if (option == SIMULATE_CURRENCIES) {
        return take_currencies(&words->request->simulator.mint);
    }
    if (option == SIMULATE_COPIES || option == SIMULATE_AFTER) {
        return take_range(words, option);
    }
    if (option == SIMULATE_FORCE) {
        words->request->overwrite = true;
    } else if (option == SIMULATE_TRUTH) {
        words->request->truth = optarg;
    } else if (option == SIMULATE_CLOCK) {
        words->clock = optarg;
    }
    return true;
}

static void take_number(const struct simulate_words *words, enum simulate_option option,
                        uint64_t *value)
{
    if (words->values[option - OPTION_OWN] >= 0) {
        *value = (uint64_t)words->values[option - OPTION_OWN];
    }
}

static void take_numbers(const struct simulate_words *words, struct simulator_settings *simulator)
{
    uint64_t out_of_order_ms = (uint64_t)simulator->out_of_order_ms;
    uint64_t lateness_ms = (uint64_t)simulator->lateness_ms;
    uint64_t accounts = simulator->mint.account_count;
    int64_t duration_ms = words->values[SIMULATE_DURATION - OPTION_OWN];

    take_number(words, SIMULATE_COUNT, &simulator->count);
    take_number(words, SIMULATE_RATE, &simulator->rate);
    take_number(words, SIMULATE_SEED, &simulator->mint.seed);
    take_number(words, SIMULATE_DUPLICATES, &simulator->duplicates);
    take_number(words, SIMULATE_CONFLICTS, &simulator->conflicts);
    take_number(words, SIMULATE_LATE, &simulator->late);
    take_number(words, SIMULATE_FUTURE, &simulator->future);
    take_number(words, SIMULATE_BROKEN, &simulator->broken);
    take_number(words, SIMULATE_OUT_OF_ORDER, &out_of_order_ms);
    take_number(words, SIMULATE_LATENESS, &lateness_ms);
    take_number(words, SIMULATE_ACCOUNTS, &accounts);
    simulator->out_of_order_ms = (int64_t)out_of_order_ms;
    simulator->lateness_ms = (int64_t)lateness_ms;
    simulator->mint.account_count = (uint32_t)accounts;
    if (duration_ms >= 0) {
        simulator->count = (uint64_t)duration_ms / 1000 * simulator->rate +
                           (uint64_t)duration_ms % 1000 * simulator->rate / 1000;
    }
}

static bool fit_clock(struct simulate_words *words)
{
    struct simulate_request *ask = words->request;
    struct simulator_settings *simulator = &ask->simulator;
    const char *clock = words->clock != NULL ? words->clock : ask->to_stdout ? "real" : "virtual";

    ask->real_clock = strcmp(clock, "real") == 0;
    if (!ask->real_clock && strcmp(clock, "virtual") != 0) {
        (void)say_usage("simulate", "--clock \"%s\": real or virtual is expected", clock);
        return false;
    }
    if (words->start_given && ask->real_clock) {
        if (words->clock != NULL) {
            (void)say_usage("simulate", "--start: with --clock real the first payment is now");
            return false;
        }
        ask->real_clock = false;
    }
    if (ask->real_clock) {
        simulator->start_ms = clock_wall_ms(&clock_real);
    }
    uint64_t seconds = simulator->count / simulator->rate;
    if (seconds > (uint64_t)(YEARS_MAX_MS / 1000) ||
        simulator->start_ms < simulator_start_least_ms(simulator) ||
        simulator->start_ms + (int64_t)seconds * 1000 + simulator->after_max_ms >=
            simulator->future_start_ms) {
        (void)say_usage("simulate", "not all of the payments would happen between 2000 and 2099");
        return false;
    }
    return true;
}

static bool fit_together(struct simulate_words *words)
{
    struct simulate_request *ask = words->request;
    struct simulator_settings *simulator = &ask->simulator;

    if (words->values[SIMULATE_COUNT - OPTION_OWN] >= 0 &&
        words->values[SIMULATE_DURATION - OPTION_OWN] >= 0) {
        (void)say_usage("simulate", "either --count or --duration");
        return false;
    }
    take_numbers(words, simulator);
    if (simulator->late + simulator->future + simulator->broken > ALL_OF_THEM) {
        (void)say_usage("simulate", "--late, --future and --broken together are more than 100%%");
        return false;
    }
    ask->to_stdout = words->output_count == 0;
    simulator->output_count = ask->to_stdout ? 1 : words->output_count;
    return fit_clock(words);
}

bool simulate_read(int count, char **arguments, struct options *options,
                   struct simulate_request *ret_request)
{
    struct simulate_words words = {.request = ret_request};
    int option;

    *ret_request = (struct simulate_request){0};
    simulator_settings_default(&ret_request->simulator);
    memset(words.values, 0xff, sizeof(words.values));
    *options = (struct options){
        .command = "simulate", .known = known, .count = count, .arguments = arguments};
    while ((option = options_next(options)) != -1) {
        if (option == '?' || !take_option(&words, option)) {
            return false;
        }
    }
    char **rest;
    if (options_rest(options, &rest) > 0) {
        (void)say_usage("simulate", "\"%s\" is one word too many", rest[0]);
        return false;
    }
    ret_request->quiet = options->quiet;
    return fit_together(&words);
}
