#include "cmd/run.h"

#include "base/instant.h"
#include "base/plural.h"
#include "cmd/decide.h"
#include "cmd/json_line.h"
#include "cmd/open_files.h"
#include "cmd/progress.h"
#include "cmd/run_reconcile.h"
#include "cmd/say.h"
#include "cmd/version.h"
#include "engine/events.h"
#include "os/clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_MS = 100, DECISIONS_LOOKS = 4 /* Between two looks whether somebody has decided. */ };

/* Shared with the thread that takes signals. */
struct watch {
    sigset_t signals;
    const struct log *log;
    pthread_mutex_t mutex; /* Guards the engine, which comes and goes. */
    struct engine *engine; /* NULL: none runs now. */
    atomic_int stopped_by; /* The first signal; 0: none yet. */
    atomic_bool over;
};

static struct watch watch = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Blocked here, and so in all threads to come, but for the one that waits for them. */
static void block_signals(void)
{
    struct sigaction hangup;

    (void)sigemptyset(&watch.signals);
    (void)sigaddset(&watch.signals, SIGINT);
    (void)sigaddset(&watch.signals, SIGTERM);
    (void)sigaction(SIGHUP, NULL, &hangup);
    if (hangup.sa_handler != SIG_IGN) { /* Else nohup is meant. */
        (void)sigaddset(&watch.signals, SIGHUP);
    }
    (void)pthread_sigmask(SIG_BLOCK, &watch.signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Twice asked: go at once. What is sealed is safe, what is not never happened. */
static _Noreturn void go_at_once(int signal_number)
{
    static const char text[] = "stopped at once. That is safe: what was sealed is kept, the rest "
                               "is read again at the next start\n";
    sigset_t signals;

    ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)written;
    (void)signal(signal_number, SIG_DFL);
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, signal_number);
    (void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    (void)raise(signal_number);
    _exit(128 + signal_number);
}

static void log_stop(int signal_number)
{
    struct engine_event event;

    event_begin(&event, "stopping", ENGINE_INFO);
    event_word(&event, "signal",
               signal_number == SIGINT   ? "SIGINT"
               : signal_number == SIGHUP ? "SIGHUP"
                                         : "SIGTERM");
    log_own(watch.log, &event);
}

static void stop_engine(void)
{
    (void)pthread_mutex_lock(&watch.mutex);
    if (watch.engine != NULL) {
        engine_stop(watch.engine);
    }
    (void)pthread_mutex_unlock(&watch.mutex);
}

/* From now on a signal stops this one; NULL: none. */
static void watch_engine(struct engine *engine)
{
    (void)pthread_mutex_lock(&watch.mutex);
    watch.engine = engine;
    (void)pthread_mutex_unlock(&watch.mutex);
    if (atomic_load(&watch.stopped_by) != 0) {
        stop_engine();
    }
}

static void *take_signals(void *unused)
{
    (void)unused;
    for (;;) {
        int signal_number = 0;
        if (sigwait(&watch.signals, &signal_number) != 0) {
            continue;
        }
        if (atomic_load(&watch.over)) {
            return NULL;
        }
        if (atomic_load(&watch.stopped_by) != 0) {
            go_at_once(signal_number);
        }
        atomic_store(&watch.stopped_by, signal_number);
        log_stop(signal_number);
        stop_engine();
    }
}

static bool stop_asked(void)
{
    return atomic_load(&watch.stopped_by) != 0;
}

static void log_start(const struct log *log, const struct config *config)
{
    struct engine_event event;

    event_begin(&event, "starting", ENGINE_INFO);
    event_word(&event, "version", PAYONCE_VERSION);
    event_word(&event, "config", config->file == NULL ? "none" : config->file->name);
    event_word(&event, "pipeline", config->engine.pipeline);
    event_word(&event, "data_dir", config->engine.data_dir);
    event_word(&event, "ledger", config->engine.sinks[0].path);
    event_number(&event, "pid", (uint64_t)getpid());
    log_own(log, &event);
}

/* What is odd about the configuration, and no mistake. */
static void log_warnings(const struct log *log, const struct config *config)
{
    for (size_t index = 0; index < config->said_count; index++) {
        const struct config_error *error = &config->errors[index];
        struct engine_event event;
        event_begin(&event, "config_warning", ENGINE_WARN);
        event_word(&event, "code", fault_code_text(error->code));
        event_word(&event, "what", error->sentence);
        if (error->next[0] != '\0') {
            event_word(&event, "next", error->next);
        }
        log_own(log, &event);
    }
}

static uint64_t sum_of(const uint64_t verdicts[TALLY_COUNT])
{
    uint64_t sum = 0;

    for (size_t tally = 0; tally < TALLY_COUNT; tally++) {
        sum += verdicts[tally];
    }
    return sum;
}

/* Of all that was read, what this run has added. */
static uint64_t read_now(const struct engine_gauges *gauges)
{
    return sum_of(gauges->verdicts) - sum_of(gauges->found);
}

static void say_end_json(const struct engine_gauges *gauges, const char *end)
{
    struct json_line object;

    json_line_start(&object, stdout);
    json_line_text(&object, "end", end);
    json_line_number(&object, "read", sum_of(gauges->verdicts));
    json_line_number(&object, "new", read_now(gauges));
    for (size_t tally = 0; tally < TALLY_COUNT; tally++) {
        json_line_number(&object, verdict_name((enum verdict)tally), gauges->verdicts[tally]);
    }
    json_line_number(&object, "gap", gauges->gap);
    json_line_number(&object, "epoch", gauges->epoch);
    json_line_number(&object, "ledger_epoch", gauges->ledger_epoch);
    json_line_end(&object);
}

/*
 * The counts of the whole history, as they are what the tables hold; and how much of it is new, if
 * there was any before.
 */
static void say_end_text(const struct engine_gauges *gauges, const char *end, int64_t took_ms)
{
    char text[QUANTITY_TEXT_SIZE];

    quantity_say(QUANTITY_COUNT, (int64_t)sum_of(gauges->verdicts), text);
    (void)printf("%s  read %s", end, text);
    if (sum_of(gauges->found) > 0) {
        quantity_say(QUANTITY_COUNT, (int64_t)read_now(gauges), text);
        (void)printf(" (new: %s)", text);
    }
    for (size_t tally = 0; tally < TALLY_COUNT; tally++) {
        quantity_say(QUANTITY_COUNT, (int64_t)gauges->verdicts[tally], text);
        (void)printf("%s %s %s", tally == 0 ? ":" : ",", verdict_name((enum verdict)tally), text);
    }
    if (gauges->gap > 0) {
        quantity_say(QUANTITY_COUNT, (int64_t)gauges->gap, text);
        (void)printf(", gap %s", text);
    }
    (void)printf("  (epoch %llu, %lld.%lld s)\n", (unsigned long long)gauges->epoch,
                 (long long)(took_ms / 1000), (long long)(took_ms % 1000 / 100));
}

/*
 * A halt waits for a person: alive, so that nobody restarts it, and saying so. True: somebody has
 * decided something since the start before which so much waited; false: an end was asked for.
 */
static bool wait_halted(const struct config *config, const struct log *log, uint64_t waited)
{
    const char *data_dir = config->engine.data_dir;
    struct engine_event event;
    uint64_t waits = waited;

    event_begin(&event, "halted_waiting", ENGINE_ERROR);
    event_word(&event, "note",
               "nothing is read and nothing is lost; mend it, then stop this process (SIGTERM) and "
               "start it again; what accept-gap and adopt-topic decide it takes by itself");
    log_own(log, &event);
    while (atomic_load(&watch.stopped_by) == 0 && (waits == 0 || waits == waited)) {
        for (int look = 0; look < DECISIONS_LOOKS && atomic_load(&watch.stopped_by) == 0; look++) {
            (void)usleep(LOOK_MS * 1000);
        }
        waits = decide_waiting(data_dir);
    }
    return atomic_load(&watch.stopped_by) == 0;
}

/* Of files it is known how much there is to read. */
static void say_progress(struct progress *progress, const struct engine_gauges *gauges)
{
    if (gauges->input_total > 0) {
        progress_say(progress, QUANTITY_SIZE, gauges->input_bytes, gauges->input_total);
    } else {
        progress_say(progress, QUANTITY_COUNT, read_now(gauges), 0);
    }
}

/* Events as they come, until the end. */
static enum engine_end attend(struct engine *engine, const struct log *log,
                              const struct config *config, struct progress *progress,
                              struct fault *ret_fault)
{
    enum engine_end end;
    struct engine_event event;

    do {
        end = engine_end(engine, ret_fault);
        while (engine_event(engine, &event, end == ENGINE_RUNNING ? LOOK_MS : 0)) {
            progress_end(progress);
            log_event(log, &event);
        }
        struct engine_gauges gauges;
        engine_gauges(engine, &gauges);
        if (config->engine.until_caught_up) {
            say_progress(progress, &gauges);
        }
    } while (end == ENGINE_RUNNING);
    progress_end(progress);
    return end;
}

/* Whoever reads a first file of their own should not have to guess why nothing came of it. */
static void say_invalid(const struct engine_gauges *gauges, const struct config *config)
{
    uint64_t invalid = gauges->verdicts[INVALID] - gauges->found[INVALID];
    char texts[2][QUANTITY_TEXT_SIZE];

    if (invalid == 0 || config->engine.sinks[0].cursors_only) {
        return;
    }
    quantity_say(QUANTITY_COUNT, (int64_t)invalid, texts[0]);
    quantity_say(QUANTITY_COUNT, (int64_t)read_now(gauges), texts[1]);
    (void)printf("      %s of %s new message%s could not be used; each has a row that says why: "
                 "sqlite3 %s 'SELECT error_message, count(*) FROM error_log GROUP BY 1'\n",
                 texts[0], texts[1], plural(read_now(gauges)), config->engine.sinks[0].path);
}

/* A follower that has halted holds up nobody, but it has not caught up. */
static bool sink_halted(const struct engine_gauges *gauges, const struct config *config,
                        struct fault *ret_fault)
{
    for (size_t index = 1; index < config->engine.sink_count; index++) {
        const struct engine_sink_gauges *sink = &gauges->sinks[index];
        if (sink->halted != FAULT_NONE) {
            (void)fault_is(ret_fault, BROKEN, sink->halted,
                           "sink \"%s\" has halted at epoch %llu of %llu; why, it said above",
                           config->engine.sinks[index].name, (unsigned long long)sink->epoch,
                           (unsigned long long)gauges->epoch);
            return true;
        }
    }
    return false;
}

static int tell_end(enum engine_end end, const struct engine_gauges *gauges, int64_t took_ms,
                    const struct fault *fault, const struct config *config, bool quiet, bool json)
{
    const char *word = end == ENGINE_CAUGHT_UP ? "done"
                       : end == ENGINE_STOPPED ? "stopped"
                       : end == ENGINE_HALTED  ? "halted"
                                               : "failed";

    if (json) {
        say_end_json(gauges, word);
    } else if (!quiet) {
        say_end_text(gauges, word, took_ms);
        say_invalid(gauges, config);
    }
    struct fault halted;
    if (end == ENGINE_CAUGHT_UP && sink_halted(gauges, config, &halted)) {
        return say_fault(&halted);
    }
    return end == ENGINE_CAUGHT_UP || end == ENGINE_STOPPED ? EXIT_DONE : say_fault(fault);
}

static void end_watch(pthread_t thread)
{
    atomic_store(&watch.over, true);
    (void)pthread_kill(thread, SIGTERM);
    (void)pthread_join(thread, NULL);
}

/* It did not start. A halt still waits for a person, unless an end was asked for. */
static bool not_started(const struct config *config, const struct log *log,
                        const struct fault *fault, uint64_t waited, int *ret_exit)
{
    bool halt = fault_code_class(fault->code) == FAULT_CLASS_HALT;

    if (halt && !config->engine.until_caught_up) {
        log_fault(log, "halted", fault);
        if (wait_halted(config, log, waited)) {
            return true;
        }
    }
    bool waited_for = fault_code_class(fault->code) == FAULT_CLASS_UNAVAILABLE;
    *ret_exit = waited_for && stop_asked() ? EXIT_DONE : say_fault(fault);
    return false;
}

/* From a start to an end. True: it has halted, and a person has decided: once more. */
static bool run_once(const struct config *config, const struct log *log, bool quiet, bool json,
                     int *ret_exit)
{
    int64_t started_ns = clock_steady_ns(&clock_real);
    uint64_t waited = decide_waiting(config->engine.data_dir);
    struct engine_gauges gauges;
    struct progress progress;
    struct fault fault;
    struct engine *engine = NULL;

    if (open_files_fit(config->engine.path_count, &fault) != DONE ||
        engine_start(&config->engine, &engine, &fault) != DONE) {
        return not_started(config, log, &fault, waited, ret_exit);
    }
    watch_engine(engine);
    struct run_reconcile *reconciling = run_reconcile_start(config, log);
    progress_init(&progress, "run", quiet);
    enum engine_end end = attend(engine, log, config, &progress, &fault);
    engine_gauges(engine, &gauges);
    bool again =
        end == ENGINE_HALTED && !config->engine.until_caught_up && wait_halted(config, log, waited);
    run_reconcile_stop(reconciling);
    watch_engine(NULL);
    engine_close(engine);
    if (!again) {
        *ret_exit = tell_end(end, &gauges, (clock_steady_ns(&clock_real) - started_ns) / 1000000,
                             &fault, config, quiet, json);
    }
    return again;
}

int run_engine(struct config *config, const struct log *log, bool quiet, bool json)
{
    pthread_t thread;
    int exit_code = EXIT_DONE;

    watch.log = log;
    config->engine.stop_asked = stop_asked;
    block_signals();
    log_start(log, config);
    log_warnings(log, config);
    bool watched = pthread_create(&thread, NULL, take_signals, NULL) == 0;
    must(watched);
    while (run_once(config, log, quiet, json, &exit_code)) {
    }
    end_watch(thread);
    return exit_code;
}
