#include "parse/fields.h"
#include "parse/plan.h"

#include <string.h>

_Static_assert((int)PARSER_NAMES_MAX <= (int)LAYOUT_NAMES_MAX, "a layout has room for each name");

static bool refuse(struct message *message, enum refusal_reason reason, size_t position,
                   const char *field)
{
    message->refusal = (struct refusal){reason, (uint32_t)position, field};
    return false;
}

/* How we call the field that this name belongs to; NULL: none of them. */
static const char *name_field(const struct parser *parser, uint8_t name)
{
    if (name == PARSER_NO_NAME) { /* So is a carried field that privacy drops. */
        return NULL;
    }
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

/* The full reader at work. */
struct walk {
    struct json json;
    struct found found;
    uint8_t place[PARSER_NAMES_MAX];
    struct json_value values[PARSE_KEYS_MAX + 1];
};

static bool walk_members(const struct parser *parser, struct walk *walk, struct span *ret_key)
{
    struct json *json = &walk->json;
    struct found *found = &walk->found;
    struct json_object object;
    enum json_step step;

    if (!json_open(json, &object)) {
        return false;
    }
    while ((step = json_next(json, &object, ret_key, &walk->values[found->count])) == JSON_MEMBER) {
        uint8_t name = parser_find(parser, *ret_key);
        found->count++;
        if (name != PARSER_NO_NAME) {
            walk->place[name] = (uint8_t)found->count;
        } else if (!found->unknown) {
            found->unknown = true;
            found->unknown_position = (uint32_t)json->key_position;
        }
    }
    found->end = (uint32_t)(json->at - 1);
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

/* By the full reader. False: refused; else walk->found has the members. */
static bool parse_walk(const struct parser *parser, struct message *message,
                       struct parse_scratch *scratch, struct walk *walk)
{
    const struct json *json = &walk->json;
    struct span key = {NULL, 0};

    if (is_blank(message->raw)) {
        return refuse(message, REFUSAL_EMPTY, 0, NULL);
    }
    if (starts_with(message->raw, "\0", 1)) { /* Confluent's: a schema id follows. */
        return refuse(message, REFUSAL_FRAMING, 0, NULL);
    }
    if (starts_with(message->raw, "\xef\xbb\xbf", 3)) { /* A byte order mark. */
        return refuse(message, REFUSAL_UTF8, 0, NULL);
    }
    memset(walk->place, 0, sizeof(walk->place));
    walk->found = (struct found){.place = walk->place, .values = walk->values};
    json_init(&walk->json, message->raw, (uint8_t *)scratch->at + scratch->used);
    if (walk_members(parser, walk, &key)) {
        return true;
    }
    bool ours = json->reason == REFUSAL_DUPLICATE_KEY && json->depth == 1;
    return refuse(message, json->reason, json->position,
                  ours ? name_field(parser, parser_find(parser, key)) : NULL);
}

/* All that can be said before a look at the bytes. False: refused. */
static bool parse_begin(struct message *message, const struct parse_scratch *scratch)
{
    must(scratch->size - scratch->used >= PARSE_SCRATCH_MAX);
    message->selected = true;
    message->refusal = (struct refusal){REFUSAL_NONE, 0, NULL};
    if (message->size > MESSAGE_SIZE_MAX) {
        memset(&message->payment, 0, sizeof(message->payment));
        return refuse(message, REFUSAL_SIZE, MESSAGE_SIZE_MAX, NULL);
    }
    must(message->raw.size == message->size);
    return true;
}

/* Take the shape at this place of the order to its front. */
static void shape_front(struct parse_scratch *scratch, size_t place)
{
    uint8_t number = scratch->order[place];

    for (; place > 0; place--) {
        scratch->order[place] = scratch->order[place - 1];
    }
    scratch->order[0] = number;
}

/* Remember a message of no known shape, in place of the one not used for longest. */
static void shape_learn(const struct parser *parser, struct span raw, const struct marks *marks,
                        const struct found *found, struct parse_scratch *scratch)
{
    size_t place = scratch->shape_count;

    if (place == PARSE_SHAPES) {
        place--;
    } else {
        scratch->order[place] = scratch->shape_count;
    }
    struct parse_shape *shape = &scratch->shapes[scratch->order[place]];
    if (layout_learn(&shape->layout, raw, marks, found, parser->name_count)) {
        plan_make(&shape->plan, parser, found);
        scratch->shape_count = (uint8_t)(place == scratch->shape_count ? place + 1 : PARSE_SHAPES);
        shape_front(scratch, place);
    }
}

/* By the full reader. marks: NULL if the message is not to be remembered. */
static bool parse_new(const struct parser *parser, struct message *message,
                      const struct marks *marks, struct parse_scratch *scratch)
{
    struct walk walk;

    memset(&message->payment, 0, sizeof(message->payment));
    if (!parse_walk(parser, message, scratch, &walk) ||
        !fields_fill(parser, &walk.found, message, scratch)) {
        return false;
    }
    if (marks != NULL && (!walk.found.unknown || !parser->settings.reject_unknown)) {
        shape_learn(parser, message->raw, marks, &walk.found, scratch);
    }
    return true;
}

/* A message whose bytes between the values are a known shape's. False: its values are not. */
static bool parse_known(const struct parser *parser, const struct parse_shape *shape,
                        const struct layout_texts *texts, struct message *message,
                        struct parse_scratch *scratch, bool *ret_taken)
{
    struct json_value values[PARSE_KEYS_MAX];
    struct found found;

    *ret_taken = plan_fill(&shape->plan, parser, texts, message);
    if (*ret_taken) {
        return true;
    }
    if (!layout_values(&shape->layout, message->raw, texts, values, &found)) {
        return false;
    }
    memset(&message->payment, 0, sizeof(message->payment));
    *ret_taken = fields_fill(parser, &found, message, scratch);
    return true;
}

void parse_message_fully(const struct parser *parser, struct message *message,
                         struct parse_scratch *scratch)
{
    size_t used = scratch->used;

    if (!parse_begin(message, scratch) || !parse_new(parser, message, NULL, scratch)) {
        scratch->used = used;
    }
}

static bool parse_any(const struct parser *parser, struct message *message,
                      struct parse_scratch *scratch)
{
    struct layout_texts texts;
    struct marks marks;
    bool taken;

    if (!marks_find(message->raw, parser->wide, &marks)) {
        return parse_new(parser, message, NULL, scratch);
    }
    if (scratch->owner != parser) {
        scratch->owner = parser;
        scratch->shape_count = 0;
    }
    for (size_t place = 0; place < scratch->shape_count; place++) {
        const struct parse_shape *shape = &scratch->shapes[scratch->order[place]];
        if (layout_match(&shape->layout, message->raw, &marks, parser->wide, &texts) &&
            parse_known(parser, shape, &texts, message, scratch, &taken)) {
            shape_front(scratch, place);
            return taken;
        }
    }
    return parse_new(parser, message, &marks, scratch);
}

void parse_message(const struct parser *parser, struct message *message,
                   struct parse_scratch *scratch)
{
    size_t used = scratch->used;

    if (!parse_begin(message, scratch) || !parse_any(parser, message, scratch)) {
        scratch->used = used;
    }
}
