/* A follower that a start meets: looked at, met, taken, begun. */
#include "test/engine_place.h"
#include "test/unit.h"

#include <sqlite3.h>
#include <unistd.h>

/* A second SQLite file, from the next start on. */
static void follow(void)
{
    struct engine_settings *settings = &place.settings;

    settings->sink_types[1] = settings->sink_types[0];
    settings->sinks[1] = settings->sinks[0];
    (void)snprintf(settings->sinks[1].name, SINK_NAME_MAX, "copy");
    (void)snprintf(settings->sinks[1].path, SINK_PATH_MAX, "%s/copy.db", place.path);
    settings->deliver_rows_max[1] = 50000;
    settings->deliver_wait_ms[1] = 20;
    settings->sink_count = 2;
}

static void assert_holds(int accepted)
{
    sqlite3_stmt *statement;
    sqlite3 *database;

    assert_int_equal(sqlite3_open(place.settings.sinks[1].path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database,
                                        "SELECT count(DISTINCT transaction_id), count(*)"
                                        " FROM payment_transactions",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), accepted);
    assert_int_equal(sqlite3_column_int(statement, 1), accepted);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

/* It opens and can be looked at, and is another's. */
static void a_start_that_is_refused_has_met_nobody(void **state)
{
    sqlite3 *database;

    place_make(1);
    write_payments(0, 1, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    follow();
    in_place("cp payments.db copy.db");
    assert_int_equal(sqlite3_open(place.settings.sinks[1].path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "UPDATE payonce_pipeline SET pipeline = 'another'",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    for (int start = 0; start < 2; start++) {
        assert_int_not_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
        assert_int_equal(place.fault.code, FAULT_LEDGER_OTHER_HISTORY);
    }
    place_remove();
}

/* A copy that must be taken before it is written to, as a Kafka sink is. */
static struct sink_type taking;
static unsigned takes;
static unsigned takes_refused;
static enum fault_code refused_code;
static bool lost;

static enum outcome take(struct sink *sink, struct fault *ret_fault)
{
    takes++;
    enum outcome outcome = refused_code == FAULT_KAFKA_TOPIC ? BROKEN : LATER;
    return takes > takes_refused ? DONE
                                 : fault_is(ret_fault, outcome, refused_code,
                                            "%s is not to be had now", sink->settings.name);
}

static void follow_taking(unsigned refused, enum fault_code code)
{
    follow();
    taking = *place.settings.sink_types[0];
    taking.take = take;
    place.settings.sink_types[1] = &taking;
    takes = 0;
    takes_refused = refused;
    refused_code = code;
}

static void one_on_another_history_is_not_taken_from_whoever_has_it(void **state)
{
    place_make(1);
    follow_taking(0, FAULT_NONE);
    write_payments(0, 1, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(takes, 1);
    in_place("cp payments.db old.db && cp -r data old");
    write_payments(0, 101, 300);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(takes, 2);
    in_place("rm -rf data payments.db* && cp old.db payments.db && mv old data");
    assert_int_not_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    assert_int_equal(place.fault.code, FAULT_FOLLOWER_AHEAD);
    assert_int_equal(takes, 2);
    place_remove();
}

static void one_that_only_looks_fenced_is_asked_again(void **state)
{
    place_make(1);
    follow_taking(0, FAULT_NONE);
    write_payments(0, 1, 100);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    write_payments(0, 101, 300);
    follow_taking(2, FAULT_FENCED);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(takes, 3);
    assert_holds(300);
    place_remove();
}

static bool leave(void)
{
    return takes > 0;
}

static void a_start_that_waits_for_one_ends_when_asked(void **state)
{
    place_make(1);
    write_payments(0, 1, 100);
    follow_taking(3, FAULT_SINK_BUSY);
    place.settings.stop_asked = leave;
    assert_int_not_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    assert_int_equal(place.fault.code, FAULT_SINK_BUSY);
    assert_int_equal(takes, 1);
    place.settings.stop_asked = NULL;
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_holds(100);
    place_remove();
}

/* A topic that was created just now is not known to each broker at once. */
static void a_first_start_waits_a_little_for_a_topic(void **state)
{
    place_make(1);
    write_payments(0, 1, 100);
    follow_taking(2, FAULT_KAFKA_TOPIC);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(takes, 3);
    assert_holds(100);
    place_remove();
    place_make(1);
    follow_taking(1000, FAULT_KAFKA_TOPIC);
    assert_int_not_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    assert_int_equal(place.fault.code, FAULT_KAFKA_TOPIC);
    place_remove();
}

/* Its first delivery finds it made anew: that is begun again, and no second owner. */
static enum outcome deliver_once_lost(struct sink *sink, const struct delivery *delivery,
                                      struct fault *ret_fault)
{
    if (takes_refused == 0) {
        return place.settings.sink_types[0]->deliver(sink, delivery, ret_fault);
    }
    takes_refused = 0;
    lost = true;
    return fault_is(ret_fault, BROKEN, FAULT_FENCED, "nothing of ours stands there");
}

static enum outcome read_head_once_lost(struct sink *sink, struct sink_head *ret_head,
                                        struct fault *ret_fault)
{
    if (lost) {
        return DONE; /* All zeros: it is not there. */
    }
    return place.settings.sink_types[0]->read_head(sink, ret_head, ret_fault);
}

static enum outcome begin_again(struct sink *sink, uint64_t journal_id, const struct rules *rules,
                                struct fault *ret_fault)
{
    if (lost) {
        lost = false;
        return DONE;
    }
    return place.settings.sink_types[0]->begin(sink, journal_id, rules, ret_fault);
}

static void one_made_anew_before_it_had_anything_is_begun_again(void **state)
{
    place_make(1);
    write_payments(0, 1, 300);
    follow_taking(0, FAULT_NONE);
    taking.deliver = deliver_once_lost;
    taking.read_head = read_head_once_lost;
    taking.begin = begin_again;
    takes_refused = 1;
    taking.take = NULL;
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_false(lost);
    assert_holds(300);
    place_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_that_is_refused_has_met_nobody),
        cmocka_unit_test(one_on_another_history_is_not_taken_from_whoever_has_it),
        cmocka_unit_test(one_that_only_looks_fenced_is_asked_again),
        cmocka_unit_test(a_start_that_waits_for_one_ends_when_asked),
        cmocka_unit_test(a_first_start_waits_a_little_for_a_topic),
        cmocka_unit_test(one_made_anew_before_it_had_anything_is_begun_again),
    };
    return cmocka_run_group_tests_name("taking", tests, NULL, NULL);
}
