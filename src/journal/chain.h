/*
 * chain: the name of a history up to here.
 *
 * The first 16 bytes of SHA-256 over the previous chain; the epoch's number; its ranges (source,
 * first, next, newest event, standing, fingerprint), totals and decisions as sealed. Not over
 * synced_upto, segment serial, journal_id, checksums, clocks: recovery copies frames.
 */
#ifndef JOURNAL_CHAIN_H
#define JOURNAL_CHAIN_H

#include "pay/epoch.h"

struct chain chain_next(const struct epoch *epoch);

#endif
