/*
 * rules: by what the verdicts were given. A part of history: recorded as a note, and changed
 * only by a note, so that a new configuration never decides an old message again.
 */
#ifndef PAY_RULES_H
#define PAY_RULES_H

#include "pay/money.h"

enum {
    FRAUD_RULES_MAX = 16,
    VELOCITY_SHORT_MS = 60 * 1000,
    VELOCITY_LONG_MS = 5 * 60 * 1000,
    LOOK_ALIKE_MS = 60 * 1000,
};

enum fraud_field { FRAUD_AMOUNT, FRAUD_VELOCITY_60S, FRAUD_COUNT_5M, FRAUD_LOOK_ALIKE };
enum fraud_operator { FRAUD_ABOVE, FRAUD_AT_LEAST, FRAUD_BELOW, FRAUD_EQUAL };

struct fraud_rule {
    uint32_t field;
    uint32_t operation;
    int64_t units; /* The constant; for amounts with scale, and a currency. */
    uint32_t scale;
    char currency[4];
    int64_t add;
};

/* Recorded as these bytes, so there is no padding in it. All times in milliseconds. */
struct rules {
    int64_t lateness_ms;
    int64_t retention_ms;
    int64_t max_future_ms;
    int64_t idle_after_ms;
    int64_t align_ms;
    int64_t window_ms;
    int64_t window_groups_max; /* A window; further ones count under ~other. */
    int64_t high_risk_above;
    int64_t senders_max;
    uint32_t fraud_enabled;
    uint32_t fraud_rule_count;
    struct fraud_rule fraud[FRAUD_RULES_MAX];
};

_Static_assert(sizeof(struct fraud_rule) == 32, "recorded as it is");
_Static_assert(sizeof(struct rules) == 80 + 32 * FRAUD_RULES_MAX, "recorded as it is");

/* The defaults of conf/payonce.yaml. */
void rules_default(struct rules *rules);

bool rules_same(const struct rules *left, const struct rules *right);

#endif
