#include "cmd/simulate_scenario.h"

#include <string.h>

enum {
    ANSWERS_LOST_OF = 10, /* Of so many Produce requests one is answered in vain. */
    PERCENT = 10000,      /* In parts per million. */
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    SURGE = 10,
    SET_BACK = 10, /* "Resume from 990", of 1,000. */
    FAILOVERS = 3,
};

const char scenario_names[] =
    "producer-retry, consumer-crash, broker-failover, retry-storm, replay-attack, card-testing, "
    "black-friday";

/* Answers are lost on the way, and the producer sends again what the broker has already. */
static void producer_retry(struct simulate_request *request)
{
    request->kafka.lose_every = ANSWERS_LOST_OF;
}

/* A consumer took messages, and died before it committed: it is to read them again. */
static void consumer_crash(struct simulate_request *request)
{
    request->kafka.set_back = SET_BACK;
}

/* A producer without its brokers has sent what it does not know they have; the next sends it. */
static void broker_failover(struct simulate_request *request)
{
    request->kafka.failovers = FAILOVERS;
}

/* Clients that hear nothing ask again, and again, at once. */
static void retry_storm(struct simulate_request *request)
{
    request->simulator.duplicates = 30 * PERCENT;
    request->simulator.copies_min = 3;
    request->simulator.copies_max = 10;
    request->simulator.after_max_ms = 10 * SECOND_MS;
}

/* A few payments, recorded by somebody, are sent many times, and later. */
static void replay_attack(struct simulate_request *request)
{
    request->simulator.duplicates = PERCENT / 2;
    request->simulator.copies_min = 20;
    request->simulator.copies_max = 50;
    request->simulator.after_min_ms = 10 * SECOND_MS;
    request->simulator.after_max_ms = 10 * MINUTE_MS;
}

static void card_testing(struct simulate_request *request)
{
    request->simulator.mint.card_testing = true;
}

/* The middle third comes ten times as fast, and clients are impatient. */
static void black_friday(struct simulate_request *request)
{
    request->simulator.surge = SURGE;
    request->simulator.duplicates = 5 * PERCENT;
    request->simulator.copies_max = 3;
    request->simulator.out_of_order_ms = 2 * SECOND_MS;
}

static const struct {
    const char *name;
    void (*apply)(struct simulate_request *request);
    bool kafka;
} scenarios[] = {
    {"producer-retry", producer_retry, true},   {"consumer-crash", consumer_crash, true},
    {"broker-failover", broker_failover, true}, {"retry-storm", retry_storm, false},
    {"replay-attack", replay_attack, false},    {"card-testing", card_testing, false},
    {"black-friday", black_friday, false},
};

bool scenario_apply(const char *name, struct simulate_request *request)
{
    for (size_t index = 0; index < sizeof(scenarios) / sizeof(scenarios[0]); index++) {
        if (strcmp(scenarios[index].name, name) == 0) {
            scenarios[index].apply(request);
            return true;
        }
    }
    return false;
}

bool scenario_needs_kafka(const char *name)
{
    for (size_t index = 0; index < sizeof(scenarios) / sizeof(scenarios[0]); index++) {
        if (strcmp(scenarios[index].name, name) == 0) {
            return scenarios[index].kafka;
        }
    }
    return false;
}
