/*
 * frame: one epoch as bytes on the disk.
 *
 * A frame begins at a multiple of DISK_BLOCK and is padded with zeros to the next. All numbers
 * little-endian:
 *
 *      0   8  magic "payframe"
 *      8   4  checksum of the header's other bytes from 12
 *     12   2  format version
 *     14   1  kind: 0 decided, 1 seed, 2 snapshot
 *     15   1  1: the last frame of a seed
 *     16   8  serial of the segment
 *     24   8  journal_id
 *     32   8  number of the epoch (snapshot, seed: the last epoch that is in it)
 *     40   8  synced_upto: up to this epoch all was durable when the frame was written
 *     48   8  synced_seeds: so many frames of the seed were
 *     56  16  chain before it
 *     72  16  chain after it
 *     88   8  decided_ms
 *     96   8  sealed_ms
 *    104   8  watermark_ms
 *    112   8  newest_accepted_ms
 *    120   8  seed_epoch
 *    128  32  seq_next of the four tables
 *    160   8  messages
 *    168   8  rows
 *    176   8  count of ranges
 *    184   8  count of totals
 *    192   8  bytes of decisions
 *    200   8  bytes of rows
 *    208   4  checksum of the ranges (struct epoch_range, 64 bytes each)
 *    212   4  checksum of the totals (struct epoch_total, 32 bytes each)
 *    216   4  checksum of the decisions
 *    220   4  checksum of the rows, and of the zeros that pad the frame
 *    224  32  zeros
 *    256      ranges, totals, decisions, rows; each begins at a multiple of 8
 *
 * Every checksum (CRC32C) starts from the stamp's seed, made of serial, journal_id and key. So a
 * frame of an earlier use of the file is not one, and no message can be made to look like one.
 */
#ifndef JOURNAL_FRAME_H
#define JOURNAL_FRAME_H

#include "base/siphash.h"
#include "os/disk.h"
#include "pay/epoch.h"

enum { FRAME_VERSION = 1, FRAME_HEADER_SIZE = 256 };

enum frame_kind { FRAME_DECIDED, FRAME_SEED, FRAME_SNAPSHOT };

enum frame_part { FRAME_RANGES, FRAME_TOTALS, FRAME_DECISIONS, FRAME_ROWS, FRAME_PARTS };

struct frame_header {
    char magic[8];
    uint32_t checksum;
    uint16_t version;
    uint8_t kind;
    uint8_t seed_last;
    uint64_t serial;
    uint64_t journal_id;
    uint64_t number;
    uint64_t synced_upto;
    uint64_t synced_seeds;
    struct chain prev_chain;
    struct chain chain;
    int64_t decided_ms;
    int64_t sealed_ms;
    int64_t watermark_ms;
    int64_t newest_accepted_ms;
    uint64_t seed_epoch;
    uint64_t seq_next[TABLE_COUNT];
    uint64_t message_count;
    uint64_t row_count;
    uint64_t range_count;
    uint64_t total_count;
    uint64_t decisions_size;
    uint64_t rows_size;
    uint32_t part_checksums[FRAME_PARTS];
    uint8_t zeros[32];
};

_Static_assert(sizeof(struct frame_header) == FRAME_HEADER_SIZE, "the file format says 256");
_Static_assert(TABLE_COUNT == 4, "the file format says four tables");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file format is little-endian");

/* In which segment of which journal a frame stands. */
struct frame_stamp {
    uint64_t serial;
    uint64_t journal_id;
    uint32_t seed; /* Of every checksum. */
};

struct frame_stamp frame_stamp(uint64_t serial, uint64_t journal_id, const struct siphash_key *key);

/* Bytes in the file, a multiple of DISK_BLOCK. */
size_t frame_size(const struct epoch *epoch);
size_t frame_header_size(const struct frame_header *header);

/* Where a part begins in the frame, and (unpadded) how long it is. */
struct frame_extent {
    size_t at;
    size_t size;
};
struct frame_extent frame_extent(const struct frame_header *header, enum frame_part part);

/* Draw it into `to`, which has room for frame_size. synced_*: see above. */
void frame_write(const struct epoch *epoch, enum frame_kind kind, const struct frame_stamp *stamp,
                 uint64_t synced_upto, uint64_t synced_seeds, uint8_t *to);

/* Is this the header of a frame of this segment that fits into size_max bytes? */
bool frame_header_whole(const struct frame_header *header, const struct frame_stamp *stamp,
                        uint64_t size_max);

/* Did this part come back as it was written? frame: from its header on, up to the part's end. */
bool frame_part_whole(const uint8_t *frame, enum frame_part part, const struct frame_stamp *stamp);

/* Make a whole frame one of another segment. */
void frame_restamp(uint8_t *frame, const struct frame_stamp *stamp);

/* The epoch of a frame in memory, lent from it; without rows, if they were not read. */
void frame_epoch(uint8_t *frame, bool with_rows, struct epoch *ret_epoch);

#endif
