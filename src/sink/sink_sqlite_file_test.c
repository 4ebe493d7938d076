#include "test/unit.h"

#include "sink/stage.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The file in the world: locked, full, broken, gone, another one, an older one. */

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

static void locked_by_somebody_else_means_later(void **state)
{
    struct stage *stage = *state;
    sqlite3 *other;

    sample_fill(&stage->sample, &stage->epochs[0], 5);
    assert_int_equal(sqlite3_open(stage->settings.path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(stage_deliver(stage, 0, 1), LATER);
    assert_int_equal(stage->fault.code, FAULT_SINK_BUSY);
    assert_non_null(strstr(stage->fault.text, stage->settings.path));
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(stage_deliver(stage, 0, 1), DONE);
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payment_transactions"), "5");
}

/* The transaction that did not fit leaves nothing behind; with room, the same one succeeds. */
static void no_space_means_later_and_nothing_written(void **state)
{
    struct stage *stage = *state;

    stage_add(stage, 5);
    assert_int_equal(
        sqlite3_exec(stage->sqlite->database, "PRAGMA max_page_count = 20", NULL, NULL, NULL),
        SQLITE_OK);
    sample_fill(&stage->sample, &stage->epochs[1], 4000);
    assert_int_equal(stage_deliver(stage, 1, 1), LATER);
    assert_int_equal(stage->fault.code, FAULT_DISK_SPACE);
    assert_int_equal(stage_deliver(stage, 1, 1), LATER);
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payment_transactions"), "5");
    assert_string_equal(stage_ask(stage, "SELECT epoch FROM payonce_pipeline"), "1");
    assert_int_equal(
        sqlite3_exec(stage->sqlite->database, "PRAGMA max_page_count = 100000", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(stage_deliver(stage, 1, 1), DONE);
    assert_string_equal(stage_ask(stage, "SELECT count(*), max(seq) FROM payment_transactions"),
                        "4005|4005");
}

static void a_file_that_is_gone_takes_no_more(void **state)
{
    struct stage *stage = *state;

    stage_add(stage, 5);
    assert_int_equal(sink_audit(stage->sink, &stage->fault), DONE);
    assert_int_equal(unlink(stage->settings.path), 0);
    assert_int_equal(sink_audit(stage->sink, &stage->fault), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_REPLACED);
    sample_fill(&stage->sample, &stage->epochs[1], 5);
    assert_int_equal(stage_deliver(stage, 1, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_REPLACED);
}

static void another_file_under_its_name_is_noticed(void **state)
{
    struct stage *stage = *state;
    char path[128];

    stage_add(stage, 5);
    stage_copy(stage, "payments.db", "copy.db");
    stage_path(stage, "copy.db", path);
    assert_int_equal(rename(path, stage->settings.path), 0);
    assert_int_equal(sink_audit(stage->sink, &stage->fault), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_REPLACED);
    assert_non_null(strstr(stage->fault.text, "another file now"));
}

/* A backup was put back while payonce stood still: its head says so, and what is missing fits. */
static void an_older_copy_says_where_it_stands_and_is_refilled(void **state)
{
    struct stage *stage = *state;
    struct sink_head head;
    uint64_t epoch;

    stage_add(stage, 5);
    struct chain older = stage->sample.chain;
    stage_close_sink(stage);
    stage_copy(stage, "payments.db", "backup.db");
    assert_int_equal(stage_open_sink(stage), DONE);
    sample_fill(&stage->sample, &stage->epochs[1], 7);
    assert_int_equal(stage_deliver(stage, 1, 1), DONE);
    stage_close_sink(stage);
    stage_copy(stage, "backup.db", "payments.db");
    assert_int_equal(stage_open_sink(stage), DONE);
    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), DONE);
    assert_int_equal(head.epoch, 1);
    assert_true(chain_same(&head.chain, &older));
    assert_int_equal(sink_find_chain(stage->sink, &stage->sample.chain, &epoch, &stage->fault),
                     DONE);
    assert_int_equal(epoch, 0);
    assert_int_equal(stage_deliver(stage, 1, 1), DONE);
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payment_transactions"), "12");
}

/* Restored under our feet by SQLite's own backup, in the same file. */
static void a_ledger_restored_while_open_is_fenced_then_refilled(void **state)
{
    struct stage *stage = *state;
    struct sink_head head;
    char path[128];
    char attach[200];

    stage_add(stage, 5);
    stage_path(stage, "backup.db", path);
    (void)snprintf(attach, sizeof(attach), "VACUUM INTO '%s'", path);
    (void)stage_ask(stage, attach);
    sample_fill(&stage->sample, &stage->epochs[1], 7);
    assert_int_equal(stage_deliver(stage, 1, 1), DONE);
    sample_fill(&stage->sample, &stage->epochs[2], 9);

    sqlite3 *from;
    sqlite3 *to;
    assert_int_equal(sqlite3_open(path, &from), SQLITE_OK);
    assert_int_equal(sqlite3_open(stage->settings.path, &to), SQLITE_OK);
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    assert_non_null(backup);
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
    assert_int_equal(sqlite3_close(from), SQLITE_OK);
    assert_int_equal(sqlite3_close(to), SQLITE_OK);

    assert_int_equal(stage_deliver(stage, 2, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_FENCED);
    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), DONE);
    assert_int_equal(head.epoch, 1);
    assert_int_equal(stage_deliver(stage, 1, 2), DONE);
    assert_string_equal(stage_ask(stage, "SELECT count(*), max(seq) FROM payment_transactions"),
                        "21|21");
}

/* After kill -9: the log is there, and somebody puts an older copy in the file's place. */
static void a_log_left_beside_an_older_copy_is_noticed(void **state)
{
    struct stage *stage = *state;
    char command[400];
    int status;

    stage_add(stage, 5);
    stage_close_sink(stage);
    stage_copy(stage, "payments.db", "older.db");
    assert_int_equal(stage_open_sink(stage), DONE);
    stage_add(stage, 3000);
    stage_close_sink(stage);
    pid_t child = fork();
    if (child == 0) {
        bool open = stage_open_sink(stage) == DONE;
        stage_add(stage, 5);
        _exit(open ? 0 : 1); /* Its log stays. */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(stage_open_sink(stage), DONE); /* With its own file all is well. */
    stage_copy(stage, "payments.db-wal", "left-wal");
    stage_close_sink(stage);
    stage_copy(stage, "older.db", "payments.db");
    stage_copy(stage, "left-wal", "payments.db-wal");
    for (int start = 0; start < 2; start++) { /* It stays so: the log is not carried over. */
        assert_int_equal(stage_open_sink(stage), BROKEN);
        assert_int_equal(stage->fault.code, FAULT_SINK_DAMAGED);
        assert_non_null(strstr(stage->fault.text, "epoch 1, but the log"));
    }
    (void)snprintf(command, sizeof(command), "cd %s && rm -f payments.db-*", stage->directory);
    assert_int_equal(system(command), 0); /* As its next line says. */
    assert_int_equal(stage_open_sink(stage), DONE);
    assert_string_equal(stage_ask(stage, "PRAGMA integrity_check"), "ok");
    assert_string_equal(stage_ask(stage, "SELECT epoch FROM payonce_pipeline"), "1");
}

/* Every table emptied by somebody: restored to the beginning. */
static void an_emptied_ledger_begins_again(void **state)
{
    struct stage *stage = *state;
    struct sample again;
    struct sink_head head;

    sample_init(&again);
    stage_add(stage, 5);
    sqlite3 *other;
    assert_int_equal(sqlite3_open(stage->settings.path, &other), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(other,
                     "DELETE FROM payonce_pipeline; DELETE FROM payonce_cursor;"
                     "DELETE FROM payonce_total; DELETE FROM payonce_epoch;"
                     "DELETE FROM payment_transactions_000001; DELETE FROM payment_metrics",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), DONE);
    assert_false(head.exists);
    assert_false(head.other_payments);
    assert_int_equal(sink_begin(stage->sink, 4712, &again.rules, &stage->fault), DONE);
    stage->sample = again;
    stage_add(stage, 6);
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM payment_transactions"), "6");
}

static void payments_without_our_row_are_another_history(void **state)
{
    struct stage *stage = *state;
    struct sink_head head;

    stage_add(stage, 5);
    (void)stage_ask(stage, "UPDATE payonce_pipeline SET pipeline = 'theirs'");
    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), DONE);
    assert_false(head.exists);
    assert_true(head.other_payments);
    assert_int_equal(sink_begin(stage->sink, 1, &stage->sample.rules, &stage->fault), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_LEDGER_OTHER_HISTORY);
    (void)stage_ask(stage, "DELETE FROM payonce_pipeline");
    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), DONE);
    assert_true(head.other_payments);
}

static void beginning_twice_is_once_and_a_second_beginner_is_fenced(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(sink_begin(stage->sink, 4711, &stage->sample.rules, &stage->fault), DONE);
    assert_int_equal(sink_begin(stage->sink, 1, &stage->sample.rules, &stage->fault), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_FENCED);
    stage_add(stage, 5);
}

static void other_carried_columns_are_refused(void **state)
{
    struct stage *stage = *state;

    stage_close_sink(stage);
    (void)snprintf(stage->settings.carry[4], 64, "channel");
    assert_int_equal(stage_open_sink(stage), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_SCHEMA);
    assert_non_null(strstr(stage->fault.text, "device_id,ip_address"));
    assert_non_null(strstr(stage->fault.next, "set payment.carry to [region,"));
}

static void a_carried_name_must_be_a_column_of_its_own(void **state)
{
    static const char *const names[] = {"amount", "Source_Topic", "a b", "1a", "x\"; DROP TABLE y",
                                        "REGION", "epoch"};
    struct stage *stage = *state;

    stage_close_sink(stage);
    for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++) {
        (void)snprintf(stage->settings.carry[4], 64, "%s", names[index]);
        assert_int_equal(stage_open_sink(stage), BROKEN);
        assert_int_equal(stage->fault.code, FAULT_SINK_SCHEMA);
        assert_non_null(strstr(stage->fault.text, names[index]));
    }
}

static void damage_is_called_damage(void **state)
{
    struct stage *stage = *state;
    char zeros[100] = {0};

    stage_add(stage, 4000);
    stage_close_sink(stage);
    FILE *file = fopen(stage->settings.path, "r+b");
    assert_non_null(file);
    for (long page = 1; page < 40; page++) {
        assert_int_equal(fseek(file, page * SQLITE_PAGE_SIZE, SEEK_SET), 0);
        assert_int_equal(fwrite(zeros, 1, sizeof(zeros), file), sizeof(zeros));
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(stage_open_sink(stage), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_DAMAGED);
}

static void what_is_no_database_is_not_touched(void **state)
{
    struct stage *stage = *state;

    stage_close_sink(stage);
    FILE *file = fopen(stage->settings.path, "wb");
    assert_non_null(file);
    for (int line = 0; line < 2000; line++) {
        assert_true(fputs("a letter to my mother, not a database\n", file) >= 0);
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(stage_open_sink(stage), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_DAMAGED);
    assert_non_null(strstr(stage->fault.text, "not a database"));
}

static void the_database_of_somebody_else_is_refused(void **state)
{
    struct stage *stage = *state;

    stage_close_sink(stage);
    assert_int_equal(unlink(stage->settings.path), 0);
    (void)stage_ask(stage, "CREATE TABLE payment_transactions (amount REAL)");
    assert_int_equal(stage_open_sink(stage), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_SCHEMA);
    assert_string_equal(stage_ask(stage, "SELECT count(*) FROM sqlite_schema"), "1");
    assert_string_equal(stage_ask(stage, "PRAGMA journal_mode"), "delete");
}

static void a_path_that_cannot_be_is_said(void **state)
{
    static const char *const paths[] = {"/nowhere/at/all.db", ":memory:", "file:x?mode=memory", ""};
    struct stage *stage = *state;
    char good[SINK_PATH_MAX + 1];

    stage_close_sink(stage);
    memcpy(good, stage->settings.path, sizeof(good));
    for (size_t index = 0; index < sizeof(paths) / sizeof(paths[0]); index++) {
        (void)snprintf(stage->settings.path, sizeof(stage->settings.path), "%s", paths[index]);
        assert_int_equal(stage_open_sink(stage), BROKEN);
        assert_int_equal(stage->fault.code, FAULT_SINK_OPEN);
    }
    memcpy(stage->settings.path, good, sizeof(good));
}

static void a_ledger_of_cursors_holds_no_payments(void **state)
{
    struct stage *stage = *state;
    struct sink_head head;

    stage_close_sink(stage);
    assert_int_equal(unlink(stage->settings.path), 0);
    stage->settings.cursors_only = true;
    assert_int_equal(stage_open_sink(stage), DONE);
    assert_int_equal(sink_begin(stage->sink, 1, &stage->sample.rules, &stage->fault), DONE);
    sample_begin(&stage->sample, &stage->epochs[0]);
    sample_accept(&stage->sample, &stage->epochs[0], 0, "a", "1.00");
    sample_repeat(&stage->sample, &stage->epochs[0], 1, "a", 1);
    sample_metric(&stage->sample, &stage->epochs[0], SAMPLE_START_MS, "EU", 1, 100);
    sample_end(&stage->sample, &stage->epochs[0]);
    assert_int_equal(stage_deliver(stage, 0, 1), DONE);
    stage_add(stage, 3);
    assert_int_equal(sink_tend(stage->sink, &stage->fault), LATER);
    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), DONE);
    assert_int_equal(head.epoch, 2);
    assert_int_equal(head.seq_next[TABLE_TRANSACTIONS], 5);
    assert_int_equal(head.seq_next[TABLE_METRICS], 2);
    assert_string_equal(
        stage_ask(stage, "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'payment*'"), "0");
    assert_string_equal(stage_ask(stage, "SELECT sum(transactions_processed),"
                                         " sum(transactions_deduplicated) FROM checkpoint_log"),
                        "5|1");
}

#define WITH_LEDGER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LEDGER(locked_by_somebody_else_means_later),
        WITH_LEDGER(no_space_means_later_and_nothing_written),
        WITH_LEDGER(a_file_that_is_gone_takes_no_more),
        WITH_LEDGER(another_file_under_its_name_is_noticed),
        WITH_LEDGER(an_older_copy_says_where_it_stands_and_is_refilled),
        WITH_LEDGER(a_ledger_restored_while_open_is_fenced_then_refilled),
        WITH_LEDGER(a_log_left_beside_an_older_copy_is_noticed),
        WITH_LEDGER(an_emptied_ledger_begins_again),
        WITH_LEDGER(payments_without_our_row_are_another_history),
        WITH_LEDGER(beginning_twice_is_once_and_a_second_beginner_is_fenced),
        WITH_LEDGER(other_carried_columns_are_refused),
        WITH_LEDGER(a_carried_name_must_be_a_column_of_its_own),
        WITH_LEDGER(damage_is_called_damage),
        WITH_LEDGER(what_is_no_database_is_not_touched),
        WITH_LEDGER(the_database_of_somebody_else_is_refused),
        WITH_LEDGER(a_path_that_cannot_be_is_said),
        WITH_LEDGER(a_ledger_of_cursors_holds_no_payments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
