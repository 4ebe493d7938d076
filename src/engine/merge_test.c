#include "base/instant.h"
#include "engine/merge.h"
#include "test/unit.h"

#include <stdlib.h>

enum { LANES = 40 };

static struct merge_entry entries[LANES];
static struct merge merge;

static void equals_come_in_configured_order(void **state)
{
    merge_init(&merge, entries);
    for (size_t lane = 0; lane < LANES; lane++) {
        merge_add(&merge, lane * 7 % LANES, INSTANT_NONE);
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        assert_int_equal(merge.entries[0].lane, lane);
        merge_move(&merge, 1000);
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        assert_int_equal(merge.entries[0].lane, lane);
        merge_leave(&merge);
    }
    assert_int_equal(merge.count, 0);
}

/* What merge promises, by looking at every source. */
static size_t smallest(const int64_t *newest, const bool *gone)
{
    size_t found = LANES;

    for (size_t lane = 0; lane < LANES; lane++) {
        if (!gone[lane] && (found == LANES || newest[lane] < newest[found])) {
            found = lane;
        }
    }
    return found;
}

static void always_the_smallest_newest_event_is_next(void **state)
{
    srand(1);
    for (unsigned round = 0; round < 200; round++) {
        int64_t newest[LANES];
        bool gone[LANES] = {false};
        merge_init(&merge, entries);
        for (size_t lane = 0; lane < LANES; lane++) {
            newest[lane] = rand() % 4 == 0 ? INSTANT_NONE : rand() % 50;
            merge_add(&merge, lane, newest[lane]);
        }
        while (merge.count > 0) {
            size_t lane = smallest(newest, gone);
            assert_int_equal(merge.entries[0].lane, lane);
            if (rand() % 20 == 0) {
                gone[lane] = true;
                merge_leave(&merge);
                continue;
            }
            int64_t moved = newest[lane] == INSTANT_NONE ? rand() % 50 : newest[lane] + rand() % 9;
            newest[lane] = rand() % 5 == 0 ? newest[lane] : moved;
            merge_move(&merge, newest[lane]);
        }
        assert_int_equal(smallest(newest, gone), LANES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_come_in_configured_order),
        cmocka_unit_test(always_the_smallest_newest_event_is_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
