/*
 * say: the one place that words and prints what people read on stderr.
 *
 * Results go to stdout by whoever has them; everything else comes through here. Each failure
 * ends with a line `next:`. Text from outside is shown with its control characters as '?', so
 * that no file name and no payment can drive a terminal.
 */
#ifndef CMD_SAY_H
#define CMD_SAY_H

#include "base/fault.h"

#include <stdio.h>

enum {
    EXIT_DONE = 0,
    EXIT_NO = 1, /* It ran, and the answer is no. */
    EXIT_USAGE = 2,
    EXIT_HALTED = 65,
    EXIT_IO = 74,
};

/* error[J002]: what, where; and next. Returns the exit code of the fault's class. */
int say_fault(const struct fault *fault);
int say_exit_code(enum fault_class class);

/* error[U001]: wrong command line; next: payonce COMMAND --help. Returns EXIT_USAGE. */
int say_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* warn: ... and note: ..., one line each. */
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "error", "warn" in its colour where there may be colour: a terminal, and no NO_COLOR. */
void say_level(FILE *stream, const char *level);
bool say_coloured(FILE *stream);

/* At most width characters of the text; returns how many were printed. */
size_t say_text(FILE *stream, struct span text, size_t width);

/* "1234567.50" as "1,234,567.50"; for people only. */
void say_grouped(const char *number, char *ret_text, size_t size);

/* Has all that was printed on stdout arrived? Says so if not. */
int say_end(int exit_code);

#endif
