/*
 * verdict: what became of a message. Every message gets exactly one, and none is
 * thrown away: what is not accepted is kept as a row of its own.
 */
#ifndef PAY_VERDICT_H
#define PAY_VERDICT_H

#include "base/base.h"

/* The numbers are in the journal: add new ones at the end, never change one. */
enum verdict {
    ACCEPTED,
    DUPLICATE, /* An accepted payment carries this id, with the same content. */
    CONFLICT,  /* An accepted payment carries this id, with other content. */
    LATE,      /* It happened at the watermark or before. */
    FUTURE,    /* It claims to happen too long after it arrived. */
    INVALID,   /* It is not a payment. */
    SKIPPED,   /* Not a verdict: left out by payment.only, a marker ... Counted, no row. */
};

enum { VERDICT_COUNT = INVALID + 1, TALLY_COUNT = SKIPPED + 1 };

const char *verdict_name(enum verdict verdict);

#endif
