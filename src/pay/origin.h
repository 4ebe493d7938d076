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
    CLUSTER_TEXT_MAX = 63, /* Kafka's are 22 characters, as are its topics' ids. */
    TOPIC_ID_TEXT_MAX = 23,
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

/*
 * What stands behind a topic's name, as a source knows it: text; empty: not known. Compared
 * whenever the source is taken up, where both sides know; never a part of what a source is
 * called. What stands behind a text's zero byte is zeros, too.
 */
struct source_facts {
    char cluster[CLUSTER_TEXT_MAX + 1];
    char topic_id[TOPIC_ID_TEXT_MAX + 1];
};

_Static_assert(sizeof(struct source_facts) == 88, "the journal stores them as they are");

/* Where these are known and those are not, these; true if that changed anything. */
bool source_facts_learn(struct source_facts *facts, const struct source_facts *now);

bool origin_same(const struct origin *left, const struct origin *right);

#endif
