#include "sink/sink_sqlite.h"

enum outcome sqlite_carry(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    int pages = 0;
    int carried = 0;

    if (sqlite3_wal_checkpoint_v2(sqlite->database, "main", SQLITE_CHECKPOINT_PASSIVE, &pages,
                                  &carried) != SQLITE_OK) {
        return sqlite_failed(sqlite, "carrying the log into the file", ret_fault);
    }
    sqlite->wal_carried = sqlite->wal_pages;
    if (pages == carried) {
        sqlite->carried = sqlite->epoch;
    }
    return DONE;
}

/* Is a part full that has no index yet? */
static bool index_missing(const struct sqlite_sink *sqlite)
{
    for (size_t table = 0; table < TABLE_METRICS; table++) {
        const struct part_list *parts = &sqlite->parts[table];
        if (parts->last > 0 &&
            parts->next_seq > (parts->indexed + 1) * (uint64_t)sqlite->part_rows) {
            return true;
        }
    }
    return false;
}

static enum outcome index_full_parts(struct sqlite_sink *sqlite, struct fault *ret_fault)
{
    enum outcome outcome = sqlite_run(sqlite, "BEGIN IMMEDIATE", "indexing", ret_fault);

    for (size_t table = 0; outcome == DONE && table < TABLE_METRICS; table++) {
        do {
            outcome = parts_index(sqlite, (enum table)table, false, ret_fault);
        } while (outcome == DONE);
        /* LATER, and still within the transaction: there are no more. */
        if (outcome == LATER && sqlite3_get_autocommit(sqlite->database) == 0) {
            outcome = DONE;
        }
    }
    return outcome == DONE ? sqlite_run(sqlite, "COMMIT", "indexing", ret_fault) : outcome;
}

/*
 * After a commit. What was delivered is delivered: if this fails, it is tried again later, and
 * what stands in its way is told by the next delivery.
 */
void sqlite_keep_house(struct sqlite_sink *sqlite)
{
    struct fault ignored;

    if (index_missing(sqlite) && index_full_parts(sqlite, &ignored) != DONE) {
        (void)sqlite_undo(sqlite, LATER);
    }
    if (sqlite->wal_pages - sqlite->wal_carried >= SQLITE_WAL_PAGES) {
        enum outcome outcome = sqlite_carry(sqlite, &ignored);
        (void)outcome;
    }
}

static enum outcome index_next(struct sqlite_sink *sqlite, bool also_open, struct fault *ret_fault)
{
    enum outcome outcome = LATER;

    for (size_t table = 0; outcome == LATER && table < TABLE_METRICS; table++) {
        outcome = parts_index(sqlite, (enum table)table, also_open, ret_fault);
    }
    return outcome;
}

static enum outcome sqlite_tend(struct sink *sink, struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);
    enum outcome outcome = sqlite_refresh(sqlite, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    if (sqlite->wal_pages - sqlite->wal_carried >= SQLITE_TIDY_PAGES) {
        return sqlite_carry(sqlite, ret_fault);
    }
    bool quiet = sqlite->tended >= SQLITE_PATIENCE;
    sqlite->tended += quiet ? 0 : 1;
    return index_next(sqlite, quiet, ret_fault);
}

/* Before the close: look-ups by id find an index in every part, however short the run was. */
void sqlite_finish_indexes(struct sqlite_sink *sqlite)
{
    struct fault ignored;
    enum outcome outcome = DONE;

    while (outcome == DONE && sqlite->healthy && !sqlite->stale) {
        outcome = index_next(sqlite, true, &ignored);
    }
}

const struct sink_type sink_sqlite = {
    .name = "sqlite",
    .size = sizeof(struct sqlite_sink),
    .can_be_ledger = true,
    .identify = sqlite_identify,
    .open = sqlite_open,
    .close = sqlite_close,
    .read_head = sqlite_read_head,
    .begin = sqlite_begin,
    .deliver = sqlite_deliver,
    .find_chain = sqlite_find_chain,
    .audit = sqlite_audit,
    .read_cursor = sqlite_read_cursor,
    .read_total = sqlite_read_total,
    .read_rules = sqlite_read_rules,
    .read_decision = sqlite_read_decision,
    .read_row = sqlite_read_row,
    .read_epoch = sqlite_read_epoch,
    .find_payment = sqlite_find_payment,
    .tend = sqlite_tend,
};
