/*
 * help_parts: the longer chapters of help, printed from the table of settings.
 */
#ifndef CMD_HELP_PARTS_H
#define CMD_HELP_PARTS_H

#include "cmd/settings.h"

/* payonce help settings [PATH]: all of them, one section, or everything about one. */
int help_settings(const char *path);

/* Is it the beginning of some: "dedup"? */
bool help_has_settings(const char *section);

/* The YAML file that sets every setting to its default: conf/payonce.yaml. */
void help_print_defaults(void);

/* docs/configuration.md. */
void help_print_reference(void);

#endif
