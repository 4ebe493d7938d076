/*
 * null_ledger: a ledger that keeps where it stands and no rows, in memory.
 *
 * What it costs is nothing, so what is measured in front of it is payonce up to the seal. It
 * compares and sets the chain as a real one does, and outlives the engine that used it.
 */
#ifndef BENCH_NULL_LEDGER_H
#define BENCH_NULL_LEDGER_H

#include "sink/sink.h"

extern const struct sink_type null_ledger;

/* Forget everything: as before the first run. */
void null_ledger_clear(void);

#endif
