#include "parse/layout.h"

#include "base/digits.h"

#include <string.h>

/* As many bytes as are compared at once, wherever they stand. */
struct step {
    uint64_t lanes __attribute__((vector_size(LAYOUT_STEP)));
} __attribute__((packed, may_alias));

_Static_assert(sizeof(struct step) == sizeof(struct marks_lanes), "any_set is asked of both");
_Static_assert(JSON_KEYS_MAX % MARKS_LANES == 0, "there is room for whole lanes");

/* Is one of the bytes of a step not zero? */
static inline __attribute__((always_inline)) bool any_set(const void *bytes)
{
    const struct step *step = bytes;

    return (step->lanes[0] | step->lanes[1] | step->lanes[2] | step->lanes[3]) != 0;
}

/* Where the values begin and end is told by the marks. False: one would end before it begins. */
static inline __attribute__((always_inline)) bool
texts_find(const struct layout *layout, const struct marks *marks, struct layout_texts *texts)
{
    struct marks_lanes sizes = {{0}};

    for (size_t index = 0; index < layout->value_count; index += MARKS_LANES) {
        const struct marks_lanes *mark = (const void *)&marks->at[index];
        const struct marks_lanes *next = (const void *)&marks->at[index + 1];
        const struct marks_lanes *from = (const void *)&layout->from[index];
        const struct marks_lanes *back = (const void *)&layout->back[index];
        struct marks_lanes *start = (void *)&texts->start[index];
        struct marks_lanes *size = (void *)&texts->size[index];
        start->at = mark->at + from->at;
        size->at = next->at - back->at - start->at;
        sizes.at |= size->at;
    }
    sizes.at = sizes.at < 0;
    return !any_set(&sizes);
}

/* Add to `differing` what differs between the bytes from here on and those of a step. */
static inline __attribute__((always_inline)) void
step_compare(struct step *differing, const uint8_t *at, const struct layout_step *wanted)
{
    const struct step *is = (const void *)at;
    const struct step *bytes = (const void *)wanted->bytes;
    const struct step *mask = (const void *)wanted->mask;

    differing->lanes |= (is->lanes ^ bytes->lanes) & mask->lanes;
}

/* The bytes before `start`, wherever it is and whatever their number. */
static bool before_same(const struct layout *layout, size_t index, const uint8_t *bytes,
                        size_t start)
{
    const struct layout_value *value = &layout->values[index];
    const uint8_t *wanted = layout->steps[index].bytes + LAYOUT_STEP - value->before_size;
    const uint8_t *at = bytes + start - value->before_size;

    return start >= (size_t)value->before_size + value->more_size &&
           memcmp(at, wanted, value->before_size) == 0 &&
           memcmp(at - value->more_size, layout->more + value->more, value->more_size) == 0;
}

/* The bytes before each value that no step can compare, or before all. */
static bool others_same(const struct layout *layout, const uint8_t *bytes,
                        const struct layout_texts *texts, size_t size, bool all)
{
    bool same = true;

    for (size_t index = 0; index < layout->value_count && same; index++) {
        same = (!all && layout->values[index].more_size == 0) ||
               before_same(layout, index, bytes, texts->start[index]);
    }
    return same && before_same(layout, layout->value_count, bytes, size);
}

static inline __attribute__((always_inline)) bool match_texts(const struct layout *layout,
                                                              struct span raw,
                                                              const struct marks *marks,
                                                              struct layout_texts *texts)
{
    const uint8_t *bytes = raw.at;
    struct step differing = {{0, 0, 0, 0}};

    if (!texts_find(layout, marks, texts)) {
        return false;
    }
    if (marks->at[1] < LAYOUT_STEP) { /* No whole step stands before the second value. */
        return others_same(layout, bytes, texts, raw.size, true);
    }
    step_compare(&differing, bytes, &layout->first);
    for (size_t index = 1; index < layout->value_count; index++) {
        step_compare(&differing, bytes + texts->start[index] - LAYOUT_STEP, &layout->steps[index]);
    }
    step_compare(&differing, bytes + raw.size - LAYOUT_STEP, &layout->steps[layout->value_count]);
    return !any_set(&differing) &&
           (layout->more_size == 0 || others_same(layout, bytes, texts, raw.size, false));
}

static bool match_narrow(const struct layout *layout, struct span raw, const struct marks *marks,
                         struct layout_texts *texts)
{
    return match_texts(layout, raw, marks, texts);
}

MARKS_WIDE static bool match_wide(const struct layout *layout, struct span raw,
                                  const struct marks *marks, struct layout_texts *texts)
{
    return match_texts(layout, raw, marks, texts);
}

bool layout_match(const struct layout *layout, struct span raw, const struct marks *marks,
                  bool wide, struct layout_texts *ret_texts)
{
    if (layout->value_count == 0 || layout->value_count != marks->count ||
        layout->quotes != marks->quotes || layout->mark != marks->at[0]) {
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

bool layout_values(const struct layout *layout, struct span raw, const struct layout_texts *texts,
                   struct json_value values[JSON_KEYS_MAX], struct found *ret_found)
{
    for (size_t index = 0; index < layout->value_count; index++) {
        struct span text = layout_text(texts, raw.at, index);
        values[index] = (struct json_value){
            .kind = layout->values[index].kind,
            .text = text,
        };
        if (!layout_value_whole((enum json_kind)values[index].kind, text.at, text.size)) {
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

/* Remember the bytes [end, start), those before value `index`. False: they are too many. */
static bool before_learn(struct layout *layout, size_t index, const uint8_t *bytes, size_t end,
                         size_t start)
{
    struct layout_value *value = &layout->values[index];
    struct layout_step *step = &layout->steps[index];
    size_t size = start - end;
    size_t held = size < LAYOUT_STEP ? size : LAYOUT_STEP;
    size_t more = size - held;

    if (size > LAYOUT_BETWEEN_MAX || layout->more_size + more > LAYOUT_MORE_MAX) {
        return false;
    }
    memset(step, 0, sizeof(*step));
    memcpy(step->bytes + LAYOUT_STEP - held, bytes + start - held, held);
    memset(step->mask + LAYOUT_STEP - held, UINT8_MAX, held);
    memcpy(layout->more + layout->more_size, bytes + end, more);
    value->before_size = (uint8_t)held;
    value->more = layout->more_size;
    value->more_size = (uint8_t)more;
    layout->more_size = (uint16_t)(layout->more_size + more);
    return true;
}

/* Remember one value. False: it cannot be. */
static bool value_learn(struct layout *layout, size_t index, const uint8_t *bytes, size_t mark,
                        size_t *end, const struct json_value *value)
{
    size_t start = (size_t)((const uint8_t *)value->text.at - bytes);

    if (value->kind == JSON_ARRAY || value->kind == JSON_OBJECT || mark < *end || mark >= start ||
        !before_learn(layout, index, bytes, *end, start)) {
        return false;
    }
    layout->values[index].kind = value->kind;
    layout->from[index] = (int16_t)(start - mark);
    if (index > 0) {
        layout->back[index - 1] = (int16_t)(mark - *end);
    }
    *end = start + value->text.size;
    return true;
}

/* The message's beginning up to the first value, as far as a step holds it. */
static void first_learn(struct layout_step *first, const uint8_t *bytes, size_t start)
{
    size_t held = start < LAYOUT_STEP ? start : LAYOUT_STEP;

    memset(first, 0, sizeof(*first));
    memcpy(first->bytes, bytes, held);
    memset(first->mask, UINT8_MAX, held);
}

bool layout_learn(struct layout *layout, struct span raw, const struct marks *marks,
                  const struct found *found, size_t name_count)
{
    const uint8_t *bytes = raw.at;
    size_t end = 0;

    must(name_count <= LAYOUT_NAMES_MAX);
    layout->value_count = 0; /* Matches nothing. */
    layout->more_size = 0;
    memset(layout->from, 0, sizeof(layout->from)); /* Lanes without a value are not wrong. */
    memset(layout->back, 0, sizeof(layout->back));
    if (found->count == 0 || found->count != marks->count) {
        return false;
    }
    for (size_t index = 0; index < found->count; index++) {
        if (!value_learn(layout, index, bytes, (size_t)marks->at[index], &end,
                         &found->values[index])) {
            return false;
        }
    }
    if (!before_learn(layout, found->count, bytes, end, raw.size)) {
        return false;
    }
    layout->back[found->count - 1] = (int16_t)(raw.size - end);
    first_learn(&layout->first, bytes, (size_t)(marks->at[0] + layout->from[0]));
    layout->mark = marks->at[0];
    layout->value_count = (uint32_t)found->count;
    layout->quotes = marks->quotes;
    layout->closing = (uint8_t)(raw.size - found->end);
    memcpy(layout->place, found->place, name_count);
    return true;
}
