#include "test/unit.h"

#include "cmd/partition.h"

#include <string.h>

static int32_t hash_of(const char *text)
{
    return (int32_t)partition_hash((struct span){text, strlen(text)});
}

/* The values of Kafka's own test (UtilsTest.testMurmur2). */
static void hashes_as_javas_producers_do(void **state)
{
    assert_int_equal(hash_of("21"), -973932308);
    assert_int_equal(hash_of("foobar"), -790332482);
    assert_int_equal(hash_of("a-little-bit-long-string"), -985981536);
    assert_int_equal(hash_of("a-little-bit-longer-string"), -1486304829);
    assert_int_equal(hash_of("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
    assert_int_equal(hash_of("abc"), 479470107);
}

static void a_partition_is_one_of_those_that_are_there(void **state)
{
    assert_int_equal(partition_of((struct span){"foobar", 6}, 12),
                     ((uint32_t)-790332482 & INT32_MAX) % 12);
    for (uint32_t count = 1; count < 50; count++) {
        assert_true(partition_of((struct span){"foobar", 6}, count) < count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_javas_producers_do),
        cmocka_unit_test(a_partition_is_one_of_those_that_are_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
