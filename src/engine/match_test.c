#include "engine/match.h"
#include "test/unit.h"

enum { MANY = 20000 };

static struct match entries[MANY];
static const struct siphash_key key = {1, 2};

static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static void sorts_by_id_and_then_by_content(void **unused)
{
    struct match_list list = {.entries = entries, .capacity = MANY};
    uint64_t sum = 0;

    for (uint64_t index = 0; index < MANY; index++) {
        /* A tenth of one id, the others in pairs. */
        uint64_t id = index % 10 == 0 ? 77 : mix(index / 2 + 1);
        match_add(&list, id, mix(index * 3));
        sum += id ^ mix(index * 3);
    }
    match_sort(&list);
    for (size_t index = 0; index < MANY; index++) {
        sum -= entries[index].id ^ entries[index].content;
        if (index > 0) {
            assert_true(entries[index - 1].id <= entries[index].id);
            if (entries[index - 1].id == entries[index].id) {
                assert_true(entries[index - 1].content <= entries[index].content);
            }
        }
    }
    assert_true(sum == 0);
    size_t first = 0;
    while (entries[first].id != 77) {
        first++;
    }
    assert_int_equal(match_group(&list, first), MANY / 10);
}

static void an_empty_list_is_sorted(void **unused)
{
    struct match_list list = {.entries = entries, .capacity = MANY};

    match_sort(&list);
    assert_int_equal(list.count, 0);
}

static void money_matches_by_value(void **unused)
{
    struct match left = {0, match_content(&key, (struct money){105, 1}, "EUR", ACCEPTED)};
    struct match right = {0, match_content(&key, (struct money){1050, 2}, "EUR", LATE)};
    struct match other = {0, match_content(&key, (struct money){1051, 2}, "EUR", LATE)};
    struct match foreign = {0, match_content(&key, (struct money){1050, 2}, "USD", LATE)};

    assert_true(match_same_money(&left, &right));
    assert_false(match_same_money(&right, &other));
    assert_false(match_same_money(&right, &foreign));
    assert_int_equal(match_verdict(&left), ACCEPTED);
    assert_int_equal(match_verdict(&right), LATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_by_id_and_then_by_content),
        cmocka_unit_test(an_empty_list_is_sorted),
        cmocka_unit_test(money_matches_by_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
