/*
 * owner: a process with a Kafka sink, as a courier would lead it, and histories for it to deliver.
 * For tests only, on the cluster of test/transact_double.h.
 *
 * There are two histories: the same at the beginning, and from then on each with payments of its
 * own. A step is one call of the sink; its die decides what.
 */
#ifndef SINK_OWNER_H
#define SINK_OWNER_H

#include "sink/sample.h"
#include "sink/sink_kafka.h"

enum {
    OWNER_EPOCHS = 24,
    OWNER_SHARED = 8, /* Of the two histories. */
};

struct owner {
    struct kafka_sink *kafka; /* NULL: it is dead. */
    bool open;
    bool standing; /* It knows where the sink stands: */
    uint64_t delivered;
    size_t count; /* Epochs sent and not confirmed. 0: none. */
    bool over;    /* Shut out, or on another's history, or halted: fault says. */
    struct fault fault;
    const struct sample_epoch *history;
    struct sample *sample;
};

/* Memory for the histories, and back. */
void owner_make_histories(void);
void owner_free_histories(void);

/* Both, by this seed, which is also the die's. */
void owner_write_histories(uint64_t seed);
uint32_t owner_throw(uint32_t sides);
const struct epoch *owner_epoch(const struct owner *owner, uint64_t number);

void owner_be_born(struct owner *owner, size_t history);

/* One call. False: it has delivered everything, or it is over. */
bool owner_step(struct owner *owner);

/* As by kill -9: nothing is closed. The double's clients are forgotten by the caller. */
void owner_die(struct owner *owner);
/* In order. */
void owner_end(struct owner *owner);

#endif
