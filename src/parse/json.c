#include "parse/json.h"

#include "parse/json_text.h"

#include <string.h>

void json_init(struct json *json, struct span text, uint8_t *room)
{
    json->text = text.at;
    json->size = text.size;
    json->at = 0;
    json->room = room;
    json->depth = 0;
    json->reason = REFUSAL_NONE;
    json->position = 0;
    json->key_position = 0;
    json->key_count = 0;
}

static bool json_wrong(struct json *json, enum refusal_reason reason, size_t position)
{
    json->reason = reason;
    json->position = position;
    return false;
}

/* The byte that comes next, blanks skipped; 0 at the end, where no byte is right. */
static uint8_t json_peek(struct json *json)
{
    while (json->at < json->size) {
        uint8_t byte = json->text[json->at];
        if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r') {
            return byte;
        }
        json->at++;
    }
    return 0;
}

/* json->at: the opening quote. */
static bool json_string(struct json *json, struct json_value *ret_value)
{
    size_t start = json->at + 1;
    struct json_text text;

    if (!json_text_read(json->text, json->size, start, &text)) {
        return json_wrong(json, text.reason, text.end);
    }
    ret_value->kind = JSON_STRING;
    ret_value->escaped = text.escaped;
    ret_value->text = (struct span){json->text + start, text.end - start};
    json->at = text.end + 1;
    return true;
}

static size_t digits_size(const uint8_t *at, size_t size)
{
    size_t count = 0;

    while (count < size && at[count] >= '0' && at[count] <= '9') {
        count++;
    }
    return count;
}

/* The number's end if it is whole; else *ret_wrong is the byte that cannot stand there. */
static bool number_read(const uint8_t *at, size_t size, size_t *ret_end)
{
    size_t end = size > 0 && at[0] == '-' ? 1 : 0;
    size_t digits = digits_size(at + end, size - end);

    /* Behind a leading zero comes no digit: the number ends there, and the digit is wrong. */
    *ret_end = end + (digits > 1 && at[end] == '0' ? 1 : digits);
    if (digits == 0) {
        return false;
    }
    end = *ret_end;
    if (end < size && at[end] == '.') {
        digits = digits_size(at + end + 1, size - end - 1);
        *ret_end = end = end + 1 + digits;
        if (digits == 0) {
            return false;
        }
    }
    if (end < size && (at[end] == 'e' || at[end] == 'E')) {
        end++;
        end += end < size && (at[end] == '+' || at[end] == '-');
        digits = digits_size(at + end, size - end);
        *ret_end = end + digits;
        return digits > 0;
    }
    return true;
}

size_t json_number_size(const uint8_t *at, size_t size)
{
    size_t end;

    return number_read(at, size, &end) ? end : 0;
}

static bool json_number(struct json *json, struct json_value *ret_value)
{
    const uint8_t *at = json->text + json->at;
    size_t end;

    if (!number_read(at, json->size - json->at, &end)) {
        return json_wrong(json, REFUSAL_JSON, json->at + end);
    }
    ret_value->kind = JSON_NUMBER;
    ret_value->text = (struct span){at, end};
    json->at += end;
    return true;
}

static bool json_word(struct json *json, const char *word, enum json_kind kind,
                      struct json_value *ret_value)
{
    size_t start = json->at;

    for (; *word != '\0'; word++) {
        if (json->at == json->size || json->text[json->at] != (uint8_t)*word) {
            return json_wrong(json, REFUSAL_JSON, json->at);
        }
        json->at++;
    }
    ret_value->kind = (uint8_t)kind;
    ret_value->text = (struct span){json->text + start, json->at - start};
    return true;
}

static bool json_value(struct json *json, struct json_value *ret_value);

/* json->at: the opening bracket or brace. */
static bool json_enter(struct json *json)
{
    if (json->depth == JSON_DEPTH_MAX) {
        return json_wrong(json, REFUSAL_DEPTH, json->at);
    }
    json->depth++;
    json->at++;
    return true;
}

static bool json_array(struct json *json)
{
    struct json_value ignored;

    if (!json_enter(json)) {
        return false;
    }
    bool empty = json_peek(json) == ']';
    while (!empty) {
        if (!json_value(json, &ignored)) {
            return false;
        }
        uint8_t byte = json_peek(json);
        if (byte == ']') {
            break;
        }
        if (byte != ',') {
            return json_wrong(json, REFUSAL_JSON, json->at);
        }
        json->at++;
    }
    json->at++;
    json->depth--;
    return true;
}

static bool json_object(struct json *json)
{
    struct json_object object = {json->key_count, 0};
    struct span key;
    struct json_value ignored;
    enum json_step step;

    if (!json_enter(json)) {
        return false;
    }
    do {
        step = json_next(json, &object, &key, &ignored);
    } while (step == JSON_MEMBER);
    return step == JSON_END;
}

static bool json_value(struct json *json, struct json_value *ret_value)
{
    uint8_t byte = json_peek(json);
    size_t start = json->at;
    bool whole;

    ret_value->escaped = false;
    switch (byte) {
    case '"':
        return json_string(json, ret_value);
    case 't':
        return json_word(json, "true", JSON_TRUE, ret_value);
    case 'f':
        return json_word(json, "false", JSON_FALSE, ret_value);
    case 'n':
        return json_word(json, "null", JSON_NULL, ret_value);
    case '{':
    case '[':
        whole = byte == '{' ? json_object(json) : json_array(json);
        ret_value->kind = byte == '{' ? JSON_OBJECT : JSON_ARRAY;
        ret_value->text = (struct span){json->text + start, json->at - start};
        return whole;
    }
    return json_number(json, ret_value);
}

/* What two equal keys have in common, found without a look at all of their bytes. */
static uint64_t key_tag(struct span key)
{
    uint64_t head = 0, tail = 0;
    size_t size = key.size < sizeof(head) ? key.size : sizeof(head);

    memcpy(&head, key.at, size);
    memcpy(&tail, (const uint8_t *)key.at + key.size - size, size);
    return (head + tail * UINT64_C(0x9e3779b97f4a7c15)) ^ key.size;
}

/* Put the key on the stack. False: the object has it already. */
static bool json_key_add(struct json *json, struct json_object *object, struct span key)
{
    uint64_t tag = key_tag(key);

    for (size_t index = object->key_first; index < json->key_count; index++) {
        if (json->tags[index] == tag && json->keys[index].size == key.size &&
            memcmp(json->keys[index].at, key.at, key.size) == 0) {
            return json_wrong(json, REFUSAL_DUPLICATE_KEY, json->key_position);
        }
    }
    json->tags[json->key_count] = tag;
    json->keys[json->key_count++] = key;
    object->key_count++;
    return true;
}

/* json->at: where a key should begin. */
static bool json_key(struct json *json, struct json_object *object, struct span *ret_key)
{
    struct json_value value;

    if (json_peek(json) != '"') {
        return json_wrong(json, REFUSAL_JSON, json->at);
    }
    json->key_position = json->at;
    if (object->key_count == JSON_KEYS_MAX) {
        return json_wrong(json, REFUSAL_KEYS, json->at);
    }
    if (!json_string(json, &value)) {
        return false;
    }
    *ret_key = value.text;
    if (value.escaped) {
        bool fits = json_text_unescape(value.text, json->room, value.text.size, &ret_key->size);
        must(fits);
        ret_key->at = json->room;
        json->room += ret_key->size;
    }
    return json_key_add(json, object, *ret_key);
}

enum json_step json_next(struct json *json, struct json_object *object, struct span *ret_key,
                         struct json_value *ret_value)
{
    uint8_t byte = json_peek(json);

    if (byte == '}') {
        json->at++;
        json->depth--;
        json->key_count = object->key_first;
        return JSON_END;
    }
    if (object->key_count > 0) {
        if (byte != ',') {
            (void)json_wrong(json, REFUSAL_JSON, json->at);
            return JSON_WRONG;
        }
        json->at++;
    }
    if (!json_key(json, object, ret_key)) {
        return JSON_WRONG;
    }
    if (json_peek(json) != ':') {
        (void)json_wrong(json, REFUSAL_JSON, json->at);
        return JSON_WRONG;
    }
    json->at++;
    return json_value(json, ret_value) ? JSON_MEMBER : JSON_WRONG;
}

bool json_close(struct json *json)
{
    (void)json_peek(json);
    return json->at == json->size || json_wrong(json, REFUSAL_TRAILING, json->at);
}

bool json_open(struct json *json, struct json_object *ret_object)
{
    struct json_value value;

    bool object = json_peek(json) == '{';
    size_t start = json->at;

    if (object) {
        *ret_object = (struct json_object){0, 0};
        return json_enter(json);
    }
    return json_value(json, &value) && json_close(json) &&
           json_wrong(json, REFUSAL_NOT_OBJECT, start);
}
