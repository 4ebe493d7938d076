/*
 * amounts_tool: each line of standard input is the JSON text of an amount; for each one says
 * what a payment with it came to: the reason's name, units, scale, and the text as kept.
 * test/amounts.py holds it against Python's decimal.
 */
#include "parse/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_SIZE = 1024 };

int main(void)
{
    static struct parse_scratch scratch;
    static struct parser parser;
    static struct message message;
    struct parse_settings settings;
    char line[LINE_MAX_SIZE], text[2 * LINE_MAX_SIZE];

    parse_settings_default(&settings);
    parser_init(&parser, &settings);
    scratch.size = PARSE_SCRATCH_MAX;
    scratch.at = malloc(scratch.size);
    must(scratch.at != NULL);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        int size = snprintf(text, sizeof(text),
                            "{\"transaction_id\":\"t\",\"timestamp\":1772000000,\"sender\":\"a\","
                            "\"receiver\":\"b\",\"amount\":%s,\"currency\":\"USD\"}",
                            line);
        const struct payment *payment = &message.payment;
        message.raw = (struct span){text, (size_t)size};
        message.size = (uint32_t)size;
        scratch.used = 0;
        parse_message(&parser, &message, &scratch);
        printf("%s %lld %lld %.*s\n", refusal_label(message.refusal.reason),
               (long long)payment->amount.units, (long long)payment->amount.scale,
               (int)payment->amount_text.size, (const char *)payment->amount_text.at);
    }
    free(scratch.at);
    return 0;
}
