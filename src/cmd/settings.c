#include "cmd/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SETTING_ROW(name, place, form, value, range, reason)                                       \
    [name] = {.path = (place), .kind = (form), .standard = (value), .help = (reason), range},

const struct setting settings[SETTING_NAMES] = {SETTINGS(SETTING_ROW)};

_Static_assert((int)SETTING_COUNT == (int)QUANTITY_COUNT &&
                   (int)SETTING_PERCENT == (int)QUANTITY_PERCENT,
               "the first kinds of setting are the quantities");

enum setting_name setting_named(const char *path)
{
    enum setting_name name = 0;

    while (name < SETTING_NAMES && strcmp(settings[name].path, path) != 0) {
        name++;
    }
    return name;
}

bool setting_in_record(const struct setting *setting)
{
    return strstr(setting->path, "[]") != NULL;
}

bool setting_has_auto(const struct setting *setting)
{
    return setting->kind <= SETTING_PERCENT && strcmp(setting->standard, "auto") == 0;
}

bool setting_required(const struct setting *setting)
{
    return setting->standard[0] == '\0';
}

void setting_variable(const struct setting *setting, char ret_text[SETTING_VARIABLE_SIZE])
{
    int size = snprintf(ret_text, SETTING_VARIABLE_SIZE, "PAYONCE_%s", setting->path);

    must(size > 0 && size < SETTING_VARIABLE_SIZE);
    for (char *at = ret_text; *at != '\0'; at++) {
        *at = *at == '.' ? '_' : (char)toupper((unsigned char)*at);
    }
}

static void takes_quantity(const struct setting *setting, char ret_text[SETTING_LIMITS_SIZE])
{
    static const char *const names[] = {"number", "duration", "size", "rate", "percentage"};
    char least[QUANTITY_TEXT_SIZE];
    char most[QUANTITY_TEXT_SIZE];

    quantity_write((enum quantity)setting->kind, setting->least, least);
    quantity_write((enum quantity)setting->kind, setting->most, most);
    (void)snprintf(ret_text, SETTING_LIMITS_SIZE, "%s, %s to %s%s", names[setting->kind], least,
                   most, setting_has_auto(setting) ? ", or auto" : "");
}

/* What needs no numbers and no words from the table. */
static const char *takes_word(enum setting_kind kind)
{
    switch (kind) {
    case SETTING_TEXTS_BY_NAME:
        return "map of name: [value, ...], one name";
    case SETTING_TEXT_BY_NAME:
        return "map of name: value";
    case SETTING_RECORDS:
        return "list of maps with the keys below";
    case SETTING_BOOL:
        return "true or false";
    case SETTING_TEXT:
        return "text";
    case SETTING_NAME:
        return "name of letters, digits, - _ and .";
    case SETTING_PATH:
        return "path";
    case SETTING_RULE:
        return "comparison";
    case SETTING_COUNT:
    case SETTING_DURATION:
    case SETTING_SIZE:
    case SETTING_RATE:
    case SETTING_PERCENT:
    case SETTING_CHOICE:
    case SETTING_TEXTS:
    case SETTING_LONG_TEXTS:
    case SETTING_PATHS:
    case SETTING_CHOICE_BY_NAME:
        break;
    }
    return NULL;
}

void setting_takes(const struct setting *setting, char ret_text[SETTING_LIMITS_SIZE])
{
    const char *word = takes_word(setting->kind);

    if (word != NULL) {
        (void)snprintf(ret_text, SETTING_LIMITS_SIZE, "%s", word);
    } else if (setting->kind <= SETTING_PERCENT) {
        takes_quantity(setting, ret_text);
    } else if (setting->kind == SETTING_CHOICE) {
        (void)snprintf(ret_text, SETTING_LIMITS_SIZE, "one of %s", setting->choices);
    } else if (setting->kind == SETTING_CHOICE_BY_NAME) {
        (void)snprintf(ret_text, SETTING_LIMITS_SIZE, "map of name: %s, at most %d",
                       setting->choices, (int)setting->most);
    } else {
        (void)snprintf(ret_text, SETTING_LIMITS_SIZE, "list of %s, at most %d",
                       setting->kind == SETTING_PATHS ? "paths" : "names", (int)setting->most);
    }
}
