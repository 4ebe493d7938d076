#include "engine/whereabouts.h"
#include "pay/origin.h"
#include "test/unit.h"

static struct whereabouts_entry entries[WHEREABOUTS_COUNT];
static struct whereabouts whereabouts = {entries};

static void finds_what_was_added(void **state)
{
    whereabouts_add(&whereabouts, 3, 17, 5);
    assert_int_equal(whereabouts_find(&whereabouts, 3, 17), 5);
    assert_int_equal(whereabouts_find(&whereabouts, 3, 18), 0);
    assert_int_equal(whereabouts_find(&whereabouts, 4, 17), 0);
}

static void tells_the_largest_places_apart(void **state)
{
    whereabouts_add(&whereabouts, SOURCES_MAX - 1, OFFSET_MAX, 6);
    assert_int_equal(whereabouts_find(&whereabouts, SOURCES_MAX - 1, OFFSET_MAX), 6);
    assert_int_equal(whereabouts_find(&whereabouts, SOURCES_MAX - 2, OFFSET_MAX), 0);
}

/* Of more places than there are entries some are not known any more; none is told wrongly. */
static void may_not_know_but_is_never_wrong(void **state)
{
    uint64_t known = 0;

    for (uint64_t offset = 0; offset < 2 * WHEREABOUTS_COUNT; offset++) {
        whereabouts_add(&whereabouts, 1, offset, offset + 1);
    }
    for (uint64_t offset = 0; offset < 2 * WHEREABOUTS_COUNT; offset++) {
        uint64_t epoch = whereabouts_find(&whereabouts, 1, offset);
        assert_true(epoch == 0 || epoch == offset + 1);
        known += epoch != 0;
    }
    assert_true(known > WHEREABOUTS_COUNT / 2);
    assert_true(known <= WHEREABOUTS_COUNT);
}

/* As many as there are entries, in equal parts of each source: few stand in another's place. */
static void knows_most_of_the_latest_of_many_sources(void **state)
{
    const uint16_t sources = 64;
    const uint64_t latest = WHEREABOUTS_COUNT / 64;
    uint64_t known = 0;

    for (uint64_t offset = 1000000; offset < 1000000 + latest; offset++) {
        for (uint16_t source = 0; source < sources; source++) {
            whereabouts_add(&whereabouts, source, offset, offset);
        }
    }
    for (uint64_t offset = 1000000; offset < 1000000 + latest; offset++) {
        for (uint16_t source = 0; source < sources; source++) {
            known += whereabouts_find(&whereabouts, source, offset) == offset;
        }
    }
    assert_true(known > (uint64_t)WHEREABOUTS_COUNT / 10 * 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added),
        cmocka_unit_test(tells_the_largest_places_apart),
        cmocka_unit_test(may_not_know_but_is_never_wrong),
        cmocka_unit_test(knows_most_of_the_latest_of_many_sources),
    };
    return cmocka_run_group_tests_name("whereabouts", tests, NULL, NULL);
}
