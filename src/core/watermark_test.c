#include "test/unit.h"

#include "core/watermark.h"
#include "pay/epoch.h"

#include <stdlib.h>

#define BASE INT64_C(1750000000000)

static struct watermark_source sources[SOURCES_MAX];
static int64_t nodes[WATERMARK_NODES];

static struct watermark begin(size_t count)
{
    const struct watermark_memory memory = {sources, nodes};
    struct watermark mark;

    memset(sources, 0, sizeof(sources));
    memset(nodes, 0, sizeof(nodes));
    watermark_init(&mark, &memory);
    mark.lateness_ms = 100;
    for (size_t source = 0; source < count; source++) {
        watermark_join(&mark, source * 5);
    }
    return mark;
}

static int64_t slowest_by_looking_at_all(const struct watermark *mark)
{
    int64_t slowest_ms = INT64_MAX;

    for (size_t source = 0; source < mark->source_count; source++) {
        if (mark->sources[source].standing == SOURCE_ACTIVE &&
            mark->sources[source].newest_ms < slowest_ms) {
            slowest_ms = mark->sources[source].newest_ms;
        }
    }
    return slowest_ms;
}

static void knows_the_slowest_of_any_number_of_sources(void **state)
{
    uint32_t dice = 1;

    for (size_t count = 0; count <= 70; count++) {
        struct watermark mark = begin(count);
        assert_int_equal(watermark_slowest(&mark), slowest_by_looking_at_all(&mark));
        for (int step = 0; count > 0 && step < 400; step++) {
            dice = dice * 1664525 + 1013904223;
            uint16_t source = (uint16_t)((dice >> 8) % count);
            if (dice >> 30 == 0) {
                watermark_stand(&mark, source, (dice >> 28) % 3);
            } else {
                watermark_see(&mark, source, BASE + (dice >> 20) % 1000);
            }
            assert_int_equal(watermark_slowest(&mark), slowest_by_looking_at_all(&mark));
        }
    }
}

static void holds_as_many_sources_as_there_may_be(void **state)
{
    struct watermark mark = begin(SOURCES_MAX);

    for (uint16_t source = 0; source < SOURCES_MAX; source++) {
        watermark_advance(&mark);
        assert_int_equal(mark.all_ms, INSTANT_NONE);
        watermark_see(&mark, source, BASE + SOURCES_MAX - source);
    }
    watermark_advance(&mark);
    assert_int_equal(mark.all_ms, BASE + 1 - 100);
}

static void never_goes_back(void **state)
{
    struct watermark mark = begin(2);

    watermark_see(&mark, 0, BASE);
    watermark_see(&mark, 1, BASE + 50);
    watermark_advance(&mark);
    watermark_stand(&mark, 0, SOURCE_IDLE);
    watermark_advance(&mark);
    assert_int_equal(mark.all_ms, BASE - 50);
    watermark_stand(&mark, 0, SOURCE_ACTIVE);
    watermark_advance(&mark);
    assert_int_equal(mark.all_ms, BASE - 50);
    mark.lateness_ms = 1000; /* New rules. */
    watermark_see(&mark, 0, BASE + 60);
    watermark_advance(&mark);
    assert_int_equal(mark.all_ms, BASE - 50);
    assert_int_equal(watermark_of(&mark, 0), BASE - 50);
}

static void lets_nobody_run_far_ahead_of_a_slower_one_with_a_backlog(void **state)
{
    struct watermark mark = begin(3);
    bool backlog[3] = {true, true, false};

    assert_true(watermark_aligned(&mark, 0, 10, backlog)); /* No message yet: go on. */
    watermark_see(&mark, 0, BASE);
    assert_false(watermark_aligned(&mark, 0, 10, backlog)); /* The other has none yet. */
    assert_true(watermark_aligned(&mark, 1, 10, backlog));
    watermark_see(&mark, 1, BASE - 10);
    assert_true(watermark_aligned(&mark, 0, 10, backlog));
    watermark_see(&mark, 0, BASE + 1);
    assert_false(watermark_aligned(&mark, 0, 10, backlog));
    assert_true(watermark_aligned(&mark, 1, 10, backlog));
    backlog[1] = false; /* Out of reach, or at its end: it holds G, and nobody else. */
    assert_true(watermark_aligned(&mark, 0, 10, backlog));
}

static void marks_what_an_epoch_touches(void **state)
{
    struct watermark mark = begin(2);

    watermark_epoch_end(&mark);
    watermark_take(&mark, 1, 6);
    watermark_take(&mark, 1, 9);
    assert_false(mark.sources[0].touched);
    assert_true(mark.sources[1].touched);
    assert_int_equal(mark.sources[1].first, 5);
    assert_int_equal(mark.sources[1].next, 9);
    watermark_epoch_end(&mark);
    watermark_stand(&mark, 0, SOURCE_ACTIVE); /* As it is already. */
    assert_false(mark.sources[0].touched);
    watermark_stand(&mark, 1, SOURCE_ENDED);
    assert_true(mark.sources[1].touched);
    assert_int_equal(mark.sources[1].first, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_slowest_of_any_number_of_sources),
        cmocka_unit_test(holds_as_many_sources_as_there_may_be),
        cmocka_unit_test(never_goes_back),
        cmocka_unit_test(lets_nobody_run_far_ahead_of_a_slower_one_with_a_backlog),
        cmocka_unit_test(marks_what_an_epoch_touches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
