/*
 * record_mark: is the record before our cursor still the one we read?
 *
 * The fingerprint of a partition of a live source: 32 bytes in the machine's order, offset (8),
 * time (8), sizes of key and value (4, 4), CRC32C of both (4), which of them there are (4). Of
 * a long key the first RECORD_KEY_KEPT bytes count, of a long value what a block keeps of it.
 * Anything else with the same offset is another record: a topic made anew, a log restored from
 * a backup, a mirror taken over, a replica that leads without having been in step.
 */
#ifndef SOURCE_RECORD_MARK_H
#define SOURCE_RECORD_MARK_H

#include "os/kafka_read.h"
#include "pay/origin.h"
#include "source/source.h"

enum {
    RECORD_KEY_KEPT = 256,
    RECORD_THERE = 1, /* A mark of nothing is zeros. */
    RECORD_HAS_KEY = 2,
    RECORD_HAS_VALUE = 4,
};

struct record_mark {
    uint64_t offset;
    int64_t stamp_ms;
    uint32_t key_size; /* Saturated, as is the next. */
    uint32_t value_size;
    uint32_t checksum;
    uint32_t kind; /* RECORD_... */
};

_Static_assert(sizeof(struct record_mark) == FINGERPRINT_SIZE, "it is stored as it is");

/* False: zeros, nothing has been read yet. */
bool record_mark_read(const struct fingerprint *fingerprint, struct record_mark *ret_mark);

void record_mark_of(const struct kafka_record *record, struct record_mark *ret_mark);
bool record_mark_same(const struct record_mark *left, const struct record_mark *right);

/*
 * A record becomes a block's line: its kept key and value are copied behind what is there, the
 * line's behind and end hold what the mark wants to know of the key. False: no room.
 */
MUST_USE bool record_keep(const struct kafka_record *record, struct source_block *block);

/* The mark of a line that record_keep made; bytes are the block's. */
void record_mark_of_line(const struct source_line *line, const uint8_t *bytes,
                         struct record_mark *ret_mark);

#endif
