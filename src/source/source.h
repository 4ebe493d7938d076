/*
 * source: where messages come from.
 *
 * A source gives bytes of one partition in offset order, in blocks of whole messages. For
 * files and standard input a message is a line (lines.h), its offset the line's number, from 1.
 * Kinds: source_file.c, source_stdin.c; and live ones (feed.h). Their bytes, never our clock.
 *
 * Files. What was read before is recognised by its last line: it must stand where it stood,
 * byte for byte (of a line too long to be kept: its kept bytes and its length).
 *   - Shorter than what was read: topic_truncated. Another last line: topic_replaced. Not
 *     there: topic_missing. Nothing is read from such a file.
 *   - Another device or inode with the same last line is the same file: copied to a new
 *     volume, restored from a backup, or written anew by an editor. The bytes are the proof.
 *   - A last line without a newline is a message, and is taken. If only its newline comes
 *     later, reading goes on behind it; if more of the line comes, the line has changed:
 *     topic_replaced. So whoever writes while payonce reads should write whole lines.
 *   - Not noticed: a change of the same length somewhere before the last line that was read.
 *     No line is skipped or read twice by it; what was read from there stays as it was.
 *   - While it is read, a file that becomes shorter is noticed (topic_truncated).
 *
 * Standard input cannot be read again: what is sealed is promised, what the pipe held is not.
 * After a restart what comes is new, and its lines are numbered on from the cursor; a pipe
 * fed once more from its beginning brings the same ids, which are then duplicates.
 *
 * Live sources have no end, and something else than the disk may be slow, away or wrong. They
 * never wait in a call: nothing there is LATER at once, and watch says when to ask again.
 *
 * One thread at a time may call a source; different sources are independent of each other.
 */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "base/fault.h"
#include "pay/origin.h"
#include "pay/payment.h"

/* A block must hold one line of any size that is kept, with its '\r' and newline. */
enum { SOURCE_BLOCK_MIN = MESSAGE_SIZE_MAX + 4096 };

struct source;

/* One line of a block: its kept bytes are [at, at + kept) of the block's. */
struct source_line {
    uint32_t at;
    uint32_t kept;    /* At most MESSAGE_SIZE_MAX + 1. */
    uint32_t size;    /* Bytes it really had (more than kept: the rest was skipped); saturated. */
    uint32_t behind;  /* Bytes that end it: 0, 1 ("\n") or 2 ("\r\n"). Live: the source's own. */
    uint64_t end;     /* Position in the input just behind these. Live: the source's own. */
    uint64_t offset;  /* They grow from line to line; not always by one. */
    int64_t stamp_ms; /* The record's own time; INSTANT_NONE: it has none. */
};

struct source_block {
    uint8_t *bytes;            /* Lent: capacity bytes. */
    size_t capacity;           /* At least SOURCE_BLOCK_MIN. */
    size_t target;             /* Read about so much; more only for a line that is longer. */
    struct source_line *lines; /* Lent. */
    size_t line_capacity;      /* At least 1. */
    size_t size;
    size_t line_count;
    uint64_t next; /* The offset to come: behind the last line, and what is known to be none. */
    bool ended;    /* Nothing follows: the input's end was seen. Live: never. */
};

/* What a live source has last heard about its end. */
struct source_sight {
    uint64_t end;    /* The offset that the next message written would get. */
    uint64_t stable; /* Below it nothing is undecided (open transactions); at most end. */
    int64_t seen_ns; /* When, of the steady clock. 0: never, or it is out of reach now. */
};

struct source_type {
    const char *name; /* "file", "stdin", "kafka" */
    size_t size;
    enum outcome (*open)(struct source *source, const char *path, struct fault *ret_fault);
    enum outcome (*assign)(struct source *source, uint64_t next,
                           const struct fingerprint *fingerprint, struct fault *ret_fault);
    enum outcome (*read)(struct source *source, struct source_block *block,
                         struct fault *ret_fault);
    void (*fingerprint)(const struct source *source, const struct source_line *line,
                        const uint8_t *bytes, struct fingerprint *ret_fingerprint);
    void (*close)(struct source *source);

    /* Live ones only; NULL: read waits by itself for a while, and there is an end. */
    void (*watch)(struct source *source, void (*wake)(void *context), void *context);
    void (*sight)(struct source *source, struct source_sight *ret_sight);
};

struct source {
    const struct source_type *type;
    struct origin origin;
    uint64_t start;  /* The first offset there is: of lines 1. */
    uint64_t device; /* Of the open file; 0 for a pipe. */
    uint64_t inode;
    uint64_t ahead; /* Of a file: bytes that were to be read when it was assigned. Else 0. */
    /* When it is BROKEN because offsets are gone: [gone_first, gone_next). */
    uint64_t gone_first;
    uint64_t gone_next;
};

extern const struct source_type source_file;
extern const struct source_type source_stdin;

/* Memory for it, type->size bytes, is the caller's. BROKEN: nothing is open. */
MUST_USE enum outcome source_open(struct source *source, const struct source_type *type,
                                  const char *path, struct fault *ret_fault);

/*
 * Go to where the cursor stands: next is the offset to read first, fingerprint (zeros: none
 * yet) tells what stands before it. BROKEN: topic_replaced, topic_truncated, source_refused.
 */
MUST_USE enum outcome source_assign(struct source *source, uint64_t next,
                                    const struct fingerprint *fingerprint, struct fault *ret_fault);

/*
 * The next block. DONE: lines, or a `next` further on, or the end. LATER: none yet (nothing in
 * the pipe for SOURCE_WAIT_MS; a very long line is being skipped, some MiB a call; of a live
 * source: at once, its watch will call). BROKEN with FAULT_SOURCE_STALE: a new client mends it.
 */
enum { SOURCE_WAIT_MS = 50, SOURCE_SKIP_STEP = 8 * 1024 * 1024 };
MUST_USE enum outcome source_read(struct source *source, struct source_block *block,
                                  struct fault *ret_fault);
void source_close(struct source *source);

/* The fingerprint after this line of a block was taken; bytes are the block's. */
void source_fingerprint(const struct source *source, const struct source_line *line,
                        const uint8_t *bytes, struct fingerprint *ret_fingerprint);

static inline bool source_live(const struct source *source)
{
    return source->type->watch != NULL;
}

/*
 * wake(context) whenever there may be something to read after a LATER; NULL: not any more, and
 * none is under way when this returns. It comes from any thread, also while the source is being
 * read, and does nothing but wake somebody. Live ones only, as is source_sight.
 */
void source_watch(struct source *source, void (*wake)(void *context), void *context);
void source_sight(struct source *source, struct source_sight *ret_sight);

#endif
