#include "base/json_escape.h"

#include <string.h>

/* How many bytes the UTF-8 character at the front has; 0: it is none. */
static size_t utf8_size(const uint8_t *at, size_t size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t count = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    uint32_t point = at[0] & (0xffU >> (count + 1));

    if (count == 1) {
        return 1;
    }
    if (at[0] < 0xc2 || at[0] > 0xf4 || count > size) {
        return 0;
    }
    for (size_t index = 1; index < count; index++) {
        if ((at[index] & 0xc0U) != 0x80) {
            return 0;
        }
        point = point << 6 | (at[index] & 0x3fU);
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < least[count] || point > 0x10ffff || surrogate ? 0 : count;
}

static size_t escape_control(uint8_t control, char ret_text[JSON_ESCAPE_MAX])
{
    static const char digits[] = "0123456789abcdef";
    const char text[JSON_ESCAPE_MAX] = {
        '\\', 'u', '0', '0', digits[control >> 4], digits[control & 0xfU]};

    memcpy(ret_text, text, sizeof(text));
    return sizeof(text);
}

size_t json_escape(const uint8_t *at, size_t size, size_t *ret_taken,
                   char ret_text[JSON_ESCAPE_MAX])
{
    must(size > 0);
    size_t taken = utf8_size(at, size);

    *ret_taken = taken == 0 ? 1 : taken;
    if (taken == 0) {
        memcpy(ret_text, "\\ufffd", JSON_ESCAPE_MAX);
        return JSON_ESCAPE_MAX;
    }
    if (at[0] < 0x20 || at[0] == 0x7f) {
        return escape_control(at[0], ret_text);
    }
    if (taken == 2 && at[0] == 0xc2 && at[1] < 0xa0) {
        return escape_control(at[1], ret_text);
    }
    if (at[0] == '"' || at[0] == '\\') {
        ret_text[0] = '\\';
        ret_text[1] = (char)at[0];
        return 2;
    }
    memcpy(ret_text, at, taken);
    return taken;
}
