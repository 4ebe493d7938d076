#include "test/sim/ledger_sim.h"

#include <string.h>

static struct ledger_sim *sim_of(struct sink *sink)
{
    return (struct ledger_sim *)sink;
}

void ledger_store_copy(struct ledger_store *to, const struct ledger_store *from)
{
    memcpy(to, from, offsetof(struct ledger_store, bytes) + from->byte_count);
}

static enum outcome gone(struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SINK_IO, "the process is gone");
}

static enum outcome sim_open(struct sink *sink, struct fault *ret_fault)
{
    return *sim_of(sink)->dead ? gone(ret_fault) : DONE;
}

static void sim_close(struct sink *sink)
{
    (void)sink;
}

static enum outcome sim_read_head(struct sink *sink, struct sink_head *ret_head,
                                  struct fault *ret_fault)
{
    const struct ledger_store *store = sim_of(sink)->store;

    if (*sim_of(sink)->dead) {
        return gone(ret_fault);
    }
    if (store->exists) {
        *ret_head = store->head;
    }
    ret_head->exists = store->exists;
    ret_head->other_payments = !store->exists && store->row_count > 0;
    return DONE;
}

static enum outcome sim_begin(struct sink *sink, uint64_t journal_id, const struct rules *rules,
                              struct fault *ret_fault)
{
    struct ledger_store *store = sim_of(sink)->store;

    if (*sim_of(sink)->dead) {
        return gone(ret_fault);
    }
    must(!store->exists);
    store->exists = true;
    store->head = (struct sink_head){.exists = true,
                                     .format = LEDGER_FORMAT,
                                     .journal_id = journal_id,
                                     .begun_by = journal_id,
                                     .watermark_ms = INT64_MIN,
                                     .seed_epoch = 1,
                                     .seq_next = {1, 1, 1, 1},
                                     .rules = *rules};
    return DONE;
}

static uint64_t find_chain(const struct ledger_store *store, const struct chain *chain)
{
    for (size_t index = 0; index < store->epoch_count; index++) {
        if (chain_same(&store->epochs[index].recorded.chain, chain)) {
            return store->epochs[index].recorded.number;
        }
    }
    return 0;
}

static enum outcome sim_find_chain(struct sink *sink, const struct chain *chain,
                                   uint64_t *ret_epoch, struct fault *ret_fault)
{
    if (*sim_of(sink)->dead) {
        return gone(ret_fault);
    }
    *ret_epoch = find_chain(sim_of(sink)->store, chain);
    return DONE;
}

uint32_t ledger_store_cursor(struct ledger_store *store, const struct delivery *delivery,
                             uint32_t source)
{
    const struct origin *origin = &delivery->origins[source];
    uint32_t number = 0;

    while (number < store->cursor_count && !origin_same(&store->cursors[number].origin, origin)) {
        number++;
    }
    if (number == store->cursor_count) {
        must(number < LEDGER_SIM_SOURCES);
        store->cursors[number] =
            (struct sink_cursor){.origin = *origin, .start = delivery->starts[source]};
        store->cursor_count++;
    }
    return number;
}

static void apply_range(struct ledger_store *store, const struct delivery *delivery,
                        const struct epoch_range *range, struct ledger_sim_epoch *recorded)
{
    uint32_t number = ledger_store_cursor(store, delivery, range->source);
    struct epoch_range moved = *range;

    moved.source = number;
    recorded->ranges[recorded->recorded.range_count++] = moved;
    moved.first = moved.next;
    store->cursors[number].range = moved;
}

static void apply_total(struct ledger_store *store, const struct delivery *delivery,
                        struct epoch_total total)
{
    size_t index = 0;

    total.source = ledger_store_cursor(store, delivery, total.source);
    while (index < store->total_count &&
           (store->totals[index].source != total.source ||
            store->totals[index].tally != total.tally ||
            memcmp(store->totals[index].currency, total.currency, 3) != 0)) {
        index++;
    }
    must(index < LEDGER_SIM_TOTALS);
    store->totals[index] = total;
    store->total_count += index == store->total_count;
}

/* The numbers of a row's sources become the ledger's own. */
static void translate(struct ledger_store *store, const struct delivery *delivery, struct row *row)
{
    static const int places[TABLE_COUNT][2] = {
        [TABLE_TRANSACTIONS] = {TRANSACTION_SOURCE, -1},
        [TABLE_DUPLICATES] = {DUPLICATE_SOURCE, DUPLICATE_FIRST_SOURCE},
        [TABLE_DEAD_LETTERS] = {DEAD_SOURCE, DEAD_FIRST_SOURCE},
        [TABLE_METRICS] = {-1, -1},
    };

    for (size_t index = 0; index < 2; index++) {
        int place = places[row->table][index];
        if (place >= 0 && row->numbers[place] != NUMBER_NULL) {
            row->numbers[place] =
                ledger_store_cursor(store, delivery, (uint32_t)row->numbers[place]);
        }
    }
}

static void apply_rows(struct ledger_store *store, const struct delivery *delivery,
                       const struct epoch *epoch)
{
    struct span left = {epoch->rows.at, epoch->rows.size};

    while (left.size > 0) {
        struct row row;
        size_t size = row_read(left, &row);
        must(size > 0);
        must(store->row_count < LEDGER_SIM_ROWS);
        must(store->byte_count + size <= LEDGER_SIM_BYTES);
        translate(store, delivery, &row);
        store->rows[store->row_count++] = (struct ledger_sim_row){.table = row.table,
                                                                  .seq = (uint64_t)row.numbers[0],
                                                                  .epoch = epoch->number,
                                                                  .decided_ms = epoch->decided_ms,
                                                                  .at = store->byte_count,
                                                                  .size = size};
        store->byte_count += row_write(&row, store->bytes + store->byte_count);
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
}

static struct sink_epoch name_of(const struct epoch *epoch)
{
    return (struct sink_epoch){.number = epoch->number,
                               .prev_chain = epoch->prev_chain,
                               .chain = epoch->chain,
                               .journal_id = epoch->journal_id,
                               .decided_ms = epoch->decided_ms,
                               .sealed_ms = epoch->sealed_ms,
                               .watermark_ms = epoch->watermark_ms,
                               .newest_accepted_ms = epoch->newest_accepted_ms,
                               .seed_epoch = epoch->seed_epoch,
                               .message_count = epoch->message_count,
                               .row_count = epoch->row_count};
}

/* The end of a refill. */
static void apply_standing(struct ledger_store *store, const struct delivery *delivery)
{
    const struct epoch *standing = delivery->standing;

    for (size_t index = 0; index < standing->range_count; index++) {
        uint32_t number = ledger_store_cursor(store, delivery, standing->ranges[index].source);
        store->cursors[number].range = standing->ranges[index];
        store->cursors[number].range.source = number;
    }
    for (size_t index = 0; index < standing->total_count; index++) {
        apply_total(store, delivery, standing->totals[index]);
    }
}

static void apply(struct ledger_store *store, const struct delivery *delivery)
{
    for (size_t index = 0; index < delivery->epoch_count; index++) {
        const struct epoch *epoch = delivery->epochs[index];
        must(store->epoch_count < LEDGER_SIM_EPOCHS);
        struct ledger_sim_epoch *recorded = &store->epochs[store->epoch_count++];
        recorded->recorded = name_of(epoch);
        for (size_t range = 0; range < epoch->range_count; range++) {
            apply_range(store, delivery, &epoch->ranges[range], recorded);
        }
        for (size_t total = 0; total < epoch->total_count; total++) {
            apply_total(store, delivery, epoch->totals[total]);
        }
        apply_rows(store, delivery, epoch);
        ledger_store_notes(store, delivery, epoch);
        store->head.epoch = epoch->number;
        store->head.chain = epoch->chain;
        store->head.journal_id =
            delivery->refill && delivery->standing == NULL ? 0 : epoch->journal_id;
        store->head.watermark_ms = epoch->watermark_ms;
        store->head.seed_epoch = epoch->seed_epoch;
        memcpy(store->head.seq_next, epoch->seq_next, sizeof(epoch->seq_next));
    }
    store->head.rules = *delivery->rules;
    if (delivery->standing != NULL) {
        apply_standing(store, delivery);
    }
}

/* Rule R1. */
static enum outcome compare_and_set(struct ledger_store *store, const struct delivery *delivery,
                                    struct fault *ret_fault)
{
    const struct epoch *first = delivery->epochs[0];
    const struct epoch *last = delivery->epochs[delivery->epoch_count - 1];

    if (store->exists && chain_same(&store->head.chain, &first->prev_chain)) {
        apply(store, delivery);
        return DONE;
    }
    if (find_chain(store, &last->chain) != 0) {
        return DONE;
    }
    return fault_is(ret_fault, BROKEN, FAULT_FENCED, "epoch %llu does not follow on epoch %llu",
                    (unsigned long long)first->number, (unsigned long long)store->head.epoch);
}

/* Is this the delivery at which the process dies? */
static bool dies(struct ledger_sim *sim)
{
    struct ledger_death *death = sim->death;

    return death != NULL && ++death->count == death->at;
}

static enum outcome sim_deliver(struct sink *sink, const struct delivery *delivery,
                                struct fault *ret_fault)
{
    struct ledger_sim *sim = sim_of(sink);
    bool troubled = ++sim->deliveries == sim->trouble_at;
    enum ledger_trouble trouble = troubled ? sim->trouble : LEDGER_WELL;
    enum outcome outcome = DONE;

    if (*sim->dead) {
        return gone(ret_fault);
    }
    bool dying = dies(sim);
    if (trouble != LEDGER_BUSY && (!dying || sim->death->after)) {
        outcome = compare_and_set(sim->store, delivery, ret_fault);
    }
    if (dying) {
        *sim->dead = true;
        return gone(ret_fault);
    }
    return trouble == LEDGER_WELL || outcome != DONE
               ? outcome
               : fault_is(ret_fault, LATER, FAULT_SINK_BUSY, "no answer");
}

static enum outcome sim_audit(struct sink *sink, struct fault *ret_fault)
{
    return *sim_of(sink)->dead ? gone(ret_fault) : DONE;
}

static enum outcome sim_tend(struct sink *sink, struct fault *ret_fault)
{
    (void)sink;
    (void)ret_fault;
    return LATER;
}

const struct sink_type sink_sim = {
    .name = "sim",
    .size = sizeof(struct ledger_sim),
    .can_be_ledger = true,
    .open = sim_open,
    .close = sim_close,
    .read_head = sim_read_head,
    .begin = sim_begin,
    .deliver = sim_deliver,
    .find_chain = sim_find_chain,
    .audit = sim_audit,
    .read_cursor = ledger_sim_read_cursor,
    .read_total = ledger_sim_read_total,
    .read_rules = ledger_sim_read_rules,
    .read_decision = ledger_sim_read_decision,
    .read_row = ledger_sim_read_row,
    .read_epoch = ledger_sim_read_epoch,
    .find_payment = ledger_sim_find_payment,
    .tend = sim_tend,
};
