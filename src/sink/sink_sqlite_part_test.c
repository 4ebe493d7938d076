#include "test/unit.h"

#include "sink/stage.h"

/* Rows in parts: their borders, their indexes, and many of them. */

static void tend_to_the_end(struct stage *stage)
{
    enum outcome outcome = DONE;

    for (int look = 0; look <= SQLITE_PATIENCE || outcome == DONE; look++) {
        outcome = sink_tend(stage->sink, &stage->fault);
        assert_true(outcome == DONE || outcome == LATER);
    }
}

static void a_part_is_full_at_its_last_row(void **unused)
{
    struct stage *stage = stage_open(10);

    stage_add(stage, 9);
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM sqlite_schema WHERE name GLOB"
                                         " 'payment_transactions_0*' AND type = 'table'"),
                        "1");
    stage_add(stage, 1);
    stage_add(stage, 1);
    stage_add(stage, 25);
    assert_string_equal(stage_ask(stage, "SELECT count(*), min(seq), max(seq)"
                                         " FROM payment_transactions_000001"),
                        "10|1|10");
    assert_string_equal(stage_ask(stage, "SELECT count(*), min(seq), max(seq)"
                                         " FROM payment_transactions_000004"),
                        "6|31|36");
    assert_string_equal(stage_ask(stage, "SELECT count(*), count(DISTINCT seq), max(seq)"
                                         " FROM payment_transactions"),
                        "36|36|36");
    stage_close(stage);
}

static void full_parts_are_indexed_at_once_the_open_one_when_idle(void **unused)
{
    struct stage *stage = stage_open(10);
    static const char indexes[] = "SELECT group_concat(name, ' ') FROM (SELECT name FROM"
                                  " sqlite_schema WHERE type = 'index' AND name GLOB"
                                  " 'payment_transactions_*' ORDER BY name)";

    stage_add(stage, 25);
    assert_string_equal(stage_ask(stage, indexes),
                        "payment_transactions_000001_id payment_transactions_000002_id");
    tend_to_the_end(stage);
    assert_string_equal(stage_ask(stage, indexes),
                        "payment_transactions_000001_id payment_transactions_000002_id"
                        " payment_transactions_000003_id");
    stage_add(stage, 10);
    assert_string_equal(stage_ask(stage, indexes),
                        "payment_transactions_000001_id payment_transactions_000002_id"
                        " payment_transactions_000003_id");
    assert_string_equal(stage_ask(stage, "SELECT seq FROM payment_transactions"
                                         " WHERE transaction_id IN ('t3', 't28', 't34')"),
                        "3|28|34");
    stage_close(stage);
}

/* An index on a random id would slow the many rows that come: it goes, and is built again. */
static void a_large_delivery_drops_the_open_parts_index(void **unused)
{
    struct stage *stage = stage_open(0);
    static const char indexes[] =
        "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name GLOB"
        " 'payment_transactions_*'";

    stage_add(stage, 10);
    tend_to_the_end(stage);
    assert_string_equal(stage_ask(stage, indexes), "1");
    stage_add(stage, SQLITE_BULK_ROWS - 1);
    assert_string_equal(stage_ask(stage, indexes), "1");
    sample_fill(&stage->sample, &stage->epochs[0], 4000);
    sample_fill(&stage->sample, &stage->epochs[1], 4000);
    assert_int_equal(stage_deliver(stage, 0, 2), DONE);
    assert_string_equal(stage_ask(stage, indexes), "0");
    assert_int_equal(sink_tend(stage->sink, &stage->fault), LATER); /* More may be coming. */
    assert_string_equal(stage_ask(stage, indexes), "0");
    tend_to_the_end(stage);
    assert_string_equal(stage_ask(stage, indexes), "1");
    assert_string_equal(stage_ask(stage, "PRAGMA integrity_check"), "ok");
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payment_transactions"), "8109");
    stage_close(stage);
}

static bool finds(struct stage *stage, const char *id, size_t source, uint64_t offset,
                  int64_t *ret_seq)
{
    struct row row;
    enum outcome outcome =
        sink_find_payment(stage->sink, (struct span){id, strlen(id)},
                          &stage->sample.origins[source], offset, &row, &stage->fault);

    if (outcome == DONE) {
        *ret_seq = row.numbers[TRANSACTION_SEQ];
    }
    return outcome == DONE;
}

/* By index in a full part, by place in the open one; never another source's, never another id. */
static void a_payment_is_found_by_id_and_place(void **unused)
{
    struct stage *stage = stage_open(100);
    int64_t seq = 0;

    for (int round = 0; round < 5; round++) {
        sample_begin(&stage->sample, &stage->epochs[0]);
        for (int payment = 0; payment < 50; payment++) {
            sample_accept(&stage->sample, &stage->epochs[0], payment % 7 == 0 ? 1 : 0, "same",
                          "1.00");
        }
        sample_end(&stage->sample, &stage->epochs[0]);
        assert_int_equal(stage_deliver(stage, 0, 1), DONE);
        for (size_t source = 0; source < 2; source++) {
            int64_t last = 0;
            for (uint64_t offset = 1; offset < stage->sample.next[source]; offset++) {
                assert_true(finds(stage, "same", source, offset, &seq));
                assert_true(seq > last);
                last = seq;
            }
            assert_false(finds(stage, "same", source, stage->sample.next[source], &seq));
        }
    }
    assert_false(finds(stage, "other", 0, 1, &seq));
    assert_false(finds(stage, "other", 0, stage->sample.next[0] - 1, &seq));
    assert_false(finds(stage, "same", 2, 1, &seq));
    struct origin unknown = {.topic = "unknown"};
    struct row row;
    assert_int_equal(
        sink_find_payment(stage->sink, (struct span){"same", 4}, &unknown, 1, &row, &stage->fault),
        LATER);
    stage_close(stage);
}

/* Far beyond the 500 terms that SQLite takes in one query. */
static void twelve_hundred_parts_are_one_table(void **unused)
{
    struct stage *stage = stage_open(10);
    struct row row;
    uint64_t epoch;
    int64_t decided_ms;
    int64_t seq = 0;
    uint64_t rows = 0;

    for (int delivery = 0; delivery < 3; delivery++) {
        stage_add(stage, 4000);
    }
    stage_add(stage, 5);
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM sqlite_schema WHERE name GLOB"
                                         " 'payment_transactions_0*' AND type = 'table'"),
                        "1201");
    assert_string_equal(stage_ask(stage, "SELECT count(*), max(seq), sum(amount_units)"
                                         " FROM payment_transactions"),
                        "12005|12005|1200500");
    assert_string_equal(stage_ask(stage, "SELECT seq, source_topic FROM payment_transactions"
                                         " WHERE transaction_id = 't7777'"),
                        "7777|input-0.jsonl");
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payment_transactions"
                                         " WHERE seq BETWEEN 4995 AND 5104"),
                        "110");
    assert_string_equal(stage_ask(stage, "SELECT total FROM payment_sums"), "12005.00");
    assert_true(finds(stage, "t77", 0, 77, &seq));
    assert_int_equal(seq, 77);
    while (sink_read_row(stage->sink, TABLE_TRANSACTIONS, rows + 1, &row, &epoch, &decided_ms,
                         &stage->fault) == DONE) {
        rows++;
        assert_int_equal(row.numbers[TRANSACTION_SEQ], rows);
    }
    assert_int_equal(rows, 12005);
    stage_close_sink(stage);
    assert_int_equal(stage_open_sink(stage), DONE);
    stage_add(stage, 11);
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payment_transactions"), "12016");
    stage_close(stage);
}

/* Whoever reads the file afterwards finds every part indexed. */
static void a_clean_close_leaves_no_part_without_its_index(void **unused)
{
    struct stage *stage = stage_open(0);

    stage_add(stage, 4000);
    sample_fill(&stage->sample, &stage->epochs[1], 300);
    assert_int_equal(stage_deliver(stage, 1, 1), DONE);
    stage_close_sink(stage);
    assert_string_equal(stage_ask(stage, "SELECT name FROM sqlite_schema WHERE type = 'index' AND"
                                         " name GLOB 'payment_*'"),
                        "payment_transactions_000001_id");
    stage_close(stage);
}

/* The file keeps the size of its parts, whatever is configured later. */
static void parts_keep_the_size_they_began_with(void **unused)
{
    struct stage *stage = stage_open(10);

    stage_add(stage, 15);
    stage_close_sink(stage);
    stage->settings.part_rows = 7;
    assert_int_equal(stage_open_sink(stage), DONE);
    stage_add(stage, 15);
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payment_transactions_000002"), "10");
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payment_transactions"), "30");
    stage_close(stage);
}

/* The log is carried into the file, so it does not grow for ever. */
static void the_write_ahead_log_stays_bounded(void **unused)
{
    struct stage *stage = stage_open(0);

    for (int delivery = 0; delivery < 10; delivery++) {
        sample_fill(&stage->sample, &stage->epochs[0], 4000);
        assert_int_equal(stage_deliver(stage, 0, 1), DONE);
        tend_to_the_end(stage);
        assert_true(stage->sqlite->wal_pages - stage->sqlite->wal_carried < SQLITE_TIDY_PAGES);
    }
    assert_true(stage->sqlite->wal_pages < 2 * SQLITE_TIDY_PAGES);
    stage_close(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_full_at_its_last_row),
        cmocka_unit_test(full_parts_are_indexed_at_once_the_open_one_when_idle),
        cmocka_unit_test(a_large_delivery_drops_the_open_parts_index),
        cmocka_unit_test(a_payment_is_found_by_id_and_place),
        cmocka_unit_test(twelve_hundred_parts_are_one_table),
        cmocka_unit_test(a_clean_close_leaves_no_part_without_its_index),
        cmocka_unit_test(parts_keep_the_size_they_began_with),
        cmocka_unit_test(the_write_ahead_log_stays_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
