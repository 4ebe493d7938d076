#include "test/unit.h"

#include "core/index.h"

enum { NUMBERS = 100 };

static uint64_t cells[256];

static bool holds(const struct index *index, uint32_t hash, uint32_t number)
{
    uint32_t cell;
    uint32_t found = index_first(index, hash, &cell);

    while (found != INDEX_NONE && found != number) {
        found = index_next(index, hash, &cell);
    }
    return found == number;
}

/* Few hashes, all at the end of the cells: long runs that begin again at the front. */
static uint32_t hash_of(uint32_t number)
{
    return 250 + number * 7 % 9;
}

static void finds_what_was_added_and_not_what_was_removed(void **state)
{
    bool there[NUMBERS] = {false};
    struct index index;
    uint32_t dice = 7;

    assert_int_equal(index_cell_count(NUMBERS), 256);
    index_init(&index, cells, 256);
    for (uint32_t step = 0; step < 20000; step++) {
        dice = dice * 1664525 + 1013904223;
        uint32_t number = (dice >> 8) % NUMBERS;
        if (there[number]) {
            index_remove(&index, hash_of(number), number);
        } else {
            index_add(&index, hash_of(number), number);
        }
        there[number] = !there[number];
        for (uint32_t other = step % 10; other < NUMBERS; other += 10) {
            assert_int_equal(holds(&index, hash_of(other), other), there[other]);
        }
    }
    for (uint32_t number = 0; number < NUMBERS; number++) {
        if (there[number]) {
            index_remove(&index, hash_of(number), number);
        }
    }
    for (size_t cell = 0; cell < 256; cell++) {
        assert_int_equal(cells[cell], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added_and_not_what_was_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
