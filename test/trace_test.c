/*
 * The commit protocol's traces, told to the real pipeline: each ends with every payment once.
 *
 * T1 to T13 are the shortest ways in which weaker protocols lose or double money: another owner
 * takes over, a volume is lost, the ledger is put back, verdicts differ between two runs. They
 * fail on the variants named in the notes; here rules R1 to R4 must bring each to a good end.
 */
#include "test/sim/account.h"
#include "test/sim/story.h"
#include "test/unit.h"

static struct world world;

/* a b a, and, for verdicts that differ with the clock, a b b: b is future to an early one. */
static const struct world_message aba[] = {
    {0, "a", 10, 100, "USD", "EU", false},
    {0, "b", 20, 200, "USD", "EU", false},
    {0, "a", 10, 100, "USD", "EU", false},
};
static const struct world_message abb[] = {
    {0, "a", 10, 100, "USD", "EU", false},
    {0, "b", 5000, 200, "USD", "EU", false},
    {0, "b", 5000, 200, "USD", "EU", false},
};
static const struct world_message on_two[] = {
    {0, "a", 10, 100, "USD", "EU", false},
    {1, "a", 10, 100, "USD", "EU", false},
};

static const struct trace {
    const char *name;
    const struct world_message *messages;
    size_t count;
    const char *story;
} traces[] = {
    {"T1", aba, 3,
     "A start | A take 1 | A seal | B start | A deliver | B take 1 | B seal | B deliver = fenced"
     "| B start | B finish"},
    {"T2", aba, 3,
     "A start | A take 1 | A seal | A deliver | A kill | A lose | A start | A take 2 | A seal"
     "| A deliver | A finish"},
    {"T3", aba, 3,
     "A start | A take 1 | A seal | A deliver | A kill | A lose | A start | A take 1 | A seal"
     "| A kill | A start | A take 1 | A seal | A deliver 1 | A deliver | A finish"},
    {"T4", aba, 3,
     "A start | A take 1 | A seal | A deliver | A kill | A lose | A start | A take 1 | A seal"
     "| A deliver | A kill | A start | A take 1 | A seal | A deliver | A finish"},
    {"T5", aba, 3,
     "A start | A take 1 | A seal | A deliver | B start | B take 1 | B seal | B deliver | B kill"
     "| B start | B take 1 | B seal | B deliver | B finish"},
    {"T6", aba, 3,
     "A start | save 0 | A take 1 | A seal | A take 2 | A seal | A deliver 1 | A deliver"
     "| restore 0 | A audit | A deliver"},
    {"T7", aba, 3,
     "A start | A take 1 | A seal | A deliver | B start | B take 1 | B seal | B kill | B start"
     "| B take 1 | B seal | B deliver 1 | B deliver | B finish"},
    {"T8", aba, 3,
     "A start | A take 1 | A seal | B start | A deliver | B take 2 | B seal | B deliver = fenced"
     "| B start | B finish"},
    {"T9", abb, 3,
     "A set arrival 1 | A start | A take 2 | A seal | A deliver | B start | B take 1 | B seal"
     "| B deliver"},
    {"T10", abb, 3,
     "A start | A take 2 | A seal | B start | A deliver | B set arrival 1 | B take 2 | B seal"
     "| B set arrival 0 | B take 1 | B seal | B deliver 1 = fenced | B start | B finish"},
    {"T10 mirror", abb, 3,
     "A start | A take 2 | A seal | A take 1 | A seal | B start | B set arrival 1 | B take 2"
     "| B seal | B deliver | A deliver 1 = fenced | A start | A finish"},
    {"T11", abb, 3,
     "A start | A take 2 | A seal | save 0 | B start | B set arrival 1 | B take 2 | B seal"
     "| B set arrival 0 | B take 1 | B seal | B deliver 1 | restore 0 | A deliver"
     "| B deliver = fenced | B start | B finish"},
    {"T12", on_two, 2,
     "A start | A take-from 0 1 | A seal | B start | A deliver | B take-from 1 1 | B seal"
     "| B deliver = fenced | B start | B finish"},
    {"T13", aba, 3,
     "A start | save 0 | A take 1 | A seal | A take 2 | A seal | A deliver 1 | restore 0"
     "| A deliver | A deliver | A finish"},
    {"a volume is cloned, both go on", aba, 3,
     "A start | A take 1 | A seal | A deliver | B clone A | B start | A take 1 | A seal"
     "| B take 1 | B seal | A deliver | B deliver = fenced | B start | B finish"},
    {"an old volume comes back", aba, 3,
     "A start | A take 1 | A seal | A deliver | B clone A | A take 1 | A seal | A deliver"
     "| A kill | B start | B finish"},
    {"the ledger is put back while nobody runs", aba, 3,
     "A start | A take 1 | A seal | A deliver | save 1 | A take 2 | A seal | A deliver | A kill"
     "| restore 1 | A start | A finish"},
    {"the ledger is emptied while nobody runs", aba, 3,
     "A start | A take 1 | A seal | A deliver | A take 2 | A seal | A deliver | A kill | empty"
     "| A start | A finish"},
    {"the ledger is emptied under the running process", aba, 3,
     "A start | A take 1 | A seal | A deliver | empty | A audit | A take 2 | A seal | A deliver"
     "| A finish"},
    {"the ledger's answer is lost, though it was applied", aba, 3,
     "A start | A trouble unknown 1 | A take 1 | A seal | A deliver = sink_unreachable"
     "| A take 2 | A seal | A deliver | A deliver | A finish"},
    {"the ledger is busy", aba, 3,
     "A start | A trouble busy 1 | A take 1 | A seal | A deliver = sink_unreachable"
     "| A take 2 | A seal | A deliver | A deliver | A finish"},
    {"volume and ledger are both lost", aba, 3,
     "A start | A take 3 | A seal | A deliver | A lose | empty | A start | A finish"},
    {"the first sink is moved to an empty place", aba, 3,
     "A start | A take 3 | A seal | A deliver | A kill | A set path 2 | save 0 | empty"
     "| A start = ledger_moved | restore 0 | A start | A finish"},
};

static void every_payment_is_there_once(void **state)
{
    struct fault fault;

    for (size_t index = 0; index < sizeof(traces) / sizeof(traces[0]); index++) {
        const struct trace *trace = &traces[index];
        struct world_setting setting = {.messages = trace->messages,
                                        .message_count = trace->count,
                                        .per_epoch = 1,
                                        .segment_size = 64 * 1024,
                                        .keep_s = 3600,
                                        .retention_s = 3600};
        world_init(&world, &setting);
        if (!story_run(&world, trace->story, &fault)) {
            fail_msg("%s: %s", trace->name, fault.text);
        }
        account_check(&world.ledger);
        assert_int_equal(account_accepted(&world.ledger, "a"), 1);
        assert_int_equal(account_accepted(&world.ledger, "b"), trace->messages == on_two ? 0 : 1);
        assert_int_equal(world.ledger.cursors[0].range.next,
                         trace->messages == on_two ? 2 : trace->count + 1);
    }
    world_free(&world);
}

static void says_what_a_person_must_decide(void **state)
{
    static const char *const stories[] = {
        /* Payments, but not our row. */
        "A start | A take 2 | A seal | A deliver | A kill | wipe"
        "| A start = ledger_has_other_history",
        "A start | A take 2 | A seal | A deliver | wipe | A audit = ledger_has_other_history",
        /* Put back further than the journal reaches: it began behind a seed. */
        "A start | save 0 | A take 1 | A seal | A deliver | A lose | A start | A take 1 | A seal"
        "| A deliver | A kill | restore 0 | A start = ledger_gap",
        "A start | A take 1 | A seal | A deliver | A lose | A start | A take 1 | A seal"
        "| A deliver | A kill | empty | A start = ledger_gap",
        "A start | A take 1 | A seal | A deliver | A lose | A start | A take 1 | A seal"
        "| A deliver | empty | A audit = ledger_gap",
        /* A history of the same name that never met ours. */
        "A start | A take 1 | A seal | A deliver | A kill | A start | A take 1 | A seal | A deliver"
        "| A kill | save 0 | empty | B start | B take 2 | B seal | B deliver | B take 1 | B seal"
        "| B deliver | B kill | A start = ledger_has_other_history",
    };
    struct world_setting setting = {.messages = aba,
                                    .message_count = 3,
                                    .per_epoch = 1,
                                    .segment_size = 64 * 1024,
                                    .keep_s = 3600,
                                    .retention_s = 3600};
    struct fault fault;

    for (size_t index = 0; index < sizeof(stories) / sizeof(stories[0]); index++) {
        world_init(&world, &setting);
        if (!story_run(&world, stories[index], &fault)) {
            fail_msg("story %zu: %s", index + 1, fault.text);
        }
    }
    world_free(&world);
}

/* What was sent with unknown outcome is sent again as it was, though more has been sealed. */
static void a_repeated_delivery_is_never_longer(void **state)
{
    struct world_setting setting = {.messages = aba,
                                    .message_count = 3,
                                    .per_epoch = 1,
                                    .segment_size = 64 * 1024,
                                    .keep_s = 3600,
                                    .retention_s = 3600};
    struct courier *courier = &world.instances[0].courier;
    struct fault fault;

    world_init(&world, &setting);
    assert_true(story_run(&world,
                          "A start | A take 1 | A seal | A take 1 | A seal | A trouble unknown 1"
                          "| A deliver = sink_unreachable | A take 1 | A seal",
                          &fault));
    assert_int_equal(courier_gather(courier, &fault), DONE);
    assert_int_equal(courier->count, 2);
    assert_int_equal(courier_deliver(courier, &fault), DONE);
    assert_int_equal(courier_gather(courier, &fault), DONE);
    assert_int_equal(courier->count, 1);
    world_free(&world);
}

/* Tampered with while nobody ran: our chain, but not our numbers. */
static void a_ledger_that_says_other_numbers_is_not_believed(void **state)
{
    struct world_setting setting = {.messages = aba,
                                    .message_count = 3,
                                    .per_epoch = 1,
                                    .segment_size = 64 * 1024,
                                    .keep_s = 3600,
                                    .retention_s = 3600};
    struct fault fault;

    for (int number = 0; number < 5; number++) {
        world_init(&world, &setting);
        assert_true(story_run(&world, "A start | A take 3 | A seal | A deliver | A kill", &fault));
        struct sink_cursor *cursor = &world.ledger.cursors[0];
        world.ledger.totals[0].count += number == 0;
        world.ledger.total_count -= number == 1;
        cursor->range.next += number == 2;
        cursor->range.newest_ms += number == 3;
        cursor->origin.partition += number == 4;
        assert_true(story_run(&world, "A start = ledger_has_other_history", &fault));
    }
    world_free(&world);
}

/* Many payments, and one of the first again with another amount. */
static struct world_message conflicting[24];

static void prepare_conflict(const char *story)
{
    static char ids[24][4];
    struct world_setting setting = {.messages = conflicting,
                                    .message_count = 24,
                                    .per_epoch = 1,
                                    .segment_size = 64 * 1024,
                                    .keep_s = 3600,
                                    .retention_s = 3600};
    struct fault fault;

    for (int index = 0; index < 24; index++) {
        (void)snprintf(ids[index], sizeof(ids[index]), "%d", index % 23);
        conflicting[index] =
            (struct world_message){0, ids[index], 10 + index, 100 + index / 23, "USD", "EU", false};
    }
    world_init(&world, &setting);
    if (!story_run(&world, story, &fault)) {
        fail_msg("%s", fault.text);
    }
}

/* The field that the open epoch's last row names. */
static void assert_names_the_amount(void)
{
    const struct epoch *open = world.instances[0].pipeline.open;
    struct span left = {open->rows.at, open->rows.size};
    struct row row;
    size_t size = row_read(left, &row);

    assert_int_equal(size, left.size);
    assert_int_equal(row.table, TABLE_DEAD_LETTERS);
    assert_int_equal(row.texts[DEAD_FIELD].size, 6);
    assert_memory_equal(row.texts[DEAD_FIELD].at, "amount", 6);
}

#define SEAL_FOUR "| A take 1 | A seal | A take 1 | A seal | A take 1 | A seal | A take 1 | A seal"
#define SEAL_ALL_BUT_THE_LAST                                                                      \
    "A start | A take 3 | A seal" SEAL_FOUR SEAL_FOUR SEAL_FOUR SEAL_FOUR SEAL_FOUR

static void a_conflict_names_its_field_wherever_the_first_payment_stands(void **state)
{
    struct whereabouts *whereabouts = &world.instances[0].pipeline.whereabouts;
    struct fault fault;

    prepare_conflict(SEAL_ALL_BUT_THE_LAST); /* Only in the journal. */
    assert_null(shelf_find(&world.instances[0].pipeline.shelf, 1));
    assert_true(story_run(&world, "A take 1", &fault));
    assert_names_the_amount();

    prepare_conflict(SEAL_ALL_BUT_THE_LAST); /* The same, and nobody knows in which epoch. */
    memset(whereabouts->entries, 0, WHEREABOUTS_COUNT * sizeof(whereabouts->entries[0]));
    assert_true(story_run(&world, "A take 1", &fault));
    assert_names_the_amount();

    prepare_conflict(SEAL_ALL_BUT_THE_LAST "| A deliver"); /* In the ledger. */
    memset(whereabouts->entries, 0, WHEREABOUTS_COUNT * sizeof(whereabouts->entries[0]));
    assert_true(story_run(&world, "A take 1", &fault));
    assert_names_the_amount();
    world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_payment_is_there_once),
        cmocka_unit_test(says_what_a_person_must_decide),
        cmocka_unit_test(a_repeated_delivery_is_never_longer),
        cmocka_unit_test(a_ledger_that_says_other_numbers_is_not_believed),
        cmocka_unit_test(a_conflict_names_its_field_wherever_the_first_payment_stands),
    };
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
