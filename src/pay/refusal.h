/*
 * refusal: why a message is not a payment. A closed list; the sentence is made from it.
 */
#ifndef PAY_REFUSAL_H
#define PAY_REFUSAL_H

#include "base/base.h"

/* X(enum, code, name (a label), sentence). The numbers are in the journal: only add. */
#define REFUSALS(X)                                                                                \
    X(REFUSAL_NONE, "P100", "none", "understood")                                                  \
    X(REFUSAL_MISSING, "P101", "missing", "a required field is missing or null")                   \
    X(REFUSAL_TYPE, "P102", "wrong_type", "the field has the wrong JSON type")                     \
    X(REFUSAL_AMOUNT, "P103", "amount", "not a plain decimal number")                              \
    X(REFUSAL_AMOUNT_RANGE, "P104", "amount_range", "the amount is not above 0")                   \
    X(REFUSAL_AMOUNT_SIZE, "P105", "amount_size", "more digits than an exact amount holds")        \
    X(REFUSAL_CURRENCY, "P106", "currency", "not three capital letters")                           \
    X(REFUSAL_TIME, "P107", "event_time",                                                          \
      "not a time of the years 2000 to 2100, or without a zone")                                   \
    X(REFUSAL_ID, "P108", "identifier", "an id is a text of 1 to 128 bytes, and no card number")   \
    X(REFUSAL_TEXT_SIZE, "P109", "text_size", "the text is longer than its limit")                 \
    X(REFUSAL_UNKNOWN_FIELD, "P110", "unknown_field", "a field that is not configured")            \
    X(REFUSAL_JSON, "P120", "json", "not JSON")                                                    \
    X(REFUSAL_EMPTY, "P121", "empty", "the message is empty")                                      \
    X(REFUSAL_SIZE, "P122", "message_size", "the message is larger than 64 KiB")                   \
    X(REFUSAL_DEPTH, "P123", "depth", "nested deeper than 16")                                     \
    X(REFUSAL_KEYS, "P124", "keys", "an object with more than 64 keys")                            \
    X(REFUSAL_DUPLICATE_KEY, "P125", "duplicate_key", "the same key twice in one object")          \
    X(REFUSAL_UTF8, "P126", "utf8", "not valid UTF-8")                                             \
    X(REFUSAL_TRAILING, "P127", "trailing_bytes", "bytes after the end of the JSON value")         \
    X(REFUSAL_NOT_OBJECT, "P128", "not_an_object", "the JSON value is not an object")              \
    X(REFUSAL_FRAMING, "P129", "framing",                                                          \
      "a framing byte before the value (schema registry): plain JSON is expected")

#define REFUSAL_ENUM(name, code, label, sentence) name,
enum refusal_reason { REFUSALS(REFUSAL_ENUM) REFUSAL_COUNT };
#undef REFUSAL_ENUM

struct refusal {
    enum refusal_reason reason;
    uint32_t position; /* Byte in the message where it was noticed, from 0. */
    const char *field; /* Our name of the field at fault, static or lent; NULL: none. */
};

const char *refusal_code(enum refusal_reason reason);
const char *refusal_label(enum refusal_reason reason);
const char *refusal_sentence(enum refusal_reason reason);

#endif
