#include "os/machine.h"
#include "test/unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "machine_test_XXXXXX";

static void put(const char *path, const char *text)
{
    char whole[256];
    int size = snprintf(whole, sizeof(whole), "%s%s", root, path);

    for (char *slash = strchr(whole, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(whole, 0700);
        *slash = '/';
    }
    assert_true(size > 0);
    FILE *stream = fopen(whole, "we");
    assert_non_null(stream);
    (void)fputs(text, stream);
    (void)fclose(stream);
}

static int set_up(void **state)
{
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state)
{
    char command[64];

    (void)snprintf(command, sizeof(command), "rm -r %s", root);
    return system(command);
}

static void is_the_machine_where_no_group_limits(void **state)
{
    struct machine_memory memory = machine_memory(root, 1000);

    assert_int_equal(memory.bytes, 1000);
    assert_string_equal(memory.whose, "machine");
    assert_true(machine_memory("", 0).bytes > 1024 * 1024);
}

static void takes_the_smallest_limit_on_the_way_up(void **state)
{
    put("/proc/self/cgroup", "0::/outer/inner\n");
    put("/sys/fs/cgroup/outer/inner/memory.max", "max\n");
    put("/sys/fs/cgroup/outer/memory.max", "700\n");
    struct machine_memory memory = machine_memory(root, 1000);
    assert_int_equal(memory.bytes, 700);
    assert_string_equal(memory.whose, "cgroup");

    put("/sys/fs/cgroup/outer/inner/memory.max", "600\n");
    assert_int_equal(machine_memory(root, 1000).bytes, 600);
    assert_int_equal(machine_memory(root, 500).bytes, 500);
}

static void reads_version_one_and_its_way_of_saying_none(void **state)
{
    put("/proc/self/cgroup", "9:cpu,cpuacct:/x\n4:memory:/host/path\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(machine_memory(root, 1000).bytes, 1000);
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "800\n");
    assert_int_equal(machine_memory(root, 1000).bytes, 800);
}

static void has_at_least_one_processor(void **state)
{
    assert_true(machine_processors() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_machine_where_no_group_limits),
        cmocka_unit_test(takes_the_smallest_limit_on_the_way_up),
        cmocka_unit_test(reads_version_one_and_its_way_of_saying_none),
        cmocka_unit_test(has_at_least_one_processor),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
