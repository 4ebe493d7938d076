#include "bench/null_ledger.h"

#include <pthread.h>
#include <string.h>

enum { TOTALS_MAX = 4096, CURSORS_MAX = 64 };

static struct {
    pthread_mutex_t mutex;
    struct sink_head head;
    struct sink_cursor cursors[CURSORS_MAX];
    size_t cursor_count;
    struct epoch_total totals[TOTALS_MAX];
    size_t total_count;
} ledger = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void null_ledger_clear(void)
{
    memset(&ledger.head, 0, sizeof(ledger.head));
    ledger.cursor_count = 0;
    ledger.total_count = 0;
}

static enum outcome null_open(struct sink *sink, struct fault *ret_fault)
{
    (void)sink;
    (void)ret_fault;
    return DONE;
}

static void null_close(struct sink *sink)
{
    (void)sink;
}

static enum outcome null_read_head(struct sink *sink, struct sink_head *ret_head,
                                   struct fault *ret_fault)
{
    (void)sink;
    (void)ret_fault;
    (void)pthread_mutex_lock(&ledger.mutex);
    *ret_head = ledger.head;
    (void)pthread_mutex_unlock(&ledger.mutex);
    return DONE;
}

static enum outcome null_begin(struct sink *sink, uint64_t journal_id, const struct rules *rules,
                               struct fault *ret_fault)
{
    (void)sink;
    (void)ret_fault;
    ledger.head = (struct sink_head){.exists = true,
                                     .format = LEDGER_FORMAT,
                                     .journal_id = journal_id,
                                     .begun_by = journal_id,
                                     .watermark_ms = INT64_MIN,
                                     .seed_epoch = 1,
                                     .rules = *rules};
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        ledger.head.seq_next[table] = 1;
    }
    return DONE;
}

static void take_range(const struct delivery *delivery, const struct epoch_range *range)
{
    struct sink_cursor *cursor = &ledger.cursors[range->source];

    must(range->source < CURSORS_MAX);
    cursor->origin = delivery->origins[range->source];
    cursor->start = delivery->starts[range->source];
    cursor->range = *range;
    cursor->range.first = range->next;
    if (range->source >= ledger.cursor_count) {
        ledger.cursor_count = range->source + 1;
    }
}

static void take_total(const struct epoch_total *total)
{
    size_t index = 0;

    while (index < ledger.total_count &&
           memcmp(&ledger.totals[index], total, offsetof(struct epoch_total, count)) != 0) {
        index++;
    }
    must(index < TOTALS_MAX);
    ledger.totals[index] = *total;
    ledger.total_count += index == ledger.total_count ? 1 : 0;
}

static void take_epoch(const struct delivery *delivery, const struct epoch *epoch)
{
    for (size_t index = 0; index < epoch->range_count; index++) {
        take_range(delivery, &epoch->ranges[index]);
    }
    for (size_t index = 0; index < epoch->total_count; index++) {
        take_total(&epoch->totals[index]);
    }
    ledger.head.epoch = epoch->number;
    ledger.head.chain = epoch->chain;
    ledger.head.watermark_ms = epoch->watermark_ms;
    ledger.head.seed_epoch = epoch->seed_epoch;
    memcpy(ledger.head.seq_next, epoch->seq_next, sizeof(epoch->seq_next));
}

static enum outcome null_deliver(struct sink *sink, const struct delivery *delivery,
                                 struct fault *ret_fault)
{
    (void)sink;
    if (!chain_same(&ledger.head.chain, &delivery->epochs[0]->prev_chain)) {
        return fault_is(ret_fault, BROKEN, FAULT_FENCED, "another chain");
    }
    (void)pthread_mutex_lock(&ledger.mutex);
    for (size_t index = 0; index < delivery->epoch_count; index++) {
        take_epoch(delivery, delivery->epochs[index]);
    }
    ledger.head.rules = *delivery->rules;
    (void)pthread_mutex_unlock(&ledger.mutex);
    return DONE;
}

static enum outcome null_find_chain(struct sink *sink, const struct chain *chain,
                                    uint64_t *ret_epoch, struct fault *ret_fault)
{
    (void)sink;
    (void)ret_fault;
    *ret_epoch = chain_same(chain, &ledger.head.chain) ? ledger.head.epoch : 0;
    return DONE;
}

static enum outcome null_audit(struct sink *sink, struct fault *ret_fault)
{
    (void)sink;
    (void)ret_fault;
    return DONE;
}

static enum outcome null_read_cursor(struct sink *sink, size_t index,
                                     struct sink_cursor *ret_cursor, struct fault *ret_fault)
{
    (void)sink;
    (void)ret_fault;
    if (index >= ledger.cursor_count) {
        return LATER;
    }
    *ret_cursor = ledger.cursors[index];
    return DONE;
}

static enum outcome null_read_total(struct sink *sink, size_t index, struct epoch_total *ret_total,
                                    struct fault *ret_fault)
{
    (void)sink;
    (void)ret_fault;
    if (index >= ledger.total_count) {
        return LATER;
    }
    *ret_total = ledger.totals[index];
    return DONE;
}

static enum outcome null_read_row(struct sink *sink, enum table table, uint64_t seq,
                                  struct row *ret_row, uint64_t *ret_epoch, int64_t *ret_decided_ms,
                                  struct fault *ret_fault)
{
    (void)sink;
    (void)table;
    (void)seq;
    (void)ret_row;
    (void)ret_epoch;
    (void)ret_decided_ms;
    (void)ret_fault;
    return LATER;
}

static enum outcome null_find_payment(struct sink *sink, struct span transaction_id,
                                      const struct origin *origin, uint64_t offset,
                                      struct row *ret_row, struct fault *ret_fault)
{
    (void)sink;
    (void)transaction_id;
    (void)origin;
    (void)offset;
    (void)ret_row;
    (void)ret_fault;
    return LATER;
}

static enum outcome null_tend(struct sink *sink, struct fault *ret_fault)
{
    (void)sink;
    (void)ret_fault;
    return LATER;
}

const struct sink_type null_ledger = {
    .name = "null",
    .size = sizeof(struct sink),
    .can_be_ledger = true,
    .open = null_open,
    .close = null_close,
    .read_head = null_read_head,
    .begin = null_begin,
    .deliver = null_deliver,
    .find_chain = null_find_chain,
    .audit = null_audit,
    .read_cursor = null_read_cursor,
    .read_total = null_read_total,
    .read_row = null_read_row,
    .find_payment = null_find_payment,
    .tend = null_tend,
};
