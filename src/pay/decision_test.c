#include "pay/decision.h"
#include "test/unit.h"

static const struct siphash_key key = {7, 8};
static uint8_t bytes[DECISION_SIZE_MAX];

static struct decision accepted(void)
{
    struct decision decision = {
        .kind = ACCEPTED,
        .id_kind = IDENT_LONG,
        .region_size = 2,
        .scale = 2,
        .sender_kind = IDENT_UUID,
        .source = 3,
        .offset = 4711,
        .event_ms = 1772020800000,
        .arrival_ms = 1772020800500,
        .units = 100000,
        .currency = "USD",
        .digest = 99,
        .pair_hash = 77,
        .region = {"EU", 2},
        .long_id = {"a-rather-long-transaction-id", 28},
    };
    decision.id_hash = ident_hash(&key, IDENT_LONG, &decision.id, decision.long_id);
    return decision;
}

static void reads_back_what_it_wrote(void **state)
{
    struct decision decision = accepted();
    struct decision again;
    size_t size = decision_write(&decision, bytes);

    assert_int_equal(size, 88 + 32);
    assert_int_equal(decision_read((struct span){bytes, size}, &key, &again), size);
    assert_int_equal(again.kind, ACCEPTED);
    assert_int_equal(again.sender_kind, IDENT_UUID);
    assert_int_equal(again.source, 3);
    assert_int_equal(again.offset, 4711);
    assert_int_equal(again.event_ms, decision.event_ms);
    assert_int_equal(again.units, 100000);
    assert_string_equal(again.currency, "USD");
    assert_memory_equal(again.region.at, "EU", 2);
    assert_int_equal(again.long_id.size, 28);
    assert_memory_equal(again.long_id.at, decision.long_id.at, 28);
    assert_true(again.id_hash == decision.id_hash);
    assert_true(again.pair_hash == 77);
}

static void makes_hashes_only_with_a_key(void **state)
{
    struct decision decision = accepted();
    struct decision with, without;
    size_t size = decision_write(&decision, bytes);

    assert_int_equal(decision_read((struct span){bytes, size}, &key, &with), size);
    assert_true(with.sender_hash == ident_sender_hash(&key, &decision.sender));
    assert_true(with.region_hash == siphash(&key, decision.region));
    assert_int_equal(decision_read((struct span){bytes, size}, NULL, &without), size);
    with.id_hash = with.sender_hash = with.region_hash = 0;
    assert_memory_equal(&with, &without, sizeof(with));
}

static void refuses_a_record_cut_anywhere(void **state)
{
    struct decision decision = accepted();
    struct decision again;
    size_t size = decision_write(&decision, bytes);

    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(decision_read((struct span){bytes, cut}, &key, &again), 0);
    }
    struct decision note = {.kind = NOTE_DECISION, .text = {"who and why", 11}};
    size = decision_write(&note, bytes);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(decision_read((struct span){bytes, cut}, &key, &again), 0);
    }
    assert_int_equal(decision_read((struct span){bytes, size}, &key, &again), size);
    assert_int_equal(again.text.size, 11);
}

static void refuses_kinds_it_does_not_know(void **state)
{
    struct decision decision = accepted();
    struct decision again;
    size_t size = decision_write(&decision, bytes);

    for (unsigned kind = 0; kind < 256; kind++) {
        bool known = kind <= SKIPPED || (kind >= NOTE_FIRST && kind < NOTE_END);
        bytes[0] = (uint8_t)kind;
        if (!known) {
            assert_int_equal(decision_read((struct span){bytes, size}, &key, &again), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_what_it_wrote),
        cmocka_unit_test(makes_hashes_only_with_a_key),
        cmocka_unit_test(refuses_a_record_cut_anywhere),
        cmocka_unit_test(refuses_kinds_it_does_not_know),
    };
    return cmocka_run_group_tests_name("decision", tests, NULL, NULL);
}
