#include "cmd/fraud_rule.h"
#include "test/unit.h"

static void reads_one_comparison(void **state)
{
    struct fraud_rule rule;

    assert_null(fraud_rule_read("amount > 5000 USD", &rule));
    assert_int_equal(rule.field, FRAUD_AMOUNT);
    assert_int_equal(rule.operation, FRAUD_ABOVE);
    assert_int_equal(rule.units, 5000);
    assert_int_equal(rule.scale, 0);
    assert_string_equal(rule.currency, "USD");

    assert_null(fraud_rule_read(" amount>=99.50  EUR ", &rule));
    assert_int_equal(rule.operation, FRAUD_AT_LEAST);
    assert_int_equal(rule.units, 9950);
    assert_int_equal(rule.scale, 2);

    assert_null(fraud_rule_read("count_5m > 10", &rule));
    assert_int_equal(rule.field, FRAUD_COUNT_5M);
    assert_string_equal(rule.currency, "");
    assert_null(fraud_rule_read("velocity_60s < 3", &rule));
    assert_int_equal(rule.operation, FRAUD_BELOW);
    assert_null(fraud_rule_read("look_alike = 1", &rule));
    assert_int_equal(rule.operation, FRAUD_EQUAL);
}

static void the_shipped_rules_are_the_defaults(void **state)
{
    struct rules rules;
    struct fraud_rule rule;

    rules_default(&rules);
    assert_null(fraud_rule_read("amount > 5000 USD", &rule));
    rule.add = 30;
    assert_memory_equal(&rule, &rules.fraud[0], sizeof(rule));
}

static void says_what_is_wrong_with_a_rule(void **state)
{
    static const struct {
        const char *text;
        const char *wrong;
    } cases[] = {
        {"", "begins with"},
        {"amounts > 5 USD", "begins with"},
        {"amount", "compared with"},
        {"amount != 5 USD", "compared with"},
        {"amount == 5 USD", "plain decimal"},
        {"amount > -5 USD", "plain decimal"},
        {"amount > 1e3 USD", "plain decimal"},
        {"amount > 5000", "names its currency"},
        {"amount > 5000 usd", "names its currency"},
        {"amount > 5000 USD and count_5m > 3", "nothing else"},
        {"amount > 5000 USDX", "nothing else"},
        {"count_5m > 10 USD", "only an amount"},
        {"count_5m > 1.5", "only an amount"},
    };

    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        struct fraud_rule rule;
        const char *wrong = fraud_rule_read(cases[index].text, &rule);
        if (wrong == NULL || strstr(wrong, cases[index].wrong) == NULL) {
            fail_msg("%s: %s", cases[index].text, wrong == NULL ? "read" : wrong);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_one_comparison),
        cmocka_unit_test(the_shipped_rules_are_the_defaults),
        cmocka_unit_test(says_what_is_wrong_with_a_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
