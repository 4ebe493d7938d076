#include "sink/sink_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum outcome cannot_open(struct sqlite_sink *sqlite, const char *why,
                                struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SINK_OPEN, "sink \"%s\": %s: %s",
                    sqlite->sink.settings.name, sqlite->sink.settings.path, why);
}

/* The directory that the file is in. */
static void directory_of(const struct sqlite_sink *sqlite, char ret_path[SINK_PATH_MAX + 1])
{
    char *slash;

    memcpy(ret_path, sqlite->sink.settings.path, SINK_PATH_MAX + 1);
    slash = strrchr(ret_path, '/');
    if (slash == NULL) {
        memcpy(ret_path, ".", 2);
    } else {
        slash[slash == ret_path ? 1 : 0] = '\0';
    }
}

/* The name of a new file survives a power cut only if its directory was synced. */
static enum outcome sync_directory(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    char path[SINK_PATH_MAX + 1];

    directory_of(sqlite, path);
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = directory < 0 || fsync(directory) != 0 ? errno : 0;
    if (directory >= 0) {
        (void)close(directory);
    }
    if (failed != 0) {
        return fault_is(ret_fault, BROKEN, FAULT_SINK_IO, "sink \"%s\": fsync of %s: %s",
                        sqlite->sink.settings.name, path, strerror(failed));
    }
    return DONE;
}

/*
 * An index is sorted with the help of a file without a name. It goes where the ledger is: that
 * place can be written, whatever else of the machine is read-only. SQLITE_TMPDIR says otherwise.
 */
static void choose_temporary_place(const struct sqlite_sink *sqlite)
{
    char path[SINK_PATH_MAX + 1];

    if (sqlite3_temp_directory == NULL && getenv("SQLITE_TMPDIR") == NULL) {
        directory_of(sqlite, path);
        sqlite3_temp_directory = sqlite3_mprintf("%s", path);
    }
}

/*
 * A new file is made by us, for its mode. An old one is never opened here: closing any
 * descriptor of it would drop the locks another connection of this process holds.
 */
static enum outcome make_file(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    const char *path = sqlite->sink.settings.path;
    struct stat status;

    if (path[0] == ':' || path[0] == '\0' || strncmp(path, "file:", 5) == 0) {
        return cannot_open(sqlite, "not the path of a file", ret_fault);
    }
    if (sqlite->sink.settings.read_only) {
        return stat(path, &status) == 0 ? DONE : cannot_open(sqlite, strerror(errno), ret_fault);
    }
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        return errno == EEXIST ? DONE : cannot_open(sqlite, strerror(errno), ret_fault);
    }
    (void)close(file);
    return sync_directory(sqlite, ret_fault);
}

static int after_commit(void *context, sqlite3 *database, const char *schema, int wal_pages)
{
    struct sqlite_sink *sqlite = context;

    (void)database;
    (void)schema;
    if (wal_pages < sqlite->wal_pages) {
        sqlite->wal_carried = 0; /* It began again at its front. */
    }
    sqlite->wal_pages = wal_pages;
    return SQLITE_OK;
}

static void configure(struct sqlite_sink *sqlite)
{
    static const struct {
        int option;
        int value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_FKEY, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };

    for (size_t index = 0; index < sizeof(options) / sizeof(options[0]); index++) {
        (void)sqlite3_db_config(sqlite->database, options[index].option, options[index].value,
                                NULL);
    }
    (void)sqlite3_extended_result_codes(sqlite->database, 1);
    (void)sqlite3_busy_timeout(sqlite->database, (int)sqlite->sink.settings.busy_timeout_ms);
    (void)sqlite3_wal_hook(sqlite->database, after_commit, sqlite);
}

static enum outcome prepare_reading(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    const struct sink_settings *settings = &sqlite->sink.settings;

    return sqlite_run(sqlite,
                      sql_start(&sqlite->text, "PRAGMA cache_size = -%d; PRAGMA mmap_size = 0;%s%s",
                                SQLITE_CACHE_KIB,
                                settings->read_only ? "PRAGMA query_only = ON;" : "",
                                settings->read_only && settings->snapshot ? "BEGIN" : ""),
                      "opening", ret_fault);
}

/* The page size is the file's from its first page on; setting it later changes nothing. */
static enum outcome prepare_writing(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    return sqlite_run(sqlite,
                      sql_start(&sqlite->text,
                                "PRAGMA page_size = %d; PRAGMA journal_mode = WAL;"
                                "PRAGMA synchronous = FULL; PRAGMA secure_delete = OFF;"
                                "PRAGMA journal_size_limit = %d",
                                SQLITE_PAGE_SIZE, SQLITE_PAGE_SIZE * SQLITE_WAL_PAGES),
                      "opening", ret_fault);
}

static enum outcome note_identity(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    struct stat status;

    if (stat(sqlite->sink.settings.path, &status) != 0) {
        return cannot_open(sqlite, strerror(errno), ret_fault);
    }
    sqlite->device = status.st_dev;
    sqlite->inode = status.st_ino;
    return DONE;
}

static enum outcome open_database(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    int access = sqlite->sink.settings.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    enum outcome outcome = make_file(sqlite, ret_fault);

    if (outcome == DONE) {
        outcome = note_identity(sqlite, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    sqlite_settle();
    choose_temporary_place(sqlite);
    if (sqlite3_open_v2(sqlite->sink.settings.path, &sqlite->database, access | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK) {
        return sqlite->database == NULL ? cannot_open(sqlite, "no memory", ret_fault)
                                        : sqlite_failed(sqlite, "opening", ret_fault);
    }
    configure(sqlite);
    return prepare_reading(sqlite, ret_fault);
}

/* The log stays as it is. */
static void give_up(struct sqlite_sink *sqlite)
{
    if (sqlite->database != NULL) {
        (void)sqlite3_db_config(sqlite->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    sqlite_close(&sqlite->sink);
}

static enum outcome open_writing(struct sqlite_sink *sqlite, bool empty, struct fault *ret_fault)
{
    enum outcome outcome = empty ? DONE : log_check(sqlite, ret_fault);

    if (outcome == DONE) {
        outcome = prepare_writing(sqlite, ret_fault);
    }
    return outcome == DONE && empty ? schema_create(sqlite, ret_fault) : outcome;
}

enum outcome sqlite_open(struct sink *sink, struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);
    enum outcome outcome = columns_fill(sqlite, ret_fault);
    bool empty = false;

    sqlite->part_rows = sink->settings.part_rows;
    if (outcome == DONE) {
        outcome = open_database(sqlite, ret_fault);
    }
    if (outcome == DONE) {
        outcome = schema_check(sqlite, &empty, ret_fault); /* Before anything is changed. */
    }
    if (outcome == DONE && !sink->settings.read_only) {
        outcome = open_writing(sqlite, empty, ret_fault);
    }
    sqlite->stale = true;
    if (outcome == DONE) {
        outcome = sqlite_refresh(sqlite, ret_fault);
    }
    if (outcome != DONE) {
        give_up(sqlite);
        return outcome;
    }
    if (!sink->settings.read_only) {
        struct fault ignored; /* It is tried again after deliveries. */
        enum outcome carried = sqlite_carry(sqlite, &ignored);
        (void)carried;
    }
    return DONE;
}

void sqlite_close(struct sink *sink)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);

    sqlite_stop_reading(sqlite);
    sqlite_finish_indexes(sqlite);
    for (size_t index = 0; index < STATEMENT_COUNT; index++) {
        (void)sqlite3_finalize(sqlite->statements[index]);
        sqlite->statements[index] = NULL;
    }
    for (size_t table = 0; table < TABLE_METRICS; table++) {
        parts_release(&sqlite->parts[table]);
    }
    (void)sqlite3_close(sqlite->database);
    sqlite->database = NULL;
}

enum outcome sqlite_audit(struct sink *sink, struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);
    struct stat status;
    int moved = 0;

    bool there = stat(sink->settings.path, &status) == 0;
    (void)sqlite3_file_control(sqlite->database, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (!there || status.st_dev != sqlite->device || status.st_ino != sqlite->inode || moved != 0) {
        return fault_is(ret_fault, BROKEN, FAULT_SINK_REPLACED, "sink \"%s\": %s is %s",
                        sink->settings.name, sink->settings.path,
                        there ? "another file now than the one payonce has open" : "gone");
    }
    return DONE;
}
