#include "journal/chain.h"
#include "test/unit.h"

/* The expected values were made with Python's hashlib, from the words of docs/format.md alone. */

static uint8_t decisions[] = {'d', 'e', 'c', 'i', 's', 'i', 'o', 'n'};
static struct epoch_range range;
static struct epoch_total total;
static struct epoch epoch;

static int set_up(void **state)
{
    range = (struct epoch_range){
        .source = 3, .standing = SOURCE_IDLE, .first = 10, .next = 20, .newest_ms = -5};
    memset(range.fingerprint.bytes, 7, FINGERPRINT_SIZE);
    total = (struct epoch_total){.source = 3,
                                 .tally = 2,
                                 .currency = {'E', 'U', 'R'},
                                 .count = 4,
                                 .sum_low = 5,
                                 .sum_high = 6};
    epoch = (struct epoch){
        .number = 9,
        .ranges = &range,
        .range_count = 1,
        .totals = &total,
        .total_count = 1,
        .decisions = {decisions, sizeof(decisions), sizeof(decisions)},
    };
    for (uint8_t index = 0; index < CHAIN_SIZE; index++) {
        epoch.prev_chain.bytes[index] = (uint8_t)(index + 1);
    }
    return 0;
}

static void is_sha_256_of_what_was_decided(void **state)
{
    static const uint8_t expected[CHAIN_SIZE] = {0xeb, 0x87, 0xb9, 0x94, 0x0e, 0x93, 0x71, 0x16,
                                                 0x19, 0xf6, 0xf0, 0x6f, 0xf3, 0x4c, 0x1c, 0xa3};
    static const uint8_t of_nothing[CHAIN_SIZE] = {0x51, 0x3b, 0x7d, 0x57, 0x25, 0x4e, 0x50, 0x7c,
                                                   0x76, 0x31, 0x27, 0x3b, 0x9a, 0x90, 0x75, 0xa7};
    const struct epoch nothing = {.number = 1};

    assert_memory_equal(chain_next(&epoch).bytes, expected, CHAIN_SIZE);
    assert_memory_equal(chain_next(&nothing).bytes, of_nothing, CHAIN_SIZE);
}

/* Recovery copies frames, and a clock is no decision: neither changes the name of a history. */
static void depends_on_nothing_else(void **state)
{
    struct chain before = chain_next(&epoch);
    struct chain after;

    epoch.journal_id = 77;
    epoch.decided_ms = 1;
    epoch.sealed_ms = 2;
    epoch.seed_epoch = 3;
    epoch.chain.bytes[0] = 4;
    after = chain_next(&epoch);
    assert_memory_equal(before.bytes, after.bytes, CHAIN_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(is_sha_256_of_what_was_decided, set_up),
        cmocka_unit_test_setup(depends_on_nothing_else, set_up),
    };
    return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
