#include "cmd/simulator.h"

#include "base/checksum.h"
#include "base/instant.h"
#include "cmd/partition.h"
#include "test/unit.h"

#include <stdlib.h>

static struct simulator simulator;
static void *memory;

static int lend_memory(void **unused)
{
    memory = malloc(simulator_memory_size());
    return memory == NULL ? -1 : 0;
}

static int take_memory_back(void **unused)
{
    free(memory);
    return 0;
}

static void start(const struct simulator_settings *settings)
{
    simulator_init(&simulator, settings, memory);
}

/* Everything that can happen, often enough to be seen. */
static struct simulator_settings busy(void)
{
    struct simulator_settings settings;

    simulator_settings_default(&settings);
    settings.mint.seed = 42;
    settings.count = 20000;
    settings.out_of_order_ms = 2000;
    settings.copies_max = 3;
    settings.duplicates = 50000;
    settings.conflicts = 5000;
    settings.late = 10000;
    settings.future = 5000;
    settings.broken = 10000;
    settings.output_count = 4;
    return settings;
}

static uint32_t run_checksum(const struct simulator_settings *settings)
{
    static char line[SIMULATED_SIZE_MAX];
    struct simulated message;
    uint32_t sum = 0;

    start(settings);
    while (simulator_next(&simulator, &message)) {
        sum = checksum(sum, (struct span){&message.output, sizeof(message.output)});
        sum = checksum(sum, (struct span){line, simulated_write(&message, line)});
    }
    return sum;
}

static void sends_the_same_bytes_for_the_same_seed(void **unused)
{
    struct simulator_settings settings = busy();
    uint32_t first = run_checksum(&settings);

    assert_int_equal(first, run_checksum(&settings));
    settings.mint.seed = 43;
    assert_int_not_equal(first, run_checksum(&settings));
}

static void makes_the_payment_of_public_producers(void **unused)
{
    struct simulator_settings settings;
    struct simulated message;
    char text[SIMULATED_TRUTH_SIZE_MAX];
    static char line[SIMULATED_SIZE_MAX];

    simulator_settings_default(&settings);
    settings.mint.seed = 42;
    start(&settings);
    assert_true(simulator_next(&simulator, &message));
    line[simulated_write(&message, line)] = '\0';
    assert_string_equal(line, "{\"transaction_id\":\"57e1faba-6510-4204-b4ab-d143feb24055\","
                              "\"sender_account_id\":\"ACC_004863\","
                              "\"receiver_account_id\":\"ACC_000673\","
                              "\"amount\":6769.48,"
                              "\"currency\":\"USD\","
                              "\"device_id\":\"device_32028f50\","
                              "\"ip_address\":\"10.72.103.142\","
                              "\"timestamp\":1767225600000,"
                              "\"region\":\"US\","
                              "\"payment_method\":\"debit_card\","
                              "\"credit_card\":\"30569309025904\","
                              "\"cvv\":\"773\","
                              "\"card_expiry\":\"06/30\"}\n");
    text[simulated_truth_write(&message, text)] = '\0';
    assert_string_equal(text, "57e1faba-6510-4204-b4ab-d143feb24055,6769.48,USD,"
                              "2026-01-01T00:00:00.000Z,accepted\n");
}

/* What the tests remember of each payment, by its number. */
struct memory_of_one {
    struct minted payment;
    unsigned output;
    int64_t due_ns;
    bool good;
};

static struct memory_of_one sent[20000];

static void copy_is_of_its_payment(const struct simulated *message,
                                   const struct simulator_settings *settings)
{
    const struct memory_of_one *first = &sent[message->payment.number];
    int64_t after_ns = message->due_ns - first->due_ns;

    assert_true(first->good);
    assert_true(after_ns >= settings->after_min_ms * 1000000);
    assert_true(after_ns <= settings->after_max_ms * 1000000);
    assert_true(message->payment.event_ms == first->payment.event_ms);
    assert_true(message->payment.id_high == first->payment.id_high);
    assert_true(message->payment.id_low == first->payment.id_low);
    bool same = message->payment.amount_hundredths == first->payment.amount_hundredths;
    assert_int_equal(same, message->kind == SIMULATED_COPY);
    assert_true(message->kind == SIMULATED_COPY || message->output == first->output);
}

static void sends_again_only_what_was_sent_and_was_good(void **unused)
{
    struct simulator_settings settings = busy();
    struct simulated message;
    uint64_t kinds[SIMULATED_KINDS] = {0};
    int64_t due_ns = 0;

    settings.after_min_ms = 100;
    start(&settings);
    while (simulator_next(&simulator, &message)) {
        kinds[message.kind]++;
        assert_true(message.due_ns >= due_ns);
        due_ns = message.due_ns;
        if (message.kind == SIMULATED_PAYMENT) {
            sent[message.payment.number] = (struct memory_of_one){
                message.payment, message.output, message.due_ns, message.expected == ACCEPTED};
        } else {
            copy_is_of_its_payment(&message, &settings);
        }
    }
    assert_int_equal(kinds[SIMULATED_PAYMENT], settings.count);
    assert_in_range(kinds[SIMULATED_COPY], 1700, 2300); /* 5 % of 20,000, two each. */
    assert_in_range(kinds[SIMULATED_CONFLICT], 60, 140);
}

/* By the rules of DESIGN section 2, applied to each output alone. */
static void what_it_expects_is_what_the_rules_say(void **unused)
{
    struct simulator_settings settings = busy();
    struct simulated message;
    int64_t newest_ms[4] = {INSTANT_NONE, INSTANT_NONE, INSTANT_NONE, INSTANT_NONE};
    uint64_t counts[VERDICT_COUNT] = {0};

    start(&settings);
    while (simulator_next(&simulator, &message)) {
        int64_t *newest = &newest_ms[message.output];
        int64_t event_ms = message.payment.event_ms;
        counts[message.expected]++;
        if (message.expected == INVALID) {
            continue;
        }
        assert_int_equal(message.expected == FUTURE, event_ms >= settings.future_start_ms);
        if (message.expected == FUTURE) {
            continue;
        }
        bool late = *newest != INSTANT_NONE && event_ms <= *newest - settings.lateness_ms;
        assert_int_equal(message.expected == LATE, late);
        *newest = event_ms > *newest ? event_ms : *newest;
    }
    assert_in_range(counts[LATE], 150, 250);
    assert_in_range(counts[FUTURE], 60, 140);
    assert_in_range(counts[INVALID], 150, 250);
}

static void keeps_to_its_memory_by_sending_copies_early(void **unused)
{
    struct simulator_settings settings;
    struct simulated message;
    uint64_t count = 0;

    simulator_settings_default(&settings);
    settings.count = SIMULATOR_WAITING_MAX + 1000;
    settings.rate = 1000000;
    settings.duplicates = 1000000;
    settings.after_min_ms = settings.after_max_ms = 60 * 1000;
    start(&settings);
    while (simulator_next(&simulator, &message)) {
        count++;
    }
    assert_int_equal(count, 2 * settings.count);
}

/* In Kafka a key has one partition: Java's producers would have put it there, too. */
static void what_has_one_id_goes_to_its_keys_partition(void **unused)
{
    struct simulator_settings settings = busy();
    struct simulated message;
    uint64_t counts[4] = {0};
    char id[MINTED_ID_SIZE];

    settings.by_key = true;
    start(&settings);
    while (simulator_next(&simulator, &message)) {
        minted_id_write(&message.payment, id);
        assert_int_equal(message.output, partition_of((struct span){id, sizeof(id)}, 4));
        counts[message.output]++;
    }
    for (size_t index = 0; index < 4; index++) {
        assert_in_range(counts[index], 5000, 6000);
    }
}

static int64_t due_of(uint64_t number, const struct simulator_settings *settings)
{
    struct simulated message;

    start(settings);
    for (uint64_t index = 0; index <= number; index++) {
        assert_true(simulator_next(&simulator, &message));
    }
    return message.due_ns / 1000000;
}

static void a_surge_comes_in_the_middle_third(void **unused)
{
    struct simulator_settings settings;

    simulator_settings_default(&settings);
    settings.count = 3000;
    settings.rate = 100;
    settings.surge = 10;
    assert_int_equal(due_of(1000, &settings), 10000);
    assert_int_equal(due_of(1500, &settings), 10500);
    assert_int_equal(due_of(2000, &settings), 11000);
    assert_int_equal(due_of(2999, &settings), 11000 + 9990);
}

static void whoever_tries_stolen_cards_is_one_sender_with_small_amounts(void **unused)
{
    struct mint mint;
    struct minted first;
    struct minted other;
    struct dice dice;

    mint_default(&mint);
    mint.card_testing = true;
    mint_payment(&mint, MINT_CARD_TESTS_OF, &first, &dice);
    for (uint64_t number = 1; number < MINT_CARD_TESTS; number++) {
        mint_payment(&mint, MINT_CARD_TESTS_OF + number, &other, &dice);
        assert_int_equal(other.sender, first.sender);
        assert_int_equal(other.device, first.device);
        assert_int_not_equal(other.receiver, other.sender);
        assert_in_range(other.amount_hundredths, 50, 200);
    }
    mint_payment(&mint, MINT_CARD_TESTS_OF + MINT_CARD_TESTS, &other, &dice);
    assert_int_not_equal(other.device, first.device);
    mint_payment(&mint, 0, &other, &dice);
    assert_int_not_equal(other.device, first.device);
}

static void a_spoiled_message_is_one_line_and_no_payment(void **unused)
{
    static char line[SPOILED_SIZE_MAX];
    char good[MINTED_SIZE_MAX];
    struct mint mint;
    struct minted payment;
    struct dice dice;

    mint_default(&mint);
    for (unsigned number = 0; number < 50 * SPOIL_WAYS; number++) {
        mint_payment(&mint, number, &payment, &dice);
        payment.event_ms = INSTANT_MIN_MS;
        size_t good_size = minted_write(&payment, good);
        size_t size = spoil_write(&payment, number, &dice, line);
        assert_true(size <= SPOILED_SIZE_MAX);
        assert_true(size != good_size || memcmp(line, good, size) != 0);
        assert_null(memchr(line, '\n', size));
        assert_int_not_equal(spoil_reason(number), REFUSAL_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_the_same_bytes_for_the_same_seed),
        cmocka_unit_test(makes_the_payment_of_public_producers),
        cmocka_unit_test(sends_again_only_what_was_sent_and_was_good),
        cmocka_unit_test(what_it_expects_is_what_the_rules_say),
        cmocka_unit_test(keeps_to_its_memory_by_sending_copies_early),
        cmocka_unit_test(what_has_one_id_goes_to_its_keys_partition),
        cmocka_unit_test(a_surge_comes_in_the_middle_third),
        cmocka_unit_test(whoever_tries_stolen_cards_is_one_sender_with_small_amounts),
        cmocka_unit_test(a_spoiled_message_is_one_line_and_no_payment),
    };
    return cmocka_run_group_tests(tests, lend_memory, take_memory_back);
}
