/*
 * decided: what an operator decided, as a file of decisions/ holds it.
 *
 * One JSON object, all of whose members are these, each at most once:
 *
 *     decision   "accept-gap", "adopt-topic"
 *     topic      1 to TOPIC_TEXT_MAX bytes
 *     partition, first, last     of a gap: both offsets are in it
 *     by         who: 1 to RULING_BY_MAX bytes
 *     why        up to RULING_WHY_MAX bytes; may be left out
 *     id         16 hex digits, random: by it one that was sealed is known again
 *
 * No text has a control character in it. What is written here is read here: the same bytes.
 */
#ifndef ENGINE_DECIDED_H
#define ENGINE_DECIDED_H

#include "base/fault.h"
#include "pay/origin.h"
#include "pay/ruling.h"

/* Every byte of every text escaped, and the rest. */
enum { DECIDED_SIZE_MAX = 2 * (TOPIC_TEXT_MAX + RULING_BY_MAX + RULING_WHY_MAX) + 256 };

struct decided {
    enum ruling_kind kind;
    char topic[TOPIC_TEXT_MAX + 1];
    uint32_t partition; /* Of a gap, as are first and last; else 0. */
    uint64_t first;
    uint64_t last;
    char by[RULING_BY_MAX + 1];
    char why[RULING_WHY_MAX + 1];
    uint64_t id;
};

/* Its texts fit and are UTF-8 (what decided_read accepts). Returns the size. */
size_t decided_write(const struct decided *decided, char to[DECIDED_SIZE_MAX]);

/* REFUSED: these bytes are no decision; the sentence says why not. */
MUST_USE enum outcome decided_read(struct span text, struct decided *ret_decided,
                                   struct fault *ret_fault);

/* "accept-gap payments/3 17 20, by Eve", for a sentence. */
enum { DECIDED_TOLD_SIZE = 420 };
void decided_tell(const struct decided *decided, char ret_text[DECIDED_TOLD_SIZE]);

/* The note's text: lent from `to`, RULING_TEXT_MAX bytes. */
struct span decided_ruling(const struct decided *decided, char *to);

#endif
