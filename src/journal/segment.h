/*
 * segment: one file of the journal, from its header block to its first frame.
 *
 * A segment is written once from front to back. Its first block, little-endian:
 *
 *      0   8  magic "paysegmt"
 *      8   4  checksum (CRC32C from 0) of the block's other bytes from 12
 *     12   4  format version
 *     16   8  serial, as in the file's name
 *     24   8  previous: serial of the segment before it. 0: none, this is the journal's head
 *     32   8  journal_id
 *     40  16  key of the journal
 *     56   8  after: the last epoch before its own frames
 *     64  16  the chain after that epoch
 *     80   8  begun_ms: everything in the segments before it was sealed by then
 *     88   4  1: the head of a seed, which stands in this segment from its first frame on
 *     92   .  zeros
 *
 * Then the snapshot frame, then frames after + 1, after + 2 ...
 *
 * The newest segment names the one before it, that one the one before, and so on. What is not on
 * this line is not there: a leftover, to be swept away. So taking the place of others is one
 * rename, however many files have to go afterwards.
 *
 * A file that is not (or no longer) a segment is called "spare-<16 hex digits>". A fresh segment
 * is written under such a name, synced, and only then renamed: a segment's header and snapshot
 * are whole, or damaged.
 */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include "journal/frame.h"
#include "journal/journal.h"

struct segment_header {
    char magic[8];
    uint32_t checksum;
    uint32_t version;
    uint64_t serial;
    uint64_t previous;
    uint64_t journal_id;
    struct siphash_key key;
    uint64_t after;
    struct chain after_chain;
    int64_t begun_ms;
    uint32_t seeds_follow;
    uint8_t zeros[DISK_BLOCK - 92];
};

_Static_assert(sizeof(struct segment_header) == DISK_BLOCK, "the file format says one block");

struct journal_segment {
    uint64_t serial;
    uint64_t previous;
    uint64_t after;
    struct chain after_chain;
    uint64_t snapshot; /* The epoch its snapshot is of. After a recovery this may be above after. */
    uint64_t seed_epoch;  /* Of the snapshot. */
    uint64_t synced_upto; /* Of the snapshot. */
    uint64_t frames_at;   /* Where its own frames begin. */
    uint64_t size;        /* Of the file. */
    int64_t begun_ms;
    bool seeds_follow;
};

void segment_name(uint64_t serial, char ret_name[DISK_NAME_MAX]);
void segment_spare_name(uint64_t serial, char ret_name[DISK_NAME_MAX]);

/* Is it the name of a segment, or of a spare file? Then its serial. */
bool segment_name_read(const char *name, uint64_t *ret_serial);
bool segment_spare_name_read(const char *name, uint64_t *ret_serial);

struct frame_stamp segment_stamp(const struct journal *journal,
                                 const struct journal_segment *segment);

/*
 * What the file of this serial says in its header and snapshot. journal_id and key are taken from
 * it when journal_id is 0, else compared. BROKEN: damaged, unreadable, of another version.
 */
MUST_USE enum outcome segment_load(struct journal *journal, uint64_t serial,
                                   struct journal_segment *ret_segment, struct fault *ret_fault);

/* Draw the header block. */
void segment_header_write(const struct journal *journal, const struct journal_segment *segment,
                          uint8_t *to);

/* A segment on its way: written, not yet one. */
struct segment_fresh {
    struct journal_segment segment;
    disk_file file;
    uint64_t write_at;
    char name[DISK_NAME_MAX]; /* Of the spare file it is written in. */
    bool recycled;
};

/*
 * Write header and snapshot for fresh->segment (previous, after, after_chain, begun_ms,
 * seeds_follow are the caller's), with room for size_min bytes of frames. LATER: no space, nothing
 * happened.
 */
MUST_USE enum outcome segment_create(struct journal *journal, struct segment_fresh *fresh,
                                     const struct epoch *snapshot, uint64_t size_min,
                                     struct fault *ret_fault);
void segment_abandon(struct journal *journal, struct segment_fresh *fresh);

/* Make it durable, and a segment. LATER: as segment_create. */
MUST_USE enum outcome segment_settle(struct journal *journal, struct segment_fresh *fresh,
                                     struct fault *ret_fault);

/* It ends the line, and is written to from now on. The caller holds the mutex. */
void segment_join(struct journal *journal, const struct segment_fresh *fresh);

/* It is no segment any more: kept as a spare file, or removed. The directory is not synced. */
MUST_USE enum outcome segment_drop(struct journal *journal, uint64_t serial, uint64_t size,
                                   struct fault *ret_fault);

/* Remove what is not on the line, and sync the directory. */
MUST_USE enum outcome segment_sweep(struct journal *journal, struct fault *ret_fault);

/*
 * Before anything is written: remove the spare files that an earlier start left. In one of them
 * may stand the frames of a segment that never became one, under the serial that comes next.
 */
MUST_USE enum outcome segment_sweep_spares(struct journal *journal, struct fault *ret_fault);

/* Every byte behind a failed write or sync is in doubt: nothing more is written. */
enum outcome journal_failed(struct journal *journal, enum outcome outcome);
MUST_USE enum outcome journal_sync_directory(struct journal *journal, struct fault *ret_fault);

/* Index of the segment in which this epoch stands; SIZE_MAX: in none. */
size_t journal_segment_of(const struct journal *journal, uint64_t epoch);

#endif
