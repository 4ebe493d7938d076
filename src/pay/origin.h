/*
 * origin: where a message stands: topic, incarnation, partition, under one small number.
 *
 * Sources are numbered 0, 1, 2 ... in the order in which the history met them. The number
 * is local to a journal; tables and people get the names.
 */
#ifndef PAY_ORIGIN_H
#define PAY_ORIGIN_H

#include "base/base.h"

enum {
    SOURCES_MAX = 4096,
    TOPIC_TEXT_MAX = 1023,
    FINGERPRINT_SIZE = 32,
};

#define OFFSET_MAX ((UINT64_C(1) << 44) - 1)

/* What tells that the bytes before our cursor are still the ones we read. A source's own. */
struct fingerprint {
    uint8_t bytes[FINGERPRINT_SIZE];
};

struct origin {
    char topic[TOPIC_TEXT_MAX + 1];
    uint32_t incarnation;
    uint32_t partition;
};

bool origin_same(const struct origin *left, const struct origin *right);

#endif
