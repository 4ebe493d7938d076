#include "cmd/decide.h"

#include "cmd/commands.h"
#include "cmd/json_line.h"
#include "cmd/options.h"
#include "cmd/say.h"
#include "engine/decisions.h"
#include "os/digest.h"
#include "os/lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DECIDE_OPTIONS_HELP                                                                        \
    "      --by WHO              who decides this: kept for ever (at most 64 bytes)\n"             \
    "      --why TEXT            and why\n"                                                        \
    "      --no-wait             do not look for some seconds what becomes of "                    \
    "it\n" OPTIONS_JSON_HELP OPTIONS_CONFIG_HELP OPTIONS_EVERY_HELP "\n"

const char accept_gap_help[] =
    "Usage: payonce accept-gap [options] TOPIC/PARTITION FIRST LAST --by WHO\n"
    "\n"
    "Acknowledges that the messages at these offsets, FIRST to LAST, are lost: retention deleted\n"
    "them unread (retention_passed), or they never came (offset_gap). payonce counts them as a\n"
    "gap and reads on behind them. It takes exactly what its halt names, and nothing else; and\n"
    "payonce_decision keeps who decided so, and why.\n"
    "\n" DECIDE_OPTIONS_HELP "Examples:\n"
    "  payonce accept-gap payment-events/3 5432 9000 --by eve --why 'no mirror had them'\n";

const char adopt_topic_help[] =
    "Usage: payonce adopt-topic [options] TOPIC --by WHO\n"
    "\n"
    "Says that a topic was made anew (topic_replaced, topic_truncated), and that the new one is "
    "to\n"
    "be read: from its start, as its next incarnation. What was read of the old one stays; its\n"
    "cursors end. A file that was replaced is adopted by its path. payonce takes it only where it\n"
    "has halted on that topic; and payonce_decision keeps who decided so, and why.\n"
    "\n" DECIDE_OPTIONS_HELP "Examples:\n"
    "  payonce adopt-topic payment-events --by eve --why 'new cluster since Monday'\n";

enum decide_option { DECIDE_BY = OPTION_OWN, DECIDE_WHY, DECIDE_NO_WAIT };

/* How long the verb looks what becomes of it. */
enum { LOOKS = 60, LOOK_US = 50000 };

static const struct option known[] = {
    OPTIONS_EVERY,
    OPTIONS_JSON,
    OPTIONS_CONFIG,
    {"by", required_argument, NULL, DECIDE_BY},
    {"why", required_argument, NULL, DECIDE_WHY},
    {"no-wait", no_argument, NULL, DECIDE_NO_WAIT},
    {NULL, 0, NULL, 0},
};

static struct config config;

static void path_of(const char *data_dir, const char *name, char ret_path[ENGINE_PATH_MAX + 32])
{
    (void)snprintf(ret_path, ENGINE_PATH_MAX + 32, "%s/decisions%s", data_dir, name);
}

uint64_t decide_waiting(const char *data_dir)
{
    char path[ENGINE_PATH_MAX + 32];
    struct disk_posix disk;
    struct fault fault;
    uint64_t sum = 0;

    path_of(data_dir, "", path);
    if (disk_posix_open(&disk, path, &fault) != DONE) {
        return 0;
    }
    if (decisions_sum(&disk.disk, &sum, &fault) != DONE) {
        sum = 0;
    }
    disk_posix_close(&disk);
    return sum;
}

/* Digits and nothing else, at most so many of them as any offset has. */
static bool read_offset(const char *text, uint64_t *ret_offset)
{
    size_t digits = strspn(text, "0123456789");

    *ret_offset = strtoull(text, NULL, 10);
    return digits > 0 && digits < 18 && text[digits] == '\0' && *ret_offset <= OFFSET_MAX;
}

/* Text that is kept: not too long, and none of it moves a terminal. */
static bool take_text(const struct options *options, const char *what, const char *text,
                      size_t size_max, char *ret_text)
{
    struct span span = {text, strlen(text)};

    if (span.size == 0 || !ruling_text_fits(span, size_max)) {
        (void)say_usage(options->command, "%s: 1 to %zu bytes without control characters", what,
                        size_max);
        return false;
    }
    memcpy(ret_text, text, span.size + 1);
    return true;
}

static bool take_options(struct options *options, struct decided *ret_decided, int *ret_looks)
{
    int option;
    bool good = true;

    *ret_looks = LOOKS;
    while (good && (option = options_next(options)) != -1) {
        if (option == '?') {
            return false;
        }
        if (option == DECIDE_NO_WAIT) {
            *ret_looks = 0;
        } else if (option == DECIDE_BY) {
            good = take_text(options, "--by", optarg, RULING_BY_MAX, ret_decided->by);
        } else {
            good = take_text(options, "--why", optarg, RULING_WHY_MAX, ret_decided->why);
        }
    }
    if (good && ret_decided->by[0] == '\0') {
        (void)say_usage(options->command, "--by WHO is missing: who decides it is kept with it");
        return false;
    }
    return good;
}

/* "payment-events/3": the last slash counts, for a path has others. */
static bool take_partition(const struct options *options, char *word, struct decided *ret_decided)
{
    char *slash = strrchr(word, '/');
    uint64_t partition = 0;

    if (slash == NULL || !read_offset(slash + 1, &partition) || partition > INT32_MAX) {
        (void)say_usage(options->command, "%s: TOPIC/PARTITION, as in payment-events/3", word);
        return false;
    }
    *slash = '\0';
    ret_decided->partition = (uint32_t)partition;
    return take_text(options, "TOPIC", word, TOPIC_TEXT_MAX, ret_decided->topic);
}

static bool take_range(const struct options *options, char **words, struct decided *ret_decided)
{
    if (!read_offset(words[0], &ret_decided->first) || !read_offset(words[1], &ret_decided->last) ||
        ret_decided->first > ret_decided->last) {
        (void)say_usage(options->command, "%s %s: the first and the last offset that are lost",
                        words[0], words[1]);
        return false;
    }
    return true;
}

static enum outcome write_decision(struct disk_posix *disk, const struct decided *decided,
                                   uint64_t *ret_number, struct fault *ret_fault)
{
    char path[ENGINE_PATH_MAX + 32];
    struct lock lock;

    path_of(config.engine.data_dir, "/lock", path);
    enum outcome outcome = lock_take(&lock, path, ret_fault); /* Two of us would take one number. */
    if (outcome == DONE) {
        outcome = decisions_add(&disk->disk, decided, ret_number, ret_fault);
        lock_release(&lock);
    }
    return outcome;
}

static enum outcome open_directory(struct disk_posix *disk, struct fault *ret_fault)
{
    char path[ENGINE_PATH_MAX + 32];

    path_of(config.engine.data_dir, "", path);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        (void)fault_is(ret_fault, BROKEN, FAULT_DATA_DIR, "%s: %s", path, strerror(errno));
        fault_next(ret_fault, "name the configuration of the payonce that has halted: -c FILE");
        return BROKEN;
    }
    return disk_posix_open(disk, path, ret_fault);
}

static int tell(const struct options *options, uint64_t number, enum decisions_fate fate,
                const char *why)
{
    static const char *const words[] = {
        [DECISION_WAITS] = "waiting", [DECISION_SEALED] = "taken", [DECISION_REFUSED] = "refused"};
    struct fault fault;

    if (options->json) {
        struct json_line object;
        json_line_start(&object, stdout);
        json_line_number(&object, "decision", number);
        json_line_text(&object, "fate", words[fate]);
        json_line_end(&object);
    } else if (fate == DECISION_SEALED) {
        (void)printf("decision %llu is taken: payonce goes on\n", (unsigned long long)number);
    } else if (fate == DECISION_WAITS) {
        (void)printf("decision %llu is written, and nobody has taken it yet: the next start of "
                     "payonce does\n",
                     (unsigned long long)number);
    }
    if (fate == DECISION_REFUSED) {
        (void)fault_is(&fault, REFUSED, FAULT_DECISION, "decision %llu was refused: %s",
                       (unsigned long long)number, why);
        (void)say_fault(&fault);
        return EXIT_NO;
    }
    return EXIT_DONE;
}

/* A payonce that has halted looks about every half second. */
static enum outcome await_fate(struct disk_posix *disk, uint64_t number, int looks,
                               enum decisions_fate *ret_fate, char ret_why[DECISIONS_WHY_SIZE],
                               struct fault *ret_fault)
{
    enum outcome outcome = decisions_fate(&disk->disk, number, ret_fate, ret_why, ret_fault);

    for (int look = 0; look < looks && outcome == DONE && *ret_fate == DECISION_WAITS; look++) {
        (void)usleep(LOOK_US);
        outcome = decisions_fate(&disk->disk, number, ret_fate, ret_why, ret_fault);
    }
    return outcome;
}

/* Without a configuration it is the payonce that was given files by name. */
static bool load_config(const struct options *options, const struct decided *decided)
{
    const char *const topic = decided->topic;
    struct config_request request = options->request;
    bool loaded = config_load(&config, &request);

    if (loaded && config.file == NULL) {
        request.inputs = &topic;
        request.input_count = 1;
        loaded = config_load(&config, &request);
    }
    return loaded;
}

static int decide(const struct options *options, struct decided *decided, int looks)
{
    enum decisions_fate fate = DECISION_WAITS;
    char why[DECISIONS_WHY_SIZE];
    struct disk_posix disk;
    struct fault fault;
    uint64_t number = 0;

    if (!load_config(options, decided)) {
        return config_say(&config);
    }
    digest_random(&decided->id, sizeof(decided->id));
    enum outcome outcome = open_directory(&disk, &fault);
    if (outcome != DONE) {
        return say_fault(&fault);
    }
    outcome = write_decision(&disk, decided, &number, &fault);
    if (outcome == DONE) {
        outcome = await_fate(&disk, number, looks, &fate, why, &fault);
    }
    disk_posix_close(&disk);
    return outcome == DONE ? tell(options, number, fate, why) : say_fault(&fault);
}

int command_accept_gap(int count, char **arguments)
{
    struct options options = {
        .command = "accept-gap", .known = known, .count = count, .arguments = arguments};
    struct decided decided = {.kind = RULING_GAP};
    char **rest;
    int looks;

    if (!take_options(&options, &decided, &looks)) {
        return EXIT_USAGE;
    }
    if (options_rest(&options, &rest) != 3) {
        return say_usage("accept-gap", "three words are expected: TOPIC/PARTITION FIRST LAST");
    }
    if (!take_partition(&options, rest[0], &decided) || !take_range(&options, rest + 1, &decided)) {
        return EXIT_USAGE;
    }
    return decide(&options, &decided, looks);
}

int command_adopt_topic(int count, char **arguments)
{
    struct options options = {
        .command = "adopt-topic", .known = known, .count = count, .arguments = arguments};
    struct decided decided = {.kind = RULING_ADOPTION};
    char **rest;
    int looks;

    if (!take_options(&options, &decided, &looks)) {
        return EXIT_USAGE;
    }
    if (options_rest(&options, &rest) != 1) {
        return say_usage("adopt-topic", "one word is expected: TOPIC");
    }
    if (!take_text(&options, "TOPIC", rest[0], TOPIC_TEXT_MAX, decided.topic)) {
        return EXIT_USAGE;
    }
    return decide(&options, &decided, looks);
}
