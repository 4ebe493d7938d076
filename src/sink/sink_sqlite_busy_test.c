/* Others in the way: the ledger is asked again, and what was not delivered comes once. */
#include "test/unit.h"

#include "sink/stage.h"

/* In SQLite's shared memory the locks of readers' marks are 3 to 7. */
enum { FIRST_MARK = 3 };

static sqlite3_vfs stubborn;
static sqlite3_io_methods methods;
static const sqlite3_io_methods *usual;
static sqlite3_vfs *below;
static bool marks_taken; /* By others: whoever begins to read finds none free. */
static int tries;

static int lock_mark(sqlite3_file *file, int offset, int count, int flags)
{
    if (marks_taken && offset >= FIRST_MARK && (flags & SQLITE_SHM_LOCK) != 0) {
        tries++;
        return SQLITE_BUSY;
    }
    return usual->xShmLock(file, offset, count, flags);
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    int code = below->xOpen(below, name, file, flags, ret_flags);

    if (code == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0) {
        usual = file->pMethods;
        methods = *usual;
        methods.xShmLock = lock_mark;
        file->pMethods = &methods;
    }
    return code;
}

/* SQLite waits some seconds in all before it gives up; here at once. */
static int sleep_not(sqlite3_vfs *vfs, int microseconds)
{
    return microseconds;
}

static int set_up(void **unused)
{
    below = sqlite3_vfs_find(NULL);
    assert_non_null(below);
    stubborn = *below;
    stubborn.zName = "stubborn";
    stubborn.pNext = NULL;
    stubborn.xOpen = open_file;
    stubborn.xSleep = sleep_not;
    assert_int_equal(sqlite3_vfs_register(&stubborn, 1), SQLITE_OK);
    return 0;
}

static int tear_down(void **unused)
{
    assert_int_equal(sqlite3_vfs_register(below, 1), SQLITE_OK);
    assert_int_equal(sqlite3_vfs_unregister(&stubborn), SQLITE_OK);
    return 0;
}

static void asks_again_when_all_marks_of_readers_are_taken(void **unused)
{
    struct stage *stage = stage_open(0);
    struct sink_head head;

    sample_fill(&stage->sample, &stage->epochs[0], 10);
    sample_fill(&stage->sample, &stage->epochs[1], 10);
    assert_int_equal(stage_deliver(stage, 0, 1), DONE);
    tries = 0;
    marks_taken = true;
    for (int attempt = 0; attempt < 3; attempt++) {
        assert_int_equal(stage_deliver(stage, 1, 1), LATER);
        assert_int_equal(stage->fault.code, FAULT_SINK_BUSY);
        assert_non_null(strstr(stage->fault.text, "SQLite error 15")); /* SQLITE_PROTOCOL */
    }
    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), LATER);
    marks_taken = false;
    assert_true(tries > 100);
    assert_int_equal(stage_deliver(stage, 1, 1), DONE);
    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), DONE);
    assert_int_equal(head.epoch, 2);
    assert_string_equal(stage_ask(stage, "SELECT count(*) = max(seq), (SELECT count(*)"
                                         " FROM payonce_epoch) FROM payment_transactions"),
                        "1|2");
    stage_close(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asks_again_when_all_marks_of_readers_are_taken, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("sink_sqlite_busy", tests, NULL, NULL);
}
