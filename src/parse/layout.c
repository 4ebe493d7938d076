#include "parse/layout.h"

#include "base/digits.h"

#include <string.h>

/* As many bytes as are compared at once, wherever they stand. */
struct step {
    uint64_t lanes __attribute__((vector_size(LAYOUT_STEP)));
} __attribute__((packed, may_alias));

/* From `LAYOUT_STEP - n` on: a mask that leaves the last n bytes of a step. */
static const uint8_t masks[2 * LAYOUT_STEP] = {
    [LAYOUT_STEP] = 0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
};

/* The bytes before `start` whatever their number, and wherever it is. */
static bool before_same(const struct layout *layout, const struct layout_value *value,
                        const uint8_t *bytes, size_t start)
{
    const uint8_t *end = bytes + start - value->before_size;

    return start >= (size_t)value->before_size + value->more_size &&
           memcmp(end, value->before + LAYOUT_STEP - value->before_size, value->before_size) == 0 &&
           memcmp(end - value->more_size, layout->more + value->more, value->more_size) == 0;
}

/* The bytes before each value that no step can compare, or before all. */
static bool others_same(const struct layout *layout, const uint8_t *bytes,
                        const struct layout_text *texts, size_t size, bool all)
{
    bool same = true;

    for (size_t index = 0; index < layout->value_count && same; index++) {
        const struct layout_value *value = &layout->values[index];
        same = (!all && index > 0 && value->more_size == 0) ||
               before_same(layout, value, bytes, texts[index].start);
    }
    return same && before_same(layout, &layout->values[layout->value_count], bytes, size);
}

/* Add to `differing` what differs between the bytes up to `end` and those before a value. */
static inline __attribute__((always_inline)) void
step_compare(struct step *differing, const uint8_t *end, const struct layout_value *value)
{
    const struct step *is = (const void *)(end - LAYOUT_STEP);
    const struct step *wanted = (const void *)value->before;
    const struct step *mask = (const void *)(masks + value->before_size);

    differing->lanes |= (is->lanes ^ wanted->lanes) & mask->lanes;
}

/* Where a value begins and ends is told by the marks, of each without the others. */
static inline __attribute__((always_inline)) bool
text_find(const struct layout_value *value, const uint16_t *mark, struct layout_text *ret_text)
{
    uint32_t start = (uint32_t)mark[0] + value->from;
    uint32_t end = mark[1];

    ret_text->start = start;
    ret_text->stop = end - value[1].back;
    return start + value[1].back <= end;
}

/* The second key ends so near the beginning that there is no whole step before each value. */
static bool match_near(const struct layout *layout, struct span raw, const struct marks *marks,
                       struct layout_text *texts)
{
    for (size_t index = 0; index < layout->value_count; index++) {
        if (!text_find(&layout->values[index], &marks->at[index], &texts[index])) {
            return false;
        }
    }
    return others_same(layout, raw.at, texts, raw.size, true);
}

static inline __attribute__((always_inline)) bool match_texts(const struct layout *layout,
                                                              struct span raw,
                                                              const struct marks *marks,
                                                              struct layout_text *texts)
{
    const uint8_t *bytes = raw.at;
    const struct layout_value *value = layout->values;
    const uint16_t *mark = marks->at;
    const uint16_t *last = mark + layout->value_count;
    struct step differing = {{0, 0, 0, 0}};

    if (mark[1] < LAYOUT_STEP) {
        return match_near(layout, raw, marks, texts);
    }
    if (!text_find(value, mark, texts)) {
        return false;
    }
    struct layout_text *text = texts + 1;
    for (value++, mark++; mark < last; value++, mark++, text++) {
        if (!text_find(value, mark, text)) {
            return false;
        }
        step_compare(&differing, bytes + text->start, value);
    }
    step_compare(&differing, bytes + raw.size, value);
    if ((differing.lanes[0] | differing.lanes[1] | differing.lanes[2] | differing.lanes[3]) != 0) {
        return false;
    }
    return layout->more_size == 0 ? before_same(layout, layout->values, bytes, texts->start)
                                  : others_same(layout, bytes, texts, raw.size, false);
}

static bool match_narrow(const struct layout *layout, struct span raw, const struct marks *marks,
                         struct layout_text *texts)
{
    return match_texts(layout, raw, marks, texts);
}

MARKS_WIDE static bool match_wide(const struct layout *layout, struct span raw,
                                  const struct marks *marks, struct layout_text *texts)
{
    return match_texts(layout, raw, marks, texts);
}

bool layout_match(const struct layout *layout, struct span raw, const struct marks *marks,
                  bool wide, struct layout_text ret_texts[JSON_KEYS_MAX])
{
    if (layout->value_count == 0 || layout->value_count != marks->count ||
        layout->quotes != marks->quotes || layout->values[0].back != marks->at[0]) {
        return false;
    }
    return wide ? match_wide(layout, raw, marks, ret_texts)
                : match_narrow(layout, raw, marks, ret_texts);
}

/* Eight to sixteen digits: what most numbers without a point are. A leading zero is for others. */
static inline bool is_plain_integer(const uint8_t *at, size_t size)
{
    uint64_t head, tail;

    if (size < sizeof(head) || size > 2 * sizeof(head) || at[0] == '0') {
        return false;
    }
    memcpy(&head, at, sizeof(head));
    memcpy(&tail, at + size - sizeof(tail), sizeof(tail));
    return digits_only(head) && digits_only(tail);
}

bool layout_value_whole(enum json_kind kind, const uint8_t *at, size_t size)
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

bool layout_values(const struct layout *layout, struct span raw, const struct layout_text *texts,
                   struct json_value values[JSON_KEYS_MAX], struct found *ret_found)
{
    for (size_t index = 0; index < layout->value_count; index++) {
        const uint8_t *at = (const uint8_t *)raw.at + texts[index].start;
        size_t size = texts[index].stop - texts[index].start;
        values[index] = (struct json_value){
            .kind = layout->values[index].kind,
            .text = {at, size},
        };
        if (!layout_value_whole((enum json_kind)layout->values[index].kind, at, size)) {
            return false;
        }
    }
    *ret_found = (struct found){
        .values = values,
        .count = layout->value_count,
        .place = layout->place,
        .end = (uint32_t)(raw.size - layout->closing),
    };
    return true;
}

/* Remember the bytes [end, start), with a key's colon at `mark`. False: they are too many. */
static bool before_learn(struct layout *layout, struct layout_value *value, const uint8_t *bytes,
                         size_t end, size_t start)
{
    size_t size = start - end;
    size_t step = size < LAYOUT_STEP ? size : LAYOUT_STEP;
    size_t more = size - step;

    if (size > LAYOUT_BETWEEN_MAX || layout->more_size + more > LAYOUT_MORE_MAX) {
        return false;
    }
    memset(value, 0, sizeof(*value));
    memcpy(value->before + LAYOUT_STEP - step, bytes + start - step, step);
    memcpy(layout->more + layout->more_size, bytes + end, more);
    value->before_size = (uint8_t)step;
    value->more = layout->more_size;
    value->more_size = (uint8_t)more;
    layout->more_size = (uint16_t)(layout->more_size + more);
    return true;
}

/* Remember one value. False: it cannot be. */
static bool value_learn(struct layout *layout, struct layout_value *learned, const uint8_t *bytes,
                        size_t mark, size_t *end, const struct json_value *value)
{
    size_t start = (size_t)((const uint8_t *)value->text.at - bytes);

    if (value->kind == JSON_ARRAY || value->kind == JSON_OBJECT || mark < *end || mark >= start ||
        !before_learn(layout, learned, bytes, *end, start)) {
        return false;
    }
    learned->kind = value->kind;
    learned->back = (uint8_t)(mark - *end);
    learned->from = (uint8_t)(start - mark);
    *end = start + value->text.size;
    return true;
}

bool layout_learn(struct layout *layout, struct span raw, const struct marks *marks,
                  const struct found *found, size_t name_count)
{
    const uint8_t *bytes = raw.at;
    struct layout_value *last = &layout->values[found->count];
    size_t end = 0;

    must(name_count <= LAYOUT_NAMES_MAX);
    layout->value_count = 0; /* Matches nothing. */
    layout->more_size = 0;
    if (found->count != marks->count) {
        return false;
    }
    for (size_t index = 0; index < found->count; index++) {
        if (!value_learn(layout, &layout->values[index], bytes, marks->at[index], &end,
                         &found->values[index])) {
            return false;
        }
    }
    if (!before_learn(layout, last, bytes, end, raw.size)) {
        return false;
    }
    last->back = (uint8_t)(raw.size - end);
    layout->value_count = (uint32_t)found->count;
    layout->quotes = marks->quotes;
    layout->closing = (uint8_t)(raw.size - found->end);
    memcpy(layout->place, found->place, name_count);
    return true;
}
