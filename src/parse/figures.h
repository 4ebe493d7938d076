/*
 * figures: what times and amounts say, from their text.
 */
#ifndef PARSE_FIGURES_H
#define PARSE_FIGURES_H

#include "pay/money.h"
#include "pay/refusal.h"

/*
 * An instant of the years 2000 to 2100, as digits: 1 seconds since 1970, 2 milliseconds,
 * 3 microseconds, 4 nanoseconds, cut to milliseconds. Told by the number alone: the four ranges
 * do not touch. 0: none of them.
 */
uint8_t figure_time(struct span text, int64_t *ret_ms);

/*
 * An amount: a plain decimal above 0 with at most places_max places. REFUSAL_NONE, or why it is
 * none.
 */
enum refusal_reason figure_amount(struct span text, int64_t places_max, struct money *ret_amount);

#endif
