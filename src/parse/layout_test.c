#include "test/message_same.h"
#include "test/parsed.h"

/* Two readers of the same messages: one that remembers a layout, one that never does. */
struct both {
    struct parsed quick;
    struct parsed fully;
    uint64_t taken_by_layout;
};

static void both_init(struct both *both)
{
    memset(both, 0, sizeof(*both));
    parsed_init(&both->quick);
    parsed_init(&both->fully);
}

static void both_close(struct both *both)
{
    parsed_close(&both->quick);
    parsed_close(&both->fully);
}

/* Is it one of the shapes remembered, and its values whole? */
static bool is_known(const struct parsed *parsed, struct span raw)
{
    const struct parse_scratch *scratch = &parsed->scratch;
    struct layout_texts texts;
    struct json_value values[JSON_KEYS_MAX];
    struct found found;
    struct marks marks;
    bool known = false;

    if (scratch->owner != &parsed->parser || !marks_find(raw, parsed->parser.wide, &marks)) {
        return false;
    }
    for (size_t index = 0; index < scratch->shape_count; index++) {
        const struct layout *layout = &scratch->shapes[index].layout;
        known = known || (layout_match(layout, raw, &marks, parsed->parser.wide, &texts) &&
                          layout_values(layout, raw, &texts, values, &found));
    }
    return known;
}

/* The same parser for both, so that a refusal's field is the same text. */
static void both_read(struct both *both, const void *bytes, size_t size)
{
    const struct parser *parser = &both->quick.parser;

    both->taken_by_layout += is_known(&both->quick, (struct span){bytes, size});
    parsed_bytes(&both->quick, bytes, size);
    both->fully.message.raw = both->quick.message.raw;
    both->fully.message.size = (uint32_t)size;
    both->fully.scratch.used = 0;
    parse_message_fully(parser, &both->fully.message, &both->fully.scratch);
    if (!message_same(&both->quick.message, &both->fully.message)) {
        fail_msg("%.*s: %s at %u, fully %s at %u", (int)size, (const char *)bytes,
                 refusal_label(both->quick.message.refusal.reason),
                 both->quick.message.refusal.position,
                 refusal_label(both->fully.message.refusal.reason),
                 both->fully.message.refusal.position);
    }
}

/* Shapes that are remembered; ' for ". */
static const char *const shapes[] = {
    "{'transaction_id':'2f1c1e5a-0b5e-4d8c-9a57-1d1f6c1c9b1e','sender_account_id':'ACC_000123',"
    "'receiver_account_id':'ACC_004567','amount':1000.10,'currency':'USD',"
    "'device_id':'device_00c0ffee','ip_address':'10.1.2.3','timestamp':1772000000123,"
    "'region':'EU','payment_method':'wallet','credit_card':'4111111111111111','cvv':'123'}",
    "  { 'transaction_id': 'a' , 'timestamp': 1772000000 , 'sender':'b','receiver':'c',"
    "'amount':'7','currency':'EUR','status':null,'region':true,'x':false,'y':-1.5e+3,'z':''}  ",
    "{'first-of-all-comes-a-name-that-is-longer-than-a-step':'',"
    "'timestamp':'2026-02-25T06:13:20Z','sender':'b','receiver':'c','currency':'EUR',"
    "'a-name-of-some-length-that-no-setting-has-and-that-is-longer-than-a-step':1,"
    "'transaction_id':'a','amount':0.5}",
    "{'transaction_id':'a','sender':'b','receiver':'c','currency':'EUR','amount':'0.5',"
    "'timestamp':1772000000}",
};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

_Static_assert((int)SHAPES == (int)PARSE_SHAPES, "all of them are remembered together");

static size_t shape_write(size_t which, char *to)
{
    size_t size = strlen(shapes[which]);

    for (size_t index = 0; index < size; index++) {
        to[index] = shapes[which][index] == '\'' ? '"' : shapes[which][index];
    }
    return size;
}

static void remembers_a_good_message_of_each_shape(void **state)
{
    struct both both;
    char text[1024];

    both_init(&both);
    for (size_t which = 0; which < SHAPES; which++) {
        size_t size = shape_write(which, text);
        uint64_t before = both.taken_by_layout;
        for (size_t turn = 0; turn < 3; turn++) {
            both_read(&both, text, size);
            assert_refused(&both.quick, REFUSAL_NONE, 0);
        }
        assert_int_equal(both.taken_by_layout - before, 2);
    }
    both_close(&both);
}

/* Every byte of a known shape replaced by every byte. */
static void change_each_byte(bool wide)
{
    struct both both;
    char good[1024], text[1024];

    both_init(&both);
    both.quick.parser.wide = wide;
    for (size_t which = 0; which < SHAPES; which++) {
        size_t size = shape_write(which, good);
        for (size_t place = 0; place < size; place++) {
            for (int byte = 0; byte < 256; byte++) {
                both_read(&both, good, size);
                memcpy(text, good, size);
                text[place] = (char)byte;
                both_read(&both, text, size);
            }
        }
    }
    both_close(&both);
}

/* A byte left out, a byte put in, the end cut off. */
static void change_each_length(bool wide)
{
    static const char put_in[] = "\" ,:{}[]\\0-.aE\n\t\x7f\xc3";
    struct both both;
    char good[1024], text[1024];

    both_init(&both);
    both.quick.parser.wide = wide;
    for (size_t which = 0; which < SHAPES; which++) {
        size_t size = shape_write(which, good);
        for (size_t place = 0; place < size; place++) {
            both_read(&both, good, size);
            both_read(&both, good, place);
            memcpy(text, good, place);
            memcpy(text + place, good + place + 1, size - place - 1);
            both_read(&both, text, size - 1);
            for (size_t index = 0; index < sizeof(put_in); index++) {
                both_read(&both, good, size);
                memcpy(text + place + 1, good + place, size - place);
                text[place] = put_in[index];
                both_read(&both, text, size + 1);
            }
        }
    }
    both_close(&both);
}

static void agrees_with_the_full_reader_without_vectors(void **state)
{
    change_each_byte(false);
    change_each_length(false);
}

static void agrees_with_the_full_reader_with_vectors(void **state)
{
    if (!marks_wide()) {
        print_message("SKIPPED: this machine lacks AVX2, BMI or POPCNT\n");
        skip();
    }
    change_each_byte(true);
    change_each_length(true);
}

/* A payment with so many keys. */
static size_t keys_write(size_t count, char *to)
{
    char *at = stpcpy(to, "{\"transaction_id\":\"abcdefghij\",\"sender\":\"ACC_1\","
                          "\"receiver\":\"ACC_2\",\"amount\":1,\"currency\":\"EUR\",");

    for (size_t index = PARSE_FIELDS; index < count; index++) {
        at += sprintf(at, "\"k%zu\":\"%zu\",", index, index);
    }
    at = stpcpy(at, "\"timestamp\":1772000000}");
    return (size_t)(at - to);
}

static void agrees_with_the_full_reader_about_messages_of_many_keys(void **state)
{
    static const char other[] = "\" :,}x";
    char good[MARKS_MESSAGE_MAX], text[MARKS_MESSAGE_MAX];
    struct both both;

    both_init(&both);
    for (size_t count = PARSE_FIELDS; count <= JSON_KEYS_MAX; count++) {
        size_t size = keys_write(count, good);
        uint64_t before = both.taken_by_layout;
        both_read(&both, good, size);
        both_read(&both, good, size);
        assert_int_equal(both.taken_by_layout - before, 1);
        for (size_t place = 0; place < size; place++) {
            memcpy(text, good, size);
            text[place] = other[(place + count) % (sizeof(other) - 1)];
            both_read(&both, text, size);
            both_read(&both, good, size);
        }
        assert_in_range(both.taken_by_layout - before, size, 2 * size);
    }
    both_close(&both);
}

/* What the settings make of a key may not be forgotten with the layout. */
static void refuses_an_unknown_key_of_a_shape_it_let_pass_unread(void **state)
{
    const char skipped[] =
        "{\"status\":\"PENDING\",\"strange\":\"1\",\"transaction_id\":\"abcdefghij\","
        "\"sender\":\"ACC_1\",\"receiver\":\"ACC_2\"}";
    const char selected[] =
        "{\"status\":\"SUCCESS\",\"strange\":\"1\",\"transaction_id\":\"abcdefghij\","
        "\"sender\":\"ACC_1\",\"receiver\":\"ACC_2\"}";
    struct both both;

    both_init(&both);
    both.quick.settings.reject_unknown = true;
    memcpy(both.quick.settings.only_field, "status", 7);
    both.quick.settings.only_values.count = 1;
    memcpy(both.quick.settings.only_values.names[0], "SUCCESS", 8);
    parsed_settings(&both.quick);
    both_read(&both, skipped, strlen(skipped));
    assert_false(both.quick.message.selected);
    both_read(&both, selected, strlen(selected));
    assert_refused(&both.quick, REFUSAL_UNKNOWN_FIELD, 20);
    both_close(&both);
}

/* As many shapes as are remembered, in turn; one more and each pushes out the one that is next. */
static void keeps_the_quick_way_for_shapes_that_alternate(void **state)
{
    struct both both;
    char text[1024];

    both_init(&both);
    for (size_t turn = 0; turn < 5 * SHAPES; turn++) {
        size_t size = shape_write(turn % SHAPES, text);
        both_read(&both, text, size);
    }
    assert_int_equal(both.taken_by_layout, 4 * SHAPES);
    both_close(&both);
}

/* The same bytes between the values, once a number, once null: two shapes. */
static void remembers_what_kind_a_value_was(void **state)
{
    const char number[] = "{\"transaction_id\":\"abcdefghij\",\"sender\":\"ACC_1\",\"x\":17,"
                          "\"receiver\":\"ACC_2\",\"amount\":1,\"currency\":\"EUR\",\"timestamp\":"
                          "1772000000}";
    char nothing[sizeof(number) + 2];
    struct both both;

    const char *at = strstr(number, "17");
    size_t before = (size_t)(at - number);
    memcpy(nothing, number, before);
    memcpy(nothing + before, "null", 4);
    memcpy(nothing + before + 4, at + 2, strlen(at + 2));
    both_init(&both);
    for (size_t turn = 0; turn < 5; turn++) {
        both_read(&both, number, sizeof(number) - 1);
        both_read(&both, nothing, sizeof(number) + 1);
    }
    assert_int_equal(both.taken_by_layout, 8);
    assert_int_equal(both.quick.scratch.shape_count, 2);
    both_close(&both);
}

static void finds_the_same_marks_with_and_without_vectors(void **state)
{
    uint8_t text[256];
    uint64_t dice = 1;
    size_t found = 0;

    for (size_t turn = 0; turn < 200000; turn++) {
        size_t size = MARKS_MESSAGE_MIN + turn % (sizeof(text) - MARKS_MESSAGE_MIN);
        struct marks wide, narrow;
        for (size_t index = 0; index < size; index++) {
            dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            uint64_t draw = dice >> 60;
            text[index] = draw < 3 ? '"' : draw < 6 ? ':' : (uint8_t)(' ' + (dice >> 40) % 60);
        }
        if (turn % 3 == 0) { /* Any byte at all, somewhere. */
            text[dice % size] = (uint8_t)(dice >> 33);
        }
        bool plain = marks_find((struct span){text, size}, marks_wide(), &wide);
        assert_int_equal(plain, marks_find((struct span){text, size}, false, &narrow));
        if (plain) {
            size_t expected = 0;
            for (size_t index = 1; index < size; index++) {
                if (text[index] == ':' && text[index - 1] == '"') {
                    assert_int_equal(narrow.at[expected++], index);
                }
            }
            assert_int_equal(narrow.count, expected);
            assert_int_equal(narrow.at[expected], size);
            assert_int_equal(wide.count, expected);
            assert_int_equal(wide.quotes, narrow.quotes);
            assert_memory_equal(wide.at, narrow.at, (expected + MARKS_LANES) * sizeof(wide.at[0]));
            found += expected;
        }
    }
    assert_true(found > 100000);
}

static void gives_up_where_there_are_more_marks_than_an_object_has_keys(void **state)
{
    char text[MARKS_MESSAGE_MAX];
    struct marks marks;

    for (size_t index = 0; index < sizeof(text); index++) {
        text[index] = index % 2 == 0 ? '"' : ':';
    }
    for (int wide = 0; wide <= marks_wide(); wide++) {
        assert_true(marks_find((struct span){text, 2 * JSON_KEYS_MAX}, wide, &marks));
        assert_int_equal(marks.count, JSON_KEYS_MAX);
        assert_false(marks_find((struct span){text, 2 * JSON_KEYS_MAX + 2}, wide, &marks));
        assert_false(marks_find((struct span){text, sizeof(text)}, wide, &marks));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_a_good_message_of_each_shape),
        cmocka_unit_test(agrees_with_the_full_reader_without_vectors),
        cmocka_unit_test(agrees_with_the_full_reader_with_vectors),
        cmocka_unit_test(agrees_with_the_full_reader_about_messages_of_many_keys),
        cmocka_unit_test(refuses_an_unknown_key_of_a_shape_it_let_pass_unread),
        cmocka_unit_test(finds_the_same_marks_with_and_without_vectors),
        cmocka_unit_test(gives_up_where_there_are_more_marks_than_an_object_has_keys),
        cmocka_unit_test(keeps_the_quick_way_for_shapes_that_alternate),
        cmocka_unit_test(remembers_what_kind_a_value_was),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
