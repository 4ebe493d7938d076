#include "test/unit.h"

#include "core/window.h"
#include "core/world.h"

#define BASE INT64_C(1750000020000) /* A full minute. */

static const struct state_limits limits = {1 << 20, 100};
static uint64_t number; /* Of the next payment's id. */

static void begin(struct world *world, int64_t window_ms, int64_t groups_max)
{
    struct rules rules;

    rules_default(&rules);
    rules.lateness_ms = 1000;
    rules.window_ms = window_ms;
    rules.window_groups_max = groups_max;
    world_begin(world, 5, &limits);
    world_rules(world, &rules);
    world_join(world, 0, 0);
}

static enum verdict pay(struct world *world, int64_t event_ms, const char *region, int64_t units,
                        int64_t scale)
{
    char id[24];
    struct told told = {.offset = world->state.watermark.sources[0].next,
                        .id = id,
                        .event_ms = event_ms,
                        .region = region,
                        .units = units,
                        .scale = scale};

    (void)snprintf(id, sizeof(id), "p%llu", (unsigned long long)number++);
    return world_take(world, &told).verdict;
}

/* All rows of the epoch as text, one a line; then the epoch ends. */
static const char *rows(struct world *world)
{
    static char text[4096];
    size_t used = 0;

    text[0] = '\0';
    for (size_t index = 0; index < state_metric_count(&world->state); index++) {
        struct row row;
        char least[MONEY_TEXT_SIZE];
        char most[MONEY_TEXT_SIZE];
        char total[MONEY_SUM_TEXT_SIZE];
        struct money_sum sum;
        state_metric_row(&world->state, index, &row);
        memcpy(&sum, &row.numbers[METRIC_TOTAL_LOW], sizeof(sum));
        (void)money_sum_write(sum, (int)row.numbers[METRIC_PLACES], total);
        (void)money_write(
            (struct money){row.numbers[METRIC_MIN_UNITS], row.numbers[METRIC_MIN_SCALE]}, least);
        (void)money_write(
            (struct money){row.numbers[METRIC_MAX_UNITS], row.numbers[METRIC_MAX_SCALE]}, most);
        used += (size_t)snprintf(
            text + used, sizeof(text) - used, "%+lld %.*s %.*s n=%lld sum=%s %s..%s%s\n",
            (long long)(row.numbers[METRIC_START_MS] - BASE) / 1000,
            (int)row.texts[METRIC_REGION].size, (const char *)row.texts[METRIC_REGION].at,
            (int)row.texts[METRIC_CURRENCY].size, (const char *)row.texts[METRIC_CURRENCY].at,
            (long long)row.numbers[METRIC_COUNT], total, least, most,
            row.numbers[METRIC_CLOSED] != 0 ? " closed" : "");
    }
    state_epoch_end(&world->state);
    return text;
}

static void tells_count_sum_least_and_most_of_what_an_epoch_touched(void **state)
{
    struct world world;

    begin(&world, 60000, 10);
    (void)pay(&world, BASE, "north", 1050, 2);
    (void)pay(&world, BASE + 59999, "north", 99, 1);
    (void)pay(&world, BASE + 60000, NULL, 7, 0);
    assert_string_equal(rows(&world), "+0 north USD n=2 sum=20.40 9.9..10.50\n"
                                      "+60  USD n=1 sum=7 7..7\n");
    (void)pay(&world, BASE + 60001, "", 3, 0); /* No region and an empty one are the same. */
    assert_string_equal(rows(&world), "+60  USD n=2 sum=10 3..7\n");
    assert_string_equal(rows(&world), "");
    world_end(&world);
}

static void closes_a_window_when_the_watermark_reaches_its_end(void **state)
{
    struct world world;

    begin(&world, 60000, 10);
    (void)pay(&world, BASE, "north", 1, 0);
    (void)pay(&world, BASE + 60999, "south", 2, 0); /* G = end - 1 */
    assert_string_equal(rows(&world), "+0 north USD n=1 sum=1 1..1\n"
                                      "+60 south USD n=1 sum=2 2..2\n");
    assert_int_equal(pay(&world, BASE + 59999, "north", 5, 0), LATE); /* By its own watermark. */
    (void)pay(&world, BASE + 61000, "south", 2, 0);
    assert_string_equal(rows(&world), "+60 south USD n=2 sum=4 2..2\n"
                                      "+0 north USD n=1 sum=1 1..1 closed\n");
    (void)pay(&world, BASE + 62000, "south", 2, 0);
    assert_string_equal(rows(&world), "+60 south USD n=3 sum=6 2..2\n");
    assert_int_equal(world.state.windows.window_count, 1);
    world_end(&world);
}

static void closes_several_in_the_order_of_time(void **state)
{
    struct world world;

    begin(&world, 1000, 10);
    (void)pay(&world, BASE + 2500, "c", 1, 0);
    (void)pay(&world, BASE + 1600, "b", 1, 0);
    (void)pay(&world, BASE + 1700, "a", 1, 0);
    (void)rows(&world);
    (void)pay(&world, BASE + 9000, "d", 1, 0);
    assert_string_equal(rows(&world), "+9 d USD n=1 sum=1 1..1\n"
                                      "+1 b USD n=1 sum=1 1..1 closed\n"
                                      "+1 a USD n=1 sum=1 1..1 closed\n"
                                      "+2 c USD n=1 sum=1 1..1 closed\n");
    world_end(&world);
}

static void counts_what_comes_after_the_first_groups_under_other(void **state)
{
    struct world world;
    char region[GROUP_TEXT_MAX + 2];

    begin(&world, 60000, 2);
    (void)pay(&world, BASE, "a", 1, 0);
    (void)pay(&world, BASE, "b", 1, 0);
    (void)pay(&world, BASE, "c", 1, 0);
    (void)pay(&world, BASE, "d", 1, 0);
    (void)pay(&world, BASE, "a", 1, 0);
    memset(region, 'x', sizeof(region));
    region[GROUP_TEXT_MAX + 1] = '\0';
    (void)pay(&world, BASE, region, 1, 0);
    (void)pay(&world, BASE + 60000, region, 1, 0); /* Though there is room: it is too long. */
    region[GROUP_TEXT_MAX] = '\0';
    region[1] = '\0';
    (void)pay(&world, BASE + 60000, region, 1, 0);
    (void)pay(&world, BASE + 60000, "y", 1, 0); /* ~other does not count as one of the two. */
    assert_string_equal(rows(&world), "+0 a USD n=2 sum=2 1..1\n"
                                      "+0 b USD n=1 sum=1 1..1\n"
                                      "+0 ~other USD n=3 sum=3 1..1\n"
                                      "+60 ~other USD n=1 sum=1 1..1\n"
                                      "+60 x USD n=1 sum=1 1..1\n"
                                      "+60 y USD n=1 sum=1 1..1\n");
    world_end(&world);
}

static void begins_a_new_length_after_the_last_open_window(void **state)
{
    struct world world;
    struct rules rules;

    begin(&world, 60000, 10);
    (void)pay(&world, BASE + 61000, "a", 1, 0); /* Open until +120. */
    rules = world.state.rules;
    rules.window_ms = 50000;
    world_rules(&world, &rules);
    int64_t from_ms = (BASE + 120000 + 49999) / 50000 * 50000;
    assert_int_equal(state_settled_ms(&world.state), from_ms);
    (void)rows(&world);
    (void)pay(&world, from_ms - 1, "a", 1, 0);
    (void)pay(&world, from_ms, "a", 1, 0);
    (void)pay(&world, from_ms + 49999, "a", 1, 0);
    (void)pay(&world, from_ms + 50000, "a", 1, 0);
    assert_int_equal(state_metric_count(&world.state), 4); /* The first is closed by now, too. */
    struct row row;
    static const int64_t after[] = {0, 50000};
    for (size_t index = 1; index < 3; index++) {
        state_metric_row(&world.state, index == 1 ? 2 : 3, &row);
        assert_int_equal(row.numbers[METRIC_START_MS], from_ms + after[index - 1]);
    }
    world_end(&world);
}

static void says_that_it_is_full_and_changes_nothing(void **state)
{
    struct world world;
    struct fault fault = {.code = FAULT_NONE};
    enum outcome outcome = DONE;
    uint64_t taken = 0;
    uint64_t before = 0;

    begin(&world, 1, 10); /* A window each millisecond, and a second source holds G. */
    world_join(&world, 1, 0);
    while (outcome == DONE) {
        char id[24];
        struct told told = {.offset = taken, .id = id, .event_ms = BASE + (int64_t)taken};
        struct judgement judgement;
        struct decision decision;
        (void)snprintf(id, sizeof(id), "w%llu", (unsigned long long)taken);
        struct message message = world_message(&world, &told);
        state_judge(&world.state, &message, &judgement);
        state_decide(&message, &judgement, &decision);
        before = state_hash(&world.state);
        outcome = state_apply(&world.state, &decision, &fault);
        taken++;
    }
    assert_int_equal(outcome, BROKEN);
    assert_int_equal(fault.code, FAULT_STATE_FULL);
    assert_non_null(strstr(fault.text, "windows"));
    assert_int_equal(state_hash(&world.state), before);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_count_sum_least_and_most_of_what_an_epoch_touched),
        cmocka_unit_test(closes_a_window_when_the_watermark_reaches_its_end),
        cmocka_unit_test(closes_several_in_the_order_of_time),
        cmocka_unit_test(counts_what_comes_after_the_first_groups_under_other),
        cmocka_unit_test(begins_a_new_length_after_the_last_open_window),
        cmocka_unit_test(says_that_it_is_full_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
