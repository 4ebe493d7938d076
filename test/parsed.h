/*
 * parsed: one message through the parser, for tests.
 *
 * Texts are written with ' for ", so that one can read them; parsed_text puts the quotes in. The
 * message stands alone in memory of its size, so that a sanitizer sees a byte read beyond it.
 */
#ifndef TEST_PARSED_H
#define TEST_PARSED_H

#include "parse/parse.h"
#include "test/unit.h"

#include <stdlib.h>

struct parsed {
    struct parse_settings settings;
    struct parser parser;
    struct parse_scratch scratch;
    struct message message;
    char *raw;
};

static inline void parsed_settings(struct parsed *parsed)
{
    parser_init(&parsed->parser, &parsed->settings);
}

static inline void parsed_init(struct parsed *parsed)
{
    memset(parsed, 0, sizeof(*parsed));
    parse_settings_default(&parsed->settings);
    parsed->settings.key = (struct siphash_key){1, 2};
    parsed->scratch.at = malloc(PARSE_SCRATCH_MAX);
    parsed->scratch.size = PARSE_SCRATCH_MAX;
    assert_non_null(parsed->scratch.at);
    parsed_settings(parsed);
}

static inline void parsed_close(struct parsed *parsed)
{
    free(parsed->scratch.at);
    free(parsed->raw);
}

static inline void parsed_bytes(struct parsed *parsed, const void *bytes, size_t size)
{
    free(parsed->raw);
    parsed->raw = malloc(size > 0 ? size : 1);
    assert_non_null(parsed->raw);
    memcpy(parsed->raw, bytes, size);
    parsed->message.raw = (struct span){parsed->raw, size};
    parsed->message.size = (uint32_t)size;
    parsed->scratch.used = 0;
    parse_message(&parsed->parser, &parsed->message, &parsed->scratch);
}

static inline void parsed_text(struct parsed *parsed, const char *text)
{
    static char quoted[2 * MESSAGE_SIZE_MAX];
    size_t size = strlen(text);

    assert_true(size < sizeof(quoted));
    for (size_t index = 0; index < size; index++) {
        quoted[index] = text[index] == '\'' ? '"' : text[index];
    }
    parsed_bytes(parsed, quoted, size);
}

/* A whole payment but for `more`, which takes the place of its members of the same kind. */
#define PARSED_ID "'transaction_id':'tx-1'"
#define PARSED_TIME ",'timestamp':1772000000123"
#define PARSED_SENDER ",'sender':'ACC_1'"
#define PARSED_RECEIVER ",'receiver':'ACC_2'"
#define PARSED_AMOUNT ",'amount':10.50"
#define PARSED_CURRENCY ",'currency':'USD'"
#define PARSED_ACCOUNTS PARSED_SENDER PARSED_RECEIVER
#define PARSED_MONEY PARSED_AMOUNT PARSED_CURRENCY
#define PARSED_ALL PARSED_ID PARSED_TIME PARSED_ACCOUNTS PARSED_MONEY

#define assert_refused(parsed, wanted, at)                                                         \
    do {                                                                                           \
        assert_string_equal(refusal_label((parsed)->message.refusal.reason),                       \
                            refusal_label(wanted));                                                \
        assert_int_equal((parsed)->message.refusal.position, (at));                                \
    } while (0)

#define assert_text(span, wanted)                                                                  \
    do {                                                                                           \
        assert_non_null((span).at);                                                                \
        assert_int_equal((span).size, strlen(wanted));                                             \
        assert_memory_equal((span).at, (wanted), (span).size);                                     \
    } while (0)

#endif
