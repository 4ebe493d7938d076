/* A gap is accepted by a person: what halted goes on, and it is kept who said so. */
#include "test/decided_place.h"
#include "test/unit.h"

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
    decided_unmake();
}

static void a_range_that_is_not_the_lost_one_is_refused_with_a_sentence(void **state)
{
    static const uint64_t wrong[][2] = {{10, 13}, {10, 15}, {9, 14}, {11, 14}, {0, 14}, {20, 30}};

    read_then_lose_by_retention();
    for (size_t index = 0; index < sizeof(wrong) / sizeof(wrong[0]); index++) {
        uint64_t number = accept_gap("double", 1, wrong[index][0], wrong[index][1]);
        bool passed = wrong[index][0] < 10;
        start_halts(FAULT_KAFKA_LOST);
        assert_true(passed || strstr(place.fault.text, "does not answer this: refused") != NULL);
        assert_int_equal(fate(number), DECISION_REFUSED);
        assert_non_null(strstr(why, passed
                                        ? "what comes next of it is offset 10"
                                        : "does not answer the halt: offsets 10 to 14 are gone"));
    }
    (void)accept_gap("double", 1, 10, 14); /* The right one among others. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(TALLY_COUNT), 5);
    balances();
    decided_unmake();
}

static void of_two_partitions_each_needs_its_own(void **state)
{
    read_then_lose_by_retention();
    pay(0, 5);
    broker_retain(&broker, 0, 12);
    uint64_t second = accept_gap("double", 1, 10, 14);
    uint64_t passed = accept_gap("double", 0, 0, 4);
    start_halts(FAULT_KAFKA_LOST);
    assert_int_equal(fate(second), DECISION_WAITS);   /* It is none of partition 0's; */
    assert_int_equal(fate(passed), DECISION_REFUSED); /* and this one is over. */
    uint64_t first = accept_gap("double", 0, 10, 11);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(fate(first), DECISION_SEALED);
    assert_int_equal(fate(second), DECISION_SEALED);
    assert_int_equal(counted(TALLY_COUNT), 7);
    balances();
    decided_unmake();
}

static void a_decision_that_nothing_waits_for_is_refused(void **state)
{
    decided_make(2);
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
    decided_unmake();
}

static void what_is_no_decision_is_put_aside_and_nothing_else_happens(void **state)
{
    decided_make(1);
    pay(0, 10);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    in_place("echo 'accept everything' > data/decisions/3.json");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(fate(3), DECISION_REFUSED);
    assert_non_null(strstr(why, "no decision of payonce"));
    in_place("grep -qx 'accept everything' data/decisions/3.refused");
    decided_unmake();
}

static void what_a_strict_partition_misses_is_accepted_where_it_halted(void **state)
{
    struct engine_gauges gauges;

    decided_make(2);
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
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    assert_int_equal(wait_for_end(), ENGINE_CAUGHT_UP);
    engine_gauges(place.engine, &gauges);
    assert_int_equal(gauges.gap, 3);
    engine_close(place.engine);
    assert_int_equal(fate(right), DECISION_SEALED);
    assert_int_equal(counted(ACCEPTED), 30);
    assert_int_equal(counted(TALLY_COUNT), 3);
    assert_int_equal(counted(SKIPPED), 0);
    balances();
    decided_unmake();
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
    decided_unmake();
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
        cmocka_unit_test(a_decision_that_was_sealed_is_known_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
