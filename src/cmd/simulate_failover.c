#include "cmd/simulate_kafka_parts.h"

#include "os/clock.h"

enum {
    LOST_RECORDS = 1000, /* Of one failover, or half of the way to the next; */
    LOST_MS = 500,       /* or what comes within this time. */
    LOST_WAIT_MS = 5000, /* For the brokers to be told all of it. */
};

void failover_plan(struct kafka_sending *sending, uint64_t payments)
{
    uint32_t count = sending->kafka->failovers;
    uint64_t every = payments / (count + 1ULL);

    if (count > 0) {
        sending->failover = (struct kafka_failover){.left = count, .every = every < 1 ? 1 : every};
    }
}

/* What is on its way now has arrived; nothing that comes next will ever be answered. */
static enum outcome begin(struct kafka_sending *sending, struct fault *ret_fault)
{
    struct kafka_failover *failover = &sending->failover;
    enum outcome outcome = sending_wait_for_all(sending, ret_fault);

    if (outcome == DONE) {
        outcome = sending_connect(sending, MANNER_LOSES_ALL, ret_fault);
    }
    failover->lost = outcome == DONE;
    failover->lost_ns = clock_steady_ns(&clock_real);
    failover->since = 0;
    failover->left--;
    return outcome;
}

/* Everything without an answer, in the order in which it was sent the first time. */
static enum outcome send_again(struct kafka_sending *sending, struct fault *ret_fault)
{
    uint32_t place = sending->records[RECORDS_ON_THEIR_WAY].next;
    enum outcome outcome = DONE;

    while (outcome == DONE && place != RECORDS_ON_THEIR_WAY) {
        uint32_t next = sending->records[place].next; /* Not handed in yet: so it stays there. */
        outcome = sending_hand_in(sending, place, ret_fault);
        sending->failover.sent_again++;
        place = next;
    }
    return outcome;
}

enum outcome failover_end(struct kafka_sending *sending, struct fault *ret_fault)
{
    int64_t until_ns = clock_steady_ns(&clock_real) + LOST_WAIT_MS * (int64_t)MS_NS;
    enum outcome outcome = DONE;

    if (!sending->failover.lost) {
        return DONE;
    }
    while (outcome == DONE && kafka_writer_waiting(sending->writer) > 0 &&
           clock_steady_ns(&clock_real) < until_ns) {
        outcome = sending_take(sending, SLICE_MS, ret_fault);
    }
    sending->failover.lost = false;
    if (outcome == DONE) {
        outcome = sending_connect(sending, MANNER_OF_SCENARIO, ret_fault);
    }
    return outcome == DONE ? send_again(sending, ret_fault) : outcome;
}

enum outcome failover_turn(struct kafka_sending *sending, struct fault *ret_fault)
{
    struct kafka_failover *failover = &sending->failover;
    enum outcome outcome = DONE;

    if (failover->lost) {
        uint64_t most = failover->every / 2 < LOST_RECORDS ? failover->every / 2 : LOST_RECORDS;
        int64_t lost_ns = clock_steady_ns(&clock_real) - failover->lost_ns;
        if (failover->since >= most || lost_ns >= LOST_MS * (int64_t)MS_NS) {
            outcome = failover_end(sending, ret_fault);
        }
    } else if (failover->left > 0 && failover->since >= failover->every) {
        outcome = begin(sending, ret_fault);
    }
    failover->since++;
    return outcome;
}
