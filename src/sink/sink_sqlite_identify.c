#include "sink/sink_sqlite.h"

#include <string.h>

static enum outcome unreadable(sqlite3 *database, const char *path, struct fault *ret_fault)
{
    bool damaged =
        sqlite3_errcode(database) == SQLITE_NOTADB || sqlite3_errcode(database) == SQLITE_CORRUPT;

    return fault_is(ret_fault, BROKEN, damaged ? FAULT_SINK_DAMAGED : FAULT_SINK_OPEN, "%s: %s",
                    path, sqlite3_errmsg(database));
}

/* "region,status" into names. False: that is no list of ours. */
static bool split_carry(const char *carry, struct sink_settings *settings)
{
    settings->carry_count = 0;
    while (carry != NULL && *carry != '\0') {
        size_t size = strcspn(carry, ",");
        if (settings->carry_count == PAYMENT_CARRY_MAX || size == 0 ||
            size >= sizeof(settings->carry[0])) {
            return false;
        }
        char *name = settings->carry[settings->carry_count++];
        memcpy(name, carry, size);
        name[size] = '\0';
        carry += size + (carry[size] == ',' ? 1 : 0);
    }
    return true;
}

static enum outcome take_names(sqlite3_stmt *statement, struct sink_settings *settings,
                               struct fault *ret_fault)
{
    const char *pipeline = (const char *)sqlite3_column_text(statement, 0);

    if (pipeline == NULL || strlen(pipeline) > PIPELINE_NAME_MAX ||
        !split_carry((const char *)sqlite3_column_text(statement, 1), settings)) {
        return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                        "%s: the pipeline's row makes no sense", settings->path);
    }
    (void)strcpy(settings->pipeline, pipeline);
    return DONE;
}

enum outcome sqlite_identify(struct sink_settings *settings, struct fault *ret_fault)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    enum outcome outcome = DONE;

    sqlite_settle();
    if (sqlite3_open_v2(settings->path, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        outcome = unreadable(database, settings->path, ret_fault);
    } else if (sqlite3_prepare_v2(database, "SELECT pipeline, carry FROM payonce_pipeline", -1,
                                  &statement, NULL) != SQLITE_OK) {
        outcome = sqlite3_errcode(database) == SQLITE_ERROR
                      ? fault_is(ret_fault, BROKEN, FAULT_SINK_SCHEMA,
                                 "%s is a database, but no ledger of payonce", settings->path)
                      : unreadable(database, settings->path, ret_fault);
    } else if (sqlite3_step(statement) == SQLITE_ROW) {
        outcome = take_names(statement, settings, ret_fault);
    } else {
        outcome = fault_is(ret_fault, BROKEN, FAULT_LEDGER_OTHER_HISTORY,
                           "%s is a ledger of no pipeline yet", settings->path);
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    return outcome;
}
