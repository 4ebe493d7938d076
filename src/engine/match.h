/*
 * match: two long lists of payments, told apart by digests, sorted to be laid side by side.
 *
 * A digest is keyed afresh for each run, so nobody can choose payments that fall together; by
 * chance two of a hundred million do so once in some thousand runs. What a comparison finds
 * wrong is therefore looked up again by its text before it is told.
 */
#ifndef ENGINE_MATCH_H
#define ENGINE_MATCH_H

#include "base/siphash.h"
#include "pay/money.h"
#include "pay/verdict.h"

/* One payment: its id, and what it is worth with what became of it. */
struct match {
    uint64_t id;
    uint64_t content; /* The lowest three bits are the verdict. */
};

struct match_list {
    struct match *entries; /* Lent. */
    size_t count;
    size_t capacity;
};

enum { MATCH_UNKNOWN = 7 }; /* In place of a verdict: nothing is expected. */

uint64_t match_id(const struct siphash_key *key, struct span id);

/* By value: 10.5 and 10.50 are the same. */
uint64_t match_content(const struct siphash_key *key, struct money amount, const char *currency,
                       unsigned verdict);

static inline unsigned match_verdict(const struct match *match)
{
    return (unsigned)(match->content & 7);
}

/* The same amount and currency, whatever became of it? */
static inline bool match_same_money(const struct match *left, const struct match *right)
{
    return left->content >> 3 == right->content >> 3;
}

void match_add(struct match_list *list, uint64_t id, uint64_t content);

/* By id, then content; in place. */
void match_sort(struct match_list *list);

/* How many entries from `first` on have its id. */
size_t match_group(const struct match_list *list, size_t first);

#endif
