/*
 * Are the payments that the cursor speaks of still in their topic? Offsets only grow, and each
 * payment has one. Where fewer have been given out, the topic was made anew since, so soon that no
 * delivery missed it, or lost its tail; the cursor that came with the next one hides that.
 */
#include "sink/sink_kafka.h"

#include "os/clock.h"

#define LOOK_EVERY_NS INT64_C(10000000000)

static enum outcome not_whole(const struct kafka_sink *kafka, uint64_t rows, uint64_t offsets,
                              struct fault *ret_fault)
{
    const struct sink_settings *settings = &kafka->sink.settings;
    const char *topic = settings->kafka->topics[TABLE_TRANSACTIONS];

    (void)fault_is(ret_fault, BROKEN, FAULT_SINK_DAMAGED,
                   "sink \"%s\": topic %.200s has had %llu records, and %llu payments were written "
                   "to it: it was made anew meanwhile, or has lost its tail",
                   settings->name, topic, (unsigned long long)offsets, (unsigned long long)rows);
    fault_next(ret_fault, "stop payonce, create the sink's topics anew, all of them, and start it "
                          "again: they are then filled from the beginning");
    return BROKEN;
}

enum outcome kafka_sink_check_whole(struct kafka_sink *kafka, struct fault *ret_fault)
{
    int64_t now_ns = clock_steady_ns(&clock_real);
    uint64_t offsets;

    if (!kafka->known || (kafka->whole_ns > 0 && now_ns - kafka->whole_ns < LOOK_EVERY_NS)) {
        return DONE;
    }
    kafka->whole_ns = now_ns;
    if (kafka_transactor_ends(kafka->transactor, kafka->topics[TABLE_TRANSACTIONS], &offsets,
                              ret_fault) != DONE) {
        return DONE; /* Who cannot be asked is asked again; what that means is told elsewhere. */
    }
    return offsets < kafka->payments_ended
               ? not_whole(kafka, kafka->payments_ended, offsets, ret_fault)
               : DONE;
}
