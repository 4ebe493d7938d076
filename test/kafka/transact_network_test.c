/* Transactions on real brokers, over a network that loses answers or holds everything. */
#include "test/unit.h"

#include "os/clock.h"
#include "test/kafka/network.h"
#include "test/kafka/transact_place.h"

#include <stdlib.h>

enum {
    WHILE_MS = 1000, /* In which what was written is with the brokers. */
    BUSY_MS = 10000, /* So much more a machine takes that has much to do. */
    LOOK_MS = 15000, /* The brokers look for such as took too long every 10 s. */
};

/* It ended in time: within what is promised. */
static void assert_within(int64_t start_ns, int promised_ms)
{
    assert_true(clock_steady_ns(&clock_real) - start_ns <
                (promised_ms + BUSY_MS) * INT64_C(1000000));
}

/* Whoever lost an answer asks anew, on the straight road; what stands is what the cursor says. */
static void assert_stands(struct place *place, uint64_t offset, const char *text, size_t rows)
{
    const char *brokers;

    place_let_go(place);
    assert_true(topic_brokers(&brokers));
    place->client.brokers = brokers;
    place_take_over(place);
    place_assert_cursor(place, offset, text);
    assert_int_equal(place_see(place), rows);
    assert_int_equal(place_deliver(place, "after", offset + 1), KAFKA_APPLIED);
    assert_int_equal(place_see(place), rows + PLACE_ROWS);
    place_let_go(place);
}

static void a_commit_whose_answer_is_lost_is_known_by_its_cursor(void **state)
{
    struct network *network = network_start();
    struct place *place = place_make(network_brokers());
    place_take_over(place);
    assert_int_equal(place_deliver(place, "one", 1), KAFKA_APPLIED);
    kafka_transactor_begin(place->transactor);
    place_write(place, "two");
    network_tell(network, "lose 26 1");
    int64_t start_ns = clock_steady_ns(&clock_real);
    assert_int_equal(place_finish(place, 2, "two"), KAFKA_ASK_AGAIN);
    assert_within(start_ns, KAFKA_TRANSACTION_MS + KAFKA_WAIT_MS);
    assert_int_equal(place->outcome, LATER);
    assert_stands(place, 2, "two", 2 * PLACE_ROWS);
    network_stop(network);
    place_end(place);
}

static void after_an_answer_that_came_late_another_client_is_wanted(void **state)
{
    struct network *network = network_start();
    struct place *place = place_make(network_brokers());
    place_take_over(place);
    kafka_transactor_begin(place->transactor);
    place_write(place, "one");
    network_tell(network, "lose 26 1");
    network_tell_later(network, 2, "lose 26 0");
    assert_int_equal(place_finish(place, 1, "one"), KAFKA_APPLIED);
    assert_int_equal(place_deliver(place, "two", 2), KAFKA_ASK_AGAIN);
    assert_stands(place, 1, "one", PLACE_ROWS);
    network_stop(network);
    place_end(place);
}

/* With nothing of the transaction, and with all of it but its end, on the other side. */
static void brokers_that_are_gone_hold_nobody_for_longer_than_said(void **state)
{
    for (int records_arrive = 0; records_arrive < 2; records_arrive++) {
        struct network *network = network_start();
        struct place *place = place_make(network_brokers());
        place_take_over(place);
        assert_int_equal(place_deliver(place, "one", 1), KAFKA_APPLIED);
        kafka_transactor_begin(place->transactor);
        if (records_arrive == 1) {
            place_write(place, "two");
            place_nap(WHILE_MS);
        }
        network_tell(network, "hold");
        if (records_arrive == 0) {
            place_write(place, "two");
        }
        int64_t start_ns = clock_steady_ns(&clock_real);
        assert_int_equal(place_finish(place, 2, "two"), KAFKA_ASK_AGAIN);
        assert_within(start_ns, KAFKA_TRANSACTION_MS + KAFKA_WAIT_MS);
        assert_int_equal(place->outcome, LATER);
        start_ns = clock_steady_ns(&clock_real);
        assert_int_equal(place_read_cursor(place), LATER);
        assert_int_equal(place->fault.code, FAULT_KAFKA_UNREACHABLE);
        assert_within(start_ns, KAFKA_WAIT_MS);
        assert_stands(place, 1, "one", PLACE_ROWS);
        network_stop(network);
        place_end(place);
    }
}

/* Its owner was asleep; the brokers have ended it. */
static void a_transaction_that_took_too_long_is_shut_out(void **state)
{
    struct place *place = place_make(NULL);

    place_take_over(place);
    assert_int_equal(place_deliver(place, "one", 1), KAFKA_APPLIED);
    kafka_transactor_begin(place->transactor);
    place_write(place, "two");
    place_nap(KAFKA_TRANSACTION_MS + LOOK_MS);
    assert_int_equal(place_finish(place, 2, "two"), KAFKA_SHUT_OUT);
    assert_int_equal(place->fault.code, FAULT_FENCED);
    assert_stands(place, 1, "one", PLACE_ROWS);
    place_end(place);
}

int main(int argument_count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_whose_answer_is_lost_is_known_by_its_cursor),
        cmocka_unit_test(after_an_answer_that_came_late_another_client_is_wanted),
    };
    const struct CMUnitTest slow[] = {
        cmocka_unit_test(brokers_that_are_gone_hold_nobody_for_longer_than_said),
        cmocka_unit_test(a_transaction_that_took_too_long_is_shut_out),
    };

    if (network_brokers() == NULL) {
        (void)printf("SKIPPED: no way through a proxy is named in KAFKA_PROXIED\n");
        return 77;
    }
    return argument_count > 1 ? cmocka_run_group_tests(slow, NULL, NULL)
                              : cmocka_run_group_tests(tests, NULL, NULL);
}
