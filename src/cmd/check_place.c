#include "cmd/check.h"

#include "cmd/ledger_view.h"
#include "os/clock.h"
#include "os/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    FSYNC_TRIES = 3,
    PLACE_SIZE = ENGINE_PATH_MAX + 64,
    FSYNC_SLOW_MS = 20,
    /* Measured on simulated payments: what a byte of input becomes on disk, in tenths. */
    GROWTH_TENTHS = 20,
};

#define FREE_LEAST (INT64_C(64) * 1024 * 1024)

/* The directory a path stands in; "." for a bare name. */
static void parent_of(const char *path, char ret_parent[PLACE_SIZE])
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        (void)strcpy(ret_parent, ".");
    } else {
        size_t size = slash == path ? 1 : (size_t)(slash - path);
        (void)snprintf(ret_parent, PLACE_SIZE, "%.*s", (int)size, path);
    }
}

/* Of the path, or of the directory it will be made in. */
static bool volume_of(const char *path, struct stat *ret_status)
{
    char parent[PLACE_SIZE];

    if (stat(path, ret_status) == 0) {
        return true;
    }
    parent_of(path, parent);
    return stat(parent, ret_status) == 0;
}

static bool free_of(const char *path, uint64_t *ret_bytes)
{
    struct statvfs status;
    char parent[PLACE_SIZE];

    parent_of(path, parent);
    if (statvfs(path, &status) != 0 && statvfs(parent, &status) != 0) {
        return false;
    }
    *ret_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    return true;
}

/* The fastest of some: what the volume can do, not who else was busy. -1: it failed. */
static int64_t time_fsync(const char *directory, struct fault *ret_fault)
{
    static const char block[4096];
    char path[PLACE_SIZE];
    int64_t best_ns = -1;

    (void)snprintf(path, sizeof(path), "%s/.payonce-check-%ld", directory, (long)getpid());
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        (void)fault_is(ret_fault, BROKEN, FAULT_DATA_DIR, "%s cannot be written: %s", directory,
                       strerror(errno));
        return -1;
    }
    for (int count = 0; count < FSYNC_TRIES; count++) {
        ssize_t size = write(file, block, sizeof(block));
        int64_t started_ns = clock_steady_ns(&clock_real);
        if (size != (ssize_t)sizeof(block) || fdatasync(file) != 0) {
            (void)fault_is(ret_fault, BROKEN, FAULT_JOURNAL_IO, "%s: %s", directory,
                           strerror(errno));
            best_ns = -1;
            break;
        }
        int64_t took_ns = clock_steady_ns(&clock_real) - started_ns;
        best_ns = best_ns < 0 || took_ns < best_ns ? took_ns : best_ns;
    }
    (void)close(file);
    (void)unlink(path);
    return best_ns;
}

/* A directory that is not there yet will be made: can it? */
static void check_new_data_dir(struct check *check, const char *data_dir)
{
    char parent[PLACE_SIZE];
    struct fault fault;

    parent_of(data_dir, parent);
    if (access(parent, W_OK | X_OK) == 0) {
        check_say(check, CHECK_OK, "data_dir", "%s  is not there yet and will be made", data_dir);
        return;
    }
    (void)fault_is(&fault, BROKEN, FAULT_DATA_DIR, "%s is not there and cannot be made: %s: %s",
                   data_dir, parent, strerror(errno));
    check_fault(check, "data_dir", &fault);
}

static void check_lock(struct check *check, const char *data_dir)
{
    char path[PLACE_SIZE];
    char holder[LOCK_HOLDER_SIZE];

    (void)snprintf(path, sizeof(path), "%s/lock", data_dir);
    if (lock_holder(path, holder)) {
        check_say(check, CHECK_OK, "data_dir", "payonce is running on it: %s", holder);
    }
}

void check_data_dir(struct check *check)
{
    const char *data_dir = check->config->engine.data_dir;
    char texts[QUANTITY_TEXT_SIZE];
    struct stat status;
    struct fault fault;
    uint64_t bytes = 0;

    if (stat(data_dir, &status) != 0 && errno == ENOENT) {
        check_new_data_dir(check, data_dir);
        return;
    }
    int64_t fsync_ns = time_fsync(data_dir, &fault);
    if (fsync_ns < 0) {
        check_fault(check, "data_dir", &fault);
        return;
    }
    (void)free_of(data_dir, &bytes);
    quantity_say(QUANTITY_SIZE, (int64_t)bytes, texts);
    if (bytes < (uint64_t)FREE_LEAST) {
        (void)fault_is(&fault, BROKEN, FAULT_DISK_SPACE, "%s has %s free", data_dir, texts);
        check_fault(check, "data_dir", &fault);
        return;
    }
    bool slow = fsync_ns > (int64_t)FSYNC_SLOW_MS * 1000000;
    check_say(check, slow ? CHECK_WARN : CHECK_OK, "data_dir",
              "%s  writable, %s free, fsync %lld.%lld ms%s", data_dir, texts,
              (long long)(fsync_ns / 1000000), (long long)(fsync_ns % 1000000 / 100000),
              slow ? ": a payment waits for at least one" : "");
    check_lock(check, data_dir);
}

/* Does the ledger have what this follower stands at? Where it was put back, it may get it yet. */
static bool on_history(const struct check *check, const struct sink_head *head)
{
    const struct engine_settings *engine = &check->config->engine;
    struct ledger_view view;
    struct fault fault;
    uint64_t found = 0;

    if (ledger_view_open(&view, check->config->sink_type_names[0], &engine->sinks[0], &fault) !=
        DONE) {
        return false;
    }
    bool asked = sink_find_chain(view.sink, &head->chain, &found, &fault) == DONE;
    ledger_view_close(&view);
    return asked && found > 0;
}

static void check_history(struct check *check, const char *what, struct ledger_view *view,
                          bool ledger)
{
    const struct sink_settings *sink = &view->sink->settings;
    const char *role = ledger ? "ledger" : "follows";
    struct sink_head head;
    struct fault fault;

    if (sink_read_head(view->sink, &head, &fault) != DONE) {
        check_fault(check, what, &fault);
    } else if (!head.exists && head.other_payments) {
        (void)fault_is(&fault, BROKEN, FAULT_LEDGER_OTHER_HISTORY,
                       "%s holds payments, but nothing of pipeline \"%s\"", sink->path,
                       sink->pipeline);
        check_fault(check, what, &fault);
    } else if (!ledger && head.epoch > 0 && !on_history(check, &head)) {
        check_say(check, CHECK_WARN, what, "%s   at epoch %llu, which the ledger does not have",
                  sink->path, (unsigned long long)head.epoch);
    } else if (head.exists) {
        check_say(check, CHECK_OK, what, "%s   %s, at epoch %llu", sink->path, role,
                  (unsigned long long)head.epoch);
    } else {
        check_say(check, CHECK_OK, what, "%s   %s, still empty", sink->path, role);
    }
}

static void check_sink(struct check *check, size_t index)
{
    const struct engine_settings *engine = &check->config->engine;
    const struct sink_settings *sink = &engine->sinks[index];
    const char *type = check->config->sink_type_names[index];
    char what[2 * SINK_NAME_MAX + 32];
    char parent[PLACE_SIZE];
    struct ledger_view view;
    struct stat status;
    struct fault fault;

    (void)snprintf(what, sizeof(what), "sink %s (%s)", sink->name, type);
    parent_of(sink->path, parent);
    if (sink->kafka != NULL || stat(sink->path, &status) == 0) {
        if (ledger_view_open(&view, type, sink, &fault) == DONE) {
            check_history(check, what, &view, index == 0);
            ledger_view_close(&view);
        } else {
            check_fault(check, what, &fault);
        }
    } else if (access(parent, W_OK | X_OK) == 0 || strcmp(parent, engine->data_dir) == 0) {
        check_say(check, CHECK_OK, what, "%s   %s, will be made", sink->path,
                  index == 0 ? "ledger" : "follows");
    } else {
        (void)fault_is(&fault, BROKEN, FAULT_SINK_OPEN, "%s: %s", parent, strerror(errno));
        check_fault(check, what, &fault);
    }
}

/* A file on another volume survives what the journal's does not. */
static bool all_on_one_volume(const struct engine_settings *engine, size_t *ret_files)
{
    struct stat data;
    struct stat status;
    bool all = volume_of(engine->data_dir, &data);

    *ret_files = 0;
    for (size_t index = 0; all && index < engine->sink_count; index++) {
        bool file = engine->sinks[index].kafka == NULL;
        all = !file ||
              (volume_of(engine->sinks[index].path, &status) && status.st_dev == data.st_dev);
        *ret_files += file ? 1 : 0;
    }
    return all;
}

void check_sinks(struct check *check)
{
    const struct engine_settings *engine = &check->config->engine;
    char what[2 * SINK_NAME_MAX + 32];
    size_t files;

    for (size_t index = 0; index < engine->sink_count; index++) {
        check_sink(check, index);
    }
    (void)snprintf(what, sizeof(what), "sink %s (%s)", engine->sinks[0].name,
                   check->config->sink_type_names[0]);
    if (all_on_one_volume(engine, &files)) {
        check_say(check, CHECK_WARN, what,
                  files == 1 ? "journal and the only ledger share a volume: if it is lost, both are"
                             : "journal and all sinks share a volume: if it is lost, all are");
    }
}

/* Is there room for what the files will become? */
void check_volume(struct check *check)
{
    uint64_t input = check_input_bytes(check->config);
    uint64_t needed = input / 10 * GROWTH_TENTHS;
    uint64_t bytes;
    char texts[3][QUANTITY_TEXT_SIZE];

    if (input == 0 || !free_of(check->config->engine.data_dir, &bytes)) {
        return;
    }
    quantity_say(QUANTITY_SIZE, (int64_t)input, texts[0]);
    quantity_say(QUANTITY_SIZE, (int64_t)needed, texts[1]);
    quantity_say(QUANTITY_SIZE, (int64_t)bytes, texts[2]);
    check_say(check, needed > bytes ? CHECK_WARN : CHECK_OK, "volume",
              "%s of input become about %s of journal and tables; %s are free", texts[0], texts[1],
              texts[2]);
}
