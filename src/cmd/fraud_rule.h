/*
 * fraud_rule: one comparison of a known field with a constant, as text.
 *
 *     amount > 5000 USD      velocity_60s >= 3      count_5m > 10      look_alike = 1
 *
 * Operators: > >= < =. Only an amount takes a decimal and must name its currency.
 */
#ifndef CMD_FRAUD_RULE_H
#define CMD_FRAUD_RULE_H

#include "pay/rules.h"

/* NULL: read. Else what is wrong with it; static. ret_rule->add is the caller's. */
MUST_USE const char *fraud_rule_read(const char *text, struct fraud_rule *ret_rule);

#endif
