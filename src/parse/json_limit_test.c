#include "parse/json.h"
#include "test/unit.h"

static void read_all(const char *bytes, size_t size, struct json *json)
{
    static uint8_t room[1 << 17];
    struct json_object object;
    struct span key;
    struct json_value value;
    enum json_step step = JSON_MEMBER;

    assert_true(size <= sizeof(room));
    json_init(json, (struct span){bytes, size}, room);
    if (!json_open(json, &object)) {
        return;
    }
    while (step == JSON_MEMBER) {
        step = json_next(json, &object, &key, &value);
    }
    if (step == JSON_END && json_close(json)) {
        assert_int_equal(json->reason, REFUSAL_NONE);
        assert_int_equal(json->depth, 0);
    }
}

static size_t write_nested(char *to, size_t depth, char open, char close)
{
    size_t size = 5;

    memcpy(to, "{\"a\":", 5);
    for (size_t level = 1; level < depth; level++) {
        if (open == '{' && level + 1 < depth) {
            memcpy(to + size, "{\"a\":", 5);
            size += 5;
        } else {
            to[size++] = open;
        }
    }
    for (size_t level = 1; level < depth; level++) {
        to[size++] = close;
    }
    to[size++] = '}';
    return size;
}

static void nests_sixteen_deep_and_no_deeper(void **state)
{
    struct json json;
    char text[512];

    read_all(text, write_nested(text, JSON_DEPTH_MAX, '[', ']'), &json);
    assert_int_equal(json.reason, REFUSAL_NONE);
    read_all(text, write_nested(text, JSON_DEPTH_MAX + 1, '[', ']'), &json);
    assert_int_equal(json.reason, REFUSAL_DEPTH);
    assert_int_equal(json.position, 5 + JSON_DEPTH_MAX - 1);
    read_all(text, write_nested(text, JSON_DEPTH_MAX, '{', '}'), &json);
    assert_int_equal(json.reason, REFUSAL_NONE);
    read_all(text, write_nested(text, JSON_DEPTH_MAX + 1, '{', '}'), &json);
    assert_int_equal(json.reason, REFUSAL_DEPTH);
    assert_int_equal(json.position, 5 * JSON_DEPTH_MAX);
}

/* An object of so many keys, of `key_size` bytes each, in another one if nested. */
static size_t write_keys(char *to, size_t count, size_t key_size, bool nested)
{
    size_t size = 0;

    if (nested) {
        size = (size_t)sprintf(to, "{\"x\":");
    }
    to[size++] = '{';
    for (size_t index = 0; index < count; index++) {
        size += (size_t)sprintf(to + size, "%s\"%0*zu\":1", index == 0 ? "" : ",", (int)key_size,
                                index);
    }
    return size + (size_t)sprintf(to + size, "%s", nested ? "}}" : "}");
}

static void holds_sixty_four_keys_in_one_object_and_no_more(void **state)
{
    static char text[1 << 17];
    struct json json;

    for (int nested = 0; nested < 2; nested++) {
        read_all(text, write_keys(text, JSON_KEYS_MAX, 2, nested), &json);
        assert_int_equal(json.reason, REFUSAL_NONE);
        read_all(text, write_keys(text, JSON_KEYS_MAX + 1, 2, nested), &json);
        assert_int_equal(json.reason, REFUSAL_KEYS);
        assert_int_equal(json.position, (nested ? 6 : 1) + 7 * JSON_KEYS_MAX);
        read_all(text, write_keys(text, JSON_KEYS_MAX, 1000, nested), &json);
        assert_int_equal(json.reason, REFUSAL_NONE);
    }
}

/* Keys are forgotten with their object, however many objects there are. */
static void holds_as_many_objects_as_fit_into_the_text(void **state)
{
    static char text[1 << 16];
    size_t size = (size_t)sprintf(text, "{\"x\":[{\"a\":1}");
    struct json json;

    while (size + 10 < sizeof(text)) {
        size += (size_t)sprintf(text + size, ",{\"a\":1}");
    }
    size += (size_t)sprintf(text + size, "]}");
    read_all(text, size, &json);
    assert_int_equal(json.reason, REFUSAL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nests_sixteen_deep_and_no_deeper),
        cmocka_unit_test(holds_as_many_objects_as_fit_into_the_text),
        cmocka_unit_test(holds_sixty_four_keys_in_one_object_and_no_more),
    };
    return cmocka_run_group_tests_name("json_limit", tests, NULL, NULL);
}
