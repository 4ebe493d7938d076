#include "test/unit.h"

#include "sink/stage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* Looking at the ledger beside its writer. */

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

/* The row of one epoch without another's: a reader beside the writer never sees it. */
static void a_reader_stays_at_its_moment(void **state)
{
    struct stage *stage = *state;
    struct sqlite_sink *memory = calloc(1, sizeof(*memory));
    struct sink_settings settings = stage->settings;
    struct sink_head head;
    struct row row;
    uint64_t epoch;
    int64_t decided_ms;
    uint64_t seq = 1;

    assert_non_null(memory);
    settings.read_only = true;
    assert_int_equal(sink_open(&memory->sink, stage->sink->type, &settings, &stage->fault), DONE);
    stage_add(stage, 40);
    assert_int_equal(sink_read_head(&memory->sink, &head, &stage->fault), DONE);
    assert_int_equal(head.epoch, 1);
    stage_add(stage, 60);
    while (sink_read_row(&memory->sink, TABLE_TRANSACTIONS, seq, &row, &epoch, &decided_ms,
                         &stage->fault) == DONE) {
        seq++;
    }
    assert_int_equal(seq, 41);
    assert_int_equal(sink_read_head(&memory->sink, &head, &stage->fault), DONE);
    assert_int_equal(head.epoch, 2);
    assert_int_equal(sink_read_row(&memory->sink, TABLE_TRANSACTIONS, seq, &row, &epoch,
                                   &decided_ms, &stage->fault),
                     DONE);
    assert_int_equal(epoch, 2);
    assert_int_equal(sink_tend(&memory->sink, &stage->fault), LATER);
    sink_close(&memory->sink);
    free(memory);
}

/* The reader that names a conflict's field stays open as long as the program runs. */
static void a_reader_that_has_found_a_payment_keeps_nothing_in_the_log(void **state)
{
    struct stage *stage = *state;
    struct sqlite_sink *reader = calloc(1, sizeof(*reader));
    struct sink_settings settings = stage->settings;
    struct row row;

    assert_non_null(reader);
    settings.read_only = true;
    stage_add(stage, 100);
    assert_int_equal(sink_open(&reader->sink, stage->sink->type, &settings, &stage->fault), DONE);
    assert_int_equal(sink_find_payment(&reader->sink, (struct span){"t7", 2},
                                       &stage->sample.origins[0], 7, &row, &stage->fault),
                     DONE);
    stage_add(stage, 50);
    assert_int_equal(sqlite_carry(stage->sqlite, &stage->fault), DONE);
    assert_int_equal(stage->sqlite->carried, 2);
    assert_int_equal(row.texts[TRANSACTION_ID].size, 2); /* What it lent is there. */
    assert_memory_equal(row.texts[TRANSACTION_ID].at, "t7", 2);
    sink_close(&reader->sink);
    free(reader);
}

static void a_reader_of_a_missing_file_says_so(void **state)
{
    struct stage *stage = *state;

    stage_close_sink(stage);
    assert_int_equal(unlink(stage->settings.path), 0);
    stage->settings.read_only = true;
    assert_int_equal(stage_open_sink(stage), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_SINK_OPEN);
    assert_non_null(strstr(stage->fault.text, "No such file"));
    assert_int_equal(access(stage->settings.path, F_OK), -1);
}

static void a_snapshot_stays_at_its_open(void **state)
{
    struct stage *stage = *state;
    struct sqlite_sink *memory = calloc(1, sizeof(*memory));
    struct sink_settings settings = stage->settings;
    struct sink_head head;
    struct sink_epoch epoch;

    assert_non_null(memory);
    settings.read_only = true;
    settings.snapshot = true;
    stage_add(stage, 40);
    assert_int_equal(sink_open(&memory->sink, stage->sink->type, &settings, &stage->fault), DONE);
    stage_add(stage, 60);
    assert_int_equal(sink_read_head(&memory->sink, &head, &stage->fault), DONE);
    assert_int_equal(head.epoch, 1);
    stage_add(stage, 60);
    assert_int_equal(sink_read_head(&memory->sink, &head, &stage->fault), DONE);
    assert_int_equal(head.epoch, 1);
    assert_int_equal(head.seq_next[TABLE_TRANSACTIONS], 41);
    assert_int_equal(sink_read_epoch(&memory->sink, 1, &epoch, &stage->fault), DONE);
    assert_int_equal(epoch.range_count, SAMPLE_SOURCES);
    assert_int_equal(epoch.ranges[0].first, 1);
    assert_int_equal(epoch.ranges[0].next, 41);
    assert_int_equal(sink_read_epoch(&memory->sink, 2, &epoch, &stage->fault), LATER);
    sink_close(&memory->sink);
    free(memory);
}

struct watcher {
    const char *path;
    atomic_bool stop;
    uint64_t looks;
    uint64_t wrong;
};

/* Whatever it sees is whole epochs: as many rows as the epochs say, up to the pipeline's. */
static void *watch(void *context)
{
    struct watcher *watcher = context;
    sqlite3 *database;
    sqlite3_stmt *statement = NULL;

    if (sqlite3_open(watcher->path, &database) != SQLITE_OK) {
        watcher->wrong++;
    }
    while (!atomic_load(&watcher->stop) && watcher->wrong == 0) {
        int code =
            sqlite3_prepare_v2(database,
                               "SELECT (SELECT count(*) FROM payment_transactions) ="
                               " (SELECT coalesce(sum(rows), 0) FROM payonce_epoch)"
                               " AND (SELECT coalesce(max(epoch), 0) FROM payonce_epoch) ="
                               " (SELECT epoch FROM payonce_pipeline)"
                               " AND (SELECT coalesce(max(seq), 0) FROM payment_transactions) ="
                               " (SELECT transactions_next - 1 FROM payonce_pipeline)",
                               -1, &statement, NULL);
        if (code != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW ||
            sqlite3_column_int(statement, 0) != 1) {
            watcher->wrong++;
        }
        watcher->looks++;
        (void)sqlite3_finalize(statement);
    }
    (void)sqlite3_close(database);
    return NULL;
}

static void a_reader_sees_whole_epochs_only(void **unused)
{
    struct stage *stage = stage_open(100);
    struct watcher watcher = {.path = stage->settings.path};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, watch, &watcher), 0);
    for (int delivery = 0; delivery < 40; delivery++) {
        sample_fill(&stage->sample, &stage->epochs[0], 30);
        sample_fill(&stage->sample, &stage->epochs[1], 17);
        assert_int_equal(stage_deliver(stage, 0, 2), DONE);
        if (delivery % 7 == 0) {
            enum outcome outcome = sink_tend(stage->sink, &stage->fault);
            assert_true(outcome == DONE || outcome == LATER);
        }
    }
    atomic_store(&watcher.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(watcher.wrong, 0);
    assert_true(watcher.looks > 0);
    stage_close(stage);
}

#define WITH_LEDGER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LEDGER(a_reader_stays_at_its_moment),
        WITH_LEDGER(a_reader_that_has_found_a_payment_keeps_nothing_in_the_log),
        WITH_LEDGER(a_reader_of_a_missing_file_says_so),
        WITH_LEDGER(a_snapshot_stays_at_its_open),
        cmocka_unit_test(a_reader_sees_whole_epochs_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
