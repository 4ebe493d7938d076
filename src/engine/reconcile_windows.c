#include "engine/reconcile_parts.h"

#include <stdlib.h>
#include <string.h>

static uint64_t group_digest(const struct reconcile *reconcile, struct span region,
                             const char *currency)
{
    uint8_t bytes[GROUP_TEXT_MAX + CURRENCY_SIZE];

    memcpy(bytes, currency, CURRENCY_SIZE);
    memcpy(bytes + CURRENCY_SIZE, region.at, region.size);
    return siphash(&reconcile->key, (struct span){bytes, CURRENCY_SIZE + region.size});
}

static uint64_t window_slot(const struct reconcile *reconcile, int64_t start_ms, uint64_t group)
{
    uint64_t mixed = (group ^ (uint64_t)start_ms) * UINT64_C(0x9e3779b97f4a7c15);

    return (mixed >> 32) & (reconcile->window_slot_count - 1);
}

static struct reconcile_window *find_window(const struct reconcile *reconcile, int64_t start_ms,
                                            uint64_t group)
{
    uint64_t slot = window_slot(reconcile, start_ms, group);

    for (; reconcile->window_slots[slot] != 0;
         slot = (slot + 1) & (reconcile->window_slot_count - 1)) {
        struct reconcile_window *window = &reconcile->windows[reconcile->window_slots[slot] - 1];
        if (window->start_ms == start_ms && window->group == group) {
            return window;
        }
    }
    return NULL;
}

static bool row_makes_sense(const struct row *row)
{
    return row->texts[METRIC_REGION].size <= GROUP_TEXT_MAX &&
           row->texts[METRIC_CURRENCY].size == CURRENCY_SIZE &&
           (uint64_t)row->numbers[METRIC_MIN_SCALE] <= MONEY_SCALE_MAX &&
           (uint64_t)row->numbers[METRIC_MAX_SCALE] <= MONEY_SCALE_MAX;
}

static void take_window(struct reconcile *reconcile, const struct row *row)
{
    if (!row_makes_sense(row)) {
        reconcile_tell(reconcile, RECONCILE_METRIC, "row %lld makes no sense",
                       (long long)row->numbers[METRIC_SEQ]);
        return;
    }
    const int64_t *numbers = row->numbers;
    reconcile->windows[reconcile->window_count++] = (struct reconcile_window){
        .start_ms = numbers[METRIC_START_MS],
        .group = group_digest(reconcile, row->texts[METRIC_REGION], row->texts[METRIC_CURRENCY].at),
        .seq = (uint64_t)numbers[METRIC_SEQ],
        .count = (uint64_t)numbers[METRIC_COUNT],
        .total = reconcile_wide((uint64_t)numbers[METRIC_TOTAL_LOW],
                                (uint64_t)numbers[METRIC_TOTAL_HIGH]),
        .least = {numbers[METRIC_MIN_UNITS], numbers[METRIC_MIN_SCALE]},
        .most = {numbers[METRIC_MAX_UNITS], numbers[METRIC_MAX_SCALE]},
        .places = numbers[METRIC_PLACES],
    };
}

static int compare_starts(const void *left, const void *right)
{
    const int64_t *start = left;
    const int64_t *other = right;

    return *start < *other ? -1 : *start > *other;
}

/* All rows are there: make it quick to find the window of a payment. */
static enum outcome index_windows(struct reconcile *reconcile, struct fault *ret_fault)
{
    size_t count = reconcile->window_count;

    reconcile->window_slot_count = 16;
    while (reconcile->window_slot_count < 2 * count) {
        reconcile->window_slot_count *= 2;
    }
    reconcile->window_slots =
        reconcile_reserve(reconcile, reconcile->window_slot_count * sizeof(uint32_t), ret_fault);
    reconcile->window_starts =
        reconcile_reserve(reconcile, (count + 1) * sizeof(int64_t), ret_fault);
    if (reconcile->window_slots == NULL || reconcile->window_starts == NULL) {
        return BROKEN;
    }
    for (size_t index = 0; index < count; index++) {
        const struct reconcile_window *window = &reconcile->windows[index];
        uint64_t slot = window_slot(reconcile, window->start_ms, window->group);
        while (reconcile->window_slots[slot] != 0) {
            slot = (slot + 1) & (reconcile->window_slot_count - 1);
        }
        reconcile->window_slots[slot] = (uint32_t)index + 1;
        reconcile->window_starts[index] = window->start_ms;
    }
    qsort(reconcile->window_starts, count, sizeof(int64_t), compare_starts);
    for (size_t index = 0; index < count; index++) {
        size_t last = reconcile->window_start_count;
        if (last == 0 || reconcile->window_starts[last - 1] != reconcile->window_starts[index]) {
            reconcile->window_starts[reconcile->window_start_count++] =
                reconcile->window_starts[index];
        }
    }
    reconcile->report.windows = count;
    return DONE;
}

enum outcome reconcile_read_windows(struct reconcile *reconcile, struct fault *ret_fault)
{
    uint64_t most = reconcile->head.seq_next[TABLE_METRICS];

    if (reconcile->windows == NULL) {
        reconcile->windows =
            reconcile_reserve(reconcile, (most + 1) * sizeof(*reconcile->windows), ret_fault);
        reconcile->seq = 1;
        if (reconcile->windows == NULL) {
            return BROKEN;
        }
    }
    for (size_t count = 0; count < RECONCILE_STEP_ROWS; count++) {
        struct row row;
        uint64_t epoch;
        int64_t decided_ms;
        enum outcome outcome = sink_read_row(reconcile->ledger, TABLE_METRICS, reconcile->seq, &row,
                                             &epoch, &decided_ms, ret_fault);
        if (outcome == LATER) {
            return index_windows(reconcile, ret_fault);
        }
        if (outcome != DONE) {
            return outcome;
        }
        if ((uint64_t)row.numbers[METRIC_SEQ] >= most) {
            reconcile_tell(reconcile, RECONCILE_NUMBER,
                           "payment_metrics: row %lld is beyond the pipeline's last one",
                           (long long)row.numbers[METRIC_SEQ]);
            return index_windows(reconcile, ret_fault);
        }
        take_window(reconcile, &row);
        reconcile->seq = (uint64_t)row.numbers[METRIC_SEQ] + 1;
    }
    return LATER;
}

/*
 * The start of the window this moment falls into: windows tile the time and each with a payment
 * has a row, so it is the latest start that is not after it, however long windows are.
 */
static int64_t window_start(const struct reconcile *reconcile, int64_t event_ms)
{
    size_t low = 0;
    size_t high = reconcile->window_start_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reconcile->window_starts[middle] <= event_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? INSTANT_NONE : reconcile->window_starts[low - 1];
}

static struct span region_of(const struct reconcile *reconcile, const struct row *row)
{
    struct span region = {"", 0};

    if (reconcile->region_place >= 0) {
        region = row->texts[TRANSACTION_CARRY + (size_t)reconcile->region_place];
    }
    return region.at == NULL ? (struct span){"", 0} : region;
}

void reconcile_count_window(struct reconcile *reconcile, const struct row *row, struct money amount)
{
    static const struct span other = {"~other", 6};
    const char *currency = row->texts[TRANSACTION_CURRENCY].at;
    int64_t start_ms = window_start(reconcile, row->numbers[TRANSACTION_EVENT_MS]);
    struct span region = region_of(reconcile, row);
    struct reconcile_window *window = NULL;

    if (region.size <= GROUP_TEXT_MAX) {
        window = find_window(reconcile, start_ms, group_digest(reconcile, region, currency));
    }
    if (window == NULL) {
        window = find_window(reconcile, start_ms, group_digest(reconcile, other, currency));
    }
    if (window == NULL) {
        reconcile_tell(reconcile, RECONCILE_METRIC, "payment %lld is in no window",
                       (long long)row->numbers[TRANSACTION_SEQ]);
        return;
    }
    if (window->found == 0 || money_compare(amount, window->found_least) < 0) {
        window->found_least = amount;
    }
    if (window->found == 0 || money_compare(amount, window->found_most) > 0) {
        window->found_most = amount;
    }
    if (amount.scale > window->found_places) {
        window->found_places = amount.scale;
    }
    window->found++;
    if (!money_add(&window->found_total, amount)) {
        reconcile_tell(reconcile, RECONCILE_METRIC, "a window whose sum is too large to be true");
    }
}

static bool window_is_right(const struct reconcile_window *window)
{
    return window->count == window->found &&
           window->total.billionths == window->found_total.billionths &&
           window->places == window->found_places &&
           money_compare(window->least, window->found_least) == 0 &&
           money_compare(window->most, window->found_most) == 0;
}

static enum outcome tell_window(struct reconcile *reconcile, const struct reconcile_window *window,
                                struct fault *ret_fault)
{
    struct row row;
    uint64_t epoch;
    int64_t decided_ms;
    char texts[2][MONEY_SUM_TEXT_SIZE];
    char start[INSTANT_TEXT_SIZE];
    enum outcome outcome = sink_read_row(reconcile->ledger, TABLE_METRICS, window->seq, &row,
                                         &epoch, &decided_ms, ret_fault);

    if (outcome == BROKEN) {
        return outcome;
    }
    must(outcome == DONE); /* It was there a moment ago, and this is one moment. */
    (void)money_sum_write(window->total, 2, texts[0]);
    (void)money_sum_write(window->found_total, 2, texts[1]);
    instant_write(window->start_ms, start);
    reconcile_tell(
        reconcile, RECONCILE_METRIC,
        "%s region \"%.*s\" %.3s: recorded are %llu, %s; its payments are %llu, %s%s", start,
        (int)row.texts[METRIC_REGION].size, (const char *)row.texts[METRIC_REGION].at,
        (const char *)row.texts[METRIC_CURRENCY].at, (unsigned long long)window->count, texts[0],
        (unsigned long long)window->found, texts[1],
        window->count == window->found && window->total.billionths == window->found_total.billionths
            ? " (smallest, largest or places differ)"
            : "");
    return DONE;
}

enum outcome reconcile_compare_windows(struct reconcile *reconcile, struct fault *ret_fault)
{
    for (size_t index = 0; index < reconcile->window_count; index++) {
        const struct reconcile_window *window = &reconcile->windows[index];
        if (!window_is_right(window) && tell_window(reconcile, window, ret_fault) != DONE) {
            return BROKEN;
        }
    }
    return DONE;
}
