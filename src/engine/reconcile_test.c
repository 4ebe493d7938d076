#include "engine/reconcile.h"

#include "base/instant.h"
#include "test/unit.h"

#include <stdlib.h>
#include <unistd.h>

/*
 * A small ledger in memory: two files, three windows, one of each verdict; then one thing in it
 * is changed at a time.
 */
enum { ROWS = 16, MINUTE_MS = 60000 };

#define FIRST_MS INT64_C(1767225600000)

struct memory_sink {
    struct sink sink;
    struct sink_head head;
    struct row rows[TABLE_COUNT][ROWS];
    size_t row_counts[TABLE_COUNT];
    struct sink_cursor cursors[2];
    struct epoch_total totals[ROWS];
    size_t total_count;
    struct sink_epoch epochs[3];
    struct epoch_range ranges[3][2];
    size_t epoch_count;
};

static struct memory_sink ledger;
static struct fault fault;
static struct reconcile *reconcile;
static const struct reconcile_report *report;
static char truth_path[] = "reconcile_test_XXXXXX";

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

static struct span text(const char *at)
{
    return (struct span){at, strlen(at)};
}

static struct row *add_row(enum table table)
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

static void window(int64_t start_ms, const char *region, int64_t count, int64_t total,
                   int64_t least, int64_t most)
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
static void write_ledger(void)
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

static void look_at(const char *truth, uint64_t match_bytes)
{
    struct reconcile_settings settings = {&ledger.sink, truth, 3, match_bytes};
    enum outcome outcome;

    reconcile_close(reconcile);
    reconcile = NULL;
    assert_int_equal(reconcile_open(&settings, &reconcile, &fault), DONE);
    while ((outcome = reconcile_step(reconcile, &fault)) == LATER) {
    }
    assert_int_equal(outcome, DONE);
    report = reconcile_report(reconcile);
}

static const char *told(enum reconcile_kind kind)
{
    return report->told[kind] == 0 ? "" : report->findings[kind * 3].text;
}

/* Only this is wrong, and it is told so. */
static void finds(enum reconcile_kind kind, uint64_t count, const char *sentence)
{
    look_at(NULL, 1 << 20);
    assert_int_equal(report->found[kind], count);
    if (strstr(told(kind), sentence) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", told(kind), sentence);
    }
    assert_false(reconcile_good(report));
}

static void only(enum reconcile_kind kind)
{
    for (size_t other = 0; other < RECONCILE_KINDS; other++) {
        if (other != kind && report->found[other] > 0) {
            fail_msg("also %s: %s", reconcile_kind_name((enum reconcile_kind)other),
                     told((enum reconcile_kind)other));
        }
    }
}

static int set_up(void **unused)
{
    write_ledger();
    return 0;
}

static int tear_down(void **unused)
{
    reconcile_close(reconcile);
    reconcile = NULL;
    return 0;
}

static void a_ledger_that_adds_up_is_good(void **unused)
{
    look_at(NULL, 1 << 20);
    only(RECONCILE_KINDS);
    assert_true(reconcile_good(report));
    assert_int_equal(report->counts[ACCEPTED], 4);
    assert_int_equal(report->counts[DUPLICATE], 2);
    assert_int_equal(report->counts[SKIPPED], 1);
    assert_int_equal(report->windows, 2);
    assert_int_equal(report->epochs, 2);
    assert_int_equal(report->newest_accepted_ms, FIRST_MS + MINUTE_MS + 2000);
}

static void a_row_that_is_gone_is_found(void **unused)
{
    memmove(&ledger.rows[TABLE_TRANSACTIONS][1], &ledger.rows[TABLE_TRANSACTIONS][2],
            2 * sizeof(struct row));
    ledger.row_counts[TABLE_TRANSACTIONS]--;
    finds(RECONCILE_NUMBER, 1, "payment_transactions: rows 2 to 2 are gone");
    assert_int_equal(report->found[RECONCILE_TOTAL], 1);
    assert_int_equal(report->found[RECONCILE_METRIC], 1);

    write_ledger();
    ledger.row_counts[TABLE_DUPLICATES]--;
    finds(RECONCILE_NUMBER, 1, "payment_duplicates: rows 2 to 2 are gone");

    write_ledger();
    (void)add_row(TABLE_DEAD_LETTERS);
    ledger.head.seq_next[TABLE_DEAD_LETTERS]--;
    finds(RECONCILE_NUMBER, 1, "payment_dead_letters: row 5 is beyond");
    only(RECONCILE_NUMBER);
}

static void an_amount_that_was_changed_is_found(void **unused)
{
    ledger.rows[TABLE_TRANSACTIONS][0].numbers[TRANSACTION_UNITS] = 100001;
    finds(RECONCILE_VALUE, 1, "amount \"1000.00\" is not 100001 units at scale 2");

    write_ledger();
    ledger.rows[TABLE_TRANSACTIONS][0].numbers[TRANSACTION_UNITS] = 100001;
    ledger.rows[TABLE_TRANSACTIONS][0].texts[TRANSACTION_AMOUNT] = text("1000.01");
    finds(RECONCILE_TOTAL, 1,
          "a.jsonl/0 accepted USD: the rows are 2, 3000.01; recorded are 2, 30");
    assert_int_equal(report->found[RECONCILE_METRIC], 1);

    write_ledger();
    ledger.rows[TABLE_DEAD_LETTERS][1].texts[DEAD_CURRENCY] = text("EUR");
    finds(RECONCILE_TOTAL, 2, "late");
    only(RECONCILE_TOTAL);
}

static void totals_and_cursors_that_were_changed_are_found(void **unused)
{
    ledger.totals[2].count++;
    finds(RECONCILE_TOTAL, 1, "duplicate USD: the rows are 2, 2000.00; recorded are 3, 2000.00");
    assert_int_equal(report->found[RECONCILE_CONSERVED], 1);

    write_ledger();
    ledger.totals[7].count++;
    finds(RECONCILE_CONSERVED, 1, "b.jsonl/0: offsets 1 to 4 are 3 messages, but 4 are counted");
    only(RECONCILE_CONSERVED);

    write_ledger();
    ledger.cursors[0].range.next = 8;
    finds(RECONCILE_PLACE, 1, "payment_dead_letters row 4: a.jsonl/0@8 was not read");
    assert_int_equal(report->found[RECONCILE_EPOCH], 1);
}

static void two_rows_of_one_place_are_found(void **unused)
{
    ledger.rows[TABLE_DUPLICATES][1].numbers[DUPLICATE_OFFSET] = 4;
    finds(RECONCILE_PLACE, 1, "payment_duplicates row 2: a.jsonl/0@4 has another row already");
    only(RECONCILE_PLACE);
}

static void a_duplicate_of_nothing_is_found(void **unused)
{
    ledger.rows[TABLE_DUPLICATES][0].numbers[DUPLICATE_FIRST_OFFSET] = 3;
    finds(RECONCILE_FIRST, 1, "payment_duplicates row 1: nothing was accepted at a.jsonl/0@3");
    only(RECONCILE_FIRST);

    write_ledger();
    ledger.rows[TABLE_DEAD_LETTERS][0].numbers[DEAD_FIRST_SOURCE] = 7;
    finds(RECONCILE_FIRST, 1, "payment_dead_letters row 1: nothing was accepted at an unknown");
}

static void windows_that_were_changed_are_found(void **unused)
{
    ledger.rows[TABLE_METRICS][0].numbers[METRIC_COUNT]++;
    finds(RECONCILE_METRIC, 1, "region \"EU\" USD: recorded are 3, 3000.00; its payments are 2");
    only(RECONCILE_METRIC);

    write_ledger();
    ledger.rows[TABLE_METRICS][1].numbers[METRIC_MIN_UNITS]--;
    finds(RECONCILE_METRIC, 1, "(smallest, largest or places differ)");
    only(RECONCILE_METRIC);

    write_ledger();
    ledger.row_counts[TABLE_METRICS]--;
    finds(RECONCILE_METRIC, 1, "recorded are 2, 3000.00; its payments are 4, 4000.00");

    write_ledger();
    ledger.rows[TABLE_TRANSACTIONS][0].numbers[TRANSACTION_EVENT_MS] = FIRST_MS - 1;
    finds(RECONCILE_METRIC, 2, "payment 1 is in no window");
    only(RECONCILE_METRIC);

    write_ledger();
    window(FIRST_MS + 2 * MINUTE_MS, "EU", 1, 5, 5, 5);
    finds(RECONCILE_METRIC, 1, "its payments are 0, 0.00");
    only(RECONCILE_METRIC);
}

static void epochs_that_were_changed_are_found(void **unused)
{
    ledger.ranges[1][0].first = 6;
    finds(RECONCILE_EPOCH, 1, "epoch 2: a.jsonl/0 goes on at 6, but the one before ended at 5");
    only(RECONCILE_EPOCH);

    write_ledger();
    ledger.epochs[1].prev_chain.bytes[3] = 1;
    finds(RECONCILE_EPOCH, 1, "epoch 2 follows on another history");

    write_ledger();
    ledger.head.chain.bytes[3] = 1;
    finds(RECONCILE_EPOCH, 1, "the last recorded epoch is 2, but the pipeline stands at 2, on an");

    write_ledger();
    ledger.epoch_count--;
    finds(RECONCILE_EPOCH, 3, "the last recorded epoch is 1, but the pipeline stands at 2");

    write_ledger();
    ledger.epochs[1].number = 3;
    ledger.head.epoch = 3;
    finds(RECONCILE_EPOCH, 1, "epochs 2 to 2 are not recorded");
}

static void an_id_that_was_accepted_twice_is_found(void **unused)
{
    ledger.rows[TABLE_TRANSACTIONS][2].texts[TRANSACTION_ID] = text("abc-123");
    finds(RECONCILE_REACCEPTED, 1, "abc-123: accepted at a.jsonl/0@1 and again at b.jsonl/0@1");
    only(RECONCILE_REACCEPTED);
    look_at(NULL, sizeof(uint64_t) * 2); /* Many shares of the ids: the same. */
    assert_int_equal(report->found[RECONCILE_REACCEPTED], 1);
    assert_int_equal(report->counts[ACCEPTED], 4);
}

static void look_with_truth(const char *lines, uint64_t match_bytes)
{
    FILE *stream = fopen(truth_path, "we");

    (void)fprintf(stream, "transaction_id,amount,currency,expected\n%s", lines);
    (void)fclose(stream);
    look_at(truth_path, match_bytes);
}

#define TRUTH                                                                                      \
    "abc-123,1000,USD,accepted\ndef-456,2000.00,USD,accepted\nxyz-789,500.5,USD,accepted\n"        \
    "late-1,7,USD,late\nfuture-1,7,USD,future\n"
#define LAST "uvw-000,499.5,USD,accepted\nbroken-1,3,USD,invalid\n"

static void the_truth_is_there_by_value(void **unused)
{
    look_with_truth(TRUTH LAST, 1 << 20);
    only(RECONCILE_KINDS);
    assert_int_equal(report->truth_rows, 7);
    assert_int_equal(report->truth_accepted, 4);
    assert_int_equal(report->truth_aside, 3);
    look_with_truth(TRUTH LAST, 32);
    only(RECONCILE_KINDS);
    assert_int_equal(report->truth_accepted, 4);
}

static void truth_says(const char *lines, enum reconcile_kind kind, const char *sentence)
{
    look_with_truth(lines, 1 << 20);
    assert_int_equal(report->found[kind], 1);
    only(kind);
    if (strstr(told(kind), sentence) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", told(kind), sentence);
    }
    look_with_truth(lines, 32);
    assert_int_equal(report->found[kind], 1);
}

static void what_the_truth_says_otherwise_is_found(void **unused)
{
    truth_says(TRUTH LAST "gone-1,12.50,EUR,accepted\n", RECONCILE_MISSING,
               "gone-1: 12.50 EUR (reconcile_test_");
    truth_says(TRUTH LAST "gone-1,12.50,EUR,late\n", RECONCILE_MISSING, "gone-1: 12.50 EUR");
    truth_says(TRUTH LAST "broken-2,12.50,EUR,invalid\n", RECONCILE_MISSING,
               "1 payments that are expected to be invalid have no row");
    truth_says(TRUTH "broken-1,3,USD,invalid\n", RECONCILE_EXTRA,
               "uvw-000: 499.50 USD, accepted, at b.jsonl/0@2");
    truth_says(TRUTH "uvw-000,499.51,USD,accepted\nbroken-1,3,USD,invalid\n", RECONCILE_AMOUNT,
               "uvw-000: 499.50 USD at b.jsonl/0@2, sent were 499.51 USD, accepted");
    truth_says(TRUTH "uvw-000,499.50,EUR,accepted\nbroken-1,3,USD,invalid\n", RECONCILE_AMOUNT,
               "sent were 499.50 EUR");
    truth_says(TRUTH "uvw-000,499.50,USD,late\nbroken-1,3,USD,invalid\n", RECONCILE_VERDICT,
               "uvw-000: 499.50 USD, accepted, at b.jsonl/0@2; sent were 499.50 USD, late");
    truth_says(TRUTH LAST "abc-123,1000,USD,accepted\n", RECONCILE_MISSING, "abc-123: 1000 USD");
}

static void a_statement_without_verdicts_is_held_against_amounts(void **unused)
{
    look_with_truth("abc-123,1000,USD,\ndef-456,2000.00,USD,\nxyz-789,500.5,USD,\n"
                    "late-1,7,USD,\nfuture-1,7,USD,\nuvw-000,499.5,USD,\n",
                    1 << 20);
    only(RECONCILE_KINDS);
    assert_int_equal(report->truth_accepted, 4);
    assert_int_equal(report->truth_aside, 2);
}

static void a_ledger_of_another_pipeline_is_refused(void **unused)
{
    struct reconcile_settings settings = {&ledger.sink, NULL, 3, 1 << 20};

    ledger.head.exists = false;
    reconcile_close(reconcile);
    reconcile = NULL;
    assert_int_equal(reconcile_open(&settings, &reconcile, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_LEDGER_OTHER_HISTORY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_ledger_that_adds_up_is_good),
        TEST(a_row_that_is_gone_is_found),
        TEST(an_amount_that_was_changed_is_found),
        TEST(totals_and_cursors_that_were_changed_are_found),
        TEST(two_rows_of_one_place_are_found),
        TEST(a_duplicate_of_nothing_is_found),
        TEST(windows_that_were_changed_are_found),
        TEST(epochs_that_were_changed_are_found),
        TEST(an_id_that_was_accepted_twice_is_found),
        TEST(the_truth_is_there_by_value),
        TEST(what_the_truth_says_otherwise_is_found),
        TEST(a_statement_without_verdicts_is_held_against_amounts),
        TEST(a_ledger_of_another_pipeline_is_refused),
    };
    int made = mkstemp(truth_path);
    if (made < 0 || close(made) != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(truth_path);
    return failed;
}
