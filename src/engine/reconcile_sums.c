#include "base/plural.h"
#include "engine/reconcile_parts.h"

#include <string.h>

/* The slot of this total, found or made. NULL: there are too many. */
static struct reconcile_total *find_total(struct reconcile *reconcile, uint32_t source,
                                          uint8_t tally, const char *currency)
{
    uint64_t key = source;

    key = (key << 8 | tally) << 24 | (uint64_t)(uint8_t)currency[0] << 16 |
          (uint64_t)(uint8_t)currency[1] << 8 | (uint8_t)currency[2];
    uint64_t slot = key * UINT64_C(0x9e3779b97f4a7c15) >> 40;
    for (;; slot++) {
        struct reconcile_total *total = &reconcile->totals[slot % RECONCILE_TOTALS_MAX];
        if (!total->used) {
            if (reconcile->total_count == RECONCILE_TOTALS_MAX / 4 * 3) {
                return NULL;
            }
            reconcile->total_count++;
            total->used = true;
            total->source = source;
            total->tally = tally;
            memcpy(total->currency, currency, CURRENCY_SIZE);
            return total;
        }
        if (total->source == source && total->tally == tally &&
            memcmp(total->currency, currency, CURRENCY_SIZE) == 0) {
            return total;
        }
    }
}

static enum outcome too_many_totals(struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                    "the ledger has more than %d totals of source, verdict and currency",
                    RECONCILE_TOTALS_MAX / 4 * 3);
}

enum outcome reconcile_count_total(struct reconcile *reconcile, uint32_t source, uint8_t tally,
                                   const char *currency, const struct money *amount,
                                   struct fault *ret_fault)
{
    struct reconcile_total *total = find_total(reconcile, source, tally, currency);

    if (total == NULL) {
        return too_many_totals(ret_fault);
    }
    total->row_count++;
    if (amount != NULL && !money_add(&total->rows, *amount)) {
        reconcile_tell(reconcile, RECONCILE_VALUE, "the sum of %.3s is too large to be true",
                       currency);
    }
    struct reconcile_sum *sum = &reconcile->sums[reconcile_currency_index(currency)];
    sum->counts[tally]++;
    if (amount != NULL && tally == ACCEPTED && amount->scale > sum->places) {
        sum->places = amount->scale;
    }
    if (amount != NULL && !money_add(&sum->sums[tally], *amount)) {
        reconcile_tell(reconcile, RECONCILE_VALUE, "the sum of %.3s is too large to be true",
                       currency);
    }
    return DONE;
}

static enum outcome read_cursors(struct reconcile *reconcile, struct fault *ret_fault)
{
    struct sink *ledger = reconcile->ledger;
    struct sink_cursor cursor;
    enum outcome outcome;

    while ((outcome = sink_read_cursor(ledger, reconcile->source_count, &cursor, ret_fault)) ==
           DONE) {
        if (reconcile->source_count == SOURCES_MAX) {
            return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                            "the ledger has more than %d sources", SOURCES_MAX);
        }
        struct reconcile_source *source = &reconcile->sources[reconcile->source_count++];
        source->origin = cursor.origin;
        source->start = cursor.start;
        source->next = cursor.range.next;
        source->tiled = cursor.start;
    }
    reconcile->report.sources = reconcile->source_count;
    return outcome == LATER ? DONE : outcome;
}

static uint64_t bitmap_size(const struct reconcile_source *source)
{
    return source->next < source->start ? 0 : (source->next - source->start) / 8 + 1;
}

static enum outcome lay_bitmaps(struct reconcile *reconcile, struct fault *ret_fault)
{
    uint64_t size = 1;

    for (size_t index = 0; index < reconcile->source_count; index++) {
        struct reconcile_source *source = &reconcile->sources[index];
        if (source->next < source->start || source->next > OFFSET_MAX) {
            return fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                            "the ledger's cursor of %s stands at %llu, but it began at %llu",
                            source->origin.topic, (unsigned long long)source->next,
                            (unsigned long long)source->start);
        }
        size += 2 * bitmap_size(source);
    }
    uint8_t *memory = reconcile_reserve(reconcile, size, ret_fault);
    if (memory == NULL) {
        return BROKEN;
    }
    for (size_t index = 0; index < reconcile->source_count; index++) {
        struct reconcile_source *source = &reconcile->sources[index];
        source->taken = memory;
        source->accepted = memory + bitmap_size(source);
        memory += 2 * bitmap_size(source);
    }
    return DONE;
}

static enum outcome read_totals(struct reconcile *reconcile, struct fault *ret_fault)
{
    struct epoch_total read;
    enum outcome outcome;

    for (size_t index = 0;
         (outcome = sink_read_total(reconcile->ledger, index, &read, ret_fault)) == DONE; index++) {
        if (read.source >= reconcile->source_count || read.tally > TALLY_COUNT) {
            reconcile_tell(reconcile, RECONCILE_TOTAL, "a total of an unknown source or verdict");
            continue;
        }
        struct reconcile_total *total =
            find_total(reconcile, read.source, read.tally, read.currency);
        if (total == NULL) {
            return too_many_totals(ret_fault);
        }
        total->recorded_count = read.count;
        total->recorded = reconcile_wide(read.sum_low, read.sum_high);
        reconcile->sources[read.source].counted += read.count;
        if (read.tally >= SKIPPED) {
            reconcile->report.counts[read.tally] += read.count;
        }
    }
    return outcome == LATER ? DONE : outcome;
}

enum outcome reconcile_read_standing(struct reconcile *reconcile, struct fault *ret_fault)
{
    enum outcome outcome = read_cursors(reconcile, ret_fault);

    if (outcome == DONE) {
        outcome = lay_bitmaps(reconcile, ret_fault);
    }
    if (outcome == DONE) {
        outcome = read_totals(reconcile, ret_fault);
    }
    for (size_t index = 0; outcome == DONE && index < reconcile->source_count; index++) {
        const struct reconcile_source *source = &reconcile->sources[index];
        if (source->next - source->start != source->counted) {
            reconcile_tell(reconcile, RECONCILE_CONSERVED,
                           "%s/%u: offsets %llu to %llu are %llu message%s, but %llu %s counted",
                           source->origin.topic, source->origin.partition,
                           (unsigned long long)source->start, (unsigned long long)source->next,
                           (unsigned long long)(source->next - source->start),
                           plural(source->next - source->start),
                           (unsigned long long)source->counted, plural_verb(source->counted));
        }
    }
    return outcome;
}

static void compare_total(struct reconcile *reconcile, const struct reconcile_total *total)
{
    char texts[2][MONEY_SUM_TEXT_SIZE];

    if (total->row_count == total->recorded_count &&
        total->rows.billionths == total->recorded.billionths) {
        return;
    }
    (void)money_sum_write(total->rows, 2, texts[0]);
    (void)money_sum_write(total->recorded, 2, texts[1]);
    reconcile_tell(reconcile, RECONCILE_TOTAL,
                   "%s/%u %s %.3s: the rows are %llu, %s; recorded are %llu, %s",
                   reconcile->sources[total->source].origin.topic,
                   reconcile->sources[total->source].origin.partition,
                   verdict_name((enum verdict)total->tally), total->currency,
                   (unsigned long long)total->row_count, texts[0],
                   (unsigned long long)total->recorded_count, texts[1]);
}

void reconcile_compare_totals(struct reconcile *reconcile)
{
    for (size_t index = 0; index < RECONCILE_TOTALS_MAX; index++) {
        const struct reconcile_total *total = &reconcile->totals[index];
        if (total->used && total->tally < SKIPPED) {
            compare_total(reconcile, total);
        }
    }
}

static void take_epoch(struct reconcile *reconcile, const struct sink_epoch *epoch)
{
    if (epoch->number != reconcile->next_epoch) {
        reconcile_tell(reconcile, RECONCILE_EPOCH, "epochs %llu to %llu are not recorded",
                       (unsigned long long)reconcile->next_epoch,
                       (unsigned long long)epoch->number - 1);
    } else if (!chain_same(&epoch->prev_chain, &reconcile->chain)) {
        reconcile_tell(reconcile, RECONCILE_EPOCH, "epoch %llu follows on another history",
                       (unsigned long long)epoch->number);
    }
    reconcile->next_epoch = epoch->number + 1;
    reconcile->chain = epoch->chain;
    reconcile->report.epochs++;
    for (size_t index = 0; index < epoch->range_count; index++) {
        const struct epoch_range *range = &epoch->ranges[index];
        if (range->source >= reconcile->source_count) {
            reconcile_tell(reconcile, RECONCILE_EPOCH, "epoch %llu: an unknown source",
                           (unsigned long long)epoch->number);
            continue;
        }
        struct reconcile_source *source = &reconcile->sources[range->source];
        if (range->first != source->tiled || range->next < range->first) {
            reconcile_tell(reconcile, RECONCILE_EPOCH,
                           "epoch %llu: %s/%u goes on at %llu, but the one before ended at %llu",
                           (unsigned long long)epoch->number, source->origin.topic,
                           source->origin.partition, (unsigned long long)range->first,
                           (unsigned long long)source->tiled);
        }
        source->tiled = range->next;
    }
}

static void end_epochs(struct reconcile *reconcile)
{
    if (reconcile->next_epoch != reconcile->head.epoch + 1 ||
        !chain_same(&reconcile->chain, &reconcile->head.chain)) {
        reconcile_tell(reconcile, RECONCILE_EPOCH,
                       "the last recorded epoch is %llu, but the pipeline stands at %llu%s",
                       (unsigned long long)reconcile->next_epoch - 1,
                       (unsigned long long)reconcile->head.epoch,
                       reconcile->next_epoch == reconcile->head.epoch + 1 ? ", on another history"
                                                                          : "");
    }
    for (size_t index = 0; index < reconcile->source_count; index++) {
        const struct reconcile_source *source = &reconcile->sources[index];
        if (source->tiled != source->next) {
            reconcile_tell(reconcile, RECONCILE_EPOCH,
                           "%s/%u: the epochs end at %llu, but its cursor stands at %llu",
                           source->origin.topic, source->origin.partition,
                           (unsigned long long)source->tiled, (unsigned long long)source->next);
        }
    }
}

enum outcome reconcile_read_epochs(struct reconcile *reconcile, struct fault *ret_fault)
{
    struct sink_epoch epoch;
    struct sink *ledger = reconcile->ledger;

    for (size_t count = 0; count < RECONCILE_STEP_ROWS; count++) {
        enum outcome outcome = sink_read_epoch(ledger, reconcile->next_epoch, &epoch, ret_fault);
        if (outcome == LATER) {
            end_epochs(reconcile);
            return DONE;
        }
        if (outcome != DONE) {
            return outcome;
        }
        take_epoch(reconcile, &epoch);
    }
    return LATER;
}
