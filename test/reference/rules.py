"""By what the verdicts are given: settings as numbers."""
import re
from decimal import Decimal

from settings import milliseconds

RULE = re.compile(r"(amount|velocity_60s|count_5m|look_alike) (>=|>|<|=) ([0-9.]+)(?: ([A-Z]{3}))?")
COMPARE = {
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "<": lambda left, right: left < right,
    "=": lambda left, right: left == right,
}


class Rules:
    """All times in milliseconds."""

    def __init__(self, settings):
        self.lateness = milliseconds(settings["watermark.lateness"])
        self.retention = milliseconds(settings["dedup.retention"])
        self.max_future = milliseconds(settings["watermark.max_future"])
        self.align = milliseconds(settings["watermark.align"])
        self.window = milliseconds(settings["metrics_window.every"])
        self.groups_max = settings["metrics_window.max_groups"]
        self.high_risk_above = settings["fraud.high_risk_above"]
        self.senders_max = settings["fraud.max_senders"]
        self.fraud = []
        if settings["fraud.enabled"]:
            self.fraud = [fraud_rule(rule) for rule in settings["fraud.score"]]

    def score(self, payment, velocity, count, look_alike):
        """Matching rules add up, at most 100. A rule on amount is about one currency."""
        points = 0
        for field, compare, constant, currency, add in self.fraud:
            if field == "amount":
                matches = payment.currency == currency and compare(payment.amount, constant)
            elif field == "velocity_60s":
                matches = compare(velocity, constant)
            elif field == "count_5m":
                matches = compare(count, constant)
            else:
                matches = compare(int(look_alike is not None), constant)
            points += add if matches else 0
        return min(points, 100)


def fraud_rule(rule):
    field, operator, constant, currency = RULE.fullmatch(rule["when"]).groups()
    return field, COMPARE[operator], Decimal(constant), currency, rule["add"]
