#include "os/disk.h"
#include "os/lock.h"
#include "test/unit.h"

#include <stdlib.h>
#include <unistd.h>

static char directory[] = "disk_posix_test_XXXXXX";
static struct disk_posix posix;
static struct fault fault;

static int set_up(void **state)
{
    return mkdtemp(directory) == NULL || disk_posix_open(&posix, directory, &fault) != DONE;
}

static int tear_down(void **state)
{
    disk_posix_close(&posix);
    return rmdir(directory);
}

static void gives_back_what_was_written(void **state)
{
    struct disk *disk = &posix.disk;
    char name[DISK_NAME_MAX];
    char bytes[8] = "";
    size_t size = 0;
    disk_file file = -1;

    assert_int_equal(disk_open(disk, "a", false, &file, &fault), LATER);
    assert_int_equal(disk_open(disk, "a", true, &file, &fault), DONE);
    assert_int_equal(disk_write(disk, file, 4, (struct span){"abcd", 4}, &fault), DONE);
    assert_int_equal(disk_sync(disk, file, &fault), DONE);
    assert_int_equal(disk_read(disk, file, 2, bytes, sizeof(bytes), &size, &fault), DONE);
    assert_int_equal(size, 6);
    assert_memory_equal(bytes, "\0\0abcd", 6);
    disk_close(disk, file);
    assert_int_equal(disk_rename(disk, "a", "b", &fault), DONE);
    assert_int_equal(disk_sync_directory(disk, &fault), DONE);
    assert_int_equal(disk_list(disk, 0, name, &fault), DONE);
    assert_string_equal(name, "b");
    assert_int_equal(disk_list(disk, 1, name, &fault), LATER);
    assert_int_equal(disk_unlink(disk, "b", &fault), DONE);
}

static void a_volume_has_one_owner(void **state)
{
    char path[100];
    struct lock first;
    struct lock second;

    (void)snprintf(path, sizeof(path), "%s/lock", directory);
    assert_int_equal(lock_take(&first, path, &fault), DONE);
    assert_int_equal(lock_take(&second, path, &fault), BROKEN);
    assert_int_equal(fault.code, FAULT_DATA_DIR_IN_USE);
    assert_non_null(strstr(fault.text, "held by process"));
    lock_release(&first);
    assert_int_equal(lock_take(&second, path, &fault), DONE);
    lock_release(&second);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_written),
        cmocka_unit_test(a_volume_has_one_owner),
    };
    return cmocka_run_group_tests_name("disk_posix", tests, set_up, tear_down);
}
