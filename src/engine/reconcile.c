#include "engine/reconcile_parts.h"

#include "os/digest.h"
#include "os/memory.h"

#include <string.h>

static enum outcome read_head(struct reconcile *reconcile, struct fault *ret_fault)
{
    struct sink_head *head = &reconcile->head;
    struct reconcile_report *report = &reconcile->report;
    const struct sink_settings *settings = &reconcile->ledger->settings;
    enum outcome outcome = sink_read_head(reconcile->ledger, head, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    if (!head->exists) {
        return fault_is(ret_fault, BROKEN, FAULT_LEDGER_OTHER_HISTORY,
                        "%s holds nothing of pipeline \"%s\"", settings->path, settings->pipeline);
    }
    report->epoch = head->epoch;
    report->watermark_ms = head->watermark_ms;
    report->newest_accepted_ms = INSTANT_NONE;
    reconcile->next_epoch = 1;
    reconcile->region_place = -1;
    for (uint32_t index = 0; index < settings->carry_count; index++) {
        if (strcmp(settings->carry[index], "region") == 0) {
            reconcile->region_place = (int)index;
        }
    }
    return DONE;
}

static enum outcome reserve_tables(struct reconcile *reconcile, struct fault *ret_fault)
{
    size_t finding_count = RECONCILE_KINDS * reconcile->settings.list_max;

    reconcile->sources =
        reconcile_reserve(reconcile, SOURCES_MAX * sizeof(*reconcile->sources), ret_fault);
    reconcile->totals =
        reconcile_reserve(reconcile, RECONCILE_TOTALS_MAX * sizeof(*reconcile->totals), ret_fault);
    reconcile->sums =
        reconcile_reserve(reconcile, RECONCILE_CURRENCIES * sizeof(*reconcile->sums), ret_fault);
    reconcile->findings =
        reconcile_reserve(reconcile, finding_count * sizeof(*reconcile->findings), ret_fault);
    reconcile->report.findings = reconcile->findings;
    reconcile->report.sums = reconcile->sums;
    bool whole = reconcile->sources != NULL && reconcile->totals != NULL &&
                 reconcile->sums != NULL && reconcile->findings != NULL;
    return whole ? DONE : BROKEN;
}

enum outcome reconcile_open(const struct reconcile_settings *settings,
                            struct reconcile **ret_reconcile, struct fault *ret_fault)
{
    void *memory;
    enum outcome outcome = memory_reserve(sizeof(struct reconcile), &memory, ret_fault);

    must(settings->list_max >= 1 && settings->list_max <= RECONCILE_LIST_MAX);
    must(settings->match_bytes >= sizeof(struct match));
    if (outcome != DONE) {
        return outcome;
    }
    struct reconcile *reconcile = memory;
    reconcile->settings = *settings;
    reconcile->ledger = settings->ledger;
    digest_random(&reconcile->key, sizeof(reconcile->key));
    outcome = read_head(reconcile, ret_fault);
    if (outcome == DONE) {
        outcome = reserve_tables(reconcile, ret_fault);
    }
    if (outcome == DONE && settings->truth != NULL) {
        reconcile->truth_opened = true;
        outcome = truth_open(&reconcile->truth, settings->truth, ret_fault);
    }
    if (outcome == DONE) {
        outcome = reconcile_match_begin(reconcile, ret_fault);
    }
    if (outcome != DONE) {
        reconcile_close(reconcile);
        return outcome;
    }
    *ret_reconcile = reconcile;
    return DONE;
}

/* After PHASE_TRUTH: the rows once more for the next share of the ids, or on. */
static enum reconcile_phase next_phase(struct reconcile *reconcile)
{
    bool again = reconcile->phase == PHASE_TRUTH && reconcile->share < reconcile->share_count;
    enum reconcile_phase next = again ? PHASE_ROWS : reconcile->phase + 1;

    if (next == PHASE_ROWS || next == PHASE_CONFIRM_ROWS) {
        reconcile->table = TABLE_TRANSACTIONS;
        reconcile->seq = 1;
    }
    return next;
}

static enum outcome compare_sums(struct reconcile *reconcile, struct fault *ret_fault)
{
    reconcile_compare_totals(reconcile);
    return reconcile_compare_windows(reconcile, ret_fault);
}

enum outcome reconcile_step(struct reconcile *reconcile, struct fault *ret_fault)
{
    enum outcome outcome = DONE;

    switch (reconcile->phase) {
    case PHASE_STANDING:
        outcome = reconcile_read_standing(reconcile, ret_fault);
        break;
    case PHASE_WINDOWS:
        outcome = reconcile_read_windows(reconcile, ret_fault);
        break;
    case PHASE_ROWS:
        outcome = reconcile_read_rows(reconcile, ret_fault);
        break;
    case PHASE_TRUTH:
        outcome = reconcile_match_truth(reconcile, ret_fault);
        break;
    case PHASE_EPOCHS:
        outcome = reconcile_read_epochs(reconcile, ret_fault);
        break;
    case PHASE_SUMS:
        outcome = compare_sums(reconcile, ret_fault);
        break;
    case PHASE_CONFIRM_TRUTH:
        outcome = reconcile_confirm_truth(reconcile, ret_fault);
        break;
    case PHASE_CONFIRM_ROWS:
        outcome = reconcile_confirm_rows(reconcile, ret_fault);
        break;
    case PHASE_END:
        return DONE;
    }
    if (outcome != DONE) {
        return outcome;
    }
    reconcile->phase = next_phase(reconcile);
    return reconcile->phase == PHASE_END ? DONE : LATER;
}

void reconcile_progress(const struct reconcile *reconcile, uint64_t *ret_done, uint64_t *ret_total)
{
    const uint64_t *next = reconcile->head.seq_next;
    uint64_t with_id = next[TABLE_TRANSACTIONS] + next[TABLE_DEAD_LETTERS];

    *ret_done = reconcile->report.rows;
    *ret_total = with_id * reconcile->share_count + next[TABLE_DUPLICATES];
}

const struct reconcile_report *reconcile_report(const struct reconcile *reconcile)
{
    must(reconcile->phase == PHASE_END);
    return &reconcile->report;
}

bool reconcile_good(const struct reconcile_report *report)
{
    for (size_t kind = 0; kind < RECONCILE_KINDS; kind++) {
        if (report->found[kind] > 0) {
            return false;
        }
    }
    return true;
}

void reconcile_close(struct reconcile *reconcile)
{
    if (reconcile == NULL) {
        return;
    }
    truth_close(&reconcile->truth);
    for (size_t index = 0; index < reconcile->reservation_count; index++) {
        memory_release(reconcile->reservations[index].at, reconcile->reservations[index].size);
    }
    memory_release(reconcile, sizeof(*reconcile));
}
