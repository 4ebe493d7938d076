/*
 * suggest: which of the words we know did they mean?
 */
#ifndef CMD_SUGGEST_H
#define CMD_SUGGEST_H

#include "base/base.h"

enum { SUGGEST_WORD_MAX = 64 };

/* Letters to add, remove, change or swap with the next to get from one to the other. */
unsigned suggest_distance(const char *left, const char *right);

/* The nearest so far; start with {word}, offer candidates, read .best (NULL: none is near). */
struct suggestion {
    const char *word;
    const char *best;
    unsigned distance;
};

void suggest_offer(struct suggestion *suggestion, const char *candidate);

#endif
