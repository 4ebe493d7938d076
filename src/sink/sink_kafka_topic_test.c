/* The Kafka sink's topics and cursor: lost, gone for a while, made anew behind it. */
#include "test/owner_check.h"
#include "test/transact_double.h"
#include "test/unit.h"

static const struct double_odds calm;
static struct fault fault;

static int make_room(void **unused)
{
    owner_make_histories();
    return 0;
}

static int give_room_back(void **unused)
{
    owner_free_histories();
    return 0;
}

static void one_without_a_cursor_is_filled_only_if_its_topics_are_empty(void **unused)
{
    struct owner owner;
    struct sink_head head;

    owner_write_histories(1);
    double_start(1, &calm);
    owner_be_born(&owner, 0);
    owner_finish(&owner);
    double_set_cursor(NULL, 0);
    assert_int_equal(sink_audit(&owner.kafka->sink, &fault), DONE);
    assert_int_equal(sink_read_head(&owner.kafka->sink, &head, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_SINK_CURSOR_LOST);
    double_empty();
    assert_int_equal(sink_read_head(&owner.kafka->sink, &head, &fault), DONE);
    assert_false(head.exists);
    owner.standing = false;
    owner.delivered = 0;
    owner_finish(&owner);
    owner_check_all(&owner);
    owner_end(&owner);
    double_stop();
}

/* Nothing is on its way, so that nothing but an audit can notice it. */
static void topics_that_are_gone_for_a_while_are_waited_for_and_filled_again(void **unused)
{
    struct owner owner;
    struct sink_head head;

    owner_write_histories(1);
    double_start(1, &calm);
    owner_be_born(&owner, 0);
    owner_finish(&owner);
    double_take_away(true);
    for (int round = 0; round < 2; round++) {
        enum outcome outcome = sink_audit(&owner.kafka->sink, &fault);
        if (outcome == DONE) {
            outcome = sink_read_head(&owner.kafka->sink, &head, &fault);
        }
        assert_int_equal(outcome, LATER);
        assert_int_equal(fault.code, FAULT_KAFKA_TOPIC);
    }
    double_take_away(false);
    assert_int_equal(sink_audit(&owner.kafka->sink, &fault), DONE);
    assert_int_equal(sink_read_head(&owner.kafka->sink, &head, &fault), DONE);
    assert_false(head.exists);
    owner.standing = false;
    owner.delivered = 0;
    owner_finish(&owner);
    owner_check_all(&owner);
    owner_end(&owner);
    double_stop();
}

static void topics_made_anew_between_two_deliveries_get_no_rest_of_a_history(void **unused)
{
    struct owner owner;

    owner_write_histories(1);
    double_start(1, &calm);
    owner_be_born(&owner, 0);
    while (owner.delivered < 3) {
        assert_true(owner_step(&owner));
    }
    double_empty();
    owner.kafka->beat_ns -= INT64_C(2000000000);
    const struct epoch *next = owner_epoch(&owner, owner.delivered + 1);
    assert_int_equal(sample_deliver(owner.sample, &owner.kafka->sink, &next, 1, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_FENCED);
    assert_null(double_cursor());
    owner.standing = false;
    owner.delivered = 0;
    owner_finish(&owner);
    owner_check_all(&owner);
    owner_end(&owner);
    double_stop();
}

/* The delivery did not miss the topics, and its cursor stands where ours would. */
static void topics_made_anew_under_a_delivery_are_found_out(void **unused)
{
    struct owner owner;

    owner_write_histories(1);
    double_start(1, &calm);
    owner_be_born(&owner, 0);
    while (owner.delivered < 3) {
        assert_true(owner_step(&owner));
    }
    double_empty();
    const struct epoch *next = owner_epoch(&owner, owner.delivered + 1);
    assert_int_equal(sample_deliver(owner.sample, &owner.kafka->sink, &next, 1, &fault), DONE);
    assert_int_equal(sink_audit(&owner.kafka->sink, &fault), DONE); /* It was asked just now. */
    owner.kafka->whole_ns -= INT64_C(11000000000);
    assert_int_equal(sink_audit(&owner.kafka->sink, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_SINK_DAMAGED);
    owner.kafka->whole_ns -= INT64_C(11000000000);
    next = owner_epoch(&owner, owner.delivered + 2);
    assert_int_equal(sample_deliver(owner.sample, &owner.kafka->sink, &next, 1, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_SINK_DAMAGED);
    owner_end(&owner);
    double_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_without_a_cursor_is_filled_only_if_its_topics_are_empty),
        cmocka_unit_test(topics_that_are_gone_for_a_while_are_waited_for_and_filled_again),
        cmocka_unit_test(topics_made_anew_between_two_deliveries_get_no_rest_of_a_history),
        cmocka_unit_test(topics_made_anew_under_a_delivery_are_found_out),
    };

    return cmocka_run_group_tests(tests, make_room, give_room_back);
}
