#include "pay/ident.h"

#include <string.h>

enum { UUID_TEXT_SIZE = 36, SHORT_TEXT_MAX = 15 };

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool dash_at(size_t index)
{
    return index == 8 || index == 13 || index == 18 || index == 23;
}

static bool uuid_read(const char *text, struct ident *ret_ident)
{
    size_t nibble = 0;

    for (size_t index = 0; index < UUID_TEXT_SIZE; index++) {
        if (dash_at(index)) {
            if (text[index] != '-') {
                return false;
            }
            continue;
        }
        int value = hex_value(text[index]);
        if (value < 0) {
            return false;
        }
        uint8_t *byte = &ret_ident->bytes[nibble / 2];
        *byte = (uint8_t)(nibble % 2 == 0 ? value << 4 : *byte | value);
        nibble++;
    }
    return true;
}

enum ident_kind ident_from(const struct siphash_key *key, struct span text, struct ident *ret_ident)
{
    must(text.size >= 1);
    must(text.size <= IDENT_TEXT_MAX);

    if (text.size <= SHORT_TEXT_MAX) {
        memset(ret_ident, 0, sizeof(*ret_ident));
        memcpy(ret_ident->bytes, text.at, text.size);
        ret_ident->bytes[15] = (uint8_t)text.size;
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
