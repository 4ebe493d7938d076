#include "engine/horizon.h"
#include "test/unit.h"

static struct horizon_entry entries[HORIZON_ENTRIES_MAX];
static struct horizon horizon;
static struct rules rules;

static int set_up(void **state)
{
    horizon_init(&horizon, entries);
    rules_default(&rules); /* Retention is an hour, and nothing else is remembered longer. */
    return 0;
}

enum { HOUR = 3600000 };

static void answers_the_next_epoch_when_nothing_is_alive(void **state)
{
    assert_int_equal(horizon_seed_epoch(&horizon, &rules, INT64_MIN, 7), 7);
    horizon_add(&horizon, 7, INT64_MIN); /* Nothing accepted in it. */
    assert_int_equal(horizon_seed_epoch(&horizon, &rules, INT64_MIN, 8), 8);
}

static void holds_an_epoch_until_its_last_payment_is_forgotten(void **state)
{
    horizon_add(&horizon, 1, 1000);
    horizon_add(&horizon, 2, 5000);
    assert_int_equal(horizon_seed_epoch(&horizon, &rules, INT64_MIN, 3), 1);
    assert_int_equal(horizon_seed_epoch(&horizon, &rules, 1000 + HOUR - 1, 3), 1);
    assert_int_equal(horizon_seed_epoch(&horizon, &rules, 1000 + HOUR, 3), 2);
    assert_int_equal(horizon_seed_epoch(&horizon, &rules, 5000 + HOUR, 3), 3);
}

static void an_old_epoch_with_a_late_payment_holds_those_behind_it(void **state)
{
    horizon_add(&horizon, 1, 90000);
    horizon_add(&horizon, 2, 1000);
    horizon_add(&horizon, 3, 80000);
    assert_int_equal(horizon_seed_epoch(&horizon, &rules, 80000 + HOUR, 4), 1);
    assert_int_equal(horizon_seed_epoch(&horizon, &rules, 90000 + HOUR, 4), 4);
}

static void looks_at_the_longest_of_all_spans(void **state)
{
    rules.retention_ms = 0;
    rules.window_ms = 2 * HOUR;
    horizon_add(&horizon, 1, 1000);
    assert_int_equal(horizon_seed_epoch(&horizon, &rules, 1000 + 2 * HOUR - 1, 2), 1);
    assert_int_equal(horizon_seed_epoch(&horizon, &rules, 1000 + 2 * HOUR, 2), 2);
}

static void lets_nothing_go_while_two_window_lengths_are_in_force(void **state)
{
    horizon_add(&horizon, 1, 1000);
    horizon_add(&horizon, 2, INT64_MIN); /* It brings the rules. */
    horizon_hold(&horizon, 24 * HOUR);
    horizon_hold(&horizon, INT64_MIN); /* As every epoch without rules says. */
    horizon_add(&horizon, 3, 5 * HOUR);
    assert_int_equal(horizon_seed_epoch(&horizon, &rules, 24 * HOUR - 1, 4), 1);
    assert_int_equal(horizon_seed_epoch(&horizon, &rules, 24 * HOUR, 4), 4);
}

static void an_epoch_sealed_on_the_second_try_counts_once(void **state)
{
    horizon_add(&horizon, 1, 1000);
    horizon_add(&horizon, 1, 1000);
    assert_int_equal(horizon.count, 1);
}

/* More epochs than entries: the answer may be too old, by less than a stride, never too young. */
static void stays_right_when_the_list_is_full(void **state)
{
    enum { EPOCHS = 5 * HORIZON_ENTRIES_MAX };

    for (uint64_t epoch = 1; epoch <= EPOCHS; epoch++) {
        horizon_add(&horizon, epoch, (int64_t)epoch * 10);
    }
    assert_true(horizon.count <= HORIZON_ENTRIES_MAX);
    for (uint64_t alive = 1; alive <= EPOCHS; alive += EPOCHS / 10) {
        int64_t watermark_ms = (int64_t)alive * 10 + HOUR - 1;
        uint64_t answer = horizon_seed_epoch(&horizon, &rules, watermark_ms, EPOCHS + 1);
        assert_true(answer <= alive);
        assert_true(answer + horizon.stride > alive);
    }
}

/* Old ones leave at the front while new ones come: the place in front is used again. */
static void goes_on_for_ever_while_the_watermark_moves(void **state)
{
    enum { EPOCHS = 3 * HORIZON_ENTRIES_MAX };

    for (uint64_t epoch = 1; epoch <= EPOCHS; epoch++) {
        horizon_add(&horizon, epoch, (int64_t)epoch * HOUR);
        uint64_t answer = horizon_seed_epoch(&horizon, &rules, (int64_t)epoch * HOUR, epoch + 1);
        assert_int_equal(answer, epoch);
    }
    assert_int_equal(horizon.stride, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(answers_the_next_epoch_when_nothing_is_alive, set_up),
        cmocka_unit_test_setup(holds_an_epoch_until_its_last_payment_is_forgotten, set_up),
        cmocka_unit_test_setup(an_old_epoch_with_a_late_payment_holds_those_behind_it, set_up),
        cmocka_unit_test_setup(looks_at_the_longest_of_all_spans, set_up),
        cmocka_unit_test_setup(lets_nothing_go_while_two_window_lengths_are_in_force, set_up),
        cmocka_unit_test_setup(an_epoch_sealed_on_the_second_try_counts_once, set_up),
        cmocka_unit_test_setup(stays_right_when_the_list_is_full, set_up),
        cmocka_unit_test_setup(goes_on_for_ever_while_the_watermark_moves, set_up),
    };
    return cmocka_run_group_tests_name("horizon", tests, NULL, NULL);
}
