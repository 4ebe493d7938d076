#include "parse/mask.h"

#include <string.h>

enum { CARD_DIGITS_MAX = 19, CARD_DIGITS_SHOWN = 4 };

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_gap(char byte)
{
    return byte == ' ' || byte == '-';
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* 0xff for each of the eight bytes that a card number may be written with: digit, blank, dash. */
static inline uint64_t card_bytes(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t low = ones * 0x7f;
    uint64_t digit = word ^ (ones * '0');
    uint64_t blank = word ^ (ones * ' ');
    uint64_t dash = word ^ (ones * '-');
    /* The highest bit of each: not a digit, not a blank, not a dash. */
    uint64_t others =
        ((digit & low) + ones * (0x80 - 10)) & ((blank & low) + low) & ((dash & low) + low);
    uint64_t found = ~(others | word) & (ones * 0x80);

    return (found >> 7) * UINT8_MAX;
}

/*
 * Could a card number stand here? Wherever thirteen bytes begin, the eight from one of the places
 * 5, 11, 17 ... on are among them: so look there only.
 */
static bool could_hold_card(const char *at, size_t size)
{
    uint64_t word;

    for (size_t index = 5; index + sizeof(word) <= size; index += 6) {
        memcpy(&word, at + index, sizeof(word));
        if (card_bytes(word) == UINT64_MAX) {
            return true;
        }
    }
    return false;
}

/* Eight hexadecimal digits of either case, without a branch: 0 if they are. */
static inline uint64_t hex_wrong(const char *at, const char *then)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t text;

    memcpy(&text, at, 4);
    memcpy((char *)&text + 4, then, 4);
    uint64_t letters = (text >> 6) & ones;
    uint64_t values = (text & (ones * 0x0f)) + letters * 9;
    uint64_t high = ((values + ones * 6) >> 4) & ones;
    uint64_t other_case = letters * ('a' - 'A');
    uint64_t again = values + ones * '0' + high * ('a' - '0' - 10);

    return (values & (ones * 0xf0)) | ((text ^ again) & ~other_case);
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool is_uuid(const char *at, size_t size)
{
    if (size != 36 || at[8] != '-' || at[13] != '-' || at[18] != '-' || at[23] != '-') {
        return false;
    }
    return (hex_wrong(at, at + 4) | hex_wrong(at + 9, at + 14) | hex_wrong(at + 19, at + 24) |
            hex_wrong(at + 28, at + 32)) == 0;
}

/* Whole groups of digits, with the gaps between them: [start, end) of the text. */
struct row {
    size_t start;
    size_t end;
    size_t digits;
};

/* The Luhn check: from the right, every second digit counts twice, its own digits added. */
static bool row_passes(const char *at, const struct row *row)
{
    unsigned sum = 0;
    bool twice = false;

    if (row->digits < MASK_CARD_MIN || row->digits > CARD_DIGITS_MAX) {
        return false;
    }
    for (size_t index = row->end; index > row->start; index--) {
        if (is_digit(at[index - 1])) {
            unsigned digit = (unsigned)(at[index - 1] - '0') << twice;
            sum += digit > 9 ? digit - 9 : digit;
            twice = !twice;
        }
    }
    return sum % 10 == 0;
}

/* Take in the next group, if only a gap parts it from the row. A new row has start = end. */
static bool row_extend(const char *at, size_t size, struct row *row)
{
    size_t next = row->end;

    while (next < size && is_gap(at[next]) && row->digits > 0) {
        next++;
    }
    if (next == size || !is_digit(at[next])) {
        return false;
    }
    while (next < size && is_digit(at[next])) {
        next++;
        row->digits++;
    }
    row->end = next;
    return row->digits <= CARD_DIGITS_MAX;
}

/* Where the digits that stay begin: the last four of the row. */
static size_t row_shown(const char *at, const struct row *row)
{
    size_t index = row->end;

    for (size_t left = CARD_DIGITS_SHOWN; left > 0; left -= is_digit(at[index])) {
        index--;
    }
    return index;
}

/* The next group from `at` on: its first digit, or the text's size. */
static size_t group_find(const char *at, size_t size, size_t from)
{
    while (from < size && !is_digit(at[from])) {
        from++;
    }
    return from;
}

static size_t group_end(const char *at, size_t size, size_t from)
{
    while (from < size && is_digit(at[from])) {
        from++;
    }
    return from;
}

static bool worth_a_look(struct span text)
{
    return could_hold_card(text.at, text.size) && !is_uuid(text.at, text.size);
}

bool mask_holds_card(struct span text)
{
    const char *at = text.at;

    if (!worth_a_look(text)) {
        return false;
    }
    for (size_t start = group_find(at, text.size, 0); start < text.size;
         start = group_find(at, text.size, group_end(at, text.size, start))) {
        struct row row = {start, start, 0};
        while (row_extend(at, text.size, &row)) {
            if (row_passes(at, &row)) {
                return true;
            }
        }
    }
    return false;
}

/* The first four digits of cards, and a bit for each number of digits they have. */
struct issuer {
    uint16_t first;
    uint16_t last;
    uint32_t sizes;
};

#define SIZES(least, most) ((UINT32_C(2) << (most)) - (UINT32_C(1) << (least)))

static const struct issuer issuers[] = {
    {2221, 2720, SIZES(16, 16)},                                 /* Mastercard, */
    {5100, 5599, SIZES(16, 16)},                                 /* in two ranges. */
    {3000, 3059, SIZES(14, 19)},                                 /* Diners Club, */
    {3600, 3699, SIZES(14, 19)},                                 /* in three, */
    {3800, 3999, SIZES(14, 19)},                                 /* of 14 and more digits. */
    {3400, 3499, SIZES(15, 15)},                                 /* American Express, */
    {3700, 3799, SIZES(15, 15)},                                 /* in two. */
    {3528, 3589, SIZES(16, 19)},                                 /* JCB. */
    {4000, 4999, SIZES(13, 13) | SIZES(16, 16) | SIZES(19, 19)}, /* Visa. */
    {5000, 5099, SIZES(13, 19)},                                 /* Maestro, */
    {5600, 5899, SIZES(13, 19)},                                 /* in three; its third holds */
    {6000, 6999, SIZES(13, 19)},                                 /* Discover and UnionPay, too. */
};

/* Does a network give such numbers to its cards? */
static bool row_issued(const char *at, const struct row *row)
{
    unsigned head = 0;
    size_t index = row->start;

    for (size_t left = 4; left > 0; index++) {
        if (is_digit(at[index])) {
            head = head * 10 + (unsigned)(at[index] - '0');
            left--;
        }
    }
    for (size_t which = 0; which < sizeof(issuers) / sizeof(issuers[0]); which++) {
        const struct issuer *issuer = &issuers[which];
        if (head >= issuer->first && head <= issuer->last) {
            return (issuer->sizes >> row->digits & 1) != 0;
        }
    }
    return false;
}

static bool touches_letter(struct span text, const struct row *row)
{
    const char *at = text.at;

    return (row->start > 0 && is_letter(at[row->start - 1])) ||
           (row->end < text.size && is_letter(at[row->end]));
}

bool mask_reads_as_card(struct span text)
{
    const char *at = text.at;

    if (!worth_a_look(text)) {
        return false;
    }
    for (size_t start = group_find(at, text.size, 0); start < text.size;
         start = group_find(at, text.size, group_end(at, text.size, start))) {
        struct row row = {start, start, 0};
        while (row_extend(at, text.size, &row)) {
            if (row_passes(at, &row) && row_issued(at, &row) && !touches_letter(text, &row)) {
                return true;
            }
        }
    }
    return false;
}

static void digits_hide(char *at, size_t start, size_t end)
{
    for (size_t index = start; index < end; index++) {
        if (is_digit(at[index])) {
            at[index] = '*';
        }
    }
}

/*
 * Rows overlap, and each one that passes is masked. A group is masked when no row that begins
 * later can need it. Returns whether there was any.
 */
static bool cards_hide(char *at, size_t size)
{
    size_t hidden = 0;
    bool any = false;

    for (size_t start = group_find(at, size, 0); start < size;) {
        struct row row = {start, start, 0};
        while (row_extend(at, size, &row)) {
            if (row_passes(at, &row)) {
                size_t shown = row_shown(at, &row);
                hidden = shown > hidden ? shown : hidden;
                any = true;
            }
        }
        size_t end = group_end(at, size, start);
        digits_hide(at, start, end < hidden ? end : hidden);
        start = group_find(at, size, end);
    }
    return any;
}

size_t mask_cards(struct span text, char *to)
{
    bool again = worth_a_look(text);

    memmove(to, text.at, text.size);
    /* The digits that stay may begin a row of their own. Each turn hides at least nine. */
    while (again) {
        again = cards_hide(to, text.size);
    }
    return text.size;
}

size_t mask_last4(struct span text, char *to)
{
    size_t shown = text.size;

    memmove(to, text.at, text.size);
    for (size_t left = CARD_DIGITS_SHOWN; left > 0 && shown > 0;) {
        shown--;
        left -= ((uint8_t)to[shown] & 0xc0) != 0x80; /* Where a character begins. */
    }
    memset(to, '*', shown);
    return text.size;
}

size_t mask_excerpt(struct span raw, char ret_text[MASK_EXCERPT_MAX])
{
    const uint8_t *at = raw.at;
    size_t size = raw.size < MASK_EXCERPT_MAX ? raw.size : MASK_EXCERPT_MAX;

    for (size_t index = 0; index < size; index++) {
        char byte = (char)at[index];
        ret_text[index] = is_digit(byte) ? '#' : at[index] < 0x20 || at[index] > 0x7e ? '?' : byte;
    }
    return size;
}
