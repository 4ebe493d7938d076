#include "test/kafka_double.h"

static void nothing_is_taken_before_the_fingerprint_matched(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);
    const struct kafka_record before = record(4, "key", "value");

    next_fetch(world);
    brings_records(world, 4, 7);
    assign(world, 5, &before);
    read_all(world);
    assert_string_equal(world->story, "assigned at 4\n5 6 next 7\n");
    kafka_world_end(world);
}

static void another_record_in_the_fingerprints_place_halts(void **state)
{
    const struct kafka_record others[] = {
        record(4, "key", "Value"), record(4, "Key", "value"), record(4, NULL, "value"),
        record(4, "key", NULL),    record(4, "key", "valu"),
    };

    for (size_t index = 0; index <= sizeof(others) / sizeof(others[0]); index++) {
        struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_COUNT);
        const struct kafka_record before = record(4, "key", "value");
        struct kafka_record other = before;
        if (index < sizeof(others) / sizeof(others[0])) {
            other = others[index];
        } else {
            other.stamp_ms++;
        }
        next_fetch(world);
        brings(world, other);
        brings_records(world, 5, 7);
        assign(world, 5, &before);
        read_all(world);
        assert_string_equal(world->story,
                            "assigned at 4\n"
                            "topic_replaced: payments/3 is not the partition that was read: at "
                            "offset 4 another record stands\n");
        kafka_world_end(world);
    }
}

static void a_tombstone_before_the_cursor_is_told_from_an_empty_value(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);
    const struct kafka_record before = record(4, "key", NULL);

    next_fetch(world);
    brings(world, record(4, "key", ""));
    assign(world, 5, &before);
    read_all(world);
    assert_non_null(strstr(world->story, "topic_replaced"));
    kafka_world_end(world);
}

static void no_record_in_the_fingerprints_place_halts(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_COUNT);
    const struct kafka_record before = record(4, "key", "value");

    next_fetch(world); /* A marker stands there. */
    brings_records(world, 5, 7);
    assign(world, 5, &before);
    read_all(world);
    assert_string_equal(world->story,
                        "assigned at 4\n"
                        "topic_replaced: payments/3 is not the partition that was read: at offset "
                        "4 there is no record any more\n");
    kafka_world_end(world);
}

static void an_end_behind_the_fingerprints_place_halts(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_COUNT);
    const struct kafka_record before = record(4, "key", "value");

    next_fetch(world);
    brings_end(world, 6);
    assign(world, 5, &before);
    read_all(world);
    assert_non_null(strstr(world->story, "topic_replaced"));
    kafka_world_end(world);
}

static void an_end_before_the_fingerprint_is_waited_on_and_then_halts(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);
    const struct kafka_record before = record(4, "key", "value");

    next_fetch(world);
    brings_end(world, 4);
    assign(world, 5, &before);
    read_all(world);
    world->now_ns += KAFKA_END_PATIENCE_MS * INT64_C(1000000);
    brings_end(world, 4); /* Said again, it does not begin anew. */
    read_all(world);
    assert_string_equal(world->story, "assigned at 4\n");
    world->now_ns += 1;
    read_all(world);
    assert_string_equal(world->story,
                        "assigned at 4\n"
                        "topic_truncated: payments/3 ends at offset 4, and has been read up to 5: "
                        "1 offset has gone from its end\n");
    kafka_world_end(world);
}

static void a_leader_that_shows_the_fingerprint_late_is_read(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);
    const struct kafka_record before = record(4, "key", "value");

    next_fetch(world);
    brings_end(world, 4);
    assign(world, 5, &before);
    read_all(world);
    world->now_ns += KAFKA_END_PATIENCE_MS * INT64_C(1000000);
    brings_records(world, 4, 6);
    read_all(world);
    world->now_ns += KAFKA_END_PATIENCE_MS * INT64_C(1000000);
    read_all(world);
    assert_string_equal(world->story, "assigned at 4\n5 next 6\n");
    kafka_world_end(world);
}

static void a_passing_error_in_the_middle_is_counted(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);

    next_fetch(world);
    brings_records(world, 5, 6);
    brings_error(world, -195); /* _TRANSPORT */
    brings_records(world, 6, 7);
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\n5 6 next 7\n");
    assert_int_equal(world->source.counts.errors, 1);
    kafka_world_end(world);
}

static void damage_is_fetched_again_from_the_fingerprint_once(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_COUNT);

    next_fetch(world);
    brings_records(world, 5, 7);
    brings_error(world, -199);    /* _BAD_MSG */
    brings_records(world, 9, 10); /* The client goes on with the next batch. */
    next_fetch(world);
    brings_records(world, 6, 8); /* 6 is what stood last. */
    brings_error(world, -199);
    next_fetch(world);
    brings_records(world, 7, 8);
    brings_error(world, -198);
    brings_records(world, 9, 10);
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story,
                        "assigned at 5\nassigned at 6\nassigned at 7\n5 6 7 next 8\n"
                        "record_damaged: payments/3 is damaged behind offset 8, and was when asked "
                        "again, too: because\n");
    kafka_world_end(world);
}

static void an_error_that_nothing_mends_halts_with_the_rest_of_the_batch_untaken(void **state)
{
    const struct {
        int error;
        const char *told;
    } cases[] = {
        {29,
         "source_not_allowed: payments/3 may not be read: because (TOPIC_AUTHORIZATION_FAILED)"},
        {10, "source_refused: payments/3 cannot be read on: because (MSG_SIZE_TOO_LARGE)"},
        {3, "source_stale: payments/3 is read by a new client: because"},
        {-150, "source_stale: payments/3 is read by a new client: because"},
    };

    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_COUNT);
        char expected[300];
        next_fetch(world);
        brings_records(world, 5, 6);
        brings_error(world, cases[index].error);
        brings_records(world, 6, 7);
        assign(world, 5, NULL);
        read_all(world);
        read_all(world);
        (void)snprintf(expected, sizeof(expected), "assigned at 5\n5 next 6\n%s\n%s\n",
                       cases[index].told, cases[index].told);
        assert_string_equal(world->story, expected);
        kafka_world_end(world);
    }
}

static void what_the_client_does_not_trust_is_not_taken(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_COUNT);

    next_fetch(world);
    brings(world, (struct kafka_record){.kind = KAFKA_STALE, .text = "it was away\n"});
    brings_records(world, 5, 6);
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\n"
                                      "source_stale: payments/3 is read by a new client: it was "
                                      "away\\x0a\n");
    kafka_world_end(world);
}

#define LOST                                                                                       \
    "the next offset 5432 of payments/3 has been deleted by retention (oldest is 9001): 3569 "     \
    "offsets are gone\n"

static void retention_behind_the_cursor_tells_what_is_lost(void **state)
{
    for (int late = 0; late < 2; late++) {
        struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_COUNT);
        next_fetch(world);
        brings_error(world, -140); /* _AUTO_OFFSET_RESET */
        world->first = late ? 0 : 9001;
        world->end = 10000;
        assign(world, 5432, NULL);
        world->first = 9001;
        read_all(world);
        assert_string_equal(world->story + (late ? strlen("assigned at 5432\n") : 0),
                            late ? "retention_passed: " LOST
                                 : "retention_passed: " LOST "retention_passed: " LOST);
        assert_int_equal(world->source.source.gone_first, 5432);
        assert_int_equal(world->source.source.gone_next, 9001);
        assert_non_null(strstr(world->fault.next, "payonce accept-gap payments/3 5432 9000 --by"));
        kafka_world_end(world);
    }
}

static void retention_between_fingerprint_and_cursor_goes_on_at_the_cursor(void **state)
{
    const struct kafka_record before = record(4, "key", "value");

    for (int late = 0; late < 2; late++) {
        struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);
        if (late) {
            next_fetch(world);
            brings_error(world, -140);
        }
        next_fetch(world);
        brings_records(world, 7, 9);
        world->first = late ? 0 : 5;
        assign(world, 7, &before);
        world->first = 5;
        read_all(world);
        assert_string_equal(world->story, late
                                              ? "assigned at 4\nwarned\nassigned at 7\n7 8 next 9\n"
                                              : "warned\nassigned at 7\n7 8 next 9\n");
        assert_non_null(strstr(world->said, "the record at offset 4,"));
        kafka_world_end(world);
    }
}

static void a_topic_that_ends_before_the_cursor_is_truncated(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_COUNT);
    const struct kafka_record before = record(96, "key", "value");

    next_fetch(world);
    brings_error(world, -140);
    world->end = 40;
    assign(world, 100, &before);
    read_all(world);
    assert_string_equal(world->story,
                        "assigned at 96\n"
                        "topic_truncated: payments/3 ends at offset 40, and has been read up to "
                        "100: 60 offsets have gone from its end\n");
    kafka_world_end(world);
}

static void an_offset_refused_although_it_is_there_is_asked_by_a_new_client(void **state)
{
    const struct kafka_record before = record(96, "key", "value");
    const struct {
        uint64_t first;
        uint64_t end;
        const char *code;
    } cases[] = {
        {0, 100, "source_stale"},   {96, 1000, "source_stale"},      {0, 99, "topic_truncated"},
        {0, 97, "topic_truncated"}, {101, 1000, "retention_passed"},
    };

    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_COUNT);
        next_fetch(world);
        brings_error(world, 1); /* OFFSET_OUT_OF_RANGE */
        assign(world, 100, &before);
        world->first = cases[index].first;
        world->end = cases[index].end;
        read_all(world);
        assert_non_null(strstr(world->story, cases[index].code));
        assert_null(strstr(world->story, "warned")); /* What it is known by is still there. */
        kafka_world_end(world);
    }
}

static void the_oldest_offset_may_be_the_next_one(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_COUNT);

    next_fetch(world);
    brings_error(world, 1);
    world->first = 100;
    assign(world, 100, NULL);
    read_all(world);
    assert_non_null(strstr(world->story, "assigned at 100\nsource_stale"));
    kafka_world_end(world);
}

static void a_topic_that_is_gone_is_missing_and_one_out_of_reach_is_assigned(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_COUNT);

    world->bounds = REFUSED;
    assign(world, 100, NULL);
    assert_string_equal(world->story, "topic_missing: bounds\n");
    kafka_world_end(world);

    world = kafka_world_begin(KAFKA_GAPS_COUNT);
    world->bounds = LATER;
    assign(world, 100, NULL);
    assert_string_equal(world->story, "assigned at 100\n");
    kafka_world_end(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_taken_before_the_fingerprint_matched),
        cmocka_unit_test(another_record_in_the_fingerprints_place_halts),
        cmocka_unit_test(a_tombstone_before_the_cursor_is_told_from_an_empty_value),
        cmocka_unit_test(no_record_in_the_fingerprints_place_halts),
        cmocka_unit_test(an_end_behind_the_fingerprints_place_halts),
        cmocka_unit_test(an_end_before_the_fingerprint_is_waited_on_and_then_halts),
        cmocka_unit_test(a_leader_that_shows_the_fingerprint_late_is_read),
        cmocka_unit_test(a_passing_error_in_the_middle_is_counted),
        cmocka_unit_test(damage_is_fetched_again_from_the_fingerprint_once),
        cmocka_unit_test(an_error_that_nothing_mends_halts_with_the_rest_of_the_batch_untaken),
        cmocka_unit_test(what_the_client_does_not_trust_is_not_taken),
        cmocka_unit_test(retention_behind_the_cursor_tells_what_is_lost),
        cmocka_unit_test(retention_between_fingerprint_and_cursor_goes_on_at_the_cursor),
        cmocka_unit_test(a_topic_that_ends_before_the_cursor_is_truncated),
        cmocka_unit_test(an_offset_refused_although_it_is_there_is_asked_by_a_new_client),
        cmocka_unit_test(the_oldest_offset_may_be_the_next_one),
        cmocka_unit_test(a_topic_that_is_gone_is_missing_and_one_out_of_reach_is_assigned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
