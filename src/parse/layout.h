/*
 * layout: does this message look like the last one?
 *
 * Producers write one shape over and over: the same keys in the same order with the same blanks,
 * and only the values differ. A layout remembers all bytes of a good message that are not a
 * value. A value of the next message begins where these bytes end, and ends so far before the next
 * quote as it did there. If then all bytes between its values are the same, its strings plain
 * (ASCII, no escape) and its numbers JSON numbers, the full reader (json.h) would find exactly
 * these values, and need not be asked. In every other case it is: a layout never refuses anything.
 *
 * Messages with an array or an object among the values, smaller or larger than the limits below, or
 * with more than LAYOUT_BETWEEN_MAX bytes between two values are not remembered.
 */
#ifndef PARSE_LAYOUT_H
#define PARSE_LAYOUT_H

#include "parse/json.h"

#include <string.h>

enum {
    LAYOUT_MESSAGE_MIN = 64, /* Bytes. */
    LAYOUT_MESSAGE_MAX = 2048,
    LAYOUT_BETWEEN_MAX = 80, /* Bytes between two values: a long key and some blanks; */
    LAYOUT_STEP = 32,        /* up to so many are compared at once. */
    LAYOUT_NAMES_MAX = 96,   /* At least PARSER_NAMES_MAX. */
};

/* The members of a message that was read. Lent. */
struct found {
    const struct json_value *values; /* In the order of the message. */
    size_t count;
    const uint8_t *place;      /* Of each of the parser's names: 1 + its value's index, or 0. */
    uint32_t end;              /* Position of the closing brace. */
    bool unknown;              /* A key is none of the names; */
    uint32_t unknown_position; /* where the first such key is. */
};

struct layout_value {
    uint8_t before[LAYOUT_BETWEEN_MAX]; /* The bytes between the value before and this one, */
    uint8_t mask[LAYOUT_STEP];          /* and 0xff for each of the first of them. */
    uint8_t before_size;
    uint8_t kind;        /* An enum json_kind. */
    bool easy;           /* A string with no more before it than is compared at once. */
    uint8_t until_quote; /* Bytes from its end to the next quote, or to the message's end. */
};

struct layout {
    const void *owner; /* Whose names `place` is for; NULL: nothing is remembered. */
    uint32_t value_count;
    uint8_t behind_size; /* Bytes behind the last value; */
    uint8_t closing;     /* of them from the closing brace on. */
    uint8_t behind[LAYOUT_BETWEEN_MAX];
    uint8_t place[LAYOUT_NAMES_MAX];
    struct layout_value values[JSON_KEYS_MAX];
};

/* A bit for each byte of a message that is a quote, and one more for its end. */
struct quotes {
    uint64_t words[LAYOUT_MESSAGE_MAX / 64 + 2];
};

/*
 * Find them. False: a byte is not plain (a backslash, a control byte, not ASCII), or the message
 * is not of a size between the limits. wide: by AVX2, which the machine must have; the answer is
 * the same.
 */
MUST_USE bool quotes_find(struct span raw, bool wide, struct quotes *ret_quotes);

/* Does the machine have what quotes_find needs for wide? */
bool quotes_wide(void);

/* Where the first quote at or behind `from` is, or the message's end. from: within the message. */
static inline size_t quotes_next(const struct quotes *quotes, size_t from)
{
    uint64_t bits;

    memcpy(&bits, (const uint8_t *)quotes->words + from / 8, sizeof(bits));
    bits >>= from % 8;
    if (__builtin_expect(bits != 0, true)) {
        return from + (size_t)__builtin_ctzll(bits);
    }
    size_t word = from / 64 + 1;
    while (quotes->words[word] == 0) {
        word++;
    }
    return word * 64 + (size_t)__builtin_ctzll(quotes->words[word]);
}

/*
 * The members of this message, if it looks like the one remembered. ret_found lends values and
 * the layout's place; it knows of no unknown key.
 */
MUST_USE bool layout_match(const struct layout *layout, struct span raw, bool wide,
                           struct json_value values[JSON_KEYS_MAX], struct found *ret_found);

/*
 * Remember a message the full reader has taken. The caller sees to it that nobody will ask for
 * its unknown keys. Forgets what it had if this one cannot be remembered.
 */
void layout_learn(struct layout *layout, const void *owner, struct span raw,
                  const struct found *found, size_t name_count);

#endif
