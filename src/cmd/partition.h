/*
 * partition: in which partition of a topic does a key stand?
 *
 * As Java's producers choose, and librdkafka's murmur2: MurmurHash2 (A. Appleby) of 32 bits with
 * Kafka's seed (org.apache.kafka.common.utils.Utils.murmur2), the sign bit cleared, modulo the
 * number of partitions.
 */
#ifndef CMD_PARTITION_H
#define CMD_PARTITION_H

#include "base/base.h"

uint32_t partition_hash(struct span key);
uint32_t partition_of(struct span key, uint32_t partition_count);

#endif
