#include "engine/events.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ACCOUNT_SHOWN = 6, VALUE_SIZE_MAX = 200 };

void events_init(struct events *events, struct clock *clock)
{
    pthread_condattr_t monotonic;

    events->clock = clock;
    events->first = 0;
    events->count = 0;
    events->missing = 0;
    (void)pthread_mutex_init(&events->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&events->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

void events_destroy(struct events *events)
{
    (void)pthread_cond_destroy(&events->changed);
    (void)pthread_mutex_destroy(&events->mutex);
}

void event_begin(struct engine_event *event, const char *name, enum engine_level level)
{
    event->name = name;
    event->level = level;
    event->wall_ms = 0;
    event->text[0] = '\0';
}

static void add(struct engine_event *event, const char *key, const char *value)
{
    size_t used = strlen(event->text);
    size_t room = sizeof(event->text) - used;
    int size = snprintf(event->text + used, room, "%s%s=%s", used > 0 ? " " : "", key, value);

    if (size < 0 || (size_t)size >= room) {
        event->text[used] = '\0';
    }
}

void event_number(struct engine_event *event, const char *key, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    add(event, key, text);
}

void event_fault(struct engine_event *event, const struct fault *fault)
{
    event_word(event, "code", fault_code_text(fault->code));
    event_word(event, "reason", fault_code_name(fault->code));
    event_word(event, "error", fault->text);
    event_word(event, "next", fault->next[0] != '\0' ? fault->next : fault_code_next(fault->code));
}

void event_seconds(struct engine_event *event, const char *key, int64_t ms)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%lld.%03llds", (long long)(ms / 1000),
                   (long long)(ms % 1000));
    add(event, key, text);
}

static bool plain(unsigned char letter)
{
    return letter > ' ' && letter < 0x7f && letter != '"' && letter != '\\' && letter != '=';
}

/* Quoted where a reader could be misled; control and non-ASCII bytes as \xhh. */
void event_text(struct engine_event *event, const char *key, struct span text)
{
    char value[4 * VALUE_SIZE_MAX + 4] = "\"";
    const unsigned char *bytes = text.at;
    size_t used = 1;
    bool quoted = text.size == 0;

    for (size_t index = 0; index < text.size && index < VALUE_SIZE_MAX; index++) {
        quoted = quoted || !plain(bytes[index]);
        if (bytes[index] == '"' || bytes[index] == '\\') {
            value[used++] = '\\';
            value[used++] = (char)bytes[index];
        } else if (bytes[index] >= ' ' && bytes[index] < 0x7f) {
            value[used++] = (char)bytes[index];
        } else {
            used += (size_t)snprintf(value + used, sizeof(value) - used, "\\x%02x", bytes[index]);
        }
    }
    if (quoted) {
        value[used++] = '"';
    }
    value[used] = '\0';
    add(event, key, quoted ? value : value + 1);
}

void event_word(struct engine_event *event, const char *key, const char *text)
{
    event_text(event, key, (struct span){text, strlen(text)});
}

void event_account(struct engine_event *event, const char *key, struct span account)
{
    char shown[ACCOUNT_SHOWN + 4];
    size_t size = account.size / 2 < ACCOUNT_SHOWN ? account.size / 2 : ACCOUNT_SHOWN;

    if (size > 0) {
        memcpy(shown, account.at, size);
    }
    memcpy(shown + size, "****", 4);
    event_text(event, key, (struct span){shown, size + 4});
}

void events_put(struct events *events, struct engine_event *event)
{
    event->wall_ms = clock_wall_ms(events->clock);
    (void)pthread_mutex_lock(&events->mutex);
    if (events->count == EVENTS_MAX) {
        events->missing++;
    } else {
        if (events->missing > 0) {
            event_number(event, "events_missing", events->missing);
            events->missing = 0;
        }
        events->items[(events->first + events->count++) % EVENTS_MAX] = *event;
        (void)pthread_cond_broadcast(&events->changed);
    }
    (void)pthread_mutex_unlock(&events->mutex);
}

bool events_take(struct events *events, struct engine_event *ret_event, int64_t timeout_ms)
{
    struct timespec moment;
    bool time_left = timeout_ms > 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &moment);
    int64_t nanoseconds = moment.tv_nsec + timeout_ms % 1000 * 1000000;
    moment.tv_sec += timeout_ms / 1000 + nanoseconds / 1000000000;
    moment.tv_nsec = nanoseconds % 1000000000;
    (void)pthread_mutex_lock(&events->mutex);
    while (events->count == 0 && time_left) {
        time_left = pthread_cond_timedwait(&events->changed, &events->mutex, &moment) == 0;
    }
    bool there = events->count > 0;
    if (there) {
        *ret_event = events->items[events->first];
        events->first = (events->first + 1) % EVENTS_MAX;
        events->count--;
    }
    (void)pthread_mutex_unlock(&events->mutex);
    return there;
}
