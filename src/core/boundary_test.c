#include "test/unit.h"

#include "core/world.h"

/* Lateness 1,000 ms, retention 500 ms; one source unless a test says more. */
enum { LATENESS = 1000, RETENTION = 500 };

#define BASE INT64_C(1750000000000)

static const struct state_limits limits = {1 << 20, 100};

static void begin(struct world *world, uint16_t sources)
{
    struct rules rules;

    rules_default(&rules);
    rules.lateness_ms = LATENESS;
    rules.retention_ms = RETENTION;
    world_begin(world, 7, &limits);
    world_rules(world, &rules);
    for (uint16_t source = 0; source < sources; source++) {
        world_join(world, source, 0);
    }
}

static enum verdict take(struct world *world, uint16_t source, const char *id, int64_t event_ms)
{
    const struct watermark_source *at = &world->state.watermark.sources[source];
    struct told told = {.source = source, .offset = at->next, .id = id, .event_ms = event_ms};

    return world_take(world, &told).verdict;
}

/* Bring G to this moment with an id nobody else uses. */
static void watermark_at(struct world *world, uint16_t source, const char *id, int64_t moment_ms)
{
    (void)take(world, source, id, moment_ms + LATENESS);
    assert_int_equal(world->state.watermark.all_ms, moment_ms);
}

static void is_late_at_the_watermark_and_not_one_millisecond_after_it(void **state)
{
    struct world world;

    begin(&world, 1);
    watermark_at(&world, 0, "first", BASE);
    assert_int_equal(take(&world, 0, "before", BASE - 1), LATE);
    assert_int_equal(take(&world, 0, "at", BASE), LATE);
    assert_int_equal(take(&world, 0, "after", BASE + 1), ACCEPTED);
    world_end(&world);
}

static void forgets_when_the_watermark_reaches_first_plus_retention(void **state)
{
    struct world world;

    for (int64_t step = -1; step <= 1; step++) {
        begin(&world, 1);
        assert_int_equal(take(&world, 0, "paid", BASE), ACCEPTED);
        watermark_at(&world, 0, "clock", BASE + RETENTION + step);
        /* The copy is stamped anew, so that it is not late. */
        assert_int_equal(take(&world, 0, "paid", BASE + RETENTION + step + 1),
                         step < 0 ? DUPLICATE : ACCEPTED);
        world_end(&world);
    }
}

static void remembers_or_calls_late_what_is_stamped_up_to_first_plus_retention(void **state)
{
    struct world world;

    for (int64_t watermark = BASE + RETENTION - 2; watermark <= BASE + RETENTION + 2; watermark++) {
        for (int64_t stamp = BASE + RETENTION - 2; stamp <= BASE + RETENTION; stamp++) {
            begin(&world, 1);
            assert_int_equal(take(&world, 0, "paid", BASE), ACCEPTED);
            watermark_at(&world, 0, "clock", watermark);
            assert_int_not_equal(take(&world, 0, "paid", stamp), ACCEPTED);
            world_end(&world);
        }
    }
}

static void counts_retention_from_the_first_copy(void **state)
{
    struct world world;

    begin(&world, 1);
    assert_int_equal(take(&world, 0, "paid", BASE), ACCEPTED);
    assert_int_equal(take(&world, 0, "paid", BASE + 400), DUPLICATE);
    watermark_at(&world, 0, "clock", BASE + RETENTION);
    assert_int_equal(take(&world, 0, "paid", BASE + 900), ACCEPTED);
    world_end(&world);
}

static void believes_the_future_up_to_its_limit_inclusive(void **state)
{
    struct world world;
    struct told told = {.id = "soon", .event_ms = BASE + 300000, .arrival_ms = BASE};

    begin(&world, 1);
    told.event_ms++;
    assert_int_equal(world_take(&world, &told).verdict, FUTURE);
    assert_int_equal(world.state.watermark.sources[0].newest_ms, INSTANT_NONE);
    told.offset = 1;
    told.event_ms--;
    assert_int_equal(world_take(&world, &told).verdict, ACCEPTED);
    world_end(&world);
}

static void holds_the_watermark_for_the_slowest_active_source(void **state)
{
    struct world world;

    begin(&world, 2);
    assert_int_equal(take(&world, 0, "a", BASE + 5000), ACCEPTED);
    assert_int_equal(world.state.watermark.all_ms, INSTANT_NONE);
    assert_int_equal(take(&world, 1, "b", BASE), ACCEPTED);
    assert_int_equal(world.state.watermark.all_ms, BASE - LATENESS);
    world_note(&world, NOTE_IDLE, 1);
    assert_int_equal(world.state.watermark.all_ms, BASE + 5000 - LATENESS);
    /* Back again: late by G, though not by its own watermark; G does not go back. */
    assert_int_equal(take(&world, 1, "c", BASE + 4000), LATE);
    assert_int_equal(world.state.watermark.sources[1].standing, SOURCE_ACTIVE);
    assert_int_equal(world.state.watermark.all_ms, BASE + 5000 - LATENESS);
    assert_int_equal(take(&world, 0, "d", BASE + 9000), ACCEPTED);
    assert_int_equal(world.state.watermark.all_ms, BASE + 5000 - LATENESS);
    world_note(&world, NOTE_ENDED, 1);
    assert_int_equal(world.state.watermark.all_ms, BASE + 9000 - LATENESS);
    world_note(&world, NOTE_IDLE, 0);
    assert_int_equal(world.state.watermark.all_ms, BASE + 9000 - LATENESS);
    world_end(&world);
}

static void does_not_wake_a_source_by_what_is_invalid_or_from_the_future(void **state)
{
    struct world world;
    struct told invalid = {.source = 1, .offset = 1, .event_ms = BASE, .invalid = true};
    struct told future = {
        .source = 1, .offset = 2, .id = "f", .event_ms = BASE + 400000, .arrival_ms = BASE};

    begin(&world, 2);
    assert_int_equal(take(&world, 1, "b", BASE), ACCEPTED);
    world_note(&world, NOTE_IDLE, 1);
    assert_int_equal(world_take(&world, &invalid).verdict, INVALID);
    assert_int_equal(world_take(&world, &future).verdict, FUTURE);
    assert_int_equal(world.state.watermark.sources[1].standing, SOURCE_IDLE);
    world_note(&world, NOTE_START, 0);
    assert_int_equal(world.state.watermark.sources[1].standing, SOURCE_ACTIVE);
    world_end(&world);
}

static void forgets_by_the_slowest_source_not_by_the_fastest(void **state)
{
    struct world world;

    begin(&world, 2);
    assert_int_equal(take(&world, 1, "slow", BASE), ACCEPTED);
    assert_int_equal(take(&world, 0, "paid", BASE), ACCEPTED);
    assert_int_equal(take(&world, 0, "fast", BASE + 100000), ACCEPTED);
    assert_int_equal(take(&world, 1, "paid", BASE + 100), DUPLICATE);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_late_at_the_watermark_and_not_one_millisecond_after_it),
        cmocka_unit_test(forgets_when_the_watermark_reaches_first_plus_retention),
        cmocka_unit_test(remembers_or_calls_late_what_is_stamped_up_to_first_plus_retention),
        cmocka_unit_test(counts_retention_from_the_first_copy),
        cmocka_unit_test(believes_the_future_up_to_its_limit_inclusive),
        cmocka_unit_test(holds_the_watermark_for_the_slowest_active_source),
        cmocka_unit_test(does_not_wake_a_source_by_what_is_invalid_or_from_the_future),
        cmocka_unit_test(forgets_by_the_slowest_source_not_by_the_fastest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
