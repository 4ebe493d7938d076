#include "parse/figures.h"

#include "base/instant.h"

#include <string.h>

/* As many as nanoseconds of the year 2100 have; a uint64_t holds any so many. */
enum { TIME_DIGITS_MAX = 19, EIGHT_DIGITS = 100000000 };

/*
 * Eight digits at once, the first one in the lowest byte: neighbours are added in pairs, fours,
 * then all (D. Lemire's way). False: not digits.
 */
static inline bool eight_digits(uint64_t word, uint64_t *ret_number)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t values = word ^ (ones * '0');
    bool digits = ((((values & (ones * 0x7f)) + ones * 0x76) | values) & (ones * 0x80)) == 0;

    values = values * 10 + (values >> 8);
    values = ((values & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
              ((values >> 16) & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001)) >>
             32;
    *ret_number = values;
    return digits;
}

/* Digits alone, up to TIME_DIGITS_MAX. False: not. */
static bool number_read(struct span text, uint64_t *ret_number)
{
    const char *at = text.at;
    size_t head = text.size % sizeof(uint64_t);
    uint64_t number = 0, word;
    bool digits = text.size <= TIME_DIGITS_MAX;

    for (size_t index = 0; index < head && digits; index++) {
        digits = at[index] >= '0' && at[index] <= '9';
        number = number * 10 + (uint64_t)(at[index] - '0');
    }
    for (size_t index = head; index < text.size && digits; index += sizeof(word)) {
        uint64_t more;
        memcpy(&word, at + index, sizeof(word));
        digits = eight_digits(word, &more);
        number = number * EIGHT_DIGITS + more;
    }
    *ret_number = number;
    return digits;
}

uint8_t figure_time(struct span text, int64_t *ret_ms)
{
    static const uint64_t per_second[] = {1, 1000, 1000000, 1000000000};
    uint64_t number;

    if (!number_read(text, &number)) {
        return 0;
    }
    for (uint8_t unit = 0; unit < 4; unit++) {
        uint64_t scale = per_second[unit];
        if (number >= INSTANT_MIN_MS / 1000 * scale && number < INSTANT_MAX_MS / 1000 * scale) {
            *ret_ms = (int64_t)(unit == 0 ? number * 1000 : number / (scale / 1000));
            return unit + 1;
        }
    }
    return 0;
}

static bool is_digits(const char *at, size_t size)
{
    bool digits = size > 0;

    for (size_t index = 0; index < size; index++) {
        digits = digits && at[index] >= '0' && at[index] <= '9';
    }
    return digits;
}

/* A plain decimal of any length: what money_read takes, if it were not for its limits. */
static bool is_decimal(const char *at, size_t size)
{
    size_t point = 0;

    while (point < size && at[point] != '.') {
        point++;
    }
    return is_digits(at, point) && (point == 1 || at[0] != '0') &&
           (point == size || is_digits(at + point + 1, size - point - 1));
}

/* Why money_read did not take it. */
static enum refusal_reason amount_reason(struct span text)
{
    const char *at = text.at;
    bool negative = text.size > 0 && at[0] == '-';

    if (!is_decimal(at + negative, text.size - negative)) {
        return REFUSAL_AMOUNT;
    }
    return negative ? REFUSAL_AMOUNT_RANGE : REFUSAL_AMOUNT_SIZE;
}

enum refusal_reason figure_amount(struct span text, int64_t places_max, struct money *ret_amount)
{
    if (!money_read(text, ret_amount)) {
        return amount_reason(text);
    }
    if (ret_amount->scale > places_max) {
        return REFUSAL_AMOUNT_SIZE;
    }
    return ret_amount->units > 0 ? REFUSAL_NONE : REFUSAL_AMOUNT_RANGE;
}
