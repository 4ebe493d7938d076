/*
 * fraud: how suspicious is this payment, from 0 to 100?
 *
 * The points of all rules that match, at most FRAUD_SCORE_MAX. Integers only: an amount is
 * compared by value, and only by a rule of its own currency. A score, never a verdict.
 */
#ifndef CORE_FRAUD_H
#define CORE_FRAUD_H

#include "pay/rules.h"

enum { FRAUD_SCORE_MAX = 100 };

struct fraud_facts {
    struct money amount;
    char currency[4];
    int32_t velocity_60s;
    int32_t count_5m;
    bool look_alike;
};

int32_t fraud_score(const struct rules *rules, const struct fraud_facts *facts);

#endif
