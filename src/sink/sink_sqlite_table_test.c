#include "test/unit.h"

#include "sink/stage.h"

#include <stdlib.h>

/* What the tables and views hold. */

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

static void begin(struct stage *stage)
{
    sample_begin(&stage->sample, &stage->epochs[0]);
}

static void end(struct stage *stage)
{
    sample_end(&stage->sample, &stage->epochs[0]);
    assert_int_equal(stage_deliver(stage, 0, 1), DONE);
}

static void accept(struct stage *stage, const char *id, const char *amount)
{
    sample_accept(&stage->sample, &stage->epochs[0], 0, id, amount);
}

static void a_payment_reads_as_it_was_sent(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    accept(stage, "abc-123", "1000.10");
    end(stage);
    assert_string_equal(
        stage_ask(stage,
                  "SELECT seq, transaction_id, sender_account_id, receiver_account_id, amount,"
                  " typeof(amount), amount_units, amount_scale, currency, event_time,"
                  " processing_time, region, payment_method, status, device_id, ip_address,"
                  " fraud_score, is_high_risk, velocity_60s, count_5m, look_alike_of,"
                  " source_topic, source_incarnation, source_partition, source_offset, epoch"
                  " FROM payment_transactions"),
        "1|abc-123|ACC_0001234567|ACC_0007654321|1000.10|text|100010|2|USD|1767225600001|"
        "1767225600010|EU|card||device-4711|-|1|0|1|1|-|input-0.jsonl|0|0|1|1");
}

static void an_empty_text_is_not_an_absent_one(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    accept(stage, "abc-123", "1");
    end(stage);
    assert_string_equal(stage_ask(stage, "SELECT typeof(status), typeof(ip_address)"
                                         " FROM payment_transactions"),
                        "text|null");
}

static void hostile_texts_stay_texts(void **state)
{
    static const char *const ids[] = {"'; DROP TABLE payment_transactions_000001; --", "\"\"\\",
                                      "\x01\x1b[31m\x7f", "%s%n",
                                      "\xe2\x80\xa8{\"level\":\"error\"}"};
    struct stage *stage = *state;
    struct row row;
    uint64_t epoch;
    int64_t decided_ms;

    begin(stage);
    for (size_t index = 0; index < 5; index++) {
        accept(stage, ids[index], "1.00");
    }
    end(stage);
    for (size_t index = 0; index < 5; index++) {
        assert_int_equal(sink_read_row(stage->sink, TABLE_TRANSACTIONS, index + 1, &row, &epoch,
                                       &decided_ms, &stage->fault),
                         DONE);
        assert_int_equal(row.texts[TRANSACTION_ID].size, strlen(ids[index]));
        assert_memory_equal(row.texts[TRANSACTION_ID].at, ids[index], strlen(ids[index]));
    }
}

static void what_is_set_aside_has_a_row_with_its_reason(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    sample_set_aside(&stage->sample, &stage->epochs[0], 1, INVALID, "{\"amount\": ####");
    sample_set_aside(&stage->sample, &stage->epochs[0], 2, LATE, "");
    end(stage);
    assert_string_equal(stage_ask(stage,
                                  "SELECT seq, verdict, reason, known_id, excerpt,"
                                  " transaction_id, first_topic, source_topic, source_offset,"
                                  " detected_time FROM payment_dead_letters"),
                        "1|invalid|P120|-|{\"amount\": ####|-|-|input-1.jsonl|1|1767225600010|"
                        "2|late|P201|-||-|-|input-2.jsonl|1|1767225600010");
    assert_string_equal(
        stage_ask(stage, "SELECT error_id, error_type, error_code, error_message, detected_time,"
                         " retry_count, last_retry_time, resolution_status FROM error_log LIMIT 1"),
        "1|invalid|P120|set aside|2026-01-01T00:00:00.010Z|0|-|set aside");
}

static void duplicates_name_their_first(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    accept(stage, "abc", "1.00");
    sample_repeat(&stage->sample, &stage->epochs[0], 1, "abc", 1);
    sample_repeat(&stage->sample, &stage->epochs[0], 3, "abc", 1);
    end(stage);
    assert_string_equal(stage_ask(stage, "SELECT seq, transaction_id, first_topic, first_offset,"
                                         " first_event_time, earlier, source_topic, source_offset"
                                         " FROM payment_duplicates"),
                        "1|abc|input-0.jsonl|1|1767225600001|0|input-1.jsonl|1|"
                        "2|abc|input-0.jsonl|1|1767225600001|0|input-3.jsonl|1");
    assert_string_equal(stage_ask(stage, "SELECT * FROM deduplication_audit"),
                        "abc|2026-01-01T00:00:00.001Z|2|2026-01-01T00:00:00.001Z "
                        "2026-01-01T00:00:00.001Z|same transaction_id, same content|"
                        "2026-01-01T00:00:00.010Z");
    assert_string_equal(stage_ask(stage, "SELECT checkpoint_id, batch_number, topic, start_offset,"
                                         " end_offset, transactions_processed,"
                                         " transactions_deduplicated, checkpoint_time, duration_ms"
                                         " FROM checkpoint_log WHERE topic = 'input-1.jsonl'"),
                        "1-1|1|input-1.jsonl|1|1|1|1|2026-01-01T00:00:00.015Z|5");
    assert_string_equal(
        stage_ask(stage, "SELECT topic, messages, accepted, duplicates, duplicate_percent"
                         " FROM deduplication_effectiveness WHERE topic = 'input-3.jsonl'"),
        "input-3.jsonl|1|0|1|100.00");
}

/* The largest amounts there are: their sum needs more than 64 bits, and no double holds it. */
static void sums_are_exact_beyond_64_bits(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    for (int payment = 0; payment < 5; payment++) {
        accept(stage, "big", "9223372036854775807");
        accept(stage, "cents", "92233720368547758.07");
        accept(stage, "dust", "9223372036.854775807");
    }
    accept(stage, "ten", "0.10");
    accept(stage, "one", "0.5");
    end(stage);
    assert_string_equal(stage_ask(stage, "SELECT * FROM payment_sums ORDER BY amount_scale"),
                        "USD|0|5|46116860184273879035|USD|1|1|0.5|USD|2|6|461168601842738790.45|"
                        "USD|9|5|46116860184.273879035");
    assert_string_equal(stage_ask(stage, "SELECT * FROM daily_reconciliation"),
                        "2026-01-01|USD|17|46578028832233478010.223879035|0|0|provisional");
}

/* A tenth ten times is one: what a double would get wrong. */
static void a_day_adds_up_and_says_when_it_is_final(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    for (int payment = 0; payment < 10; payment++) {
        accept(stage, "dime", "0.1");
    }
    sample_repeat(&stage->sample, &stage->epochs[0], 1, "dime", 1);
    stage->epochs[0].epoch.watermark_ms = SAMPLE_START_MS + INT64_C(86400000);
    end(stage);
    assert_string_equal(stage_ask(stage, "SELECT * FROM daily_reconciliation"),
                        "2026-01-01|USD|10|1.0|1|0|final");
}

static void fraud_has_its_views(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    for (int payment = 0; payment < 70; payment++) {
        accept(stage, "x", "1.00");
    }
    end(stage);
    assert_string_equal(stage_ask(stage, "SELECT * FROM fraud_summary"),
                        "2026-01-01|70|10|0|30|70");
    assert_string_equal(stage_ask(stage, "SELECT count(*), min(txn_velocity_window),"
                                         " max(alert_severity), min(is_velocity_fraud)"
                                         " FROM fraud_velocity_alerts"),
                        "30|4|MEDIUM|1");
    assert_string_equal(stage_ask(stage, "SELECT * FROM active_high_risk_accounts"),
                        "ACC_0001234567|10|70|2026-01-01T00:00:00.070Z");
    assert_string_equal(stage_ask(stage, "SELECT txn_count_5min, enrichment_time, region"
                                         " FROM payment_transactions_fraud WHERE seq = 2"),
                        "2|2026-01-01T00:00:00.010Z|EU");
}

static void a_window_has_one_row_and_its_newest_values(void **state)
{
    struct stage *stage = *state;
    struct row row;
    uint64_t epoch;
    int64_t decided_ms;

    begin(stage);
    sample_metric(&stage->sample, &stage->epochs[0], SAMPLE_START_MS, "EU", 3, 1000);
    sample_metric(&stage->sample, &stage->epochs[0], SAMPLE_START_MS, "US", 1, 7);
    sample_metric(&stage->sample, &stage->epochs[0], SAMPLE_START_MS, "EU", 6, 1001);
    end(stage);
    begin(stage);
    sample_metric(&stage->sample, &stage->epochs[0], SAMPLE_START_MS, "EU", 7, 2000);
    end(stage);
    assert_string_equal(stage_ask(stage, "SELECT * FROM payment_metrics ORDER BY region"),
                        "1767225600000|EU|USD|7|20.00|0.01|20.00|2.857142857|1767225600020|2|0|4|"
                        "1767225600000|US|USD|1|0.07|0.01|0.07|0.070000000|1767225600010|1|0|2");
    assert_int_equal(
        sink_read_row(stage->sink, TABLE_METRICS, 1, &row, &epoch, &decided_ms, &stage->fault),
        DONE);
    assert_int_equal(row.numbers[METRIC_SEQ], 2);
    assert_int_equal(
        sink_read_row(stage->sink, TABLE_METRICS, 3, &row, &epoch, &decided_ms, &stage->fault),
        DONE);
    assert_int_equal(row.numbers[METRIC_SEQ], 4);
    assert_int_equal(row.numbers[METRIC_COUNT], 7);
    assert_true(row.numbers[METRIC_TOTAL_LOW] == INT64_C(20000000000));
    assert_int_equal(row.numbers[METRIC_PLACES], 2);
    assert_int_equal(row.numbers[METRIC_MAX_UNITS], 2000);
    assert_int_equal(epoch, 2);
    assert_int_equal(
        sink_read_row(stage->sink, TABLE_METRICS, 5, &row, &epoch, &decided_ms, &stage->fault),
        LATER);
}

static void cut_last_row(struct epoch *epoch)
{
    struct span left = {epoch->rows.at, epoch->rows.size};
    size_t before = 0;
    struct row row;

    while (left.size > 0) {
        size_t size = row_read(left, &row);
        before = epoch->rows.size - left.size;
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
    epoch->rows.size = before;
}

static void a_delivery_without_its_last_row_is_none(void **state)
{
    struct stage *stage = *state;

    stage_add(stage, 3);
    sample_fill(&stage->sample, &stage->epochs[1], 4);
    cut_last_row(&stage->epochs[1].epoch);
    assert_int_equal(stage_deliver(stage, 1, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_DAMAGED);
    assert_string_equal(stage_ask(stage, "SELECT count(*), (SELECT epoch FROM payonce_pipeline)"
                                         " FROM payment_transactions"),
                        "3|1");
}

static void a_table_that_lost_its_end_is_noticed(void **state)
{
    struct stage *stage = *state;
    struct sink_head head;
    sqlite3 *other = NULL;

    stage_add(stage, 3);
    stage_close_sink(stage);
    assert_int_equal(sqlite3_open(stage->settings.path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "DELETE FROM payment_transactions_000001 WHERE seq = 3",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(stage_open_sink(stage), DONE);
    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_DAMAGED);
}

/* What is read back is, byte for byte, what was delivered. */
static void rows_come_back_as_they_went(void **state)
{
    struct stage *stage = *state;
    struct span left;
    uint8_t *bytes = malloc(ROW_SIZE_MAX);
    uint64_t next[TABLE_COUNT] = {1, 1, 1, 1};

    assert_non_null(bytes);
    begin(stage);
    accept(stage, "abc", "1.00");
    sample_repeat(&stage->sample, &stage->epochs[0], 1, "abc", 1);
    sample_set_aside(&stage->sample, &stage->epochs[0], 1, INVALID, "{");
    sample_metric(&stage->sample, &stage->epochs[0], SAMPLE_START_MS, "EU", 3, 1000);
    accept(stage, "def", "0.000000001");
    end(stage);
    left = (struct span){stage->epochs[0].epoch.rows.at, stage->epochs[0].epoch.rows.size};
    while (left.size > 0) {
        struct row sent;
        struct row back;
        uint64_t epoch;
        int64_t decided_ms;
        size_t size = row_read(left, &sent);
        assert_int_equal(sink_read_row(stage->sink, sent.table, next[sent.table]++, &back, &epoch,
                                       &decided_ms, &stage->fault),
                         DONE);
        assert_int_equal(row_write(&back, bytes), size);
        assert_memory_equal(bytes, left.at, size);
        assert_int_equal(epoch, 1);
        assert_true(decided_ms == SAMPLE_START_MS + 10);
        left = (struct span){(const uint8_t *)left.at + size, left.size - size};
    }
    free(bytes);
}

static void totals_come_back_as_they_went(void **state)
{
    struct stage *stage = *state;
    struct epoch_total total;
    size_t count = 0;

    begin(stage);
    for (int payment = 0; payment < 3; payment++) {
        accept(stage, "big", "9223372036854775807");
    }
    sample_set_aside(&stage->sample, &stage->epochs[0], 1, INVALID, "{");
    end(stage);
    while (sink_read_total(stage->sink, count, &total, &stage->fault) == DONE) {
        assert_memory_equal(&total, &stage->sample.totals[count], sizeof(total));
        count++;
    }
    assert_int_equal(count, 2);
    assert_int_equal(sink_read_total(stage->sink, 0, &total, &stage->fault), DONE);
    assert_memory_equal(&total, &stage->sample.totals[0], sizeof(total));
}

#define WITH_LEDGER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LEDGER(a_payment_reads_as_it_was_sent),
        WITH_LEDGER(an_empty_text_is_not_an_absent_one),
        WITH_LEDGER(hostile_texts_stay_texts),
        WITH_LEDGER(what_is_set_aside_has_a_row_with_its_reason),
        WITH_LEDGER(duplicates_name_their_first),
        WITH_LEDGER(sums_are_exact_beyond_64_bits),
        WITH_LEDGER(a_day_adds_up_and_says_when_it_is_final),
        WITH_LEDGER(fraud_has_its_views),
        WITH_LEDGER(a_window_has_one_row_and_its_newest_values),
        WITH_LEDGER(a_delivery_without_its_last_row_is_none),
        WITH_LEDGER(a_table_that_lost_its_end_is_noticed),
        WITH_LEDGER(rows_come_back_as_they_went),
        WITH_LEDGER(totals_come_back_as_they_went),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
