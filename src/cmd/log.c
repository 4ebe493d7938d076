#include "cmd/log.h"

#include "base/instant.h"
#include "cmd/json_line.h"
#include "cmd/say.h"
#include "engine/events.h"
#include "os/clock.h"

#include <string.h>
#include <unistd.h>

enum { NAME_WIDTH = 18, VALUE_SIZE = ENGINE_EVENT_TEXT };

static const char *const levels[] = {"info", "warn", "error"};
static const char *const severities[] = {"INFO", "WARNING", "ERROR"};

_Static_assert((int)ENGINE_INFO == (int)LOG_INFO && (int)ENGINE_ERROR == (int)LOG_ERROR,
               "an event's level is a log level");

/* Keys whose values are counts: numbers in JSON, too. An id may look like a number and is none. */
static const char *const counts[] = {
    "accepted",
    "conflict",
    "duplicate",
    "duplicates_written",
    "epoch",
    "epochs",
    "found",
    "future",
    "ids",
    "invalid",
    "late",
    "ledger_epoch",
    "pid",
    "read",
    "records",
    "rows",
    "skipped",
    "sources",
    "state_bytes",
    "state_entries",
    "truncated_bytes",
    "undelivered",
    "windows",
    "events_missing",
    "times",
};

void log_open(struct log *log, FILE *stream, enum log_format format, enum log_level level)
{
    bool text = format == LOG_TEXT || (format == LOG_AUTO && isatty(fileno(stream)) == 1);

    *log = (struct log){.stream = stream, .json = !text, .level = level};
}

static bool is_count(const char *key, const char *value)
{
    size_t size = strlen(value);

    if (size == 0 || size > 15 || strspn(value, "0123456789") != size ||
        (size > 1 && value[0] == '0')) {
        return false;
    }
    for (size_t index = 0; index < sizeof(counts) / sizeof(counts[0]); index++) {
        if (strcmp(counts[index], key) == 0) {
            return true;
        }
    }
    return false;
}

static unsigned hex_digit(char letter)
{
    return (unsigned)(letter <= '9' ? letter - '0' : (letter | 32) - 'a' + 10);
}

/* Take the escapes out of a value: \" \\ \xhh. Returns where it ends. */
static const char *read_value(const char *at, char ret_value[VALUE_SIZE])
{
    bool quoted = *at == '"';
    size_t size = 0;

    for (at += quoted ? 1 : 0; *at != '\0' && *at != (quoted ? '"' : ' '); at++) {
        if (at[0] == '\\' && at[1] == 'x' && at[2] != '\0' && at[3] != '\0') {
            ret_value[size++] = (char)(hex_digit(at[2]) << 4 | hex_digit(at[3]));
            at += 3;
        } else {
            at += at[0] == '\\' && at[1] != '\0' ? 1 : 0;
            ret_value[size++] = *at;
        }
    }
    ret_value[size] = '\0';
    at += *at == '"' ? 1 : 0;
    return at + strspn(at, " ");
}

static void write_json(const struct log *log, const struct engine_event *event, const char *time)
{
    struct json_line object;
    char value[VALUE_SIZE];

    json_line_start(&object, log->stream);
    json_line_text(&object, "time", time);
    json_line_text(&object, "level", levels[event->level]);
    json_line_text(&object, "severity", severities[event->level]);
    json_line_text(&object, "event", event->name);
    for (const char *at = event->text; *at != '\0';) {
        char key[64];
        size_t size = strcspn(at, "=");
        if (at[size] != '=' || size == 0 || size >= sizeof(key)) {
            break;
        }
        memcpy(key, at, size);
        key[size] = '\0';
        at = read_value(at + size + 1, value);
        if (is_count(key, value)) {
            json_line_key(&object, key);
            (void)fputs(value, log->stream);
        } else {
            json_line_text(&object, key, value);
        }
    }
    json_line_end(&object);
}

static void write_text(const struct log *log, const struct engine_event *event, const char *time)
{
    const char *level = levels[event->level];

    (void)fprintf(log->stream, "%s ", time);
    say_level(log->stream, level);
    (void)fprintf(log->stream, "%*s %-*s ", 5 - (int)strlen(level), "", NAME_WIDTH, event->name);
    (void)say_text(log->stream, (struct span){event->text, strlen(event->text)}, SIZE_MAX);
    (void)fputc('\n', log->stream);
}

void log_event(const struct log *log, const struct engine_event *event)
{
    char time[INSTANT_TEXT_SIZE];

    if ((int)event->level < (int)log->level) {
        return;
    }
    instant_write(event->wall_ms, time);
    flockfile(log->stream);
    if (log->json) {
        write_json(log, event, time);
    } else {
        write_text(log, event, time);
    }
    (void)fflush(log->stream);
    funlockfile(log->stream);
}

void log_own(const struct log *log, struct engine_event *event)
{
    event->wall_ms = clock_wall_ms(&clock_real);
    log_event(log, event);
}

void log_fault(const struct log *log, const char *name, const struct fault *fault)
{
    struct engine_event event;

    event_begin(&event, name, ENGINE_ERROR);
    event_fault(&event, fault);
    log_own(log, &event);
}
