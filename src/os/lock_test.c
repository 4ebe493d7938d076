#include "os/lock.h"
#include "test/unit.h"

#include <stdlib.h>
#include <unistd.h>

static char path[] = "lock_test_XXXXXX";

static int set_up(void **unused)
{
    int made = mkstemp(path);
    return made < 0 || close(made) != 0;
}

static int tear_down(void **unused)
{
    return unlink(path);
}

static void a_held_lock_is_refused_and_names_its_holder(void **unused)
{
    char ours[32];
    struct lock first;
    struct lock second;
    struct fault fault;

    assert_int_equal(lock_take(&first, path, &fault), DONE);
    assert_int_equal(lock_take(&second, path, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_DATA_DIR_IN_USE);
    (void)snprintf(ours, sizeof(ours), "process %ld since 20", (long)getpid());
    assert_non_null(strstr(fault.text, ours));
    lock_release(&first);
    assert_int_equal(lock_take(&second, path, &fault), DONE);
    lock_release(&second);
}

static void who_only_asks_takes_nothing(void **unused)
{
    char holder[LOCK_HOLDER_SIZE] = "";
    struct lock lock;
    struct fault fault;

    assert_false(lock_holder(path, holder));
    assert_int_equal(lock_take(&lock, path, &fault), DONE);
    assert_true(lock_holder(path, holder));
    assert_non_null(strstr(holder, "process "));
    assert_true(lock_holder(path, holder));
    lock_release(&lock);
    assert_false(lock_holder(path, holder));
    assert_false(lock_holder("no-such-file", holder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_held_lock_is_refused_and_names_its_holder),
        cmocka_unit_test(who_only_asks_takes_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
