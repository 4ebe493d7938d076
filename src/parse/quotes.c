#include "parse/layout.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* The scan takes so many bytes at a time. */
enum { BLOCK = LAYOUT_MESSAGE_MIN };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is the lowest");

/* The highest bit of each byte that is zero. */
static inline uint64_t zero_bytes(uint64_t word)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);

    return ~(((word & low) + low) | word | low);
}

/* The highest bit of each byte that is below a blank, a backslash, or not ASCII. */
static inline uint64_t odd_bytes(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t control = zero_bytes(word & (ones * 0xe0));

    return control | zero_bytes(word ^ (ones * '\\')) | (word & (ones * 0x80));
}

/* The quotes of one block, a bit each. False: a byte in it is not plain. */
static inline bool block_scan(const uint8_t *block, uint64_t *ret_found)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t odd = 0;

    *ret_found = 0;
    for (unsigned index = 0; index < BLOCK; index += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, block + index, sizeof(word));
        odd |= odd_bytes(word);
        uint64_t bits = zero_bytes(word ^ (ones * '"')) >> 7;
        *ret_found |= (bits * UINT64_C(0x0102040810204080)) >> 56 << index;
    }
    return odd == 0;
}

/*
 * The bits of the last block, of which `rest` bytes are the message's: it is read with the bytes
 * before it, whose bits fall out again.
 */
static inline uint64_t last_bits(uint64_t found, size_t rest)
{
    return rest == 0 ? 0 : found >> (BLOCK - rest);
}

static bool find_narrow(const uint8_t *at, size_t size, struct quotes *quotes)
{
    size_t count = size / BLOCK;
    uint64_t found;
    bool plain = true;

    for (size_t index = 0; index < count; index++) {
        plain = block_scan(at + index * BLOCK, &quotes->words[index]) && plain;
    }
    plain = block_scan(at + size - BLOCK, &found) && plain;
    quotes->words[count] = last_bits(found, size % BLOCK);
    return plain;
}

#ifdef __x86_64__

#define WIDE __attribute__((target("avx2,bmi")))

/*
 * The quotes of one block; adds to `odd` what is not plain in it. As signed numbers, control bytes
 * and those that are not ASCII are all below a blank.
 */
WIDE static inline uint64_t block_scan_wide(const uint8_t *block, __m256i *odd)
{
    const __m256i quote = _mm256_set1_epi8('"');
    const __m256i backslash = _mm256_set1_epi8('\\');
    const __m256i blank = _mm256_set1_epi8(' ');
    __m256i low = _mm256_loadu_si256((const void *)block);
    __m256i high = _mm256_loadu_si256((const void *)(block + BLOCK / 2));
    __m256i odd_low =
        _mm256_or_si256(_mm256_cmpgt_epi8(blank, low), _mm256_cmpeq_epi8(low, backslash));
    __m256i odd_high =
        _mm256_or_si256(_mm256_cmpgt_epi8(blank, high), _mm256_cmpeq_epi8(high, backslash));
    uint32_t first = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, quote));
    uint32_t second = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, quote));

    *odd = _mm256_or_si256(*odd, _mm256_or_si256(odd_low, odd_high));
    return first | (uint64_t)second << 32;
}

WIDE static bool find_wide(const uint8_t *at, size_t size, struct quotes *quotes)
{
    size_t count = size / BLOCK;
    __m256i odd = _mm256_setzero_si256();

    for (size_t index = 0; index < count; index++) {
        quotes->words[index] = block_scan_wide(at + index * BLOCK, &odd);
    }
    uint64_t found = block_scan_wide(at + size - BLOCK, &odd);
    quotes->words[count] = last_bits(found, size % BLOCK);
    return _mm256_testz_si256(odd, odd) != 0;
}

bool quotes_wide(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}

#else

static bool find_wide(const uint8_t *at, size_t size, struct quotes *quotes)
{
    return find_narrow(at, size, quotes);
}

bool quotes_wide(void)
{
    return false;
}

#endif

bool quotes_find(struct span raw, bool wide, struct quotes *ret_quotes)
{
    if (raw.size < LAYOUT_MESSAGE_MIN || raw.size > LAYOUT_MESSAGE_MAX) {
        return false;
    }
    bool plain =
        wide ? find_wide(raw.at, raw.size, ret_quotes) : find_narrow(raw.at, raw.size, ret_quotes);
    ret_quotes->words[raw.size / BLOCK] |= UINT64_C(1) << raw.size % BLOCK;
    ret_quotes->words[raw.size / BLOCK + 1] = 0;
    return plain;
}
