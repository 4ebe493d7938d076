#include "pay/rules.h"

#include <string.h>

void rules_default(struct rules *rules)
{
    memset(rules, 0, sizeof(*rules)); /* Compared and recorded as bytes. */
    rules->lateness_ms = INT64_C(3600000);
    rules->retention_ms = INT64_C(3600000);
    rules->max_future_ms = INT64_C(300000);
    rules->idle_after_ms = 30000;
    rules->align_ms = INT64_C(600000);
    rules->window_ms = 60000;
    rules->window_groups_max = 1000;
    rules->high_risk_above = 60;
    rules->senders_max = 1000000;
    rules->fraud_enabled = 1;
    rules->fraud_rule_count = 4;
    rules->fraud[0] = (struct fraud_rule){FRAUD_AMOUNT, FRAUD_ABOVE, 5000, 0, "USD", 30};
    rules->fraud[1] = (struct fraud_rule){FRAUD_AMOUNT, FRAUD_ABOVE, 1000, 0, "USD", 15};
    rules->fraud[2] = (struct fraud_rule){FRAUD_COUNT_5M, FRAUD_ABOVE, 10, 0, "", 40};
    rules->fraud[3] = (struct fraud_rule){FRAUD_COUNT_5M, FRAUD_ABOVE, 5, 0, "", 25};
}

bool rules_same(const struct rules *left, const struct rules *right)
{
    return memcmp(left, right, sizeof(*left)) == 0;
}
