"""From a message to a payment, or to the reason why it is none.

notes/experience.md 1 (fields, units), 10 (privacy); notes/reliability.md 12 (limits).
"""
import re
from decimal import Decimal

import instants
from strict_json import END, Number, Refused, read, read_slow

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
SUSPECT = re.compile(r"[0-9](?:[ -]*[0-9]){12}", re.ASCII)
ROW = re.compile(r"[0-9]+(?:[ -]+[0-9]+)*", re.ASCII)
GROUP = re.compile(r"[0-9]+", re.ASCII)
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
DIGIT = re.compile(r"[0-9]", re.ASCII)
# What the card networks give out: beginning and number of digits.
ISSUED = re.compile("|".join((
    "4([0-9]{12}|[0-9]{15}|[0-9]{18})",  # Visa
    "5[1-5][0-9]{14}",  # Mastercard
    "2(22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}",
    "3[47][0-9]{13}",  # American Express
    "(6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12,15}",  # Discover
    "35(2[89]|[3-8][0-9])[0-9]{12,15}",  # JCB
    "(30[0-5]|3[689][0-9])[0-9]{11,16}",  # Diners Club
    "62[0-9]{14,17}",  # UnionPay
    "(50|5[678]|6[0-9])[0-9]{11,17}",  # Maestro
)), re.ASCII)


class Payment:
    """A message that is whole. Texts are masked already."""

    __slots__ = ("id", "sender", "receiver", "amount_text", "amount", "units", "scale",
                 "currency", "event_ms", "carry", "status", "region")

    def content(self):
        """What makes two messages of one id the same payment, in the order of comparing."""
        return (("amount", self.amount), ("currency", self.currency),
                ("sender_account_id", self.sender), ("receiver_account_id", self.receiver),
                ("status", self.status))


def luhn(digits):
    total = 0
    for index, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + index % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def card_spans(text, issued_only=False):
    """Rows of whole groups of digits, parted by blanks and dashes, that read as a card number.

    issued_only, for ids: of whole codes, and only what a network may have given out.
    """
    if SUSPECT.search(text) is None or UUID.fullmatch(text):
        return
    for row in ROW.finditer(text):
        groups = [(row.start() + group.start(), row.start() + group.end())
                  for group in GROUP.finditer(row.group())]
        if issued_only:
            groups = [group for group in groups if not touches_letter(text, *group)]
        for first in range(len(groups)):
            for last in range(first, len(groups)):
                start, end = groups[first][0], groups[last][1]
                if ROW.fullmatch(text, start, end) is None:
                    break  # A group that does not count stands between.
                digits = DIGIT.findall(text[start:end])
                if issued_only and ISSUED.fullmatch("".join(digits)) is None:
                    continue
                if 13 <= len(digits) <= 19 and luhn(digits):
                    yield start, end


def touches_letter(text, start, end):
    return any(letter.isascii() and letter.isalpha()
               for letter in (text[start - 1:start], text[end:end + 1]))


def mask_cards(text):
    """Of each number that could be a card's all but the last four digits are stars."""
    while True:
        stars = set()
        for start, end in card_spans(text):
            stars.update([place for place in range(start, end) if text[place].isdigit()][:-4])
        if not stars:
            return text
        text = "".join("*" if place in stars else letter for place, letter in enumerate(text))


def mask_last4(text):
    """A star for each byte before the last four characters."""
    return "*" * len(text[:-4].encode()) + text[-4:]


def excerpt(raw):
    """What is kept of a broken message: no digit of it."""
    return "".join("#" if 0x30 <= byte <= 0x39 else chr(byte) if 0x20 <= byte < 0x7F else "?"
                   for byte in raw[:EXCERPT_MAX])


class Parser:
    """Settings, made ready."""

    def __init__(self, settings):
        self.drop = set(settings["privacy.drop"])
        self.mask = {name for name, how in settings["privacy.mask"].items() if how == "last4"}
        self.drop |= {name for name, how in settings["privacy.mask"].items() if how == "drop"}
        self.places = [(field, [name for name in settings["payment.fields." + field]
                                if not self.hidden(field, name)]) for field in FIELDS]
        self.carry = settings["payment.carry"]
        self.fields_of = {name: name for name in self.carry if name not in self.drop}
        self.fields_of.update((name, field) for field, names in self.places for name in names)
        self.status = self.carry.index("status") if "status" in self.carry else None
        self.region = self.carry.index("region") if "region" in self.carry else None
        self.only = next(iter(settings["payment.only"].items()), None)
        self.scale_max = settings["payment.amount.max_decimals"]
        self.known = None
        if settings["payment.unknown_fields"] == "reject":
            self.known = {name for _, names in self.places for name in names}
            self.known |= set(self.carry) | self.drop | self.mask
            self.known |= {self.only[0]} if self.only else set()

    def hidden(self, field, name):
        """What privacy takes away is not there; a masked text can only be an account."""
        return name in self.drop or (name in self.mask and "account" not in field)

    def parse(self, raw):
        """A Payment; None if payment.only leaves it out; raises Refused."""
        try:
            members, places = read(raw)
        except Refused as why:
            why.field = self.fields_of.get(why.field)  # A key twice: the field it stands for.
            raise
        if self.only is not None and not self.selected(members):
            return None
        try:
            return self.payment(members)
        except Refused as why:
            places = places or read_slow(raw)[1]
            raise Refused(why.reason, places[why.position], why.field) from None

    def selected(self, members):
        name, values = self.only
        return plain_text(members.get(name)) in values

    def payment(self, members):
        """Refusals raised here carry the key at fault instead of a position."""
        if self.known is not None:
            for key in members:
                if key not in self.known:
                    raise Refused("unknown_field", (key,), None)
        payment = Payment()
        places = iter(self.places)
        payment.id = self.identifier(*find(members, *next(places)))
        payment.event_ms = event_time(*find(members, *next(places)))
        payment.sender = self.identifier(*find(members, *next(places)))
        payment.receiver = self.identifier(*find(members, *next(places)))
        payment.units, payment.scale, payment.amount_text = amount(
            *find(members, *next(places)), self.scale_max)
        payment.amount = Decimal(payment.units).scaleb(-payment.scale)
        payment.currency = currency(*find(members, *next(places)))
        payment.carry = [self.carried(members, name) for name in self.carry]
        payment.status = None if self.status is None else payment.carry[self.status]
        payment.region = None if self.region is None else payment.carry[self.region]
        return payment

    def identifier(self, field, name, value):
        need_text(field, name, value)
        if "\0" in value:
            raise Refused("utf8", name, field)
        if not 1 <= len(value.encode()) <= ID_MAX:
            raise Refused("identifier", name, field)
        if field != "transaction_id":
            return mask_last4(value) if name in self.mask else mask_cards(value)
        if next(card_spans(value, True), None) is not None:
            raise Refused("identifier", name, field)  # Masked it would equal others.
        return value

    def carried(self, members, name):
        if name in self.drop:
            return None
        value = members.get(name)
        text = plain_text(value)
        if text is None:
            if value is None:
                return None
            raise Refused("wrong_type", name, name)
        if "\0" in text:
            raise Refused("utf8", name, name)
        if len(text.encode()) > TEXT_MAX:
            raise Refused("text_size", name, name)
        return mask_last4(text) if name in self.mask else mask_cards(text)


def plain_text(value):
    """A text, or a number, true or false as they stand; of anything else None."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return None


def find(members, field, names):
    """The field, the first of its names that is there and not null, the value."""
    for name in names:
        value = members.get(name)
        if value is not None:
            return field, name, value
    raise Refused("missing", END, field)


def need_text(field, name, value):
    if not isinstance(value, str) or isinstance(value, Number):
        raise Refused("wrong_type", name, field)


def event_time(field, name, value):
    if isinstance(value, Number):
        ms = instants.from_number(value)
    else:
        need_text(field, name, value)
        ms = instants.from_text(value)
    if ms is None:
        raise Refused("event_time", name, field)
    return ms


def amount(field, name, value, scale_max):
    """Units, scale and the text as sent."""
    if not isinstance(value, str):
        raise Refused("wrong_type", name, field)
    plain = PLAIN.fullmatch(value)
    if plain is None:
        raise Refused("amount_range" if value[:1] == "-" and PLAIN.fullmatch(value[1:])
                      else "amount", name, field)
    whole, places = plain.group(1), plain.group(2) or ""
    if len(places) > min(SCALE_MAX, scale_max) or int(whole + places) > UNITS_MAX:
        raise Refused("amount_size", name, field)
    if int(whole + places) == 0:
        raise Refused("amount_range", name, field)
    return int(whole + places), len(places), str(value)


def currency(field, name, value):
    need_text(field, name, value)
    if CURRENCY.fullmatch(value) is None:
        raise Refused("currency", name, field)
    return value
