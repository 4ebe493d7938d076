/*
 * kafka_group: where do a group's committed offsets stand? And: put them elsewhere.
 *
 * What an operator's tool does, and a consumer that crashed at the wrong moment: for the
 * simulator. payonce itself reads no such offset. The group must have no members.
 *
 *   - One topic, its partitions from 0 on.
 *   - Each call waits KAFKA_WAIT_MS at most. LATER: out of reach, or still being settled.
 *     REFUSED: no right to the group or the topic (FAULT_KAFKA_NOT_ALLOWED), no such topic.
 *   - One thread calls all of these.
 */
#ifndef OS_KAFKA_GROUP_H
#define OS_KAFKA_GROUP_H

#include "os/kafka.h"

/* Nothing is committed there; or: leave it as it is. */
#define KAFKA_UNCOMMITTED UINT64_MAX

struct kafka_group;

/* BROKEN: a setting is refused, or no memory. It does not wait for a broker. */
MUST_USE enum outcome kafka_group_open(const struct kafka_settings *client, const char *group,
                                       struct kafka_group **ret_group, struct fault *ret_fault);

MUST_USE enum outcome kafka_group_read(struct kafka_group *group, const char *topic,
                                       uint64_t *ret_offsets, uint32_t partition_count,
                                       struct fault *ret_fault);

/* BROKEN: it has members, who alone may commit (FAULT_KAFKA_WRITE). */
MUST_USE enum outcome kafka_group_write(struct kafka_group *group, const char *topic,
                                        const uint64_t *offsets, uint32_t partition_count,
                                        struct fault *ret_fault);

void kafka_group_close(struct kafka_group *group);

#endif
