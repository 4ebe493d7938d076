#include "pay/ident.h"

#include <string.h>

enum { UUID_TEXT_SIZE = 36, SHORT_TEXT_MAX = 15 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first character is the lowest");

static bool dash_at(size_t index)
{
    return index == 8 || index == 13 || index == 18 || index == 23;
}

/* Sixteen characters at a time, in lanes of eight: what every machine of ours has. */
struct lanes {
    uint64_t words __attribute__((vector_size(16)));
};

/*
 * Sixteen lower-case hexadecimal digits without a branch: what each byte is worth, then back to
 * the character it should have been; what differs is added to `wrong`. The four bytes that eight
 * digits stand for are the lowest of their lane.
 */
static inline struct lanes hex_read(struct lanes text, struct lanes *wrong)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    struct lanes letters = {(text.words >> 6) & ones};
    struct lanes values = {(text.words & (ones * 0x0f)) + letters.words + (letters.words << 3)};
    struct lanes high = {((values.words + ones * 6) >> 4) & ones};
    /* Of each letter 'a' - '0' - 10 = 39 is missing: 32 + 8 - 1. */
    struct lanes again = {values.words + ones * '0' + (high.words << 5) + (high.words << 3) -
                          high.words};

    wrong->words |= (values.words & (ones * 0xf0)) | (text.words ^ again.words);
    struct lanes pairs = {(values.words << 4 | values.words >> 8) & UINT64_C(0x00ff00ff00ff00ff)};
    pairs.words = (pairs.words | pairs.words >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (struct lanes){(pairs.words | pairs.words >> 16) & UINT32_MAX};
}

/* Four characters and the four behind the dash that follows them. */
static inline uint64_t around_dash(const char *at)
{
    uint32_t before, behind;

    memcpy(&before, at, sizeof(before));
    memcpy(&behind, at + sizeof(before) + 1, sizeof(behind));
    return before | (uint64_t)behind << 32;
}

static bool uuid_read(const char *text, struct ident *ret_ident)
{
    uint64_t first, last;
    struct lanes wrong = {{0, 0}};

    memcpy(&first, text, sizeof(first));
    memcpy(&last, text + 28, sizeof(last));
    struct lanes left = hex_read((struct lanes){{first, around_dash(text + 19)}}, &wrong);
    struct lanes right = hex_read((struct lanes){{around_dash(text + 9), last}}, &wrong);
    struct lanes both = {left.words | right.words << 32};
    memcpy(ret_ident->bytes, &both, sizeof(both));
    return (wrong.words[0] | wrong.words[1]) == 0 && text[8] == '-' && text[13] == '-' &&
           text[18] == '-' && text[23] == '-';
}

/* Up to fifteen bytes, zeros behind them; read as words, none beyond the text. */
static void short_read(const char *text, size_t size, struct ident *ret_ident)
{
    uint64_t first = 0, second = 0;
    uint32_t head, tail;

    if (size >= 8) {
        memcpy(&first, text, 8);
        memcpy(&second, text + size - 8, 8);
        second = size == 8 ? 0 : second >> (8 * (16 - size));
    } else if (size >= 4) {
        memcpy(&head, text, 4);
        memcpy(&tail, text + size - 4, 4);
        first = head | (uint64_t)tail << (8 * (size - 4));
    } else {
        for (size_t index = 0; index < size; index++) {
            first |= (uint64_t)(uint8_t)text[index] << (8 * index);
        }
    }
    second |= (uint64_t)size << 56;
    /* Written whole, for it is read whole soon. */
    const struct lanes both = {{first, second}};
    memcpy(ret_ident->bytes, &both, sizeof(both));
}

/* Apart, for it is rare and wants more registers than the others. */
__attribute__((noinline)) static enum ident_kind
long_read(const struct siphash_key *key, struct span text, struct ident *ret_ident)
{
    const struct siphash_key second = {~key->k0, ~key->k1};
    uint64_t halves[2] = {siphash(key, text), siphash(&second, text)};

    memcpy(ret_ident->bytes, halves, sizeof(halves));
    return IDENT_LONG;
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
    return long_read(key, text, ret_ident);
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
