/*
 * siphash: a keyed hash, so that whoever chooses the ids cannot choose their slots.
 *
 * SipHash-1-3 (Aumasson, Bernstein 2012; the 1-3 variant is the one hash tables use).
 * It only ever finds a slot or a digest; equality is always decided on whole bytes.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/base.h"

struct siphash_key {
    uint64_t k0;
    uint64_t k1;
};

uint64_t siphash(const struct siphash_key *key, struct span bytes);

#endif
