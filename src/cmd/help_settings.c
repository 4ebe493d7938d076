#include "cmd/help_parts.h"

#include "cmd/say.h"
#include "cmd/suggest.h"

#include <string.h>

/* What the default comes to, for people. */
static void standard_of(const struct setting *setting, char *ret_text, size_t size)
{
    if (setting_required(setting)) {
        (void)snprintf(ret_text, size, "(required)");
    } else if (setting->standard[0] == '=' && strchr(setting->standard, '/') == NULL) {
        (void)snprintf(ret_text, size, "the value of %s", setting->standard + 1);
    } else if (setting->standard[0] == '=') {
        (void)snprintf(ret_text, size, "%s", strchr(setting->standard, '/') + 1);
    } else {
        (void)snprintf(ret_text, size, "%s", setting->standard);
    }
}

static void explain(const struct setting *setting)
{
    char takes[SETTING_LIMITS_SIZE];
    char standard[256];
    char variable[SETTING_VARIABLE_SIZE];

    setting_takes(setting, takes);
    standard_of(setting, standard, sizeof(standard));
    (void)printf("%s\n\n  %s\n\n  takes        %s\n  default      %s%s\n", setting->path,
                 setting->help, takes, standard,
                 strncmp(setting->standard, "=data_dir/", 10) == 0 ? " in data_dir" : "");
    if (!setting_in_record(setting)) {
        setting_variable(setting, variable);
        (void)printf("  environment  %s\n  flag         --set %s=...\n", variable, setting->path);
    }
}

static bool below(const char *path, const char *section)
{
    size_t size = strlen(section);
    return strncmp(path, section, size) == 0 &&
           (path[size] == '\0' || path[size] == '.' || path[size] == '[');
}

bool help_has_settings(const char *section)
{
    enum setting_name name = 0;

    while (name < SETTING_NAMES && !below(settings[name].path, section)) {
        name++;
    }
    return name < SETTING_NAMES;
}

static int list_settings(const char *section)
{
    unsigned count = 0;
    struct fault fault;

    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        char standard[256];
        if (section != NULL && !below(settings[name].path, section)) {
            continue;
        }
        standard_of(&settings[name], standard, sizeof(standard));
        (void)printf("%-36s %s\n", settings[name].path, standard);
        count++;
    }
    if (count > 0) {
        (void)printf("\npayonce help settings PATH explains one.\n");
        return EXIT_DONE;
    }
    struct suggestion suggestion = {.word = section};
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        suggest_offer(&suggestion, settings[name].path);
    }
    (void)fault_is(&fault, BROKEN, FAULT_USAGE, "no setting \"%s\"%s%s%s", section,
                   suggestion.best == NULL ? "" : "; did you mean ",
                   suggestion.best == NULL ? "" : suggestion.best,
                   suggestion.best == NULL ? "" : "?");
    fault_next(&fault, "payonce help settings lists them all");
    return say_fault(&fault);
}

int help_settings(const char *path)
{
    enum setting_name name = path == NULL ? SETTING_NAMES : setting_named(path);

    if (name == SETTING_NAMES) {
        return list_settings(path);
    }
    explain(&settings[name]);
    for (enum setting_name other = 0; other < SETTING_NAMES; other++) {
        if (other != name && below(settings[other].path, path)) {
            (void)printf("\n");
            explain(&settings[other]);
        }
    }
    return EXIT_DONE;
}
