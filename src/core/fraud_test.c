#include "test/unit.h"

#include "core/fraud.h"

static struct fraud_facts facts_of(int64_t units, int64_t scale, int32_t count_5m)
{
    struct fraud_facts facts = {.amount = {units, scale}, .count_5m = count_5m};

    memcpy(facts.currency, "USD", 4);
    return facts;
}

static struct rules one_rule(struct fraud_rule rule)
{
    struct rules rules;

    rules_default(&rules);
    rules.fraud_rule_count = 1;
    rules.fraud[0] = rule;
    return rules;
}

static void adds_up_the_rules_that_match(void **state)
{
    struct rules rules;
    struct fraud_facts facts = facts_of(5000, 0, 1);

    rules_default(&rules);
    assert_int_equal(fraud_score(&rules, &facts), 15); /* Above 1000, not above 5000. */
    facts = facts_of(500001, 2, 1);
    assert_int_equal(fraud_score(&rules, &facts), 45);
    facts = facts_of(1, 0, 6);
    assert_int_equal(fraud_score(&rules, &facts), 25);
    facts = facts_of(1, 0, 11);
    assert_int_equal(fraud_score(&rules, &facts), 65);
    facts = facts_of(1, 0, 5);
    assert_int_equal(fraud_score(&rules, &facts), 0);
}

static void never_passes_one_hundred(void **state)
{
    struct rules rules;
    struct fraud_facts facts = facts_of(6000, 0, 11);

    rules_default(&rules);
    assert_int_equal(fraud_score(&rules, &facts), 100); /* 30 + 15 + 40 + 25 = 110. */
    rules = one_rule((struct fraud_rule){FRAUD_COUNT_5M, FRAUD_ABOVE, 0, 0, "", INT64_MAX});
    assert_int_equal(fraud_score(&rules, &facts), 100);
}

static void compares_an_amount_only_in_the_rule_s_currency(void **state)
{
    struct rules rules =
        one_rule((struct fraud_rule){FRAUD_AMOUNT, FRAUD_AT_LEAST, 105, 1, "EUR", 10});
    struct fraud_facts facts = facts_of(1050, 2, 1);

    assert_int_equal(fraud_score(&rules, &facts), 0);
    memcpy(facts.currency, "EUR", 4);
    assert_int_equal(fraud_score(&rules, &facts), 10);
    facts.amount.units = 1049;
    assert_int_equal(fraud_score(&rules, &facts), 0);
}

static void knows_every_comparison_and_every_field(void **state)
{
    static const struct {
        enum fraud_operator operation;
        int32_t below, equal, above;
    } wanted[] = {
        {FRAUD_ABOVE, 0, 0, 1},
        {FRAUD_AT_LEAST, 0, 1, 1},
        {FRAUD_BELOW, 1, 0, 0},
        {FRAUD_EQUAL, 0, 1, 0},
    };
    struct fraud_facts facts = facts_of(1, 0, 1);

    for (size_t index = 0; index < sizeof(wanted) / sizeof(wanted[0]); index++) {
        struct rules rules =
            one_rule((struct fraud_rule){FRAUD_VELOCITY_60S, wanted[index].operation, 3, 0, "", 1});
        facts.velocity_60s = 2;
        assert_int_equal(fraud_score(&rules, &facts), wanted[index].below);
        facts.velocity_60s = 3;
        assert_int_equal(fraud_score(&rules, &facts), wanted[index].equal);
        facts.velocity_60s = 4;
        assert_int_equal(fraud_score(&rules, &facts), wanted[index].above);
    }
    struct rules rules = one_rule((struct fraud_rule){FRAUD_LOOK_ALIKE, FRAUD_EQUAL, 1, 0, "", 20});
    assert_int_equal(fraud_score(&rules, &facts), 0);
    facts.look_alike = true;
    assert_int_equal(fraud_score(&rules, &facts), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_up_the_rules_that_match),
        cmocka_unit_test(never_passes_one_hundred),
        cmocka_unit_test(compares_an_amount_only_in_the_rule_s_currency),
        cmocka_unit_test(knows_every_comparison_and_every_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
