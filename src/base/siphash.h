/*
 * siphash: a keyed hash, so that whoever chooses the ids cannot choose their slots.
 *
 * SipHash-1-3 (Aumasson, Bernstein 2012; the 1-3 variant is the one hash tables use).
 * It only ever finds a slot or a digest; equality is always decided on whole bytes.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/base.h"

#include <string.h>

struct siphash_key {
    uint64_t k0;
    uint64_t k1;
};

/* The parts it is made of, for whoever hashes a fixed number of words. */
struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline struct sip sip_begin(const struct siphash_key *key)
{
    return (struct sip){
        key->k0 ^ UINT64_C(0x736f6d6570736575),
        key->k1 ^ UINT64_C(0x646f72616e646f6d),
        key->k0 ^ UINT64_C(0x6c7967656e657261),
        key->k1 ^ UINT64_C(0x7465646279746573),
    };
}

static inline uint64_t sip_turn(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

static inline void sip_round(struct sip *sip)
{
    sip->v0 += sip->v1;
    sip->v1 = sip_turn(sip->v1, 13) ^ sip->v0;
    sip->v0 = sip_turn(sip->v0, 32);
    sip->v2 += sip->v3;
    sip->v3 = sip_turn(sip->v3, 16) ^ sip->v2;
    sip->v0 += sip->v3;
    sip->v3 = sip_turn(sip->v3, 21) ^ sip->v0;
    sip->v2 += sip->v1;
    sip->v1 = sip_turn(sip->v1, 17) ^ sip->v2;
    sip->v2 = sip_turn(sip->v2, 32);
}

static inline void sip_word(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    sip_round(sip);
    sip->v0 ^= word;
}

/* last: up to seven bytes and, in the highest, the size of all. */
static inline uint64_t sip_end(struct sip *sip, uint64_t last)
{
    sip_word(sip, last);
    sip->v2 ^= 0xff;
    sip_round(sip);
    sip_round(sip);
    sip_round(sip);
    return sip->v0 ^ sip->v1 ^ sip->v2 ^ sip->v3;
}

/* siphash of these words as they lie in memory. */
static inline uint64_t siphash_words(const struct siphash_key *key, const uint64_t *words,
                                     size_t count)
{
    struct sip sip = sip_begin(key);

    for (size_t index = 0; index < count; index++) {
        sip_word(&sip, words[index]);
    }
    return sip_end(&sip, (uint64_t)(count * sizeof(words[0])) << 56);
}

/* What is left behind the last whole word: fewer than eight bytes, none beyond them read. */
static inline uint64_t sip_rest(const uint8_t *at, size_t left)
{
    uint32_t head, tail;

    if (left >= sizeof(head)) {
        memcpy(&head, at, sizeof(head));
        memcpy(&tail, at + left - sizeof(tail), sizeof(tail));
        return head | (uint64_t)tail << (8 * (left - sizeof(tail)));
    }
    if (left == 0) {
        return 0;
    }
    return at[0] | (uint64_t)at[left / 2] << (8 * (left / 2)) |
           (uint64_t)at[left - 1] << (8 * (left - 1));
}

static inline uint64_t siphash(const struct siphash_key *key, struct span bytes)
{
    struct sip sip = sip_begin(key);
    const uint8_t *at = bytes.at;
    size_t left = bytes.size;

    for (; left >= 8; at += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        sip_word(&sip, word);
    }
    return sip_end(&sip, (uint64_t)bytes.size << 56 | sip_rest(at, left));
}

#endif
