/*
 * Our reader of JSON and json-c's, over generated texts and texts with a byte or two changed.
 *
 *   - What we take, json-c takes, and finds the same keys, kinds and texts. No exception.
 *   - What we refuse, json-c refuses, but for
 *       our own limits and rules: depth, keys, the same key twice, and whatever we call UTF-8
 *       (json-c takes lone surrogates and overlong forms);
 *       what json-c 0.16 takes even in its strict mode: see json_c_forgives.
 */
#include "parse/json.h"
#include "parse/json_text.h"
#include "test/json_c_reader.h"
#include "test/unit.h"

#include <stdlib.h>

enum { TEXT_MAX = 4096, TURNS = 150000 };

struct draft {
    char text[TEXT_MAX];
    size_t size;
    uint64_t dice;
};

static uint64_t roll(struct draft *draft, uint64_t limit)
{
    draft->dice = draft->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (draft->dice >> 33) % limit;
}

static void put(struct draft *draft, const char *text)
{
    size_t size = strlen(text);

    if (draft->size + size < TEXT_MAX) {
        memcpy(draft->text + draft->size, text, size);
        draft->size += size;
    }
}

static void put_blanks(struct draft *draft)
{
    static const char *const blanks[] = {"", "", "", "", " ", "\t", "\n", "\r\n "};

    put(draft, blanks[roll(draft, 8)]);
}

static const char *const pieces[] = {
    "a",
    "Z",
    "0",
    " ",
    "key",
    "/",
    "\\/",
    "\\\"",
    "\\\\",
    "\\b",
    "\\f",
    "\\n",
    "\\r",
    "\\t",
    "\\u0041",
    "\\u00e9",
    "\\u20AC",
    "\\ud83d\\ude00",
    "\xc3\xa9",
    "\xe2\x82\xac",
    "\xf0\x9f\x98\x80",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "'",
    "\x7f",
    "\\u001f",
};

static void put_string(struct draft *draft)
{
    size_t count = roll(draft, 6);

    put(draft, "\"");
    for (size_t index = 0; index < count; index++) {
        put(draft, pieces[roll(draft, sizeof(pieces) / sizeof(pieces[0]))]);
    }
    put(draft, "\"");
}

static void put_number(struct draft *draft)
{
    static const char *const signs[] = {"", "", "-"};
    static const char *const wholes[] = {"0", "1", "7", "10", "123456", "9007199254740993"};
    static const char *const fractions[] = {"", "", ".0", ".5", ".25", ".000000001"};
    static const char *const exponents[] = {"", "", "", "e1", "E+2", "e-10"};

    put(draft, signs[roll(draft, 3)]);
    put(draft, wholes[roll(draft, 6)]);
    put(draft, fractions[roll(draft, 6)]);
    put(draft, exponents[roll(draft, 6)]);
}

static void put_object(struct draft *draft, unsigned depth);
static void put_value(struct draft *draft, unsigned depth);

static void put_array(struct draft *draft, unsigned depth)
{
    size_t count = roll(draft, 4);

    put(draft, "[");
    put_blanks(draft);
    for (size_t index = 0; index < count; index++) {
        put(draft, index == 0 ? "" : ",");
        put_value(draft, depth);
    }
    put(draft, "]");
}

static void put_value(struct draft *draft, unsigned depth)
{
    static const char *const words[] = {"true", "false", "null"};

    put_blanks(draft);
    switch (roll(draft, depth < 5 ? 8 : 5)) {
    case 0:
    case 1:
        put_number(draft);
        break;
    case 2:
        put(draft, words[roll(draft, 3)]);
        break;
    case 6:
        put_array(draft, depth + 1);
        break;
    case 7:
        put_object(draft, depth + 1);
        break;
    default:
        put_string(draft);
        break;
    }
    put_blanks(draft);
}

static void put_object(struct draft *draft, unsigned depth)
{
    size_t count = roll(draft, 5);

    put(draft, "{");
    put_blanks(draft);
    for (size_t index = 0; index < count; index++) {
        put(draft, index == 0 ? "" : ",");
        put_blanks(draft);
        put_string(draft);
        put_blanks(draft);
        put(draft, ":");
        put_value(draft, depth);
    }
    put(draft, "}");
}

/* Take a byte out, put one in, or change one, where it is likely to matter. */
static void spoil(struct draft *draft)
{
    static const char bytes[] = "\"\\{}[],:0123456789.-+eEtfnu \t\n\x01\x80\xc3\xed\xf0'/";
    size_t place = roll(draft, draft->size);
    char byte = bytes[roll(draft, sizeof(bytes) - 1)];

    switch (roll(draft, 3)) {
    case 0:
        draft->text[place] = byte;
        break;
    case 1:
        memmove(draft->text + place, draft->text + place + 1, draft->size - place - 1);
        draft->size--;
        break;
    default:
        memmove(draft->text + place + 1, draft->text + place, draft->size - place);
        draft->text[place] = byte;
        draft->size++;
        break;
    }
}

/*
 * What json-c 0.16 takes in its strict mode, told by the byte where we stopped: control bytes in
 * strings, ' for ", a point without digits before or behind it, some leading zeros.
 */
static bool json_c_forgives(const char *text, size_t position)
{
    unsigned char byte = (unsigned char)text[position];
    char before = position > 0 ? text[position - 1] : ' ';

    return (byte > 0 && byte < 0x20) || byte == '\'' || byte == '.' || before == '.' ||
           (before == '0' && byte >= '0' && byte <= '9');
}

/*
 * What json-c 0.16 gets wrong: a key ends at its \\u0000, and U+1D800 to U+1DFFF (and the same in
 * the higher planes), written as two escapes, become U+FFFD: it takes them for surrogates.
 */
static bool json_c_garbles(const uint8_t *at, size_t size)
{
    bool garbled = false;

    for (size_t index = 0; index < size; index++) {
        garbled = garbled || at[index] == 0 ||
                  (index + 3 < size && at[index] >= 0xf0 && (at[index + 1] & 0x0f) == 0x0d &&
                   at[index + 2] >= 0xa0);
    }
    return garbled;
}

static void check_member(void *theirs, struct span key, const struct json_value *value)
{
    static const enum json_c_kind kinds[] = {
        [JSON_NULL] = JSON_C_NULL,     [JSON_FALSE] = JSON_C_BOOLEAN, [JSON_TRUE] = JSON_C_BOOLEAN,
        [JSON_NUMBER] = JSON_C_NUMBER, [JSON_STRING] = JSON_C_STRING, [JSON_ARRAY] = JSON_C_ARRAY,
        [JSON_OBJECT] = JSON_C_OBJECT,
    };
    char name[TEXT_MAX], text[TEXT_MAX];
    void *member;
    size_t size, their_size;

    memcpy(name, key.at, key.size);
    name[key.size] = '\0';
    assert_true(json_c_member(theirs, name, &member));
    assert_int_equal(json_c_kind(member), kinds[value->kind]);
    if (value->kind == JSON_STRING) {
        assert_true(json_text_unescape(value->text, (uint8_t *)text, sizeof(text), &size));
        if (json_c_garbles((const uint8_t *)text, size)) {
            return;
        }
        const char *their_text = json_c_text(member, &their_size);
        assert_int_equal(their_size, size);
        assert_memory_equal(their_text, text, size);
    } else if (value->kind == JSON_TRUE || value->kind == JSON_FALSE) {
        assert_memory_equal(json_c_text(member, &their_size), value->text.at, value->text.size);
    }
}

/* Ours. If they took it, each member is compared; *ret_count of them. */
static enum refusal_reason read_ours(const char *text, size_t size, void *theirs, size_t *ret_count,
                                     bool *ret_garbled, size_t *ret_position)
{
    static uint8_t room[TEXT_MAX];
    static struct json json;
    struct json_object object;
    struct json_value value;
    struct span key;
    enum json_step step = JSON_WRONG;

    *ret_count = 0;
    *ret_garbled = false;
    json_init(&json, (struct span){text, size}, room);
    if (json_open(&json, &object)) {
        while ((step = json_next(&json, &object, &key, &value)) == JSON_MEMBER) {
            bool garbled = json_c_garbles(key.at, key.size);
            *ret_garbled = *ret_garbled || garbled;
            *ret_count += 1;
            if (theirs != NULL && !garbled) {
                check_member(theirs, key, &value);
            }
        }
    }
    if (step == JSON_END && json_close(&json)) {
        return REFUSAL_NONE;
    }
    *ret_position = json.position;
    return json.reason;
}

/* A rule or limit that is ours alone. */
static bool is_ours_alone(enum refusal_reason reason)
{
    return reason == REFUSAL_DEPTH || reason == REFUSAL_KEYS || reason == REFUSAL_DUPLICATE_KEY ||
           reason == REFUSAL_UTF8 || reason == REFUSAL_NOT_OBJECT;
}

struct tally {
    size_t taken;
    size_t refused;
    size_t ours_alone;
    size_t forgiven;
};

static void compare(const struct draft *draft, struct tally *tally)
{
    char *text = malloc(draft->size + 1); /* json-c wants to see where it ends. */
    size_t position = 0, count;
    bool garbled;

    assert_non_null(text);
    memcpy(text, draft->text, draft->size);
    text[draft->size] = '\0';
    void *theirs = json_c_read(text, draft->size);
    bool object = theirs != NULL && json_c_kind(theirs) == JSON_C_OBJECT;
    enum refusal_reason reason = read_ours(text, draft->size, NULL, &count, &garbled, &position);
    if (reason == REFUSAL_NONE) {
        assert_true(object);
        (void)read_ours(text, draft->size, theirs, &count, &garbled, &position);
        assert_true(garbled || count == json_c_member_count(theirs));
        tally->taken++;
    } else if (is_ours_alone(reason)) {
        tally->ours_alone++;
    } else if (theirs == NULL) {
        tally->refused++;
    } else if (json_c_forgives(text, position)) {
        tally->forgiven++;
    } else {
        fail_msg("json-c takes what we refuse (%s at %zu): %s", refusal_label(reason), position,
                 text);
    }
    json_c_free(theirs);
    free(text);
}

static void agrees_with_json_c_about_what_is_json_and_what_it_says(void **state)
{
    static struct draft draft;
    struct tally tally = {0, 0, 0, 0};

    draft.dice = 1;
    for (size_t turn = 0; turn < TURNS; turn++) {
        draft.size = 0;
        put_blanks(&draft);
        put_object(&draft, 1);
        put_blanks(&draft);
        for (size_t change = turn % 3; change > 0; change--) {
            spoil(&draft);
        }
        compare(&draft, &tally);
    }
    print_message("%zu taken, %zu refused by both, %zu by a rule of ours, %zu forgiven by json-c\n",
                  tally.taken, tally.refused, tally.ours_alone, tally.forgiven);
    assert_true(tally.taken > TURNS / 4);
    assert_true(tally.refused > TURNS / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_json_c_about_what_is_json_and_what_it_says),
    };
    return cmocka_run_group_tests_name("json-c", tests, NULL, NULL);
}
