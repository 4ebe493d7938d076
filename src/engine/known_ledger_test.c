#include "engine/known_ledger.h"
#include "test/disk_sim.h"
#include "test/unit.h"

static struct disk_sim disk;
static struct known_ledger known;
static struct fault fault;
static const struct sink_type sqlite = {.name = "sqlite"};

static int set_up(void **state)
{
    struct sink sink = {.type = &sqlite, .settings = {.path = "./payments.db"}};
    struct chain chain = {{1, 2, 3}};

    disk_sim_free(&disk);
    disk_sim_init(&disk);
    known_ledger_of(&sink, 7, &chain, &known);
    known.begun_by = UINT64_C(1) << 62;
    return 0;
}

static int tear_down(void **state)
{
    disk_sim_free(&disk);
    return 0;
}

static void knows_nothing_at_first(void **state)
{
    struct known_ledger found;

    assert_int_equal(known_ledger_read(&disk.disk, &found, &fault), DONE);
    assert_false(found.known);
}

static void is_the_same_after_a_power_cut(void **state)
{
    struct known_ledger found;

    for (uint64_t damage = 0; damage < 50; damage++) {
        assert_int_equal(known_ledger_write(&disk.disk, &known, &fault), DONE);
        disk.dead = true;
        disk_sim_restart(&disk, damage);
        assert_int_equal(known_ledger_read(&disk.disk, &found, &fault), DONE);
        assert_memory_equal(&found, &known, sizeof(found));
    }
}

/* Whenever the power goes while it is replaced, the old one or the new one is there, whole. */
static void is_replaced_whole_or_not_at_all(void **state)
{
    struct known_ledger newer = known;
    struct known_ledger found;
    static struct disk_sim before;

    newer.epoch = 8;
    assert_int_equal(known_ledger_write(&disk.disk, &known, &fault), DONE);
    disk_sim_copy(&before, &disk);
    for (uint64_t damage = 0; damage < 50; damage++) {
        for (uint64_t operation = 1;; operation++) {
            disk_sim_copy(&disk, &before);
            disk_sim_cut_at(&disk, operation, DISK_SIM_HALF);
            if (known_ledger_write(&disk.disk, &newer, &fault) == DONE) {
                break;
            }
            disk_sim_restart(&disk, damage);
            assert_int_equal(known_ledger_read(&disk.disk, &found, &fault), DONE);
            assert_true(found.known);
            assert_true(found.epoch == 7 || found.epoch == 8);
        }
    }
    disk_sim_free(&before);
}

static void notices_every_flipped_bit(void **state)
{
    struct known_ledger found;
    static struct disk_sim before;

    assert_int_equal(known_ledger_write(&disk.disk, &known, &fault), DONE);
    disk_sim_copy(&before, &disk);
    for (uint64_t bit = 0; bit < 8 * (72 + KNOWN_LEDGER_PATH_SIZE); bit += bit < 800 ? 1 : 97) {
        disk_sim_copy(&disk, &before);
        disk_sim_flip(&disk, "ledger", bit);
        assert_int_equal(known_ledger_read(&disk.disk, &found, &fault), BROKEN);
        assert_int_equal(fault.code, FAULT_JOURNAL_CORRUPT);
    }
    disk_sim_free(&before);
}

static void tells_places_apart_by_kind_and_path(void **state)
{
    struct known_ledger other = known;

    other.epoch = 99;
    assert_true(known_ledger_same_place(&known, &other));
    other.path[0] = '/';
    assert_false(known_ledger_same_place(&known, &other));
    other = known;
    other.type[0] = 'p';
    assert_false(known_ledger_same_place(&known, &other));
}

#define WITH_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DISK(knows_nothing_at_first),
        WITH_DISK(is_the_same_after_a_power_cut),
        WITH_DISK(is_replaced_whole_or_not_at_all),
        WITH_DISK(notices_every_flipped_bit),
        WITH_DISK(tells_places_apart_by_kind_and_path),
    };
    return cmocka_run_group_tests_name("known_ledger", tests, NULL, NULL);
}
