/*
 * config_parts: what the parts of config say to each other.
 *
 * config.c finds and layers the texts; config_walk.c holds a text's keys against the table;
 * config_check.c holds one value against its setting; config_resolve.c makes engine settings of
 * the values in force; config_error.c keeps and prints mistakes.
 */
#ifndef CMD_CONFIG_PARTS_H
#define CMD_CONFIG_PARTS_H

#include "cmd/config.h"

/* An error about this value; returns it, so that a hint or next can be added. */
struct config_error *config_wrong(struct config *config, const struct config_text *text,
                                  struct yaml_mark mark, enum fault_code code, const char *format,
                                  ...) __attribute__((format(printf, 5, 6)));
struct config_error *config_warn(struct config *config, const struct config_text *text,
                                 struct yaml_mark mark, enum fault_code code, const char *format,
                                 ...) __attribute__((format(printf, 5, 6)));

/* Take over every key of this text's root. */
void config_walk(struct config *config, const struct config_text *text,
                 const struct yaml_node *root);

/* Is the value what the setting takes? Says what is wrong. */
bool config_check(struct config *config, const struct config_text *text,
                  const struct yaml_node *node, const struct setting *setting);

/* The entry of a list against the settings "sinks[].*". */
void config_walk_record(struct config *config, const struct config_text *text,
                        const struct yaml_node *record, const struct setting *records);

/* ${NAME} and ${NAME:-default} in every text from this node of the arena on. */
void config_expand(struct config *config, const struct config_text *text, size_t first_node);

/* Fill what stands under "What it comes to". Says what does not fit together. */
void config_resolve(struct config *config);

/* The same for the sinks; and: before the only one, which can be no ledger, a ledger of cursors. */
void config_resolve_sinks(struct config *config);
void config_add_ledger(struct config *config);

/* The same for source.kafka, if that is where payments come from. */
void config_resolve_kafka(struct config *config);
bool config_need_topics(struct config *config);

/* The connection of source.kafka, and that of a sink of type kafka. */
void config_connect_source(struct config *config);
void config_connect_sink(struct config *config, const struct yaml_node *record, size_t index);

/* Which of the setting's choices is in force: 0, 1 ... */
unsigned config_choice(const struct config *config, enum setting_name name);

/* Of a checked text of such a setting. */
int64_t setting_number(const struct setting *setting, const char *text);
unsigned setting_choice(const struct setting *setting, const char *text);

/* The value at "sinks[].deliver.max_rows" of this entry; NULL: not given. */
const struct yaml_node *config_record_value(const struct yaml_node *record,
                                            const struct setting *setting);

#endif
