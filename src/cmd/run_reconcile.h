/*
 * run_reconcile: while it runs, payonce looks over its own ledger every now and then.
 *
 * In a thread of its own, over a view of its own (setting reconcile.every); what it finds is a
 * line in the log. It never stops anything: what is wrong is for a person to look at.
 */
#ifndef CMD_RUN_RECONCILE_H
#define CMD_RUN_RECONCILE_H

#include "cmd/log.h"

struct run_reconcile;

/* NULL: not asked for, or no thread for it (said). config and log are borrowed. */
struct run_reconcile *run_reconcile_start(const struct config *config, const struct log *log);

/* Breaks off what it is at. May be NULL. */
void run_reconcile_stop(struct run_reconcile *reconciling);

#endif
