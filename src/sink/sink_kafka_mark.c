#include "sink/sink_kafka.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void mark_write(const struct kafka_mark *mark, char ret_text[KAFKA_CURSOR_TEXT_SIZE])
{
    char chain[2 * CHAIN_SIZE + 1];

    for (size_t index = 0; index < CHAIN_SIZE; index++) {
        (void)snprintf(chain + 2 * index, 3, "%02x", mark->chain.bytes[index]);
    }
    int size = snprintf(ret_text, KAFKA_CURSOR_TEXT_SIZE,
                        "payonce1 owner=%016" PRIx64 " journal=%016" PRIx64 " begun=%016" PRIx64
                        " epoch=%" PRIu64 " chain=%s",
                        mark->owner, mark->journal_id, mark->begun_by, mark->epoch, chain);
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        size += snprintf(ret_text + size, KAFKA_CURSOR_TEXT_SIZE - (size_t)size, "%s%" PRIu64,
                         table == 0 ? " seq=" : ",", mark->seq_next[table]);
    }
    must(size < KAFKA_CURSOR_TEXT_SIZE);
}

static bool chain_read(const char *text, struct chain *ret_chain)
{
    for (size_t index = 0; index < CHAIN_SIZE; index++) {
        unsigned byte;
        if (sscanf(text + 2 * index, "%2x", &byte) != 1) {
            return false;
        }
        ret_chain->bytes[index] = (uint8_t)byte;
    }
    return true;
}

/* Read leniently, written again, and compared: so there is one way to write a mark. */
bool mark_read(const char *text, struct kafka_mark *ret_mark)
{
    char chain[2 * CHAIN_SIZE + 1] = "";
    char again[KAFKA_CURSOR_TEXT_SIZE];
    uint64_t *seq = ret_mark->seq_next;

    _Static_assert(CHAIN_SIZE == 16 && TABLE_COUNT == 4, "as the format below reads them");
    if (sscanf(text,
               "payonce1 owner=%16" SCNx64 " journal=%16" SCNx64 " begun=%16" SCNx64
               " epoch=%20" SCNu64 " chain=%32[0-9a-f] seq=%20" SCNu64 ",%20" SCNu64 ",%20" SCNu64
               ",%20" SCNu64,
               &ret_mark->owner, &ret_mark->journal_id, &ret_mark->begun_by, &ret_mark->epoch,
               chain, &seq[0], &seq[1], &seq[2], &seq[3]) != 9 ||
        strlen(chain) != 2 * (size_t)CHAIN_SIZE || !chain_read(chain, &ret_mark->chain)) {
        return false;
    }
    mark_write(ret_mark, again);
    return strcmp(text, again) == 0;
}
