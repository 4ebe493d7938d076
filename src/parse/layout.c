#include "parse/layout.h"

#include <string.h>

/* As many bytes as every machine of ours has in one register. */
struct half {
    uint64_t lanes __attribute__((vector_size(LAYOUT_STEP / 2)));
};

static inline struct half half_read(const uint8_t *at)
{
    struct half half;

    memcpy(&half, at, sizeof(half));
    return half;
}

/* Add to `differing` what differs between the message at `at` and the bytes before a value. */
static inline void step_compare(struct half *differing, const uint8_t *at,
                                const struct layout_value *value)
{
    enum { SIZE = sizeof(struct half) };

    differing->lanes |=
        (half_read(at).lanes ^ half_read(value->before).lanes) & half_read(value->mask).lanes;
    differing->lanes |= (half_read(at + SIZE).lanes ^ half_read(value->before + SIZE).lanes) &
                        half_read(value->mask + SIZE).lanes;
}

/* Eight to sixteen digits: what most numbers without a point are. A leading zero is for others. */
static inline bool is_plain_integer(const uint8_t *at, size_t size)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t head, tail;

    if (size < sizeof(head) || size > 2 * sizeof(head) || at[0] == '0') {
        return false;
    }
    memcpy(&head, at, sizeof(head));
    memcpy(&tail, at + size - sizeof(tail), sizeof(tail));
    head ^= ones * '0';
    tail ^= ones * '0';
    uint64_t above = (((head & (ones * 0x7f)) + ones * 0x76) | head) |
                     (((tail & (ones * 0x7f)) + ones * 0x76) | tail);
    return (above & (ones * 0x80)) == 0;
}

/* Do these bytes make such a value? A string's were looked at by quotes_find. */
static bool value_whole(enum json_kind kind, const uint8_t *at, size_t size)
{
    switch (kind) {
    case JSON_STRING:
        return true;
    case JSON_NUMBER:
        return is_plain_integer(at, size) || (size > 0 && json_number_size(at, size) == size);
    case JSON_TRUE:
        return size == 4 && memcmp(at, "true", 4) == 0;
    case JSON_FALSE:
        return size == 5 && memcmp(at, "false", 5) == 0;
    case JSON_NULL:
        return size == 4 && memcmp(at, "null", 4) == 0;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    must_failed("a layout has plain values", __FILE__, __LINE__);
}

/* The same for whatever is not easy: [start, stop) is the value, [end, start) stands before it. */
static bool value_same(const struct layout_value *value, const uint8_t *bytes, size_t end,
                       size_t start, size_t stop)
{
    return memcmp(bytes + end, value->before, value->before_size) == 0 && start <= stop &&
           value_whole((enum json_kind)value->kind, bytes + start, stop - start);
}

/*
 * Where a value ends, found by the next quote; the walk goes on from there, and what stood
 * between the values is compared aside.
 */
static bool match_values(const struct layout *layout, struct span raw, const struct quotes *quotes,
                         struct json_value *values)
{
    const uint8_t *bytes = raw.at;
    const struct layout_value *value = layout->values;
    const struct layout_value *last = value + layout->value_count;
    struct half differing = {{0, 0}};
    size_t end = 0;

    for (; value < last; value++, values++) {
        size_t start = end + value->before_size;
        size_t stop;
        if (start > raw.size) {
            return false;
        }
        stop = quotes_next(quotes, start) - value->until_quote;
        values->kind = value->kind;
        values->escaped = false;
        values->text = (struct span){bytes + start, stop - start};
        if (value->easy && end <= raw.size - LAYOUT_STEP) {
            step_compare(&differing, bytes + end, value);
        } else if (!value_same(value, bytes, end, start, stop)) {
            return false;
        }
        end = stop;
    }
    return (differing.lanes[0] | differing.lanes[1]) == 0 &&
           raw.size - end == layout->behind_size &&
           memcmp(bytes + end, layout->behind, layout->behind_size) == 0;
}

bool layout_match(const struct layout *layout, struct span raw, bool wide,
                  struct json_value values[JSON_KEYS_MAX], struct found *ret_found)
{
    struct quotes quotes;

    if (!quotes_find(raw, wide, &quotes) || !match_values(layout, raw, &quotes, values)) {
        return false;
    }
    *ret_found = (struct found){
        .values = values,
        .count = layout->value_count,
        .place = layout->place,
        .end = (uint32_t)(raw.size - layout->closing),
    };
    return true;
}

/* Remember one value, and the bytes between `end` and it. False: it cannot be. */
static bool value_learn(struct layout *layout, struct span raw, const struct quotes *quotes,
                        const struct json_value *value, size_t *end)
{
    const uint8_t *bytes = raw.at;
    size_t start = (size_t)((const uint8_t *)value->text.at - bytes);
    size_t size = start - *end;
    struct layout_value *learned = &layout->values[layout->value_count++];

    if (value->kind == JSON_ARRAY || value->kind == JSON_OBJECT) {
        return false;
    }
    size_t until_quote = quotes_next(quotes, start) - (start + value->text.size);
    if (until_quote > UINT8_MAX || size > LAYOUT_BETWEEN_MAX) {
        return false;
    }
    *learned = (struct layout_value){
        .before_size = (uint8_t)size,
        .easy = value->kind == JSON_STRING && size <= LAYOUT_STEP,
        .kind = (uint8_t)value->kind,
        .until_quote = (uint8_t)until_quote,
    };
    memcpy(learned->before, bytes + *end, size);
    memset(learned->mask, UINT8_MAX, size < LAYOUT_STEP ? size : LAYOUT_STEP);
    *end = start + value->text.size;
    return true;
}

void layout_learn(struct layout *layout, const void *owner, struct span raw,
                  const struct found *found, size_t name_count)
{
    const uint8_t *bytes = raw.at;
    struct quotes quotes;
    size_t end = 0;

    must(found->count <= JSON_KEYS_MAX);
    must(name_count <= LAYOUT_NAMES_MAX);
    layout->owner = NULL;
    layout->value_count = 0;
    if (!quotes_find(raw, false, &quotes)) {
        return;
    }
    for (size_t index = 0; index < found->count; index++) {
        if (!value_learn(layout, raw, &quotes, &found->values[index], &end)) {
            return;
        }
    }
    if (raw.size - end > LAYOUT_BETWEEN_MAX) {
        return;
    }
    layout->behind_size = (uint8_t)(raw.size - end);
    layout->closing = (uint8_t)(raw.size - found->end);
    memcpy(layout->behind, bytes + end, layout->behind_size);
    memcpy(layout->place, found->place, name_count);
    layout->owner = owner;
}
