/* What the next start finds, after changes of rules, files, memory and ledger. */
#include "test/engine_place.h"
#include "test/unit.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

/* Rows of payment_metrics; ret_payments: counted in the last one. */
static size_t windows(int64_t *ret_payments)
{
    const struct sink_type *type = place.settings.sink_types[0];
    struct sink_settings looking = place.settings.sinks[0];
    struct sink *sink = calloc(1, type->size);
    struct row row = {.numbers = {0}};
    uint64_t epoch;
    int64_t decided_ms;
    size_t count = 0;

    looking.read_only = true;
    assert_non_null(sink);
    assert_int_equal(sink_open(sink, type, &looking, &place.fault), DONE);
    while (sink_read_row(sink, TABLE_METRICS, (uint64_t)row.numbers[METRIC_SEQ] + 1, &row, &epoch,
                         &decided_ms, &place.fault) == DONE) {
        *ret_payments = row.numbers[METRIC_COUNT];
        count++;
    }
    sink_close(sink);
    free(sink);
    return count;
}

static void an_id_that_new_rules_keep_longer_is_known_after_a_restart(void **state)
{
    place_make(1);
    write_apart(0, 1, 2, 1);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    place.settings.rules.retention_ms = INT64_C(24) * 3600000;
    write_apart(0, 11, 11, 1000); /* Three hours later: past the old retention. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    write_apart(0, 1, 1, 11001); /* The first one again, under a new time. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 3);
    assert_int_equal(counted(DUPLICATE), 1);
    place_remove();
}

static void a_window_open_at_a_change_of_its_length_counts_on_over_restarts(void **state)
{
    static const int hours[][2] = {{1, 2}, {6, 6}, {7, 7}, {8, 8}}; /* All within one day. */
    int64_t payments = 0;

    place_make(1);
    place.settings.rules.window_ms = INT64_C(24) * 3600000;
    for (size_t start = 0; start < sizeof(hours) / sizeof(hours[0]); start++) {
        write_apart(0, hours[start][0], hours[start][1], 3600);
        assert_int_equal(run(), ENGINE_CAUGHT_UP);
        place.settings.rules.window_ms = INT64_C(3600000);
    }
    assert_int_equal(windows(&payments), 1);
    assert_int_equal(payments, 5);
    place_remove();
}

/* What payment_metrics counted in all, in so many rows. */
static size_t counted_in_windows(int64_t *ret_payments)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;

    assert_int_equal(sqlite3_open(place.settings.sinks[0].path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database,
                                        "SELECT count(*), sum(transaction_count)"
                                        " FROM payment_metrics",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    size_t rows = (size_t)sqlite3_column_int64(statement, 0);
    *ret_payments = sqlite3_column_int64(statement, 1);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    return rows;
}

/* The first day is one window, and open until 23:59; then each hour is one. */
static void windows_of_two_lengths_are_rebuilt_from_the_ledger_as_they_were(void **state)
{
    static const struct {
        int first, last;
        size_t rows;
        bool rebuilt;
    } starts[] = {{1, 2, 1, false}, {6, 6, 1, true},   {7, 7, 1, true},  {8, 8, 1, false},
                  {9, 9, 1, true},  {22, 24, 4, true}, {25, 26, 6, true}};
    int64_t payments = 0;
    int64_t taken = 0;

    place_make(1);
    place.settings.rules.window_ms = INT64_C(24) * 3600000;
    for (size_t start = 0; start < sizeof(starts) / sizeof(starts[0]); start++) {
        if (starts[start].rebuilt) {
            in_place("rm -r data");
        }
        write_apart(0, starts[start].first, starts[start].last, 3600);
        assert_int_equal(run(), ENGINE_CAUGHT_UP);
        taken += starts[start].last - starts[start].first + 1;
        assert_int_equal(counted_in_windows(&payments), starts[start].rows);
        assert_int_equal(payments, taken);
        place.settings.rules.window_ms = INT64_C(3600000);
    }
    place_remove();
}

/* So many payments within one minute, each from a region of its own. */
static void write_regions(int first, int last)
{
    FILE *file = fopen(place.inputs[0], "a");

    assert_non_null(file);
    for (int number = first; number <= last; number++) {
        (void)fprintf(file,
                      "{\"transaction_id\":\"r-%d\",\"timestamp\":%d,\"sender_account_id\":"
                      "\"ACC_1\",\"receiver_account_id\":\"ACC_2\",\"amount\":1.00,"
                      "\"currency\":\"USD\",\"region\":\"region-%d\"}\n",
                      number, 1770000000, number);
    }
    assert_int_equal(fclose(file), 0);
}

static void groups_are_rebuilt_by_the_limit_under_which_they_were_counted(void **state)
{
    int64_t payments = 0;

    place_make(1);
    place.settings.rules.window_groups_max = 4;
    write_regions(1, 6); /* Four, and ~other. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted_in_windows(&payments), 5);
    place.settings.rules.window_groups_max = 2;
    write_regions(7, 7);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    in_place("rm -r data");
    place.settings.rules.window_groups_max = 8;
    write_regions(8, 8);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    in_place("rm -r data");
    write_regions(9, 9);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted_in_windows(&payments), 7);
    assert_int_equal(payments, 9);
    place_remove();
}

static void what_a_full_memory_could_not_take_is_taken_after_it_was_raised(void **state)
{
    place_make(1);
    place.settings.memory_limit = 16 << 20;
    place.settings.rules.senders_max = 100;
    place.settings.rules.lateness_ms = INT64_C(1000) * 3600000;
    place.settings.rules.retention_ms = INT64_C(1000) * 3600000;
    write_apart(0, 1, 10000, 60);
    for (int start = 0; start < 3; start++) {
        assert_int_equal(run(), ENGINE_HALTED);
        assert_int_equal(place.fault.code, FAULT_STATE_FULL);
    }
    place.settings.memory_limit = 64 << 20;
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 10000);
    assert_int_equal(counted(DUPLICATE), 1000);
    place_remove();
}

static void an_id_accepted_twice_before_it_was_kept_longer_is_rebuilt_as_the_second(void **state)
{
    char command[400];

    place_make(1);
    write_apart(0, 1, 1, 1);
    write_apart(0, 73, 73, 100); /* Now the first one is forgotten, */
    write_apart(0, 1, 1, 5400);  /* and accepted again. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    place.settings.rules.retention_ms = INT64_C(24) * 3600000;
    write_apart(0, 74, 74, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    (void)snprintf(command, sizeof(command), "rm -rf %s/data", place.path);
    assert_int_equal(system(command), 0);
    write_apart(0, 1, 1, 7350);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 4);
    assert_int_equal(counted(DUPLICATE), 1);
    place_remove();
}

static void an_estimate_of_the_backlog_stops_no_reading_for_ever(void **state)
{
    char command[900];

    place_make(1);
    place.settings.journal.segment_size = 8 << 20;
    write_payments(0, 1, 300);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    (void)snprintf(command, sizeof(command), "rm -f %s/payments.db*", place.path);
    assert_int_equal(system(command), 0);
    place.settings.max_backlog = 1 << 20; /* Less than a segment, and all is undelivered. */
    write_payments(0, 301, 400);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 400);
    place_remove();
}

static int64_t watermark_s(void)
{
    const struct sink_type *type = place.settings.sink_types[0];
    struct sink_settings looking = place.settings.sinks[0];
    struct sink *sink = calloc(1, type->size);
    struct sink_head head;

    looking.read_only = true;
    assert_non_null(sink);
    assert_int_equal(sink_open(sink, type, &looking, &place.fault), DONE);
    assert_int_equal(sink_read_head(sink, &head, &place.fault), DONE);
    sink_close(sink);
    free(sink);
    return head.watermark_ms / 1000;
}

static void a_file_that_was_read_and_is_not_named_any_more_holds_nothing(void **state)
{
    place_make(2);
    place.settings.path_count = 1;
    write_apart(0, 1, 2, 60);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    place.paths[0] = place.inputs[1];
    for (int start = 1; start <= 3; start++) {
        write_apart(1, start, start, 24 * 3600);
        assert_int_equal(run(), ENGINE_CAUGHT_UP);
        assert_int_equal(watermark_s(), 1770000000 + start * 24 * 3600 - 3600);
    }
    place_remove();
}

static void a_ledger_of_the_same_name_from_elsewhere_is_not_taken_for_ours(void **state)
{
    char command[900];

    place_make(2);
    place.settings.path_count = 1;
    write_payments(0, 1, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    (void)snprintf(command, sizeof(command), "cd %s && mkdir ours && mv data payments.db ours",
                   place.path);
    assert_int_equal(system(command), 0);
    place.paths[0] = place.inputs[1];
    write_payments(1, 1, 200);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    (void)snprintf(command, sizeof(command), "cd %s && rm -r data && mv ours/data data",
                   place.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(run(), ENGINE_FAILED);
    assert_int_equal(place.fault.code, FAULT_LEDGER_OTHER_HISTORY);
    place_remove();
}

static void a_ledger_from_elsewhere_is_not_ours_before_the_first_delivery_either(void **state)
{
    place_make(2);
    place.settings.path_count = 1;
    write_payments(0, 1, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    in_place("mkdir foreign && mv data payments.db foreign");
    place.paths[0] = place.inputs[1];
    assert_int_equal(run(), ENGINE_FAILED); /* Ours has begun when its input is found missing. */
    write_payments(1, 1, 200);
    in_place("rm payments.db* && cp foreign/payments.db .");
    for (int start = 0; start < 2; start++) {
        assert_int_equal(run(), ENGINE_FAILED);
        assert_int_equal(place.fault.code, FAULT_LEDGER_OTHER_HISTORY);
        assert_int_equal(counted(ACCEPTED), 100);
    }
    place_remove();
}

static void change_ledger(const char *sql)
{
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open(place.settings.sinks[0].path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void a_ledger_that_is_gone_with_the_segments_begins_no_new_history(void **state)
{
    place_make(1);
    write_payments(0, 1, 10);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    in_place("rm payments.db* data/journal/seg-*");
    for (int start = 0; start < 2; start++) {
        assert_int_equal(run(), ENGINE_FAILED);
        assert_int_equal(place.fault.code, FAULT_LEDGER_LOST);
        assert_non_null(strstr(place.fault.next, "/data/journal/ledger"));
    }
    in_place("rm data/journal/ledger"); /* As its next line says. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 10);
    place_remove();
}

static void rows_missing_in_a_ledger_are_told_by_a_rebuild(void **state)
{
    for (int seq = 1; seq <= 9; seq++) {
        char command[200];
        place_make(1);
        write_payments(0, 1, 9);
        assert_int_equal(run(), ENGINE_CAUGHT_UP);
        (void)snprintf(command, sizeof(command),
                       "DELETE FROM payment_transactions_000001 WHERE seq = %d", seq);
        change_ledger(command);
        in_place("rm -r data");
        assert_int_equal(run(), ENGINE_FAILED);
        assert_int_equal(place.fault.code, FAULT_SINK_DAMAGED);
        place_remove();
    }
}

static void a_file_left_before_its_end_is_said_to_hold_the_watermark(void **state)
{
    place_make(2);
    place.settings.path_count = 1;
    place.settings.memory_limit = 16 << 20;
    place.settings.rules.senders_max = 100;
    place.settings.rules.lateness_ms = INT64_C(1000) * 3600000;
    write_apart(0, 1, 10000, 60);
    assert_int_equal(run(), ENGINE_HALTED); /* The memory is full, in its middle. */
    place.settings.memory_limit = 64 << 20;
    place.paths[0] = place.inputs[1];
    write_payments(1, 1, 3);
    assert_null(strstr(place.events, "source_left"));
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    const char *told = strstr(place.events, "source_left topic=");
    assert_non_null(told);
    assert_non_null(strstr(told, "/0.jsonl offset="));
    place_remove();
}

static bool counted_as_dead(void)
{
    char path[400];

    (void)snprintf(path, sizeof(path), "%s/data/deaths", place.path);
    return access(path, F_OK) == 0;
}

static void who_halts_is_not_counted_as_dead(void **state)
{
    place_make(1);
    place.settings.memory_limit = 16 << 20;
    place.settings.rules.senders_max = 100;
    place.settings.rules.lateness_ms = INT64_C(1000) * 3600000;
    write_apart(0, 1, 10000, 60);
    for (int start = 0; start < 2; start++) { /* The second time nothing can be taken. */
        assert_int_equal(run(), ENGINE_HALTED);
        assert_false(counted_as_dead());
    }
    place_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_that_new_rules_keep_longer_is_known_after_a_restart),
        cmocka_unit_test(a_window_open_at_a_change_of_its_length_counts_on_over_restarts),
        cmocka_unit_test(windows_of_two_lengths_are_rebuilt_from_the_ledger_as_they_were),
        cmocka_unit_test(groups_are_rebuilt_by_the_limit_under_which_they_were_counted),
        cmocka_unit_test(what_a_full_memory_could_not_take_is_taken_after_it_was_raised),
        cmocka_unit_test(an_id_accepted_twice_before_it_was_kept_longer_is_rebuilt_as_the_second),
        cmocka_unit_test(an_estimate_of_the_backlog_stops_no_reading_for_ever),
        cmocka_unit_test(a_file_that_was_read_and_is_not_named_any_more_holds_nothing),
        cmocka_unit_test(a_ledger_of_the_same_name_from_elsewhere_is_not_taken_for_ours),
        cmocka_unit_test(a_ledger_from_elsewhere_is_not_ours_before_the_first_delivery_either),
        cmocka_unit_test(a_ledger_that_is_gone_with_the_segments_begins_no_new_history),
        cmocka_unit_test(rows_missing_in_a_ledger_are_told_by_a_rebuild),
        cmocka_unit_test(a_file_left_before_its_end_is_said_to_hold_the_watermark),
        cmocka_unit_test(who_halts_is_not_counted_as_dead),
    };
    return cmocka_run_group_tests_name("restart", tests, NULL, NULL);
}
