/* The whole machine when the ledger is in trouble, and what it tells about conflicts. */
#include "test/broker_double.h"
#include "test/engine_place.h"
#include "test/unit.h"

#include "base/instant.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

static sqlite3 *other_program;
static struct broker broker;

static void lock_ledger(void)
{
    assert_int_equal(sqlite3_open(place.settings.sinks[0].path, &other_program), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(other_program, 5000), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other_program, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static void unlock_ledger(void)
{
    assert_int_equal(sqlite3_close(other_program), SQLITE_OK);
}

static bool told(const char *event)
{
    note_events(0);
    return strstr(place.events, event) != NULL;
}

static void wait_until_told(const char *event)
{
    for (int step = 0; step < PLACE_LOOKS && !told(event); step++) {
        usleep(10000);
    }
    assert_true(told(event));
}

static void start_and_deliver(int count)
{
    place_make(1);
    write_payments(0, 1, count);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
}

static void reading_goes_on_while_the_ledger_is_locked(void **state)
{
    struct engine_gauges gauges = {.epoch = 0};

    start_and_deliver(100);
    write_payments(0, 101, 20000);
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    lock_ledger();
    for (int step = 0; step < PLACE_LOOKS && gauges.verdicts[ACCEPTED] < 20000; step++) {
        usleep(10000);
        engine_gauges(place.engine, &gauges);
    }
    assert_int_equal(gauges.verdicts[ACCEPTED], 20000); /* More epochs than fit in memory. */
    wait_until_told("sink_unreachable ");
    unlock_ledger();
    assert_int_equal(wait_for_end(), ENGINE_CAUGHT_UP);
    assert_true(told("sink_recovered "));
    engine_close(place.engine);
    assert_int_equal(counted(ACCEPTED), 20000);
    place_remove();
}

static void reading_waits_when_the_backlog_is_over_its_limit(void **state)
{
    start_and_deliver(10);
    write_payments(0, 11, 20000);
    place.settings.max_backlog = 100000;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    lock_ledger();
    wait_until_told("sink_backlog ");
    unlock_ledger();
    assert_int_equal(wait_for_end(), ENGINE_CAUGHT_UP);
    engine_close(place.engine);
    assert_int_equal(counted(ACCEPTED), 20000);
    place_remove();
}

static void a_stop_does_not_wait_for_a_locked_ledger_for_ever(void **state)
{
    start_and_deliver(100);
    write_payments(0, 101, 300);
    place.settings.until_caught_up = false;
    place.settings.deliver_wait_ms[0] = 2000; /* It is locked before anything is delivered. */
    place.settings.shutdown_grace_ms = 300;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    lock_ledger();
    wait_until_told("sink_unreachable ");
    engine_stop(place.engine);
    assert_int_equal(wait_for_end(), ENGINE_STOPPED);
    engine_close(place.engine);
    unlock_ledger();
    place.settings.until_caught_up = true;
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 300);
    place_remove();
}

/* Nothing is left to be read, so the deciding side does not hear of it. */
static void a_stop_is_heard_when_all_is_read_and_the_ledger_lacks_it(void **state)
{
    struct engine_gauges gauges = {.epoch = 0};

    start_and_deliver(100);
    write_payments(0, 101, 20000);
    place.settings.shutdown_grace_ms = 300;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    lock_ledger();
    for (int step = 0; step < PLACE_LOOKS && gauges.verdicts[ACCEPTED] < 20000; step++) {
        usleep(10000);
        engine_gauges(place.engine, &gauges);
    }
    assert_int_equal(gauges.verdicts[ACCEPTED], 20000);
    usleep(300000); /* Its end has been planned. */
    engine_stop(place.engine);
    enum engine_end end = wait_for_end();
    unlock_ledger();
    assert_int_equal(end, ENGINE_STOPPED);
    engine_close(place.engine);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 20000);
    place_remove();
}

static void a_ledger_that_is_deleted_meanwhile_is_noticed_and_filled_again(void **state)
{
    char command[400];

    start_and_deliver(100);
    place.settings.until_caught_up = false;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    (void)snprintf(command, sizeof(command), "rm -f %s/payments.db*", place.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(wait_for_end(), ENGINE_FAILED); /* Within five seconds, though idle. */
    assert_int_equal(place.fault.code, FAULT_SINK_REPLACED);
    engine_close(place.engine);
    place.settings.until_caught_up = true;
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 100);
    place_remove();
}

/* Of the journal only the note about its ledger is left: it is rebuilt from that one alone. */
static void a_journal_without_segments_is_rebuilt_from_no_other_ledger(void **state)
{
    start_and_deliver(100);
    in_place("mkdir ours && mv data payments.db ours");
    assert_int_equal(run(), ENGINE_CAUGHT_UP); /* A history of its own. */
    in_place("mkdir theirs && mv data payments.db theirs");
    in_place("mv ours/data . && rm data/journal/seg-* && cp theirs/payments.db .");
    for (int start = 0; start < 2; start++) {
        assert_int_equal(run(), ENGINE_FAILED);
        assert_int_equal(place.fault.code, FAULT_LEDGER_OTHER_HISTORY);
    }
    in_place("rm payments.db* && mv ours/payments.db .");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 100);
    place_remove();
}

static void an_older_copy_of_the_ledger_is_filled_up(void **state)
{
    char command[1000];

    start_and_deliver(100);
    (void)snprintf(command, sizeof(command), "cp %s/payments.db %s/old.db", place.path, place.path);
    assert_int_equal(system(command), 0);
    write_payments(0, 101, 200);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    (void)snprintf(command, sizeof(command), "rm -f %s/payments.db* && cp %s/old.db %s/payments.db",
                   place.path, place.path, place.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(counted(ACCEPTED), 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 200);
    place_remove();
}

/* All that it sealed is delivered, and nothing more comes. */
static void wait_until_settled(struct engine *engine)
{
    struct engine_gauges gauges;

    for (int settled = 0; settled < 20; settled++) {
        usleep(20000);
        engine_gauges(engine, &gauges);
        settled = gauges.ledger_epoch == gauges.epoch ? settled : 0;
    }
}

/* Put an older copy's pages into the database that the engine holds open. */
static void restore_in_place(void)
{
    char path[400];
    sqlite3 *old;

    assert_int_equal(sqlite3_open(place.settings.sinks[0].path, &other_program), SQLITE_OK);
    (void)snprintf(path, sizeof(path), "%s/old.db", place.path);
    assert_int_equal(sqlite3_open(path, &old), SQLITE_OK);
    sqlite3_backup *backup = sqlite3_backup_init(other_program, "main", old, "main");
    assert_non_null(backup);
    while (sqlite3_backup_step(backup, -1) != SQLITE_DONE) {
        continue; /* Whoever sleeps meanwhile never finds it free. */
    }
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
    assert_int_equal(sqlite3_close(old), SQLITE_OK);
    assert_int_equal(sqlite3_close(other_program), SQLITE_OK);
}

static void pay(int count)
{
    for (int index = 0; index < count; index++) {
        broker_pay(&broker, 0, INT64_C(1770000000000) + (int64_t)broker.partitions[0].end * 10,
                   INSTANT_NONE);
    }
}

static void await_counted(uint64_t count)
{
    for (int step = 0; step < PLACE_LOOKS && counted(ACCEPTED) < count; step++) {
        usleep(10000);
    }
    assert_int_equal(counted(ACCEPTED), count);
}

/* Whenever the older copy gets in, something is delivered after it. */
static void a_ledger_restored_between_two_deliveries_is_filled_up(void **state)
{
    place_make(0);
    broker_init(&broker, 1);
    place.settings.feed_type = &feed_double;
    place.settings.feed_settings = &broker;
    pay(100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    in_place("cp payments.db old.db");
    place.settings.until_caught_up = false;
    place.settings.epoch_messages_max = 20; /* Many deliveries. */
    place.settings.deliver_rows_max[0] = 20;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    pay(100);
    await_counted(200);
    pay(3000);
    restore_in_place();
    pay(100);
    wait_until_told("ledger_restored ");
    await_counted(3300);
    engine_stop(place.engine);
    assert_int_equal(wait_for_end(), ENGINE_STOPPED);
    engine_close(place.engine);
    place_remove();
    broker_free(&broker);
}

static void a_second_owner_is_fenced(void **state)
{
    char command[1000];
    struct engine *first;
    struct fault fault;

    start_and_deliver(100);
    (void)snprintf(command, sizeof(command), "cp -r %s/data %s/copy", place.path, place.path);
    assert_int_equal(system(command), 0);
    place.settings.until_caught_up = false;
    assert_int_equal(engine_start(&place.settings, &first, &fault), DONE);
    wait_until_settled(first);
    (void)snprintf(place.settings.data_dir, sizeof(place.settings.data_dir), "%s/copy", place.path);
    place.settings.until_caught_up = true;
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    place.engine = first;
    assert_int_equal(wait_for_end(), ENGINE_FAILED);
    assert_int_equal(place.fault.code, FAULT_FENCED);
    engine_close(first);
    assert_int_equal(counted(ACCEPTED), 100);
    place_remove();
}

static void tells_the_first_conflicts_and_shows_no_account(void **state)
{
    place_make(1);
    write_payments(0, 1, 20);
    FILE *file = fopen(place.inputs[0], "a");
    assert_non_null(file);
    for (int number = 1; number <= 20; number++) {
        (void)fprintf(file,
                      "{\"transaction_id\":\"t-0-%d\",\"timestamp\":1770000000,"
                      "\"sender_account_id\":\"ACC_%d\",\"receiver_account_id\":\"ACC_2\","
                      "\"amount\":7.00,\"currency\":\"USD\"}\n",
                      number, number % 50);
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(CONFLICT), 20);
    size_t count = 0;
    for (const char *at = place.events; (at = strstr(at, "payment_conflict ")) != NULL; at++) {
        count++;
    }
    assert_int_equal(count, 5);
    assert_non_null(strstr(place.events, "transaction_id=t-0-1 field=amount now=7.00 currency=USD "
                                         "sender=AC**** receiver=AC****"));
    assert_null(strstr(place.events, "ACC_"));
    place_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_goes_on_while_the_ledger_is_locked),
        cmocka_unit_test(reading_waits_when_the_backlog_is_over_its_limit),
        cmocka_unit_test(a_stop_does_not_wait_for_a_locked_ledger_for_ever),
        cmocka_unit_test(a_stop_is_heard_when_all_is_read_and_the_ledger_lacks_it),
        cmocka_unit_test(a_ledger_that_is_deleted_meanwhile_is_noticed_and_filled_again),
        cmocka_unit_test(a_journal_without_segments_is_rebuilt_from_no_other_ledger),
        cmocka_unit_test(an_older_copy_of_the_ledger_is_filled_up),
        cmocka_unit_test(a_ledger_restored_between_two_deliveries_is_filled_up),
        cmocka_unit_test(a_second_owner_is_fenced),
        cmocka_unit_test(tells_the_first_conflicts_and_shows_no_account),
    };
    return cmocka_run_group_tests_name("trouble", tests, NULL, NULL);
}
