/*
 * log: what happens while payonce runs, one line each on stderr.
 *
 * On a terminal as text, else as JSON (setting log.format). A line a change of state, never one a
 * payment. Names and keys are stable. What comes from outside is escaped by whoever makes the
 * event (engine/events.h), and looked over here once more. Any thread may log.
 */
#ifndef CMD_LOG_H
#define CMD_LOG_H

#include "cmd/config.h"
#include "engine/engine.h"

#include <stdio.h>

struct log {
    FILE *stream;
    bool json;
    enum log_level level; /* What is below it is not said. */
};

void log_open(struct log *log, FILE *stream, enum log_format format, enum log_level level);

void log_event(const struct log *log, const struct engine_event *event);

/* An event of our own, as it is now. */
void log_own(const struct log *log, struct engine_event *event);

/* The line of a fault: name, code, error, next. */
void log_fault(const struct log *log, const char *name, const struct fault *fault);

#endif
