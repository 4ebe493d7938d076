#include "base/checksum.h"
#include "test/unit.h"

/* RFC 3720, appendix B.4, and the check value of the CRC catalogue. */
static void gives_the_published_values(void **state)
{
    uint8_t zeros[32] = {0};
    uint8_t ones[32];
    memset(ones, 0xff, sizeof(ones));

    assert_int_equal(checksum(0, (struct span){zeros, 32}), 0x8a9136aa);
    assert_int_equal(checksum(0, (struct span){ones, 32}), 0x62a8ab43);
    assert_int_equal(checksum(0, (struct span){"123456789", 9}), 0xe3069283);
    assert_int_equal(checksum(0, (struct span){"", 0}), 0);
}

static void comes_out_the_same_by_table_and_in_pieces(void **state)
{
    static uint8_t bytes[20000];
    uint32_t seed = 1;

    for (size_t index = 0; index < sizeof(bytes); index++) {
        seed = seed * 1664525 + 1013904223;
        bytes[index] = (uint8_t)(seed >> 24);
    }
    for (size_t size = 0; size < sizeof(bytes); size += 1 + size / 7) {
        uint32_t whole = checksum(0, (struct span){bytes, size});
        size_t cut = size / 3;
        uint32_t part = checksum(0, (struct span){bytes, cut});

        assert_int_equal(whole, checksum_portable(0, (struct span){bytes, size}));
        assert_int_equal(whole, checksum(part, (struct span){bytes + cut, size - cut}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_published_values),
        cmocka_unit_test(comes_out_the_same_by_table_and_in_pieces),
    };
    return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
