/* A person decides: what halted goes on, and it is kept who said so. */
#include "test/broker_double.h"
#include "test/engine_place.h"
#include "test/unit.h"

#include "base/instant.h"
#include "engine/decisions.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#define BASE INT64_C(1770000000000)

enum { TEXT_SIZE = 1024 };

static struct broker broker;
static uint64_t ids;

static void make(size_t partition_count)
{
    place_make(0);
    broker_init(&broker, partition_count);
    place.settings.feed_type = &feed_double;
    place.settings.feed_settings = &broker;
    place.settings.rules.idle_after_ms = 200;
    place.settings.feed_look_ms = 100;
}

static void unmake(void)
{
    place_remove();
    broker_free(&broker);
}

static void pay(size_t partition, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        int64_t event_ms = BASE + (int64_t)broker.partitions[partition].end * 10 +
                           broker.partitions[partition].generation * INT64_C(1000000);
        broker_pay(&broker, partition, event_ms, INSTANT_NONE);
    }
}

static struct disk_posix open_directory(void)
{
    struct disk_posix disk;
    char path[ENGINE_PATH_MAX + 16];

    (void)snprintf(path, sizeof(path), "%s/decisions", place.settings.data_dir);
    assert_int_equal(disk_posix_open(&disk, path, &place.fault), DONE);
    return disk;
}

static uint64_t decide(const struct decided *decided)
{
    struct disk_posix disk = open_directory();
    struct decided own = *decided;
    uint64_t number = 0;

    own.id = ++ids;
    (void)snprintf(own.by, sizeof(own.by), "Eve");
    (void)snprintf(own.why, sizeof(own.why), "we looked for them");
    assert_int_equal(decisions_add(&disk.disk, &own, &number, &place.fault), DONE);
    disk_posix_close(&disk);
    return number;
}

static uint64_t accept_gap(const char *topic, uint32_t partition, uint64_t first, uint64_t last)
{
    struct decided decided = {
        .kind = RULING_GAP, .partition = partition, .first = first, .last = last};

    (void)snprintf(decided.topic, sizeof(decided.topic), "%s", topic);
    return decide(&decided);
}

static uint64_t adopt(const char *topic)
{
    struct decided decided = {.kind = RULING_ADOPTION};

    (void)snprintf(decided.topic, sizeof(decided.topic), "%s", topic);
    return decide(&decided);
}

static char why[DECISIONS_WHY_SIZE];

static enum decisions_fate fate(uint64_t number)
{
    struct disk_posix disk = open_directory();
    enum decisions_fate fate = DECISION_WAITS;

    assert_int_equal(decisions_fate(&disk.disk, number, &fate, why, &place.fault), DONE);
    disk_posix_close(&disk);
    return fate;
}

static void start_halts(enum fault_code code)
{
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), BROKEN);
    assert_int_equal(place.fault.code, code);
}

/* Everything a query answers, with bars between. */
static const char *ask_ledger(const char *query)
{
    static char text[TEXT_SIZE];
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;

    text[0] = '\0';
    assert_int_equal(sqlite3_open(place.settings.sinks[0].path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, query, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int column = 0; column < sqlite3_column_count(statement); column++) {
            const char *value = (const char *)sqlite3_column_text(statement, column);
            size_t used = strlen(text);
            (void)snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? "|" : "",
                           value == NULL ? "-" : value);
        }
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    return text;
}

/* next - start is all that was counted, of every source. */
static void balances(void)
{
    assert_string_equal(ask_ledger("SELECT count(*) FROM payonce_cursor c WHERE next - start <> "
                                   "(SELECT coalesce(sum(count), 0) FROM payonce_total t"
                                   " WHERE t.source = c.source)"),
                        "0");
}

#define DECISIONS                                                                                  \
    "SELECT kind, topic, incarnation, partition, first, d.next, who, why, id"                      \
    " FROM payonce_decision d JOIN payonce_cursor c USING (source) ORDER BY decision"

static void read_then_lose_by_retention(void)
{
    make(2);
    pay(0, 10);
    pay(1, 10);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    pay(1, 20);
    broker_retain(&broker, 1, 15);
    start_halts(FAULT_KAFKA_LOST);
}

static void what_retention_took_is_accepted_as_a_gap_and_reading_goes_on(void **state)
{
    read_then_lose_by_retention();
    uint64_t number = accept_gap("double", 1, 10, 14);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 35);
    assert_int_equal(counted(TALLY_COUNT), 5);
    balances();
    assert_string_equal(ask_ledger(DECISIONS),
                        "gap|double|0|1|10|15|Eve|we looked for them|0000000000000001");
    assert_int_equal(fate(number), DECISION_SEALED);
    assert_int_equal(run(), ENGINE_CAUGHT_UP); /* Once is enough. */
    assert_int_equal(counted(TALLY_COUNT), 5);
    unmake();
}

static void a_range_that_is_not_the_lost_one_is_refused_with_a_sentence(void **state)
{
    static const uint64_t wrong[][2] = {{10, 13}, {10, 15}, {9, 14}, {11, 14}, {0, 14}, {20, 30}};

    read_then_lose_by_retention();
    for (size_t index = 0; index < sizeof(wrong) / sizeof(wrong[0]); index++) {
        uint64_t number = accept_gap("double", 1, wrong[index][0], wrong[index][1]);
        start_halts(FAULT_KAFKA_LOST);
        assert_non_null(strstr(place.fault.text, "does not answer this: refused"));
        assert_int_equal(fate(number), DECISION_REFUSED);
        assert_non_null(strstr(why, "does not answer the halt: offsets 10 to 14 are gone"));
    }
    (void)accept_gap("double", 1, 10, 14); /* The right one among others. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(TALLY_COUNT), 5);
    balances();
    unmake();
}

static void of_two_partitions_each_needs_its_own(void **state)
{
    read_then_lose_by_retention();
    pay(0, 5);
    broker_retain(&broker, 0, 12);
    uint64_t second = accept_gap("double", 1, 10, 14);
    start_halts(FAULT_KAFKA_LOST);
    assert_int_equal(fate(second), DECISION_WAITS); /* It is none of partition 0's. */
    uint64_t first = accept_gap("double", 0, 10, 11);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(fate(first), DECISION_SEALED);
    assert_int_equal(fate(second), DECISION_SEALED);
    assert_int_equal(counted(TALLY_COUNT), 7);
    balances();
    unmake();
}

static void a_decision_that_nothing_waits_for_is_refused(void **state)
{
    make(2);
    pay(0, 10);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    uint64_t read = accept_gap("double", 0, 5, 7);
    uint64_t stranger = accept_gap("other", 0, 10, 14);
    uint64_t partition = accept_gap("double", 7, 0, 1);
    uint64_t early = accept_gap("double", 0, 10, 11);
    uint64_t adoption = adopt("nobody");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(fate(read), DECISION_REFUSED);
    assert_non_null(strstr(why, "what comes next of it is offset 10"));
    assert_int_equal(fate(stranger), DECISION_REFUSED);
    assert_non_null(strstr(why, "no source has this name"));
    assert_int_equal(fate(partition), DECISION_REFUSED);
    assert_int_equal(fate(adoption), DECISION_REFUSED);
    assert_int_equal(fate(early), DECISION_WAITS); /* Offset 10 may yet turn out to be gone. */
    pay(0, 3);
    assert_int_equal(run(), ENGINE_CAUGHT_UP); /* It was not. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(fate(early), DECISION_REFUSED);
    assert_int_equal(counted(TALLY_COUNT), 0);
    assert_int_equal(counted(ACCEPTED), 13);
    assert_string_equal(ask_ledger("SELECT count(*) FROM payonce_decision"), "0");
    unmake();
}

static void what_is_no_decision_is_put_aside_and_nothing_else_happens(void **state)
{
    make(1);
    pay(0, 10);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    in_place("echo 'accept everything' > data/decisions/3.json");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(fate(3), DECISION_REFUSED);
    assert_non_null(strstr(why, "no decision of payonce"));
    in_place("grep -qx 'accept everything' data/decisions/3.refused");
    unmake();
}

static void what_a_strict_partition_misses_is_accepted_where_it_halted(void **state)
{
    make(2);
    pay(0, 10);
    broker_lose(&broker, 0, 3);
    pay(0, 10);
    pay(1, 10);
    assert_int_equal(run(), ENGINE_HALTED);
    assert_int_equal(place.fault.code, FAULT_KAFKA_GAP);
    uint64_t wrong = accept_gap("double", 0, 10, 13);
    assert_int_equal(run(), ENGINE_HALTED);
    assert_int_equal(fate(wrong), DECISION_REFUSED);
    uint64_t right = accept_gap("double", 0, 10, 12);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(fate(right), DECISION_SEALED);
    assert_int_equal(counted(ACCEPTED), 30);
    assert_int_equal(counted(TALLY_COUNT), 3);
    assert_int_equal(counted(SKIPPED), 0);
    balances();
    unmake();
}

static void a_topic_made_anew_is_read_as_its_next_incarnation(void **state)
{
    for (size_t longer = 0; longer < 2; longer++) {
        make(2);
        pay(0, 10);
        pay(1, 4);
        assert_int_equal(run(), ENGINE_CAUGHT_UP);
        broker_recreate(&broker);
        pay(0, longer == 1 ? 30 : 3);
        start_halts(FAULT_SOURCE_REPLACED);
        uint64_t stranger = adopt("doubles");
        uint64_t number = adopt("double");
        assert_int_equal(run(), ENGINE_CAUGHT_UP);
        assert_int_equal(fate(number), DECISION_SEALED);
        assert_int_equal(fate(stranger), DECISION_REFUSED);
        assert_int_equal(counted(ACCEPTED), 14 + (longer == 1 ? 30 : 3));
        balances();
        assert_string_equal(
            ask_ledger("SELECT incarnation, partition, next, standing FROM payonce_cursor"
                       " WHERE partition = 0 ORDER BY 1, 2"),
            longer == 1 ? "0|0|10|ended|1|0|30|active" : "0|0|10|ended|1|0|3|active");
        assert_string_equal(ask_ledger("SELECT count(*) FROM (SELECT DISTINCT source_topic,"
                                       " source_incarnation, source_partition, source_offset"
                                       " FROM payment_transactions)"),
                            longer == 1 ? "44" : "17");
        assert_non_null(strstr(ask_ledger(DECISIONS), "adoption|double|1|0|-|-|Eve|"));
        pay(1, 5); /* And from now on so. */
        broker_grow(&broker);
        pay(2, 6);
        assert_int_equal(run(), ENGINE_CAUGHT_UP);
        assert_int_equal(counted(ACCEPTED), 14 + (longer == 1 ? 30 : 3) + 11);
        assert_string_equal(ask_ledger("SELECT count(*), min(incarnation), sum(next)"
                                       " FROM payonce_cursor WHERE standing <> 'ended'"),
                            longer == 1 ? "3|1|41" : "3|1|14");
        unmake();
    }
}

static void what_was_read_before_an_adoption_holds_the_watermark_no_more(void **state)
{
    struct engine_gauges gauges = {.watermark_ms = INSTANT_NONE};

    make(2);
    pay(0, 10);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    broker_recreate(&broker);
    pay(0, 5);
    pay(1, 5);
    (void)adopt("double");
    place.settings.until_caught_up = false;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    int64_t newest_ms = BASE + 1000000 + 40;
    int64_t wanted_ms = newest_ms - place.settings.rules.lateness_ms;
    for (int step = 0; step < 500 && gauges.watermark_ms != wanted_ms; step++) {
        usleep(10000);
        engine_gauges(place.engine, &gauges);
    }
    assert_true(gauges.watermark_ms == wanted_ms);
    engine_stop(place.engine);
    assert_int_equal(wait_for_end(), ENGINE_STOPPED);
    engine_close(place.engine);
    unmake();
}

static void a_file_that_was_replaced_is_read_from_its_start(void **state)
{
    place_make(1);
    write_payments(0, 1, 9);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    in_place("rm 0.jsonl");
    write_payments(0, 11, 15);
    start_halts(FAULT_SOURCE_TRUNCATED);
    (void)adopt(place.inputs[0]);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 14);
    balances();
    assert_string_equal(
        ask_ledger("SELECT incarnation, next, standing FROM payonce_cursor ORDER BY 1"),
        "0|10|ended|1|6|ended");
    write_payments(0, 16, 17);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 16);
    place_remove();
}

/* The file is there again, as if its removal had not reached the disk. */
static void a_decision_that_was_sealed_is_known_again(void **state)
{
    read_then_lose_by_retention();
    (void)accept_gap("double", 1, 10, 14);
    in_place("cp data/decisions/1.json copy");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    in_place("mv copy data/decisions/1.json");
    place.events[0] = '\0';
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_non_null(strstr(place.events, "decision_sealed "));
    assert_int_equal(fate(1), DECISION_SEALED);
    assert_int_equal(counted(TALLY_COUNT), 5);
    unmake();
}

/* The journal is lost: the ledger alone says what was decided. */
static void a_rebuilt_journal_and_a_new_follower_know_what_was_decided(void **state)
{
    read_then_lose_by_retention();
    (void)accept_gap("double", 1, 10, 14);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    broker_recreate(&broker);
    pay(0, 3);
    (void)adopt("double");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    in_place("rm -r data");
    pay(1, 2);
    place.settings.sink_types[1] = place.settings.sink_types[0];
    place.settings.sinks[1] = place.settings.sinks[0];
    place.settings.deliver_rows_max[1] = 50000;
    place.settings.deliver_wait_ms[1] = 20;
    place.settings.sink_count = 2;
    (void)snprintf(place.settings.sinks[1].name, SINK_NAME_MAX, "copy");
    (void)snprintf(place.settings.sinks[1].path, SINK_PATH_MAX, "%s/copy.db", place.path);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(TALLY_COUNT), 5);
    assert_int_equal(counted(ACCEPTED), 40);
    balances();
    in_place("for table in payonce_decision payonce_cursor payonce_total; do"
             " for file in payments copy; do"
             " sqlite3 $file.db \"SELECT * FROM $table ORDER BY 1, 2, 3\" > $file.txt; done;"
             " cmp payments.txt copy.txt || exit 1; test -s copy.txt || exit 1; done");
    unmake();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_retention_took_is_accepted_as_a_gap_and_reading_goes_on),
        cmocka_unit_test(a_range_that_is_not_the_lost_one_is_refused_with_a_sentence),
        cmocka_unit_test(of_two_partitions_each_needs_its_own),
        cmocka_unit_test(a_decision_that_nothing_waits_for_is_refused),
        cmocka_unit_test(what_is_no_decision_is_put_aside_and_nothing_else_happens),
        cmocka_unit_test(what_a_strict_partition_misses_is_accepted_where_it_halted),
        cmocka_unit_test(a_topic_made_anew_is_read_as_its_next_incarnation),
        cmocka_unit_test(what_was_read_before_an_adoption_holds_the_watermark_no_more),
        cmocka_unit_test(a_file_that_was_replaced_is_read_from_its_start),
        cmocka_unit_test(a_decision_that_was_sealed_is_known_again),
        cmocka_unit_test(a_rebuilt_journal_and_a_new_follower_know_what_was_decided),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
