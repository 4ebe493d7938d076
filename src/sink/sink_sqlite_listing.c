#include "sink/sink_sqlite.h"

#include <string.h>

static enum outcome unreadable(struct sqlite_sink *sqlite, const char *what,
                               struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED, "sink \"%s\" (%s): %s",
                    sqlite->sink.settings.name, sqlite->sink.settings.path, what);
}

static bool tally_named(struct span name, uint8_t *ret_tally)
{
    for (uint8_t tally = 0; tally <= TALLY_COUNT; tally++) {
        const char *known = tally < TALLY_COUNT ? verdict_name((enum verdict)tally) : "gap";
        if (name.size == strlen(known) && memcmp(name.at, known, name.size) == 0) {
            *ret_tally = tally;
            return true;
        }
    }
    return false;
}

static enum outcome take_total(struct sqlite_sink *sqlite, sqlite3_stmt *statement,
                               struct epoch_total *ret_total, struct fault *ret_fault)
{
    struct span currency = sqlite_column_span(statement, 2);
    struct money_sum sum;

    memset(ret_total, 0, sizeof(*ret_total));
    ret_total->source = (uint32_t)sqlite3_column_int64(statement, 0);
    if (!tally_named(sqlite_column_span(statement, 1), &ret_total->tally) ||
        (currency.size != 0 && currency.size != sizeof(ret_total->currency)) ||
        !money_sum_read(sqlite_column_span(statement, 4), &sum)) {
        return unreadable(sqlite, "a total makes no sense", ret_fault);
    }
    if (currency.size > 0) {
        memcpy(ret_total->currency, currency.at, currency.size);
    }
    ret_total->count = (uint64_t)sqlite3_column_int64(statement, 3);
    ret_total->sum_low = (uint64_t)sum.billionths;
    ret_total->sum_high = (uint64_t)(sum.billionths >> 64);
    return DONE;
}

enum outcome sqlite_read_total(struct sink *sink, size_t index, struct epoch_total *ret_total,
                               struct fault *ret_fault)
{
    struct sqlite_sink *sqlite = sqlite_of(sink);
    struct listing *totals = &sqlite->totals;
    enum outcome outcome = DONE;
    bool row = true;

    if (totals->statement == NULL || index < totals->next) {
        outcome = sqlite_refresh(sqlite, ret_fault);
        if (outcome != DONE || sqlite->stale) {
            return outcome == DONE ? LATER : outcome;
        }
        (void)sqlite3_finalize(totals->statement);
        totals->statement = NULL;
        totals->next = 0;
        outcome = sqlite_prepare(sqlite,
                                 "SELECT source, verdict, currency, count, sum FROM payonce_total"
                                 " ORDER BY source, verdict, currency",
                                 &totals->statement, ret_fault);
    }
    while (outcome == DONE && row && totals->next <= index) {
        outcome = sqlite_step(sqlite, totals->statement, "reading the totals", &row, ret_fault);
        totals->next++;
    }
    if (outcome != DONE || !row) {
        (void)sqlite3_finalize(totals->statement);
        totals->statement = NULL;
        return outcome == DONE ? LATER : outcome;
    }
    return take_total(sqlite, totals->statement, ret_total, ret_fault);
}
