#include "os/yaml.h"

#include <string.h>
#include <yaml.h>

/* One text being read: the open maps and lists, and the key that waits for its value. */
struct reading {
    struct yaml *yaml;
    struct yaml_node *open[YAML_DEPTH_MAX];
    struct yaml_node *last[YAML_DEPTH_MAX]; /* The newest child of each. */
    size_t depth;
    const char *key;
    struct yaml_mark key_mark;
    const struct yaml_node *root;
    struct yaml_mark *mark;
    struct fault *fault;
};

void yaml_init(struct yaml *yaml, struct yaml_node *nodes, size_t node_capacity, char *texts,
               size_t text_capacity)
{
    *yaml = (struct yaml){.nodes = nodes,
                          .node_capacity = node_capacity,
                          .texts = texts,
                          .text_capacity = text_capacity};
}

static struct yaml_node *node_add(struct yaml *yaml)
{
    if (yaml->node_count == yaml->node_capacity) {
        return NULL;
    }
    struct yaml_node *node = &yaml->nodes[yaml->node_count++];
    memset(node, 0, sizeof(*node));
    return node;
}

static const char *text_add(struct yaml *yaml, const void *at, size_t size)
{
    if (size >= yaml->text_capacity - yaml->text_size) {
        return NULL;
    }
    char *text = yaml->texts + yaml->text_size;
    if (size > 0) {
        memcpy(text, at, size);
    }
    text[size] = '\0';
    yaml->text_size += size + 1;
    return text;
}

const struct yaml_node *yaml_text(struct yaml *yaml, struct span text)
{
    struct yaml_node *node = node_add(yaml);
    if (node == NULL) {
        return NULL;
    }
    node->kind = YAML_TEXT;
    node->text = text_add(yaml, text.at, text.size);
    return node->text == NULL ? NULL : node;
}

const struct yaml_node *yaml_child(const struct yaml_node *map, const char *key)
{
    for (const struct yaml_node *child = map->child; child != NULL; child = child->next) {
        if (child->key != NULL && strcmp(child->key, key) == 0) {
            return child;
        }
    }
    return NULL;
}

static struct yaml_mark mark_of(const yaml_event_t *event)
{
    bool one_line = event->start_mark.line == event->end_mark.line;
    size_t width = one_line ? event->end_mark.column - event->start_mark.column : 1;

    return (struct yaml_mark){.line = (uint32_t)event->start_mark.line + 1,
                              .column = (uint32_t)event->start_mark.column + 1,
                              .width = width == 0 ? 1 : (uint32_t)width};
}

static enum outcome refuse(struct reading *reading, struct yaml_mark mark, const char *sentence)
{
    *reading->mark = mark;
    return fault_is(reading->fault, REFUSED, FAULT_CONFIG_SYNTAX, "%s", sentence);
}

static bool in_map(const struct reading *reading)
{
    return reading->depth > 0 && reading->open[reading->depth - 1]->kind == YAML_MAP;
}

/* Hang the node where the reading stands: below the innermost open one, or as the root. */
static enum outcome hang(struct reading *reading, struct yaml_node *node)
{
    if (reading->depth == 0) {
        reading->root = node;
        return DONE;
    }
    size_t level = reading->depth - 1;
    struct yaml_node *parent = reading->open[level];
    if (parent->kind == YAML_MAP) {
        node->key = reading->key;
        node->key_mark = reading->key_mark;
        reading->key = NULL;
    }
    if (parent->count == (parent->kind == YAML_MAP ? YAML_KEYS_MAX : YAML_ENTRIES_MAX)) {
        return refuse(reading, node->mark,
                      parent->kind == YAML_MAP ? "more than 256 keys in one map"
                                               : "more than 1024 entries in one list");
    }
    if (reading->last[level] == NULL) {
        parent->child = node;
    } else {
        reading->last[level]->next = node;
    }
    reading->last[level] = node;
    parent->count++;
    return DONE;
}

static enum outcome take_key(struct reading *reading, const yaml_event_t *event)
{
    size_t size = event->data.scalar.length;

    if (size > YAML_KEY_SIZE_MAX) {
        return refuse(reading, mark_of(event), "a key longer than 64 bytes");
    }
    if (memchr(event->data.scalar.value, '\0', size) != NULL) {
        return refuse(reading, mark_of(event), "a key with a zero byte");
    }
    reading->key = text_add(reading->yaml, event->data.scalar.value, size);
    reading->key_mark = mark_of(event);
    return reading->key == NULL ? refuse(reading, mark_of(event), "too much text") : DONE;
}

static enum outcome take_text(struct reading *reading, const yaml_event_t *event)
{
    size_t size = event->data.scalar.length;

    if (event->data.scalar.tag != NULL) {
        return refuse(reading, mark_of(event), "tags (!) are not used here");
    }
    if (event->data.scalar.anchor != NULL) {
        return refuse(reading, mark_of(event), "anchors (&) and aliases (*) are not used here");
    }
    if (in_map(reading) && reading->key == NULL) {
        return take_key(reading, event);
    }
    if (size > YAML_TEXT_SIZE_MAX) {
        return refuse(reading, mark_of(event), "a text longer than 2048 bytes");
    }
    if (memchr(event->data.scalar.value, '\0', size) != NULL) {
        return refuse(reading, mark_of(event), "a text with a zero byte");
    }
    struct yaml_node *node = node_add(reading->yaml);
    const char *text = text_add(reading->yaml, event->data.scalar.value, size);
    if (node == NULL || text == NULL) {
        return refuse(reading, mark_of(event), "too much text");
    }
    node->kind = YAML_TEXT;
    node->text = text;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->mark = mark_of(event);
    return hang(reading, node);
}

static enum outcome take_opening(struct reading *reading, const yaml_event_t *event,
                                 enum yaml_kind kind)
{
    bool map = kind == YAML_MAP;

    if ((map ? event->data.mapping_start.tag : event->data.sequence_start.tag) != NULL) {
        return refuse(reading, mark_of(event), "tags (!) are not used here");
    }
    if ((map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor) != NULL) {
        return refuse(reading, mark_of(event), "anchors (&) and aliases (*) are not used here");
    }
    if (in_map(reading) && reading->key == NULL) {
        return refuse(reading, mark_of(event), "a key must be a plain text");
    }
    if (reading->depth == YAML_DEPTH_MAX) {
        return refuse(reading, mark_of(event), "nested deeper than 8");
    }
    struct yaml_node *node = node_add(reading->yaml);
    if (node == NULL) {
        return refuse(reading, mark_of(event), "too many values");
    }
    node->kind = kind;
    node->mark = mark_of(event);
    enum outcome outcome = hang(reading, node);
    if (outcome == DONE) {
        reading->open[reading->depth] = node;
        reading->last[reading->depth++] = NULL;
    }
    return outcome;
}

static enum outcome take_event(struct reading *reading, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return reading->root == NULL
                   ? DONE
                   : refuse(reading, mark_of(event), "a second document (---) in one file");
    case YAML_SCALAR_EVENT:
        return take_text(reading, event);
    case YAML_MAPPING_START_EVENT:
        return take_opening(reading, event, YAML_MAP);
    case YAML_SEQUENCE_START_EVENT:
        return take_opening(reading, event, YAML_LIST);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        must(reading->depth > 0);
        reading->depth--;
        return DONE;
    case YAML_ALIAS_EVENT:
        return refuse(reading, mark_of(event), "anchors (&) and aliases (*) are not used here");
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return DONE;
}

static enum outcome refuse_syntax(struct reading *reading, const yaml_parser_t *parser)
{
    const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;

    if (parser->error == YAML_READER_ERROR) { /* It knows the byte only. */
        *reading->mark = (struct yaml_mark){0};
        return fault_is(reading->fault, REFUSED, FAULT_CONFIG_SYNTAX, "%s, at byte %zu", problem,
                        parser->problem_offset);
    }
    *reading->mark = (struct yaml_mark){.line = (uint32_t)parser->problem_mark.line + 1,
                                        .column = (uint32_t)parser->problem_mark.column + 1,
                                        .width = 1};
    if (parser->context == NULL) {
        return fault_is(reading->fault, REFUSED, FAULT_CONFIG_SYNTAX, "%s", problem);
    }
    return fault_is(reading->fault, REFUSED, FAULT_CONFIG_SYNTAX, "%s %s, begun on line %zu",
                    problem, parser->context, parser->context_mark.line + 1);
}

static enum outcome take_events(struct reading *reading, yaml_parser_t *parser)
{
    for (bool ended = false; !ended;) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0) {
            return refuse_syntax(reading, parser);
        }
        ended = event.type == YAML_STREAM_END_EVENT;
        enum outcome outcome = take_event(reading, &event);
        yaml_event_delete(&event);
        if (outcome != DONE) {
            return outcome;
        }
    }
    return DONE;
}

enum outcome yaml_read(struct yaml *yaml, struct span text, const struct yaml_node **ret_root,
                       struct yaml_mark *ret_mark, struct fault *ret_fault)
{
    struct reading reading = {.yaml = yaml, .mark = ret_mark, .fault = ret_fault};
    yaml_parser_t parser;

    *ret_root = NULL;
    *ret_mark = (struct yaml_mark){0};
    if (text.size > YAML_SIZE_MAX) {
        return fault_is(ret_fault, REFUSED, FAULT_CONFIG_SYNTAX, "larger than 256 KiB");
    }
    if (yaml_parser_initialize(&parser) == 0) {
        return fault_is(ret_fault, REFUSED, FAULT_MEMORY, "no memory for the YAML parser");
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text.at, text.size);
    enum outcome outcome = take_events(&reading, &parser);
    yaml_parser_delete(&parser);
    if (outcome == DONE) {
        *ret_root = reading.root;
    }
    return outcome;
}
