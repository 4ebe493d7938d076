/*
 * quantity: numbers as people write them: 1h, 4MiB, 5%, 500/s, 10000.
 *
 * Whole numbers and a unit; the unit is part of the value, so that 60 is never taken for
 * seconds. No floating point: a percentage is read in parts per million.
 */
#ifndef CMD_QUANTITY_H
#define CMD_QUANTITY_H

#include "base/base.h"

enum quantity {
    QUANTITY_COUNT,    /* 10000 */
    QUANTITY_DURATION, /* 5ms 20s 10m 1h 7d, and 1h30m; milliseconds */
    QUANTITY_SIZE,     /* 512B 4KiB 4MiB 2GiB 1TiB, 8kB 8MB 8GB 8TB; bytes */
    QUANTITY_RATE,     /* 500/s */
    QUANTITY_PERCENT,  /* 5% 0.1%; parts per million */
};

enum quantity_reading {
    QUANTITY_READ,
    QUANTITY_NO_UNIT,   /* A number, but of what? */
    QUANTITY_NO_NUMBER, /* Not such a thing at all. */
    QUANTITY_TOO_LARGE, /* More than 63 bits. */
};

enum { QUANTITY_TEXT_SIZE = 64 };

MUST_USE enum quantity_reading quantity_read(enum quantity kind, struct span text,
                                             int64_t *ret_value);

/* As people write it, exactly: 3600000 ms is "1h", 1536 bytes are "1536B". */
void quantity_write(enum quantity kind, int64_t value, char ret_text[QUANTITY_TEXT_SIZE]);

/* For reading only, not exact: 2,659 MB is "2.5 GiB", 130 minutes are "2 h 10 min". */
void quantity_say(enum quantity kind, int64_t value, char ret_text[QUANTITY_TEXT_SIZE]);

/* What is expected: "a number and a unit: ms, s, m, h or d, as in 20s". */
const char *quantity_example(enum quantity kind);

#endif
