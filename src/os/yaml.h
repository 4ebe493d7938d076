/*
 * yaml: a YAML text as a tree of keys and texts, each with its line and column.
 *
 * Nothing is typed by its looks: `country: NO` and `id: 0123` stay text, and what a value means
 * is for whoever asked for it. One document, maps and lists and texts; anchors, aliases, tags and
 * complex keys are refused by name, and so is what exceeds the limits below. Duplicate keys are
 * kept, in order: the reader of the tree can say where both stand.
 *
 * Memory is lent at init and never freed in between; several texts may be read into it.
 */
#ifndef OS_YAML_H
#define OS_YAML_H

#include "base/fault.h"

enum {
    YAML_SIZE_MAX = 256 * 1024, /* Bytes of one text. */
    YAML_DEPTH_MAX = 8,
    YAML_KEYS_MAX = 256, /* In one map; of entries in a list, YAML_ENTRIES_MAX. */
    YAML_ENTRIES_MAX = 1024,
    YAML_KEY_SIZE_MAX = 64,
    YAML_TEXT_SIZE_MAX = 2048,
};

/* Lines and columns count from 1, columns in characters. Line 0: nowhere. */
struct yaml_mark {
    uint32_t line;
    uint32_t column;
    uint32_t width; /* Characters to underline on that line; at least 1. */
};

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    bool quoted;      /* YAML_TEXT: it stood in quotes, or in a block. */
    const char *key;  /* In a map: its name; else NULL. */
    const char *text; /* YAML_TEXT; else NULL. */
    uint32_t count;   /* Of children. */
    struct yaml_mark key_mark;
    struct yaml_mark mark;
    const struct yaml_node *child; /* The first one, and so on along next. */
    const struct yaml_node *next;
};

struct yaml {
    struct yaml_node *nodes; /* Lent, as is texts. */
    size_t node_capacity;
    size_t node_count;
    char *texts;
    size_t text_capacity;
    size_t text_size;
};

void yaml_init(struct yaml *yaml, struct yaml_node *nodes, size_t node_capacity, char *texts,
               size_t text_capacity);

/* *ret_root is NULL when there is nothing but comments. REFUSED: ret_mark says where. */
MUST_USE enum outcome yaml_read(struct yaml *yaml, struct span text,
                                const struct yaml_node **ret_root, struct yaml_mark *ret_mark,
                                struct fault *ret_fault);

/* A text as it is, for values that come without a file. NULL: no room. */
const struct yaml_node *yaml_text(struct yaml *yaml, struct span text);

/* The first child of this name, or NULL. */
const struct yaml_node *yaml_child(const struct yaml_node *map, const char *key);

#endif
