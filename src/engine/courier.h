/*
 * courier: carries sealed epochs to one sink, in order, each once.
 *
 * It gathers one or more consecutive epochs for a transaction, from the shelf if they are still
 * in memory, else from the journal; an epoch is never cut. After LATER the same epochs are sent
 * again, never more of them.
 */
#ifndef ENGINE_COURIER_H
#define ENGINE_COURIER_H

#include "engine/pipeline.h"

enum { COURIER_EPOCHS_MAX = 512 };

struct courier {
    struct pipeline *pipeline;
    struct sink *sink;
    uint64_t rows_max;
    uint64_t delivered; /* The newest epoch the sink has confirmed. */
    uint64_t rows;      /* In what has been gathered. */
    size_t count;
    const struct epoch *epochs[COURIER_EPOCHS_MAX];
    bool pinned[COURIER_EPOCHS_MAX];
    struct epoch own[COURIER_EPOCHS_MAX]; /* Read from the journal, into the memory below. */
    struct journal_place place;
    uint8_t *memory; /* Lent. */
    size_t memory_size;
    size_t memory_used;
};

void courier_init(struct courier *courier, struct pipeline *pipeline, struct sink *sink,
                  uint64_t rows_max, void *memory, size_t memory_size);

/* Add what is sealed, up to the limits. BROKEN: the journal cannot be read. */
MUST_USE enum outcome courier_gather(struct courier *courier, struct fault *ret_fault);

/* May more be added, or is the transaction as large as it gets? */
bool courier_full(const struct courier *courier);

/* Give the sink what has been gathered (at least one epoch). */
MUST_USE enum outcome courier_deliver(struct courier *courier, struct fault *ret_fault);

/* Let go of what has been gathered and stand after this epoch: the sink was put back there. */
void courier_stand(struct courier *courier, uint64_t delivered);

#endif
