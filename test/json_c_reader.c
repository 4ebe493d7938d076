#include "test/json_c_reader.h"

#include <json-c/json.h>

#include <string.h>

enum { DEPTH = 64 };

void *json_c_read(const char *text, size_t size)
{
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
    struct json_object *object;

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    object = json_tokener_parse_ex(tokener, text, (int)size);
    if (json_tokener_get_error(tokener) != json_tokener_success ||
        json_tokener_get_parse_end(tokener) != size) {
        json_object_put(object);
        object = NULL;
    }
    json_tokener_free(tokener);
    return object;
}

void json_c_free(void *value)
{
    json_object_put(value);
}

enum json_c_kind json_c_kind(void *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        return JSON_C_NULL;
    case json_type_boolean:
        return JSON_C_BOOLEAN;
    case json_type_double:
    case json_type_int:
        return JSON_C_NUMBER;
    case json_type_string:
        return JSON_C_STRING;
    case json_type_array:
        return JSON_C_ARRAY;
    case json_type_object:
        break;
    }
    return JSON_C_OBJECT;
}

size_t json_c_member_count(void *object)
{
    return (size_t)json_object_object_length(object);
}

bool json_c_member(void *object, const char *key, void **ret_member)
{
    return json_object_object_get_ex(object, key, (struct json_object **)ret_member) != 0;
}

const char *json_c_text(void *value, size_t *ret_size)
{
    const char *text = json_object_get_string(value);

    *ret_size = json_object_is_type(value, json_type_string)
                    ? (size_t)json_object_get_string_len(value)
                    : strlen(text);
    return text;
}
