#include "parse/fields.h"

#include <string.h>

static void refuse(struct message *message, enum refusal_reason reason, size_t position,
                   const char *field)
{
    message->refusal = (struct refusal){reason, (uint32_t)position, field};
}

/* How we call the field that this name belongs to; NULL: none of them. */
static const char *name_field(const struct parser *parser, uint8_t name)
{
    for (enum parse_field field = PARSE_ID; field < PARSE_FIELDS; field++) {
        const struct parser_places *places = &parser->fields[field];
        for (uint8_t index = 0; index < places->count; index++) {
            if (places->names[index] == name) {
                return field_name(field);
            }
        }
    }
    for (uint32_t index = 0; index < parser->settings.carry.count; index++) {
        if (parser->carry[index] == name) {
            return parser->settings.carry.names[index];
        }
    }
    return NULL;
}

/* The members of a message, kept while it is read. */
struct walk {
    uint8_t place[PARSER_NAMES_MAX];
    struct json_value values[PARSE_KEYS_MAX + 1];
    struct json json;
};

static bool walk_members(const struct parser *parser, struct walk *walk, struct found *ret_found,
                         struct span *ret_key)
{
    struct json *json = &walk->json;
    struct json_object object;
    enum json_step step;
    uint8_t count = 0;

    if (!json_open(json, &object)) {
        return false;
    }
    while ((step = json_next(json, &object, ret_key, &walk->values[count])) == JSON_MEMBER) {
        uint8_t name = parser_find(parser, *ret_key);
        count++;
        if (name != PARSER_NO_NAME) {
            walk->place[name] = count;
        } else if (!ret_found->unknown) {
            ret_found->unknown = true;
            ret_found->unknown_position = (uint32_t)json->key_position;
        }
    }
    ret_found->end = (uint32_t)(json->at - 1);
    return step == JSON_END && json_close(json);
}

static bool starts_with(struct span raw, const char *bytes, size_t size)
{
    return raw.size >= size && memcmp(raw.at, bytes, size) == 0;
}

static bool is_blank(struct span raw)
{
    const char *at = raw.at;
    size_t index = 0;

    while (index < raw.size &&
           (at[index] == ' ' || at[index] == '\t' || at[index] == '\n' || at[index] == '\r')) {
        index++;
    }
    return index == raw.size;
}

static bool is_sized(struct message *message)
{
    if (message->size > MESSAGE_SIZE_MAX) {
        refuse(message, REFUSAL_SIZE, MESSAGE_SIZE_MAX, NULL);
        return false;
    }
    must(message->raw.size == message->size);
    return true;
}

static void parse_walk(const struct parser *parser, struct message *message,
                       struct parse_scratch *scratch)
{
    struct walk walk;
    struct found found = {.place = walk.place, .values = walk.values};
    struct span key = {NULL, 0};

    memset(walk.place, 0, sizeof(walk.place));
    json_init(&walk.json, message->raw, (uint8_t *)scratch->at + scratch->used);
    if (walk_members(parser, &walk, &found, &key)) {
        fields_fill(parser, &found, message, scratch);
        return;
    }
    const struct json *json = &walk.json;
    bool ours = json->reason == REFUSAL_DUPLICATE_KEY && json->depth == 1;
    refuse(message, json->reason, json->position,
           ours ? name_field(parser, parser_find(parser, key)) : NULL);
}

void parse_message(const struct parser *parser, struct message *message,
                   struct parse_scratch *scratch)
{
    size_t used = scratch->used;

    must(scratch->size - used >= PARSE_SCRATCH_MAX);
    message->selected = true;
    message->refusal = (struct refusal){REFUSAL_NONE, 0, NULL};
    memset(&message->payment, 0, sizeof(message->payment));
    if (!is_sized(message)) {
        return;
    }
    if (is_blank(message->raw)) {
        refuse(message, REFUSAL_EMPTY, 0, NULL);
    } else if (starts_with(message->raw, "\0", 1)) { /* Confluent's: then a schema id. */
        refuse(message, REFUSAL_FRAMING, 0, NULL);
    } else if (starts_with(message->raw, "\xef\xbb\xbf", 3)) { /* A byte order mark. */
        refuse(message, REFUSAL_UTF8, 0, NULL);
    } else {
        parse_walk(parser, message, scratch);
    }
    if (message->refusal.reason != REFUSAL_NONE || !message->selected) {
        scratch->used = used;
    }
}
