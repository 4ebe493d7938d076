/*
 * json_c_reader: json-c behind a few words, since it and src/parse use the same names.
 */
#ifndef TEST_JSON_C_READER_H
#define TEST_JSON_C_READER_H

#include <stdbool.h>
#include <stddef.h>

enum json_c_kind {
    JSON_C_NULL,
    JSON_C_BOOLEAN,
    JSON_C_NUMBER,
    JSON_C_STRING,
    JSON_C_ARRAY,
    JSON_C_OBJECT
};

/* Strict, UTF-8 validated, deep enough. NULL: refused. Otherwise json_c_free it. */
void *json_c_read(const char *text, size_t size);
void json_c_free(void *value);

enum json_c_kind json_c_kind(void *value);
size_t json_c_member_count(void *object);

/* False: no such key (zero-terminated). ret_member is lent and NULL for null. */
bool json_c_member(void *object, const char *key, void **ret_member);

/* The bytes of a string, or "true" and "false". Lent. */
const char *json_c_text(void *value, size_t *ret_size);

#endif
