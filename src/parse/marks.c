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

/* What was found so far. */
struct finding {
    int16_t *to; /* Where the next mark goes. */
    uint32_t quotes;
    uint64_t before; /* Was the byte before the next block a quote? */
};

static inline __attribute__((always_inline)) uint64_t block_marks(struct finding *finding,
                                                                  struct block block)
{
    uint64_t bits = block.colons & (block.quotes << 1 | finding->before);

    finding->before = block.quotes >> (MARKS_BLOCK - 1);
    return bits;
}

static inline void block_take(struct finding *finding, struct block block, size_t from)
{
    for (uint64_t bits = block_marks(finding, block); bits != 0; bits &= bits - 1) {
        *finding->to++ = (int16_t)(from + (size_t)__builtin_ctzll(bits));
    }
    for (uint64_t left = block.quotes; left != 0; left &= left - 1) {
        finding->quotes++;
    }
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

/* False: there are too many. */
static inline __attribute__((always_inline)) bool finding_close(const struct finding *finding,
                                                                size_t size, struct marks *marks)
{
    struct marks_lanes *behind = (void *)finding->to;

    behind->at = (int16_t)size - (struct marks_lanes){{0}}.at;
    marks->count = (uint32_t)(finding->to - marks->at);
    marks->quotes = finding->quotes;
    return marks->count <= JSON_KEYS_MAX;
}

/* Apart, for it wants more registers than the other. */
__attribute__((noinline)) static bool find_narrow(const uint8_t *at, size_t size,
                                                  struct marks *marks)
{
    struct finding finding = {.to = marks->at};
    size_t whole = size / MARKS_BLOCK * MARKS_BLOCK;
    uint64_t odd = 0;

    for (size_t from = 0; from < whole; from += MARKS_BLOCK) {
        block_take(&finding, block_scan(at + from, &odd), from);
    }
    struct block last = block_scan(at + size - MARKS_BLOCK, &odd);
    block_take(&finding, block_last(last, size - whole), whole);
    return finding_close(&finding, size, marks) && odd == 0;
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
 * Written without a branch that depends on where the keys end: three at a time, and where there
 * are fewer the next block writes over them.
 */
MARKS_WIDE static inline void block_take_wide(struct finding *finding, struct block block,
                                              size_t from)
{
    uint64_t bits = block_marks(finding, block);
    int16_t *to = finding->to;

    finding->quotes += (uint32_t)_mm_popcnt_u64(block.quotes);
    finding->to += _mm_popcnt_u64(bits);
    do {
        to[0] = (int16_t)(from + _tzcnt_u64(bits));
        bits = _blsr_u64(bits);
        to[1] = (int16_t)(from + _tzcnt_u64(bits));
        bits = _blsr_u64(bits);
        to[2] = (int16_t)(from + _tzcnt_u64(bits));
        bits = _blsr_u64(bits);
        to += 3;
    } while (__builtin_expect(bits != 0, false));
}

MARKS_WIDE static bool find_wide(const uint8_t *at, size_t size, struct marks *marks)
{
    struct finding finding = {.to = marks->at};
    struct odd odd = {_mm256_set1_epi8(' '), _mm256_setzero_si256()};
    size_t whole = size / MARKS_BLOCK * MARKS_BLOCK;

    for (size_t from = 0; from < whole; from += MARKS_BLOCK) {
        block_take_wide(&finding, block_scan_wide(at + from, &odd), from);
    }
    struct block last = block_scan_wide(at + size - MARKS_BLOCK, &odd);
    block_take_wide(&finding, block_last(last, size - whole), whole);
    return finding_close(&finding, size, marks) && is_plain(&odd);
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
    if (raw.size < MARKS_MESSAGE_MIN || raw.size > MARKS_MESSAGE_MAX) {
        return false;
    }
    return wide ? find_wide(raw.at, raw.size, ret_marks) : find_narrow(raw.at, raw.size, ret_marks);
}
