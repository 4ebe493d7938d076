#!/usr/bin/env python3
"""Small inputs that sit on every boundary.

    boundaries.py SEED FOLDER

Writes FOLDER/payonce.yaml (JSON, which is YAML) and the input files it names. The same seed makes
the same input. To know where the boundaries are it runs the reference's own judge along: the
next message is always for the file that will be taken from next.
"""
import datetime
import json
import os
import random
import sys

from hostile import lines as hostile_lines
from judge import NONE, Judge
from payments import Parser
from rules import Rules
from settings import load
from strict_json import Refused

BASE_MS = 1_700_000_000_000
FAR_MS = 4_000_000_000_000  # 2096: future by any clock of ours.
DURATIONS = ["0s", "1ms", "10ms", "1s", "90s", "1m", "10m", "1h"]
IDS = ["a", "b", "abc-123", "fifteen-bytes-x", "sixteen-bytes-xx",
       "123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000",
       "123e4567-e89b-12d3-a456-426614174001", "long-" + "x" * 123, "long-" + "x" * 122 + "y",
       "\u00e9t\u00e9", " a", "a ", "A", "with \"quotes\" and \\", "\U0001f4b8"]
PARTIES = ["ACC_000001", "ACC_000002", "a-much-longer-account-name-than-fifteen", "M"]
AMOUNTS = ["10.5", "10.50", "10.500000000", "0.01", "0.000000001", "1000.00", "1000.01", "5000",
           "5000.00", "5000.01", "9223372036854775807", "9223372036.854775807", "1", "1.0"]
CURRENCIES = ["USD", "EUR", "JPY"]
REGIONS = ["EU", "US", "", "r" * 64, "r" * 65, "\u65e5\u672c", "~other", None]
STATUSES = ["SUCCESS", "PENDING", None]


class Boundaries:
    """One input, from one seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.tree = self.configuration()
        settings = load(self.tree)
        self.parser = Parser(settings)
        self.judge = Judge(Rules(settings))
        self.rules = self.judge.rules
        self.paths = settings["source.file.paths"]
        self.files = [[] for _ in self.paths]
        self.accepted = []  # Payments, the latest last.
        self.ids = self.random.sample(IDS, self.random.randint(2, 8))

    def configuration(self):
        pick = self.random.choice
        tree = {
            "data_dir": "data",
            "source": {"file": {"paths": [f"f{n}.jsonl" for n in range(pick([1, 1, 2, 3, 5]))]}},
            "payment": {},
            "watermark": {"lateness": pick(DURATIONS), "max_future": pick(["0s", "5m"])},
            "dedup": {"retention": pick(DURATIONS)},
            "metrics_window": {"every": pick(["1s", "1m", "1h"]), "max_groups": pick([1, 2, 1000])},
            "fraud": {"max_senders": pick([1, 2, 1000]), "high_risk_above": pick([0, 30, 60])},
            "state": {"memory_limit": "64MiB", "expected_rate": "10/s"},
        }
        if pick([True, False]):
            tree["fraud"]["score"] = self.random.sample(
                [{"when": "amount >= 1000 USD", "add": 10}, {"when": "amount < 1 EUR", "add": 7},
                 {"when": "amount = 10.5 JPY", "add": 60}, {"when": "count_5m > 2", "add": 50},
                 {"when": "velocity_60s >= 3", "add": 45}, {"when": "look_alike = 1", "add": 9},
                 {"when": "velocity_60s = 32", "add": 1}], pick([1, 3, 7]))
        if pick([False, False, True]):
            tree["payment"]["carry"] = pick([[], ["status"], ["region", "credit_card", "cvv"],
                                             ["note", "status", "region"]])
        if pick([False, False, False, True]):
            tree["payment"]["only"] = {"status": ["SUCCESS", "DONE"]}
        if pick([False, False, False, True]):
            tree["payment"]["amount"] = {"max_decimals": pick([0, 2, 3])}
        return tree

    def make(self):
        for _ in self.files:
            self.judge.join()
        opened = list(range(len(self.files)))
        if len(opened) > 1 and self.random.random() < 0.2:
            self.end(opened.pop())  # An empty file.
        last = 1 / self.random.choice([10, 40, 120])
        while opened:
            number = min(opened, key=lambda n: (self.judge.sources[n].newest, n))
            self.message(number)
            if self.random.random() < last:
                opened.remove(number)
                self.end(number)

    def end(self, number):
        self.judge.note_standing(number, "ended")

    def message(self, number):
        if self.random.random() < 0.15:
            line = self.random.choice(hostile_lines())
        else:
            line = self.line(number)
        self.files[number].append(line)
        try:
            payment = self.parser.parse(line)
        except Refused:
            return
        if payment is None:
            return
        judgement = self.judge.message(number, len(self.files[number]), BASE_MS * 2, payment)
        if judgement.verdict == "accepted":
            self.accepted.append(payment)

    def line(self, number):
        """Mostly a payment like an earlier one, for copies, conflicts and look-alikes."""
        pick = self.random.choice
        fields = {
            "transaction_id": pick(self.ids + [f"n{self.random.randint(0, 999999)}"] * 3),
            "sender_account_id": pick(PARTIES),
            "receiver_account_id": pick(PARTIES),
            "amount": pick(AMOUNTS),
            "currency": pick(CURRENCIES),
            "region": pick(REGIONS),
            "status": pick(STATUSES),
        }
        if self.accepted and self.random.random() < 0.6:
            like = pick(self.accepted[-40:])
            fields.update(transaction_id=like.id, sender_account_id=like.sender,
                          receiver_account_id=like.receiver, amount=like.amount_text,
                          currency=like.currency, status=like.status)
            change = pick([None, None, None, "transaction_id", "amount", "currency", "status",
                           "sender_account_id", "receiver_account_id"])
            if change is not None:
                fields[change] = {"transaction_id": f"n{self.random.randint(0, 999999)}",
                                  "amount": pick(AMOUNTS), "currency": pick(CURRENCIES),
                                  "status": pick(STATUSES), "sender_account_id": pick(PARTIES),
                                  "receiver_account_id": pick(PARTIES)}[change]
        if self.random.random() < 0.1:
            fields.update(credit_card="4111111111111111", cvv="123",
                          note="paid 4111 1111-1111 1111 twice")
        return self.write(fields, self.moment(number))

    def moment(self, number):
        """An event time at a boundary, or one millisecond beside it."""
        source = self.judge.sources[number]
        watermark, passed = self.judge.watermark, self.judge.passed(source)
        rules = self.rules
        base = source.newest if source.newest != NONE else BASE_MS
        edges = [base, base + self.random.randint(0, 5000), base + rules.lateness,
                 base + rules.window - base % rules.window]
        if passed != NONE:
            edges += [passed] * 4
        for first in self.accepted[-8:]:
            edges += [first.event_ms, first.event_ms + rules.retention,
                      first.event_ms + rules.retention + rules.lateness,
                      first.event_ms + 60_000, first.event_ms + 300_000]
        if watermark != NONE:
            edges += [watermark, watermark - watermark % rules.window + rules.window
                      + rules.lateness]
        if self.random.random() < 0.03:
            return FAR_MS
        return max(0, self.random.choice(edges) + self.random.choice([-1, 0, 0, 1]))

    def write(self, fields, moment):
        """As JSON, with the amount as a number and the time in some unit."""
        pick = self.random.choice
        amount = fields.pop("amount")
        parts = [f"{json.dumps(key)}:{json.dumps(value, ensure_ascii=pick([True, False]))}"
                 for key, value in fields.items()
                 if value is not None or pick([True, False])]
        parts.append(f'"amount":{amount}')
        parts.append(f'"{pick(["timestamp", "event_time"])}":{self.time_text(moment)}')
        self.random.shuffle(parts)
        return ("{" + pick([",", ", "]).join(parts) + "}" + pick(["", "", "", " ", "\r"])).encode()

    def time_text(self, moment):
        pick = self.random.choice
        forms = [str(moment), str(moment), str(moment * 1000 + pick([0, 999])),
                 str(moment * 1000000 + pick([0, 999999]))]
        if moment % 1000 == 0:
            forms.append(str(moment // 1000))
        shift = pick([0, 0, 330, -720])
        when = datetime.datetime(1970, 1, 1) + datetime.timedelta(
            milliseconds=moment, minutes=shift)
        zone = "Z" if shift == 0 else f"{'+' if shift > 0 else '-'}{abs(shift) // 60:02d}:" \
                                      f"{abs(shift) % 60:02d}"
        forms.append(f'"{when:%Y-%m-%dT%H:%M:%S}.{moment % 1000:03d}{pick(["", "999"])}{zone}"')
        return pick(forms)

    def save(self, folder):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "payonce.yaml"), "w", encoding="utf-8") as file:
            json.dump(self.tree, file, indent=1)
        for path, lines in zip(self.paths, self.files):
            whole = b"".join(line + b"\n" for line in lines)
            if lines and lines[-1] and self.random.random() < 0.3:
                whole = whole[:-1]
            with open(os.path.join(folder, path), "wb") as file:
                file.write(whole)


def make(seed, folder):
    boundaries = Boundaries(seed)
    boundaries.make()
    boundaries.save(folder)


def main(arguments):
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    make(int(arguments[1]), arguments[2])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
