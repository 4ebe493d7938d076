#include "pay/ident.h"
#include "test/unit.h"

static const struct siphash_key key = {3, 4};

static enum ident_kind kind_of(const char *text, struct ident *ret_ident)
{
    return ident_from(&key, (struct span){text, strlen(text)}, ret_ident);
}

static void keeps_short_ids_and_uuids_whole(void **state)
{
    const char *texts[] = {"a", "abc-123", "fifteen-bytes-x",
                           "01234567-89ab-cdef-0123-456789abcdef"};
    const enum ident_kind kinds[] = {IDENT_SHORT, IDENT_SHORT, IDENT_SHORT, IDENT_UUID};

    for (size_t index = 0; index < 4; index++) {
        struct ident ident;
        char again[36];

        assert_int_equal(kind_of(texts[index], &ident), kinds[index]);
        size_t size = ident_write(kinds[index], &ident, again);
        assert_int_equal(size, strlen(texts[index]));
        assert_memory_equal(again, texts[index], size);
    }
}

/* Bytes are compared as sent: another case is another id. */
static void takes_only_the_canonical_form_for_a_uuid(void **state)
{
    const char *texts[] = {"01234567-89AB-cdef-0123-456789abcdef",
                           "0123456789ab-cdef-0123-456789abcdef-",
                           "01234567-89ab-cdef-0123-456789abcdeg", "sixteen-bytes-xx"};

    for (size_t index = 0; index < 4; index++) {
        struct ident ident;
        assert_int_equal(kind_of(texts[index], &ident), IDENT_LONG);
    }
}

/* Every byte in every place of a UUID, against the rule said plainly. */
static void looks_at_every_character_of_a_uuid(void **state)
{
    const char *uuid = "01234567-89ab-cdef-0123-456789abcdef";

    for (size_t place = 0; place < 36; place++) {
        for (int byte = 1; byte < 256; byte++) {
            char text[37];
            struct ident ident;
            memcpy(text, uuid, sizeof(text));
            text[place] = (char)byte;
            bool right = uuid[place] == '-'
                             ? byte == '-'
                             : (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
            assert_int_equal(kind_of(text, &ident), right ? IDENT_UUID : IDENT_LONG);
            char again[36];
            if (right) {
                assert_int_equal(ident_write(IDENT_UUID, &ident, again), 36);
                assert_memory_equal(again, text, 36);
            }
        }
    }
}

static void keeps_a_short_id_of_each_length(void **state)
{
    const char *text = "\xff\x80"
                       "cdefghijklmno";

    for (size_t size = 1; size <= 15; size++) {
        struct ident ident;
        char again[36];
        assert_int_equal(ident_from(&key, (struct span){text, size}, &ident), IDENT_SHORT);
        assert_int_equal(ident_write(IDENT_SHORT, &ident, again), size);
        assert_memory_equal(again, text, size);
        for (size_t index = size; index < 15; index++) {
            assert_int_equal(ident.bytes[index], 0);
        }
        assert_int_equal(ident.bytes[15], size);
    }
}

static void tells_apart_what_differs_by_padding(void **state)
{
    struct ident one;
    struct ident other;

    (void)kind_of("a", &one);
    (void)ident_from(&key, (struct span){"a\0", 2}, &other);
    assert_false(ident_same(&one, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_short_ids_and_uuids_whole),
        cmocka_unit_test(takes_only_the_canonical_form_for_a_uuid),
        cmocka_unit_test(looks_at_every_character_of_a_uuid),
        cmocka_unit_test(keeps_a_short_id_of_each_length),
        cmocka_unit_test(tells_apart_what_differs_by_padding),
    };
    return cmocka_run_group_tests_name("ident", tests, NULL, NULL);
}
