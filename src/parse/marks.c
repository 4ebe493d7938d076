#include "parse/marks.h"

#include "base/digits.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif
#include <string.h>

/* What stands in one block: a bit a byte. */
struct block {
    uint64_t quotes;
    uint64_t colons;
};

/* The highest bit of each byte that is zero. */
static inline uint64_t zero_bytes(uint64_t word)
{
    const uint64_t low = DIGITS_ONES * 0x7f;

    return ~(((word & low) + low) | word | low);
}

/* A bit for each byte whose highest bit is set; the others are clear. */
static inline uint64_t bits_of(uint64_t highest)
{
    return ((highest >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

/* The highest bit of each byte that is below a blank, a backslash, or not ASCII. */
static inline uint64_t odd_bytes(uint64_t word)
{
    uint64_t control = zero_bytes(word & (DIGITS_ONES * 0xe0));

    return control | zero_bytes(word ^ (DIGITS_ONES * '\\')) | (word & (DIGITS_ONES * 0x80));
}

/* One block; adds to `odd` what is not plain in it. */
static inline struct block block_scan(const uint8_t *at, uint64_t *odd)
{
    struct block block = {0, 0};

    for (unsigned index = 0; index < MARKS_BLOCK; index += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at + index, sizeof(word));
        *odd |= odd_bytes(word);
        block.quotes |= bits_of(zero_bytes(word ^ (DIGITS_ONES * '"'))) << index;
        block.colons |= bits_of(zero_bytes(word ^ (DIGITS_ONES * ':'))) << index;
    }
    return block;
}

/* Add the marks of a block that begins at `from`; before: was the byte before it a quote? */
static inline bool block_add(struct marks *marks, const struct block *block, size_t from,
                             uint64_t *before)
{
    uint64_t bits = block->colons & (block->quotes << 1 | *before);

    *before = block->quotes >> (MARKS_BLOCK - 1);
    while (bits != 0) {
        marks->at[marks->count++] = (uint16_t)(from + (size_t)__builtin_ctzll(bits));
        bits &= bits - 1;
    }
    for (uint64_t left = block->quotes; left != 0; left &= left - 1) {
        marks->quotes++;
    }
    return marks->count <= JSON_KEYS_MAX;
}

/*
 * The last block, of which `rest` bytes are the message's: it is read with the bytes before it,
 * which fall out again.
 */
static inline struct block block_last(struct block block, size_t rest)
{
    if (rest == 0) {
        return (struct block){0, 0};
    }
    return (struct block){block.quotes >> (MARKS_BLOCK - rest),
                          block.colons >> (MARKS_BLOCK - rest)};
}

static bool find_narrow(const uint8_t *at, size_t size, struct marks *marks)
{
    size_t whole = size / MARKS_BLOCK * MARKS_BLOCK;
    uint64_t before = 0, odd = 0;

    for (size_t from = 0; from < whole; from += MARKS_BLOCK) {
        struct block block = block_scan(at + from, &odd);
        if (!block_add(marks, &block, from, &before)) {
            return false;
        }
    }
    struct block last = block_last(block_scan(at + size - MARKS_BLOCK, &odd), size - whole);
    return block_add(marks, &last, whole, &before) && odd == 0;
}

#ifdef __x86_64__

/* What may be odd in the blocks so far. */
struct odd {
    __m256i least; /* As signed numbers: control bytes and those not ASCII are below a blank. */
    __m256i backslashes; /* Not zero where one was. */
};

MARKS_WIDE static inline struct block block_scan_wide(const uint8_t *at, struct odd *odd)
{
    const __m256i quote = _mm256_set1_epi8('"');
    const __m256i colon = _mm256_set1_epi8(':');
    const __m256i backslash = _mm256_set1_epi8('\\');
    __m256i low = _mm256_loadu_si256((const void *)at);
    __m256i high = _mm256_loadu_si256((const void *)(at + MARKS_BLOCK / 2));
    uint32_t quotes_low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, quote));
    uint32_t quotes_high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, quote));
    uint32_t colons_low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, colon));
    uint32_t colons_high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, colon));

    odd->least = _mm256_min_epi8(odd->least, _mm256_min_epi8(low, high));
    odd->backslashes =
        _mm256_or_si256(odd->backslashes, _mm256_or_si256(_mm256_cmpeq_epi8(low, backslash),
                                                          _mm256_cmpeq_epi8(high, backslash)));
    return (struct block){quotes_low | (uint64_t)quotes_high << 32,
                          colons_low | (uint64_t)colons_high << 32};
}

MARKS_WIDE static inline bool is_plain(const struct odd *odd)
{
    __m256i control = _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), odd->least);
    __m256i any = _mm256_or_si256(control, odd->backslashes);

    return _mm256_testz_si256(any, any) != 0;
}

/*
 * Write the marks of a block without a branch that depends on where the keys end: three at a time,
 * and where there are fewer the next block writes over them. Returns how many there are.
 */
MARKS_WIDE static inline size_t block_write(uint16_t *to, uint64_t bits, size_t from)
{
    size_t count = (size_t)_mm_popcnt_u64(bits);

    do {
        to[0] = (uint16_t)(from + _tzcnt_u64(bits));
        bits = _blsr_u64(bits);
        to[1] = (uint16_t)(from + _tzcnt_u64(bits));
        bits = _blsr_u64(bits);
        to[2] = (uint16_t)(from + _tzcnt_u64(bits));
        bits = _blsr_u64(bits);
        to += 3;
    } while (__builtin_expect(bits != 0, false));
    return count;
}

/* The last block is read with bytes before it, which fall out again. */
MARKS_WIDE static bool find_wide(const uint8_t *at, size_t size, struct marks *marks)
{
    struct odd odd = {_mm256_set1_epi8(' '), _mm256_setzero_si256()};
    size_t count = 0, quotes = 0;
    uint64_t before = 0; /* Was the byte before the block a quote? */

    for (size_t from = 0; from < size && count <= JSON_KEYS_MAX; from += MARKS_BLOCK) {
        size_t again = size - from < MARKS_BLOCK ? MARKS_BLOCK - (size - from) : 0;
        struct block block = block_scan_wide(at + from - again, &odd);
        block.quotes >>= again;
        quotes += (size_t)_mm_popcnt_u64(block.quotes);
        count += block_write(marks->at + count,
                             block.colons >> again & (block.quotes << 1 | before), from);
        before = block.quotes >> (MARKS_BLOCK - 1);
    }
    marks->count = (uint32_t)count;
    marks->quotes = (uint32_t)quotes;
    return count <= JSON_KEYS_MAX && is_plain(&odd);
}

bool marks_wide(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}

#else

static bool find_wide(const uint8_t *at, size_t size, struct marks *marks)
{
    return find_narrow(at, size, marks);
}

bool marks_wide(void)
{
    return false;
}

#endif

bool marks_find(struct span raw, bool wide, struct marks *ret_marks)
{
    ret_marks->count = 0;
    ret_marks->quotes = 0;
    if (raw.size < MARKS_MESSAGE_MIN || raw.size > MARKS_MESSAGE_MAX) {
        return false;
    }
    bool plain =
        wide ? find_wide(raw.at, raw.size, ret_marks) : find_narrow(raw.at, raw.size, ret_marks);
    ret_marks->at[ret_marks->count] = (uint16_t)raw.size;
    return plain;
}
