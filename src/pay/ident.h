/*
 * ident: an id or account as sixteen bytes, so that most compare without a look elsewhere.
 *
 *   IDENT_SHORT  up to 15 bytes: the text, zero-padded, its length in the last byte
 *   IDENT_UUID   a canonical UUID (36 characters, lower case): its 128 bits
 *   IDENT_LONG   anything else up to IDENT_TEXT_MAX: two keyed hashes. Equal bytes do not
 *                prove equal text; whoever must be sure compares the text (core/dedup does).
 *
 * Kind and bytes together are exact for the first two. Text never holds a zero byte.
 */
#ifndef PAY_IDENT_H
#define PAY_IDENT_H

#include "base/siphash.h"

enum { IDENT_TEXT_MAX = 128 };

enum ident_kind {
    IDENT_NONE, /* Absent. */
    IDENT_SHORT,
    IDENT_UUID,
    IDENT_LONG,
};

struct ident {
    uint8_t bytes[16];
};

/* text.size 1 .. IDENT_TEXT_MAX. */
enum ident_kind ident_from(const struct siphash_key *key, struct span text,
                           struct ident *ret_ident);

/* The text of a short id or UUID back again; returns its length. Not for IDENT_LONG. */
size_t ident_write(enum ident_kind kind, const struct ident *ident, char ret_text[36]);

bool ident_same(const struct ident *left, const struct ident *right);

/* The keyed hash of sixteen bytes that stand for an account. */
static inline uint64_t ident_sender_hash(const struct siphash_key *key, const struct ident *ident)
{
    uint64_t words[sizeof(ident->bytes) / sizeof(uint64_t)];

    memcpy(words, ident->bytes, sizeof(words));
    return siphash_words(key, words, sizeof(words) / sizeof(words[0]));
}

/* The keyed hash that finds an id's slot: of the ident for short and UUID, of the text if long. */
static inline uint64_t ident_hash(const struct siphash_key *key, enum ident_kind kind,
                                  const struct ident *ident, struct span long_text)
{
    return kind == IDENT_LONG ? siphash(key, long_text) : ident_sender_hash(key, ident);
}

#endif
