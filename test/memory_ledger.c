#include "test/memory_ledger.h"

#include "base/instant.h"
#include "test/unit.h"

struct memory_sink ledger;
static struct fault memory_fault;
static struct reconcile *reconcile;
const struct reconcile_report *report;

static enum outcome read_head(struct sink *sink, struct sink_head *ret_head,
                              struct fault *ret_fault)
{
    *ret_head = ledger.head;
    return DONE;
}

static enum outcome read_cursor(struct sink *sink, size_t index, struct sink_cursor *ret_cursor,
                                struct fault *ret_fault)
{
    if (index == 2) {
        return LATER;
    }
    *ret_cursor = ledger.cursors[index];
    return DONE;
}

static enum outcome read_total(struct sink *sink, size_t index, struct epoch_total *ret_total,
                               struct fault *ret_fault)
{
    if (index == ledger.total_count) {
        return LATER;
    }
    *ret_total = ledger.totals[index];
    return DONE;
}

static enum outcome read_row(struct sink *sink, enum table table, uint64_t seq, struct row *ret_row,
                             uint64_t *ret_epoch, int64_t *ret_decided_ms, struct fault *ret_fault)
{
    for (size_t index = 0; index < ledger.row_counts[table]; index++) {
        if ((uint64_t)ledger.rows[table][index].numbers[0] >= seq) {
            *ret_row = ledger.rows[table][index];
            return DONE;
        }
    }
    return LATER;
}

static enum outcome read_epoch(struct sink *sink, uint64_t number, struct sink_epoch *ret_epoch,
                               struct fault *ret_fault)
{
    for (size_t index = 0; index < ledger.epoch_count; index++) {
        if (ledger.epochs[index].number >= number) {
            *ret_epoch = ledger.epochs[index];
            ret_epoch->ranges = ledger.ranges[index];
            return DONE;
        }
    }
    return LATER;
}

static const struct sink_type memory_type = {
    .name = "memory",
    .size = sizeof(struct memory_sink),
    .read_head = read_head,
    .read_cursor = read_cursor,
    .read_total = read_total,
    .read_row = read_row,
    .read_epoch = read_epoch,
};

struct span text(const char *at)
{
    return (struct span){at, strlen(at)};
}

struct row *add_row(enum table table)
{
    struct row *row = &ledger.rows[table][ledger.row_counts[table]++];

    row->table = table;
    row->numbers[0] = (int64_t)ledger.row_counts[table];
    ledger.head.seq_next[table] = ledger.row_counts[table] + 1;
    return row;
}

static void accept(int64_t source, int64_t offset, const char *id, int64_t event_ms,
                   const char *amount, int64_t units, int64_t scale)
{
    struct row *row = add_row(TABLE_TRANSACTIONS);

    row->numbers[TRANSACTION_SOURCE] = source;
    row->numbers[TRANSACTION_OFFSET] = offset;
    row->numbers[TRANSACTION_EVENT_MS] = event_ms;
    row->numbers[TRANSACTION_UNITS] = units;
    row->numbers[TRANSACTION_SCALE] = scale;
    row->texts[TRANSACTION_ID] = text(id);
    row->texts[TRANSACTION_AMOUNT] = text(amount);
    row->texts[TRANSACTION_CURRENCY] = text("USD");
    row->texts[TRANSACTION_CARRY] = text("EU");
}

static void repeat(int64_t source, int64_t offset, int64_t first_source, int64_t first_offset)
{
    struct row *row = add_row(TABLE_DUPLICATES);

    row->numbers[DUPLICATE_SOURCE] = source;
    row->numbers[DUPLICATE_OFFSET] = offset;
    row->numbers[DUPLICATE_FIRST_SOURCE] = first_source;
    row->numbers[DUPLICATE_FIRST_OFFSET] = first_offset;
    row->numbers[DUPLICATE_UNITS] = 100000;
    row->numbers[DUPLICATE_SCALE] = 2;
    row->texts[DUPLICATE_ID] = text("abc-123");
    row->texts[DUPLICATE_AMOUNT] = text("1000.00");
    row->texts[DUPLICATE_CURRENCY] = text("USD");
}

static void set_aside(enum verdict verdict, int64_t source, int64_t offset, const char *id)
{
    struct row *row = add_row(TABLE_DEAD_LETTERS);

    row->numbers[DEAD_SOURCE] = source;
    row->numbers[DEAD_OFFSET] = offset;
    row->numbers[DEAD_VERDICT] = verdict;
    row->numbers[DEAD_FIRST_SOURCE] = verdict == CONFLICT ? 0 : NUMBER_NULL;
    row->numbers[DEAD_FIRST_OFFSET] = verdict == CONFLICT ? 1 : NUMBER_NULL;
    if (verdict != INVALID) {
        row->numbers[DEAD_UNITS] = 7;
        row->texts[DEAD_ID] = text(id);
        row->texts[DEAD_AMOUNT] = text("7");
        row->texts[DEAD_CURRENCY] = text("USD");
    }
}

void window(int64_t start_ms, const char *region, int64_t count, int64_t total, int64_t least,
            int64_t most)
{
    struct row *row = add_row(TABLE_METRICS);

    row->numbers[METRIC_START_MS] = start_ms;
    row->numbers[METRIC_COUNT] = count;
    row->numbers[METRIC_TOTAL_LOW] = total * 1000000000;
    row->numbers[METRIC_PLACES] = 2;
    row->numbers[METRIC_MIN_UNITS] = least;
    row->numbers[METRIC_MAX_UNITS] = most * 100;
    row->numbers[METRIC_MAX_SCALE] = 2;
    row->texts[METRIC_REGION] = text(region);
    row->texts[METRIC_CURRENCY] = text("USD");
}

static void total(uint32_t source, uint8_t tally, uint64_t count, uint64_t whole)
{
    struct epoch_total *added = &ledger.totals[ledger.total_count++];

    *added = (struct epoch_total){source, tally, {'U', 'S', 'D'}, count, whole * 1000000000, 0};
    if (tally == INVALID || tally == SKIPPED) {
        memset(added->currency, 0, CURRENCY_SIZE);
    }
}

static void epoch(uint64_t number, uint64_t zero_first, uint64_t zero_next, uint64_t one_first,
                  uint64_t one_next)
{
    struct sink_epoch *added = &ledger.epochs[ledger.epoch_count];

    *added = (struct sink_epoch){.number = number, .range_count = 2};
    added->prev_chain.bytes[0] = (uint8_t)(number - 1);
    added->chain.bytes[0] = (uint8_t)number;
    ledger.ranges[ledger.epoch_count][0] =
        (struct epoch_range){.source = 0, .first = zero_first, .next = zero_next};
    ledger.ranges[ledger.epoch_count][1] =
        (struct epoch_range){.source = 1, .first = one_first, .next = one_next};
    ledger.epoch_count++;
    ledger.head.epoch = number;
    ledger.head.chain = added->chain;
}

/* Files a (8 lines) and b (3 lines, one of them skipped). */
void write_ledger(void)
{
    memset(&ledger, 0, sizeof(ledger));
    ledger.sink.type = &memory_type;
    ledger.sink.settings = (struct sink_settings){.path = "memory", .carry_count = 1};
    (void)strcpy(ledger.sink.settings.carry[0], "region");
    ledger.head.exists = true;
    ledger.head.watermark_ms = INSTANT_NONE;
    for (uint32_t source = 0; source < 2; source++) {
        (void)strcpy(ledger.cursors[source].origin.topic, source == 0 ? "a.jsonl" : "b.jsonl");
        ledger.cursors[source].start = 1;
        ledger.cursors[source].range.next = source == 0 ? 9 : 4;
    }
    accept(0, 1, "abc-123", FIRST_MS + 5000, "1000.00", 100000, 2);
    accept(0, 4, "def-456", FIRST_MS + 8000, "2000", 2000, 0);
    accept(1, 1, "xyz-789", FIRST_MS + MINUTE_MS + 1000, "500.50", 50050, 2);
    accept(1, 2, "uvw-000", FIRST_MS + MINUTE_MS + 2000, "499.50", 49950, 2);
    repeat(0, 2, 0, 1);
    repeat(0, 3, 0, 1);
    set_aside(CONFLICT, 0, 5, "abc-123");
    set_aside(LATE, 0, 6, "late-1");
    set_aside(FUTURE, 0, 7, "future-1");
    set_aside(INVALID, 0, 8, NULL);
    window(FIRST_MS, "EU", 2, 3000, 1000, 2000);
    window(FIRST_MS + MINUTE_MS, "~other", 2, 1000, 0, 0);
    struct row *other = &ledger.rows[TABLE_METRICS][1];
    other->numbers[METRIC_MIN_UNITS] = 4995;
    other->numbers[METRIC_MIN_SCALE] = 1;
    other->numbers[METRIC_MAX_UNITS] = 50050;
    total(0, ACCEPTED, 2, 3000);
    total(1, ACCEPTED, 2, 1000);
    total(0, DUPLICATE, 2, 2000);
    total(0, CONFLICT, 1, 7);
    total(0, LATE, 1, 7);
    total(0, FUTURE, 1, 7);
    total(0, INVALID, 1, 0);
    total(1, SKIPPED, 1, 0);
    epoch(1, 1, 5, 1, 1);
    epoch(2, 5, 9, 1, 4);
}

void look_at(const char *truth, uint64_t match_bytes)
{
    struct reconcile_settings settings = {&ledger.sink, truth, 3, match_bytes};
    enum outcome outcome;

    reconcile_close(reconcile);
    reconcile = NULL;
    assert_int_equal(reconcile_open(&settings, &reconcile, &memory_fault), DONE);
    while ((outcome = reconcile_step(reconcile, &memory_fault)) == LATER) {
    }
    assert_int_equal(outcome, DONE);
    report = reconcile_report(reconcile);
}

const char *told(enum reconcile_kind kind)
{
    return report->told[kind] == 0 ? "" : report->findings[kind * 3].text;
}

void only(enum reconcile_kind kind)
{
    for (size_t other = 0; other < RECONCILE_KINDS; other++) {
        if (other != kind && report->found[other] > 0) {
            fail_msg("also %s: %s", reconcile_kind_name((enum reconcile_kind)other),
                     told((enum reconcile_kind)other));
        }
    }
}

int set_up_ledger(void **unused)
{
    write_ledger();
    return 0;
}

int tear_down_ledger(void **unused)
{
    reconcile_close(reconcile);
    reconcile = NULL;
    return 0;
}
