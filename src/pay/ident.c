#include "pay/ident.h"

#include <string.h>

enum { UUID_TEXT_SIZE = 36, SHORT_TEXT_MAX = 15 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first character is the lowest");

static bool dash_at(size_t index)
{
    return index == 8 || index == 13 || index == 18 || index == 23;
}

/*
 * Eight lower-case hexadecimal digits at once, without a branch: what each byte is worth, then
 * back to the character it should have been. Returns 0 only if they were right.
 */
static inline uint64_t hex_read(uint64_t text, uint8_t to[4])
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t letters = (text >> 6) & ones;
    uint64_t values = (text & (ones * 0x0f)) + letters * 9;
    uint64_t high = ((values + ones * 6) >> 4) & ones;
    uint64_t wrong = (values & (ones * 0xf0)) | (text ^ (values + ones * '0' + high * 39));
    uint64_t pairs = (values << 4 | values >> 8) & UINT64_C(0x00ff00ff00ff00ff);

    pairs = (pairs | pairs >> 8) & UINT64_C(0x0000ffff0000ffff);
    uint32_t packed = (uint32_t)(pairs | pairs >> 16);
    memcpy(to, &packed, sizeof(packed));
    return wrong;
}

static bool uuid_read(const char *text, struct ident *ret_ident)
{
    uint64_t words[4];
    uint64_t wrong = 0;

    memcpy(&words[0], text, 8);
    memcpy(&words[1], text + 9, 4);
    memcpy((char *)&words[1] + 4, text + 14, 4);
    memcpy(&words[2], text + 19, 4);
    memcpy((char *)&words[2] + 4, text + 24, 4);
    memcpy(&words[3], text + 28, 8);
    for (size_t index = 0; index < 4; index++) {
        wrong |= hex_read(words[index], ret_ident->bytes + 4 * index);
    }
    return wrong == 0 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
}

/* Up to fifteen bytes, zeros behind them; read as words, none beyond the text. */
static void short_read(const char *text, size_t size, struct ident *ret_ident)
{
    uint64_t words[2] = {0, 0};
    uint32_t head, tail;

    if (size >= 8) {
        memcpy(&words[0], text, 8);
        memcpy(&words[1], text + size - 8, 8);
        words[1] = size == 8 ? 0 : words[1] >> (8 * (16 - size));
    } else if (size >= 4) {
        memcpy(&head, text, 4);
        memcpy(&tail, text + size - 4, 4);
        words[0] = head | (uint64_t)tail << (8 * (size - 4));
    } else {
        for (size_t index = 0; index < size; index++) {
            words[0] |= (uint64_t)(uint8_t)text[index] << (8 * index);
        }
    }
    words[1] |= (uint64_t)size << 56;
    memcpy(ret_ident->bytes, words, sizeof(words));
}

enum ident_kind ident_from(const struct siphash_key *key, struct span text, struct ident *ret_ident)
{
    must(text.size >= 1);
    must(text.size <= IDENT_TEXT_MAX);

    if (text.size <= SHORT_TEXT_MAX) {
        short_read(text.at, text.size, ret_ident);
        return IDENT_SHORT;
    }
    if (text.size == UUID_TEXT_SIZE && uuid_read(text.at, ret_ident)) {
        return IDENT_UUID;
    }
    const struct siphash_key second = {~key->k0, ~key->k1};
    uint64_t halves[2] = {siphash(key, text), siphash(&second, text)};
    memcpy(ret_ident->bytes, halves, sizeof(halves));
    return IDENT_LONG;
}

static size_t uuid_write(const struct ident *ident, char *to)
{
    static const char digits[] = "0123456789abcdef";
    size_t nibble = 0;

    for (size_t index = 0; index < UUID_TEXT_SIZE; index++) {
        if (dash_at(index)) {
            to[index] = '-';
            continue;
        }
        int byte = ident->bytes[nibble / 2];
        to[index] = digits[nibble % 2 == 0 ? byte >> 4 : byte & 15];
        nibble++;
    }
    return UUID_TEXT_SIZE;
}

size_t ident_write(enum ident_kind kind, const struct ident *ident, char ret_text[36])
{
    if (kind == IDENT_UUID) {
        return uuid_write(ident, ret_text);
    }
    must(kind == IDENT_SHORT);
    must(ident->bytes[15] <= SHORT_TEXT_MAX);
    memcpy(ret_text, ident->bytes, ident->bytes[15]);
    return ident->bytes[15];
}

bool ident_same(const struct ident *left, const struct ident *right)
{
    return memcmp(left->bytes, right->bytes, sizeof(left->bytes)) == 0;
}
