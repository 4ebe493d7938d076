#include "cmd/run_reconcile.h"

#include "cmd/ledger_view.h"
#include "engine/events.h"
#include "engine/reconcile.h"
#include "os/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { MATCH_BYTES = 256 * 1024 * 1024, TOLD_MAX = 5, BREATH_MS = 1 };

struct run_reconcile {
    const struct config *config;
    const struct log *log;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    atomic_bool stopped;
};

static struct run_reconcile reconciling;

static void tell_findings(const struct log *log, const struct reconcile_report *report)
{
    struct engine_event event;

    for (size_t kind = 0; kind < RECONCILE_KINDS; kind++) {
        for (size_t index = 0; index < report->told[kind]; index++) {
            event_begin(&event, "reconcile_mismatch", ENGINE_ERROR);
            event_word(&event, "kind", reconcile_kind_name((enum reconcile_kind)kind));
            event_number(&event, "found", report->found[kind]);
            event_word(&event, "what", report->findings[kind * TOLD_MAX + index].text);
            log_own(log, &event);
        }
    }
}

static void tell(const struct log *log, const struct reconcile_report *report, int64_t took_ns)
{
    bool good = reconcile_good(report);
    struct engine_event event;

    tell_findings(log, report);
    event_begin(&event, good ? "reconciled" : "not_reconciled", good ? ENGINE_INFO : ENGINE_ERROR);
    event_number(&event, "epoch", report->epoch);
    for (size_t verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        event_number(&event, verdict_name((enum verdict)verdict), report->counts[verdict]);
    }
    event_number(&event, "windows", report->windows);
    event_seconds(&event, "took", took_ns / 1000000);
    if (!good) {
        event_word(&event, "next", "payonce reconcile");
    }
    log_own(log, &event);
}

static void pause_for(struct run_reconcile *state, int64_t pause_ms)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + pause_ms % 1000 * 1000000;
    until.tv_sec += pause_ms / 1000 + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    (void)pthread_mutex_lock(&state->mutex);
    bool time_left = true;
    while (time_left && !atomic_load(&state->stopped)) {
        time_left = pthread_cond_timedwait(&state->changed, &state->mutex, &until) == 0;
    }
    (void)pthread_mutex_unlock(&state->mutex);
}

/* Once through. LATER: broken off, or the ledger was busy: at the next turn. */
static enum outcome look(struct run_reconcile *state, struct sink *ledger, struct fault *ret_fault)
{
    int64_t started_ns = clock_steady_ns(&clock_real);
    struct reconcile_settings asked = {
        .ledger = ledger, .list_max = TOLD_MAX, .match_bytes = MATCH_BYTES};
    struct reconcile *reconcile;
    enum outcome outcome = reconcile_open(&asked, &reconcile, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    do {
        outcome = reconcile_step(reconcile, ret_fault);
        pause_for(state, BREATH_MS); /* Payments come first. */
    } while (outcome == LATER && !atomic_load(&state->stopped));
    if (outcome == DONE) {
        tell(state->log, reconcile_report(reconcile), clock_steady_ns(&clock_real) - started_ns);
    }
    reconcile_close(reconcile);
    return outcome;
}

static void *run(void *argument)
{
    struct run_reconcile *state = argument;
    const struct config *config = state->config;

    for (;;) {
        struct ledger_view view;
        struct fault fault;
        pause_for(state, config->engine.reconcile_every_ms);
        if (atomic_load(&state->stopped)) {
            return NULL;
        }
        enum outcome outcome =
            ledger_view_open(&view, config->sink_type_names[0], &config->engine.sinks[0], &fault);
        if (outcome == DONE) {
            outcome = look(state, view.sink, &fault);
            ledger_view_close(&view);
        }
        if (outcome == BROKEN) {
            log_fault(state->log, "reconcile_failed", &fault);
        }
    }
}

struct run_reconcile *run_reconcile_start(const struct config *config, const struct log *log)
{
    pthread_condattr_t monotonic;

    if (config->engine.reconcile_every_ms == 0 || config->engine.sinks[0].cursors_only) {
        return NULL;
    }
    reconciling.config = config;
    reconciling.log = log;
    (void)pthread_mutex_init(&reconciling.mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&reconciling.changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    int error = pthread_create(&reconciling.thread, NULL, run, &reconciling);
    if (error != 0) {
        struct fault fault;
        (void)fault_is(&fault, BROKEN, FAULT_MEMORY, "no thread to reconcile: %s", strerror(error));
        log_fault(log, "reconcile_failed", &fault);
        return NULL;
    }
    return &reconciling;
}

void run_reconcile_stop(struct run_reconcile *state)
{
    if (state == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&state->mutex);
    atomic_store(&state->stopped, true);
    (void)pthread_cond_broadcast(&state->changed);
    (void)pthread_mutex_unlock(&state->mutex);
    (void)pthread_join(state->thread, NULL);
}
