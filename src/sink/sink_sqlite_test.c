#include "test/unit.h"

#include "sink/sample.h"
#include "sink/sink_sqlite.h"

#include <stdlib.h>
#include <unistd.h>

/* One ledger file and a history for it. */
struct stage {
    char directory[64];
    struct sink_settings settings;
    struct sqlite_sink *sqlite;
    struct sink *sink;
    struct sample sample;
    struct sample_epoch epochs[4];
    struct fault fault;
};

static void open_again(struct stage *stage)
{
    memset(stage->sqlite, 0, sizeof(*stage->sqlite));
    assert_int_equal(
        sink_open(stage->sink, sink_type_named("sqlite"), &stage->settings, &stage->fault), DONE);
}

static int set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    char path[80];

    (void)snprintf(stage->directory, sizeof(stage->directory), "/tmp/payonce-sink.XXXXXX");
    if (mkdtemp(stage->directory) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/payments.db", stage->directory);
    sample_settings(&stage->settings, path);
    sample_init(&stage->sample);
    for (size_t index = 0; index < 4; index++) {
        sample_epoch_init(&stage->epochs[index], 2000);
    }
    stage->sqlite = calloc(1, sizeof(*stage->sqlite));
    stage->sink = &stage->sqlite->sink;
    open_again(stage);
    *state = stage;
    return sink_begin(stage->sink, 4711, &stage->sample.rules, &stage->fault) == DONE ? 0 : -1;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    static const char *const names[] = {"payments.db",     "payments.db-wal", "payments.db-shm",
                                        "payments.db.old", "old-wal",         "old-shm"};
    char path[100];

    sink_close(stage->sink);
    for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++) {
        (void)snprintf(path, sizeof(path), "%s/%s", stage->directory, names[index]);
        (void)unlink(path);
    }
    (void)rmdir(stage->directory);
    for (size_t index = 0; index < 4; index++) {
        sample_epoch_free(&stage->epochs[index]);
    }
    free(stage->sqlite);
    free(stage);
    return 0;
}

static enum outcome deliver(struct stage *stage, size_t first, size_t count)
{
    const struct epoch *epochs[4];

    for (size_t index = 0; index < count; index++) {
        epochs[index] = &stage->epochs[first + index].epoch;
    }
    return sample_deliver(&stage->sample, stage->sink, epochs, count, &stage->fault);
}

/* What a stranger's SQL answers, from a connection of its own. */
static const char *ask(struct stage *stage, const char *sql)
{
    static char answer[512];
    sqlite3 *database;
    sqlite3_stmt *statement;

    assert_int_equal(sqlite3_open(stage->settings.path, &database), SQLITE_OK);
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
    if (code != SQLITE_OK) {
        (void)snprintf(answer, sizeof(answer), "error: %s", sqlite3_errmsg(database));
    } else {
        answer[0] = '\0';
        while (sqlite3_step(statement) == SQLITE_ROW) {
            for (int column = 0; column < sqlite3_column_count(statement); column++) {
                const char *text = (const char *)sqlite3_column_text(statement, column);
                size_t size = strlen(answer);
                (void)snprintf(answer + size, sizeof(answer) - size, "%s%s", size == 0 ? "" : "|",
                               text == NULL ? "-" : text);
            }
        }
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return answer;
}

static void a_new_file_holds_the_pipeline_at_epoch_0(void **state)
{
    struct stage *stage = *state;
    struct sink_head head;

    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), DONE);
    assert_true(head.exists);
    assert_false(head.other_payments);
    assert_int_equal(head.epoch, 0);
    assert_int_equal(head.journal_id, 4711);
    assert_int_equal(head.seq_next[TABLE_TRANSACTIONS], 1);
    assert_int_equal(head.seq_next[TABLE_METRICS], 1);
    assert_true(rules_same(&head.rules, &stage->sample.rules));
    assert_true(head.watermark_ms == INT64_MIN);
}

static void several_epochs_arrive_in_one_transaction(void **state)
{
    struct stage *stage = *state;
    struct sink_head head;

    sample_fill(&stage->sample, &stage->epochs[0], 20);
    sample_fill(&stage->sample, &stage->epochs[1], 3);
    sample_fill(&stage->sample, &stage->epochs[2], 100);
    assert_int_equal(deliver(stage, 0, 3), DONE);
    assert_int_equal(stage->sink->transactions, 1);
    assert_int_equal(stage->sink->rows, 123);
    assert_int_equal(sink_read_head(stage->sink, &head, &stage->fault), DONE);
    assert_int_equal(head.epoch, 3);
    assert_true(chain_same(&head.chain, &stage->sample.chain));
    assert_int_equal(head.seq_next[TABLE_TRANSACTIONS], 124);
    assert_string_equal(ask(stage,
                            "SELECT count(*), min(seq), max(seq), count(DISTINCT epoch) FROM "
                            "payment_transactions"),
                        "123|1|123|3");
    assert_string_equal(ask(stage, "SELECT next FROM payonce_cursor WHERE source = 0"), "124");
    assert_string_equal(ask(stage, "SELECT verdict, currency, count, sum FROM payonce_total"),
                        "accepted|USD|123|123");
}

static void takes_a_repeated_delivery_once(void **state)
{
    struct stage *stage = *state;

    sample_fill(&stage->sample, &stage->epochs[0], 20);
    sample_fill(&stage->sample, &stage->epochs[1], 3);
    assert_int_equal(deliver(stage, 0, 2), DONE);
    assert_int_equal(deliver(stage, 0, 2), DONE);
    assert_int_equal(deliver(stage, 1, 1), DONE);
    assert_int_equal(stage->sink->transactions, 1);
    assert_string_equal(ask(stage, "SELECT count(*) FROM payment_transactions"), "23");
    assert_string_equal(ask(stage, "SELECT count(*) FROM payonce_epoch"), "2");
}

static void another_future_is_fenced_and_writes_nothing(void **state)
{
    struct stage *stage = *state;
    struct sample other = stage->sample;

    other.future = 1;
    sample_fill(&other, &stage->epochs[0], 5);
    sample_fill(&stage->sample, &stage->epochs[1], 20);
    assert_int_equal(deliver(stage, 1, 1), DONE);
    assert_int_equal(deliver(stage, 0, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_FENCED);
    sample_fill(&other, &stage->epochs[2], 5);
    assert_int_equal(deliver(stage, 2, 1), BROKEN);
    assert_int_equal(stage->fault.code, FAULT_FENCED);
    assert_string_equal(ask(stage, "SELECT count(*), max(epoch) FROM payment_transactions"),
                        "20|1");
    sample_fill(&stage->sample, &stage->epochs[3], 1);
    assert_int_equal(deliver(stage, 3, 1), DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_file_holds_the_pipeline_at_epoch_0, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(several_epochs_arrive_in_one_transaction, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(takes_a_repeated_delivery_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_future_is_fenced_and_writes_nothing, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
