/*
 * mask: card numbers and the like leave here, before anything is kept.
 *
 * A card number is 13 to 19 digits that pass the Luhn check (ISO/IEC 7812-1). Digits stand in
 * groups, parted by any blanks and dashes; each row of whole groups is tried, so that a date
 * before a card number does not hide it. The one exception is a text that is a UUID (36
 * characters, either case): about one in 400 would pass by chance, and no card is written so.
 *
 * One in ten numbers of that length passes by chance. That costs a carried text some stars. Ids it
 * would make equal, so they are never masked but asked about with mask_reads_as_card, which wants
 * more: a beginning and a length that one of the large networks gives to its cards (ISO/IEC 7812-1
 * issuer ranges, as published by the networks). A numeric id is hardly ever taken for one then.
 */
#ifndef PARSE_MASK_H
#define PARSE_MASK_H

#include "base/base.h"

enum {
    MASK_EXCERPT_MAX = 256,
    MASK_CARD_MIN = 13, /* Digits of the shortest card number. */
};

/* Does a card number stand in it? Of a shorter text it need not be asked. */
bool mask_holds_card(struct span text);

static inline bool mask_needed(struct span text)
{
    return text.size >= MASK_CARD_MIN && mask_holds_card(text);
}

/*
 * Is a card number in this id that some network may have issued? Digits that touch a letter do not
 * count: they are of a longer code.
 */
bool mask_reads_as_card(struct span text);

/*
 * Copy, with each card number's digits but its last four as '*'; mask_needed is false for what
 * comes out. Returns the size (the same). `to` may be where the text stands.
 */
size_t mask_cards(struct span text, char *to);

/*
 * Copy with everything but the last four characters as '*', one a byte. Returns the size (the
 * same). Only bytes count: the text is UTF-8. `to` may be where the text stands.
 */
size_t mask_last4(struct span text, char *to);

/*
 * At most MASK_EXCERPT_MAX bytes of a broken message, every digit as '#', control and non-ASCII
 * bytes as '?'. Returns the size.
 */
size_t mask_excerpt(struct span raw, char ret_text[MASK_EXCERPT_MAX]);

#endif
