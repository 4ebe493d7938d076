/*
 * A follower beside the ledger: the plug is pulled at every disk operation and at every delivery
 * to either, with every kind of damage; then the money is counted, and the follower must hold
 * what the ledger holds, byte for byte, however it got there: alongside, from the journal, or
 * from the ledger's rows.
 */
#include "test/sim/account.h"
#include "test/sim/story.h"
#include "test/unit.h"

#include <signal.h>
#include <unistd.h>

enum { DAMAGES = 8, TRIES_MAX = 3 };

static const struct world_message all_classes[] = {
    {0, "a", 10, 100, "USD", "EU", false},         {0, "b", 11, 250, "EUR", "EU", false},
    {1, "a", 10, 100, "USD", "EU", false},         {0, NULL, 0, 0, "", NULL, false},
    {1, "b", 12, 999, "EUR", "EU", false},         {0, "far", 200000, 100, "USD", "US", false},
    {0, "c", 3800, 100, "USD", "US", false},       {1, "c", 3801, 100, "USD", "US", false},
    {0, "late too", 199, 100, "USD", NULL, false}, {0, "out", 3801, 100, "USD", "US", true},
    {0, "c", 3805, 100, "USD", "US", false},       {1, "d", 3900, 300, "USD", "EU", false},
};
/* From 8000 s on each forgets what came before; what the first bring is never touched again. */
static const struct world_message far_apart[] = {
    {0, "a", 10, 100, "GBP", "UK", false},    {1, "b", 20, 100, "JPY", "JP", false},
    {1, "a", 30, 100, "GBP", "UK", false},    {1, "b", 40, 200, "JPY", "JP", false},
    {1, NULL, 0, 0, "", NULL, false},         {0, "c", 8000, 100, "USD", "EU", false},
    {0, "d", 16000, 100, "USD", "EU", false}, {0, "e", 24000, 100, "USD", "EU", false},
    {0, "f", 24001, 100, "USD", "EU", false}, {0, "f", 32000, 100, "EUR", "US", false},
    {0, "g", 32001, 100, "EUR", "US", false},
};

/* The same, and some of it is lost. */
static const struct world_message lossy[] = {
    {0, "a", 10, 100, "GBP", "UK", false},    {1, "b", 20, 100, "JPY", "JP", false},
    {1, world_lost, 0, 0, "", NULL, false},   {1, "b", 40, 200, "JPY", "JP", false},
    {1, world_lost, 0, 0, "", NULL, false},   {0, "c", 8000, 100, "USD", "EU", false},
    {0, world_lost, 0, 0, "", NULL, false},   {0, "e", 24000, 100, "USD", "EU", false},
    {0, "f", 24001, 100, "USD", "EU", false}, {0, world_lost, 0, 0, "", NULL, false},
    {0, "g", 32001, 100, "EUR", "US", false},
};

#define ALL(list) list, sizeof(list) / sizeof(list[0])

/* The journal's first segments go: all is delivered, old, and past memory. */
#define TAKEN "| A take 1 | A seal | A deliver"
#define TRIMMED                                                                                    \
    "A start" TAKEN TAKEN TAKEN TAKEN TAKEN TAKEN "| hours 2" TAKEN TAKEN "| hours 2 | A trim"

static const struct scenario {
    const char *name;
    const struct world_message *messages;
    size_t count;
    size_t per_epoch;
    uint64_t segment_size;
    bool follows;
    const char *story;
} scenarios[] = {
    {"alongside", ALL(all_classes), 3, 16384, true,
     "A start | A take 3 | A seal | A deliver | A follow | A take 4 | A seal | A deliver | A follow"
     "| A take 9 | A seal | A follow | A deliver | A follow"},
    {"far behind, one by one", ALL(all_classes), 2, 8192, true,
     "A start | A take 2 | A seal | A take 2 | A seal | A take 2 | A seal | A take 2 | A seal"
     "| A deliver 2 | A follow 1 | A follow 1 | A follow 1 | A deliver | A follow 1 | A follow"},
    {"over a start", ALL(all_classes), 2, 16384, true,
     "A start | A take 2 | A seal | A take 2 | A seal | A deliver | A follow 1 | A kill | A start"
     "| A take 2 | A seal | A deliver | A follow"},
    {"its answers are lost", ALL(all_classes), 2, 16384, true,
     "A start | A take 2 | A seal | A take 2 | A seal | A deliver"
     "| A trouble-copy unknown 1 | A follow = sink_unreachable | A take 2 | A seal | A deliver"
     "| A follow | A trouble-copy busy 1 | A follow = sink_unreachable | A follow"},
    {"it is put back", ALL(all_classes), 3, 16384, true,
     "A start | A take 3 | A seal | A deliver | A follow | save-copy | A take 3 | A seal"
     "| A deliver | A follow | restore-copy | A audit-copy | A follow | A take 3 | A seal"
     "| A deliver | A follow"},
    {"it is put back, unseen until it is delivered to", ALL(all_classes), 3, 16384, true,
     "A start | A take 3 | A seal | A deliver | A follow | save-copy | A take 3 | A seal"
     "| A deliver | A follow | restore-copy | A take 3 | A seal | A deliver | A follow | A follow"},
    {"it is emptied", ALL(all_classes), 3, 16384, true,
     "A start | A take 3 | A seal | A deliver | A follow | A take 3 | A seal | A deliver"
     "| empty-copy | A audit-copy | A follow 1 | A follow"},
    {"the ledger is put back behind it", ALL(all_classes), 3, 16384, true,
     "A start | A take 3 | A seal | A deliver | save 0 | A take 3 | A seal | A deliver | A follow"
     "| restore 0 | A audit | A follow | A take 3 | A seal | A follow | A deliver | A follow"},
    {"the ledger is put back behind it, seen at a start", ALL(all_classes), 3, 16384, true,
     "A start | A take 3 | A seal | A deliver | save 0 | A take 3 | A seal | A deliver | A follow"
     "| A kill | restore 0 | A start | A follow | A take 3 | A seal | A deliver 1 | A follow"
     "| A deliver | A follow"},
    {"the journal waits for it", ALL(far_apart), 1, 8192, true, TRIMMED " | A follow 1 | A follow"},
    {"new, when the journal's front is gone", ALL(far_apart), 1, 8192, false,
     TRIMMED "| A kill | A set follows 1 | A start | A follow 1 | A follow 1" TAKEN
             "| A follow | A take 2 | A seal | A deliver | A follow"},
    {"new, and killed in the middle of being filled", ALL(far_apart), 1, 8192, false,
     TRIMMED "| A kill | A set follows 1 | A start | A follow 1 | A kill | A start | A follow 1"
             "| A trouble-copy unknown 1 | A follow 1 = sink_unreachable | A follow 1"
             "| A trouble-copy busy 1 | A follow 1 = sink_unreachable | A follow" TAKEN
             "| A follow"},
    {"new, where a snapshot stands behind its segment's first epochs", ALL(far_apart), 1, 16384,
     false,
     "A start" TAKEN TAKEN TAKEN TAKEN "| hours 2 | A take 1 | A seal | A take 1 | A seal | A kill "
     "| A start | hours 1 | A deliver" TAKEN TAKEN
     "| A trim | A kill | A set follows 1 | A start | A follow 5 | A kill | A start | A "
     "follow" TAKEN "| A follow"},
    {"an operator decides what is lost", ALL(lossy), 2, 8192, true,
     "A start | A take 3 | A seal | A deliver | A follow | A take 2 | A seal | A lose | A start"
     "| A take 4 | A seal | A deliver | A follow | A take 9 | A seal | A deliver | A follow"},
    {"new, and told what was decided before", ALL(lossy), 1, 8192, false,
     TRIMMED "| A kill | A set follows 1 | A start | A follow 1 | A follow 1" TAKEN
             "| A follow | A take 2 | A seal | A deliver | A follow"},
    {"of what the ledger lacks it is told nothing", ALL(all_classes), 3, 16384, true,
     "A start | A take 3 | A seal | A deliver | A follow | A take 3 | A seal | A follow | A lose"
     "| A start | A take 5 | A seal | A deliver | A follow"},
    {"the volume is lost, and it was behind", ALL(all_classes), 2, 16384, true,
     "A start | A take 2 | A seal | A deliver | A follow | A take 2 | A seal | A take 2 | A seal"
     "| A deliver | A lose | A start | A take 2 | A seal | A deliver | A follow 1 | A follow 1"
     "| A take 2 | A seal | A deliver | A follow"},
    {"the volume is lost twice while it is filled", ALL(all_classes), 2, 16384, true,
     "A start | A take 2 | A seal | A take 2 | A seal | A deliver | A lose | A start | A take 2"
     "| A seal | A deliver | A follow 1 | A take 2 | A seal | A deliver | A lose | A start"
     "| A follow 1 | A take 2 | A seal | A deliver | A follow 2 | A follow"},
    {"it is emptied, and the volume was lost", ALL(all_classes), 3, 16384, true,
     "A start | A take 3 | A seal | A deliver | A follow | A take 3 | A seal | A deliver | A lose"
     "| empty-copy | A start | A take 3 | A seal | A deliver | A follow 1 | A follow"},
    {"it is not named for a while", ALL(far_apart), 1, 8192, true,
     "A start | A take 1 | A seal | A deliver | A follow | A kill | A set follows 0 | A start"
     "| A take 1 | A seal | A deliver | hours 2 | A take 1 | A seal | A deliver | hours 2 | A trim"
     "| A take 1 | A seal | A deliver | A trim | A kill | A set follows 1 | A start | A follow 1"
     "| A take 1 | A seal | A deliver | A follow"},
};

static struct world world;
static struct ledger_store golden;

static struct {
    const char *scenario;
    uint64_t operation;
    uint64_t damage;
    bool death;
    uint64_t cycles;
} now;

static void tell_where(int signal_number)
{
    char text[200];
    int size = snprintf(text, sizeof(text), "story \"%s\", %s %llu, damage %llu\n", now.scenario,
                        now.death ? "delivery" : "operation", (unsigned long long)now.operation,
                        (unsigned long long)now.damage);

    if (write(STDERR_FILENO, text, (size_t)size) != size) {
        _exit(signal_number);
    }
}

static void begin(const struct scenario *scenario)
{
    struct world_setting setting = {
        .messages = scenario->messages,
        .message_count = scenario->count,
        .per_epoch = scenario->per_epoch,
        .segment_size = scenario->segment_size,
        .keep_s = 3600,
        .retention_s = 3600,
        .follows = scenario->follows,
    };

    world_init(&world, &setting);
    world.hashes_kept = true;
    now.scenario = scenario->name;
}

static void check(void)
{
    account_check(&world.ledger);
    account_follows(&world.copy, &world.ledger);
    must(world.copy.exists);
    must(world.copy.head.epoch > 0);
}

static void recover_and_finish(void)
{
    struct instance *instance = &world.instances[0];
    struct fault fault = {.text = ""};

    world.fuse = 0;
    world.death.at = 0;
    instance->ledger.trouble_at = 0;
    instance->copy.trouble_at = 0;
    instance->follows = true;
    now.cycles++;
    if (instance_start(&world, instance, &fault) != DONE ||
        instance_finish(&world, instance, &fault) != DONE) {
        fail_msg("\"%s\", %s %llu, damage %llu: %s", now.scenario,
                 now.death ? "delivery" : "operation", (unsigned long long)now.operation,
                 (unsigned long long)now.damage, fault.text);
    }
    check();
}

/* The story, told until it ends or A is gone. False: it ended. */
static bool tell(const struct scenario *scenario)
{
    struct fault fault;

    if (!story_run(&world, scenario->story, &fault)) {
        fail_msg("\"%s\": %s", scenario->name, fault.text);
    }
    return world.instances[0].disk.dead;
}

static void prepare_golden(const struct scenario *scenario)
{
    begin(scenario);
    assert_false(tell(scenario));
    instance_kill(&world, &world.instances[0]);
    recover_and_finish();
    ledger_store_copy(&golden, &world.ledger);
}

/* A is gone in the middle of its story: what now, with each damage? */
static void cut(void)
{
    static struct disk_sim dead_disk;
    static struct ledger_store dead_ledger;
    static struct ledger_store dead_copy;

    instance_kill(&world, &world.instances[0]);
    disk_sim_copy(&dead_disk, &world.instances[0].disk);
    ledger_store_copy(&dead_ledger, &world.ledger);
    ledger_store_copy(&dead_copy, &world.copy);
    for (now.damage = 0; now.damage < DAMAGES; now.damage++) {
        instance_kill(&world, &world.instances[0]);
        disk_sim_copy(&world.instances[0].disk, &dead_disk);
        ledger_store_copy(&world.ledger, &dead_ledger);
        ledger_store_copy(&world.copy, &dead_copy);
        disk_sim_restart(&world.instances[0].disk, now.damage);
        recover_and_finish();
        account_compare(&world.ledger, &golden);
    }
}

static void cut_everywhere(const struct scenario *scenario)
{
    bool gone = true;

    now.death = false;
    for (now.operation = 1; gone; now.operation++) {
        begin(scenario);
        world.fuse = now.operation;
        world_burn_on(&world, &world.instances[0]);
        gone = tell(scenario);
        if (gone) {
            cut();
        }
    }
}

/* The process dies at each delivery, to the ledger or the follower, before it counts or behind. */
static void die_at_every_delivery(const struct scenario *scenario)
{
    bool gone = true;

    now.death = true;
    for (now.operation = 1; gone; now.operation++) {
        for (int after = 0; after < 2; after++) {
            begin(scenario);
            world.death = (struct ledger_death){.at = now.operation, .after = after == 1};
            gone = tell(scenario);
            world.death.at = 0;
            if (gone) {
                cut();
            }
        }
    }
}

static void a_follower_holds_what_the_ledger_holds_wherever_the_power_goes(void **state)
{
    for (size_t index = 0; index < sizeof(scenarios) / sizeof(scenarios[0]); index++) {
        uint64_t cycles = now.cycles;
        prepare_golden(&scenarios[index]);
        cut_everywhere(&scenarios[index]);
        die_at_every_delivery(&scenarios[index]);
        print_message("%-50s %6llu cycles\n", scenarios[index].name,
                      (unsigned long long)(now.cycles - cycles));
    }
}

/* Each ends as it says. */
static const struct {
    const char *name;
    const char *story;
} ends[] = {
    {"what the ledger never had is nothing to go on from",
     "A start | A take 3 | A seal | A deliver | save 0 | A take 3 | A seal | A deliver | A follow"
     "| A lose | restore 0 | A start = follower_ahead"},
    {"nothing is decided again beneath a follower",
     "A start | A take 3 | A seal | A deliver | A follow | A lose | empty | A start = ledger_lost"},
    {"rows of nobody are not followed upon",
     "A start | A take 3 | A seal | A deliver | A follow | A kill | wipe-copy"
     "| A start = ledger_has_other_history"},
    {"another history is not followed upon",
     "A start | A take 3 | A seal | A deliver | A follow | save-copy | A lose | empty | empty-copy"
     "| A start | hours 1 | A take 4 | A seal | A deliver | A take 1 | A seal | A deliver"
     "| A follow | A kill | restore-copy | A start = ledger_has_other_history"},
    {"another owner of a follower is met",
     "A start | A take 3 | A seal | A deliver | A follow | save-copy | A lose | empty | empty-copy"
     "| A start | hours 1 | A take 4 | A seal | A deliver | A follow | restore-copy"
     "| A audit-copy = fenced"},
    {"one that was being filled is no ledger",
     "A set follows 0 | " TRIMMED " | A kill | A set follows 1 | A start | A follow 1 | A kill"
     "| A set follows 0 | A lose | swap | A start = sink_damaged"},
};

static void says_why_a_follower_cannot_follow(void **state)
{
    struct fault fault;

    for (size_t index = 0; index < sizeof(ends) / sizeof(ends[0]); index++) {
        begin(&(struct scenario){ends[index].name, ALL(far_apart), 1, 8192, true, ""});
        if (!story_run(&world, ends[index].story, &fault)) {
            fail_msg("\"%s\": %s", ends[index].name, fault.text);
        }
        instance_kill(&world, &world.instances[0]);
    }
}

/* Which of the journal's epochs is the oldest after the trimming? */
static uint64_t first_epoch(bool follows)
{
    struct fault fault;

    begin(&(struct scenario){"trimmed", ALL(far_apart), 1, 8192, follows, ""});
    if (!story_run(&world, TRIMMED, &fault)) {
        fail_msg("%s", fault.text);
    }
    return world.instances[0].pipeline.journal.first_epoch;
}

static void keeps_the_journal_for_a_follower(void **state)
{
    assert_int_equal(first_epoch(true), 1);
    assert_true(first_epoch(false) > 1);
    world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_follower_holds_what_the_ledger_holds_wherever_the_power_goes),
        cmocka_unit_test(says_why_a_follower_cannot_follow),
        cmocka_unit_test(keeps_the_journal_for_a_follower),
    };

    (void)signal(SIGABRT, tell_where);
    return cmocka_run_group_tests_name("power_cut_followers", tests, NULL, NULL);
}
