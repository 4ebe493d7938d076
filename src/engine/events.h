/*
 * events: what happened, on its way to whoever speaks to people.
 *
 * A bounded queue; any thread puts, one takes. Full: the newest is not taken in, and counted
 * (the next one says how many are missing). Nobody ever waits to tell something.
 */
#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include "engine/engine.h"

#include <pthread.h>

enum { EVENTS_MAX = 256 };

struct events {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct clock *clock; /* Borrowed. */
    size_t first;
    size_t count;
    uint64_t missing;
    struct engine_event items[EVENTS_MAX];
};

void events_init(struct events *events, struct clock *clock);
void events_destroy(struct events *events);

/* Begin one, add to it, put it. What does not fit any more is left out whole. */
void event_begin(struct engine_event *event, const char *name, enum engine_level level);
void event_number(struct engine_event *event, const char *key, uint64_t value);
void event_text(struct engine_event *event, const char *key, struct span text);
void event_word(struct engine_event *event, const char *key, const char *text);

/* code, reason, error and next: what happened, its name, and what to do about it. */
void event_fault(struct engine_event *event, const struct fault *fault);

/* Milliseconds as seconds: 6.823s. */
void event_seconds(struct engine_event *event, const char *key, int64_t ms);

/* An account as it may be shown: at most six characters, then ****. */
void event_account(struct engine_event *event, const char *key, struct span account);

void events_put(struct events *events, struct engine_event *event);

/* False: none within the time. */
bool events_take(struct events *events, struct engine_event *ret_event, int64_t timeout_ms);

#endif
