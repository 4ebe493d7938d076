/*
 * messages: what a world's partitions hold, and what a story starts from.
 */
#ifndef TEST_SIM_MESSAGES_H
#define TEST_SIM_MESSAGES_H

#include "pay/payment.h"

/* One message. id NULL: not JSON. only_left_out: skipped. */
struct world_message {
    uint16_t partition;
    const char *id;
    int32_t event_s; /* After the world's beginning; it arrives at ARRIVAL_S. */
    int64_t units;   /* Of hundredths. */
    const char *currency;
    const char *region;
    bool left_out;
};

/* As an id: nothing is there to be read, and it has been decided that it is lost: a gap. */
extern const char world_lost[];

enum { WORLD_ARRIVAL_S = 100000 };
#define WORLD_BEGIN_MS INT64_C(1770000000000)

/* What a story starts from. */
struct world_setting {
    const struct world_message *messages;
    size_t message_count;
    size_t per_epoch;
    uint64_t segment_size;
    int64_t keep_s;
    int64_t retention_s;
    uint64_t journal_max_bytes;
    bool follows; /* There is a follower from the beginning. */
};

/* Its offset in its partition: they count from 1. */
uint64_t message_offset(const struct world_setting *setting, size_t index);
uint64_t message_last_offset(const struct world_setting *setting, size_t partition);

/* The message, but for the number of its source. Texts are lent from the setting. */
void message_fill(const struct world_setting *setting, size_t index, const struct siphash_key *key,
                  struct message *ret_message);

#endif
