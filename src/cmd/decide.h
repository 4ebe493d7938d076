/*
 * decide: what only a person may decide, written where payonce looks for it.
 *
 * A verb writes one file into data_dir/decisions (engine/decisions.h) and looks for a moment what
 * becomes of it: a payonce that waits, halted, takes it within a second; else the next start does.
 */
#ifndef CMD_DECIDE_H
#define CMD_DECIDE_H

#include "base/base.h"

/* What waits in data_dir/decisions, as one number; 0: nothing. Other decisions, another number. */
uint64_t decide_waiting(const char *data_dir);

#endif
