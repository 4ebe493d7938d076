#include "cmd/demo.h"

#include "cmd/ledger_view.h"
#include "cmd/say.h"

#include <string.h>

/*
 * The seed document's story: abc-123 is sent three times because its first answers were lost on
 * the way; xyz-789 and def-456 are sent once.
 */
static const struct {
    const char *time;
    const char *id;
    const char *amount;
} story[] = {
    {"10:00:05", "abc-123", "1000.00"}, {"10:00:06", "xyz-789", "500.00"},
    {"10:00:07", "abc-123", "1000.00"}, {"10:00:08", "def-456", "2000.00"},
    {"10:00:09", "abc-123", "1000.00"},
};

enum { STORY_MESSAGES = sizeof(story) / sizeof(story[0]), STORY_TEXT_SIZE = 2048, PLACES = 2 };

#define STORY_CONFIG DEMO_DIRECTORY "/story.yaml"
#define STORY_PAYMENTS DEMO_DIRECTORY "/story.jsonl"

static const char story_config[] =
    "pipeline: story\n"
    "data_dir: ./" DEMO_DIRECTORY "/data\n"
    "source: {file: {paths: [./" STORY_PAYMENTS "]}}\n"
    "sinks: [{name: local, type: sqlite, path: ./" DEMO_DIRECTORY "/payments.db}]\n"
    "journal: {segment_size: 1MiB}\n"
    "fraud: {max_senders: 1000}\n"
    "state: {memory_limit: 64MiB, expected_rate: 1/s}\n";

static struct config config;

/* What the tables hold of one message. */
struct told {
    bool known;
    enum verdict verdict;
    int64_t first_offset; /* DUPLICATE. */
    struct money amount;
};

static enum outcome write_story(struct fault *ret_fault)
{
    char text[STORY_TEXT_SIZE];
    size_t size = 0;

    for (size_t index = 0; index < STORY_MESSAGES; index++) {
        size += (size_t)snprintf(text + size, sizeof(text) - size,
                                 "{\"transaction_id\":\"%s\",\"event_time\":\"2026-02-25T%sZ\","
                                 "\"sender\":\"ACC_1\",\"receiver\":\"ACC_2\",\"amount\":%s,"
                                 "\"currency\":\"USD\"}\n",
                                 story[index].id, story[index].time, story[index].amount);
        must(size < sizeof(text));
    }
    enum outcome outcome = demo_place_make(ret_fault);
    if (outcome == DONE) {
        outcome = demo_write(STORY_PAYMENTS, text, ret_fault);
    }
    return outcome == DONE ? demo_write(STORY_CONFIG, story_config, ret_fault) : outcome;
}

/* The rows of one table, each to the message it came from. */
static enum outcome read_table(struct sink *ledger, enum table table,
                               struct told told[STORY_MESSAGES], struct fault *ret_fault)
{
    bool accepted = table == TABLE_TRANSACTIONS;
    enum outcome outcome = DONE;

    for (uint64_t seq = 1; outcome == DONE; seq++) {
        struct row row;
        uint64_t epoch;
        int64_t decided_ms;
        outcome = sink_read_row(ledger, table, seq, &row, &epoch, &decided_ms, ret_fault);
        if (outcome != DONE) {
            break;
        }
        int64_t offset = row.numbers[TRANSACTION_OFFSET];
        if (offset < 1 || offset > STORY_MESSAGES) {
            continue;
        }
        told[offset - 1] = (struct told){
            .known = true,
            .verdict = accepted ? ACCEPTED : DUPLICATE,
            .first_offset = accepted ? offset : row.numbers[DUPLICATE_FIRST_OFFSET],
            .amount = {row.numbers[accepted ? (int)TRANSACTION_UNITS : (int)DUPLICATE_UNITS],
                       row.numbers[accepted ? (int)TRANSACTION_SCALE : (int)DUPLICATE_SCALE]},
        };
    }
    return outcome == LATER ? DONE : outcome;
}

static void say_sum(const char *name, struct money_sum sum, const char *what)
{
    char money[MONEY_SUM_TEXT_SIZE];
    char grouped[2 * MONEY_SUM_TEXT_SIZE];

    (void)money_sum_write(sum, PLACES, money);
    say_grouped(money, grouped, sizeof(grouped));
    (void)printf("  %-17s %9s USD%s\n", name, grouped, what);
}

static void say_message(size_t index, const struct told *told)
{
    char money[MONEY_TEXT_SIZE];
    char grouped[2 * MONEY_TEXT_SIZE];

    (void)money_write(told->amount, money);
    say_grouped(money, grouped, sizeof(grouped));
    (void)printf("  %s  %s %9s USD   ", story[index].time, story[index].id, grouped);
    if (told->verdict == ACCEPTED) {
        (void)printf("KEEP   accepted\n");
    } else {
        (void)printf("DROP   duplicate of the one at %s\n", story[told->first_offset - 1].time);
    }
}

static int tell(const struct told told[STORY_MESSAGES])
{
    struct money_sum raw = {0};
    struct money_sum right = {0};

    (void)printf("payonce demo --story - one payment, sent three times, by a client that got no "
                 "answer\n\n");
    for (size_t index = 0; index < STORY_MESSAGES; index++) {
        if (!told[index].known) {
            (void)printf("  %s  %s is in no table\n", story[index].time, story[index].id);
            return EXIT_NO;
        }
        say_message(index, &told[index]);
        bool fits = money_add(&raw, told[index].amount) &&
                    (told[index].verdict != ACCEPTED || money_add(&right, told[index].amount));
        must(fits);
    }
    (void)putchar('\n');
    say_sum("as they came", raw, "   <- what would have been stored without dedup");
    say_sum("with payonce", right, "   <- in payment_transactions");
    return EXIT_DONE;
}

int demo_story(void)
{
    struct config_request ask = {.file = STORY_CONFIG};
    struct told told[STORY_MESSAGES] = {0};
    struct ledger_view view;
    struct fault fault;
    enum outcome outcome = write_story(&fault);

    if (outcome == DONE) {
        outcome = demo_finish(STORY_CONFIG, &fault);
    }
    if (outcome != DONE) {
        return say_fault(&fault);
    }
    if (!config_load(&config, &ask)) {
        return config_say(&config);
    }
    outcome = ledger_view_open(&view, config.sink_type_names[0], &config.engine.sinks[0], &fault);
    if (outcome != DONE) {
        return say_fault(&fault);
    }
    outcome = read_table(view.sink, TABLE_TRANSACTIONS, told, &fault);
    if (outcome == DONE) {
        outcome = read_table(view.sink, TABLE_DUPLICATES, told, &fault);
    }
    ledger_view_close(&view);
    return outcome == DONE ? tell(told) : say_fault(&fault);
}
