/*
 * ruling: what an operator decided, and who, as the text of a note keeps it.
 *
 * NOTE_GAP and NOTE_DECISION carry it, and from there it goes into the ledger, where it is kept
 * for ever. The text is four lines, each with its newline: what, who, why (may be empty), and the
 * id of the decision, 16 hex digits: random, so that one that was sealed is known when it is met
 * again. No line holds a control character.
 */
#ifndef PAY_RULING_H
#define PAY_RULING_H

#include "base/base.h"

enum ruling_kind {
    RULING_GAP,      /* Offsets are acknowledged as lost: NOTE_GAP says which. */
    RULING_ADOPTION, /* A topic was made anew: it is read as its next incarnation. */
    RULING_KINDS,
};

enum {
    RULING_BY_MAX = 64, /* Bytes of who, */
    RULING_WHY_MAX = 500,
    RULING_TEXT_MAX = 16 + RULING_BY_MAX + RULING_WHY_MAX + 16 + 4, /* and of all four lines. */
};

struct ruling {
    enum ruling_kind kind;
    struct span by; /* Lent; 1 to RULING_BY_MAX bytes. */
    struct span why;
    uint64_t id;
};

/* "gap", "adoption": as the first line and payonce_decision have it. */
const char *ruling_name(enum ruling_kind kind);

/* May this be who or why? Not too long, and no control character in it. */
bool ruling_text_fits(struct span text, size_t size_max);

/* `to` has room for RULING_TEXT_MAX; both texts fit (a must). Returns the size. */
size_t ruling_write(const struct ruling *ruling, char *to);

/* False: these bytes are no ruling. Its texts are lent from them. */
MUST_USE bool ruling_read(struct span text, struct ruling *ret_ruling);

#endif
