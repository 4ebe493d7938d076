/*
 * fields: what the values of a message become.
 *
 * Whoever read the message (json.h, layout.h) hands over where each of the parser's names stood.
 */
#ifndef PARSE_FIELDS_H
#define PARSE_FIELDS_H

#include "parse/parse.h"

/* Fill message->selected, ->refusal and ->payment, all of which are clear. False: refused. */
MUST_USE bool fields_fill(const struct parser *parser, const struct found *found,
                          struct message *message, struct parse_scratch *scratch);

/* payment.only: is the text one of its values? No zero byte is in it. */
bool field_selects(const struct parse_names *values, struct span text);

/* How a fault names this field: "transaction_id" ... */
const char *field_name(enum parse_field field);

#endif
