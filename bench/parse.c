/*
 * What one message costs to parse, payment_derive included, beside references in the same run:
 *
 *   parse         parse_message: the remembered layout, the full reader where it does not fit
 *   full          parse_message_fully: the full reader alone
 *   json-c        the same message into json-c's tree, and freed again (if it is there)
 *   lines, copy   memchr for the newline, memcpy: what only touching the bytes costs
 *
 * Of two shapes: what simulate writes (355 bytes, 13 keys), and a payment of 305 bytes and 11 keys,
 * 8 of them ours, the event time as text. Once over few messages that stay in the L2 cache, once
 * over many that come from memory. Runs are short: the least of them is the machine's figure where
 * others work beside.
 * usage: bench_parse [--runs N]
 */
#include "base/instant.h"
#include "bench/measure.h"
#include "cmd/mint.h"
#include "parse/parse.h"

#ifdef HAVE_JSON_C
#include <json-c/json.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 500, MANY = 200000, FEW_A_RUN = 10000, RUNS = 31, PLAIN_SIZE = 305 };

struct lines {
    char *text; /* Each with its newline. */
    size_t size;
    size_t count;
    uint32_t *sizes;
    struct parser parser;
    struct parse_scratch scratch;
    struct message message;
    char *copy;
    uint64_t seen; /* Keeps the compiler from leaving things out. */
};

static void *reserve(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        perror("memory");
        exit(69);
    }
    return memory;
}

/* A payment of 305 bytes. */
static size_t plain_write(const struct minted *minted, char *to)
{
    char id[MINTED_ID_SIZE + 1] = {0}, amount[32] = {0}, instant[INSTANT_TEXT_SIZE];

    minted_id_write(minted, id);
    (void)minted_amount_write(minted, amount);
    instant_write(minted->event_ms, instant);
    int size = snprintf(to, MINTED_SIZE_MAX,
                        "{\"transaction_id\":\"%s\",\"sender\":\"ACC_%06u\",\"receiver\":"
                        "\"ACC_%06u\",\"amount\":%s,\"currency\":\"%s\",\"status\":\"SUCCESS\","
                        "\"region\":\"%s\",\"event_time\":\"%s\",\"merchant\":\"M%08u\","
                        "\"channel\":\"%s\",\"note\":\"",
                        id, minted->sender, minted->receiver, amount, minted->currency,
                        minted->region, instant, minted->device, minted->method);
    must(size > 0 && size < PLAIN_SIZE - 2);
    memset(to + size, 'n', (size_t)(PLAIN_SIZE - 2 - size));
    memcpy(to + PLAIN_SIZE - 2, "\"}", 2);
    return PLAIN_SIZE;
}

static void lines_make(struct lines *lines, size_t count,
                       size_t (*write)(const struct minted *minted, char *to))
{
    struct parse_settings settings;
    struct mint mint;
    struct minted minted;
    struct dice dice;

    memset(lines, 0, sizeof(*lines));
    mint_default(&mint);
    lines->text = reserve(count * MINTED_SIZE_MAX);
    lines->sizes = reserve(count * sizeof(lines->sizes[0]));
    lines->count = count;
    for (size_t index = 0; index < count; index++) {
        mint_payment(&mint, index, &minted, &dice);
        minted.event_ms = INT64_C(1772000000000) + (int64_t)index;
        size_t size = write(&minted, lines->text + lines->size);
        lines->sizes[index] = (uint32_t)size;
        lines->size += size;
        lines->text[lines->size++] = '\n';
    }
    parse_settings_default(&settings);
    settings.key = (struct siphash_key){1, 2};
    parser_init(&lines->parser, &settings);
    lines->scratch.at = reserve(PARSE_SCRATCH_MAX);
    lines->scratch.size = PARSE_SCRATCH_MAX;
    lines->copy = reserve(lines->size);
}

static void lines_free(struct lines *lines)
{
    free(lines->text);
    free(lines->sizes);
    free(lines->scratch.at);
    free(lines->copy);
}

static void parse_each(struct lines *lines, bool fully)
{
    const char *at = lines->text;

    for (size_t index = 0; index < lines->count; index++) {
        lines->message.raw = (struct span){at, lines->sizes[index]};
        lines->message.size = lines->sizes[index];
        lines->scratch.used = 0;
        if (fully) {
            parse_message_fully(&lines->parser, &lines->message, &lines->scratch);
        } else {
            parse_message(&lines->parser, &lines->message, &lines->scratch);
        }
        must(lines->message.refusal.reason == REFUSAL_NONE);
        lines->seen += lines->message.payment.content_digest;
        at += lines->sizes[index] + 1;
    }
}

static void work_parse(struct lines *lines)
{
    parse_each(lines, false);
}

static void work_full(struct lines *lines)
{
    parse_each(lines, true);
}

static void work_lines(struct lines *lines)
{
    const char *at = lines->text;
    const char *end = at + lines->size;

    while (at < end) {
        at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
        lines->seen++;
    }
}

static void work_copy(struct lines *lines)
{
    memcpy(lines->copy, lines->text, lines->size);
    lines->seen += (uint8_t)lines->copy[lines->size / 2];
}

#ifdef HAVE_JSON_C
static void work_json_c(struct lines *lines)
{
    struct json_tokener *tokener = json_tokener_new();
    const char *at = lines->text;

    for (size_t index = 0; index < lines->count; index++) {
        json_tokener_reset(tokener);
        struct json_object *object = json_tokener_parse_ex(tokener, at, (int)lines->sizes[index]);
        must(object != NULL);
        lines->seen += (uint64_t)json_object_object_length(object);
        json_object_put(object);
        at += lines->sizes[index] + 1;
    }
    json_tokener_free(tokener);
}
#endif

static const struct {
    const char *name;
    void (*work)(struct lines *lines);
    size_t share; /* Of the messages of a run: the slow ones do fewer. */
} works[] = {
    {"parse", work_parse, 1},   {"full", work_full, 1},
#ifdef HAVE_JSON_C
    {"json-c", work_json_c, 8},
#endif
    {"lines", work_lines, 1},   {"copy", work_copy, 1},
};

/* ns a message: the median of the runs, and the least. */
static double measure_work(struct lines *lines, size_t which, size_t runs, double *ret_least)
{
    double figures[MEASURE_RUNS_MAX];
    size_t turns = FEW_A_RUN / works[which].share / lines->count;

    turns = turns == 0 ? 1 : turns;
    works[which].work(lines);
    for (size_t run = 0; run < runs; run++) {
        int64_t start = measure_wall_ns();
        for (size_t turn = 0; turn < turns; turn++) {
            works[which].work(lines);
        }
        figures[run] = (double)(measure_wall_ns() - start) / (double)(turns * lines->count);
    }
    double median = measure_median(figures, runs);
    *ret_least = figures[0];
    return median;
}

static void measure_lines(const char *shape, size_t (*write)(const struct minted *minted, char *to),
                          size_t count, size_t runs)
{
    struct lines lines;

    lines_make(&lines, count, write);
    printf("%s, %s: %zu messages of %zu bytes, %zu runs, ns a message: median, least\n", shape,
           count == FEW ? "in L2" : "from memory", count, lines.size / count, runs);
    for (size_t which = 0; which < sizeof(works) / sizeof(works[0]); which++) {
        double least;
        double ns = measure_work(&lines, which, runs, &least);
        printf("  %-8s %8.1f %8.1f   %6.2f M/s\n", works[which].name, ns, least, 1000 / ns);
    }
    must(lines.seen > 0);
    lines_free(&lines);
}

int main(int argc, char **argv)
{
    size_t runs = RUNS;

    if (argc == 3 && strcmp(argv[1], "--runs") == 0) {
        runs = (size_t)strtoul(argv[2], NULL, 10);
    }
    if (argc != 1 && (argc != 3 || runs == 0 || runs > MEASURE_RUNS_MAX)) {
        (void)fprintf(stderr, "usage: bench_parse [--runs 1..%d]\n", MEASURE_RUNS_MAX);
        return 2;
    }
    measure_lines("simulate", minted_write, FEW, runs);
    measure_lines("plain", plain_write, FEW, runs);
    measure_lines("simulate", minted_write, MANY, runs / 8 + 1);
    measure_lines("plain", plain_write, MANY, runs / 8 + 1);
    return 0;
}
