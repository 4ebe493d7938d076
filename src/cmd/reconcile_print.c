#include "cmd/reconcile.h"

#include "base/instant.h"
#include "base/plural.h"
#include "cmd/json_line.h"
#include "cmd/quantity.h"
#include "cmd/say.h"

#include <inttypes.h>
#include <string.h>

static uint64_t set_aside(const struct reconcile_report *report)
{
    return report->counts[CONFLICT] + report->counts[LATE] + report->counts[FUTURE] +
           report->counts[INVALID];
}

static void print_findings(const struct reconcile_report *report, size_t list_max, FILE *stream)
{
    for (size_t kind = 0; kind < RECONCILE_KINDS; kind++) {
        char count[QUANTITY_TEXT_SIZE];
        if (report->found[kind] == 0) {
            continue;
        }
        quantity_say(QUANTITY_COUNT, (int64_t)report->found[kind], count);
        (void)fprintf(stream, "%s  %s %s\n", reconcile_kind_name((enum reconcile_kind)kind), count,
                      reconcile_kind_what((enum reconcile_kind)kind, report->found[kind]));
        for (size_t index = 0; index < report->told[kind]; index++) {
            const char *text = report->findings[kind * list_max + index].text;
            (void)fputs("    ", stream);
            (void)say_text(stream, (struct span){text, strlen(text)}, SIZE_MAX);
            (void)fputc('\n', stream);
        }
        if (report->found[kind] > report->told[kind]) {
            quantity_say(QUANTITY_COUNT, (int64_t)(report->found[kind] - report->told[kind]),
                         count);
            (void)fprintf(stream, "    and %s more (--max-list)\n", count);
        }
        (void)fputc('\n', stream);
    }
}

static bool sum_is_empty(const struct reconcile_sum *sum)
{
    uint64_t count = sum->sent + sum->sent_aside;

    for (size_t verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        count += sum->counts[verdict];
    }
    return count == 0;
}

static void print_sums(const struct reconcile_report *report, bool expected, FILE *stream)
{
    (void)fprintf(stream, "currency      accepted                  sum%s\n",
                  expected ? "          sent                  sum" : "");
    for (size_t index = 0; index + 1 < RECONCILE_CURRENCIES; index++) {
        const struct reconcile_sum *sum = &report->sums[index];
        char currency[4];
        char count[QUANTITY_TEXT_SIZE];
        char money[MONEY_SUM_TEXT_SIZE];
        if (sum_is_empty(sum)) {
            continue;
        }
        reconcile_currency(index, currency);
        quantity_say(QUANTITY_COUNT, (int64_t)sum->counts[ACCEPTED], count);
        (void)money_sum_write(sum->sums[ACCEPTED], (int)sum->places, money);
        (void)fprintf(stream, "%-8s  %12s %20s", currency, count, money);
        if (expected) {
            quantity_say(QUANTITY_COUNT, (int64_t)sum->sent, count);
            (void)money_sum_write(sum->sent_sum, (int)sum->places, money);
            (void)fprintf(stream, "  %12s %20s", count, money);
        }
        (void)fputc('\n', stream);
    }
    (void)fputc('\n', stream);
}

/* In how many currencies was something sent, and in how many do the sums agree? */
static void count_currencies(const struct reconcile_report *report, unsigned *ret_all,
                             unsigned *ret_equal)
{
    *ret_all = 0;
    *ret_equal = 0;
    for (size_t index = 0; index < RECONCILE_CURRENCIES; index++) {
        const struct reconcile_sum *sum = &report->sums[index];
        if (sum->sent + sum->sent_aside + sum->counts[ACCEPTED] > 0) {
            *ret_all += 1;
            *ret_equal += sum->sent == sum->counts[ACCEPTED] &&
                                  sum->sent_sum.billionths == sum->sums[ACCEPTED].billionths
                              ? 1
                              : 0;
        }
    }
}

static void print_provisional(const struct reconcile_report *report, FILE *stream)
{
    char watermark[INSTANT_TEXT_SIZE] = "nowhere yet";
    char newest[INSTANT_TEXT_SIZE];

    if (report->newest_accepted_ms == INSTANT_NONE ||
        (report->watermark_ms != INSTANT_NONE &&
         report->watermark_ms >= report->newest_accepted_ms)) {
        return;
    }
    if (report->watermark_ms != INSTANT_NONE) {
        instant_write(report->watermark_ms, watermark);
    }
    instant_write(report->newest_accepted_ms, newest);
    (void)fprintf(stream,
                  "provisional  the watermark is at %s, the newest payment at %s: more may still "
                  "come in between\n",
                  watermark, newest);
}

/* What nobody has read and nobody will: no sum can hold it. */
static void print_gap(const struct reconcile_report *report, FILE *stream)
{
    char text[QUANTITY_TEXT_SIZE];

    if (report->counts[TALLY_COUNT] > 0) {
        quantity_say(QUANTITY_COUNT, (int64_t)report->counts[TALLY_COUNT], text);
        (void)fprintf(stream,
                      "gap          %s offset%s acknowledged as lost; who decided so, and why, "
                      "stands in payonce_decision\n",
                      text, report->counts[TALLY_COUNT] == 1 ? " is" : "s are");
    }
}

static void print_truth_verdict(const struct reconcile_report *report, FILE *stream)
{
    char texts[6][QUANTITY_TEXT_SIZE];
    unsigned all;
    unsigned equal;
    uint64_t wrong = report->found[RECONCILE_AMOUNT] + report->found[RECONCILE_VERDICT];
    bool whole = report->truth_rows == report->truth_accepted + report->truth_aside;

    count_currencies(report, &all, &equal);
    quantity_say(QUANTITY_COUNT, (int64_t)report->truth_rows, texts[0]);
    quantity_say(QUANTITY_COUNT, (int64_t)report->truth_accepted, texts[1]);
    quantity_say(QUANTITY_COUNT, (int64_t)report->truth_aside, texts[2]);
    quantity_say(QUANTITY_COUNT, (int64_t)report->found[RECONCILE_MISSING], texts[3]);
    quantity_say(QUANTITY_COUNT, (int64_t)report->found[RECONCILE_EXTRA], texts[4]);
    quantity_say(QUANTITY_COUNT, (int64_t)wrong, texts[5]);
    (void)fprintf(stream,
                  "%s sent %s %s %sin the table + %s set aside; sums equal in %u of %u %s; ",
                  texts[0], whole ? "=" : "against", texts[1], whole ? "" : "found right ",
                  texts[2], equal, all, all == 1 ? "currency" : "currencies");
    (void)fprintf(stream, "%s missing, %s extra, %s wrong amount%s\n", texts[3], texts[4], texts[5],
                  plural(wrong));
}

void reconcile_print_verdict(const struct reconcile_report *report, bool expected, FILE *stream)
{
    char texts[5][QUANTITY_TEXT_SIZE];
    uint64_t wrong = 0;

    (void)fputs(reconcile_good(report) ? "RECONCILED   " : "NOT RECONCILED   ", stream);
    if (expected) {
        print_truth_verdict(report, stream);
        return;
    }
    for (size_t kind = 0; kind < RECONCILE_KINDS; kind++) {
        wrong += report->found[kind];
    }
    uint64_t aside = set_aside(report);
    uint64_t rows = report->counts[ACCEPTED] + report->counts[DUPLICATE] + aside;
    quantity_say(QUANTITY_COUNT, (int64_t)rows, texts[0]);
    quantity_say(QUANTITY_COUNT, (int64_t)report->counts[ACCEPTED], texts[1]);
    quantity_say(QUANTITY_COUNT, (int64_t)report->counts[DUPLICATE], texts[2]);
    quantity_say(QUANTITY_COUNT, (int64_t)aside, texts[3]);
    quantity_say(QUANTITY_COUNT, (int64_t)wrong, texts[4]);
    (void)fprintf(stream, "%s row%s = %s accepted + %s duplicate%s + %s set aside; ", texts[0],
                  plural(rows), texts[1], texts[2], plural(report->counts[DUPLICATE]), texts[3]);
    if (wrong == 0) {
        (void)fprintf(stream, "rows, totals, windows and epochs agree, no id twice\n");
    } else {
        (void)fprintf(stream, "%s contradiction%s\n", texts[4], plural(wrong));
    }
}

void reconcile_print(const struct reconcile_report *report, size_t list_max, bool expected,
                     bool quiet, FILE *stream)
{
    print_findings(report, list_max, stream);
    if (!quiet) {
        print_sums(report, expected, stream);
        print_provisional(report, stream);
        print_gap(report, stream);
    }
    reconcile_print_verdict(report, expected, stream);
}

static void print_json_sums(const struct reconcile_report *report, bool expected, FILE *stream)
{
    bool first = true;

    (void)fputc('[', stream);
    for (size_t index = 0; index + 1 < RECONCILE_CURRENCIES; index++) {
        const struct reconcile_sum *sum = &report->sums[index];
        struct json_line object;
        char currency[4];
        char money[MONEY_SUM_TEXT_SIZE];
        if (sum_is_empty(sum)) {
            continue;
        }
        reconcile_currency(index, currency);
        (void)money_sum_write(sum->sums[ACCEPTED], (int)sum->places, money);
        (void)fputs(first ? "" : ",", stream);
        first = false;
        json_line_start(&object, stream);
        json_line_text(&object, "currency", currency);
        json_line_number(&object, "accepted", sum->counts[ACCEPTED]);
        json_line_text(&object, "sum", money);
        (void)money_sum_write(sum->sums[DUPLICATE], (int)sum->places, money);
        json_line_number(&object, "duplicates", sum->counts[DUPLICATE]);
        json_line_text(&object, "duplicates_sum", money);
        if (expected) {
            (void)money_sum_write(sum->sent_sum, (int)sum->places, money);
            json_line_number(&object, "sent", sum->sent);
            json_line_text(&object, "sent_sum", money);
        }
        json_line_close(&object);
    }
    (void)fputc(']', stream);
}

static void print_json_findings(const struct reconcile_report *report, size_t list_max,
                                FILE *stream)
{
    bool first = true;

    (void)fputc('[', stream);
    for (size_t kind = 0; kind < RECONCILE_KINDS; kind++) {
        for (size_t index = 0; index < report->told[kind]; index++) {
            struct json_line object;
            (void)fputs(first ? "" : ",", stream);
            first = false;
            json_line_start(&object, stream);
            json_line_text(&object, "kind", reconcile_kind_name((enum reconcile_kind)kind));
            json_line_text(&object, "text", report->findings[kind * list_max + index].text);
            json_line_close(&object);
        }
    }
    (void)fputc(']', stream);
}

void reconcile_print_json(const struct reconcile_report *report, size_t list_max, bool expected,
                          FILE *stream)
{
    struct json_line object;
    char time[INSTANT_TEXT_SIZE];

    json_line_start(&object, stream);
    json_line_bool(&object, "reconciled", reconcile_good(report));
    json_line_number(&object, "epoch", report->epoch);
    if (report->watermark_ms != INSTANT_NONE) {
        instant_write(report->watermark_ms, time);
        json_line_text(&object, "watermark", time);
    }
    for (size_t verdict = 0; verdict < TALLY_COUNT; verdict++) {
        json_line_number(&object, verdict_name((enum verdict)verdict), report->counts[verdict]);
    }
    json_line_number(&object, "gap", report->counts[TALLY_COUNT]);
    if (expected) {
        json_line_number(&object, "sent", report->truth_rows);
        json_line_number(&object, "sent_accepted", report->truth_accepted);
        json_line_number(&object, "sent_set_aside", report->truth_aside);
    }
    json_line_key(&object, "found");
    struct json_line found;
    json_line_start(&found, stream);
    for (size_t kind = 0; kind < RECONCILE_KINDS; kind++) {
        json_line_number(&found, reconcile_kind_name((enum reconcile_kind)kind),
                         report->found[kind]);
    }
    json_line_close(&found);
    json_line_key(&object, "sums");
    print_json_sums(report, expected, stream);
    json_line_key(&object, "findings");
    print_json_findings(report, list_max, stream);
    json_line_end(&object);
}
