#include "cmd/simulate_parts.h"

#include "base/instant.h"
#include "cmd/say.h"

#include <string.h>

static const struct option known[] = {
    OPTIONS_EVERY,
    OPTIONS_JSON,
    {"to", required_argument, NULL, SIMULATE_TO},
    {"property", required_argument, NULL, SIMULATE_PROPERTY},
    {"password-file", required_argument, NULL, SIMULATE_PASSWORD},
    {"scenario", required_argument, NULL, SIMULATE_SCENARIO},
    {"group", required_argument, NULL, SIMULATE_GROUP},
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
        (void)say_usage("simulate",
                        "--to \"%s\": stdout, file:PATH or kafka://HOST:PORT/TOPIC is expected",
                        optarg);
        return false;
    }
    return true;
}

/* One place of a kind: standard output, a topic; or files. */
static bool take_place(struct simulate_words *words)
{
    struct simulate_request *ask = words->request;
    bool topic = strncmp(optarg, "kafka://", 8) == 0;

    if (topic && ask->kafka.wanted) {
        (void)say_usage("simulate", "--to: one Kafka topic at a time");
        return false;
    }
    if (topic ? !simulate_kafka_place(optarg + 8, &ask->kafka) : !take_output(words)) {
        if (topic) {
            (void)say_usage("simulate",
                            "--to \"%s\": kafka://HOST:PORT[,HOST:PORT ...]/TOPIC is expected",
                            optarg);
        }
        return false;
    }
    if (words->stdout_named + (words->output_count > 0) + ask->kafka.wanted > 1) {
        (void)say_usage("simulate", "--to: either stdout, or files, or a Kafka topic");
        return false;
    }
    return true;
}

/* NAME=VALUE, as librdkafka calls it; split where it stands. */
static bool take_property(struct simulate_kafka *kafka)
{
    char *equals = strchr(optarg, '=');

    if (equals == NULL || equals == optarg || kafka->property_count == SIMULATE_PROPERTIES_MAX) {
        (void)say_usage("simulate", "--property \"%s\": NAME=VALUE is expected, at most %d of them",
                        optarg, SIMULATE_PROPERTIES_MAX);
        return false;
    }
    *equals = '\0';
    kafka->properties[kafka->property_count++] = (struct kafka_property){optarg, equals + 1};
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
    if (option == SIMULATE_COPIES) {
        return read_range("--copies", QUANTITY_COUNT, SIMULATOR_COPIES_MAX, &words->copies[0],
                          &words->copies[1]);
    }
    return read_range("--duplicate-after", QUANTITY_DURATION, INT64_C(30) * DAY_MS,
                      &words->after_ms[0], &words->after_ms[1]);
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
        return take_place(words);
    }
    if (option == SIMULATE_PROPERTY) {
        return take_property(&words->request->kafka);
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
    } else if (option == SIMULATE_SCENARIO) {
        words->scenario = optarg;
    } else if (option == SIMULATE_GROUP) {
        words->request->kafka.group = optarg;
    } else if (option == SIMULATE_PASSWORD) {
        words->request->kafka.password_file = optarg;
    }
    return true;
}

bool simulate_read(int count, char **arguments, struct options *options,
                   struct simulate_request *ret_request)
{
    struct simulate_words words = {.request = ret_request};
    int option;

    *ret_request = (struct simulate_request){0};
    simulator_settings_default(&ret_request->simulator);
    memset(words.values, 0xff, sizeof(words.values));
    memset(words.copies, 0xff, sizeof(words.copies));
    memset(words.after_ms, 0xff, sizeof(words.after_ms));
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
    ret_request->kafka.quiet = options->quiet;
    return simulate_fit(&words);
}
