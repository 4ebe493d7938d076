#include "cmd/help_parts.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN_OF_HELP = 44, WIDTH = 118, TEXT_SIZE = 256 };

/* A comment that begins behind what stands on the line, and goes on below itself. */
static void print_comment(size_t column, const char *text)
{
    size_t at = column;

    if (column >= COLUMN_OF_HELP) {
        (void)printf("\n%*s", COLUMN_OF_HELP, "");
    } else {
        (void)printf("%*s", COLUMN_OF_HELP - (int)column, "");
    }
    at = COLUMN_OF_HELP + 1;
    (void)putchar('#');
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (at + 1 + word > WIDTH) {
            (void)printf("\n%*s#", COLUMN_OF_HELP, "");
            at = COLUMN_OF_HELP + 1;
        }
        (void)printf(" %.*s", (int)word, text);
        at += 1 + word;
        text += word + strspn(text + word, " ");
    }
    (void)putchar('\n');
}

/* How deep are both below the same sections? "a.b.c" and "a.b.d": 2. */
static size_t shared_depth(const char *left, const char *right)
{
    size_t depth = 0;

    for (size_t index = 0; left[index] != '\0' && left[index] == right[index]; index++) {
        depth += left[index] == '.' ? 1 : 0;
    }
    return depth;
}

/* The sections this setting stands in and the one before it did not: "dedup:". */
static void print_sections(const char *before, const char *path)
{
    size_t shared = shared_depth(before, path);
    size_t depth = 0;

    for (const char *at = path; strchr(at, '.') != NULL; depth++) {
        size_t size = strcspn(at, ".");
        if (depth == 0 && shared == 0) {
            (void)putchar('\n');
        }
        if (depth >= shared) {
            (void)printf("%*s%.*s:\n", (int)depth * 2, "", (int)size, at);
        }
        at += size + 1;
    }
}

static size_t depth_of(const char *path)
{
    size_t depth = 0;

    for (; *path != '\0'; path++) {
        depth += *path == '.' ? 1 : 0;
    }
    return depth;
}

/* "=watermark.lateness" in the file: what it would be, so that the file says every value. */
static const char *value_of(const struct setting *setting)
{
    if (setting->standard[0] != '=' || strchr(setting->standard, '/') != NULL) {
        return setting->standard;
    }
    enum setting_name other = setting_named(setting->standard + 1);
    must(other < SETTING_NAMES);
    return settings[other].standard;
}

static void print_setting(const struct setting *setting)
{
    char text[TEXT_SIZE];
    char help[2 * TEXT_SIZE];
    const char *last = strrchr(setting->path, '.');
    int size = snprintf(text, sizeof(text), "%*s%s: %s", (int)depth_of(setting->path) * 2, "",
                        last == NULL ? setting->path : last + 1, value_of(setting));

    must(size > 0 && (size_t)size < sizeof(text));
    (void)snprintf(help, sizeof(help), "%s%s%s%s%s", setting->help,
                   setting->choices == NULL ? "" : "; one of ",
                   setting->choices == NULL ? "" : setting->choices,
                   setting->standard[0] == '=' ? "; default: the value of " : "",
                   setting->standard[0] == '=' ? setting->standard + 1 : "");
    (void)fputs(text, stdout);
    print_comment((size_t)size, help);
}

/* The entries of a list of maps, one a line: the keys of each are explained above them. */
static void print_records(const struct setting *records)
{
    size_t size = strlen(records->path);
    size_t depth = depth_of(records->path);
    const char *last = strrchr(records->path, '.');
    const char *at = records->standard;

    int width = printf("%*s%s:", (int)depth * 2, "", last == NULL ? records->path : last + 1);
    print_comment((size_t)width, records->help);
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        const struct setting *key = &settings[name];
        char help[2 * TEXT_SIZE];
        if (strncmp(key->path, records->path, size) != 0 || key->path[size] != '[') {
            continue;
        }
        bool other = key->standard[0] == '=';
        const char *standard = other ? key->standard + 1 : key->standard;
        (void)snprintf(help, sizeof(help), "%s: %s%s%s%s", key->path + size + 3, key->help,
                       standard[0] == '\0' ? " (required)" : " (default ", standard,
                       standard[0] == '\0' ? "" : ")");
        print_comment(0, help);
    }
    for (const char *opened = strchr(at, '{'); opened != NULL; opened = strchr(at, '{')) {
        const char *closed = strchr(opened, '}');
        must(closed != NULL);
        (void)printf("%*s- %.*s\n", (int)depth * 2 + 2, "", (int)(closed - opened + 1), opened);
        at = closed;
    }
}

void help_print_defaults(void)
{
    const char *before = "";

    (void)printf("# payonce.yaml: every setting with its default and its reason.\n"
                 "# Printed by: payonce config --defaults\n"
                 "#\n"
                 "# Set only what differs; a configuration needs source.file.paths and no more.\n"
                 "# ${NAME} and ${NAME:-default} are read from the environment.\n"
                 "# Any key may also come from --set dedup.retention=30m or\n"
                 "# PAYONCE_DEDUP_RETENTION=30m (flag before environment before file).\n"
                 "# Check a file: payonce check payonce.yaml\n\n");
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        const struct setting *setting = &settings[name];
        if (setting_in_record(setting)) {
            continue;
        }
        print_sections(before, setting->path);
        if (depth_of(setting->path) == 0 && depth_of(before) > 0) {
            (void)putchar('\n');
        }
        if (setting->kind == SETTING_RECORDS) {
            print_records(setting);
        } else {
            print_setting(setting);
        }
        before = setting->path;
    }
}

void help_print_reference(void)
{
    (void)printf("# Configuration\n\n"
                 "Every setting, printed from the table the program reads by: "
                 "`payonce config --reference`.\n"
                 "A flag (`--set dedup.retention=30m`) wins over the environment "
                 "(`PAYONCE_DEDUP_RETENTION=30m`), the\nenvironment over the file, the file over "
                 "the default. Durations, sizes and rates name their unit.\n"
                 "The same as a file: [conf/payonce.yaml](../conf/payonce.yaml).\n\n"
                 "| setting | takes | default | why |\n|---|---|---|---|\n");
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        const struct setting *setting = &settings[name];
        char takes[SETTING_LIMITS_SIZE];
        const char *standard =
            setting->standard[0] == '=' ? setting->standard + 1 : setting->standard;
        setting_takes(setting, takes);
        (void)printf("| `%s` | ", setting->path);
        for (const char *at = takes; *at != '\0'; at++) {
            (void)fputs(*at == '|' ? "\\|" : (char[]){*at, '\0'}, stdout);
        }
        (void)printf(" | %s%s%s | %s |\n", standard[0] == '\0' ? "required" : "`", standard,
                     standard[0] == '\0' ? "" : "`", setting->help);
    }
}
