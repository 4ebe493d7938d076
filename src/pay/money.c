#include "pay/money.h"

#include "base/digits.h"

#include <string.h>

/* Of an amount: more are above INT64_MAX, and so many are below UINT64_MAX. */
enum { MONEY_DIGITS_MAX = 19 };

static const int64_t powers[] = {1,      10,      100,      1000,      10000,
                                 100000, 1000000, 10000000, 100000000, 1000000000};

static money_wide billionths_of(struct money amount)
{
    must(amount.scale >= 0);
    must(amount.scale <= MONEY_SCALE_MAX);

    return (money_wide)amount.units * powers[MONEY_SCALE_MAX - amount.scale];
}

int money_compare(struct money left, struct money right)
{
    if (left.scale == right.scale) { /* Most are. */
        return left.units < right.units ? -1 : left.units > right.units ? 1 : 0;
    }
    money_wide a = billionths_of(left);
    money_wide b = billionths_of(right);

    return a < b ? -1 : a > b ? 1 : 0;
}

bool money_add(struct money_sum *sum, struct money amount)
{
    money_wide total;

    if (__builtin_add_overflow(sum->billionths, billionths_of(amount), &total)) {
        return false;
    }
    sum->billionths = total;
    return true;
}

/* Digits of a number with `places` of them behind the point; returns the length. */
static size_t decimal_write(money_wide value, int places, char *to)
{
    char reversed[MONEY_SUM_TEXT_SIZE];
    __extension__ unsigned __int128 left =
        value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    size_t count = 0;
    size_t size = 0;

    for (int digit = 0; digit <= places || left > 0; digit++) {
        if (digit == places && places > 0) {
            reversed[count++] = '.';
        }
        reversed[count++] = (char)('0' + (int)(left % 10));
        left /= 10;
    }
    if (value < 0) {
        to[size++] = '-';
    }
    while (count > 0) {
        to[size++] = reversed[--count];
    }
    to[size] = '\0';
    return size;
}

size_t money_write(struct money amount, char ret_text[MONEY_TEXT_SIZE])
{
    return decimal_write(amount.units, (int)amount.scale, ret_text);
}

size_t money_sum_write(struct money_sum sum, int places, char ret_text[MONEY_SUM_TEXT_SIZE])
{
    must(places >= 0);
    must(places <= MONEY_SCALE_MAX);

    money_wide value = sum.billionths;
    int kept = MONEY_SCALE_MAX;

    while (kept > places && value % 10 == 0) {
        value /= 10;
        kept--;
    }
    return decimal_write(value, kept, ret_text);
}

/* The digits before and behind the point, of a plain decimal without a leading zero. */
static bool decimal_shape(struct span text, size_t *ret_point)
{
    const char *at = text.at;
    size_t point = text.size;

    for (size_t index = 0; index < text.size; index++) {
        if (at[index] == '.' && point == text.size) {
            point = index;
        } else if (at[index] < '0' || at[index] > '9') {
            return false;
        }
    }
    *ret_point = point;
    return point > 0 && point + 1 != text.size && (at[0] != '0' || point == 1);
}

/* One to eight characters in the highest bytes of a word, '0' before them. */
static inline uint64_t short_read(const char *at, size_t size)
{
    uint64_t word = (uint8_t)at[0];
    uint32_t head, tail;

    if (size >= sizeof(head)) {
        memcpy(&head, at, sizeof(head));
        memcpy(&tail, at + size - sizeof(tail), sizeof(tail));
        word = head | (uint64_t)tail << (8 * (size - sizeof(tail)));
    } else if (size > 1) {
        word |= (uint64_t)(uint8_t)at[size / 2] << (8 * (size / 2));
        word |= (uint64_t)(uint8_t)at[size - 1] << (8 * (size - 1));
    }
    return size == DIGITS_A_WORD ? word : word << (64 - 8 * size) | DIGITS_ZERO >> (8 * size);
}

/* One to eight characters at once: most amounts. The point is taken out of the digits. */
static bool money_read_short(const char *at, size_t size, struct money *ret_money)
{
    uint64_t word = short_read(at, size);
    uint64_t differing = word ^ DIGITS_ONES * '.';
    uint64_t points = (differing - DIGITS_ONES) & ~differing & (DIGITS_ONES * 0x80);
    size_t before = size; /* Digits before the point. */
    size_t scale = 0;

    if (points != 0) { /* Its lowest bit is the first point's; another one is no digit. */
        size_t place = (size_t)__builtin_ctzll(points) / 8;
        uint64_t above = UINT64_MAX << 8 * place;
        scale = DIGITS_A_WORD - 1 - place;
        before = size - 1 - scale;
        word = (word & (above << 8)) | (word & ~above) << 8 | '0';
        if (scale == 0) {
            return false;
        }
    }
    if (before == 0 || (at[0] == '0' && before > 1) || !digits_only(word)) {
        return false;
    }
    *ret_money = (struct money){(int64_t)digits_value(word), (int64_t)scale};
    return true;
}

/* One pass: the digits as one number, which 64 bits hold, and where the point stood. */
bool money_read(struct span text, struct money *ret_money)
{
    const char *at = text.at;
    size_t point = text.size;
    uint64_t units = 0;

    if (text.size > MONEY_DIGITS_MAX + 1) {
        return false;
    }
    if (text.size > 0 && text.size <= DIGITS_A_WORD) {
        return money_read_short(at, text.size, ret_money);
    }
    for (size_t index = 0; index < text.size; index++) {
        if (at[index] >= '0' && at[index] <= '9') {
            units = units * 10 + (uint64_t)(at[index] - '0');
        } else if (at[index] == '.' && point == text.size) {
            point = index;
        } else {
            return false;
        }
    }
    size_t digits = text.size - (point < text.size);
    size_t scale = digits - point;
    if (point == 0 || point + 1 == text.size || (at[0] == '0' && point > 1)) {
        return false;
    }
    if (digits > MONEY_DIGITS_MAX || scale > MONEY_SCALE_MAX || units > INT64_MAX) {
        return false;
    }
    *ret_money = (struct money){(int64_t)units, (int64_t)scale};
    return true;
}

bool money_sum_read(struct span text, struct money_sum *ret_sum)
{
    const char *at = text.at;
    bool negative = text.size > 0 && at[0] == '-';
    struct span digits = {at + negative, text.size - negative};
    size_t point;
    money_wide value = 0;

    if (digits.size == 0 || !decimal_shape(digits, &point)) {
        return false;
    }
    size_t scale = point == digits.size ? 0 : digits.size - point - 1;
    if (scale > MONEY_SCALE_MAX || point > 29) {
        return false;
    }
    for (size_t index = 0; index < digits.size; index++) {
        if (index != point) {
            value = value * 10 + (((const char *)digits.at)[index] - '0');
        }
    }
    if (__builtin_mul_overflow(value, (money_wide)powers[MONEY_SCALE_MAX - scale], &value)) {
        return false;
    }
    ret_sum->billionths = negative ? -value : value;
    return true;
}

struct money_sum money_average(struct money_sum total, uint64_t count)
{
    must(count > 0);

    money_wide divisor = (money_wide)count;
    money_wide quotient = total.billionths / divisor;
    money_wide rest = total.billionths - quotient * divisor;
    money_wide away = rest < 0 ? -1 : 1;
    money_wide twice = rest * away * 2;

    if (twice > divisor || (twice == divisor && quotient % 2 != 0)) {
        quotient += away;
    }
    return (struct money_sum){quotient};
}
