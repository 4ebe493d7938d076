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

/* Aligned writes may go past the page cache; what is read is the same, by the same and by others.
 */
static void aligned_and_other_writes_meet(void **state)
{
    static _Alignas(DISK_BLOCK) uint8_t block[2 * DISK_BLOCK];
    static uint8_t back[4 * DISK_BLOCK];
    struct disk *disk = &posix.disk;
    disk_file writer = -1;
    disk_file reader = -1;
    size_t size = 0;

    assert_int_equal(disk_open(disk, "c", true, &writer, &fault), DONE);
    assert_int_equal(disk_open(disk, "c", false, &reader, &fault), DONE);
    assert_int_equal(disk_allocate(disk, writer, 4 * DISK_BLOCK, &fault), DONE);
    assert_int_equal(disk_read(disk, reader, 0, back, sizeof(back), &size, &fault), DONE);
    assert_int_equal(size, 4 * DISK_BLOCK);
    for (int round = 1; round < 50; round++) {
        memset(block, round, sizeof(block));
        struct span two = {block, sizeof(block)};
        assert_int_equal(disk_write(disk, writer, DISK_BLOCK, two, &fault), DONE);
        assert_int_equal(disk_write(disk, writer, 100, (struct span){"abc", 3}, &fault), DONE);
        assert_int_equal(disk_sync(disk, writer, &fault), DONE);
        assert_int_equal(disk_read(disk, reader, 0, back, sizeof(back), &size, &fault), DONE);
        assert_memory_equal(back + 100, "abc", 3);
        assert_memory_equal(back + DISK_BLOCK, block, sizeof(block));
        assert_int_equal(back[3 * DISK_BLOCK], 0);
        assert_int_equal(disk_read(disk, writer, DISK_BLOCK + 1, back, 5, &size, &fault), DONE);
        assert_memory_equal(back, block, 5);
    }
    disk_forget(disk, reader);
    assert_int_equal(disk_read(disk, reader, DISK_BLOCK, back, sizeof(block), &size, &fault), DONE);
    assert_memory_equal(back, block, sizeof(block));
    disk_close(disk, reader);
    disk_close(disk, writer);
    assert_int_equal(disk_unlink(disk, "c", &fault), DONE);
}

static void lists_each_name_once(void **state)
{
    struct disk *disk = &posix.disk;
    char name[DISK_NAME_MAX];
    disk_file file = -1;
    unsigned seen = 0;

    for (char letter = 'a'; letter < 'i'; letter++) {
        char text[] = {letter, '\0'};
        assert_int_equal(disk_open(disk, text, true, &file, &fault), DONE);
        disk_close(disk, file);
    }
    for (size_t index = 0; index < 8; index++) {
        assert_int_equal(disk_list(disk, index, name, &fault), DONE);
        seen |= 1U << (name[0] - 'a');
    }
    assert_int_equal(seen, 0xff);
    assert_int_equal(disk_list(disk, 8, name, &fault), LATER);
    assert_int_equal(disk_list(disk, 3, name, &fault), DONE);
    for (int left = 8; left > 0; left--) {
        assert_int_equal(disk_list(disk, 0, name, &fault), DONE);
        assert_int_equal(disk_unlink(disk, name, &fault), DONE);
    }
    assert_int_equal(disk_list(disk, 0, name, &fault), LATER);
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
        cmocka_unit_test(aligned_and_other_writes_meet),
        cmocka_unit_test(lists_each_name_once),
        cmocka_unit_test(a_volume_has_one_owner),
    };
    return cmocka_run_group_tests_name("disk_posix", tests, set_up, tear_down);
}
