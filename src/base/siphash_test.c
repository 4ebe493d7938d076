#include "base/siphash.h"
#include "test/unit.h"

/* Key 00..0f, input 00, 00 01, ...: the SipHash-1-3 vectors of the Rust core library. */
static void gives_the_published_values(void **state)
{
    const struct siphash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    const uint64_t expected[] = {
        UINT64_C(0xabac0158050fc4dc), UINT64_C(0xc9f49bf37d57ca93), UINT64_C(0x82cb9b024dc7d44d),
        UINT64_C(0x8bf80ab8e7ddf7fb), UINT64_C(0xcf75576088d38328), UINT64_C(0xdef9d52f49533b67),
        UINT64_C(0xc50d2b50c59f22a7), UINT64_C(0xd3927d989bb11140), UINT64_C(0x369095118d299a8e),
    };
    uint8_t input[16];

    for (size_t size = 0; size < sizeof(expected) / sizeof(expected[0]); size++) {
        assert_true(siphash(&key, (struct span){input, size}) == expected[size]);
        input[size] = (uint8_t)size;
    }
}

static void another_key_gives_another_hash(void **state)
{
    const struct siphash_key one = {1, 2};
    const struct siphash_key other = {1, 3};

    assert_false(siphash(&one, (struct span){"abc-123", 7}) ==
                 siphash(&other, (struct span){"abc-123", 7}));
}

static void hashes_words_as_the_bytes_they_are(void **state)
{
    const struct siphash_key key = {3, 4};
    uint64_t words[8];

    for (size_t count = 0; count <= 8; count++) {
        for (size_t index = 0; index < count; index++) {
            words[index] = UINT64_C(0x9e3779b97f4a7c15) * (index + count);
        }
        assert_true(siphash_words(&key, words, count) ==
                    siphash(&key, (struct span){words, count * sizeof(words[0])}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_published_values),
        cmocka_unit_test(another_key_gives_another_hash),
        cmocka_unit_test(hashes_words_as_the_bytes_they_are),
    };
    return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
