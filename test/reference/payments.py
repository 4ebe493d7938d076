"""From a message to a payment, or to the reason why it is none.

notes/experience.md 1 (fields, units), 10 (privacy); notes/reliability.md 12 (limits).
"""
import re
from decimal import Decimal

import instants
from strict_json import Number, Refused, read, read_slow

TEXT_MAX = 4096
ID_MAX = 128
EXCERPT_MAX = 256
UNITS_MAX = 2**63 - 1
SCALE_MAX = 9

# In the order in which they are looked at: the first one at fault is the one named.
FIELDS = ("transaction_id", "event_time", "sender_account_id", "receiver_account_id", "amount",
          "currency")
PLAIN = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)
CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
CARD_RUN = re.compile(r"[0-9](?:[ -]*[0-9]){12,}", re.ASCII)
DIGIT = re.compile(r"[0-9]", re.ASCII)


class Payment:
    """A message that is whole. Texts are masked already."""

    __slots__ = ("id", "sender", "receiver", "amount_text", "amount", "units", "scale",
                 "currency", "event_ms", "carry", "status", "region")

    def content(self):
        """What makes two messages of one id the same payment, in the order of comparing."""
        return (("amount", self.amount), ("currency", self.currency), ("sender", self.sender),
                ("receiver", self.receiver), ("status", self.status))


def luhn(digits):
    total = 0
    for index, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + index % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def mask_cards(text):
    """Of each run of 13 to 19 digits that could be a card's, all but the last four."""
    def masked(found):
        run = found.group()
        digits = DIGIT.findall(run)
        if len(digits) > 19 or not luhn(digits):
            return run
        return DIGIT.sub("*", run, count=len(digits) - 4)
    return CARD_RUN.sub(masked, text)


def mask_last4(text):
    return "*" * max(0, len(text) - 4) + text[-4:]


def excerpt(raw):
    """What is kept of a broken message: no digit of it."""
    return "".join("#" if 0x30 <= byte <= 0x39 else chr(byte) if 0x20 <= byte < 0x7F else "?"
                   for byte in raw[:EXCERPT_MAX])


class Parser:
    """Settings, made ready."""

    def __init__(self, settings):
        self.places = [(field, settings["payment.fields." + field]) for field in FIELDS]
        self.drop = set(settings["privacy.drop"])
        self.mask = {name for name, how in settings["privacy.mask"].items() if how == "last4"}
        self.drop |= {name for name, how in settings["privacy.mask"].items() if how == "drop"}
        self.carry = settings["payment.carry"]
        self.status = self.carry.index("status") if "status" in self.carry else None
        self.region = self.carry.index("region") if "region" in self.carry else None
        self.only = next(iter(settings["payment.only"].items()), None)
        self.scale_max = settings["payment.amount.max_decimals"]
        self.known = None
        if settings["payment.unknown_fields"] == "reject":
            self.known = {name for _, names in self.places for name in names}
            self.known |= set(self.carry) | self.drop | self.mask
            self.known |= {self.only[0]} if self.only else set()

    def parse(self, raw):
        """A Payment; None if payment.only leaves it out; raises Refused."""
        members, places = read(raw)
        if self.only is not None and not self.selected(members):
            return None
        try:
            return self.payment(members)
        except Refused as why:
            places = places or read_slow(raw)[1]
            position = places.get(why.position, 0) if why.position is not None else 0
            raise Refused(why.reason, position, why.field) from None

    def selected(self, members):
        name, values = self.only
        value = members.get(name)
        return isinstance(value, str) and not isinstance(value, Number) and value in values

    def payment(self, members):
        """Refusals raised here carry the key at fault instead of a position."""
        if self.known is not None:
            for key in members:
                if key not in self.known:
                    raise Refused("unknown_field", key, None)
        payment = Payment()
        found = {}
        for field, names in self.places:
            for name in names:
                value = members.get(name)
                if value is not None:
                    found[field] = (name, value)
                    break
            else:
                raise Refused("missing", None, field)
        payment.id = identifier(found, "transaction_id")
        payment.event_ms = event_time(found)
        payment.sender = identifier(found, "sender_account_id")
        payment.receiver = identifier(found, "receiver_account_id")
        payment.units, payment.scale, payment.amount_text = amount(found, self.scale_max)
        payment.amount = Decimal(payment.units).scaleb(-payment.scale)
        payment.currency = currency(found)
        payment.carry = [self.carried(members, name) for name in self.carry]
        payment.status = None if self.status is None else payment.carry[self.status]
        payment.region = None if self.region is None else payment.carry[self.region]
        return payment

    def carried(self, members, name):
        value = members.get(name)
        if value is None or name in self.drop:
            return None
        if not isinstance(value, str):
            raise Refused("wrong_type", name, name)
        if len(value.encode()) > TEXT_MAX:
            raise Refused("text_size", name, name)
        return mask_last4(value) if name in self.mask else mask_cards(value)


def text_of(found, field):
    name, value = found[field]
    if not isinstance(value, str) or isinstance(value, Number):
        raise Refused("wrong_type", name, field)
    return name, value


def identifier(found, field):
    name, value = text_of(found, field)
    if not 1 <= len(value.encode()) <= ID_MAX:
        raise Refused("identifier", name, field)
    return value


def event_time(found):
    name, value = found["event_time"]
    if isinstance(value, Number):
        ms = instants.from_number(value)
    else:
        ms = instants.from_text(text_of(found, "event_time")[1])
    if ms is None:
        raise Refused("event_time", name, "event_time")
    return ms


def amount(found, scale_max):
    """Units, scale and the text as sent."""
    name, value = found["amount"]
    if not isinstance(value, str):
        raise Refused("wrong_type", name, "amount")
    plain = PLAIN.fullmatch(value)
    if plain is None:
        raise Refused("amount_range" if value[:1] == "-" and PLAIN.fullmatch(value[1:])
                      else "amount", name, "amount")
    whole, places = plain.group(1), plain.group(2) or ""
    if len(places) > min(SCALE_MAX, scale_max) or int(whole + places) > UNITS_MAX:
        raise Refused("amount_size", name, "amount")
    if int(whole + places) == 0:
        raise Refused("amount_range", name, "amount")
    return int(whole + places), len(places), str(value)


def currency(found):
    name, value = text_of(found, "currency")
    if CURRENCY.fullmatch(value) is None:
        raise Refused("currency", name, "currency")
    return value
