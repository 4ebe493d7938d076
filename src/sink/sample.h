/*
 * sample: a small history to deliver, for the tests and measurements of the sinks.
 *
 * Epochs that follow on each other, with rows, ranges and totals as the engine would fill them,
 * and a chain that is made up (it only has to differ). Not part of the product.
 */
#ifndef SINK_SAMPLE_H
#define SINK_SAMPLE_H

#include "sink/sink.h"

enum {
    SAMPLE_SOURCES = 4,
    SAMPLE_TOTALS = 64,
    SAMPLE_CARRY = 5, /* As configured by default. */
};

#define SAMPLE_START_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

/* Where the history stands; copied, it is another future of the same past. */
struct sample {
    uint64_t number;
    uint64_t journal_id;
    struct chain chain;
    uint8_t future; /* Enters every chain. */
    uint64_t seq_next[TABLE_COUNT];
    uint64_t next[SAMPLE_SOURCES];
    int64_t newest_ms[SAMPLE_SOURCES];
    size_t source_count;
    struct origin origins[SAMPLE_SOURCES];
    uint64_t starts[SAMPLE_SOURCES];
    struct epoch_total totals[SAMPLE_TOTALS];
    size_t total_count;
    struct rules rules;
};

struct sample_epoch {
    struct epoch epoch;
    struct epoch_range ranges[SAMPLE_SOURCES];
    struct epoch_total totals[SAMPLE_TOTALS];
};

void sample_init(struct sample *sample);
void sample_settings(struct sink_settings *settings, const char *path);

/* Room for so many rows; the memory is the epoch's until sample_free. */
void sample_epoch_init(struct sample_epoch *epoch, size_t row_count);
void sample_epoch_free(struct sample_epoch *epoch);

void sample_begin(struct sample *sample, struct sample_epoch *epoch);
void sample_accept(struct sample *sample, struct sample_epoch *epoch, size_t source,
                   const char *transaction_id, const char *amount);
void sample_repeat(struct sample *sample, struct sample_epoch *epoch, size_t source,
                   const char *transaction_id, uint64_t first_offset);
void sample_set_aside(struct sample *sample, struct sample_epoch *epoch, size_t source,
                      enum verdict verdict, const char *excerpt);
/* The newest version of one window. */
void sample_metric(struct sample *sample, struct sample_epoch *epoch, int64_t start_ms,
                   const char *region, int64_t count, int64_t total_cents);
void sample_end(struct sample *sample, struct sample_epoch *epoch);

/* The next `count` messages, all accepted, ids "t<offset>", amounts 1.00. */
void sample_fill(struct sample *sample, struct sample_epoch *epoch, size_t count);

/* Deliver these, with the sample's sources and rules. */
enum outcome sample_deliver(struct sample *sample, struct sink *sink,
                            const struct epoch *const *epochs, size_t count,
                            struct fault *ret_fault);

#endif
