/*
 * money: an exact decimal. {100010, 2} is 1000.10.
 *
 * Never a double: a double cannot hold ten cents, and an auditor can. An amount
 * keeps the places it was sent with; a sum is kept in billionths and 128 bits, which
 * holds 10^10 amounts of the largest size.
 */
#ifndef PAY_MONEY_H
#define PAY_MONEY_H

#include "base/base.h"

enum {
    MONEY_SCALE_MAX = 9,
    MONEY_TEXT_SIZE = 24,     /* Sign, 19 digits, point, leading zero and a zero byte. */
    MONEY_SUM_TEXT_SIZE = 48, /* Sign, 39 digits, point and a zero byte. */
};

struct money {
    int64_t units;
    int64_t scale; /* Places after the point: 0 to MONEY_SCALE_MAX. */
};

__extension__ typedef __int128 money_wide; /* The one typedef: the name gcc lacks. */

struct money_sum {
    money_wide billionths;
};

/* -1, 0, 1 by value: 10.5 and 10.50 are the same money. */
int money_compare(struct money left, struct money right);

/* Add to a sum. False, and the sum untouched, if it would not fit. */
MUST_USE bool money_add(struct money_sum *sum, struct money amount);

/* Text as a person writes it, with exactly scale places; returns its length. */
size_t money_write(struct money amount, char ret_text[MONEY_TEXT_SIZE]);

/* With at least `places` places, more where the sum has them. */
size_t money_sum_write(struct money_sum sum, int places, char ret_text[MONEY_SUM_TEXT_SIZE]);

/*
 * Plain decimal: digits, optionally a point and 1 to 9 digits. No sign, exponent, blank,
 * leading zero (but "0.5"), NaN. False: not such a number, or more than int64 units hold.
 */
MUST_USE bool money_read(struct span text, struct money *ret_money);

/* The same for a sum: up to 29 digits before the point, an optional '-'. */
MUST_USE bool money_sum_read(struct span text, struct money_sum *ret_sum);

/* total / count, half to even at nine places. count > 0. */
struct money_sum money_average(struct money_sum total, uint64_t count);

#endif
