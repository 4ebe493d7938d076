/*
 * settings: every setting there is: path, kind, default, range, and the reason for it.
 *
 * The table is cmd/settings_table.h, one entry a setting. From it come the reading of the
 * configuration and its errors, `payonce help settings`, conf/payonce.yaml and
 * docs/configuration.md. A choice that the project has decided is no setting.
 *
 * Paths name the place in the YAML file: "dedup.retention". "sinks[].name" is a key of each
 * entry of a list; such a setting is checked and defaulted entry by entry.
 */
#ifndef CMD_SETTINGS_H
#define CMD_SETTINGS_H

#include "cmd/quantity.h"
#include "cmd/settings_table.h"

enum setting_kind {
    SETTING_COUNT, /* These five are an enum quantity, in its order. */
    SETTING_DURATION,
    SETTING_SIZE,
    SETTING_RATE,
    SETTING_PERCENT,
    SETTING_BOOL,
    SETTING_CHOICE,
    SETTING_TEXT,           /* Any text; range = its bytes. */
    SETTING_NAME,           /* Letters, digits, '-', '_', '.'. */
    SETTING_PATH,           /* Of a file or directory; relative to where payonce is started. */
    SETTING_RULE,           /* One comparison: amount > 5000 USD. */
    SETTING_TEXTS,          /* A list of texts; range = how many. */
    SETTING_LONG_TEXTS,     /* The same; such as names of hosts and topics. */
    SETTING_PATHS,          /* A list of paths. */
    SETTING_TEXTS_BY_NAME,  /* A map of name: [text ...]; range = how many names. */
    SETTING_TEXT_BY_NAME,   /* A map of name: text. */
    SETTING_CHOICE_BY_NAME, /* A map of name: choice. */
    SETTING_RECORDS,        /* A list of maps; their keys are the settings "path[].key". */
};

struct setting {
    const char *path;
    enum setting_kind kind;
    /* As it would stand in the file. "=other.path": that setting's value; "": must be given. */
    const char *standard;
    int64_t least;
    int64_t most;
    const char *choices; /* "file|stdin" */
    const char *help;
};

#define SETTING_ENUM(name, path, kind, standard, range, help) name,
enum setting_name { SETTINGS(SETTING_ENUM) SETTING_NAMES };
#undef SETTING_ENUM

extern const struct setting settings[SETTING_NAMES];

/* SETTING_NAMES: there is none of that path. */
enum setting_name setting_named(const char *path);

/* Is it a key inside the entries of a list ("sinks[].name")? */
bool setting_in_record(const struct setting *setting);

/* May "auto" stand there, too? */
bool setting_has_auto(const struct setting *setting);

/* May the name be left out, or must every configuration give it? */
bool setting_required(const struct setting *setting);

enum { SETTING_VARIABLE_SIZE = 96, SETTING_LIMITS_SIZE = 160 };

/* PAYONCE_DEDUP_RETENTION. Not for keys inside lists. */
void setting_variable(const struct setting *setting, char ret_text[SETTING_VARIABLE_SIZE]);

/* What it takes, for people: "duration, 1s to 30d". */
void setting_takes(const struct setting *setting, char ret_text[SETTING_LIMITS_SIZE]);

#endif
