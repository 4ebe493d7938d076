#include "base/siphash.h"

#include <string.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t turn(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

static inline void sip_round(struct sip *sip)
{
    sip->v0 += sip->v1;
    sip->v1 = turn(sip->v1, 13) ^ sip->v0;
    sip->v0 = turn(sip->v0, 32);
    sip->v2 += sip->v3;
    sip->v3 = turn(sip->v3, 16) ^ sip->v2;
    sip->v0 += sip->v3;
    sip->v3 = turn(sip->v3, 21) ^ sip->v0;
    sip->v2 += sip->v1;
    sip->v1 = turn(sip->v1, 17) ^ sip->v2;
    sip->v2 = turn(sip->v2, 32);
}

static inline void sip_word(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    sip_round(sip);
    sip->v0 ^= word;
}

uint64_t siphash(const struct siphash_key *key, struct span bytes)
{
    struct sip sip = {
        key->k0 ^ UINT64_C(0x736f6d6570736575),
        key->k1 ^ UINT64_C(0x646f72616e646f6d),
        key->k0 ^ UINT64_C(0x6c7967656e657261),
        key->k1 ^ UINT64_C(0x7465646279746573),
    };
    const uint8_t *at = bytes.at;
    size_t left = bytes.size;

    for (; left >= 8; at += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        sip_word(&sip, word);
    }
    uint64_t last = (uint64_t)bytes.size << 56;
    for (size_t index = 0; index < left; index++) {
        last |= (uint64_t)at[index] << (8 * index);
    }
    sip_word(&sip, last);
    sip.v2 ^= 0xff;
    sip_round(&sip);
    sip_round(&sip);
    sip_round(&sip);
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}
