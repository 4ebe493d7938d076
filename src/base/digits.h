/*
 * digits: eight decimal digits as one number, without a loop; and a number as digits.
 *
 * The first digit is the lowest byte of the word, as memcpy reads it.
 */
#ifndef BASE_DIGITS_H
#define BASE_DIGITS_H

#include "base/base.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first character is the lowest");

enum { DIGITS_A_WORD = 8, DIGITS_MAX = 20 /* Of 64 bits. */ };

#define DIGITS_ONES UINT64_C(0x0101010101010101)

/* Eight digits "0". */
#define DIGITS_ZERO (DIGITS_ONES * '0')

static inline bool digits_only(uint64_t word)
{
    uint64_t values = word ^ DIGITS_ZERO;
    uint64_t above = ((values & (DIGITS_ONES * 0x7f)) + DIGITS_ONES * (0x80 - 10)) | values;

    return (above & (DIGITS_ONES * 0x80)) == 0;
}

/* digits_only. Neighbours are added in pairs, fours, then all (D. Lemire's way). */
static inline uint64_t digits_value(uint64_t word)
{
    uint64_t values = word ^ DIGITS_ZERO;

    values = values * 10 + (values >> 8);
    return ((values & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
            ((values >> 16) & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001)) >>
           32;
}

static inline unsigned digits_count(uint64_t number)
{
    static const uint64_t tens[DIGITS_MAX] = {0,
                                              UINT64_C(10),
                                              UINT64_C(100),
                                              UINT64_C(1000),
                                              UINT64_C(10000),
                                              UINT64_C(100000),
                                              UINT64_C(1000000),
                                              UINT64_C(10000000),
                                              UINT64_C(100000000),
                                              UINT64_C(1000000000),
                                              UINT64_C(10000000000),
                                              UINT64_C(100000000000),
                                              UINT64_C(1000000000000),
                                              UINT64_C(10000000000000),
                                              UINT64_C(100000000000000),
                                              UINT64_C(1000000000000000),
                                              UINT64_C(10000000000000000),
                                              UINT64_C(100000000000000000),
                                              UINT64_C(1000000000000000000),
                                              UINT64_C(10000000000000000000)};
    unsigned bits = 64 - (unsigned)__builtin_clzll(number | 1);
    unsigned least = bits * 1233 >> 12; /* Times log10(2): as many, or one too few. */

    return least + (number >= tens[least]);
}

/* No zero byte; how many there are. Two at a time, from the end. */
static inline unsigned digits_write(uint64_t number, char ret_digits[DIGITS_MAX])
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    unsigned count = digits_count(number);
    unsigned at = count;

    for (; at > 2; at -= 2) {
        memcpy(ret_digits + at - 2, pairs + 2 * (number % 100), 2);
        number /= 100;
    }
    if (at == 2) {
        memcpy(ret_digits, pairs + 2 * number, 2);
    } else {
        ret_digits[0] = (char)('0' + number);
    }
    return count;
}

#endif
