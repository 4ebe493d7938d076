/*
 * digits: eight decimal digits as one number, without a loop.
 *
 * The first digit is the lowest byte of the word, as memcpy reads it.
 */
#ifndef BASE_DIGITS_H
#define BASE_DIGITS_H

#include "base/base.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first character is the lowest");

enum { DIGITS_A_WORD = 8 };

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

#endif
