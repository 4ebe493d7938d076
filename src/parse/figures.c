#include "parse/figures.h"

#include "base/digits.h"
#include "base/instant.h"

#include <string.h>

/* As many as nanoseconds of the year 2100 have; a uint64_t holds any so many. */
enum { TIME_DIGITS_MAX = 19 };

/* Eight to sixteen digits: the first eight, and the rest as the last of eight with '0' before. */
static bool number_read_words(const char *at, size_t size, uint64_t *ret_number)
{
    static const uint64_t powers[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    size_t rest = size - DIGITS_A_WORD;
    uint64_t head, tail = DIGITS_ZERO;

    memcpy(&head, at, sizeof(head));
    if (rest > 0) {
        uint64_t kept = UINT64_MAX << (64 - 8 * rest);
        memcpy(&tail, at + rest, sizeof(tail));
        tail = (tail & kept) | (DIGITS_ZERO & ~kept);
    }
    *ret_number = digits_value(head) * powers[rest] + digits_value(tail);
    return digits_only(head) && digits_only(tail);
}

/* Digits alone, up to TIME_DIGITS_MAX. False: not. */
static bool number_read(struct span text, uint64_t *ret_number)
{
    const char *at = text.at;
    uint64_t number = 0;
    bool digits = text.size <= TIME_DIGITS_MAX;

    if (text.size >= DIGITS_A_WORD && text.size <= 2 * DIGITS_A_WORD) {
        return number_read_words(at, text.size, ret_number);
    }
    for (size_t index = 0; index < text.size && digits; index++) {
        digits = at[index] >= '0' && at[index] <= '9';
        number = number * 10 + (uint64_t)(at[index] - '0');
    }
    *ret_number = number;
    return digits;
}

static bool in_range(uint64_t number, uint64_t per_second)
{
    return number >= INSTANT_MIN_MS / 1000 * per_second &&
           number < INSTANT_MAX_MS / 1000 * per_second;
}

uint8_t figure_time(struct span text, int64_t *ret_ms)
{
    uint64_t number;
    uint8_t unit = 0;

    if (!number_read(text, &number)) {
        return 0;
    }
    if (in_range(number, 1000)) {
        unit = 2;
    } else if (in_range(number, 1)) {
        unit = 1;
        number *= 1000;
    } else if (in_range(number, 1000000)) {
        unit = 3;
        number /= 1000;
    } else if (in_range(number, 1000000000)) {
        unit = 4;
        number /= 1000000;
    }
    *ret_ms = unit == 0 ? *ret_ms : (int64_t)number;
    return unit;
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
