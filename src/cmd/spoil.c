#include "cmd/spoil.h"

#include "pay/payment.h"

#include <string.h>

/* A line being made worse. */
struct draft {
    char *at;
    size_t size;
};

/* Put text where `size` bytes at `place` stood. */
static void draft_replace(struct draft *draft, size_t place, size_t size, const char *text)
{
    size_t text_size = strlen(text);

    must(place + size <= draft->size && draft->size + text_size <= SPOILED_SIZE_MAX);
    memmove(draft->at + place + text_size, draft->at + place + size, draft->size - place - size);
    memcpy(draft->at + place, text, text_size);
    draft->size += text_size - size;
}

/* Where the value of this key begins; ret_size: up to the comma or brace behind it. */
static size_t draft_find(const struct draft *draft, const char *key, size_t *ret_size)
{
    size_t key_size = strlen(key);
    const char *found = memmem(draft->at, draft->size, key, key_size);

    must(found != NULL);
    size_t place = (size_t)(found - draft->at) + key_size;
    size_t end = place;
    while (draft->at[end] != ',' && draft->at[end] != '}') {
        end++;
    }
    *ret_size = end - place;
    return place;
}

static void draft_value(struct draft *draft, const char *key, const char *value)
{
    size_t size;
    size_t place = draft_find(draft, key, &size);

    draft_replace(draft, place, size, value);
}

/* Take out the key, its value and the comma behind it. */
static void draft_remove(struct draft *draft, const char *key)
{
    size_t size;
    size_t place = draft_find(draft, key, &size);

    draft_replace(draft, place - strlen(key), strlen(key) + size + 1, "");
}

/* Before the closing brace. */
static void draft_append(struct draft *draft, const char *text)
{
    draft_replace(draft, draft->size - 1, 0, text);
}

/* Something worse than one wrong value. The dice say where. */
static void shape_cut(struct draft *draft, struct dice *dice)
{
    draft->size = 1 + dice_below(dice, draft->size - 1);
}

static void shape_empty(struct draft *draft, struct dice *dice)
{
    (void)dice;
    draft->size = 0;
}

static void shape_deep(struct draft *draft, struct dice *dice)
{
    (void)dice;
    draft_append(draft, ",\"more\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]");
}

static void shape_large(struct draft *draft, struct dice *dice)
{
    size_t blanks = MESSAGE_SIZE_MAX + 1 + dice_below(dice, 1000) - draft->size;

    memset(draft->at + draft->size, ' ', blanks);
    draft->size += blanks;
}

static void shape_keys(struct draft *draft, struct dice *dice)
{
    (void)dice;
    for (char first = 'a'; first <= 'e'; first++) {
        for (char second = 'a'; second <= 't'; second++) {
            char key[] = {',', '"', first, second, '"', ':', '1', '\0'};
            draft_append(draft, key);
        }
    }
}

static void shape_trailing(struct draft *draft, struct dice *dice)
{
    (void)dice;
    draft_replace(draft, draft->size, 0, " {\"transaction_id\":\"second\"}");
}

static void shape_array(struct draft *draft, struct dice *dice)
{
    (void)dice;
    draft_replace(draft, 0, 0, "[");
    draft_replace(draft, draft->size, 0, "]");
}

/* Confluent's framing: a zero byte and a schema id of four bytes, none of them a newline. */
static void shape_framed(struct draft *draft, struct dice *dice)
{
    (void)dice;
    draft_replace(draft, 0, 0, "#####");
    memcpy(draft->at, "\0\0\0\0\x11", 5);
}

static void shape_garbage(struct draft *draft, struct dice *dice)
{
    for (size_t index = 0; index < draft->size; index++) {
        draft->at[index] = (char)(128 + dice_below(dice, 128));
    }
}

static void shape_long_id(struct draft *draft, struct dice *dice)
{
    char text[160];

    (void)dice;
    memset(text, 'x', sizeof(text) - 1);
    text[0] = '"';
    text[sizeof(text) - 2] = '"';
    text[sizeof(text) - 1] = '\0';
    draft_value(draft, "\"transaction_id\":", text);
}

/* One of the three: a shape, a value for the key, or (value NULL) the key left out. */
static const struct spoil_way {
    enum refusal_reason reason;
    const char *key;
    const char *value;
    void (*shape)(struct draft *draft, struct dice *dice);
} ways[SPOIL_WAYS] = {
    {REFUSAL_JSON, NULL, NULL, shape_cut},
    {REFUSAL_EMPTY, NULL, NULL, shape_empty},
    {REFUSAL_DEPTH, NULL, NULL, shape_deep},
    {REFUSAL_SIZE, NULL, NULL, shape_large},
    {REFUSAL_KEYS, NULL, NULL, shape_keys},
    {REFUSAL_TRAILING, NULL, NULL, shape_trailing},
    {REFUSAL_NOT_OBJECT, NULL, NULL, shape_array},
    {REFUSAL_FRAMING, NULL, NULL, shape_framed},
    {REFUSAL_JSON, NULL, NULL, shape_garbage},
    {REFUSAL_ID, NULL, NULL, shape_long_id},
    {REFUSAL_MISSING, "\"transaction_id\":", NULL, NULL},
    {REFUSAL_MISSING, "\"sender_account_id\":", NULL, NULL},
    {REFUSAL_MISSING, "\"timestamp\":", NULL, NULL},
    {REFUSAL_MISSING, "\"amount\":", "null", NULL},
    {REFUSAL_TYPE, "\"transaction_id\":", "4711", NULL},
    {REFUSAL_TYPE, "\"amount\":", "{}", NULL},
    {REFUSAL_AMOUNT, "\"amount\":", "\"#,###.##\"", NULL},
    {REFUSAL_AMOUNT_RANGE, "\"amount\":", "0.00", NULL},
    {REFUSAL_AMOUNT_SIZE, "\"amount\":", "12345678901234567890.12", NULL},
    {REFUSAL_CURRENCY, "\"currency\":", "\"usd\"", NULL},
    {REFUSAL_TIME, "\"timestamp\":", "\"yesterday\"", NULL},
    {REFUSAL_DUPLICATE_KEY, "\"device_id\":", "\"one\",\"device_id\":\"two\"", NULL},
    {REFUSAL_UTF8, "\"device_id\":", "\"\xc3(\"", NULL},
    {REFUSAL_JSON, "\"amount\":", "NaN", NULL},
};

enum refusal_reason spoil_reason(unsigned way)
{
    return ways[way % SPOIL_WAYS].reason;
}

size_t spoil_write(const struct minted *minted, unsigned way, struct dice *dice, char *to)
{
    const struct spoil_way *chosen = &ways[way % SPOIL_WAYS];
    struct draft draft = {to, minted_write(minted, to)};

    if (chosen->shape != NULL) {
        chosen->shape(&draft, dice);
    } else if (chosen->value != NULL) {
        draft_value(&draft, chosen->key, chosen->value);
    } else {
        draft_remove(&draft, chosen->key);
    }
    return draft.size;
}
