/*
 * json_write: JSON for people's tools, on a stream. Text from outside comes out escaped: no
 * control character, no byte that is not UTF-8 (each such byte becomes U+FFFD).
 */
#ifndef CMD_JSON_WRITE_H
#define CMD_JSON_WRITE_H

#include "base/base.h"

#include <stdio.h>

/* The text in its quotes. */
void json_write_text(FILE *stream, struct span text);

/* One object on one line: start, members, end. */
struct json_object {
    FILE *stream;
    bool filled; /* A member was written: a comma is due. */
};

void json_start(struct json_object *object, FILE *stream);
void json_text(struct json_object *object, const char *key, const char *text);
void json_number(struct json_object *object, const char *key, uint64_t number);
void json_bool(struct json_object *object, const char *key, bool value);

/* The key and its colon: whatever is printed next is the value. */
void json_key(struct json_object *object, const char *key);
void json_end(struct json_object *object);

#endif
