/*
 * judge_tool: the rules alone, told what happens in merged order.
 *
 * What files cannot do (idle and returning sources, skew, changed rules) is compared with the
 * reference through this program: test/reference/scripts.py writes such scripts. It reads one
 * command a line and answers messages, "aligned" and "epoch":
 *
 *     rules LATENESS RETENTION MAX_FUTURE ALIGN WINDOW GROUPS SENDERS HIGH_RISK
 *     source TOPIC                       joins, with the next number
 *     start | idle N | ended N | active N
 *     gap N FIRST NEXT                   the offsets [FIRST, NEXT) are acknowledged as lost
 *     adopt N                            its topic's next incarnation joins; N ends
 *     balance N                          answers next - start and what was counted, by verdict
 *     aligned N BACKLOG                  BACKLOG: 1 or 0 for each source, as in 101
 *     message N OFFSET ARRIVAL JSON
 *     epoch                              ends here: its windows are listed
 *     watermark
 */
#include "core/state.h"
#include "os/memory.h"
#include "parse/parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_BYTES = 48 * 1024 * 1024, LINE_SIZE = 2 * MESSAGE_SIZE_MAX };

static struct state state;
static struct parser parser;
static char line[LINE_SIZE];
static char room[PARSE_SCRATCH_MAX];
static struct parse_scratch scratch = {.at = room, .size = sizeof(room)};
static uint32_t source_count;

static void apply(const struct decision *decision)
{
    struct fault fault;

    if (state_apply(&state, decision, &fault) != DONE) {
        printf("refused %s\n", fault.text);
        exit(EXIT_FAILURE);
    }
}

static void note(enum decision_kind kind, unsigned source, const void *text, size_t size)
{
    struct decision decision = {.kind = (uint8_t)kind,
                                .source = (uint16_t)source,
                                .offset = 1,
                                .event_ms = INSTANT_NONE,
                                .text = {text, size}};

    apply(&decision);
}

static void do_rules(const char *arguments)
{
    struct rules rules;

    rules_default(&rules);
    if (sscanf(arguments,
               "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64
               " %" SCNd64,
               &rules.lateness_ms, &rules.retention_ms, &rules.max_future_ms, &rules.align_ms,
               &rules.window_ms, &rules.window_groups_max, &rules.senders_max,
               &rules.high_risk_above) != 8) {
        exit(EXIT_FAILURE);
    }
    note(NOTE_RULES, 0, &rules, sizeof(rules));
}

static void do_source(const char *topic)
{
    static struct origin origin;

    memset(&origin, 0, sizeof(origin));
    (void)snprintf(origin.topic, sizeof(origin.topic), "%s", topic);
    note(NOTE_SOURCE, source_count++, &origin, sizeof(origin));
}

static void do_gap(char *arguments)
{
    struct decision gap = {.kind = NOTE_GAP};

    gap.source = (uint16_t)strtoul(arguments, &arguments, 10);
    gap.offset = strtoull(arguments, &arguments, 10);
    gap.event_ms = strtoll(arguments, NULL, 10);
    apply(&gap);
}

static void do_adopt(const char *arguments)
{
    unsigned long number = strtoul(arguments, NULL, 10);
    struct origin origin = state.origins[number];

    origin.incarnation++;
    note(NOTE_SOURCE, source_count++, &origin, sizeof(origin));
    note(NOTE_ENDED, (unsigned)number, NULL, 0);
}

static void do_balance(const char *arguments)
{
    unsigned long number = strtoul(arguments, NULL, 10);
    const struct watermark_source *source = &state.watermark.sources[number];
    uint64_t counts[TALLY_COUNT + 1] = {0};

    for (size_t index = 0; index < state_total_all_count(&state); index++) {
        struct epoch_total total;
        state_total_any(&state, index, &total);
        counts[total.tally] += total.source == number ? total.count : 0;
    }
    printf("balance %" PRIu64, source->next - source->start);
    for (size_t tally = 0; tally <= TALLY_COUNT; tally++) {
        printf(" %" PRIu64, counts[tally]);
    }
    printf("\n");
}

static void do_aligned(const char *arguments)
{
    static bool has_backlog[SOURCES_MAX];
    unsigned source = (unsigned)strtoul(arguments, NULL, 10);
    const char *backlog = strchr(arguments, ' ') + 1;

    for (uint32_t index = 0; index < source_count; index++) {
        has_backlog[index] = backlog[index] == '1';
    }
    printf("aligned %d\n", watermark_aligned(&state.watermark, (uint16_t)source,
                                             state.rules.align_ms, has_backlog));
}

static void show(const struct message *message, const struct judgement *judged)
{
    printf("%s", verdict_name(judged->verdict));
    switch (judged->verdict) {
    case ACCEPTED:
        printf(" %d %d %d %d %.*s", judged->fraud_score, judged->high_risk, judged->velocity_60s,
               judged->count_5m, judged->look_alike_size, judged->look_alike_of);
        break;
    case DUPLICATE:
    case CONFLICT:
        printf(" %u %" PRIu64 " %" PRId64 " %d", judged->first_source, judged->first_offset,
               judged->first_event_ms, judged->verdict == DUPLICATE && judged->earlier);
        break;
    case LATE:
        printf(" %d", judged->known_id);
        break;
    case INVALID:
        printf(" %s %u", refusal_code(message->refusal.reason), message->refusal.position);
        break;
    case FUTURE:
    case SKIPPED:
        break;
    }
    printf("\n");
}

static void do_message(char *arguments)
{
    struct message message = {.selected = false};
    struct judgement judged;
    struct decision decision;

    message.source = (uint16_t)strtoul(arguments, &arguments, 10);
    message.offset = strtoull(arguments, &arguments, 10);
    message.arrival_ms = strtoll(arguments, &arguments, 10);
    message.raw = (struct span){arguments + 1, strlen(arguments + 1)};
    message.size = (uint32_t)message.raw.size;
    scratch.used = 0;
    parse_message(&parser, &message, &scratch);
    payment_place(&message.payment, &parser.settings.key);
    state_judge(&state, &message, &judged);
    show(&message, &judged);
    state_decide(&message, &judged, &decision);
    apply(&decision);
}

static void do_epoch(void)
{
    for (size_t index = 0; index < state_metric_count(&state); index++) {
        struct row row;
        char total[MONEY_SUM_TEXT_SIZE];
        state_metric_row(&state, index, &row);
        money_wide wide = (money_wide)row.numbers[METRIC_TOTAL_HIGH] << 64 |
                          (uint64_t)row.numbers[METRIC_TOTAL_LOW];
        (void)money_sum_write((struct money_sum){wide}, (int)row.numbers[METRIC_PLACES], total);
        printf("window %" PRId64 " %" PRId64 " %s %" PRId64 " %.*s %.*s\n",
               row.numbers[METRIC_START_MS], row.numbers[METRIC_COUNT], total,
               row.numbers[METRIC_CLOSED], (int)row.texts[METRIC_CURRENCY].size,
               (const char *)row.texts[METRIC_CURRENCY].at, (int)row.texts[METRIC_REGION].size,
               (const char *)row.texts[METRIC_REGION].at);
    }
    state_epoch_end(&state);
}

static void do_note(const char *word, const char *arguments)
{
    static const struct {
        const char *word;
        enum decision_kind kind;
    } notes[] = {
        {"start", NOTE_START}, {"idle", NOTE_IDLE}, {"ended", NOTE_ENDED}, {"active", NOTE_ACTIVE}};

    for (size_t index = 0; index < sizeof(notes) / sizeof(notes[0]); index++) {
        if (strcmp(word, notes[index].word) == 0) {
            note(notes[index].kind, (unsigned)strtoul(arguments, NULL, 10), NULL, 0);
            return;
        }
    }
    exit(EXIT_FAILURE);
}

static void obey(const char *word, char *arguments)
{
    if (strcmp(word, "message") == 0) {
        do_message(arguments);
    } else if (strcmp(word, "rules") == 0) {
        do_rules(arguments);
    } else if (strcmp(word, "source") == 0) {
        do_source(arguments);
    } else if (strcmp(word, "gap") == 0) {
        do_gap(arguments);
    } else if (strcmp(word, "adopt") == 0) {
        do_adopt(arguments);
    } else if (strcmp(word, "balance") == 0) {
        do_balance(arguments);
    } else if (strcmp(word, "aligned") == 0) {
        do_aligned(arguments);
    } else if (strcmp(word, "epoch") == 0) {
        do_epoch();
    } else if (strcmp(word, "watermark") == 0) {
        printf("watermark %" PRId64 "\n", state.watermark.all_ms);
    } else {
        do_note(word, arguments);
    }
}

int main(void)
{
    const struct state_limits limits = {.bytes = STATE_BYTES, .senders_max = 1000};
    struct parse_settings settings;
    struct state_memory memory;
    struct fault fault;
    void *lent;

    if (memory_reserve(state_memory_size(&limits), &lent, &fault) != DONE) {
        return EXIT_FAILURE;
    }
    parse_settings_default(&settings);
    parser_init(&parser, &settings);
    state_memory_lay(&limits, lent, &memory);
    state_init(&state, &settings.key, &memory);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *arguments = line + strcspn(line, " ");
        if (*arguments != '\0') {
            *arguments++ = '\0';
        }
        obey(line, arguments);
    }
    memory_release(lent, state_memory_size(&limits));
    return EXIT_SUCCESS;
}
