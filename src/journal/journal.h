/*
 * journal: what was decided, in order, never rewritten. The checkpoint.
 *
 * Before the seal of an epoch is on disk the epoch never happened, and its
 * messages may be read again from the source. After it the epoch may only be
 * repeated. The fsync proposes; the ledger's cursor decides (see sink.h).
 *
 * FILES. data_dir/journal/ holds segments "seg-<16 hex digits of the serial>", preallocated,
 * recycled. A segment's serial is new before every use and enters every checksum of its frames:
 * a frame of another serial is not there. A segment begins with a header block, then a snapshot
 * frame (sources, totals, rules, watermark as of the last epoch before it), then frames.
 * All numbers little-endian; frames begin at multiples of DISK_BLOCK.
 *
 * (The byte drawing of segment header and frame header stands in segment.h, frame.h and
 * docs/format.md.)
 *
 * TORN OR DAMAGED. One frame at a time is unsynced, and each frame says up to which epoch all
 * was durable when it was written (synced_upto). So a bad frame n followed, anywhere, by a valid
 * frame of this journal with synced_upto >= n is damage in the middle: BROKEN, journal_corrupt,
 * files untouched. Otherwise it was being written when the power went: a torn tail, to be cut.
 *
 * ERRORS. LATER with disk_space: nothing happened, the same call may succeed later. BROKEN from a
 * write or sync is final: this struct journal writes nothing more, whatever is asked of it.
 *
 * Threads: one opens, keeps, begins, seals and trims; others may meanwhile journal_read,
 * journal_snapshot and journal_find_chain, each with a place of its own.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "os/clock.h"
#include "os/disk.h"
#include "pay/epoch.h"

#include <pthread.h>

enum {
    JOURNAL_SEGMENTS_MAX = 65536,
    JOURNAL_SPARES_MAX = 2, /* Files kept for the next segments. */
};

/* Start and recovery are refused with less room than this. */
#define JOURNAL_FREE_MIN (UINT64_C(64) << 20)

struct journal_settings {
    uint64_t segment_size; /* Multiple of DISK_BLOCK; a frame larger than it gets a larger one. */
    int64_t keep_ms;       /* A segment younger than this is kept. */
    uint64_t max_bytes; /* Shortens keep_ms, never what sinks or the live ids need. 0: no limit */
};

struct journal_segment; /* One row of the list of segments: segment.h. */

struct journal {
    struct disk *disk; /* Borrowed. */
    struct journal_settings settings;
    bool empty;             /* There is no journal here. */
    uint64_t journal_id;    /* Random, 63 bits; a new one for each journal. */
    struct siphash_key key; /* Random, of this journal: for slots and digests. */
    uint64_t first_epoch;   /* The oldest epoch that can be read. */
    uint64_t last_epoch;    /* The newest sealed (or, before journal_keep, found) one. 0: none. */
    struct chain last_chain;
    uint64_t torn_bytes; /* Of an unfinished last frame, found by open. 0: none. */
    uint64_t bytes;      /* Of all segments. */
    bool ready;          /* journal_keep or journal_begin has run: seal may be called. */

    /* Its own. The mutex is for readers: it guards the list, epochs, chain, write_at, bytes. */
    bool failed; /* A write or sync was BROKEN: nothing more is written. */
    pthread_mutex_t mutex;
    struct journal_segment *segments; /* Lent: JOURNAL_SEGMENTS_MAX (see journal_memory_size). */
    size_t segment_count;
    uint64_t next_serial;
    uint64_t spares[JOURNAL_SPARES_MAX]; /* Serials in the names of files to be used again. */
    size_t spare_count;
    uint64_t durable_upto; /* Of what open found: up to here durable, by what stands behind. */
    int64_t sealed_ms;     /* Of last_epoch. */
    uint64_t seeds;        /* Frames of the seed. */
    bool seed_open;        /* Its last frame has not been sealed yet. */
    uint8_t *buffer;       /* Lent, DISK_BLOCK aligned: a frame is put together here. */
    size_t buffer_size;
    disk_file writing; /* The newest segment. */
    uint64_t write_at;
};

/*
 * How much memory journal_open wants lent, for frames of at most this many bytes (an epoch's
 * parts and FRAME_HEADER_SIZE more, in whole blocks; a snapshot is one, too). It need not be
 * zeroed, and may be lent again after journal_close.
 */
size_t journal_memory_size(size_t frame_size_max);

/*
 * Look at what is there: segments, the newest whole frame, a torn tail or damage. Changes
 * nothing on disk. BROKEN: journal_corrupt, journal_format, journal_io_error, no_memory (a frame
 * larger than the memory allows).
 *
 * Checked is what a fold would read from seed_epoch on, and the newest segment with its rows.
 * What stands before, and other rows, are checked when somebody reads them.
 */
MUST_USE enum outcome journal_open(struct journal *journal, struct disk *disk,
                                   const struct journal_settings *settings, void *memory,
                                   size_t memory_size, struct fault *ret_fault);
void journal_close(struct journal *journal);

/* A place to read on from. Each reader has one, with memory of its own lent for the frame. */
struct journal_place {
    uint64_t epoch;  /* The next one to read; the reader may set it. */
    disk_file file;  /* Open while standing in a segment; journal_place_close. -1 at first. */
    uint8_t *buffer; /* Lent, DISK_BLOCK aligned; at least DISK_BLOCK, and then the frame. */
    size_t buffer_size;

    /* Its own; zeros at first. */
    uint64_t serial;   /* Of the segment it stands in; 0: none. */
    uint64_t offset;   /* Of the frame of the epoch standing. */
    uint64_t standing; /* The frame at offset is this epoch's. */
    bool seeding;      /* The frame at offset is one of the seed. */
};

enum journal_parts { JOURNAL_DECISIONS, JOURNAL_DECISIONS_AND_ROWS };

/*
 * The frame at this place; then the place stands at the next. The epoch's memory is the place's
 * buffer; ranges, totals, decisions, rows point into it (lent until the next read).
 * LATER: nothing sealed there yet. REFUSED: that epoch is no longer in the journal. BROKEN:
 * journal_corrupt, journal_io_error, no_memory (a frame larger than the buffer).
 * Going on from epoch to epoch reads each frame once; setting place->epoch back, or into another
 * segment, walks over the headers from that segment's start.
 */
MUST_USE enum outcome journal_read(struct journal *journal, struct journal_place *place,
                                   enum journal_parts parts, struct epoch *ret_epoch,
                                   struct fault *ret_fault);
void journal_place_close(struct journal *journal, struct journal_place *place);

/*
 * The snapshot from which a fold that must cover `epoch` starts: the newest one older than it
 * (ret_snapshot->number < epoch; usually the last epoch before that segment), or the journal's
 * head, with its seed. The place then stands behind it: journal_read gives the frames of the seed,
 * if there is one (kind EPOCH_SEED, all with the snapshot's number, the last with seed_last),
 * then epoch number + 1 and so on. REFUSED: the journal does not reach back that far.
 */
MUST_USE enum outcome journal_snapshot(struct journal *journal, uint64_t epoch,
                                       struct journal_place *place, struct epoch *ret_snapshot,
                                       struct fault *ret_fault);

/*
 * Which epoch has this chain? The one before first_epoch counts, too. 0: none; also the answer
 * for the chain of zeros, which is before epoch 1.
 */
MUST_USE enum outcome journal_find_chain(struct journal *journal, const struct chain *chain,
                                         uint64_t *ret_epoch, struct fault *ret_fault);

/*
 * History ends at this epoch: what stands behind it is cut. Recovered is not durable: the frames
 * after `confirmed` that stand in the last segment, and in any case the last one, whose sync may
 * never have returned, are copied into a fresh segment and synced. (Older ones were durable when
 * the last one was written; it says so.) Then seal may be called.
 * snapshot: standing as of last_kept (for the fresh segment's head).
 * LATER: no space, or less than JOURNAL_FREE_MIN. BROKEN: as everywhere; also journal_corrupt.
 */
MUST_USE enum outcome journal_keep(struct journal *journal, uint64_t confirmed, uint64_t last_kept,
                                   const struct epoch *snapshot, struct fault *ret_fault);

/*
 * A new journal under a new journal_id and key, in place of whatever was there (which stays
 * until the new head is durable). snapshot->number and ->chain: the history so far (0 and zeros
 * on a first run). With `seeds` to follow: epochs of kind EPOCH_SEED by journal_seal, the last
 * one with seed_last = 1; a journal whose seed is not whole counts as empty at open.
 * Epochs go on: the first one sealed is snapshot->number + 1.
 * LATER: no space, or less than JOURNAL_FREE_MIN; what was there is still there.
 */
MUST_USE enum outcome journal_begin(struct journal *journal, const struct epoch *snapshot,
                                    bool seeds_follow, struct fault *ret_fault);

/*
 * Decide: one append, one sync. Fills epoch->journal_id and ->chain (of a seed, ->prev_chain,
 * too). After DONE this epoch is history. snapshot: called for only when a new segment begins
 * (journal_wants_snapshot; else NULL); the standing before this epoch.
 * LATER: no space (nothing happened). BROKEN: write nothing more.
 */
MUST_USE enum outcome journal_seal(struct journal *journal, struct epoch *epoch,
                                   const struct epoch *snapshot, struct fault *ret_fault);

/* Will the next seal of an epoch of this size begin a segment, so that it wants a snapshot? */
bool journal_wants_snapshot(const struct journal *journal, const struct epoch *epoch);

/*
 * Let go of segments that nobody needs: all epochs below `needed` (the smallest of what sinks
 * lack and seed_epoch), sealed keep_ms ago or earlier, or beyond max_bytes. What a fold from
 * `needed` wants stays, so about one segment more may.
 */
MUST_USE enum outcome journal_trim(struct journal *journal, uint64_t needed, int64_t now_ms,
                                   struct fault *ret_fault);

#endif
