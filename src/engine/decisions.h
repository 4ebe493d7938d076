/*
 * decisions: the files data_dir/decisions/N.json, in which operators decide.
 *
 * A verb adds one, whole or not at all. The process reads them when it starts, or when it is
 * halted; what a decision answers is its business. One that was sealed is removed. One that
 * answers nothing is refused: why stands behind what was written, and the file is N.refused from
 * then on, so that nothing an operator wrote is lost. Numbers grow over both.
 */
#ifndef ENGINE_DECISIONS_H
#define ENGINE_DECISIONS_H

#include "engine/decided.h"
#include "os/disk.h"

/* So many are read at a time, those with the smallest numbers. */
enum { DECISIONS_MAX = 64 };

/* In the order of their numbers. The disk is that of the directory. */
MUST_USE enum outcome decisions_list(struct disk *disk, uint64_t ret_numbers[DECISIONS_MAX],
                                     size_t *ret_count, struct fault *ret_fault);

/* REFUSED: what stands there is no decision. */
MUST_USE enum outcome decisions_load(struct disk *disk, uint64_t number,
                                     struct decided *ret_decided, struct fault *ret_fault);

/* One caller at a time. REFUSED: it could not be read again (a text that is not UTF-8). */
MUST_USE enum outcome decisions_add(struct disk *disk, const struct decided *decided,
                                    uint64_t *ret_number, struct fault *ret_fault);

MUST_USE enum outcome decisions_remove(struct disk *disk, uint64_t number, struct fault *ret_fault);
MUST_USE enum outcome decisions_refuse(struct disk *disk, uint64_t number, const char *why,
                                       struct fault *ret_fault);

/* What became of it. */
enum decisions_fate { DECISION_WAITS, DECISION_SEALED, DECISION_REFUSED };

enum { DECISIONS_WHY_SIZE = 600 };

/* ret_why: of a refused one. What is neither waiting nor refused was sealed. */
MUST_USE enum outcome decisions_fate(struct disk *disk, uint64_t number,
                                     enum decisions_fate *ret_fate,
                                     char ret_why[DECISIONS_WHY_SIZE], struct fault *ret_fault);

/* Differs when other ones wait than before; 0: none waits. */
MUST_USE enum outcome decisions_sum(struct disk *disk, uint64_t *ret_sum, struct fault *ret_fault);

#endif
