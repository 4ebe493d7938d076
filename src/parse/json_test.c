/*
 * After the shapes of JSONTestSuite (N. Seriot, "Parsing JSON is a Minefield"): y what every
 * reader takes, n what none may, i where readers differ and we have chosen. Written by us.
 */
#include "parse/json.h"
#include "test/unit.h"

#include <stdlib.h>

struct shape {
    const char *text; /* ' for ". */
    size_t size;      /* 0: up to its zero byte. */
    enum refusal_reason reason;
    uint32_t position;
};

#define TAKEN(text)                                                                                \
    {                                                                                              \
        text, 0, REFUSAL_NONE, 0                                                                   \
    }
#define WRONG(text, at)                                                                            \
    {                                                                                              \
        text, 0, REFUSAL_JSON, at                                                                  \
    }
#define IS(text, reason, at)                                                                       \
    {                                                                                              \
        text, 0, reason, at                                                                        \
    }

static const struct shape taken[] = {
    TAKEN("{}"),
    TAKEN(" \t\r\n{ \t\r\n} \t\r\n"),
    TAKEN("{'':0}"),
    TAKEN("{'a':[]}"),
    TAKEN("{'a':[ ]}"),
    TAKEN("{'a':[[],[[]],{}]}"),
    TAKEN("{'a':{}}"),
    TAKEN("{'a':[1,2 , 3]}"),
    TAKEN("{'a':null,'b':true,'c':false}"),
    TAKEN("{'a':[null,true,false]}"),
    TAKEN("{'a':0}"),
    TAKEN("{'a':-0}"),
    TAKEN("{'a':-1}"),
    TAKEN("{'a':10}"),
    TAKEN("{'a':0.5}"),
    TAKEN("{'a':0e1}"),
    TAKEN("{'a':0E+1}"),
    TAKEN("{'a':1e-2}"),
    TAKEN("{'a':123.456e78}"),
    TAKEN("{'a':1E22}"),
    TAKEN("{'a':-123123123123123123123123123123}"),
    TAKEN("{'a':''}"),
    TAKEN("{'a':'\\'\\\\\\/\\b\\f\\n\\r\\t'}"),
    TAKEN("{'a':'\\u0060\\u012a\\u12aB'}"),
    TAKEN("{'a':'\\ud83d\\ude39\\ud83d\\udc8d'}"),
    TAKEN("{'a':'\\uDBFF\\uDFFE'}"),
    TAKEN("{'a':'\\u0000'}"),
    TAKEN("{'a':'a/*b*/c/*d//e'}"),
    TAKEN("{'a':'\x7f'}"),
    TAKEN("{'a':'\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80'}"),
    TAKEN("{'a':'\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf'}"),
    TAKEN("{'a':'\xed\x9f\xbf\xee\x80\x80'}"),
    TAKEN("{'a':'\xe2\x80\xa8\xef\xb7\x90\xef\xbb\xbf'}"),
    TAKEN("{'\\u0061':1,'b':2}"),
    TAKEN("{'x':{'a':1,'b':2},'a':3,'b':4}"),
    TAKEN("{'a':{'a':{'a':1}},'b':[{'a':1},{'a':2}]}"),
};

static const struct shape structures[] = {
    WRONG("", 0),
    WRONG(" ", 1),
    WRONG("{", 1),
    WRONG("}", 0),
    WRONG("{,}", 1),
    WRONG("{'a'}", 4),
    WRONG("{'a':}", 5),
    WRONG("{'a':1,}", 7),
    WRONG("{'a':1,,'b':2}", 7),
    WRONG("{'a':1 'b':2}", 7),
    WRONG("{'a' 1}", 5),
    WRONG("{'a'::1}", 5),
    WRONG("{'a':1", 6),
    WRONG("{'a':1]", 6),
    WRONG("{a:1}", 1),
    WRONG("{1:1}", 1),
    WRONG("{null:1}", 1),
    WRONG("{`a`:1}", 1),
    WRONG("{'a':'b','c'", 12),
    WRONG("{'a':[}", 6),
    WRONG("{'a':[1}", 7),
    WRONG("{'a':[,1]}", 6),
    WRONG("{'a':[1,]}", 8),
    WRONG("{'a':[1,,2]}", 8),
    WRONG("{'a':[1 2]}", 8),
    WRONG("{'a':[1:2]}", 7),
    WRONG("{'a':[", 6),
    WRONG("{'a':/**/1}", 5),
    WRONG("{'a':1 // b\n}", 7),
    IS("{'a':1}\f", REFUSAL_TRAILING, 7),
    WRONG("{\v}", 1),
    WRONG("{\xc2\xa0}", 1),
    WRONG("{'a':undefined}", 5),
    WRONG("{'a':True}", 5),
    WRONG("{'a':tru}", 8),
    WRONG("{'a':nulL}", 8),
    WRONG("{'a':fals", 9),
    WRONG("{'a':truee}", 9),
    IS("{} {}", REFUSAL_TRAILING, 3),
    IS("{}x", REFUSAL_TRAILING, 2),
    IS("{}}", REFUSAL_TRAILING, 2),
    IS("{},", REFUSAL_TRAILING, 2),
    IS("[]", REFUSAL_NOT_OBJECT, 0),
    IS(" [1,{'a':2}] ", REFUSAL_NOT_OBJECT, 1),
    IS("'a'", REFUSAL_NOT_OBJECT, 0),
    IS("  -1.5", REFUSAL_NOT_OBJECT, 2),
    IS("null", REFUSAL_NOT_OBJECT, 0),
    IS("[] []", REFUSAL_TRAILING, 3),
    IS("1 2", REFUSAL_TRAILING, 2),
    WRONG("[1,]", 3),
    WRONG("NaN", 0),
};

static const struct shape numbers[] = {
    WRONG("{'a':+1}", 5),
    WRONG("{'a':-}", 6),
    WRONG("{'a':--1}", 6),
    WRONG("{'a':-a}", 6),
    WRONG("{'a':.5}", 5),
    WRONG("{'a':-.5}", 6),
    WRONG("{'a':1.}", 7),
    WRONG("{'a':1.e1}", 7),
    WRONG("{'a':01}", 6),
    WRONG("{'a':-01}", 7),
    WRONG("{'a':00}", 6),
    WRONG("{'a':1e}", 7),
    WRONG("{'a':1e+}", 8),
    WRONG("{'a':1e-x}", 8),
    WRONG("{'a':1.2.3}", 8),
    WRONG("{'a':1e2.3}", 8),
    WRONG("{'a':1e2e3}", 8),
    WRONG("{'a':1_000}", 6),
    WRONG("{'a':0x1F}", 6),
    WRONG("{'a':Infinity}", 5),
    WRONG("{'a':-Infinity}", 6),
    WRONG("{'a':NaN}", 5),
    WRONG("{'a':1a}", 6),
    WRONG("{'a':1 000}", 7),
    WRONG("{'a':\xef\xbc\x91}", 5),
    WRONG("{'a':-", 6),
    WRONG("{'a':1.", 7),
    WRONG("{'a':1e", 7),
};

static const struct shape strings[] = {
    WRONG("{'a':'", 6),
    WRONG("{'a':'b", 7),
    WRONG("{'a':'\\", 7),
    WRONG("{'a':'\\'}", 9),
    WRONG("{'a':'\\x41'}", 7),
    WRONG("{'a':'\\a'}", 7),
    WRONG("{'a':'\\U0041'}", 7),
    WRONG("{'a':'\\ '}", 7),
    WRONG("{'a':'\\u'}", 8),
    WRONG("{'a':'\\u00A'}", 11),
    WRONG("{'a':'\\u00Ag'}", 11),
    WRONG("{'a':'\\u12", 10),
    WRONG("{'a':'\\ud83d\\u12'}", 16),
    WRONG("{'a':'\t'}", 6),
    WRONG("{'a':'b\n'}", 7),
    WRONG("{'a':'\x1f'}", 6),
    WRONG("{'a\n':1}", 3),
    {"{'a':'\0'}", 9, REFUSAL_JSON, 6},
    {"{'a':1\0}", 8, REFUSAL_JSON, 6},
    {"\0{}", 3, REFUSAL_JSON, 0},
    {"{}\0", 3, REFUSAL_TRAILING, 2},
    IS("{'a':'\\ud800'}", REFUSAL_UTF8, 6),
    IS("{'a':'x\\udc00'}", REFUSAL_UTF8, 7),
    IS("{'a':'\\ud800x'}", REFUSAL_UTF8, 6),
    IS("{'a':'\\ud800\\n'}", REFUSAL_UTF8, 6),
    IS("{'a':'\\ud800\\u0041'}", REFUSAL_UTF8, 6),
    IS("{'a':'\\ud800\\ud800'}", REFUSAL_UTF8, 6),
    IS("{'a':'\\ud800", REFUSAL_UTF8, 6),
    IS("{'\\udfff':1}", REFUSAL_UTF8, 2),
    IS("{'a':'\x80'}", REFUSAL_UTF8, 6),
    IS("{'a':'b\xff'}", REFUSAL_UTF8, 7),
    IS("{'a':'\xc0\x80'}", REFUSAL_UTF8, 6),
    IS("{'a':'\xc1\xbf'}", REFUSAL_UTF8, 6),
    IS("{'a':'\xe0\x9f\xbf'}", REFUSAL_UTF8, 6),
    IS("{'a':'\xf0\x8f\xbf\xbf'}", REFUSAL_UTF8, 6),
    IS("{'a':'\xf4\x90\x80\x80'}", REFUSAL_UTF8, 6),
    IS("{'a':'\xf5\x80\x80\x80'}", REFUSAL_UTF8, 6),
    IS("{'a':'\xed\xa0\x80'}", REFUSAL_UTF8, 6),
    IS("{'a':'\xed\xbf\xbf'}", REFUSAL_UTF8, 6),
    IS("{'a':'\xc3'}", REFUSAL_UTF8, 6),
    IS("{'a':'\xe2\x82'}", REFUSAL_UTF8, 6),
    IS("{'a':'\xe2\x82", REFUSAL_UTF8, 6),
    IS("{'a':'\xf0\x9f\x98'}", REFUSAL_UTF8, 6),
    IS("{'\xff':1}", REFUSAL_UTF8, 2),
    IS("{'a':'ok','b':'\xc3('}", REFUSAL_UTF8, 15),
};

static const struct shape repeated[] = {
    IS("{'a':1,'a':1}", REFUSAL_DUPLICATE_KEY, 7),
    IS("{'':1,'':2}", REFUSAL_DUPLICATE_KEY, 6),
    IS("{'a':1,'b':2,'\\u0061':3}", REFUSAL_DUPLICATE_KEY, 13),
    IS("{'\\n':1,'\\u000A':3}", REFUSAL_DUPLICATE_KEY, 8),
    IS("{'\xc3\xa9':1,'\\u00e9':3}", REFUSAL_DUPLICATE_KEY, 8),
    IS("{'\\ud83d\\ude00':1,'\xf0\x9f\x98\x80':3}", REFUSAL_DUPLICATE_KEY, 18),
    IS("{'x':{'a':1,'a':2}}", REFUSAL_DUPLICATE_KEY, 12),
    IS("{'x':[{'b':1},{'a':1,'a':2}]}", REFUSAL_DUPLICATE_KEY, 21),
    IS("{'x':{'y':{'z':0,'z':0}}}", REFUSAL_DUPLICATE_KEY, 17),
    IS("{'x':{'x':1},'x':2}", REFUSAL_DUPLICATE_KEY, 13),
    IS("[{'a':1,'a':2}]", REFUSAL_DUPLICATE_KEY, 8),
    IS("{'abcdefgh-1-abcdefgh':1,'abcdefgh-1-abcdefgh':2}", REFUSAL_DUPLICATE_KEY, 25),
    TAKEN("{'abcdefgh-1-abcdefgh':1,'abcdefgh-2-abcdefgh':2}"),
    TAKEN("{'a':1,'A':2,'a ':3,'\\u0000a':4,'a\\u0000':5}"),
};

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

/* In memory of exactly its size, so that a sanitizer sees a byte too many. */
static void check_shapes(const struct shape *shapes, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        const struct shape *shape = &shapes[index];
        size_t size = shape->size > 0 ? shape->size : strlen(shape->text);
        char *text = malloc(size + (size == 0));
        struct json json;
        assert_non_null(text);
        for (size_t at = 0; at < size; at++) {
            text[at] = shape->text[at] == '\''  ? '"'
                       : shape->text[at] == '`' ? '\''
                                                : shape->text[at];
        }
        read_all(text, size, &json);
        if (json.reason != shape->reason || json.position != shape->position) {
            fail_msg("%s: %s at %zu", shape->text, refusal_label(json.reason), json.position);
        }
        free(text);
    }
}

#define CHECK(shapes) check_shapes(shapes, sizeof(shapes) / sizeof(shapes[0]))

static void takes_what_every_reader_takes(void **state)
{
    CHECK(taken);
}

static void refuses_a_broken_structure_where_it_breaks(void **state)
{
    CHECK(structures);
}

static void refuses_numbers_that_are_none(void **state)
{
    CHECK(numbers);
}

static void refuses_broken_strings_escapes_and_bytes(void **state)
{
    CHECK(strings);
}

static void refuses_a_key_twice_at_every_level(void **state)
{
    CHECK(repeated);
}

/* Any prefix of a good text is refused at its end, and never read beyond it. */
static void refuses_every_prefix_of_a_good_text(void **state)
{
    for (size_t index = 0; index < sizeof(taken) / sizeof(taken[0]); index++) {
        size_t size = strlen(taken[index].text);
        while (size > 0 && taken[index].text[size - 1] != '}') {
            size--;
        }
        while (--size > 0) {
            struct json json;
            char text[128];
            for (size_t at = 0; at < size; at++) {
                text[at] = taken[index].text[at] == '\'' ? '"' : taken[index].text[at];
            }
            read_all(text, size, &json);
            assert_int_not_equal(json.reason, REFUSAL_NONE);
            assert_true(json.position <= size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_every_reader_takes),
        cmocka_unit_test(refuses_a_broken_structure_where_it_breaks),
        cmocka_unit_test(refuses_numbers_that_are_none),
        cmocka_unit_test(refuses_broken_strings_escapes_and_bytes),
        cmocka_unit_test(refuses_a_key_twice_at_every_level),
        cmocka_unit_test(refuses_every_prefix_of_a_good_text),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
