#include "cmd/config_parts.h"

#include "cmd/say.h"

#include <stdarg.h>
#include <string.h>

enum { SHOWN_WIDTH = 160 };

static struct config_error *error_add(struct config *config, bool warning,
                                      const struct config_text *text, struct yaml_mark mark,
                                      enum fault_code code)
{
    static struct config_error beyond; /* Counted; nobody reads the 65th. */
    bool room = config->said_count < CONFIG_ERRORS_MAX;
    struct config_error *error = room ? &config->errors[config->said_count] : &beyond;

    config->said_count += room ? 1 : 0;
    config->error_count += warning ? 0 : 1;
    memset(error, 0, sizeof(*error));
    error->warning = warning;
    error->text = text;
    error->mark = mark;
    error->code = code;
    return error;
}

struct config_error *config_wrong(struct config *config, const struct config_text *text,
                                  struct yaml_mark mark, enum fault_code code, const char *format,
                                  ...)
{
    struct config_error *error = error_add(config, false, text, mark, code);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(error->sentence, sizeof(error->sentence), format, arguments);
    va_end(arguments);
    return error;
}

struct config_error *config_warn(struct config *config, const struct config_text *text,
                                 struct yaml_mark mark, enum fault_code code, const char *format,
                                 ...)
{
    struct config_error *error = error_add(config, true, text, mark, code);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(error->sentence, sizeof(error->sentence), format, arguments);
    va_end(arguments);
    return error;
}

static struct span line_of(struct span text, uint32_t number)
{
    const char *at = text.at;
    const char *end = at + text.size;

    for (uint32_t line = 1; line < number && at != NULL && at < end; line++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at == NULL ? NULL : at + 1;
    }
    if (at == NULL || at >= end) {
        return (struct span){"", 0};
    }
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    size_t size = (size_t)((newline == NULL ? end : newline) - at);
    return (struct span){at, size > 0 && at[size - 1] == '\r' ? size - 1 : size};
}

/* The line, and carets below what is meant. */
static void show_line(const struct config_error *error)
{
    struct span line = line_of(error->text->text, error->mark.line);

    size_t column = error->mark.column;
    bool tab = column <= line.size && ((const char *)line.at)[column == 0 ? 0 : column - 1] == '\t';
    const char *hint = tab ? "a tab; YAML is indented with blanks" : error->hint;

    (void)fprintf(stderr, "%6u | ", error->mark.line);
    size_t shown = say_text(stderr, line, SHOWN_WIDTH);
    (void)fputc('\n', stderr);
    if (error->mark.column > shown + 1) {
        return;
    }
    size_t room = shown + 1 - error->mark.column;
    size_t carets = error->mark.width < room ? error->mark.width : room;
    (void)fprintf(stderr, "       | %*s", (int)error->mark.column - 1, "");
    for (size_t caret = 0; caret < (carets == 0 ? 1 : carets); caret++) {
        (void)fputc('^', stderr);
    }
    (void)fputc(hint[0] == '\0' ? '\n' : ' ', stderr);
    if (hint[0] != '\0') {
        (void)say_text(stderr, (struct span){hint, strlen(hint)}, SIZE_MAX);
        (void)fputc('\n', stderr);
    }
}

static void show(const struct config_error *error)
{
    bool has_line = error->text != NULL && error->mark.line > 0;

    if (error->text != NULL) {
        (void)say_text(stderr, (struct span){error->text->name, strlen(error->text->name)},
                       SIZE_MAX);
        if (has_line && error->text->origin == CONFIG_FILE) {
            (void)fprintf(stderr, ":%u:%u", error->mark.line, error->mark.column);
        }
        (void)fputs(": ", stderr);
    }
    say_level(stderr, error->warning ? "warn" : "error");
    (void)fprintf(stderr, "[%s]: ", fault_code_text(error->code));
    (void)say_text(stderr, (struct span){error->sentence, strlen(error->sentence)}, SIZE_MAX);
    (void)fputc('\n', stderr);
    if (has_line) {
        show_line(error);
    } else if (error->hint[0] != '\0') {
        (void)fprintf(stderr, "      %s\n", error->hint);
    }
    if (error->next[0] != '\0') {
        (void)fputs("      next: ", stderr);
        (void)say_text(stderr, (struct span){error->next, strlen(error->next)}, SIZE_MAX);
        (void)fputc('\n', stderr);
    }
}

int config_say(const struct config *config)
{
    const struct config_error *last = NULL;

    for (size_t index = 0; index < config->said_count; index++) {
        show(&config->errors[index]);
        last = config->errors[index].warning ? last : &config->errors[index];
    }
    if (config->error_count == 0) {
        return EXIT_DONE;
    }
    if (config->error_count > 1) {
        (void)fprintf(stderr, "%zu errors\n", config->error_count);
    }
    if (last == NULL || last->next[0] == '\0' || config->error_count > 1) {
        (void)fprintf(stderr, "      next: %s\n",
                      config->error_count > 1 || last == NULL
                          ? "mend them; payonce help settings shows what each key takes"
                          : fault_code_next(last->code));
    }
    return say_exit_code(FAULT_CLASS_CONFIG);
}
