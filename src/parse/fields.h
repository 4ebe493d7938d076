/*
 * fields: what the values of a message become.
 *
 * Whoever walked through the message (json.h) hands over where each of the parser's names stood.
 */
#ifndef PARSE_FIELDS_H
#define PARSE_FIELDS_H

#include "parse/parse.h"

/* The object's members, as far as they have one of the parser's names. Lent. */
struct found {
    const uint8_t *place; /* Of each name: 1 + its place in values, or 0: not there. */
    const struct json_value *values;
    uint32_t end;              /* Position of the closing brace. */
    bool unknown;              /* A key is none of the names; */
    uint32_t unknown_position; /* where the first such key is. */
};

/* Fill message->selected, ->refusal and ->payment. */
void fields_fill(const struct parser *parser, const struct found *found, struct message *message,
                 struct parse_scratch *scratch);

/* How a fault names this field: "transaction_id" ... */
const char *field_name(enum parse_field field);

#endif
