#include "base/checksum.h"
#include "source/fingerprint.h"
#include "source/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_source {
    struct source source;
    int file;
    uint64_t next;      /* Offset of the line that begins at position. */
    uint64_t position;  /* What stands before it has been given out. */
    uint64_t size_seen; /* The file never becomes shorter than this. */
    size_t wanted;      /* Less than the target pays, since the lines are short; 0: it does not. */
    uint64_t
        skipped_to; /* Not 0: the line at position is too long, and has not ended up to here. */
};

static struct file_source *file_of(struct source *source)
{
    return (struct file_source *)source;
}

static enum outcome cannot_open(const char *path, struct fault *ret_fault)
{
    int why = errno;
    enum fault_code code = FAULT_SOURCE_READ;

    if (why == ENOENT || why == ENOTDIR) {
        code = FAULT_SOURCE_MISSING;
    } else if (why == EACCES || why == EPERM) {
        code = FAULT_SOURCE_PERMISSION;
    }
    (void)fault_is(ret_fault, BROKEN, code, "cannot open %s: %s", path, strerror(why));
    if (code == FAULT_SOURCE_MISSING) {
        fault_next(ret_fault, "mend the path; what was read before is put back, or not named");
    }
    if (why == EMFILE) {
        fault_next(ret_fault, "allow this process more open files (ulimit -n), or name fewer");
    }
    return BROKEN;
}

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode)) {
        return "a directory";
    }
    if (S_ISFIFO(mode)) {
        return "a pipe";
    }
    return S_ISSOCK(mode) ? "a socket" : "a device";
}

static enum outcome file_open(struct source *source, const char *path, struct fault *ret_fault)
{
    struct file_source *file = file_of(source);
    struct stat status;

    /* Not to wait here for somebody who writes into a named pipe. */
    file->file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file->file < 0) {
        return cannot_open(path, ret_fault);
    }
    if (fstat(file->file, &status) != 0) {
        enum outcome outcome = cannot_open(path, ret_fault);
        (void)close(file->file);
        return outcome;
    }
    if (!S_ISREG(status.st_mode)) {
        (void)close(file->file);
        (void)fault_is(ret_fault, BROKEN, FAULT_SOURCE_READ, "%s is %s, not a file of lines", path,
                       kind_of(status.st_mode));
        fault_next(ret_fault, "name a regular file; what comes through a pipe is read from "
                              "standard input");
        return BROKEN;
    }
    source->device = status.st_dev;
    source->inode = status.st_ino;
    return DONE;
}

static void file_close(struct source *source)
{
    (void)close(file_of(source)->file);
}

/* Fewer bytes than asked for come back only at the file's end. */
static enum outcome read_at(const struct file_source *file, uint64_t position, void *into,
                            size_t size, size_t *ret_size, struct fault *ret_fault)
{
    uint8_t *to = into;
    size_t done = 0;

    while (done < size) {
        ssize_t count = pread(file->file, to + done, size - done, (off_t)(position + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return fault_is(ret_fault, BROKEN, FAULT_SOURCE_READ, "cannot read %s at byte %llu: %s",
                            file->source.origin.topic, (unsigned long long)(position + done),
                            strerror(errno));
        }
        if (count == 0) {
            break;
        }
        done += (size_t)count;
    }
    *ret_size = done;
    return DONE;
}

static enum outcome truncated(const struct file_source *file, uint64_t size, uint64_t known,
                              struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SOURCE_TRUNCATED,
                    "%s has become shorter: %llu bytes, and there were %llu, up to line %llu",
                    file->source.origin.topic, (unsigned long long)size, (unsigned long long)known,
                    (unsigned long long)file->next - 1);
}

/* Look at the size; a file of lines only grows. */
static enum outcome look_at_size(struct file_source *file, struct fault *ret_fault)
{
    struct stat status;

    if (fstat(file->file, &status) != 0) {
        return fault_is(ret_fault, BROKEN, FAULT_SOURCE_READ, "cannot look at %s: %s",
                        file->source.origin.topic, strerror(errno));
    }
    uint64_t size = (uint64_t)status.st_size;
    if (size < file->size_seen) {
        return truncated(file, size, file->size_seen, ret_fault);
    }
    file->size_seen = size;
    return DONE;
}

static enum outcome replaced(const struct file_source *file, const struct line_mark *mark,
                             struct fault *ret_fault)
{
    return fault_is(ret_fault, BROKEN, FAULT_SOURCE_REPLACED,
                    "%s: line %llu, which ends at byte %llu, is not the line that was read there",
                    file->source.origin.topic, (unsigned long long)file->next - 1,
                    (unsigned long long)mark->position);
}

/* Do [begin, begin + size) have this checksum? */
static enum outcome match_kept(const struct file_source *file, uint64_t begin, uint64_t size,
                               uint32_t expected, bool *ret_same, struct fault *ret_fault)
{
    uint8_t bytes[4096];
    uint32_t sum = 0;
    size_t got = 0;

    *ret_same = false;
    for (uint64_t done = 0; done < size; done += got) {
        size_t part = size - done < sizeof(bytes) ? (size_t)(size - done) : sizeof(bytes);
        enum outcome outcome = read_at(file, begin + done, bytes, part, &got, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
        if (got < part) {
            return DONE;
        }
        sum = checksum(sum, (struct span){bytes, part});
    }
    *ret_same = sum == expected;
    return DONE;
}

/* Is the marked line still there? How many bytes end it now? */
static enum outcome match_line(const struct file_source *file, const struct line_mark *mark,
                               uint32_t *ret_behind, bool *ret_same, struct fault *ret_fault)
{
    uint64_t begin = mark->position - mark->length;
    uint8_t last[2] = {0, 0};
    uint8_t before = '\n';
    size_t got = 0;
    size_t two = mark->position >= 2 ? 2 : 1;

    enum outcome outcome =
        read_at(file, mark->position - two, last + 2 - two, two, &got, ret_fault);
    if (outcome == DONE && begin > 0) {
        outcome = read_at(file, begin - 1, &before, 1, &got, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    *ret_behind = lines_behind(mark->length, last);
    if (mark->length == UINT32_MAX) {
        *ret_same = true; /* Where it began is not known. */
        return DONE;
    }
    *ret_same = false;
    if (before != '\n') {
        return DONE;
    }
    uint64_t size = mark->length - *ret_behind;
    uint64_t kept = size <= MESSAGE_SIZE_MAX ? size : MESSAGE_SIZE_MAX + 1;
    return match_kept(file, begin, kept, mark->checksum, ret_same, ret_fault);
}

/* The line was taken without a newline: what may follow it now is only that. */
static enum outcome pass_newline(struct file_source *file, struct fault *ret_fault)
{
    uint8_t next[2];
    size_t got = 0;
    enum outcome outcome = read_at(file, file->position, next, sizeof(next), &got, ret_fault);

    if (outcome != DONE || got == 0) {
        return outcome;
    }
    if (next[0] == '\n') {
        file->position += 1;
        return DONE;
    }
    if (got == 2 && next[0] == '\r' && next[1] == '\n') {
        file->position += 2;
        return DONE;
    }
    unsigned long long line = file->next - 1;
    (void)fault_is(ret_fault, BROKEN, FAULT_SOURCE_REPLACED,
                   "%s: line %llu was read without a newline behind it, up to byte %llu, and has "
                   "become longer since",
                   file->source.origin.topic, line, (unsigned long long)file->position);
    fault_next(ret_fault,
               "end line %llu at byte %llu as it was, and put what follows on lines of "
               "its own",
               line, (unsigned long long)file->position);
    return BROKEN;
}

static enum outcome go_behind(struct file_source *file, const struct line_mark *mark,
                              struct fault *ret_fault)
{
    uint32_t behind = 0;
    bool same = false;

    if (file->size_seen < mark->position) {
        return truncated(file, file->size_seen, mark->position, ret_fault);
    }
    if (mark->position < mark->length) {
        return replaced(file, mark, ret_fault);
    }
    enum outcome outcome = match_line(file, mark, &behind, &same, ret_fault);
    if (outcome != DONE) {
        return outcome;
    }
    if (!same) {
        return replaced(file, mark, ret_fault);
    }
    file->position = mark->position;
    return behind == 0 ? pass_newline(file, ret_fault) : DONE;
}

static enum outcome file_assign(struct source *source, uint64_t next,
                                const struct fingerprint *fingerprint, struct fault *ret_fault)
{
    struct file_source *file = file_of(source);
    struct line_mark mark;

    file->next = next;
    file->position = 0;
    file->size_seen = 0;
    file->skipped_to = 0;
    enum outcome outcome = look_at_size(file, ret_fault);
    if (outcome == DONE && next > source->start) {
        if (!fingerprint_read(fingerprint, &mark)) {
            return fault_is(ret_fault, BROKEN, FAULT_SOURCE_REPLACED,
                            "%s: nothing tells where line %llu began", source->origin.topic,
                            (unsigned long long)next);
        }
        outcome = go_behind(file, &mark, ret_fault);
    }
    if (outcome == DONE) {
        source->ahead = file->size_seen > file->position ? file->size_seen - file->position : 0;
        (void)posix_fadvise(file->file, (off_t)file->position, 0, POSIX_FADV_SEQUENTIAL);
    }
    return outcome;
}

/* The too long line ends at `end`; of it the block gets what is kept. */
static enum outcome end_skip(struct file_source *file, struct source_block *block, uint64_t end,
                             struct fault *ret_fault)
{
    uint8_t last[2];
    size_t got = 0;
    size_t kept = 0;
    enum outcome outcome = read_at(file, end - 2, last, sizeof(last), &got, ret_fault);

    if (outcome == DONE) {
        outcome =
            read_at(file, file->position, block->bytes, MESSAGE_SIZE_MAX + 1, &kept, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    if (got < sizeof(last) || kept < MESSAGE_SIZE_MAX + 1) {
        return truncated(file, file->position + kept, end, ret_fault);
    }
    lines_skipped(block, file->position, end, lines_behind(end - file->position, last), file->next);
    file->next = block->next;
    file->position = end;
    file->skipped_to = 0;
    return DONE;
}

/* Look for the end of a too long line; the block's memory is for its bytes to pass through. */
static enum outcome skip(struct file_source *file, struct source_block *block,
                         struct fault *ret_fault)
{
    uint64_t from = file->skipped_to;

    while (file->skipped_to - from < SOURCE_SKIP_STEP) {
        size_t got = 0;
        enum outcome outcome =
            read_at(file, file->skipped_to, block->bytes, block->capacity, &got, ret_fault);
        if (outcome != DONE) {
            return outcome;
        }
        const uint8_t *newline = memchr(block->bytes, '\n', got);
        if (newline != NULL) {
            uint64_t end = file->skipped_to + (uint64_t)(newline - block->bytes) + 1;
            return end_skip(file, block, end, ret_fault);
        }
        file->skipped_to += got;
        if (got < block->capacity) {
            return file->skipped_to < file->size_seen
                       ? truncated(file, file->skipped_to, file->size_seen, ret_fault)
                       : end_skip(file, block, file->skipped_to, ret_fault);
        }
    }
    return LATER;
}

/* Read and cut this much. A line that does not fit leaves the block without lines. */
static enum outcome read_lines(struct file_source *file, struct source_block *block, size_t wanted,
                               struct fault *ret_fault)
{
    enum outcome outcome =
        read_at(file, file->position, block->bytes, wanted, &block->size, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    bool at_end = block->size < wanted;
    uint64_t size = file->position + block->size;
    if (at_end && size < file->size_seen) {
        return truncated(file, size, file->size_seen, ret_fault);
    }
    size_t used = lines_cut(block, file->position, file->next, at_end);
    bool all = used == block->size;
    bool short_lines = !all && block->line_count == block->line_capacity;
    file->wanted = short_lines ? used + used / 4 + 4096 : 0;
    block->ended = at_end && all;
    file->next = block->next;
    file->position += used;
    return DONE;
}

static enum outcome file_read(struct source *source, struct source_block *block,
                              struct fault *ret_fault)
{
    struct file_source *file = file_of(source);
    size_t target = block->target < block->capacity ? block->target : block->capacity;
    size_t wanted = file->wanted > 0 && file->wanted < target ? file->wanted : target;
    enum outcome outcome = look_at_size(file, ret_fault);

    if (outcome != DONE) {
        return outcome;
    }
    if (file->skipped_to > 0) {
        return skip(file, block, ret_fault);
    }
    outcome = read_lines(file, block, wanted, ret_fault);
    if (outcome == DONE && block->line_count == 0 && !block->ended && wanted < LINES_TOO_LONG) {
        outcome = read_lines(file, block, SOURCE_BLOCK_MIN, ret_fault);
    }
    if (outcome == DONE && block->line_count == 0 && !block->ended) {
        file->skipped_to = file->position + block->size;
        return skip(file, block, ret_fault);
    }
    return outcome;
}

const struct source_type source_file = {
    .name = "file",
    .size = sizeof(struct file_source),
    .open = file_open,
    .assign = file_assign,
    .read = file_read,
    .fingerprint = line_fingerprint,
    .close = file_close,
};
