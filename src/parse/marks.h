/*
 * marks: where the keys of a message end, found without reading it as JSON.
 *
 * A mark is a colon with a quote right before it. In a text without a backslash that is where a
 * key ends, and nothing else: a value's closing quote is followed by something else.
 */
#ifndef PARSE_MARKS_H
#define PARSE_MARKS_H

#include "parse/json.h"

enum {
    MARKS_MESSAGE_MIN = 64, /* Bytes. */
    MARKS_MESSAGE_MAX = 2048,
    MARKS_BLOCK = 64, /* So many bytes are looked at at a time. */
    MARKS_LANES = 16, /* So many marks whoever reads them takes at a time. */
};

struct marks {
    uint32_t count;
    uint32_t quotes; /* In the whole message. */
    /* Half of the bytes can be marks. Behind the last, MARKS_LANES times, the message's size. */
    int16_t at[MARKS_MESSAGE_MAX / 2 + MARKS_LANES];
};

/* So many of them, wherever they stand. */
struct marks_lanes {
    int16_t at __attribute__((vector_size(MARKS_LANES * sizeof(int16_t))));
} __attribute__((packed, may_alias));

/*
 * Find them. False: a byte is not plain (a backslash, a control byte, not ASCII), there are more
 * than JSON_KEYS_MAX, or the message is not of a size between the limits. wide: by AVX2, which the
 * machine must have; the answer is the same.
 */
MUST_USE bool marks_find(struct span raw, bool wide, struct marks *ret_marks);

/* Does the machine have what is needed for wide? */
bool marks_wide(void);

/* What a function needs to be compiled for such a machine. */
#ifdef __x86_64__
#define MARKS_WIDE __attribute__((target("avx2,bmi,popcnt")))
#else
#define MARKS_WIDE
#endif

#endif
