#include "engine/shelf.h"
#include "test/unit.h"

#include <stdlib.h>
#include <unistd.h>

enum { SLOTS = 3 };

static const struct shelf_sizes sizes = {16384, 16384};
static struct shelf shelf;
static void *memory;

static int set_up(void **state)
{
    memory = calloc(1, shelf_memory_size(&sizes, SLOTS));
    shelf_init(&shelf, &sizes, SLOTS, memory);
    shelf_start(&shelf, 10, 10);
    return memory == NULL;
}

static int tear_down(void **state)
{
    shelf_destroy(&shelf);
    free(memory);
    return 0;
}

/* An epoch of this number, as far as it was told to go. */
static struct epoch *put(uint64_t number, enum shelf_place place)
{
    struct epoch *epoch = shelf_open(&shelf, 0);

    assert_non_null(epoch);
    epoch->number = number;
    if (place >= SHELF_CLOSED) {
        shelf_close(&shelf, epoch);
    }
    if (place == SHELF_SEALED) {
        assert_ptr_equal(shelf_take_closed(&shelf, 0), epoch);
        shelf_sealed(&shelf, epoch);
    }
    return epoch;
}

static void hands_out_closed_epochs_oldest_first(void **state)
{
    struct epoch *first = put(11, SHELF_CLOSED);
    struct epoch *second = put(12, SHELF_CLOSED);

    assert_false(shelf_sealer_idle(&shelf));
    assert_ptr_equal(shelf_take_closed(&shelf, 0), first);
    shelf_sealed(&shelf, first);
    assert_ptr_equal(shelf_take_closed(&shelf, 0), second);
    shelf_sealed(&shelf, second);
    assert_true(shelf_sealer_idle(&shelf));
    assert_int_equal(shelf_sealed_upto(&shelf), 12);
}

static void waits_when_all_are_full_and_the_ledger_is_behind(void **state)
{
    struct epoch *oldest = put(11, SHELF_SEALED);

    (void)put(12, SHELF_SEALED);
    (void)put(13, SHELF_SEALED);
    assert_false(shelf_has_room(&shelf));
    assert_null(shelf_open(&shelf, 1000000));
    shelf_confirm(&shelf, 11);
    assert_true(shelf_has_room(&shelf));
    assert_ptr_equal(shelf_open(&shelf, 0), oldest);
    assert_null(shelf_open(&shelf, 0));
}

static void lets_unconfirmed_ones_go_while_the_ledger_is_down(void **state)
{
    struct epoch *oldest = put(11, SHELF_SEALED);

    (void)put(12, SHELF_SEALED);
    (void)put(13, SHELF_SEALED);
    shelf_ledger_down(&shelf, true);
    assert_ptr_equal(shelf_open(&shelf, 0), oldest);
}

static void never_lets_go_of_what_is_pinned_or_not_sealed(void **state)
{
    (void)put(11, SHELF_SEALED);
    (void)put(12, SHELF_CLOSED);
    (void)put(13, SHELF_OPEN);
    shelf_confirm(&shelf, 11);
    shelf_ledger_down(&shelf, true);
    const struct epoch *held = shelf_pin(&shelf, 11);
    assert_non_null(held);
    assert_null(shelf_open(&shelf, 0));
    shelf_unpin(&shelf, held);
    assert_non_null(shelf_open(&shelf, 0));
}

static void pins_sealed_epochs_only(void **state)
{
    (void)put(11, SHELF_SEALED);
    (void)put(12, SHELF_CLOSED);
    assert_non_null(shelf_pin(&shelf, 11));
    assert_null(shelf_pin(&shelf, 12));
    assert_null(shelf_pin(&shelf, 10));
}

static void finds_by_number_and_by_place_what_is_closed_or_sealed(void **state)
{
    struct epoch *epoch = put(11, SHELF_OPEN);

    epoch->ranges[epoch->range_count++] = (struct epoch_range){.source = 2, .first = 5, .next = 9};
    assert_null(shelf_find(&shelf, 11));
    shelf_close(&shelf, epoch);
    assert_ptr_equal(shelf_find(&shelf, 11), epoch);
    assert_ptr_equal(shelf_holding(&shelf, 2, 5), epoch);
    assert_ptr_equal(shelf_holding(&shelf, 2, 8), epoch);
    assert_null(shelf_holding(&shelf, 2, 9));
    assert_null(shelf_holding(&shelf, 2, 4));
    assert_null(shelf_holding(&shelf, 1, 5));
}

static void takes_an_unused_epoch_back(void **state)
{
    struct epoch *epoch = put(11, SHELF_OPEN);

    shelf_return(&shelf, epoch);
    assert_null(shelf_take_closed(&shelf, 0));
    assert_ptr_equal(shelf_open(&shelf, 0), epoch);
}

static void nobody_waits_once_it_is_stopped(void **state)
{
    shelf_stop(&shelf);
    assert_null(shelf_take_closed(&shelf, INT64_C(60000000000)));
    assert_false(shelf_wait_sealed(&shelf, 11, INT64_C(60000000000)));
}

static void *wake_soon(void *unused)
{
    usleep(20000);
    shelf_wake(&shelf);
    return unused;
}

static void who_waits_can_be_woken(void **state)
{
    pthread_t waking;

    assert_int_equal(pthread_create(&waking, NULL, wake_soon, NULL), 0);
    assert_false(shelf_wait_sealed(&shelf, 11, INT64_C(60000000000)));
    assert_int_equal(pthread_join(waking, NULL), 0);
    assert_non_null(shelf_open(&shelf, 0)); /* And it goes on as before. */
}

/* Deciding waits for room; sealing and delivering on two other threads make it. */
enum { EPOCHS = 2000 };

static void *seal_all(void *unused)
{
    for (uint64_t number = 11; number < 11 + EPOCHS; number++) {
        struct epoch *epoch = shelf_take_closed(&shelf, INT64_C(60000000000));
        must(epoch != NULL && epoch->number == number);
        shelf_sealed(&shelf, epoch);
    }
    return unused;
}

static void *deliver_all(void *unused)
{
    for (uint64_t number = 11; number < 11 + EPOCHS; number++) {
        must(shelf_wait_sealed(&shelf, number, INT64_C(60000000000)));
        const struct epoch *epoch = shelf_pin(&shelf, number);
        must(epoch != NULL && epoch->decided_ms == (int64_t)number * 3);
        shelf_unpin(&shelf, epoch);
        shelf_confirm(&shelf, number);
    }
    return unused;
}

static void three_threads_pass_every_epoch_on_in_order(void **state)
{
    pthread_t sealing;
    pthread_t delivering;

    assert_int_equal(pthread_create(&sealing, NULL, seal_all, NULL), 0);
    assert_int_equal(pthread_create(&delivering, NULL, deliver_all, NULL), 0);
    for (uint64_t number = 11; number < 11 + EPOCHS; number++) {
        struct epoch *epoch = shelf_open(&shelf, INT64_C(60000000000));
        assert_non_null(epoch);
        epoch->number = number;
        epoch->decided_ms = (int64_t)number * 3;
        shelf_close(&shelf, epoch);
    }
    assert_int_equal(pthread_join(sealing, NULL), 0);
    assert_int_equal(pthread_join(delivering, NULL), 0);
    assert_int_equal(shelf_confirmed_upto(&shelf), 10 + EPOCHS);
}

#define WITH_SHELF(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void says_up_to_where_every_sink_has_all(void **state)
{
    shelf_start(&shelf, 9, 7);
    assert_int_equal(shelf_had_upto(&shelf), 7);
    shelf_hold(&shelf, 0, 5);
    shelf_hold(&shelf, 1, 8); /* It is ahead of a ledger that was put back. */
    assert_int_equal(shelf_had_upto(&shelf), 5);
    shelf_hold(&shelf, 0, SHELF_NOTHING_HELD);
    assert_int_equal(shelf_had_upto(&shelf), 7);
    shelf_confirm(&shelf, 9);
    assert_int_equal(shelf_had_upto(&shelf), 8);
    assert_true(shelf_wait_confirmed(&shelf, 9, 1));
    assert_false(shelf_wait_confirmed(&shelf, 10, 1000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SHELF(hands_out_closed_epochs_oldest_first),
        WITH_SHELF(waits_when_all_are_full_and_the_ledger_is_behind),
        WITH_SHELF(lets_unconfirmed_ones_go_while_the_ledger_is_down),
        WITH_SHELF(never_lets_go_of_what_is_pinned_or_not_sealed),
        WITH_SHELF(pins_sealed_epochs_only),
        WITH_SHELF(finds_by_number_and_by_place_what_is_closed_or_sealed),
        WITH_SHELF(takes_an_unused_epoch_back),
        WITH_SHELF(nobody_waits_once_it_is_stopped),
        WITH_SHELF(who_waits_can_be_woken),
        WITH_SHELF(three_threads_pass_every_epoch_on_in_order),
        WITH_SHELF(says_up_to_where_every_sink_has_all),
    };
    return cmocka_run_group_tests_name("shelf", tests, NULL, NULL);
}
