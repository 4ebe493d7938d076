#include "source/fingerprint.h"
#include "source/lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STDIN_READ_MAX = 64 * 1024, /* What a pipe holds, unless somebody made it larger. */
    STDIN_CARRY_MAX = STDIN_READ_MAX + LINES_TOO_LONG,
};

_Static_assert((int)SOURCE_BLOCK_MIN >= (int)LINES_TOO_LONG, "a block begins with the carry");

struct stdin_source {
    struct source source;
    uint64_t next;     /* Offset of the first line carried. */
    uint64_t position; /* Of the first byte carried. */
    bool ended;
    size_t carry_size; /* Read, and not yet given out. */
    uint64_t skipped;  /* Not 0: carry is what is kept of a line that had so many bytes yet. */
    uint8_t last;      /* And this is the last one of them. */
    uint8_t carry[STDIN_CARRY_MAX];
};

static struct stdin_source *stdin_of(struct source *source)
{
    return (struct stdin_source *)source;
}

static enum outcome stdin_open(struct source *source, const char *path, struct fault *ret_fault)
{
    struct stat status;

    (void)path;
    memset(source->origin.topic, 0, sizeof(source->origin.topic));
    memcpy(source->origin.topic, "stdin", sizeof("stdin"));
    if (fstat(STDIN_FILENO, &status) != 0) {
        return fault_is(ret_fault, BROKEN, FAULT_SOURCE_MISSING, "standard input: %s",
                        strerror(errno));
    }
    if (S_ISDIR(status.st_mode)) {
        return fault_is(ret_fault, BROKEN, FAULT_SOURCE_READ, "standard input is a directory");
    }
    if (S_ISREG(status.st_mode)) {
        source->device = status.st_dev;
        source->inode = status.st_ino;
    }
    return DONE;
}

static void stdin_close(struct source *source)
{
    (void)source; /* It was open before us, and is not ours to close. */
}

static enum outcome stdin_assign(struct source *source, uint64_t next,
                                 const struct fingerprint *fingerprint, struct fault *ret_fault)
{
    struct stdin_source *input = stdin_of(source);
    struct line_mark mark;

    (void)ret_fault;
    input->next = next;
    input->position = 0;
    if (next > source->start && fingerprint_read(fingerprint, &mark)) {
        input->position = mark.position;
    }
    return DONE;
}

/* Some bytes, or the end. LATER: nothing came within the time. */
static enum outcome read_some(struct stdin_source *input, uint8_t *into, size_t size,
                              size_t *ret_size, struct fault *ret_fault)
{
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};

    if (poll(&ready, 1, SOURCE_WAIT_MS) <= 0) {
        return LATER; /* Interrupted, too: whoever sent the signal may want us to stop. */
    }
    ssize_t count = read(STDIN_FILENO, into, size);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
        return LATER;
    }
    if (count < 0) {
        return fault_is(ret_fault, BROKEN, FAULT_SOURCE_READ, "cannot read standard input: %s",
                        strerror(errno));
    }
    input->ended = count == 0;
    *ret_size = (size_t)count;
    return DONE;
}

static void carry(struct stdin_source *input, const uint8_t *bytes, size_t size)
{
    must(size <= sizeof(input->carry));
    memcpy(input->carry, bytes, size);
    input->carry_size = size;
}

/*
 * Give out the lines that block->bytes hold, carry the rest. False: not one is whole. The end
 * is only seen when less than a line was carried, so nothing is left to carry then.
 */
static bool give_lines(struct stdin_source *input, struct source_block *block)
{
    size_t used = lines_cut(block, input->position, input->next, input->ended);

    carry(input, block->bytes + used, block->size - used);
    block->ended = input->ended;
    input->next = block->next;
    input->position += used;
    return block->line_count > 0 || block->ended;
}

/* The too long line ends after `more` further bytes, here in the block; the rest is carried. */
static void end_skip(struct stdin_source *input, struct source_block *block, size_t more,
                     size_t size)
{
    const uint8_t *bytes = block->bytes;
    uint8_t rest[STDIN_READ_MAX];
    uint8_t last[2] = {more >= 2 ? bytes[more - 2] : input->last,
                       more >= 1 ? bytes[more - 1] : input->last};
    uint64_t length = input->skipped + more;

    memcpy(rest, bytes + more, size - more);
    memcpy(block->bytes, input->carry, MESSAGE_SIZE_MAX + 1);
    lines_skipped(block, input->position, input->position + length, lines_behind(length, last),
                  input->next);
    carry(input, rest, size - more);
    block->ended = input->ended;
    input->next = block->next;
    input->position += length;
    input->skipped = 0;
}

/* Look for the end of a too long line, as long as bytes come. */
static enum outcome skip(struct stdin_source *input, struct source_block *block,
                         struct fault *ret_fault)
{
    uint64_t from = input->skipped;

    while (input->skipped - from < SOURCE_SKIP_STEP) {
        size_t size = 0;
        enum outcome outcome = read_some(input, block->bytes, STDIN_READ_MAX, &size, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
        const uint8_t *newline = memchr(block->bytes, '\n', size);
        if (newline != NULL || input->ended) {
            size_t more = newline == NULL ? 0 : (size_t)(newline - block->bytes) + 1;
            end_skip(input, block, more, size);
            return DONE;
        }
        input->skipped += size;
        input->last = block->bytes[size - 1];
    }
    return LATER;
}

static bool begins_skip(struct stdin_source *input)
{
    if (input->carry_size < LINES_TOO_LONG) {
        return false;
    }
    input->skipped = input->carry_size;
    input->last = input->carry[input->carry_size - 1];
    return true;
}

/* All that is carried is given out before more is read. */
static enum outcome stdin_read(struct source *source, struct source_block *block,
                               struct fault *ret_fault)
{
    struct stdin_source *input = stdin_of(source);
    size_t more = 0;

    if (input->skipped > 0) {
        return skip(input, block, ret_fault);
    }
    must(block->capacity >= input->carry_size);
    memcpy(block->bytes, input->carry, input->carry_size);
    block->size = input->carry_size;
    if (give_lines(input, block)) {
        return DONE;
    }
    size_t room = block->capacity - block->size;
    size_t wanted = room < STDIN_READ_MAX ? room : STDIN_READ_MAX;
    enum outcome outcome = read_some(input, block->bytes + block->size, wanted, &more, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    block->size += more;
    if (give_lines(input, block)) {
        return DONE;
    }
    return begins_skip(input) ? skip(input, block, ret_fault) : LATER;
}

const struct source_type source_stdin = {
    .name = "stdin",
    .size = sizeof(struct stdin_source),
    .open = stdin_open,
    .assign = stdin_assign,
    .read = stdin_read,
    .fingerprint = line_fingerprint,
    .close = stdin_close,
};
