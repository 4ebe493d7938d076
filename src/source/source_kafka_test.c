#include "test/kafka_double.h"

static void takes_records_in_the_order_of_their_offsets(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);

    next_fetch(world);
    brings_records(world, 5, 8);
    brings_end(world, 8);
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\n5 6 7 next 8\n");
    assert_int_equal(world->block.lines[0].stamp_ms, STAMP_MS);
    assert_memory_equal(world->block.bytes + world->block.lines[2].at, "value", 5);
    kafka_world_end(world);
}

static void drops_what_comes_again_and_counts_it(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);

    next_fetch(world);
    brings_records(world, 5, 8);
    brings_records(world, 6, 9);
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\n5 6 7 8 next 9\n");
    assert_int_equal(world->source.counts.repeated, 2);
    kafka_world_end(world);
}

static void strict_halts_at_a_gap_and_takes_what_stands_before_it(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);

    next_fetch(world);
    brings_records(world, 5, 7);
    brings_records(world, 9, 11);
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\n5 6 next 7\n"
                                      "offset_gap: payments/3: offset 7 is expected, and 9 came: "
                                      "2 offsets are missing\n");
    world->story_size = 0;
    read_all(world); /* And says so again, taking nothing. */
    assert_string_equal(world->story, "offset_gap: payments/3: offset 7 is expected, and 9 came: "
                                      "2 offsets are missing\n");
    assert_int_equal(world->source.source.gone_first, 7);
    assert_int_equal(world->source.source.gone_next, 9);
    assert_non_null(strstr(world->fault.next, "payonce accept-gap payments/3 7 8 --by WHO"));
    kafka_world_end(world);
}

static void behind_what_is_gone_it_is_assigned_and_read_on(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);
    const struct kafka_record before = record(6, "key", "value");

    next_fetch(world);
    brings_records(world, 5, 7);
    brings_records(world, 9, 11);
    next_fetch(world);
    brings_records(world, 6, 7);
    brings_records(world, 9, 11);
    assign(world, 5, NULL);
    read_all(world);
    world->story_size = 0;
    assign(world, 9, &before);
    read_all(world);
    assert_string_equal(world->story, "assigned at 6\n9 10 next 11\n");
    assert_int_equal(world->source.source.gone_next, 0);
    kafka_world_end(world);
}

static void counting_goes_on_behind_a_gap(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_COUNT);

    next_fetch(world);
    brings_records(world, 5, 7);
    brings_records(world, 9, 11);
    brings_end(world, 12);
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\n5 6 9 10 next 12\n");
    assert_int_equal(world->source.counts.gaps, 2);
    assert_int_equal(world->source.counts.gap_offsets, 3);
    kafka_world_end(world);
}

static void a_gap_that_a_second_fetch_fills_was_the_clients_mistake(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_CONFIRM);

    next_fetch(world);
    brings_records(world, 5, 7);
    brings_records(world, 9, 11);
    next_fetch(world);
    brings_records(world, 7, 11);
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story,
                        "assigned at 5\nassigned at 7\nwarned\n5 6 7 8 9 10 next 11\n");
    assert_string_equal(world->said,
                        "payments/3: offset 7 came when it was asked for once more: the "
                        "Kafka client had left it out; nothing is lost");
    assert_int_equal(world->source.counts.healed, 1);
    assert_int_equal(world->source.counts.gaps, 0);
    kafka_world_end(world);
}

static void a_gap_that_two_fetches_have_is_none(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_CONFIRM);

    next_fetch(world);
    brings_records(world, 5, 7);
    brings_records(world, 9, 11);
    next_fetch(world);
    brings_records(world, 9, 11);
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\nassigned at 7\n5 6 9 10 next 11\n");
    assert_int_equal(world->source.counts.gap_offsets, 2);
    assert_int_equal(world->source.counts.healed, 0);
    kafka_world_end(world);
}

static void only_what_both_fetches_lack_is_believed(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_CONFIRM);

    next_fetch(world); /* 5, then 9. */
    brings_records(world, 5, 6);
    brings_records(world, 9, 10);
    next_fetch(world); /* From 6: there is one at 7. */
    brings_records(world, 7, 8);
    brings_records(world, 12, 13);
    next_fetch(world); /* From 8: 9 is there after all. */
    brings_records(world, 9, 10);
    brings_records(world, 12, 13);
    next_fetch(world); /* From 10: nothing before 13 this time. */
    brings_records(world, 13, 14);
    next_fetch(world); /* From 12: one came, which only the fetch before lacked. */
    brings_records(world, 12, 14);
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\nassigned at 6\nwarned\nassigned at 8\n"
                                      "warned\nassigned at 10\nassigned at 12\nwarned\n"
                                      "5 7 9 12 13 next 14\n");
    kafka_world_end(world);
}

static void the_end_moves_next_behind_markers_when_two_fetches_say_so(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_CONFIRM);

    next_fetch(world);
    brings_records(world, 5, 7);
    brings_end(world, 9);
    next_fetch(world);
    brings_end(world, 9);
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\nassigned at 7\n5 6 next 9\n");
    brings_records(world, 9, 10);
    brings_end(world, 10);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\nassigned at 7\n5 6 next 9\n9 next 10\n");
    kafka_world_end(world);
}

static void strict_does_not_pass_the_end_behind_markers(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);

    next_fetch(world);
    brings_end(world, 6);
    assign(world, 5, NULL);
    read_all(world);
    assert_non_null(strstr(world->story, "offset_gap: payments/3: offset 5 is expected, and 6"));
    kafka_world_end(world);
}

static void small_gaps_are_believed_when_ten_of_them_were_confirmed(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_CONFIRM);
    uint64_t offset = 0;

    for (int gap = 0; gap < KAFKA_SMALL_GAPS_CONFIRMED; gap++, offset += 2) {
        next_fetch(world);
        brings_records(world, offset, offset + 1);
        brings_records(world, offset + 2, offset + 3);
    }
    next_fetch(world); /* Two small ones, and one that is not. */
    brings_records(world, offset, offset + 1);
    brings_records(world, offset + 2, offset + 3);
    brings_records(world, offset + 5, offset + 6);
    brings_records(world, offset + 9, offset + 10);
    next_fetch(world);
    brings_records(world, offset + 9, offset + 10);
    assign(world, 0, NULL);
    read_all(world);
    assert_int_equal(world->assigned, 1 + KAFKA_SMALL_GAPS_CONFIRMED + 1);
    assert_int_equal(world->source.next, offset + 10);
    assert_non_null(strstr(world->said, "10 gaps of one or two offsets have been confirmed"));
    assert_int_equal(world->source.counts.gap_offsets, KAFKA_SMALL_GAPS_CONFIRMED + 1 + 2 + 3);
    kafka_world_end(world);
}

static void a_tombstone_is_a_message_of_no_bytes(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);

    next_fetch(world);
    brings(world, record(5, "key", NULL));
    brings(world, record(6, NULL, ""));
    brings(world, record(7, NULL, "value"));
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\n5 6 7 next 8\n");
    assert_int_equal(world->lines[0].size, 0);
    assert_int_equal(world->lines[1].size, 0);
    assert_int_equal(world->lines[2].size, 5);
    assert_memory_equal(world->bytes + world->lines[2].at, "value", 5);
    kafka_world_end(world);
}

static void a_record_too_long_is_handed_on_as_such(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);
    static char value[3 * MESSAGE_SIZE_MAX];
    static char key[1000];
    struct kafka_record large = record(5, NULL, NULL);

    memset(value, 'v', sizeof(value));
    memset(key, 'k', sizeof(key));
    large.value = (struct span){value, sizeof(value)};
    large.key = (struct span){key, sizeof(key)};
    next_fetch(world);
    brings(world, large);
    brings(world, record(6, NULL, "value"));
    assign(world, 5, NULL);
    assert_int_equal(source_read(&world->source.source, &world->block, &world->fault), DONE);
    assert_int_equal(world->block.line_count, 2);
    assert_int_equal(world->lines[0].size, 3 * MESSAGE_SIZE_MAX);
    assert_int_equal(world->lines[0].kept, MESSAGE_SIZE_MAX + 1);
    assert_int_equal(world->bytes[world->lines[0].at], 'v');

    /* Its fingerprint is the same whether taken from the record or from the block. */
    struct fingerprint of_record = stored(&large);
    struct fingerprint of_line;
    source_fingerprint(&world->source.source, &world->lines[0], world->bytes, &of_line);
    assert_memory_equal(&of_line, &of_record, sizeof(of_line));
    kafka_world_end(world);
}

static void what_does_not_fit_comes_first_in_the_next_block(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_CONFIRM);

    world->block.line_capacity = 2;
    world->at_once = 3;
    next_fetch(world);
    brings_records(world, 5, 10);
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\n5 6 next 7\n7 8 next 9\n9 next 10\n");
    kafka_world_end(world);
}

static void a_block_takes_only_what_fits(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);
    static char value[SOURCE_BLOCK_MIN * 2 / 5];
    struct kafka_record large = record(5, NULL, NULL);

    memset(value, 'v', sizeof(value));
    large.value = (struct span){value, sizeof(value)};
    next_fetch(world);
    for (large.offset = 5; large.offset < 8; large.offset++) {
        brings(world, large);
    }
    brings(world, record(8, "key", "value"));
    assign(world, 5, NULL);
    read_all(world);
    assert_string_equal(world->story, "assigned at 5\n5 6 next 7\n7 8 next 9\n");
    kafka_world_end(world);
}

static void is_a_witness_only_when_matched_and_not_halted(void **state)
{
    struct kafka_world *world = kafka_world_begin(KAFKA_GAPS_STRICT);
    const struct kafka_record before = record(4, "key", "value");
    struct source_sight sight;

    world->sight = (struct kafka_sight){.first = 0, .end = 9, .stable = 8, .seen_ns = 77};
    next_fetch(world);
    assign(world, 5, &before);
    read_all(world);
    source_sight(&world->source.source, &sight);
    assert_int_equal(sight.seen_ns, 0);
    brings_records(world, 4, 6);
    read_all(world);
    source_sight(&world->source.source, &sight);
    assert_int_equal(sight.seen_ns, 77);
    assert_int_equal(sight.end, 9);
    assert_int_equal(sight.stable, 8);
    brings_records(world, 7, 8);
    read_all(world);
    source_sight(&world->source.source, &sight);
    assert_int_equal(sight.seen_ns, 0);
    kafka_world_end(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_records_in_the_order_of_their_offsets),
        cmocka_unit_test(drops_what_comes_again_and_counts_it),
        cmocka_unit_test(strict_halts_at_a_gap_and_takes_what_stands_before_it),
        cmocka_unit_test(behind_what_is_gone_it_is_assigned_and_read_on),
        cmocka_unit_test(counting_goes_on_behind_a_gap),
        cmocka_unit_test(a_gap_that_a_second_fetch_fills_was_the_clients_mistake),
        cmocka_unit_test(a_gap_that_two_fetches_have_is_none),
        cmocka_unit_test(only_what_both_fetches_lack_is_believed),
        cmocka_unit_test(the_end_moves_next_behind_markers_when_two_fetches_say_so),
        cmocka_unit_test(strict_does_not_pass_the_end_behind_markers),
        cmocka_unit_test(small_gaps_are_believed_when_ten_of_them_were_confirmed),
        cmocka_unit_test(a_tombstone_is_a_message_of_no_bytes),
        cmocka_unit_test(a_record_too_long_is_handed_on_as_such),
        cmocka_unit_test(what_does_not_fit_comes_first_in_the_next_block),
        cmocka_unit_test(a_block_takes_only_what_fits),
        cmocka_unit_test(is_a_witness_only_when_matched_and_not_halted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
