/*
 * truth: what somebody says was really paid: a CSV file, one payment a line.
 *
 * The first line names the columns, in any order; transaction_id, amount and currency are
 * needed, expected (a verdict) is understood, all others are ignored. `payonce simulate --truth`
 * writes one; a bank statement may be another. Fields may stand in double quotes; a line ends in
 * a newline, with or without '\r'. The whole file is read twice by some, so it is no pipe.
 */
#ifndef ENGINE_TRUTH_H
#define ENGINE_TRUTH_H

#include "base/fault.h"
#include "pay/payment.h"
#include "pay/verdict.h"

#include <stdio.h>

enum { TRUTH_LINE_SIZE = 8192, TRUTH_COLUMNS_MAX = 64 };

enum truth_column { TRUTH_ID, TRUTH_AMOUNT, TRUTH_CURRENCY, TRUTH_EXPECTED, TRUTH_COLUMNS };

struct truth {
    const char *path; /* Lent. */
    FILE *stream;
    uint64_t line;  /* The one read last, from 1. */
    uint64_t bytes; /* Read so far, of size. */
    uint64_t size;
    int places[TRUTH_COLUMNS]; /* Which field of a line each is; -1: there is none. */
    char text[TRUTH_LINE_SIZE];
};

struct truth_row {
    struct span id; /* Lent until the next call. */
    struct money amount;
    char currency[4];
    bool expectation;      /* Does it say what is to become of it? */
    enum verdict expected; /* Then this. */
};

/* BROKEN with FAULT_TRUTH: cannot be read, or is no such file. Closed by the caller anyway. */
MUST_USE enum outcome truth_open(struct truth *truth, const char *path, struct fault *ret_fault);

/* DONE: a row. LATER: the end. BROKEN: a line that cannot be understood; the fault says which. */
MUST_USE enum outcome truth_read(struct truth *truth, struct truth_row *ret_row,
                                 struct fault *ret_fault);
void truth_close(struct truth *truth);

#endif
