"""The settings a reference needs, out of a configuration that is JSON (and so YAML, too)."""
import json
import re

DEFAULTS = {
    "payment.fields.transaction_id": ["transaction_id"],
    "payment.fields.event_time": ["event_time", "timestamp"],
    "payment.fields.sender_account_id": ["sender_account_id", "sender"],
    "payment.fields.receiver_account_id": ["receiver_account_id", "receiver"],
    "payment.fields.amount": ["amount"],
    "payment.fields.currency": ["currency"],
    "payment.carry": ["region", "payment_method", "status", "device_id", "ip_address"],
    "payment.only": {},
    "payment.amount.max_decimals": 9,
    "payment.unknown_fields": "ignore",
    "privacy.drop": ["cvv", "cvc", "cvv2", "pin", "card_expiry"],
    "privacy.mask": {"credit_card": "last4"},
    "watermark.lateness": "1h",
    "watermark.max_future": "5m",
    "watermark.align": "10m",
    "dedup.retention": None,
    "fraud.enabled": True,
    "fraud.score": [{"when": "amount > 5000 USD", "add": 30},
                    {"when": "amount > 1000 USD", "add": 15},
                    {"when": "count_5m > 10", "add": 40},
                    {"when": "count_5m > 5", "add": 25}],
    "fraud.high_risk_above": 60,
    "fraud.max_senders": 1000000,
    "metrics_window.every": "1m",
    "metrics_window.max_groups": 1000,
    "source.file.paths": [],
}
UNITS_MS = {"ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000}


def milliseconds(text):
    parts = re.findall(r"([0-9]+)(ms|s|m|h|d)", text)
    if "".join(number + unit for number, unit in parts) != text.replace(" ", "") or not parts:
        raise ValueError(f"not a duration: {text}")
    return sum(int(number) * UNITS_MS[unit] for number, unit in parts)


def flat(tree, above=""):
    """{"a": {"b": 1}} is {"a.b": 1}, except below a setting that takes a map."""
    for key, value in tree.items():
        name = above + key
        if isinstance(value, dict) and name not in DEFAULTS:
            yield from flat(value, name + ".")
        else:
            yield name, value


def load(tree):
    """Every default, and over it what the tree (or the JSON file of that path) says."""
    if isinstance(tree, str):
        with open(tree, encoding="utf-8") as file:
            tree = json.load(file)
    settings = dict(DEFAULTS)
    settings.update(flat(tree))
    if settings["dedup.retention"] is None:
        settings["dedup.retention"] = settings["watermark.lateness"]
    return settings
