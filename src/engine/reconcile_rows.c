#include "engine/reconcile_parts.h"

#include <string.h>

/* Where a row's columns of interest stand, by table. */
struct columns {
    size_t units;
    size_t scale;
    size_t id;
    size_t amount;
    size_t currency;
    size_t first_source;
    size_t first_offset;
};

static const struct columns columns[TABLE_METRICS] = {
    [TABLE_TRANSACTIONS] = {.units = TRANSACTION_UNITS,
                            .scale = TRANSACTION_SCALE,
                            .id = TRANSACTION_ID,
                            .amount = TRANSACTION_AMOUNT,
                            .currency = TRANSACTION_CURRENCY},
    [TABLE_DUPLICATES] = {.units = DUPLICATE_UNITS,
                          .scale = DUPLICATE_SCALE,
                          .id = DUPLICATE_ID,
                          .amount = DUPLICATE_AMOUNT,
                          .currency = DUPLICATE_CURRENCY,
                          .first_source = DUPLICATE_FIRST_SOURCE,
                          .first_offset = DUPLICATE_FIRST_OFFSET},
    [TABLE_DEAD_LETTERS] = {.units = DEAD_UNITS,
                            .scale = DEAD_SCALE,
                            .id = DEAD_ID,
                            .amount = DEAD_AMOUNT,
                            .currency = DEAD_CURRENCY,
                            .first_source = DEAD_FIRST_SOURCE,
                            .first_offset = DEAD_FIRST_OFFSET},
};

/* The first three numbers of each of these tables are the same. */
_Static_assert((int)TRANSACTION_SEQ == (int)DUPLICATE_SEQ && (int)DUPLICATE_SEQ == (int)DEAD_SEQ,
               "seq");
_Static_assert((int)TRANSACTION_SOURCE == (int)DUPLICATE_SOURCE &&
                   (int)DUPLICATE_SOURCE == (int)DEAD_SOURCE,
               "source");
_Static_assert((int)TRANSACTION_OFFSET == (int)DUPLICATE_OFFSET &&
                   (int)DUPLICATE_OFFSET == (int)DEAD_OFFSET,
               "offset");

/* The bit of this place, or NULL: the source was never read there. */
static uint8_t *place_bit(const struct reconcile *reconcile, int64_t source, int64_t offset,
                          bool accepted, uint8_t *ret_mask)
{
    if (source < 0 || (size_t)source >= reconcile->source_count) {
        return NULL;
    }
    const struct reconcile_source *from = &reconcile->sources[source];
    if ((uint64_t)offset < from->start || (uint64_t)offset >= from->next) {
        return NULL;
    }
    uint64_t bit = (uint64_t)offset - from->start;
    *ret_mask = (uint8_t)(1U << bit % 8);
    return (accepted ? from->accepted : from->taken) + bit / 8;
}

static void check_place(struct reconcile *reconcile, const struct row *row)
{
    int64_t source = row->numbers[TRANSACTION_SOURCE];
    int64_t offset = row->numbers[TRANSACTION_OFFSET];
    uint8_t mask;
    uint8_t *bit = place_bit(reconcile, source, offset, false, &mask);
    char place[RECONCILE_PLACE_SIZE];

    if (bit == NULL || (*bit & mask) != 0) {
        reconcile_place(reconcile, source, offset, place, sizeof(place));
        reconcile_tell(reconcile, RECONCILE_PLACE, "%s row %lld: %s %s", table_name(row->table),
                       (long long)row->numbers[TRANSACTION_SEQ], place,
                       bit == NULL ? "was not read" : "has another row already");
        return;
    }
    *bit = (uint8_t)(*bit | mask);
    if (row->table == TABLE_TRANSACTIONS) {
        bit = place_bit(reconcile, source, offset, true, &mask);
        must(bit != NULL);
        *bit = (uint8_t)(*bit | mask);
    }
}

static void check_first(struct reconcile *reconcile, const struct row *row)
{
    int64_t source = row->numbers[columns[row->table].first_source];
    int64_t offset = row->numbers[columns[row->table].first_offset];
    uint8_t mask;
    const uint8_t *bit = place_bit(reconcile, source, offset, true, &mask);
    char place[RECONCILE_PLACE_SIZE];

    if (bit == NULL || (*bit & mask) == 0) {
        reconcile_place(reconcile, source, offset, place, sizeof(place));
        reconcile_tell(reconcile, RECONCILE_FIRST, "%s row %lld: nothing was accepted at %s",
                       table_name(row->table), (long long)row->numbers[TRANSACTION_SEQ], place);
    }
}

/* The row's verdict; false: it names none that belongs here. */
static bool verdict_of(const struct row *row, enum verdict *ret_verdict)
{
    if (row->table != TABLE_DEAD_LETTERS) {
        *ret_verdict = row->table == TABLE_TRANSACTIONS ? ACCEPTED : DUPLICATE;
        return true;
    }
    int64_t number = row->numbers[DEAD_VERDICT];
    if (number < CONFLICT || number > INVALID) {
        return false;
    }
    *ret_verdict = (enum verdict)number;
    return true;
}

/* The amount as sent is the one that is added up, and there is a currency. */
static bool money_of(const struct row *row, struct money *ret_amount)
{
    const struct columns *at = &columns[row->table];
    struct money sent;

    *ret_amount = (struct money){row->numbers[at->units], row->numbers[at->scale]};
    return row->texts[at->currency].size == CURRENCY_SIZE && row->texts[at->amount].at != NULL &&
           money_read(row->texts[at->amount], &sent) && sent.units == ret_amount->units &&
           sent.scale == ret_amount->scale && sent.units > 0;
}

/* Once for each row: is it what it says, and what does it add to? */
static enum outcome count_row(struct reconcile *reconcile, const struct row *row,
                              enum verdict verdict, struct fault *ret_fault)
{
    static const char none[CURRENCY_SIZE] = {0};
    struct money amount;
    uint32_t source = (uint32_t)row->numbers[TRANSACTION_SOURCE];

    check_place(reconcile, row);
    reconcile->report.counts[verdict]++;
    if (row->numbers[TRANSACTION_SOURCE] < 0 || source >= reconcile->source_count) {
        return DONE;
    }
    if (verdict == INVALID) {
        return reconcile_count_total(reconcile, source, INVALID, none, NULL, ret_fault);
    }
    if (verdict == DUPLICATE || verdict == CONFLICT) {
        check_first(reconcile, row);
    }
    if (!money_of(row, &amount)) {
        reconcile_tell(reconcile, RECONCILE_VALUE,
                       "%s row %lld: amount \"%.*s\" is not %lld units at scale %lld",
                       table_name(row->table), (long long)row->numbers[TRANSACTION_SEQ],
                       (int)row->texts[columns[row->table].amount].size,
                       (const char *)row->texts[columns[row->table].amount].at,
                       (long long)amount.units, (long long)amount.scale);
        return DONE;
    }
    if (verdict == ACCEPTED) {
        int64_t event_ms = row->numbers[TRANSACTION_EVENT_MS];
        if (event_ms > reconcile->report.newest_accepted_ms) {
            reconcile->report.newest_accepted_ms = event_ms;
        }
        reconcile_count_window(reconcile, row, amount);
    }
    return reconcile_count_total(reconcile, source, (uint8_t)verdict,
                                 row->texts[columns[row->table].currency].at, &amount, ret_fault);
}

static enum outcome take_row(struct reconcile *reconcile, const struct row *row,
                             struct fault *ret_fault)
{
    const struct columns *at = &columns[row->table];
    enum outcome outcome = DONE;
    enum verdict verdict;
    struct money amount;

    if (!verdict_of(row, &verdict)) {
        reconcile_tell(reconcile, RECONCILE_VALUE, "%s row %lld: no verdict",
                       table_name(row->table), (long long)row->numbers[TRANSACTION_SEQ]);
        return DONE;
    }
    if (reconcile->share == 0) {
        outcome = count_row(reconcile, row, verdict, ret_fault);
    }
    if (verdict != DUPLICATE && verdict != INVALID && row->texts[at->id].at != NULL &&
        money_of(row, &amount)) {
        reconcile_match_row(reconcile, row->texts[at->id], amount, row->texts[at->currency].at,
                            verdict);
    }
    return outcome;
}

static void tell_hole(struct reconcile *reconcile, enum table table, uint64_t first, uint64_t next)
{
    reconcile_tell(reconcile, RECONCILE_NUMBER, "%s: rows %llu to %llu are gone", table_name(table),
                   (unsigned long long)first, (unsigned long long)next - 1);
    reconcile->report.found[RECONCILE_NUMBER] += next - first - 1;
}

/* The table's last row was read: are there as many as there should be? */
static void end_table(struct reconcile *reconcile)
{
    uint64_t next = reconcile->head.seq_next[reconcile->table];

    if (reconcile->share == 0 && reconcile->seq < next) {
        tell_hole(reconcile, reconcile->table, reconcile->seq, next);
    }
    reconcile->table++;
    reconcile->seq = 1;
    /* A duplicate's id is that of an accepted payment: nothing to match. */
    if (reconcile->share > 0 && reconcile->table == TABLE_DUPLICATES) {
        reconcile->table++;
    }
}

enum outcome reconcile_read_rows(struct reconcile *reconcile, struct fault *ret_fault)
{
    for (size_t count = 0; count < RECONCILE_STEP_ROWS; count++) {
        struct row row;
        uint64_t epoch;
        int64_t decided_ms;
        enum outcome outcome = sink_read_row(reconcile->ledger, reconcile->table, reconcile->seq,
                                             &row, &epoch, &decided_ms, ret_fault);
        if (outcome == LATER) {
            end_table(reconcile);
            return reconcile->table == TABLE_METRICS ? DONE : LATER;
        }
        if (outcome != DONE) {
            return outcome;
        }
        uint64_t seq = (uint64_t)row.numbers[TRANSACTION_SEQ];
        must(seq >= reconcile->seq);
        if (seq >= reconcile->head.seq_next[reconcile->table]) {
            if (reconcile->share == 0) {
                reconcile_tell(reconcile, RECONCILE_NUMBER,
                               "%s: row %llu is beyond the pipeline's last one",
                               table_name(reconcile->table), (unsigned long long)seq);
            }
            reconcile->seq = seq;
            end_table(reconcile);
            return reconcile->table == TABLE_METRICS ? DONE : LATER;
        }
        if (reconcile->share == 0 && seq > reconcile->seq) {
            tell_hole(reconcile, reconcile->table, reconcile->seq, seq);
        }
        reconcile->seq = seq + 1;
        outcome = take_row(reconcile, &row, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
        reconcile->report.rows++;
    }
    return LATER;
}
