/* What stands behind a topic's name: another cluster, a topic with another id. */
#include "test/decided_place.h"
#include "test/unit.h"

#include "base/instant.h"

#include <pthread.h>
#include <unistd.h>

#define FACTS                                                                                      \
    "SELECT incarnation, partition, cluster_id, topic_id FROM payonce_cursor ORDER BY 1, 2"

/* Ten payments are read of a topic with these facts. */
static void read_of(const char *cluster, const char *topic_id)
{
    decided_make(1);
    broker_be(&broker, cluster, topic_id);
    pay(0, 10);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
}

static void they_are_kept_with_the_cursor(void **state)
{
    read_of("cluster-a", "id-1");
    assert_string_equal(ask_ledger(FACTS), "0|0|cluster-a|id-1");
    pay(0, 1);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_string_equal(ask_ledger(FACTS), "0|0|cluster-a|id-1");
    decided_unmake();
}

static void the_same_records_in_another_cluster_are_not_read(void **state)
{
    read_of("cluster-a", "id-1");
    broker_be(&broker, "cluster-b", "id-1");
    pay(0, 5);
    start_halts(FAULT_SOURCE_REPLACED);
    assert_non_null(strstr(place.fault.text, "the cluster is cluster-b now, and was cluster-a"));
    assert_non_null(strstr(place.fault.next, "payonce adopt-topic double --by"));
    assert_int_equal(counted(ACCEPTED), 10);
    broker_be(&broker, "cluster-a", "id-1");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 15);
    decided_unmake();
}

static void a_topic_of_another_id_is_read_when_it_is_adopted(void **state)
{
    read_of("cluster-a", "id-1");
    broker_be(&broker, "cluster-a", "id-2");
    broker_recreate(&broker);
    pay(0, 3);
    start_halts(FAULT_SOURCE_REPLACED);
    assert_non_null(strstr(place.fault.text, "the topic's id is id-2 now, and was id-1"));
    (void)adopt("double");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(counted(ACCEPTED), 13);
    assert_string_equal(ask_ledger(FACTS), "0|0|cluster-a|id-1|1|0|cluster-a|id-2");
    balances();
    broker_be(&broker, "cluster-a", "id-1");
    start_halts(FAULT_SOURCE_REPLACED);
    decided_unmake();
}

static void what_nobody_tells_is_compared_with_nothing(void **state)
{
    read_of("cluster-a", "id-1");
    broker_be(&broker, "cluster-a", "");
    pay(0, 5);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    broker_be(&broker, "", "");
    pay(0, 5);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_string_equal(ask_ledger(FACTS), "0|0|cluster-a|id-1"); /* And nothing is forgotten. */
    broker_be(&broker, "", "id-2");
    start_halts(FAULT_SOURCE_REPLACED);
    decided_unmake();
}

/* A newer library tells more; but of a topic that may be another one nothing is learned. */
static void what_was_not_known_is_learned_once_the_topic_is_read_on(void **state)
{
    read_of("", "");
    assert_string_equal(ask_ledger(FACTS), "0|0|-|-");
    broker_be(&broker, "cluster-a", "id-2");
    assert_int_equal(run(), ENGINE_CAUGHT_UP); /* Nothing was there to read. */
    assert_string_equal(ask_ledger(FACTS), "0|0|-|-");
    broker_recreate(&broker);
    pay(0, 20);
    start_halts(FAULT_SOURCE_REPLACED); /* By its last record alone. */
    assert_null(strstr(place.fault.text, " now, and was "));
    decided_unmake();

    read_of("cluster-a", "");
    broker_be(&broker, "cluster-a", "id-1");
    pay(0, 1);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    pay(0, 1); /* It moves with the cursor. */
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_string_equal(ask_ledger(FACTS), "0|0|cluster-a|id-1");
    broker_be(&broker, "cluster-a", "id-2");
    start_halts(FAULT_SOURCE_REPLACED);
    decided_unmake();
}

static void a_rebuilt_journal_and_a_new_ledger_know_them(void **state)
{
    read_of("cluster-a", "id-1");
    in_place("rm -r data"); /* The ledger alone knows. */
    broker_be(&broker, "cluster-a", "id-2");
    start_halts(FAULT_SOURCE_REPLACED);
    broker_be(&broker, "cluster-a", "id-1");
    pay(0, 1);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    broker_be(&broker, "cluster-b", "id-1");
    start_halts(FAULT_SOURCE_REPLACED);
    decided_unmake();

    read_of("cluster-a", "id-1");
    in_place("rm payments.db"); /* The journal alone does. */
    broker_be(&broker, "cluster-b", "id-1");
    start_halts(FAULT_SOURCE_REPLACED);
    broker_be(&broker, "cluster-a", "id-1");
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_string_equal(ask_ledger(FACTS), "0|0|cluster-a|id-1");
    decided_unmake();
}

static void a_client_made_anew_looks_again(void **state)
{
    decided_make(2);
    broker_be(&broker, "cluster-a", "id-1");
    pay(0, 10);
    place.settings.until_caught_up = false;
    assert_int_equal(engine_start(&place.settings, &place.engine, &place.fault), DONE);
    broker_be(&broker, "cluster-b", "id-1");
    broker_break(&broker, 1, FAULT_SOURCE_STALE);
    assert_int_equal(wait_for_end(), ENGINE_HALTED);
    assert_int_equal(place.fault.code, FAULT_SOURCE_REPLACED);
    engine_close(place.engine);
    decided_unmake();
}

static void *show(void *unused)
{
    usleep(600000);
    broker_hide(&broker, FAULT_NONE);
    return unused;
}

/* Brokers that start at the same time do not know all of their topics at once. */
static void a_topic_that_was_read_before_may_come_late_at_a_start(void **state)
{
    pthread_t thread;

    read_of("cluster-a", "id-1");
    pay(0, 5);
    broker_hide(&broker, FAULT_SOURCE_MISSING);
    assert_int_equal(pthread_create(&thread, NULL, show, NULL), 0);
    assert_int_equal(run(), ENGINE_CAUGHT_UP);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(broker_hidden(&broker) > 0);
    assert_int_equal(counted(ACCEPTED), 15);
    decided_unmake();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_kept_with_the_cursor),
        cmocka_unit_test(the_same_records_in_another_cluster_are_not_read),
        cmocka_unit_test(a_topic_of_another_id_is_read_when_it_is_adopted),
        cmocka_unit_test(what_nobody_tells_is_compared_with_nothing),
        cmocka_unit_test(what_was_not_known_is_learned_once_the_topic_is_read_on),
        cmocka_unit_test(a_rebuilt_journal_and_a_new_ledger_know_them),
        cmocka_unit_test(a_client_made_anew_looks_again),
        cmocka_unit_test(a_topic_that_was_read_before_may_come_late_at_a_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
