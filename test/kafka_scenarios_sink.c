/* The Kafka sink as a follower of the ledger, and what its transactions are answered. */
#include "test/kafka_keeper.h"
#include "test/kafka_scenarios.h"
#include "test/kafka_story.h"
#include "test/unit.h"

/* Errors, as the protocol numbers them. */
enum {
    UNKNOWN = -1,
    COORDINATOR_LOAD_IN_PROGRESS = 14,
    COORDINATOR_NOT_AVAILABLE = 15,
    NOT_COORDINATOR = 16,
    NOT_ENOUGH_REPLICAS = 19,
    TOPIC_AUTHORIZATION_FAILED = 29,
    INVALID_PRODUCER_EPOCH = 47,
    CONCURRENT_TRANSACTIONS = 51,
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53,
};

enum { PAYMENTS = 300, PATIENCE_MS = 60000, STEP_MS = 10 };

#define OUTPUT "payment-transactions"
#define OUTPUT_GROUP "payonce-payments-output"

static struct sink_kafka output;

/* Payments wait; the next start delivers them to the ledger, and then to Kafka. */
static void begin(void)
{
    struct sink_settings *settings = &place.settings.sinks[1];

    story_begin(1, 1);
    kafka_mock_topic(story.mock, OUTPUT, 1);
    kafka_keeper_start(kafka_mock_brokers(story.mock), OUTPUT_GROUP, OUTPUT);
    output = (struct sink_kafka){
        .client = {.brokers = kafka_mock_brokers(story.mock), .client_id = "payonce-test"},
        .topics = {[TABLE_TRANSACTIONS] = OUTPUT},
    };
    *settings = place.settings.sinks[0];
    (void)snprintf(settings->name, sizeof(settings->name), "output");
    (void)snprintf(settings->path, sizeof(settings->path), "%s", OUTPUT);
    settings->kafka = &output;
    place.settings.sink_types[1] = sink_type_named("kafka");
    place.settings.deliver_rows_max[1] = 5000;
    place.settings.deliver_wait_ms[1] = 100;
    place.settings.sink_count = 2;
    story_pay(0, PAYMENTS, 100);
}

/* The follower has all that the ledger has. */
static void await_output(void)
{
    struct engine_gauges gauges = {.epoch = 1};

    for (int ms = 0; ms < PATIENCE_MS && gauges.sinks[1].epoch < gauges.epoch; ms += STEP_MS) {
        note_events(STEP_MS);
        engine_gauges(place.engine, &gauges);
        if (engine_end(place.engine, &place.fault) != ENGINE_RUNNING) {
            fail_msg("it ended: %s", place.fault.text);
        }
    }
    assert_int_equal(gauges.sinks[1].epoch, gauges.epoch);
}

/* Each payment is in the output once, and in the ledger, too. */
static void end(void)
{
    unsigned counts[8 * PAYMENTS] = {0};

    kafka_keeper_count(counts, story.written[0]);
    for (uint64_t number = 0; number < story.written[0]; number++) {
        if (counts[number] != 1) {
            fail_msg("payment %llu: %u times", (unsigned long long)number, counts[number]);
        }
    }
    kafka_keeper_stop();
    story_end();
}

/* What stands in the way of the first payments is overcome, and what comes later goes, too. */
static void deliver_and_end(void)
{
    story_start();
    story_all();
    await_output();
    story_pay(0, PAYMENTS, 100);
    story_all();
    await_output();
    story_stop();
    end();
}

void an_id_refused_for_a_while_is_asked_for_again_and_for_good_it_is_named(void **state)
{
    begin();
    story_fail(KAFKA_MOCK_INIT_PRODUCER_ID, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 1);
    story_refused(FAULT_KAFKA_NOT_ALLOWED);
    story_fail(KAFKA_MOCK_INIT_PRODUCER_ID, CONCURRENT_TRANSACTIONS, 2);
    story_fail(KAFKA_MOCK_INIT_PRODUCER_ID, NOT_COORDINATOR, 1);
    deliver_and_end();
}

void too_few_replicas_five_times_are_waited_for(void **state)
{
    begin();
    story_fail(KAFKA_MOCK_PRODUCE, NOT_ENOUGH_REPLICAS, 5);
    deliver_and_end();
}

/* The ledger does not wait for it. */
void a_right_to_write_taken_away_is_told_and_waited_for(void **state)
{
    begin();
    story_fail(KAFKA_MOCK_PRODUCE, TOPIC_AUTHORIZATION_FAILED, 2);
    story_start();
    story_told("sink_unreachable sink=output");
    story_told("sink_recovered sink=output");
    story_stop();
    deliver_and_end();
}

void partitions_refused_for_a_transaction_under_way_are_added_later(void **state)
{
    begin();
    story_fail(KAFKA_MOCK_ADD_PARTITIONS, CONCURRENT_TRANSACTIONS, 3);
    deliver_and_end();
}

void a_cursor_without_a_coordinator_is_added_later(void **state)
{
    begin();
    story_fail(KAFKA_MOCK_ADD_OFFSETS, COORDINATOR_NOT_AVAILABLE, 3);
    deliver_and_end();
}

void a_cursor_refused_three_times_for_a_while_is_sent_again(void **state)
{
    begin();
    story_fail(KAFKA_MOCK_TRANSACTION_OFFSETS, NOT_COORDINATOR, 1);
    story_fail(KAFKA_MOCK_TRANSACTION_OFFSETS, COORDINATOR_LOAD_IN_PROGRESS, 1);
    story_fail(KAFKA_MOCK_TRANSACTION_OFFSETS, COORDINATOR_NOT_AVAILABLE, 1);
    deliver_and_end();
}

/* The ends of the next payments' transaction are answered so. */
static void end_against(int error, bool carried_out, unsigned unknown)
{
    begin();
    story_start();
    story_all();
    await_output();
    kafka_keeper_carry_out(carried_out);
    story_fail(KAFKA_MOCK_END_TRANSACTION, error, 1);
    story_pay(0, PAYMENTS, 100);
    story_all();
    await_output();
    assert_int_equal(kafka_keeper_unknown(), unknown);
    story_stop();
    end();
}

/* It is fenced: somebody else has the id, and has said so beside the cursor. */
static void end_against_another_owner(void)
{
    begin();
    story_start();
    story_all();
    await_output();
    kafka_keeper_usurp();
    story_fail(KAFKA_MOCK_END_TRANSACTION, INVALID_PRODUCER_EPOCH, 1);
    story_pay(0, PAYMENTS, 100);
    assert_int_equal(wait_for_end(), ENGINE_FAILED);
    assert_string_equal(fault_code_name(place.fault.code), fault_code_name(FAULT_FENCED));
    engine_close(place.engine);
    assert_int_equal(kafka_keeper_unknown(), 1);
    kafka_keeper_stop();
    story_end();
}

void a_commit_whose_end_is_not_known_is_settled_by_the_cursor(void **state)
{
    end_against(NOT_COORDINATOR, false, 0);
    end_against(UNKNOWN, false, 1);
    end_against(UNKNOWN, true, 1);
    end_against(INVALID_PRODUCER_EPOCH, false, 1);
    end_against_another_owner();
}
