/*
 * simulate_parts: what the command line of simulate says, between reading it (simulate_options.c)
 * and fitting it together (simulate_fit.c).
 */
#ifndef CMD_SIMULATE_PARTS_H
#define CMD_SIMULATE_PARTS_H

#include "cmd/simulate.h"

enum simulate_option {
    SIMULATE_TO = OPTION_OWN,
    SIMULATE_PROPERTY,
    SIMULATE_PASSWORD,
    SIMULATE_SCENARIO,
    SIMULATE_GROUP,
    SIMULATE_FORCE,
    SIMULATE_TRUTH,
    SIMULATE_COUNT,
    SIMULATE_RATE,
    SIMULATE_DURATION,
    SIMULATE_CLOCK,
    SIMULATE_START,
    SIMULATE_SEED,
    SIMULATE_DUPLICATES,
    SIMULATE_COPIES,
    SIMULATE_AFTER,
    SIMULATE_CONFLICTS,
    SIMULATE_LATE,
    SIMULATE_FUTURE,
    SIMULATE_BROKEN,
    SIMULATE_OUT_OF_ORDER,
    SIMULATE_LATENESS,
    SIMULATE_ACCOUNTS,
    SIMULATE_CURRENCIES,
    SIMULATE_END,
};

enum {
    DAY_MS = 24 * 3600 * 1000,
    ALL_OF_THEM = 1000000, /* Parts per million. */
};

#define YEARS_MAX_MS (INT64_C(365) * DAY_MS * 70)

/* What the options say, before it is fitted together. */
struct simulate_words {
    struct simulate_request *request;
    int64_t values[SIMULATE_END - OPTION_OWN]; /* Of options that are one number; -1: not given. */
    int64_t copies[2];                         /* -1: not given; as are these. */
    int64_t after_ms[2];
    const char *clock;
    const char *scenario;
    unsigned output_count;
    bool stdout_named;
    bool start_given;
};

/* False: it does not fit, and that has been said. */
MUST_USE bool simulate_fit(struct simulate_words *words);

#endif
