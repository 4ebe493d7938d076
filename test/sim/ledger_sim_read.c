#include "test/sim/ledger_sim.h"

#include <string.h>

enum outcome ledger_sim_read_cursor(struct sink *sink, size_t index, struct sink_cursor *ret_cursor,
                                    struct fault *ret_fault)
{
    const struct ledger_store *store = ((struct ledger_sim *)sink)->store;

    (void)ret_fault;
    if (index >= store->cursor_count) {
        return LATER;
    }
    *ret_cursor = store->cursors[index];
    ret_cursor->range.source = (uint32_t)index;
    return DONE;
}

enum outcome ledger_sim_read_total(struct sink *sink, size_t index, struct epoch_total *ret_total,
                                   struct fault *ret_fault)
{
    const struct ledger_store *store = ((struct ledger_sim *)sink)->store;

    (void)ret_fault;
    if (index >= store->total_count) {
        return LATER;
    }
    *ret_total = store->totals[index];
    return DONE;
}

static const struct ledger_sim_row *find_row(const struct ledger_store *store, enum table table,
                                             uint64_t seq)
{
    for (size_t index = store->row_count; index > 0; index--) {
        const struct ledger_sim_row *row = &store->rows[index - 1];
        if (row->table == table && row->seq == seq) {
            return row;
        }
    }
    return NULL;
}

bool ledger_store_row(const struct ledger_store *store, enum table table, uint64_t seq,
                      struct row *ret_row)
{
    const struct ledger_sim_row *found = find_row(store, table, seq);

    return found != NULL &&
           row_read((struct span){store->bytes + found->at, found->size}, ret_row) > 0;
}

bool ledger_same_window(const struct row *left, const struct row *right)
{
    return left->table == TABLE_METRICS && right->table == TABLE_METRICS &&
           left->numbers[METRIC_START_MS] == right->numbers[METRIC_START_MS] &&
           left->texts[METRIC_REGION].size == right->texts[METRIC_REGION].size &&
           (left->texts[METRIC_REGION].size == 0 ||
            memcmp(left->texts[METRIC_REGION].at, right->texts[METRIC_REGION].at,
                   left->texts[METRIC_REGION].size) == 0) &&
           memcmp(left->texts[METRIC_CURRENCY].at, right->texts[METRIC_CURRENCY].at,
                  CURRENCY_SIZE) == 0;
}

static struct row drawn(const struct ledger_store *store, const struct ledger_sim_row *kept)
{
    struct row row;

    must(row_read((struct span){store->bytes + kept->at, kept->size}, &row) > 0);
    return row;
}

bool ledger_store_newest(const struct ledger_store *store, size_t index)
{
    struct row row = drawn(store, &store->rows[index]);
    bool newest = row.table == TABLE_METRICS;

    for (size_t later = index + 1; newest && later < store->row_count; later++) {
        struct row other = drawn(store, &store->rows[later]);
        newest = !ledger_same_window(&row, &other);
    }
    return newest;
}

/* A real ledger keeps the newest version of a window only: the first of these from seq on. */
static const struct ledger_sim_row *find_window(const struct ledger_store *store, uint64_t seq)
{
    for (size_t index = 0; index < store->row_count; index++) {
        if (store->rows[index].table == TABLE_METRICS && store->rows[index].seq >= seq &&
            ledger_store_newest(store, index)) {
            return &store->rows[index];
        }
    }
    return NULL;
}

enum outcome ledger_sim_read_row(struct sink *sink, enum table table, uint64_t seq,
                                 struct row *ret_row, uint64_t *ret_epoch, int64_t *ret_decided_ms,
                                 struct fault *ret_fault)
{
    const struct ledger_store *store = ((struct ledger_sim *)sink)->store;
    const struct ledger_sim_row *found =
        table == TABLE_METRICS ? find_window(store, seq) : find_row(store, table, seq);

    (void)ret_fault;
    if (found != NULL) {
        seq = found->seq;
    }
    if (found == NULL || !ledger_store_row(store, table, seq, ret_row)) {
        return LATER;
    }
    *ret_epoch = found->epoch;
    *ret_decided_ms = found->decided_ms;
    return DONE;
}

enum outcome ledger_sim_find_payment(struct sink *sink, struct span transaction_id,
                                     const struct origin *origin, uint64_t offset,
                                     struct row *ret_row, struct fault *ret_fault)
{
    const struct ledger_store *store = ((struct ledger_sim *)sink)->store;

    (void)transaction_id;
    (void)ret_fault;
    for (uint64_t seq = 1; ledger_store_row(store, TABLE_TRANSACTIONS, seq, ret_row); seq++) {
        const struct sink_cursor *cursor = &store->cursors[ret_row->numbers[TRANSACTION_SOURCE]];
        if (origin_same(&cursor->origin, origin) &&
            ret_row->numbers[TRANSACTION_OFFSET] == (int64_t)offset) {
            return DONE;
        }
    }
    return LATER;
}

enum outcome ledger_sim_read_epoch(struct sink *sink, uint64_t number, struct sink_epoch *ret_epoch,
                                   struct fault *ret_fault)
{
    const struct ledger_store *store = ((struct ledger_sim *)sink)->store;

    (void)ret_fault;
    for (size_t index = 0; index < store->epoch_count; index++) {
        if (store->epochs[index].recorded.number >= number) {
            *ret_epoch = store->epochs[index].recorded;
            ret_epoch->ranges = store->epochs[index].ranges;
            return DONE;
        }
    }
    return LATER;
}

static void keep_rules(struct ledger_store *store, uint64_t epoch, const struct decision *note)
{
    must(store->rules_count < LEDGER_SIM_RULES);
    struct sink_rules *rules = &store->rules[store->rules_count++];
    must(note->text.size == sizeof(rules->rules));
    *rules = (struct sink_rules){.epoch = epoch, .windows_from_ms = note->event_ms};
    memcpy(&rules->rules, note->text.at, sizeof(rules->rules));
}

static void keep_decision(struct ledger_store *store, uint64_t epoch, const struct decision *note,
                          uint32_t source)
{
    must(store->decision_count < LEDGER_SIM_DECISIONS);
    struct sink_decision *kept = &store->decisions[store->decision_count++];
    must(note->text.size <= sizeof(kept->text));
    memset(kept, 0, sizeof(*kept));
    kept->number = store->decision_count;
    kept->epoch = epoch;
    kept->note = *note;
    kept->note.source = (uint16_t)source;
    kept->note.text = (struct span){NULL, note->text.size}; /* It is copied about. */
    memcpy(kept->text, note->text.at, note->text.size);
}

void ledger_store_notes(struct ledger_store *store, const struct delivery *delivery,
                        const struct epoch *epoch)
{
    static const struct siphash_key no_key;
    struct span left = {epoch->decisions.at, epoch->decisions.size};
    struct decision note;
    size_t size;

    while (left.size > 0 && (size = decision_read(left, &no_key, &note)) > 0) {
        if (note.kind == NOTE_RULES) {
            keep_rules(store, epoch->number, &note);
        } else if (note.kind == NOTE_GAP || note.kind == NOTE_DECISION) {
            keep_decision(store, epoch->number, &note,
                          ledger_store_cursor(store, delivery, note.source));
        }
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
}

enum outcome ledger_sim_read_decision(struct sink *sink, uint64_t epoch, uint64_t after,
                                      struct sink_decision *ret_decision, struct fault *ret_fault)
{
    const struct ledger_store *store = ((struct ledger_sim *)sink)->store;

    (void)ret_fault;
    for (size_t index = 0; index < store->decision_count; index++) {
        if (store->decisions[index].epoch >= epoch && store->decisions[index].number > after) {
            *ret_decision = store->decisions[index];
            ret_decision->note.text.at = ret_decision->text;
            return DONE;
        }
    }
    return LATER;
}

enum outcome ledger_sim_read_rules(struct sink *sink, uint64_t epoch, struct sink_rules *ret_rules,
                                   struct fault *ret_fault)
{
    const struct ledger_store *store = ((struct ledger_sim *)sink)->store;

    (void)ret_fault;
    for (size_t index = 0; index < store->rules_count; index++) {
        if (store->rules[index].epoch >= epoch) {
            *ret_rules = store->rules[index];
            return DONE;
        }
    }
    return LATER;
}
