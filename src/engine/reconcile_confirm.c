#include "engine/reconcile_parts.h"

#include <stdio.h>
#include <string.h>

/* The first suspect of this digest, or NULL. Its others follow. */
static struct reconcile_suspect *find_suspect(struct reconcile *reconcile, uint64_t id)
{
    size_t low = 0;
    size_t high = reconcile->suspect_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reconcile->suspects[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < reconcile->suspect_count && reconcile->suspects[low].id == id;
    return found ? &reconcile->suspects[low] : NULL;
}

static bool is_last(const struct reconcile *reconcile, const struct reconcile_suspect *suspect)
{
    return suspect + 1 == reconcile->suspects + reconcile->suspect_count ||
           suspect[1].id != suspect->id;
}

/* Told here, but counted when it was suspected. */
#define TELL(reconcile, kind, ...)                                                                 \
    do {                                                                                           \
        reconcile_tell(reconcile, kind, __VA_ARGS__);                                              \
        (reconcile)->report.found[kind]--;                                                         \
    } while (false)

static void meet_truth(struct reconcile *reconcile, struct reconcile_suspect *suspect,
                       const struct truth_row *row)
{
    char amount[MONEY_TEXT_SIZE];

    (void)money_write(row->amount, amount);
    (void)snprintf(suspect->place, sizeof(suspect->place), "%s %s%s%s", amount, row->currency,
                   row->expectation ? ", " : "",
                   row->expectation ? verdict_name(row->expected) : "");
    if (suspect->kind == RECONCILE_MISSING) {
        TELL(reconcile, RECONCILE_MISSING, "%.*s: %s %s (%s:%llu)", (int)row->id.size,
             (const char *)row->id.at, amount, row->currency, reconcile->settings.truth,
             (unsigned long long)reconcile->truth.line);
    }
}

enum outcome reconcile_confirm_truth(struct reconcile *reconcile, struct fault *ret_fault)
{
    struct truth_row row;
    enum outcome outcome = DONE;

    if (reconcile->settings.truth == NULL || reconcile->suspect_count == 0) {
        return DONE;
    }
    if (!reconcile->truth_opened) {
        outcome = truth_open(&reconcile->truth, reconcile->settings.truth, ret_fault);
        reconcile->truth_opened = true;
    }
    for (size_t count = 0; outcome == DONE && count < RECONCILE_STEP_ROWS; count++) {
        outcome = truth_read(&reconcile->truth, &row, ret_fault);
        if (outcome != DONE) {
            return outcome == LATER ? DONE : outcome;
        }
        struct reconcile_suspect *suspect =
            find_suspect(reconcile, match_id(&reconcile->key, row.id));
        while (suspect != NULL) {
            meet_truth(reconcile, suspect, &row);
            suspect = is_last(reconcile, suspect) ? NULL : suspect + 1;
        }
    }
    return outcome == DONE ? LATER : outcome;
}

/* A row of a payment whose id came twice, by its digest: is it the same id? */
static void meet_again(struct reconcile *reconcile, struct reconcile_suspect *suspect,
                       struct span id, const char *place)
{
    if (suspect->text[0] == '\0') {
        (void)snprintf(suspect->text, sizeof(suspect->text), "%.*s", (int)id.size,
                       (const char *)id.at);
        (void)snprintf(suspect->place, sizeof(suspect->place), "%s", place);
        return;
    }
    if (strlen(suspect->text) == id.size && memcmp(suspect->text, id.at, id.size) == 0) {
        suspect->confirmed = true;
        TELL(reconcile, RECONCILE_REACCEPTED, "%s: accepted at %s and again at %s", suspect->text,
             suspect->place, place);
    }
}

static void meet_row(struct reconcile *reconcile, struct reconcile_suspect *suspect,
                     const struct row *row, struct span id, struct span amount,
                     struct span currency)
{
    char place[RECONCILE_PLACE_SIZE];
    bool accepted = row->table == TABLE_TRANSACTIONS;
    enum verdict verdict = accepted ? ACCEPTED : (enum verdict)row->numbers[DEAD_VERDICT];

    reconcile_place(reconcile, row->numbers[TRANSACTION_SOURCE], row->numbers[TRANSACTION_OFFSET],
                    place, sizeof(place));
    if (suspect->kind == RECONCILE_REACCEPTED && accepted) {
        meet_again(reconcile, suspect, id, place);
    } else if (suspect->kind == RECONCILE_AMOUNT && accepted) {
        TELL(reconcile, RECONCILE_AMOUNT, "%.*s: %.*s %.*s at %s, sent were %s", (int)id.size,
             (const char *)id.at, (int)amount.size, (const char *)amount.at, (int)currency.size,
             (const char *)currency.at, place, suspect->place);
    } else if (suspect->kind == RECONCILE_EXTRA || suspect->kind == RECONCILE_VERDICT) {
        bool extra = suspect->kind == RECONCILE_EXTRA;
        TELL(reconcile, suspect->kind, "%.*s: %.*s %.*s, %s, at %s%s%s", (int)id.size,
             (const char *)id.at, (int)amount.size, (const char *)amount.at, (int)currency.size,
             (const char *)currency.at, verdict_name(verdict), place, extra ? "" : "; sent were ",
             extra ? "" : suspect->place);
    }
}

static void confirm_row(struct reconcile *reconcile, const struct row *row)
{
    bool accepted = row->table == TABLE_TRANSACTIONS;
    struct span id = row->texts[accepted ? (size_t)TRANSACTION_ID : (size_t)DEAD_ID];

    if (id.at == NULL) {
        return;
    }
    struct reconcile_suspect *suspect = find_suspect(reconcile, match_id(&reconcile->key, id));
    while (suspect != NULL) {
        meet_row(reconcile, suspect, row, id,
                 row->texts[accepted ? (size_t)TRANSACTION_AMOUNT : (size_t)DEAD_AMOUNT],
                 row->texts[accepted ? (size_t)TRANSACTION_CURRENCY : (size_t)DEAD_CURRENCY]);
        suspect = is_last(reconcile, suspect) ? NULL : suspect + 1;
    }
}

/* Two ids of one digest were not one id twice after all. */
static void acquit(struct reconcile *reconcile)
{
    for (size_t index = 0; index < reconcile->suspect_count; index++) {
        const struct reconcile_suspect *suspect = &reconcile->suspects[index];
        if (suspect->kind == RECONCILE_REACCEPTED && !suspect->confirmed) {
            reconcile->report.found[RECONCILE_REACCEPTED]--;
        }
    }
}

enum outcome reconcile_confirm_rows(struct reconcile *reconcile, struct fault *ret_fault)
{
    if (reconcile->suspect_count == 0) {
        return DONE;
    }
    for (size_t count = 0; count < RECONCILE_STEP_ROWS; count++) {
        struct row row;
        uint64_t epoch;
        int64_t decided_ms;
        enum outcome outcome = sink_read_row(reconcile->ledger, reconcile->table, reconcile->seq,
                                             &row, &epoch, &decided_ms, ret_fault);
        if (outcome == BROKEN) {
            return outcome;
        }
        if (outcome != DONE) {
            if (reconcile->table == TABLE_DEAD_LETTERS) {
                acquit(reconcile);
                return DONE;
            }
            reconcile->table = TABLE_DEAD_LETTERS;
            reconcile->seq = 1;
            continue;
        }
        confirm_row(reconcile, &row);
        reconcile->seq = (uint64_t)row.numbers[TRANSACTION_SEQ] + 1;
    }
    return LATER;
}
