/* The whole machine with a second SQLite file that follows the ledger. */
#include "test/engine_place.h"
#include "test/unit.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

static sqlite3 *other_program;

/* A follower of the same kind beside the ledger, from the next start on. */
static void follow(void)
{
    struct engine_settings *settings = &place.settings;

    settings->sink_types[1] = settings->sink_types[0];
    settings->sinks[1] = settings->sinks[0];
    settings->sinks[1].cursors_only = false;
    (void)snprintf(settings->sinks[1].name, SINK_NAME_MAX, "copy");
    (void)snprintf(settings->sinks[1].path, SINK_PATH_MAX, "%s/copy.db", place.path);
    settings->deliver_rows_max[1] = 50000;
    settings->deliver_wait_ms[1] = 20;
    settings->sink_count = 2;
}

static void shell(const char *format)
{
    char command[1000];

    (void)snprintf(command, sizeof(command), "cd %s && %s", place.path, format);
    assert_int_equal(system(command), 0);
}

static int64_t number_of(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    }
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return number;
}

/* How many rows of the copy's table or query are there; all are the ledger's, and none lacks. */
static int64_t compare(sqlite3 *database, const char *columns, const char *table)
{
    char sql[600];

    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM (SELECT %s FROM main.%s EXCEPT SELECT %s FROM copy.%s)",
                   columns, table, columns, table);
    int64_t lacking = number_of(database, sql);
    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM (SELECT %s FROM copy.%s EXCEPT SELECT %s FROM main.%s)",
                   columns, table, columns, table);
    int64_t more = number_of(database, sql);
    if (lacking != 0 || more != 0) {
        fail_msg("%s: %lld rows lack, %lld are too many", table, (long long)lacking,
                 (long long)more);
    }
    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM copy.%s", table);
    return number_of(database, sql);
}

static sqlite3 *open_both(void)
{
    char sql[SINK_PATH_MAX + 50];
    sqlite3 *database;

    assert_int_equal(sqlite3_open(place.settings.sinks[0].path, &database), SQLITE_OK);
    (void)snprintf(sql, sizeof(sql), "ATTACH '%s' AS copy", place.settings.sinks[1].path);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    return database;
}

static void compare_cursors(sqlite3 *database)
{
    assert_int_equal(compare(database,
                             "pipeline, format, epoch, chain, journal_id, watermark, seed_epoch,"
                             " rules, carry, transactions_next, duplicates_next,"
                             " dead_letters_next, metrics_next",
                             "payonce_pipeline"),
                     1);
    assert_true(compare(database, "*", "payonce_cursor") > 0);
    assert_true(compare(database, "*", "payonce_total") > 0);
    assert_true(compare(database, "*", "payonce_epoch") > 0);
    assert_true(compare(database, "*", "payonce_rules") > 0);
}

/* The copy is the ledger again, with so many accepted payments. */
static void assert_same(int64_t accepted)
{
    sqlite3 *database = open_both();

    compare_cursors(database);
    assert_int_equal(compare(database, "*", "payment_transactions"), accepted);
    assert_true(compare(database, "*", "payment_duplicates") > 0);
    (void)compare(database, "*", "payment_dead_letters");
    assert_true(compare(database, "*", "payment_metrics") > 0);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static bool told(const char *event)
{
    return strstr(place.events, event) != NULL;
}

static void wait_until_told(const char *event)
{
    for (int step = 0; step < PLACE_LOOKS && !told(event); step++) {
        note_events(10);
    }
    if (!told(event)) {
        fail_msg("nobody told %s:\n%s", event, place.events);
    }
}

/* Most of what is read is past memory, so that the journal's front goes. */
static void make_forgetful(void)
{
    place_make(1);
    place.settings.rules.lateness_ms = 1000;
    place.settings.rules.retention_ms = 1000;
    place.settings.journal.segment_size = 1 << 16;
    place.settings.journal.keep_ms = 0;
}

static void holds_what_the_ledger_holds(void **state)
{
    place_make(2);
    follow();
    write_payments(0, 1, 3000);
    write_payments(1, 1, 500);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_same(3500);
    write_payments(1, 501, 700);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_same(3700);
    place_remove();
}

static void a_new_one_is_filled_from_the_journal(void **state)
{
    place_make(1);
    write_payments(0, 1, 2000);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    follow();
    write_payments(0, 2001, 2500);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_false(told("sink_refilling "));
    assert_same(2500);
    place_remove();
}

static void a_new_one_is_filled_from_the_ledgers_rows(void **state)
{
    make_forgetful();
    write_payments(0, 1, 20000);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    follow();
    place.settings.deliver_rows_max[1] = 500; /* Many transactions. */
    write_payments(0, 20001, 25000);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_true(told("sink_refilling "));
    assert_true(told("sink_refilled "));
    assert_same(25000);
    place_remove();
}

static void one_behind_a_lost_journal_is_filled_from_the_ledgers_rows(void **state)
{
    place_make(1);
    write_payments(0, 1, 500);
    follow();
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    place.settings.sink_count = 1; /* It is not there for a while. */
    write_payments(0, 501, 3000);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_true(told("sink_left sink=copy"));
    shell("rm -rf data");
    follow();
    write_payments(0, 3001, 3500);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_true(told("sink_refilled "));
    assert_same(3500);
    place_remove();
}

static void lock_copy(void)
{
    assert_int_equal(sqlite3_open(place.settings.sinks[1].path, &other_program), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(other_program, 5000), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other_program, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static void the_ledger_goes_on_while_a_follower_is_locked(void **state)
{
    struct engine_gauges gauges = {.epoch = 0};

    place_make(1);
    follow();
    write_payments(0, 1, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    write_payments(0, 101, 20000);
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    lock_copy();
    for (int step = 0; step < PLACE_LOOKS && counted(ACCEPTED) < 20000; step++) {
        usleep(10000);
    }
    assert_int_equal(counted(ACCEPTED), 20000);
    wait_until_told("sink_unreachable sink=copy");
    engine_gauges(place.engine, &gauges);
    assert_true(gauges.sinks[1].down);
    assert_true(gauges.sinks[1].epoch < gauges.sinks[0].epoch);
    assert_int_equal(engine_end(place.engine, &place.fault), ENGINE_RUNNING);
    assert_int_equal(sqlite3_close(other_program), SQLITE_OK);
    assert_int_equal(wait_for_end(), ENGINE_CAUGHT_UP);
    assert_true(told("sink_recovered sink=copy"));
    engine_close(place.engine);
    assert_same(20000);
    place_remove();
}

static void one_that_is_far_behind_does_not_hold_the_journal_for_ever(void **state)
{
    make_forgetful();
    follow();
    write_payments(0, 1, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    write_payments(0, 101, 20000);
    place.settings.follower_backlog_max[1] = 1 << 18;
    place.settings.until_caught_up = false;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    lock_copy();
    shell("ls data/journal/seg-* | tail -1 >newest");
    wait_until_told("sink_backlog sink=copy");
    for (int step = 0; step < PLACE_LOOKS && counted(ACCEPTED) < 20000; step++) {
        usleep(10000);
    }
    shell("while test -e $(cat newest); do sleep 0.1; done"); /* The journal is trimmed. */
    assert_int_equal(sqlite3_close(other_program), SQLITE_OK);
    wait_until_told("sink_refilled sink=copy");
    engine_stop(place.engine);
    assert_int_equal(wait_for_end(), ENGINE_STOPPED);
    engine_close(place.engine);
    assert_same(20000);
    place_remove();
}

static void a_fault_halts_that_follower_alone(void **state)
{
    struct engine_gauges gauges;

    place_make(1);
    follow();
    write_payments(0, 1, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    write_payments(0, 101, 3000);
    place.settings.until_caught_up = false;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    for (int step = 0; step < PLACE_LOOKS && counted(ACCEPTED) < 3000; step++) {
        usleep(10000);
    }
    shell("rm -f copy.db*");
    wait_until_told("sink_halted sink=copy");
    assert_true(told("reason=sink_replaced"));
    engine_gauges(place.engine, &gauges);
    assert_int_equal(gauges.sinks[1].halted, FAULT_SINK_REPLACED);
    assert_int_equal(engine_end(place.engine, &place.fault), ENGINE_RUNNING);
    engine_stop(place.engine);
    assert_int_equal(wait_for_end(), ENGINE_STOPPED);
    engine_close(place.engine);
    place.settings.until_caught_up = true;
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_same(3000);
    place_remove();
}

static void a_start_fails_with_a_follower_it_never_met_and_no_other(void **state)
{
    place_make(1);
    write_payments(0, 1, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    follow();
    shell("echo this is no database, and long enough to be looked at > copy.db");
    assert_int_not_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    shell("rm copy.db");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_same(100);
    shell("cp copy.db whole.db && rm -f copy.db*"
          "&& echo this is no database, and long enough to be looked at > copy.db");
    write_payments(0, 101, 200);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_true(told("sink_halted sink=copy"));
    assert_int_equal(counted(ACCEPTED), 200);
    shell("mv whole.db copy.db");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_same(200);
    place_remove();
}

static void an_older_copy_gets_what_it_lacks(void **state)
{
    place_make(1);
    follow();
    write_payments(0, 1, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    shell("cp copy.db old.db");
    write_payments(0, 101, 300);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    shell("rm -f copy.db* && mv old.db copy.db");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_same(300);
    place_remove();
}

static void one_ahead_of_an_older_ledger_without_a_journal_halts_all(void **state)
{
    place_make(1);
    follow();
    write_payments(0, 1, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    shell("cp payments.db old.db");
    write_payments(0, 101, 300);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    shell("rm -rf data payments.db* && cp old.db payments.db");
    assert_int_not_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    assert_int_equal(place.fault.code, FAULT_FOLLOWER_AHEAD);
    shell("rm -rf data payments.db*");
    assert_int_not_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    assert_int_equal(place.fault.code, FAULT_LEDGER_LOST);
    place_remove();
}

/* A ledger of cursors: what has happened, and no payments; these go to the follower. */
static void keep_cursors_only(void)
{
    place_make(1);
    place.settings.sinks[0].cursors_only = true;
    (void)snprintf(place.settings.sinks[0].path, SINK_PATH_MAX, "%s/ledger.db", place.path);
    follow();
}

static void a_ledger_of_cursors_holds_no_payments(void **state)
{
    keep_cursors_only();
    write_payments(0, 1, 2000);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    write_payments(0, 1501, 2500);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 2500);
    sqlite3 *database = open_both();
    compare_cursors(database);
    assert_int_equal(number_of(database, "SELECT count(*) FROM copy.payment_transactions"), 2500);
    assert_int_equal(number_of(database, "SELECT count(*) FROM main.sqlite_schema"
                                         " WHERE name LIKE 'payment%'"),
                     0);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    place_remove();
}

static void a_lost_journal_cannot_be_rebuilt_from_a_ledger_of_cursors(void **state)
{
    keep_cursors_only();
    write_payments(0, 1, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    shell("rm -rf data copy.db*");
    assert_int_not_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    assert_int_equal(place.fault.code, FAULT_LEDGER_GAP);
    assert_non_null(strstr(place.fault.text, "the ids it remembered are gone"));
    assert_non_null(strstr(place.fault.next, "restore the volume of data_dir"));
    place_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_what_the_ledger_holds),
        cmocka_unit_test(a_new_one_is_filled_from_the_journal),
        cmocka_unit_test(a_new_one_is_filled_from_the_ledgers_rows),
        cmocka_unit_test(one_behind_a_lost_journal_is_filled_from_the_ledgers_rows),
        cmocka_unit_test(the_ledger_goes_on_while_a_follower_is_locked),
        cmocka_unit_test(one_that_is_far_behind_does_not_hold_the_journal_for_ever),
        cmocka_unit_test(a_fault_halts_that_follower_alone),
        cmocka_unit_test(a_start_fails_with_a_follower_it_never_met_and_no_other),
        cmocka_unit_test(an_older_copy_gets_what_it_lacks),
        cmocka_unit_test(one_ahead_of_an_older_ledger_without_a_journal_halts_all),
        cmocka_unit_test(a_ledger_of_cursors_holds_no_payments),
        cmocka_unit_test(a_lost_journal_cannot_be_rebuilt_from_a_ledger_of_cursors),
    };
    return cmocka_run_group_tests_name("followers", tests, NULL, NULL);
}
