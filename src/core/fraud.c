#include "core/fraud.h"

#include <string.h>

static bool holds(enum fraud_operator operation, int comparison)
{
    switch (operation) {
    case FRAUD_ABOVE:
        return comparison > 0;
    case FRAUD_AT_LEAST:
        return comparison >= 0;
    case FRAUD_BELOW:
        return comparison < 0;
    case FRAUD_EQUAL:
        return comparison == 0;
    }
    return false; /* Of a later version: it matches nothing. */
}

static int compare_number(int64_t left, int64_t right)
{
    return left < right ? -1 : left > right ? 1 : 0;
}

static bool amount_matches(const struct fraud_rule *rule, const struct fraud_facts *facts)
{
    struct money constant = {rule->units, rule->scale};

    if (rule->scale > MONEY_SCALE_MAX ||
        memcmp(rule->currency, facts->currency, sizeof(rule->currency) - 1) != 0) {
        return false;
    }
    return holds(rule->operation, money_compare(facts->amount, constant));
}

static bool number_matches(const struct fraud_rule *rule, int64_t number)
{
    return holds(rule->operation, compare_number(number, rule->units));
}

static bool matches(const struct fraud_rule *rule, const struct fraud_facts *facts)
{
    switch ((enum fraud_field)rule->field) {
    case FRAUD_AMOUNT:
        return amount_matches(rule, facts);
    case FRAUD_VELOCITY_60S:
        return number_matches(rule, facts->velocity_60s);
    case FRAUD_COUNT_5M:
        return number_matches(rule, facts->count_5m);
    case FRAUD_LOOK_ALIKE:
        return number_matches(rule, facts->look_alike);
    }
    return false; /* Of a later version: it matches nothing. */
}

int32_t fraud_score(const struct rules *rules, const struct fraud_facts *facts)
{
    int64_t score = 0;

    must(rules->fraud_rule_count <= FRAUD_RULES_MAX);
    for (uint32_t index = 0; index < rules->fraud_rule_count && score < FRAUD_SCORE_MAX; index++) {
        const struct fraud_rule *rule = &rules->fraud[index];
        if (matches(rule, facts)) {
            score += rule->add < FRAUD_SCORE_MAX ? rule->add : FRAUD_SCORE_MAX;
        }
    }
    return (int32_t)(score < FRAUD_SCORE_MAX ? score : FRAUD_SCORE_MAX);
}
