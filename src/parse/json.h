/*
 * json: walk through a JSON text without copying it.
 *
 * RFC 8259, and stricter where two readers of one text could disagree: no key twice in one
 * object (compared after their escapes are undone), strict UTF-8 (no overlong form, no
 * surrogate, no lone \uD800), no byte order mark, nothing behind the value. Depth and keys have
 * the limits below. A zero byte as it is is refused, as JSON asks; \u0000 is for the caller, who
 * knows which texts are kept.
 *
 * A text is validated whole, also where nobody wants the value. The first thing wrong ends the
 * walk: its reason and its byte, from 0. Where the text ends too early that is its size.
 */
#ifndef PARSE_JSON_H
#define PARSE_JSON_H

#include "pay/refusal.h"

enum {
    JSON_DEPTH_MAX = 16,
    JSON_KEYS_MAX = 64, /* In one object. */
};

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_value {
    uint8_t kind;     /* An enum json_kind. */
    bool escaped;     /* JSON_STRING: a backslash is in it. */
    struct span text; /* As it stands in the message; a string without its quotes. Lent. */
};

/* The byte of the message where the value begins; of a string, its opening quote. */
static inline uint32_t json_position(struct span message, const struct json_value *value)
{
    size_t before = (size_t)((const char *)value->text.at - (const char *)message.at);

    return (uint32_t)(before - (value->kind == JSON_STRING));
}

/* The keys of an open object are on top of the stack below. */
struct json_object {
    size_t key_first;
    size_t key_count;
};

struct json {
    const uint8_t *text; /* Lent. */
    size_t size;
    size_t at;
    uint8_t *room; /* Lent: size bytes, for keys whose escapes are undone. */
    unsigned depth;
    enum refusal_reason reason; /* REFUSAL_NONE: nothing wrong so far. */
    size_t position;
    size_t key_position; /* Of the latest key's opening quote. */
    size_t key_count;
    uint64_t tags[JSON_DEPTH_MAX * JSON_KEYS_MAX]; /* Differ: the keys do, too. */
    struct span keys[JSON_DEPTH_MAX * JSON_KEYS_MAX];
};

enum json_step {
    JSON_MEMBER,
    JSON_END,
    JSON_WRONG, /* json->reason and json->position say what and where. */
};

void json_init(struct json *json, struct span text, uint8_t *room);

/* The whole text must be one object: go to its first key. False: reason and position. */
MUST_USE bool json_open(struct json *json, struct json_object *ret_object);

/*
 * The next key (its escapes undone) and value. JSON_END: json->at is behind the object's brace.
 * A key that stands there twice is in ret_key when that is what was wrong, with json->depth 1.
 */
MUST_USE enum json_step json_next(struct json *json, struct json_object *object,
                                  struct span *ret_key, struct json_value *ret_value);

/* Behind the object: nothing but blanks. */
MUST_USE bool json_close(struct json *json);

/* How many bytes at `at` make a number; 0: none stands there. What follows is not looked at. */
size_t json_number_size(const uint8_t *at, size_t size);

#endif
