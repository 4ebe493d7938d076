#include "parse/json_text.h"

#include <string.h>

static bool text_wrong(struct json_text *text, enum refusal_reason reason, size_t position)
{
    text->reason = reason;
    text->end = position;
    return false;
}

/* The highest bit of each byte that is `wanted`; exact up to the first such byte. */
static uint64_t bytes_equal(uint64_t word, uint8_t wanted)
{
    uint64_t differing = word ^ (UINT64_C(0x0101010101010101) * wanted);

    return (differing - UINT64_C(0x0101010101010101)) & ~differing & UINT64_C(0x8080808080808080);
}

/* How many bytes stand here that a string may hold as they are: ASCII, but for a few. */
static size_t plain_size(const uint8_t *at, size_t size)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    const uint64_t blanks = UINT64_C(0x2020202020202020);
    size_t count = 0;

    for (; size - count >= sizeof(uint64_t); count += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at + count, sizeof(word));
        uint64_t found = bytes_equal(word, '"') | bytes_equal(word, '\\') |
                         ((word - blanks) & ~word & high) | (word & high);
        if (found != 0) {
            return count + (size_t)__builtin_ctzll(found) / 8;
        }
    }
    while (count < size && at[count] >= 0x20 && at[count] < 0x80 && at[count] != '"' &&
           at[count] != '\\') {
        count++;
    }
    return count;
}

static bool between(uint8_t byte, uint8_t least, uint8_t most)
{
    return byte >= least && byte <= most;
}

static size_t utf8_lead_size(uint8_t lead)
{
    if (between(lead, 0xc2, 0xdf)) {
        return 2;
    }
    if (between(lead, 0xe0, 0xef)) {
        return 3;
    }
    return between(lead, 0xf0, 0xf4) ? 4 : 0;
}

/* The bytes of the character at `at`, which is not ASCII; 0: not UTF-8. */
static size_t utf8_size(const uint8_t *at, size_t size)
{
    uint8_t lead = at[0];
    size_t count = utf8_lead_size(lead);
    uint8_t least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

    if (count == 0 || count > size || !between(at[1], least, most)) {
        return 0;
    }
    for (size_t index = 2; index < count; index++) {
        if (!between(at[index], 0x80, 0xbf)) {
            return 0;
        }
    }
    return count;
}

static int hex_value(uint8_t digit)
{
    if (between(digit, '0', '9')) {
        return digit - '0';
    }
    uint8_t lower = digit | 0x20;
    return between(lower, 'a', 'f') ? lower - 'a' + 10 : -1;
}

/* Four hexadecimal digits from `at`. Returns how many there are; only 4 is right. */
static size_t hex_read(const uint8_t *text, size_t size, size_t at, uint32_t *ret_unit)
{
    size_t count = 0;

    *ret_unit = 0;
    for (; count < 4 && at + count < size; count++) {
        int value = hex_value(text[at + count]);
        if (value < 0) {
            break;
        }
        *ret_unit = *ret_unit << 4 | (uint32_t)value;
    }
    return count;
}

static bool is_low_surrogate(uint32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

static bool is_high_surrogate(uint32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

/* `at`: the backslash of a \u. A surrogate must come with its other half. */
static bool unicode_read(const uint8_t *text, size_t size, size_t *at, struct json_text *ret_text)
{
    size_t start = *at;
    uint32_t unit, low;
    size_t digits = hex_read(text, size, start + 2, &unit);

    if (digits < 4) {
        return text_wrong(ret_text, REFUSAL_JSON, start + 2 + digits);
    }
    *at = start + 6;
    if (is_low_surrogate(unit)) {
        return text_wrong(ret_text, REFUSAL_UTF8, start);
    }
    if (!is_high_surrogate(unit)) {
        return true;
    }
    if (size - *at < 2 || text[*at] != '\\' || text[*at + 1] != 'u') {
        return text_wrong(ret_text, REFUSAL_UTF8, start);
    }
    digits = hex_read(text, size, *at + 2, &low);
    if (digits < 4) {
        return text_wrong(ret_text, REFUSAL_JSON, *at + 2 + digits);
    }
    *at += 6;
    return is_low_surrogate(low) || text_wrong(ret_text, REFUSAL_UTF8, start);
}

/* The byte that a backslash and this letter stand for; 0: no such escape. */
static uint8_t escape_value(uint8_t letter)
{
    switch (letter) {
    case '"':
    case '\\':
    case '/':
        return letter;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    }
    return 0;
}

/* `at`: a backslash. */
static bool escape_read(const uint8_t *text, size_t size, size_t *at, struct json_text *ret_text)
{
    uint8_t letter = *at + 1 < size ? text[*at + 1] : 0;

    ret_text->escaped = true;
    if (letter == 'u') {
        return unicode_read(text, size, at, ret_text);
    }
    if (escape_value(letter) == 0) {
        return text_wrong(ret_text, REFUSAL_JSON, *at + 1);
    }
    *at += 2;
    return true;
}

bool json_text_read(const uint8_t *text, size_t size, size_t at, struct json_text *ret_text)
{
    *ret_text = (struct json_text){.reason = REFUSAL_NONE};
    for (;;) {
        at += plain_size(text + at, size - at);
        if (at == size || text[at] < 0x20) {
            return text_wrong(ret_text, REFUSAL_JSON, at);
        }
        if (text[at] == '"') {
            ret_text->end = at;
            return true;
        }
        if (text[at] == '\\') {
            if (!escape_read(text, size, &at, ret_text)) {
                return false;
            }
            continue;
        }
        size_t count = utf8_size(text + at, size - at);
        if (count == 0) {
            return text_wrong(ret_text, REFUSAL_UTF8, at);
        }
        at += count;
    }
}

static size_t utf8_write(uint32_t point, uint8_t to[4])
{
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    for (size_t index = size - 1; index > 0; index--) {
        to[index] = (uint8_t)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    to[0] = (uint8_t)(leads[size] | point);
    return size;
}

/* What the escape at `at` stands for. Returns the bytes it takes in the text. */
static size_t escape_undo(const uint8_t *at, size_t size, uint32_t *ret_point)
{
    uint32_t low;

    *ret_point = escape_value(at[1]);
    if (at[1] != 'u') {
        return 2;
    }
    size_t digits = hex_read(at, size, 2, ret_point);
    must(digits == 4);
    if (!is_high_surrogate(*ret_point)) {
        return 6;
    }
    digits = hex_read(at, size, 8, &low);
    must(digits == 4);
    *ret_point = 0x10000 + ((*ret_point - 0xd800) << 10) + (low - 0xdc00);
    return 12;
}

bool json_text_unescape(struct span text, uint8_t *to, size_t limit, size_t *ret_size)
{
    const uint8_t *at = text.at;
    const uint8_t *end = at + text.size;
    size_t size = 0;

    while (at < end) {
        uint8_t bytes[4] = {at[0]};
        size_t count = 1;
        if (at[0] == '\\') {
            uint32_t point;
            at += escape_undo(at, (size_t)(end - at), &point);
            count = utf8_write(point, bytes);
        } else {
            at++;
        }
        if (count > limit - size) {
            return false;
        }
        memcpy(to + size, bytes, count);
        size += count;
    }
    *ret_size = size;
    return true;
}
