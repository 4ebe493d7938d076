#include "base/siphash.h"

#include <string.h>

/* What is left behind the last whole word: fewer than eight bytes, none beyond them read. */
static inline uint64_t rest_read(const uint8_t *at, size_t left)
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

uint64_t siphash(const struct siphash_key *key, struct span bytes)
{
    struct sip sip = sip_begin(key);
    const uint8_t *at = bytes.at;
    size_t left = bytes.size;

    for (; left >= 8; at += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        sip_word(&sip, word);
    }
    return sip_end(&sip, (uint64_t)bytes.size << 56 | rest_read(at, left));
}
