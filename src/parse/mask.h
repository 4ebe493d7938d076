/*
 * mask: card numbers and the like leave here, before anything is kept.
 */
#ifndef PARSE_MASK_H
#define PARSE_MASK_H

#include "base/base.h"

/* Does the text hold 13 to 19 digits (blanks and dashes skipped) that pass the Luhn check? */
bool mask_needed(struct span text);

/* Copy, with each such run's digits but the last four as '*'. Returns the size (the same). */
size_t mask_cards(struct span text, char *to);

/* Copy with everything but the last four characters as '*'. Returns the size (the same). */
size_t mask_last4(struct span text, char *to);

/*
 * At most EXCERPT_MAX bytes of a broken message, every digit as '#', control and non-ASCII
 * bytes as '?'. Returns the size.
 */
size_t mask_excerpt(struct span raw, char ret_text[256]);

#endif
