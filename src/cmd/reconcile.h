/*
 * reconcile: the ledger's proof, asked for and printed.
 */
#ifndef CMD_RECONCILE_H
#define CMD_RECONCILE_H

#include "cmd/progress.h"
#include "engine/reconcile.h"

#include <stdio.h>

enum { RECONCILE_LIST_STANDARD = 20 };

/* From the first step to the last. The report is lent until reconcile_close. */
MUST_USE enum outcome reconcile_all(const struct reconcile_settings *asked,
                                    struct progress *progress, struct reconcile **ret_reconcile,
                                    struct fault *ret_fault);

/* What was found, then by currency, then one line: RECONCILED or NOT RECONCILED, and why. */
void reconcile_print(const struct reconcile_report *report, size_t list_max, bool expected,
                     bool quiet, FILE *stream);
void reconcile_print_verdict(const struct reconcile_report *report, bool expected, FILE *stream);
void reconcile_print_json(const struct reconcile_report *report, size_t list_max, bool expected,
                          FILE *stream);

#endif
