#include "cmd/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAY_LINE_SIZE = 2048 };

bool say_coloured(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return (no_color == NULL || no_color[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0) && isatty(fileno(stream)) == 1;
}

void say_level(FILE *stream, const char *level)
{
    if (!say_coloured(stream)) {
        (void)fputs(level, stream);
        return;
    }
    const char *colour = level[0] == 'e'   ? "\033[1;31m"
                         : level[0] == 'w' ? "\033[1;33m"
                                           : "\033[1m";
    (void)fprintf(stream, "%s%s\033[0m", colour, level);
}

size_t say_text(FILE *stream, struct span text, size_t width)
{
    const unsigned char *at = text.at;
    size_t count = 0;

    for (size_t index = 0; index < text.size; index++) {
        unsigned char byte = at[index];
        bool follows = (byte & 0xc0U) == 0x80; /* Inside a UTF-8 character. */
        if (!follows && count++ == width) {
            return width;
        }
        bool control = byte < 0x20 || byte == 0x7f;
        bool control_c1 = byte == 0xc2 && index + 1 < text.size && at[index + 1] < 0xa0;
        (void)fputc(control || control_c1 ? '?' : byte, stream);
        index += control_c1 ? 1 : 0;
    }
    return count;
}

static void say_line(const char *text)
{
    (void)say_text(stderr, (struct span){text, strlen(text)}, SIZE_MAX);
    (void)fputc('\n', stderr);
}

int say_exit_code(enum fault_class class)
{
    switch (class) {
    case FAULT_CLASS_NONE:
        return EXIT_DONE;
    case FAULT_CLASS_USAGE:
        return EXIT_USAGE;
    case FAULT_CLASS_HALT:
        return EXIT_HALTED;
    case FAULT_CLASS_UNAVAILABLE:
        return 69;
    case FAULT_CLASS_BUG:
        return 70;
    case FAULT_CLASS_IO:
        return EXIT_IO;
    case FAULT_CLASS_TEMPORARY:
        return 75;
    case FAULT_CLASS_PERMISSION:
        return 77;
    case FAULT_CLASS_CONFIG:
        return 78;
    }
    return 70;
}

int say_fault(const struct fault *fault)
{
    say_level(stderr, "error");
    (void)fprintf(stderr, "[%s]: ", fault_code_text(fault->code));
    say_line(fault->text);
    (void)fputs("      next: ", stderr);
    say_line(fault->next[0] != '\0' ? fault->next : fault_code_next(fault->code));
    return say_exit_code(fault_code_class(fault->code));
}

int say_usage(const char *command, const char *format, ...)
{
    char text[SAY_LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    say_level(stderr, "error");
    (void)fprintf(stderr, "[%s]: ", fault_code_text(FAULT_USAGE));
    say_line(text);
    (void)fprintf(stderr, "      next: payonce %s%s\n", command,
                  command[0] == '\0' ? "help" : " --help");
    return EXIT_USAGE;
}

void say_warning(const char *format, ...)
{
    char text[SAY_LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    say_level(stderr, "warn");
    (void)fputs(": ", stderr);
    say_line(text);
}

void say_note(const char *format, ...)
{
    char text[SAY_LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)fputs("note: ", stderr);
    say_line(text);
}

void say_grouped(const char *number, char *ret_text, size_t size)
{
    size_t whole = strcspn(number, ".");
    size_t used = 0;

    for (size_t index = 0; number[index] != '\0' && used + 2 < size; index++) {
        if (index > 0 && index < whole && (whole - index) % 3 == 0 && number[index - 1] != '-') {
            ret_text[used++] = ',';
        }
        ret_text[used++] = number[index];
    }
    ret_text[used] = '\0';
}

int say_end(int exit_code)
{
    struct fault fault;

    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return exit_code;
    }
    (void)fault_is(&fault, BROKEN, FAULT_OUTPUT, "standard output: %s", strerror(errno));
    int failed = say_fault(&fault);
    return exit_code == EXIT_DONE ? failed : exit_code;
}
