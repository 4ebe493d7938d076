#include "test/sim/account.h"

#include <string.h>

/* I1: everything between start and next is accounted for once. */
static void check_conservation(const struct ledger_store *store)
{
    for (size_t source = 0; source < store->cursor_count; source++) {
        const struct sink_cursor *cursor = &store->cursors[source];
        uint64_t counted = 0;
        for (size_t index = 0; index < store->total_count; index++) {
            counted += store->totals[index].source == source ? store->totals[index].count : 0;
        }
        must(counted == cursor->range.next - cursor->start);
    }
}

/* I2: the epochs' ranges tile each source; epochs and chains follow on each other. */
static void check_tiling(const struct ledger_store *store)
{
    uint64_t nexts[LEDGER_SIM_SOURCES];

    for (size_t source = 0; source < store->cursor_count; source++) {
        nexts[source] = store->cursors[source].start;
    }
    for (size_t index = 0; index < store->epoch_count; index++) {
        const struct ledger_sim_epoch *epoch = &store->epochs[index];
        must(epoch->recorded.number == index + 1);
        must(index == 0 || chain_same(&epoch->recorded.prev_chain, &epoch[-1].recorded.chain));
        for (size_t range = 0; range < epoch->recorded.range_count; range++) {
            must(epoch->ranges[range].first == nexts[epoch->ranges[range].source]);
            nexts[epoch->ranges[range].source] = epoch->ranges[range].next;
        }
    }
    for (size_t source = 0; source < store->cursor_count; source++) {
        must(nexts[source] == store->cursors[source].range.next);
    }
}

/* I3: seq is dense. */
static void check_seq(const struct ledger_store *store)
{
    struct row row;
    size_t rows = 0;

    for (enum table table = 0; table < TABLE_COUNT; table++) {
        uint64_t seq = 1;
        while (ledger_store_row(store, table, seq, &row)) {
            seq++;
        }
        must(!store->exists || seq == store->head.seq_next[table]);
        rows += seq - 1;
    }
    must(rows == store->row_count);
}

struct place {
    int64_t source;
    int64_t offset;
    uint8_t tally;
    struct span currency;
    int64_t units;
    int64_t scale;
};

/* Where the message of this row stands, what it counts under. False: a metric. */
static bool place_of(const struct row *row, struct place *ret_place)
{
    const int64_t *numbers = row->numbers;

    switch (row->table) {
    case TABLE_TRANSACTIONS:
        *ret_place = (struct place){numbers[TRANSACTION_SOURCE],
                                    numbers[TRANSACTION_OFFSET],
                                    ACCEPTED,
                                    row->texts[TRANSACTION_CURRENCY],
                                    numbers[TRANSACTION_UNITS],
                                    numbers[TRANSACTION_SCALE]};
        return true;
    case TABLE_DUPLICATES:
        *ret_place = (struct place){
            numbers[DUPLICATE_SOURCE],      numbers[DUPLICATE_OFFSET], DUPLICATE,
            row->texts[DUPLICATE_CURRENCY], numbers[DUPLICATE_UNITS],  numbers[DUPLICATE_SCALE]};
        return true;
    case TABLE_DEAD_LETTERS:
        *ret_place = (struct place){
            numbers[DEAD_SOURCE],      numbers[DEAD_OFFSET], (uint8_t)numbers[DEAD_VERDICT],
            row->texts[DEAD_CURRENCY], numbers[DEAD_UNITS],  numbers[DEAD_SCALE]};
        return true;
    case TABLE_METRICS:
    case TABLE_COUNT:
        break;
    }
    return false;
}

static struct row row_at(const struct ledger_store *store, size_t index)
{
    const struct ledger_sim_row *stored = &store->rows[index];
    struct row row;

    must(row_read((struct span){store->bytes + stored->at, stored->size}, &row) == stored->size);
    return row;
}

/* I3: no place makes two rows. */
static void check_places(const struct ledger_store *store)
{
    static uint64_t seen[LEDGER_SIM_SOURCES];
    struct place place;

    memset(seen, 0, sizeof(seen));
    for (size_t index = 0; index < store->row_count; index++) {
        struct row row = row_at(store, index);
        if (place_of(&row, &place)) {
            must(place.offset < 64);
            must((seen[place.source] & UINT64_C(1) << place.offset) == 0);
            seen[place.source] |= UINT64_C(1) << place.offset;
        }
    }
}

/* I5: the totals are what the rows add up to. */
static void check_total(const struct ledger_store *store, const struct epoch_total *total)
{
    struct money_sum sum = {0};
    struct money_sum said = {(money_wide)total->sum_high << 64 | total->sum_low};
    uint64_t count = 0;
    struct place place = {0};

    for (size_t index = 0; index < store->row_count; index++) {
        struct row row = row_at(store, index);
        bool counts =
            place_of(&row, &place) && place.source == total->source && place.tally == total->tally;
        bool no_money = place.currency.at == NULL && total->currency[0] == 0;
        if (counts &&
            (no_money || (place.currency.at != NULL &&
                          memcmp(place.currency.at, total->currency, CURRENCY_SIZE) == 0))) {
            count++;
            must(no_money || money_add(&sum, (struct money){place.units, place.scale}));
        }
    }
    must(total->tally >= SKIPPED || count == total->count); /* They make no rows, nor do gaps. */
    must(sum.billionths == said.billionths);
}

/* I6: the newest version of each window is what its accepted payments add up to. */
static void check_metric(const struct ledger_store *store, const struct row *metric)
{
    int64_t start_ms = metric->numbers[METRIC_START_MS];
    struct span region = metric->texts[METRIC_REGION];
    struct span currency = metric->texts[METRIC_CURRENCY];
    struct money_sum sum = {0};
    int64_t count = 0;

    for (size_t index = 0; index < store->row_count; index++) {
        struct row row = row_at(store, index);
        if (row.table != TABLE_TRANSACTIONS) {
            continue;
        }
        int64_t event_ms = row.numbers[TRANSACTION_EVENT_MS];
        struct span of_row = row.texts[TRANSACTION_CARRY];
        if (event_ms >= start_ms && event_ms < start_ms + 60000 && of_row.size == region.size &&
            (region.size == 0 || memcmp(of_row.at, region.at, region.size) == 0) &&
            memcmp(row.texts[TRANSACTION_CURRENCY].at, currency.at, CURRENCY_SIZE) == 0) {
            count++;
            must(money_add(&sum, (struct money){row.numbers[TRANSACTION_UNITS],
                                                row.numbers[TRANSACTION_SCALE]}));
        }
    }
    must(count == metric->numbers[METRIC_COUNT]);
    must((uint64_t)sum.billionths == (uint64_t)metric->numbers[METRIC_TOTAL_LOW]);
}

static void check_metrics(const struct ledger_store *store)
{
    for (size_t index = 0; index < store->row_count; index++) {
        struct row metric = row_at(store, index);
        if (ledger_store_newest(store, index)) {
            check_metric(store, &metric);
        }
    }
}

void account_check(const struct ledger_store *store)
{
    check_conservation(store);
    check_tiling(store);
    check_seq(store);
    check_places(store);
    for (size_t index = 0; index < store->total_count; index++) {
        check_total(store, &store->totals[index]);
    }
    check_metrics(store);
}

static const struct ledger_sim_row *find(const struct ledger_store *store, enum table table,
                                         uint64_t seq)
{
    for (size_t index = 0; index < store->row_count; index++) {
        if (store->rows[index].table == table && store->rows[index].seq == seq) {
            return &store->rows[index];
        }
    }
    return NULL;
}

void account_compare(const struct ledger_store *store, const struct ledger_store *golden)
{
    for (enum table table = 0; table < TABLE_METRICS; table++) {
        must(store->head.seq_next[table] == golden->head.seq_next[table]);
        for (uint64_t seq = 1; seq < golden->head.seq_next[table]; seq++) {
            const struct ledger_sim_row *left = find(store, table, seq);
            const struct ledger_sim_row *right = find(golden, table, seq);
            must(left != NULL && right != NULL);
            must(left->size == right->size);
            must(memcmp(store->bytes + left->at, golden->bytes + right->at, left->size) == 0);
        }
    }
    must(store->head.watermark_ms == golden->head.watermark_ms);
}

static void same_row(const struct ledger_store *left, const struct ledger_sim_row *one,
                     const struct ledger_store *right, const struct ledger_sim_row *other)
{
    must(one != NULL && other != NULL);
    must(one->epoch == other->epoch);
    must(one->decided_ms == other->decided_ms);
    must(one->size == other->size);
    must(memcmp(left->bytes + one->at, right->bytes + other->at, one->size) == 0);
}

static void same_rows(const struct ledger_store *follower, const struct ledger_store *ledger)
{
    size_t rows[2] = {0, 0};

    for (size_t index = 0; index < ledger->row_count; index++) {
        const struct ledger_sim_row *row = &ledger->rows[index];
        if (row->table != TABLE_METRICS || ledger_store_newest(ledger, index)) {
            same_row(ledger, row, follower, find(follower, row->table, row->seq));
            rows[0]++;
        }
    }
    for (size_t index = 0; index < follower->row_count; index++) {
        rows[1] +=
            follower->rows[index].table != TABLE_METRICS || ledger_store_newest(follower, index);
    }
    must(rows[0] == rows[1]);
}

static void same_history(const struct ledger_store *follower, const struct ledger_store *ledger)
{
    must(follower->epoch_count == ledger->epoch_count);
    for (size_t index = 0; index < ledger->epoch_count; index++) {
        const struct ledger_sim_epoch *left = &follower->epochs[index];
        const struct ledger_sim_epoch *right = &ledger->epochs[index];
        must(memcmp(&left->recorded, &right->recorded, sizeof(left->recorded)) == 0);
        for (size_t range = 0; range < left->recorded.range_count; range++) {
            must(left->ranges[range].source == right->ranges[range].source);
            must(left->ranges[range].first == right->ranges[range].first);
            must(left->ranges[range].next == right->ranges[range].next);
        }
    }
}

static bool has_total(const struct ledger_store *store, const struct epoch_total *total)
{
    bool found = false;

    for (size_t index = 0; !found && index < store->total_count; index++) {
        found = memcmp(&store->totals[index], total, sizeof(*total)) == 0;
    }
    return found;
}

void account_follows(const struct ledger_store *follower, const struct ledger_store *ledger)
{
    struct sink_head head = follower->head;

    head.begun_by = ledger->head.begun_by; /* Each began in its own time. */
    must(memcmp(&head, &ledger->head, sizeof(head)) == 0);
    must(follower->rules_count == ledger->rules_count);
    must(memcmp(follower->rules, ledger->rules, ledger->rules_count * sizeof(ledger->rules[0])) ==
         0);
    must(follower->decision_count == ledger->decision_count);
    must(memcmp(follower->decisions, ledger->decisions,
                ledger->decision_count * sizeof(ledger->decisions[0])) == 0);
    must(follower->cursor_count == ledger->cursor_count);
    must(memcmp(follower->cursors, ledger->cursors,
                ledger->cursor_count * sizeof(ledger->cursors[0])) == 0);
    must(follower->total_count == ledger->total_count);
    for (size_t index = 0; index < ledger->total_count; index++) {
        must(has_total(follower, &ledger->totals[index]));
    }
    same_history(follower, ledger);
    same_rows(follower, ledger);
}

size_t account_accepted(const struct ledger_store *store, const char *id)
{
    size_t count = 0;

    for (size_t index = 0; index < store->row_count; index++) {
        struct row row = row_at(store, index);
        struct span text = row.texts[TRANSACTION_ID];
        count += row.table == TABLE_TRANSACTIONS && text.size == strlen(id) &&
                 memcmp(text.at, id, text.size) == 0;
    }
    return count;
}

uint64_t account_count(const struct ledger_store *store, uint8_t tally)
{
    uint64_t count = 0;

    for (size_t index = 0; index < store->total_count; index++) {
        count += store->totals[index].tally == tally ? store->totals[index].count : 0;
    }
    return count;
}
