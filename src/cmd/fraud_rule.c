#include "cmd/fraud_rule.h"

#include <string.h>

static const struct {
    const char *name;
    enum fraud_field field;
} fields[] = {
    {"amount", FRAUD_AMOUNT},
    {"velocity_60s", FRAUD_VELOCITY_60S},
    {"count_5m", FRAUD_COUNT_5M},
    {"look_alike", FRAUD_LOOK_ALIKE},
};

static const struct {
    const char *sign;
    enum fraud_operator operation;
} operators[] = {
    {">=", FRAUD_AT_LEAST}, /* Before its prefix. */
    {">", FRAUD_ABOVE},
    {"<", FRAUD_BELOW},
    {"=", FRAUD_EQUAL},
};

static const char *after_blanks(const char *at)
{
    return at + strspn(at, " ");
}

static const char *read_field(const char **at, struct fraud_rule *rule)
{
    for (size_t index = 0; index < sizeof(fields) / sizeof(fields[0]); index++) {
        size_t size = strlen(fields[index].name);
        if (strncmp(*at, fields[index].name, size) == 0 && strchr(" ><=", (*at)[size]) != NULL) {
            rule->field = fields[index].field;
            *at = after_blanks(*at + size);
            return NULL;
        }
    }
    return "a rule begins with amount, velocity_60s, count_5m or look_alike";
}

static const char *read_operator(const char **at, struct fraud_rule *rule)
{
    for (size_t index = 0; index < sizeof(operators) / sizeof(operators[0]); index++) {
        size_t size = strlen(operators[index].sign);
        if (strncmp(*at, operators[index].sign, size) == 0) {
            rule->operation = operators[index].operation;
            *at = after_blanks(*at + size);
            return NULL;
        }
    }
    return "a field is compared with >, >=, < or =";
}

static const char *read_constant(const char **at, struct fraud_rule *rule)
{
    size_t size = strcspn(*at, " ");
    struct money constant;

    if (!money_read((struct span){*at, size}, &constant)) {
        return "the constant is a plain decimal number, as in 5000 or 99.50";
    }
    if (rule->field != FRAUD_AMOUNT && constant.scale != 0) {
        return "only an amount is compared with a decimal";
    }
    rule->units = constant.units;
    rule->scale = (uint32_t)constant.scale;
    *at = after_blanks(*at + size);
    return NULL;
}

static const char *read_currency(const char **at, struct fraud_rule *rule)
{
    if (rule->field != FRAUD_AMOUNT) {
        return **at == '\0' ? NULL : "only an amount has a currency";
    }
    for (size_t index = 0; index < 3; index++) {
        if ((*at)[index] < 'A' || (*at)[index] > 'Z') {
            return "an amount names its currency, as in: amount > 5000 USD";
        }
        rule->currency[index] = (*at)[index];
    }
    *at = after_blanks(*at + 3);
    return **at == '\0' ? NULL : "one comparison and nothing else is expected";
}

const char *fraud_rule_read(const char *text, struct fraud_rule *ret_rule)
{
    const char *at = after_blanks(text);

    memset(ret_rule, 0, sizeof(*ret_rule));
    const char *wrong = read_field(&at, ret_rule);
    if (wrong == NULL) {
        wrong = read_operator(&at, ret_rule);
    }
    if (wrong == NULL) {
        wrong = read_constant(&at, ret_rule);
    }
    return wrong != NULL ? wrong : read_currency(&at, ret_rule);
}
