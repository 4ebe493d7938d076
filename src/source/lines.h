/*
 * lines: where does each message end?
 *
 * A line ends with '\n'; one '\r' before it belongs to the ending, too. Every other byte is
 * just a byte. An empty line is a message. The last line of the input needs no newline; behind
 * a newline at the very end there is no further line. Of a line longer than MESSAGE_SIZE_MAX
 * one byte more than that is kept, so that everyone can see that it is too long.
 */
#ifndef SOURCE_LINES_H
#define SOURCE_LINES_H

#include "source/source.h"

/* From this many bytes without a newline on, a line is too long whatever follows. */
enum { LINES_TOO_LONG = MESSAGE_SIZE_MAX + 2 };

/*
 * Cut block->bytes[0, size), which begin a line at this position of the input, into lines, the
 * first of which has this offset. last: the input ends with them. Returns how many bytes the
 * lines took, endings included.
 */
size_t lines_cut(struct source_block *block, uint64_t position, uint64_t offset, bool last);

/* How many bytes end this line (0, 1, 2): given its length with its ending, and its last two. */
uint32_t lines_behind(uint64_t length, const uint8_t last_two[2]);

/*
 * The block becomes one line that was skipped: its kept bytes stand at the block's beginning,
 * it stood at [begin, end) of the input and has this offset.
 */
void lines_skipped(struct source_block *block, uint64_t begin, uint64_t end, uint32_t behind,
                   uint64_t offset);

#endif
