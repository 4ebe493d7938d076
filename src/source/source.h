/*
 * source: where messages come from.
 *
 * A source gives bytes of one partition in offset order, in blocks of whole messages. For
 * files and standard input a message is a line (without its newline and a '\r' before it), its
 * offset the line's number, from 1; the last line needs no newline. An empty line is a message,
 * too. Kinds: source_file.c, source_stdin.c; Kafka comes later. The disk's bytes, never a clock.
 */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "base/fault.h"
#include "pay/origin.h"
#include "pay/payment.h"

struct source;

/* One line of a block: [at, at + size) of the block's bytes. */
struct source_line {
    uint32_t at;
    uint32_t kept; /* Bytes in the block: at most MESSAGE_SIZE_MAX + 1. */
    uint64_t size; /* Bytes it really had (larger than kept: too long; the rest was skipped). */
    uint64_t end;  /* Position in the input just behind it, its newline included. */
};

struct source_block {
    uint8_t *bytes; /* Lent: capacity bytes. */
    size_t capacity;
    size_t size;
    struct source_line *lines; /* Lent. */
    size_t line_capacity;
    size_t line_count;
    uint64_t first_offset; /* Of lines[0]. */
    bool ended;            /* Nothing follows: the input's end was seen. */
};

struct source_type {
    const char *name; /* "file", "stdin" */
    size_t size;
    enum outcome (*open)(struct source *source, const char *path, struct fault *ret_fault);
    /*
     * Go to where the cursor stands: next is the offset to read first, fingerprint (zeros: none
     * yet) tells that what stands before it is still what was read. BROKEN: topic_missing,
     * topic_replaced, topic_truncated.
     */
    enum outcome (*assign)(struct source *source, uint64_t next,
                           const struct fingerprint *fingerprint, struct fault *ret_fault);
    /* The next block. DONE, also with no lines when it has ended. LATER: none yet (a pipe). */
    enum outcome (*read)(struct source *source, struct source_block *block,
                         struct fault *ret_fault);
    void (*close)(struct source *source);
};

struct source {
    const struct source_type *type;
    struct origin origin;
    uint64_t start;  /* The first offset there is: 1. */
    uint64_t device; /* Of the open file; 0 for a pipe. */
    uint64_t inode;
};

extern const struct source_type source_file;
extern const struct source_type source_stdin;

MUST_USE enum outcome source_open(struct source *source, const struct source_type *type,
                                  const char *path, struct fault *ret_fault);
MUST_USE enum outcome source_assign(struct source *source, uint64_t next,
                                    const struct fingerprint *fingerprint, struct fault *ret_fault);
MUST_USE enum outcome source_read(struct source *source, struct source_block *block,
                                  struct fault *ret_fault);
void source_close(struct source *source);

/*
 * The fingerprint after this line was taken. 32 bytes: position behind it (8), device (8),
 * inode (8), length of the line with its newline (4, saturated), checksum of its kept bytes (4).
 */
void source_fingerprint(const struct source *source, const struct source_line *line,
                        const uint8_t *bytes, struct fingerprint *ret_fingerprint);

#endif
