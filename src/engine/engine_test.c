/* The whole machine over real files and SQLite: started, stopped, halted, and its end. */
#include "engine/engine.h"
#include "engine/deaths.h"
#include "test/engine_place.h"
#include "test/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void reads_files_to_their_end_and_delivers_all(void **state)
{
    place_make(2);
    write_payments(0, 1, 1000);
    write_payments(1, 1, 500);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 1500);
    assert_int_equal(counted(DUPLICATE), 150);
    assert_non_null(strstr(place.events, "ready "));
    assert_non_null(strstr(place.events, "stopped "));
    place_remove();
}

static void goes_on_where_it_stopped(void **state)
{
    place_make(1);
    write_payments(0, 1, 300);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 300);
    write_payments(0, 201, 400); /* Half of it is old. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 400);
    assert_int_equal(counted(DUPLICATE), 30 + 100 + 20);
    place_remove();
}

static void stops_when_asked(void **state)
{
    place_make(1);
    write_payments(0, 1, 200);
    place.settings.until_caught_up = false;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    for (int step = 0; step < PLACE_LOOKS && counted(ACCEPTED) < 200; step++) {
        usleep(10000);
    }
    assert_int_equal(engine_end(place.engine, &place.fault), ENGINE_RUNNING);
    engine_stop(place.engine);
    assert_int_equal(wait_for_end(), ENGINE_STOPPED);
    engine_close(place.engine);
    assert_int_equal(counted(ACCEPTED), 200);
    place_remove();
}

static void one_process_owns_a_data_dir(void **state)
{
    struct engine *second;

    place_make(1);
    write_payments(0, 1, 10);
    place.settings.until_caught_up = false;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    assert_int_equal(engine_start(&place.settings, &second, &place.fault), BROKEN);
    assert_int_equal(place.fault.code, FAULT_DATA_DIR_IN_USE);
    engine_close(place.engine);
    place_remove();
}

static void a_lost_volume_is_rebuilt_from_the_ledger(void **state)
{
    char command[400];

    place_make(1);
    write_payments(0, 1, 500);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    (void)snprintf(command, sizeof(command), "rm -rf %s/data", place.path);
    assert_int_equal(system(command), 0);
    write_payments(0, 401, 600);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_non_null(strstr(place.events, "journal_rebuilt "));
    assert_int_equal(counted(ACCEPTED), 600);
    assert_int_equal(counted(DUPLICATE), 50 + 100 + 20);
    place_remove();
}

static void an_emptied_ledger_is_filled_again(void **state)
{
    char command[900];

    place_make(1);
    write_payments(0, 1, 500);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    (void)snprintf(command, sizeof(command), "rm -f %s/payments.db*", place.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 500);
    assert_int_equal(counted(DUPLICATE), 50);
    place_remove();
}

static void halts_when_the_memory_is_full(void **state)
{
    place_make(1);
    place.settings.memory_limit = 16 << 20;
    place.settings.rules.senders_max = 100;
    write_apart(0, 1, 10000, 60);
    place.settings.rules.lateness_ms = INT64_C(1000) * 3600000;
    place.settings.rules.retention_ms = INT64_C(1000) * 3600000;
    assert_int_equal(run(), ENGINE_HALTED);
    assert_int_equal(place.fault.code, FAULT_STATE_FULL);
    assert_true(counted(ACCEPTED) > 1000);
    place_remove();
}

static void three_deaths_in_a_row_are_poison(void **state)
{
    char path[400];

    place_make(1);
    write_payments(0, 1, 10);
    assert_int_equal(mkdir(place.settings.data_dir, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/data/deaths", place.path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "3\nsome.jsonl from 7 on\n");
    assert_int_equal(fclose(file), 0);
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), BROKEN);
    assert_int_equal(place.fault.code, FAULT_POISON);
    assert_non_null(strstr(place.fault.text, "some.jsonl from 7 on"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(access(path, F_OK), -1);
    place_remove();
}

static void a_service_that_has_nothing_to_read_is_not_dying(void **state)
{
    char path[400];

    place_make(1);
    write_payments(0, 1, 10);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    place.settings.until_caught_up = false;
    (void)snprintf(path, sizeof(path), "%s/data/deaths", place.path);
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    for (int step = 0; step < PLACE_LOOKS && access(path, F_OK) == 0; step++) {
        usleep(10000);
    }
    assert_int_equal(access(path, F_OK), -1); /* Whoever kills it now has killed no reader. */
    engine_close(place.engine);
    place_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files_to_their_end_and_delivers_all),
        cmocka_unit_test(goes_on_where_it_stopped),
        cmocka_unit_test(stops_when_asked),
        cmocka_unit_test(one_process_owns_a_data_dir),
        cmocka_unit_test(a_lost_volume_is_rebuilt_from_the_ledger),
        cmocka_unit_test(an_emptied_ledger_is_filled_again),
        cmocka_unit_test(halts_when_the_memory_is_full),
        cmocka_unit_test(three_deaths_in_a_row_are_poison),
        cmocka_unit_test(a_service_that_has_nothing_to_read_is_not_dying),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
