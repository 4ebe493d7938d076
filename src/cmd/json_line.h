/*
 * json_line: JSON for people's tools, one object on one line of a stream. Text from outside comes
 * out escaped: no control character, no byte that is not UTF-8 (each such byte becomes U+FFFD).
 */
#ifndef CMD_JSON_LINE_H
#define CMD_JSON_LINE_H

#include "base/base.h"

#include <stdio.h>

/* The text in its quotes. */
void json_line_quote(FILE *stream, struct span text);

/* One object on one line: start, members, end. */
struct json_line {
    FILE *stream;
    bool filled; /* A member was written: a comma is due. */
};

void json_line_start(struct json_line *object, FILE *stream);
void json_line_text(struct json_line *object, const char *key, const char *text);
void json_line_number(struct json_line *object, const char *key, uint64_t number);
void json_line_bool(struct json_line *object, const char *key, bool value);

/* The key and its colon: whatever is printed next is the value. */
void json_line_key(struct json_line *object, const char *key);
void json_line_close(struct json_line *object);
void json_line_end(struct json_line *object); /* And its line. */

#endif
