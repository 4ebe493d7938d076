/*
 * Pull the plug at every disk operation and every delivery of every story, with every kind of
 * damage, and (after every other damage, in turns) again at every operation of the recovery;
 * then count the money.
 *
 * However it went, the ledger must end with what an undisturbed run gives, byte for byte, and
 * all invariants must hold (test/sim/account.h). What was recovered is compared with what lived
 * (I9) at each start. A failure says story, operation, damage and the second cut.
 */
#include "test/sim/account.h"
#include "test/sim/story.h"
#include "test/unit.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { DAMAGES = 8 };

static const struct world_message one[] = {{0, "a", 10, 100, "USD", "EU", false}};
static const struct world_message left_out[] = {
    {0, "a", 10, 100, "USD", "EU", true},
    {0, "b", 11, 100, "USD", "EU", true},
    {0, "c", 12, 100, "USD", "EU", true},
};
/* Lateness is an hour: the two at 200 and 199 are late, on and before the watermark of 3800. */
static const struct world_message all_classes[] = {
    {0, "a", 10, 100, "USD", "EU", false},         {0, "b", 11, 250, "EUR", "EU", false},
    {0, "a", 10, 100, "USD", "EU", false},         {0, NULL, 0, 0, "", NULL, false},
    {0, "b", 12, 999, "EUR", "EU", false},         {0, "far", 200000, 100, "USD", "US", false},
    {0, "c", 3800, 100, "USD", "US", false},       {0, "late", 200, 100, "USD", "US", false},
    {0, "late too", 199, 100, "USD", NULL, false}, {0, "out", 3801, 100, "USD", "US", true},
    {0, "c", 3805, 100, "USD", "US", false},       {0, "d", 3900, 300, "USD", "EU", false},
};
static const struct world_message two_partitions[] = {
    {0, "a", 10, 100, "USD", "EU", false},   {1, "b", 15, 100, "USD", "EU", false},
    {0, "b", 16, 100, "USD", "EU", false},   {1, "a", 17, 500, "USD", "EU", false},
    {1, "c", 4000, 100, "USD", "US", false}, {0, "d", 18, 100, "USD", "US", false},
    {0, "d", 19, 100, "USD", "US", false},   {1, "c", 4001, 100, "USD", "US", false},
    {0, "e", 4500, 70, "EUR", NULL, false},  {1, "e", 4500, 70, "EUR", NULL, false},
};
/* Retention is two minutes: copies one second inside it, on it, and behind it. */
static const struct world_message at_retention[] = {
    {0, "a", 10, 100, "USD", "EU", false},   {0, "w", 3729, 100, "USD", "EU", false},
    {0, "a", 3000, 100, "USD", "EU", false}, {0, "w", 3730, 100, "USD", "EU", false},
    {0, "a", 3001, 100, "USD", "EU", false}, {0, "v", 3731, 100, "USD", "EU", false},
    {0, "a", 3002, 100, "USD", "EU", false},
};

/* From the third on, all that the first two bring is forgotten. */
static const struct world_message far_apart[] = {
    {0, "a", 10, 100, "USD", "EU", false},   {0, "b", 20, 100, "USD", "EU", false},
    {0, "c", 8000, 100, "USD", "EU", false}, {0, "d", 8001, 100, "USD", "EU", false},
    {0, "e", 8002, 100, "USD", "EU", false},
};

#define ALL(list) list, sizeof(list) / sizeof(list[0])

static const struct scenario {
    const char *name;
    const struct world_message *messages;
    size_t count;
    size_t per_epoch;
    uint64_t segment_size;
    const char *story;
} scenarios[] = {
    {"empty topic", one, 0, 1, 16384, "A start | A seal | A deliver"},
    {"one record", ALL(one), 1, 16384, "A start | A take 1 | A seal | A deliver"},
    {"exactly one epoch", ALL(all_classes), 12, 16384, "A start | A take 12 | A seal | A deliver"},
    {"an epoch and one more", ALL(all_classes), 11, 16384,
     "A start | A take 11 | A seal | A deliver | A take 1 | A seal | A deliver"},
    {"only what payment.only leaves out", ALL(left_out), 2, 16384,
     "A start | A take 2 | A seal | A deliver | A take 1 | A seal | A deliver"},
    {"an epoch each", ALL(all_classes), 1, 16384,
     "A start | A take 1 | A seal | A deliver | A take 1 | A seal | A deliver | A take 1 | A seal"
     "| A take 1 | A seal | A take 1 | A seal | A deliver | A take 3 | A seal | A take 9 | A seal"
     "| A deliver"},
    {"two partitions interleaved", ALL(two_partitions), 2, 16384,
     "A start | A take 3 | A seal | A take 3 | A seal | A deliver | A take 4 | A seal | A deliver"},
    {"the retention's bound", ALL(at_retention), 1, 16384,
     "A start | A take 3 | A seal | A deliver | A take 2 | A seal | A take 9 | A seal | A deliver"},
    {"a segment for every epoch or two", ALL(all_classes), 2, 8192,
     "A start | A take 2 | A seal | A deliver | A take 2 | A seal | A take 2 | A seal | A deliver"
     "| A take 2 | A seal | A deliver"},
    {"segments trimmed and recycled", ALL(at_retention), 1, 8192,
     "A start | A take 1 | A seal | A deliver | A take 1 | A seal | A deliver | hours 2 | A trim"
     "| A take 1 | A seal | A deliver | hours 2 | A trim | A take 1 | A seal | hours 2 | A trim"
     "| A deliver | A take 1 | A seal | A deliver"},
    {"trimmed while the ledger is behind, over a start", ALL(far_apart), 1, 8192,
     "A start | A take 1 | A seal | A deliver | A take 1 | A seal | A take 1 | A seal | A kill"
     "| A start | hours 2 | A take 1 | A seal | A trim | A deliver 1 | hours 2 | A trim | A take 1"
     "| A seal | A deliver"},
    {"far behind", ALL(all_classes), 1, 16384,
     "A start | A take 1 | A seal | A take 1 | A seal | A take 1 | A seal | A take 1 | A seal"
     "| A take 1 | A seal | A take 1 | A seal | A take 1 | A seal | A deliver"},
    {"killed, and started again", ALL(all_classes), 2, 16384,
     "A start | A take 2 | A seal | A kill | A start | A take 2 | A seal | A deliver | A take 1"
     "| A kill | A start | A take 2 | A seal | A deliver"},
    {"power cuts one after the other", ALL(all_classes), 2, 16384,
     "A start | A take 2 | A seal | A power 3 | A start | A take 2 | A seal | A power 1 | A start"
     "| A take 2 | A seal | A deliver"},
    {"an answer is lost, and it was applied", ALL(all_classes), 3, 16384,
     "A start | A take 3 | A seal | A trouble unknown 1 | A deliver = sink_unreachable | A take 3"
     "| A seal | A deliver | A deliver"},
    {"an answer is lost, and it was not", ALL(all_classes), 3, 16384,
     "A start | A take 3 | A seal | A trouble busy 1 | A deliver = sink_unreachable | A take 3"
     "| A seal | A deliver | A deliver"},
    {"the ledger is put back", ALL(all_classes), 3, 16384,
     "A start | A take 3 | A seal | A deliver | save 0 | A take 3 | A seal | A deliver | restore 0"
     "| A audit | A deliver | A take 3 | A seal | A deliver"},
    {"trimmed after the ledger was put back", ALL(far_apart), 1, 8192,
     "A start | A take 1 | A seal | A deliver | save 0 | A take 1 | A seal | A deliver | A take 1"
     "| A seal | A deliver | restore 0 | A audit | hours 2 | A trim | A take 1 | A seal | A trim"
     "| A deliver | A take 1 | A seal | A deliver"},
    {"the ledger is emptied", ALL(all_classes), 3, 16384,
     "A start | A take 3 | A seal | A deliver | A take 3 | A seal | empty | A audit | A deliver"},
    {"the volume is lost", ALL(all_classes), 3, 16384,
     "A start | A take 3 | A seal | A deliver | A take 3 | A seal | A deliver | A lose | A start"
     "| A take 2 | A seal | A deliver | A kill | A start | A take 9 | A seal | A deliver"},
    {"the volume is lost with proposals on it", ALL(two_partitions), 2, 16384,
     "A start | A take 4 | A seal | A deliver | A take 2 | A seal | A lose | A start | A take 2"
     "| A seal | A deliver"},
    {"lost twice", ALL(two_partitions), 2, 8192,
     "A start | A take 3 | A seal | A deliver | A lose | A start | A take 2 | A seal | A deliver"
     "| A lose | A start | A take 2 | A seal | A deliver"},
    {"an owner with undelivered epochs gives way", ALL(all_classes), 3, 16384,
     "B start | B take 2 | B seal | B deliver | A start | B take 2 | B seal | B deliver | A take 3"
     "| A seal | A deliver = fenced | A start | A take 3 | A seal | A deliver"},
    {"windows of another length from a start on", ALL(all_classes), 3, 16384,
     "A start | A take 3 | A seal | A deliver | A kill | A set retention 7200 | A start | A take 4"
     "| A seal | A deliver | A kill | A start | A take 2 | A seal"},
};

static struct world world;
static struct ledger_store golden;

/* The world between two lives of A: what a second cut starts from. */
static struct {
    struct disk_sim disk;
    struct ledger_store ledger;
    int64_t now_ms;
} kept;

static struct {
    const char *scenario;
    uint64_t operation;
    uint64_t damage;
    uint64_t again;
    uint64_t cycles;
} now;

static void tell_where(int signal_number)
{
    char text[200];
    int size =
        snprintf(text, sizeof(text), "story \"%s\", operation %llu, damage %llu, again %llu\n",
                 now.scenario, (unsigned long long)now.operation, (unsigned long long)now.damage,
                 (unsigned long long)now.again);

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
        .retention_s = scenario->messages == at_retention ? 120 : 3600,
    };

    world_init(&world, &setting);
    world.hashes_kept = true;
    now.scenario = scenario->name;
}

static void keep(void)
{
    instance_kill(&world, &world.instances[0]);
    disk_sim_copy(&kept.disk, &world.instances[0].disk);
    ledger_store_copy(&kept.ledger, &world.ledger);
    kept.now_ms = world.clock.now_ms;
}

static void put_back(void)
{
    instance_kill(&world, &world.instances[0]);
    disk_sim_copy(&world.instances[0].disk, &kept.disk);
    ledger_store_copy(&world.ledger, &kept.ledger);
    world.clock.now_ms = kept.now_ms;
}

/* A is started and goes on to the end. False: its power went. Otherwise the money is counted. */
static bool recover_and_finish(uint64_t *ret_operations)
{
    struct instance *instance = &world.instances[0];
    struct fault fault = {.text = ""};

    world.fuse = 0;
    instance->ledger.trouble_at = 0;
    now.cycles++;
    enum outcome outcome = instance_start(&world, instance, &fault);
    *ret_operations = instance->disk.operations;
    if (outcome == DONE) {
        outcome = instance_finish(&world, instance, &fault);
    }
    if (instance->disk.dead) {
        return false;
    }
    if (outcome != DONE) {
        fail_msg("\"%s\", operation %llu, damage %llu, again %llu: %s", now.scenario,
                 (unsigned long long)now.operation, (unsigned long long)now.damage,
                 (unsigned long long)now.again, fault.text);
    }
    account_check(&world.ledger);
    account_compare(&world.ledger, &golden);
    return true;
}

/* The power is back; it goes again at each operation of the recovery. */
static void cut_again(void)
{
    uint64_t operations;
    uint64_t ignored;

    now.again = 0;
    keep();
    assert_true(recover_and_finish(&operations));
    if ((now.operation + now.damage) % 2 == 0) {
        return;
    }
    for (now.again = 1; now.again <= operations; now.again++) {
        enum disk_sim_moment moment =
            (now.again + now.damage) % 2 == 0 ? DISK_SIM_BEFORE : DISK_SIM_HALF;
        put_back();
        disk_sim_cut_at(&world.instances[0].disk, now.again, moment);
        assert_false(recover_and_finish(&ignored));
        instance_kill(&world, &world.instances[0]);
        disk_sim_restart(&world.instances[0].disk, now.damage + now.again);
        assert_true(recover_and_finish(&ignored));
    }
}

/* A is gone in the middle of its story: what now, with each damage? */
static void cut(void)
{
    static struct disk_sim dead_disk;
    static struct ledger_store dead_ledger;

    instance_kill(&world, &world.instances[0]);
    disk_sim_copy(&dead_disk, &world.instances[0].disk);
    ledger_store_copy(&dead_ledger, &world.ledger);
    for (now.damage = 0; now.damage < DAMAGES; now.damage++) {
        instance_kill(&world, &world.instances[0]);
        disk_sim_copy(&world.instances[0].disk, &dead_disk);
        ledger_store_copy(&world.ledger, &dead_ledger);
        disk_sim_restart(&world.instances[0].disk, now.damage);
        cut_again();
    }
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
    struct fault fault;

    begin(scenario);
    assert_false(tell(scenario));
    instance_kill(&world, &world.instances[0]);
    if (instance_start(&world, &world.instances[0], &fault) != DONE ||
        instance_finish(&world, &world.instances[0], &fault) != DONE) {
        fail_msg("\"%s\": %s", scenario->name, fault.text);
    }
    account_check(&world.ledger);
    ledger_store_copy(&golden, &world.ledger);
}

/* The power goes at each operation of the disk. */
static void cut_everywhere(const struct scenario *scenario)
{
    bool gone = true;

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

/* The process dies at each delivery, before the ledger's commit or behind it. */
static void die_at_every_delivery(const struct scenario *scenario)
{
    bool gone = true;

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

static void nothing_is_lost_or_double_wherever_the_power_goes(void **state)
{
    for (size_t index = 0; index < sizeof(scenarios) / sizeof(scenarios[0]); index++) {
        struct timespec before;
        struct timespec after;
        uint64_t cycles = now.cycles;
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
        prepare_golden(&scenarios[index]);
        cut_everywhere(&scenarios[index]);
        die_at_every_delivery(&scenarios[index]);
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
        int64_t spent_ms =
            (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
        print_message("%-45s %6llu cycles, %6.0f/s of a core\n", scenarios[index].name,
                      (unsigned long long)(now.cycles - cycles),
                      (double)(now.cycles - cycles) * 1000.0 / (double)(spent_ms + 1));
    }
}

/*
 * A disk operation fails (an error, no space, half written), once: the process ends as it would,
 * the power may go, too, and the next start finds everything.
 */
static void fail_once(const struct scenario *scenario, enum disk_sim_failure failure)
{
    struct disk_sim *disk = &world.instances[0].disk;
    bool reached = true;
    uint64_t ignored;
    struct fault fault;

    for (now.operation = 1; reached; now.operation++) {
        begin(scenario);
        disk_sim_fail_at(disk, now.operation, failure, false);
        bool failed = !story_run(&world, scenario->story, &fault);
        reached = failed || world.spent + disk->operations >= now.operation;
        instance_kill(&world, &world.instances[0]);
        now.damage = now.operation % DAMAGES;
        if (now.operation % 2 == 0) {
            disk_sim_restart(disk, now.damage);
        }
        assert_true(recover_and_finish(&ignored));
    }
}

static void an_error_or_a_full_disk_loses_nothing(void **state)
{
    static const enum disk_sim_failure failures[] = {DISK_SIM_EIO, DISK_SIM_NO_SPACE,
                                                     DISK_SIM_SHORT};

    for (size_t index = 0; index < sizeof(scenarios) / sizeof(scenarios[0]); index++) {
        prepare_golden(&scenarios[index]);
        for (size_t kind = 0; kind < sizeof(failures) / sizeof(failures[0]); kind++) {
            fail_once(&scenarios[index], failures[kind]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_or_double_wherever_the_power_goes),
        cmocka_unit_test(an_error_or_a_full_disk_loses_nothing),
    };

    (void)signal(SIGABRT, tell_where);
    return cmocka_run_group_tests_name("power_cut", tests, NULL, NULL);
}
