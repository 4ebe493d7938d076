/* Is the write-ahead log beside the file the file's own? */
#include "sink/sink_sqlite.h"

#include <string.h>

/* The path as SQLite wants it in a URI; immutable: the file alone, without its log, unlocked. */
static const char *file_alone(struct sqlite_sink *sqlite)
{
    (void)sql_start(&sqlite->text, "file:");
    for (const char *at = sqlite->sink.settings.path; *at != '\0'; at++) {
        (void)sql_add(&sqlite->text, strchr("%?#", *at) == NULL ? "%c" : "%%%02x", *at);
    }
    return sql_add(&sqlite->text, "?immutable=1");
}

/* False: it cannot be told, as in the middle of carrying the log into the file. */
static bool epoch_alone(struct sqlite_sink *sqlite, int64_t *ret_epoch)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    bool known = sqlite3_open_v2(file_alone(sqlite), &database,
                                 SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) == SQLITE_OK &&
                 sqlite3_prepare_v2(database, "SELECT max(epoch) FROM payonce_pipeline", -1,
                                    &statement, NULL) == SQLITE_OK &&
                 sqlite3_step(statement) == SQLITE_ROW;

    *ret_epoch = known ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    return known;
}

enum outcome log_check(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    const struct sink_settings *settings = &sqlite->sink.settings;
    int64_t carried = 0;
    int64_t alone = 0;
    enum outcome outcome =
        sqlite_number(sqlite, "SELECT max(carried) FROM payonce_pipeline", &carried, ret_fault);

    if (outcome != DONE || !epoch_alone(sqlite, &alone) || alone >= carried) {
        return outcome;
    }
    (void)fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                   "sink \"%s\" (%s): the file stands at epoch %lld, but the log beside it begins "
                   "after epoch %lld: it is of another file",
                   settings->name, settings->path, (long long)alone, (long long)carried);
    fault_next(ret_fault, "remove %.80s-wal and -shm, then start: the journal refills the copy",
               settings->path);
    return BROKEN;
}
