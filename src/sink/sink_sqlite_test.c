#include "test/unit.h"

#include "sink/stage.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Rule R1: what one transaction does, and what it refuses. */

static int set_up(void **state)
{
    *state = stage_open(0);
    return 0;
}

static int tear_down(void **state)
{
    stage_close(*state);
    return 0;
}

static void a_new_file_holds_the_pipeline_at_epoch_0(void **state)
{
    struct stage *stage = *state;
    struct sink_head head;
    struct stat status;

    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), DONE);
    assert_true(head.exists);
    assert_false(head.other_payments);
    assert_int_equal(head.format, LEDGER_FORMAT);
    assert_int_equal(head.epoch, 0);
    assert_int_equal(head.journal_id, 4711);
    assert_int_equal(head.seq_next[TABLE_TRANSACTIONS], 1);
    assert_int_equal(head.seq_next[TABLE_METRICS], 1);
    assert_true(rules_same(&head.rules, &stage->sample.rules));
    assert_true(head.watermark_ms == INT64_MIN);
    assert_int_equal(stat(stage->settings.path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_string_equal(stage_ask(stage, "PRAGMA page_size"), "16384");
    assert_string_equal(stage_ask(stage, "PRAGMA journal_mode"), "wal");
}

static void several_epochs_arrive_in_one_transaction(void **state)
{
    struct stage *stage = *state;
    struct sink_head head;

    sample_fill(&stage->sample, &stage->epochs[0], 20);
    sample_fill(&stage->sample, &stage->epochs[1], 3);
    sample_fill(&stage->sample, &stage->epochs[2], 100);
    assert_int_equal(stage_deliver(stage, 0, 3), DONE);
    assert_int_equal(stage->sink->transactions, 1);
    assert_int_equal(stage->sink->rows, 123);
    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), DONE);
    assert_int_equal(head.epoch, 3);
    assert_true(chain_same(&head.chain, &stage->sample.chain));
    assert_int_equal(head.seq_next[TABLE_TRANSACTIONS], 124);
    assert_true(head.watermark_ms == SAMPLE_START_MS - 1000);
    assert_string_equal(stage_ask(stage, "SELECT count(*), min(seq), max(seq),"
                                         " count(DISTINCT epoch) FROM payment_transactions"),
                        "123|1|123|3");
    assert_string_equal(stage_ask(stage, "SELECT next FROM payonce_cursor WHERE source = 0"),
                        "124");
    assert_string_equal(stage_ask(stage, "SELECT verdict, currency, count, sum FROM payonce_total"),
                        "accepted|USD|123|123");
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payonce_epoch a JOIN payonce_epoch b"
                                         " ON b.epoch = a.epoch + 1 AND b.prev_chain = a.chain"),
                        "2");
}

static void takes_a_repeated_delivery_once(void **state)
{
    struct stage *stage = *state;

    sample_fill(&stage->sample, &stage->epochs[0], 20);
    sample_fill(&stage->sample, &stage->epochs[1], 3);
    assert_int_equal(stage_deliver(stage, 0, 2), DONE);
    assert_int_equal(stage_deliver(stage, 0, 2), DONE);
    assert_int_equal(stage_deliver(stage, 1, 1), DONE);
    assert_int_equal(stage->sink->transactions, 1);
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payment_transactions"), "23");
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payonce_epoch"), "2");
}

/* The commit happened and its answer was lost: a new process repeats the same epochs. */
static void an_unknown_outcome_is_repeated_and_becomes_nothing(void **state)
{
    struct stage *stage = *state;

    sample_fill(&stage->sample, &stage->epochs[0], 50);
    sample_fill(&stage->sample, &stage->epochs[1], 7);
    assert_int_equal(stage_deliver(stage, 0, 2), DONE);
    stage_close_sink(stage);
    assert_int_equal(stage_open_sink(stage), DONE);
    assert_int_equal(stage_deliver(stage, 0, 2), DONE);
    assert_int_equal(stage->sink->transactions, 0);
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payment_transactions"), "57");
    stage_add(stage, 1);
}

static void another_future_is_fenced_and_writes_nothing(void **state)
{
    struct stage *stage = *state;
    struct sample other = stage->sample;

    other.future = 1;
    sample_fill(&other, &stage->epochs[0], 5);
    sample_fill(&stage->sample, &stage->epochs[1], 20);
    assert_int_equal(stage_deliver(stage, 1, 1), DONE);
    assert_int_equal(stage_deliver(stage, 0, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_FENCED);
    sample_fill(&other, &stage->epochs[2], 5);
    assert_int_equal(stage_deliver(stage, 2, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_FENCED);
    assert_string_equal(stage_ask(stage, "SELECT count(*), max(epoch) FROM payment_transactions"),
                        "20|1");
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payonce_epoch"), "1");
    sample_fill(&stage->sample, &stage->epochs[3], 1);
    assert_int_equal(stage_deliver(stage, 3, 1), DONE);
}

/* Part of it is recorded, but not the last: that is not ours to complete. */
static void a_delivery_that_overlaps_is_fenced(void **state)
{
    struct stage *stage = *state;

    sample_fill(&stage->sample, &stage->epochs[0], 5);
    sample_fill(&stage->sample, &stage->epochs[1], 5);
    assert_int_equal(stage_deliver(stage, 0, 1), DONE);
    assert_int_equal(stage_deliver(stage, 0, 2), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_FENCED);
    assert_int_equal(stage_deliver(stage, 1, 1), DONE);
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payment_transactions"), "10");
}

static void epochs_that_do_not_follow_on_each_other_are_refused(void **state)
{
    struct stage *stage = *state;

    sample_fill(&stage->sample, &stage->epochs[0], 5);
    sample_fill(&stage->sample, &stage->epochs[2], 5);
    sample_fill(&stage->sample, &stage->epochs[1], 5);
    assert_int_equal(stage_deliver(stage, 0, 2), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_JOURNAL_CORRUPT);
    assert_string_equal(stage->fault.text, "epoch 3 does not follow on epoch 1");
}

/* Its row is gone: nobody knows where this source stands, so nothing is written. */
static void a_cursor_that_is_missing_stops_the_delivery(void **state)
{
    struct stage *stage = *state;

    stage_add(stage, 5);
    (void)stage_ask(stage, "DELETE FROM payonce_cursor WHERE source = 0");
    sample_fill(&stage->sample, &stage->epochs[1], 5);
    assert_int_equal(stage_deliver(stage, 1, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_DAMAGED);
    assert_string_equal(stage_ask(stage, "SELECT count(*), max(epoch) FROM payment_transactions"),
                        "5|1");
}

/* Exactly one row each: a cursor that is not this pipeline's does not move. */
static void a_cursor_of_another_pipeline_stops_the_delivery(void **state)
{
    struct stage *stage = *state;

    stage_add(stage, 5);
    (void)stage_ask(stage, "UPDATE payonce_cursor SET pipeline = 'theirs' WHERE source = 0");
    sample_fill(&stage->sample, &stage->epochs[1], 5);
    assert_int_equal(stage_deliver(stage, 1, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_DAMAGED);
    assert_non_null(strstr(stage->fault.text, "0 rows where one was to be"));
    assert_string_equal(stage_ask(stage, "SELECT count(*), max(epoch) FROM payment_transactions"),
                        "5|1");
}

/* A row of the wrong number would leave a hole or a double: the transaction is undone. */
static void rows_must_be_dense(void **state)
{
    struct stage *stage = *state;

    stage_add(stage, 5);
    stage->sample.seq_next[TABLE_TRANSACTIONS]++;
    sample_fill(&stage->sample, &stage->epochs[1], 40);
    assert_int_equal(stage_deliver(stage, 1, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_DAMAGED);
    assert_string_equal(stage_ask(stage, "SELECT count(*), max(epoch) FROM payment_transactions"),
                        "5|1");
}

/* A row that names a source nobody knows, or has other columns than the table, is not written. */
static void rows_that_make_no_sense_are_refused(void **state)
{
    struct stage *stage = *state;
    struct row row;
    struct epoch *epoch = &stage->epochs[1].epoch;
    uint8_t lender[512]; /* Of the row's texts, while it is written again. */

    stage_add(stage, 5);
    sample_fill(&stage->sample, &stage->epochs[1], 1);
    assert_true(epoch->rows.size <= sizeof(lender));
    memcpy(lender, epoch->rows.at, epoch->rows.size);
    assert_int_not_equal(row_read((struct span){lender, epoch->rows.size}, &row), 0);
    row.numbers[TRANSACTION_SOURCE] = SAMPLE_SOURCES;
    (void)row_write(&row, epoch->rows.at);
    assert_int_equal(stage_deliver(stage, 1, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_JOURNAL_CORRUPT);
    row.numbers[TRANSACTION_SOURCE] = 0;
    row.text_count--;
    epoch->rows.size = row_write(&row, epoch->rows.at);
    assert_int_equal(stage_deliver(stage, 1, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_SCHEMA);
    epoch->rows.size = 4;
    assert_int_equal(stage_deliver(stage, 1, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_JOURNAL_CORRUPT);
    assert_string_equal(stage_ask(stage, "SELECT count(*), max(epoch) FROM payment_transactions"),
                        "5|1");
}

/* Somebody has added a row of his own: where it ends is not where the history says. */
static void a_foreign_row_is_seen(void **state)
{
    struct stage *stage = *state;
    struct sink_head head;

    stage_add(stage, 5);
    (void)stage_ask(stage, "INSERT INTO payment_transactions_000001 (seq, transaction_id)"
                           " VALUES (6, 'mine')");
    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_DAMAGED);
    sample_fill(&stage->sample, &stage->epochs[1], 40);
    assert_int_equal(stage_deliver(stage, 1, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_DAMAGED);
}

/* A note without a message is history, too. */
static void an_epoch_without_rows_moves_the_chain(void **state)
{
    struct stage *stage = *state;
    uint64_t epoch;

    sample_begin(&stage->sample, &stage->epochs[0]);
    sample_end(&stage->sample, &stage->epochs[0]);
    assert_int_equal(stage_deliver(stage, 0, 1), DONE);
    assert_int_equal(sink_find_chain(stage->sink, &stage->sample.chain, &epoch, &stage->fault),
                     DONE);
    assert_int_equal(epoch, 1);
    stage->sample.chain.bytes[3] ^= 1;
    assert_int_equal(sink_find_chain(stage->sink, &stage->sample.chain, &epoch, &stage->fault),
                     DONE);
    assert_int_equal(epoch, 0);
}

/* The sources have other numbers in a new journal; their names tell which they are. */
static void sources_are_known_by_name_not_by_number(void **state)
{
    struct stage *stage = *state;
    struct sink_cursor cursor;

    stage_add(stage, 5);
    struct origin first = stage->sample.origins[0];
    stage->sample.origins[0] = stage->sample.origins[2];
    stage->sample.origins[2] = first;
    stage->sample.next[2] = stage->sample.next[0];
    stage->sample.next[0] = 1;
    stage->sample.total_count = 0;
    sample_begin(&stage->sample, &stage->epochs[1]);
    sample_accept(&stage->sample, &stage->epochs[1], 2, "x", "1.00");
    sample_end(&stage->sample, &stage->epochs[1]);
    assert_int_equal(stage_deliver(stage, 1, 1), DONE);
    assert_string_equal(stage_ask(stage, "SELECT source_topic, source_offset"
                                         " FROM payment_transactions WHERE transaction_id = 'x'"),
                        "input-0.jsonl|6");
    assert_int_equal(sink_read_cursor(stage->sink, 0, &cursor, &stage->fault), DONE);
    assert_string_equal(cursor.origin.topic, "input-0.jsonl");
    assert_int_equal(cursor.range.next, 7);
    assert_int_equal(cursor.start, 1);
    assert_int_equal(sink_read_cursor(stage->sink, SAMPLE_SOURCES, &cursor, &stage->fault), LATER);
}

/* Delivers for ever, in a process of its own, until it is killed. */
static void deliver_until_killed(struct stage *stage)
{
    stage_close_sink(stage);
    if (stage_open_sink(stage) != DONE) {
        _exit(1);
    }
    for (;;) {
        sample_fill(&stage->sample, &stage->epochs[0], 150);
        sample_fill(&stage->sample, &stage->epochs[1], 70);
        if (stage_deliver(stage, 0, 2) != DONE) {
            _exit(1);
        }
    }
}

/* Killed at any moment: the file stands after some whole delivery, and the next one fits. */
static void a_kill_leaves_whole_deliveries(void **unused)
{
    struct stage *stage = stage_open(100);

    stage_close_sink(stage);
    for (int round = 0; round < 10 || stage->sample.number < 20; round++) {
        struct sink_head head;
        struct timespec wait = {0, (3 + round % 50 * 4) * 1000000L};
        pid_t child = fork();
        int status = 0;
        assert_true(child >= 0);
        if (child == 0) {
            deliver_until_killed(stage);
        }
        (void)nanosleep(&wait, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(stage_open_sink(stage), DONE);
        assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), DONE);
        while (stage->sample.number < head.epoch) {
            sample_fill(&stage->sample, &stage->epochs[0], 150);
            sample_fill(&stage->sample, &stage->epochs[1], 70);
        }
        assert_true(chain_same(&head.chain, &stage->sample.chain));
        assert_int_equal(head.seq_next[TABLE_TRANSACTIONS],
                         stage->sample.seq_next[TABLE_TRANSACTIONS]);
        assert_string_equal(stage_ask(stage, "SELECT count(*) - max(seq) FROM"
                                             " payment_transactions HAVING count(*) > 0"),
                            head.epoch > 0 ? "0" : "");
        stage_close_sink(stage);
    }
    assert_int_equal(stage_open_sink(stage), DONE);
    stage_add(stage, 1);
    assert_string_equal(stage_ask(stage, "PRAGMA integrity_check"), "ok");
    stage_close(stage);
}

#define WITH_LEDGER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LEDGER(a_new_file_holds_the_pipeline_at_epoch_0),
        WITH_LEDGER(several_epochs_arrive_in_one_transaction),
        WITH_LEDGER(takes_a_repeated_delivery_once),
        WITH_LEDGER(an_unknown_outcome_is_repeated_and_becomes_nothing),
        WITH_LEDGER(another_future_is_fenced_and_writes_nothing),
        WITH_LEDGER(a_delivery_that_overlaps_is_fenced),
        WITH_LEDGER(epochs_that_do_not_follow_on_each_other_are_refused),
        WITH_LEDGER(a_cursor_that_is_missing_stops_the_delivery),
        WITH_LEDGER(a_cursor_of_another_pipeline_stops_the_delivery),
        WITH_LEDGER(rows_must_be_dense),
        WITH_LEDGER(rows_that_make_no_sense_are_refused),
        WITH_LEDGER(a_foreign_row_is_seen),
        WITH_LEDGER(an_epoch_without_rows_moves_the_chain),
        WITH_LEDGER(sources_are_known_by_name_not_by_number),
        cmocka_unit_test(a_kill_leaves_whole_deliveries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
