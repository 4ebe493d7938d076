#include "engine/standing.h"
#include "test/unit.h"

#include <stdlib.h>

static struct standing standing;
static void *memory;
static struct fault fault;
static uint8_t notes[16384];
static struct epoch_range ranges[4];
static struct epoch_total totals[8];
static struct epoch epoch;

static int set_up(void **state)
{
    memory = calloc(1, standing_memory_size());
    standing_init(&standing, memory);
    epoch = (struct epoch){.number = 1,
                           .ranges = ranges,
                           .totals = totals,
                           .watermark_ms = 500,
                           .seed_epoch = 1,
                           .seq_next = {2, 1, 1, 1},
                           .chain = {{7}},
                           .decisions = {.at = notes, .capacity = sizeof(notes)}};
    return memory == NULL;
}

static int tear_down(void **state)
{
    free(memory);
    return 0;
}

static void join(uint16_t number, const char *topic)
{
    struct origin origin = {.partition = number};
    struct decision note = {
        .kind = NOTE_SOURCE, .source = number, .offset = 1, .text = {&origin, sizeof(origin)}};

    (void)snprintf(origin.topic, sizeof(origin.topic), "%s", topic);
    epoch_add_decision(&epoch, &note);
}

static struct epoch_total total_of(uint32_t source, uint8_t tally, const char *currency,
                                   uint64_t count)
{
    struct epoch_total total = {.source = source, .tally = tally, .count = count};

    memcpy(total.currency, currency, sizeof(total.currency));
    return total;
}

/* An epoch in which two sources join, and one gives three payments. */
static void apply_first(void)
{
    join(0, "one");
    join(1, "two");
    ranges[0] = (struct epoch_range){.source = 0, .first = 1, .next = 4, .newest_ms = 900};
    epoch.range_count = 1;
    totals[0] = total_of(0, ACCEPTED, "USD", 2);
    totals[1] = total_of(0, DUPLICATE, "USD", 1);
    epoch.total_count = 2;
    assert_int_equal(standing_apply(&standing, &epoch, &fault), DONE);
}

/* In an epoch of its own. */
static void learn(uint16_t number, const char *cluster, const char *topic_id)
{
    struct source_facts facts = {.cluster = ""};
    struct decision note = {.kind = NOTE_FACTS, .source = number, .text = {&facts, sizeof(facts)}};
    uint64_t version = standing.facts_version;

    (void)snprintf(facts.cluster, sizeof(facts.cluster), "%s", cluster);
    (void)snprintf(facts.topic_id, sizeof(facts.topic_id), "%s", topic_id);
    epoch.decisions.size = 0;
    epoch.range_count = epoch.total_count = 0;
    epoch_add_decision(&epoch, &note);
    assert_int_equal(standing_apply(&standing, &epoch, &fault), DONE);
    assert_true(standing.facts_version != version);
}

static void stands_after_the_epoch(void **state)
{
    apply_first();
    assert_int_equal(standing.epoch, 1);
    assert_int_equal(standing.source_count, 2);
    assert_string_equal(standing.origins[1].topic, "two");
    assert_int_equal(standing.ranges[0].next, 4);
    assert_int_equal(standing.ranges[0].first, 4);
    assert_int_equal(standing.ranges[1].next, 1);
    assert_int_equal(standing_count(&standing, ACCEPTED), 2);
    assert_int_equal(standing.watermark_ms, 500);
}

static void totals_are_absolute(void **state)
{
    apply_first();
    epoch.number = 2;
    epoch.decisions.size = 0;
    totals[0] = total_of(0, ACCEPTED, "USD", 5);
    totals[1] = total_of(0, ACCEPTED, "EUR", 1);
    assert_int_equal(standing_apply(&standing, &epoch, &fault), DONE);
    struct epoch_total like = total_of(0, ACCEPTED, "USD", 0);
    assert_int_equal(standing_total(&standing, &like)->count, 5);
    assert_int_equal(standing_count(&standing, ACCEPTED), 6);
    assert_int_equal(standing_count(&standing, DUPLICATE), 1);
    like = total_of(1, ACCEPTED, "USD", 0);
    assert_null(standing_total(&standing, &like));
}

static void a_snapshot_says_all_of_it_again(void **state)
{
    struct rules rules;
    struct decision note = {.kind = NOTE_RULES, .text = {&rules, sizeof(rules)}};
    struct standing copy;
    struct epoch snapshot;
    void *other = calloc(1, standing_memory_size());

    assert_non_null(other);
    rules_default(&rules);
    rules.retention_ms = 4711;
    epoch_add_decision(&epoch, &note);
    apply_first();
    learn(1, "a cluster", "an id");
    standing_snapshot(&standing, &snapshot);
    standing_init(&copy, other);
    assert_int_equal(standing_apply(&copy, &snapshot, &fault), DONE);
    assert_int_equal(copy.epoch, 1);
    assert_true(chain_same(&copy.chain, &standing.chain));
    assert_int_equal(copy.source_count, 2);
    assert_true(origin_same(&copy.origins[1], &standing.origins[1]));
    assert_int_equal(copy.starts[0], 1);
    assert_string_equal(copy.facts[0].cluster, "");
    assert_string_equal(copy.facts[1].cluster, "a cluster");
    assert_string_equal(copy.facts[1].topic_id, "an id");
    assert_int_equal(copy.ranges[0].next, 4);
    assert_int_equal(standing_count(&copy, ACCEPTED), 2);
    assert_int_equal(copy.seq_next[0], 2);
    assert_int_equal(copy.rules.retention_ms, 4711);
    assert_int_equal(copy.rules_epoch, 1);
    free(other);
}

static void refuses_what_makes_no_sense(void **state)
{
    join(1, "out of turn");
    assert_int_equal(standing_apply(&standing, &epoch, &fault), BROKEN);
    struct decision note = {.kind = NOTE_FACTS, .source = 0};
    epoch.decisions.size = 0;
    epoch_add_decision(&epoch, &note); /* Of a source that nobody knows, and empty. */
    assert_int_equal(standing_apply(&standing, &epoch, &fault), BROKEN);
    epoch.decisions.size = 0;
    epoch.range_count = 1;
    ranges[0] = (struct epoch_range){.source = 3};
    assert_int_equal(standing_apply(&standing, &epoch, &fault), BROKEN);
    epoch.range_count = 0;
    memset(notes, 0xff, 64);
    epoch.decisions.size = 64;
    assert_int_equal(standing_apply(&standing, &epoch, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_JOURNAL_CORRUPT);
}

static void a_cleared_one_is_as_new(void **state)
{
    apply_first();
    standing_clear(&standing);
    assert_int_equal(standing.epoch, 0);
    assert_int_equal(standing.source_count, 0);
    assert_int_equal(standing_count(&standing, ACCEPTED), 0);
    struct epoch_total like = total_of(0, ACCEPTED, "USD", 0);
    assert_null(standing_total(&standing, &like));
}

/* More totals than a page of slots: each is found again. */
static void finds_each_of_many_totals(void **state)
{
    char currency[4];

    join(0, "one");
    epoch.total_count = 1;
    for (int number = 0; number < 5000; number++) {
        (void)snprintf(currency, sizeof(currency), "%c%c%c", 'A' + number / 676 % 26,
                       'A' + number / 26 % 26, 'A' + number % 26);
        totals[0] = total_of(0, ACCEPTED, currency, (uint64_t)number + 1);
        assert_int_equal(standing_apply(&standing, &epoch, &fault), DONE);
        epoch.decisions.size = 0;
    }
    assert_int_equal(standing.total_count, 5000);
    struct epoch_total like = total_of(0, ACCEPTED, "AAB", 0);
    assert_int_equal(standing_total(&standing, &like)->count, 2);
}

#define WITH_STANDING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STANDING(stands_after_the_epoch),          WITH_STANDING(totals_are_absolute),
        WITH_STANDING(a_snapshot_says_all_of_it_again), WITH_STANDING(refuses_what_makes_no_sense),
        WITH_STANDING(a_cleared_one_is_as_new),         WITH_STANDING(finds_each_of_many_totals),
    };
    return cmocka_run_group_tests_name("standing", tests, NULL, NULL);
}
