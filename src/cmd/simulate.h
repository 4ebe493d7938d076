/*
 * simulate: send what the simulator makes, to files, standard output or a Kafka topic, and write
 * down the truth.
 */
#ifndef CMD_SIMULATE_H
#define CMD_SIMULATE_H

#include "base/fault.h"
#include "cmd/options.h"
#include "cmd/simulate_kafka.h"
#include "cmd/simulator.h"

struct simulate_request {
    struct simulator_settings simulator; /* output_count files, or 1: standard output, a topic. */
    bool to_stdout;
    struct simulate_kafka kafka;
    const char *paths[SIMULATOR_OUTPUTS_MAX]; /* Lent. */
    const char *truth;                        /* A path, or NULL. Lent. */
    bool overwrite;
    bool real_clock; /* Wait until each message is due. */
    bool quiet;
};

/* What the command line asks for. False: something is wrong with it, and that has been said. */
MUST_USE bool simulate_read(int count, char **arguments, struct options *options,
                            struct simulate_request *ret_request);

/* What was sent. */
struct simulate_counts {
    uint64_t messages;
    uint64_t payments; /* Really sent: lines of the truth. */
    uint64_t copies;
    uint64_t conflicts;
    uint64_t expected[VERDICT_COUNT]; /* Of the payments. */
    uint64_t bytes;
    uint64_t sent_again; /* Records, by a new producer: failovers. */
    uint64_t set_back;   /* A group's offsets, so many times: crashes. */
    bool stopped;        /* By a signal: the truth is whole for what was sent. */
};

/*
 * REFUSED: whoever read standard output went away; what was sent before is counted. BROKEN: an
 * output could not be written, or a topic.
 */
MUST_USE enum outcome simulate_send(const struct simulate_request *request,
                                    struct simulate_counts *ret_counts, struct fault *ret_fault);

#endif
