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
        cmocka_unit_test(tells_apart_what_differs_by_padding),
    };
    return cmocka_run_group_tests_name("ident", tests, NULL, NULL);
}
