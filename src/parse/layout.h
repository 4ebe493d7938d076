/*
 * layout: does this message look like one before?
 *
 * Producers write one shape over and over: the same keys in the same order with the same blanks,
 * and only the values differ. A layout remembers all bytes of a good message that are not a value,
 * and how far each value is from the ends of the keys around it (marks.h). If all these bytes are
 * the same in the next message, there are as many quotes, its values are plain (ASCII, no escape)
 * and those that are no strings are such values, then the full reader (json.h) would find exactly
 * these values, and need not be asked. In every other case it is: a layout never refuses anything.
 *
 * Not remembered are messages with an array or an object among the values, with a blank between a
 * key and its colon, smaller or larger than marks.h allows, with more than LAYOUT_BETWEEN_MAX
 * bytes between two values, or with too many long keys.
 */
#ifndef PARSE_LAYOUT_H
#define PARSE_LAYOUT_H

#include "parse/marks.h"

enum {
    LAYOUT_BETWEEN_MAX = 80, /* Bytes between two values: a long key and some blanks; */
    LAYOUT_STEP = 32,        /* the last so many are compared at once, */
    LAYOUT_MORE_MAX = 256,   /* and of those before them there are so many in all. */
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

/* Bytes to compare in one step: those that are not set in mask are a value's. */
struct layout_step {
    uint8_t bytes[LAYOUT_STEP];
    uint8_t mask[LAYOUT_STEP];
};

/* A value and the bytes before it. */
struct layout_value {
    uint16_t more;       /* Where those that its step does not hold are in layout->more, */
    uint8_t more_size;   /* and how many. */
    uint8_t before_size; /* Those that it holds, at its end. */
    uint8_t kind;        /* An enum json_kind. */
};

struct layout {
    uint32_t value_count;
    uint32_t quotes;
    int16_t mark;    /* The first one. */
    uint8_t closing; /* Bytes from the closing brace on. */
    uint8_t place[LAYOUT_NAMES_MAX];
    uint16_t more_size;
    uint8_t more[LAYOUT_MORE_MAX];
    int16_t from[JSON_KEYS_MAX]; /* From a key's colon to the value; */
    int16_t back[JSON_KEYS_MAX]; /* from the value's end to the next key's, or the message's end. */
    struct layout_value values[JSON_KEYS_MAX + 1]; /* At the end: what stands behind them. */
    struct layout_step steps[JSON_KEYS_MAX + 1];
    struct layout_step first; /* The message's beginning, instead of the first of steps. */
};

/* Where the values stand in the message; a string's without its quotes. */
struct layout_texts {
    uint16_t start[JSON_KEYS_MAX];
    uint16_t size[JSON_KEYS_MAX];
};

static inline struct span layout_text(const struct layout_texts *texts, const void *message,
                                      size_t value)
{
    return (struct span){(const char *)message + texts->start[value], texts->size[value]};
}

/*
 * Is everything the same that is not a value? Then ret_texts has the values. Strings are; of the
 * others layout_value_whole must be asked.
 */
MUST_USE bool layout_match(const struct layout *layout, struct span raw, const struct marks *marks,
                           bool wide, struct layout_texts *ret_texts);

/* Do these bytes make such a value? Of a string's nothing is left to ask. */
MUST_USE bool layout_value_whole(enum json_kind kind, const uint8_t *at, size_t size);

/*
 * The members of a message that matched. ret_found lends values and the layout's place; it knows
 * of no unknown key. False: a value is not whole.
 */
MUST_USE bool layout_values(const struct layout *layout, struct span raw,
                            const struct layout_texts *texts,
                            struct json_value values[JSON_KEYS_MAX], struct found *ret_found);

/*
 * Remember a message the full reader has taken. The caller sees to it that nobody will ask for
 * its unknown keys. False: it is not remembered, and what was before is gone.
 */
MUST_USE bool layout_learn(struct layout *layout, struct span raw, const struct marks *marks,
                           const struct found *found, size_t name_count);

#endif
