#include "base/checksum.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

/* Castagnoli, bits reversed. */
#define POLYNOMIAL UINT32_C(0x82f63b78)

/* One step for each value of four bits: small enough to stand here, quick enough for a fallback. */
static const uint32_t *nibble_table(void)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    return table;
}

static uint32_t by_table(uint32_t crc, const uint8_t *at, size_t size)
{
    const uint32_t *table = nibble_table();

    for (size_t index = 0; index < size; index++) {
        crc ^= at[index];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)

enum { LANE_SIZE = 1024 }; /* Three lanes side by side hide the instruction's latency. */

/* Multiply by x to the power of 8 times LANE_SIZE, modulo the polynomial: skips one lane. */
static uint32_t skip_lane(uint32_t crc)
{
    static uint32_t columns[32];
    static bool ready;

    if (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) {
        for (uint32_t bit = 0; bit < 32; bit++) {
            uint32_t value = UINT32_C(1) << bit;
            for (uint32_t step = 0; step < 8 * LANE_SIZE; step++) {
                value = (value >> 1) ^ ((value & 1) != 0 ? POLYNOMIAL : 0);
            }
            __atomic_store_n(&columns[bit], value, __ATOMIC_RELAXED);
        }
        __atomic_store_n(&ready, true, __ATOMIC_RELEASE);
    }
    uint32_t result = 0;
    for (uint32_t bit = 0; bit < 32; bit++) {
        result ^= columns[bit] & (0U - ((crc >> bit) & 1U));
    }
    return result;
}

static uint64_t word_at(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

__attribute__((target("sse4.2"))) static uint32_t by_lanes(uint32_t crc, const uint8_t *at)
{
    uint64_t first = crc;
    uint64_t second = 0;
    uint64_t third = 0;

    for (size_t index = 0; index < LANE_SIZE; index += 8) {
        first = _mm_crc32_u64(first, word_at(at + index));
        second = _mm_crc32_u64(second, word_at(at + LANE_SIZE + index));
        third = _mm_crc32_u64(third, word_at(at + 2 * LANE_SIZE + index));
    }
    uint32_t both = skip_lane((uint32_t)first) ^ (uint32_t)second;
    return skip_lane(both) ^ (uint32_t)third;
}

__attribute__((target("sse4.2"))) static uint32_t by_machine(uint32_t crc, const uint8_t *at,
                                                             size_t size)
{
    for (; size >= 3 * (size_t)LANE_SIZE; at += 3 * LANE_SIZE, size -= 3 * (size_t)LANE_SIZE) {
        crc = by_lanes(crc, at);
    }
    uint64_t wide = crc;
    for (; size >= 8; at += 8, size -= 8) {
        wide = _mm_crc32_u64(wide, word_at(at));
    }
    crc = (uint32_t)wide;
    for (; size > 0; at++, size--) {
        crc = _mm_crc32_u8(crc, *at);
    }
    return crc;
}

#endif

uint32_t checksum(uint32_t before, struct span bytes)
{
    uint32_t crc = ~before;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return ~by_machine(crc, bytes.at, bytes.size);
    }
#endif
    return ~by_table(crc, bytes.at, bytes.size);
}

uint32_t checksum_portable(uint32_t before, struct span bytes)
{
    return ~by_table(~before, bytes.at, bytes.size);
}
