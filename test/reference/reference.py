#!/usr/bin/env python3
"""What payonce's tables must hold: the input files and the rules, and none of payonce's code.

    reference.py CONFIG.json OUTPUT.db

CONFIG.json is a payonce configuration (JSON is YAML). OUTPUT.db gets the tables of a ledger
without what depends on how and when it ran: epoch, version, seq of metrics, times of processing.
"""
import gc
import os
import sqlite3
import sys
import time

from judge import NONE, Judge
from payments import Parser, excerpt
from rules import Rules
from settings import load
from strict_json import Refused

REASONS = {
    "missing": "P101", "wrong_type": "P102", "amount": "P103", "amount_range": "P104",
    "amount_size": "P105", "currency": "P106", "event_time": "P107", "identifier": "P108",
    "text_size": "P109", "unknown_field": "P110", "json": "P120", "empty": "P121",
    "message_size": "P122", "depth": "P123", "keys": "P124", "duplicate_key": "P125",
    "utf8": "P126", "trailing_bytes": "P127", "not_an_object": "P128", "framing": "P129",
    "late": "P201", "future": "P202", "conflict": "P301",
}
SOURCE = ("source_topic", "source_incarnation", "source_partition", "source_offset")
FIRST = ("first_topic", "first_incarnation", "first_partition", "first_offset")
MONEY = ("amount", "amount_units", "amount_scale", "currency")
ROWS_AT_ONCE = 10000


def columns(carry):
    """Of each table, by name. The first ones order its rows."""
    return {
        "payment_transactions": (
            "seq", "transaction_id", "sender_account_id", "receiver_account_id", *MONEY,
            "event_time", *carry, "fraud_score", "is_high_risk", "velocity_60s", "count_5m",
            "look_alike_of", *SOURCE),
        "payment_duplicates": (
            "seq", "transaction_id", *MONEY, "event_time", "earlier", *FIRST, "first_event_time",
            *SOURCE),
        "payment_dead_letters": (
            "seq", "verdict", "reason", "field", "known_id", "position", "size", "excerpt",
            "transaction_id", "sender_account_id", "receiver_account_id", *MONEY, "event_time",
            *carry, *FIRST, *SOURCE),
        "payment_metrics": (
            "metric_time", "region", "currency", "transaction_count", "total_amount",
            "min_amount", "max_amount", "avg_amount", "closed"),
        "payonce_total": (
            "topic", "incarnation", "partition", "verdict", "currency", "count", "sum"),
        "payonce_cursor": (
            "topic", "incarnation", "partition", "start", "next", "newest_event", "standing"),
        "payonce_pipeline": ("watermark",),
    }


def billionths_text(billionths, places):
    """At least so many places, more where there is something in them."""
    whole, rest = divmod(billionths, 10 ** 9)
    digits = f"{rest:09d}"
    used = max(places, len(digits.rstrip("0")))
    return f"{whole}.{digits[:used]}" if used else str(whole)


def half_even(numerator, denominator):
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1):
        quotient += 1
    return quotient


def money_text(payment):
    text = str(payment.units).zfill(payment.scale + 1)
    return text[:-payment.scale] + "." + text[-payment.scale:] if payment.scale else text


class Tables:
    """Rows on their way into OUTPUT.db."""

    def __init__(self, path, carry):
        self.columns = columns(carry)
        self.rows = {name: [] for name in self.columns}
        self.seq = dict.fromkeys(self.columns, 0)
        if os.path.exists(path):
            os.unlink(path)
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=OFF")
        self.database.execute("PRAGMA synchronous=OFF")
        for name, names in self.columns.items():
            self.database.execute(f"CREATE TABLE {name} ({', '.join(quoted(names))})")
        self.database.execute("BEGIN")

    def add(self, table, row):
        rows = self.rows[table]
        rows.append(row)
        if len(rows) == ROWS_AT_ONCE:
            self.write(table)

    def next_seq(self, table):
        self.seq[table] += 1
        return self.seq[table]

    def write(self, table):
        places = ", ".join("?" * len(self.columns[table]))
        self.database.executemany(f"INSERT INTO {table} VALUES ({places})", self.rows[table])
        self.rows[table].clear()

    def close(self):
        for table in self.rows:
            self.write(table)
        self.database.execute("COMMIT")
        self.database.close()


def quoted(names):
    return [f'"{name}"' for name in names]


class File:
    """A source: its lines, the number of the one taken last, and the next one (b"": none).

    A message is a line without its newline and a carriage return before that.
    """

    def __init__(self, path, incarnation=0, content=None):
        self.path = path
        self.incarnation = incarnation
        self.lines = open(content or path, "rb")
        self.offset = 0
        self.stop = None  # Or the number of the line to stop behind.
        self.coming = self.lines.readline()

    def at_end(self):
        return not self.coming or self.offset == self.stop

    def take(self):
        line = self.coming
        self.offset += 1
        self.coming = self.lines.readline()
        return line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line


class Reference:
    """Files in, tables out."""

    def __init__(self, settings, output, now_ms):
        self.parser = Parser(settings)
        self.judge = Judge(Rules(settings))
        self.files = [File(path) for path in settings["source.file.paths"]]
        self.order = list(range(len(self.files)))  # Numbers, as the files are configured.
        self.tables = Tables(output, settings["payment.carry"])
        self.totals = {}
        self.now_ms = now_ms
        self.empty_carry = (None,) * len(settings["payment.carry"])

    def run(self, stages=None):
        """To the end of the files. stages: before that only to these lines of each, and from
        there on by these settings (None: as before).

        A start after an end finds every file active; those without anything new leave at once.
        """
        gc.disable()  # A million payments that stay, and no cycle among them.
        for _ in self.files:
            self.judge.join()
        for stops, settings in [*(stages or []), ([None] * len(self.files), None)]:
            for file, stop in zip(self.files, stops):
                file.stop = stop
            self.judge.note_start()
            self.read()
            if settings is not None:
                self.judge.note_rules(Rules(settings))
        self.write_metrics()
        self.write_totals()
        self.write_cursors()
        self.tables.close()
        gc.enable()

    def run_replaced(self, place, content):
        """All files to their end; then that at this place is another one, and is adopted.

        content: the path of what it held before. Its number of lines, all counted, is what the
        first incarnation's cursor says for ever.
        """
        self.files[place] = File(self.files[place].path, 0, content)
        for _ in self.files:
            self.judge.join()
        self.judge.note_start()
        self.read()
        self.judge.note_start()
        self.order[place] = self.judge.adopt(place)
        self.files.append(File(self.files[place].path, 1))
        self.read()
        self.write_metrics()
        self.write_totals()
        self.write_cursors()
        self.tables.close()

    def read(self):
        sources = self.judge.sources
        open_files = list(self.order)
        for number in list(open_files):
            self.leave_if_at_end(number, open_files)
        while open_files:
            number = min(open_files, key=lambda number: (sources[number].newest,
                                                         self.order.index(number)))
            file = self.files[number]
            self.message(number, file.take())
            self.leave_if_at_end(number, open_files)

    def leave_if_at_end(self, number, open_files):
        if self.files[number].at_end():
            open_files.remove(number)
            self.judge.note_standing(number, "ended")

    def place(self, number, offset):
        return (self.files[number].path, self.files[number].incarnation, 0, offset)

    def message(self, number, raw):
        offset = self.files[number].offset
        payment = why = None
        try:
            payment = self.parser.parse(raw)
            if payment is None:
                self.count(number, "skipped", None)
                return
        except Refused as refused:
            why = refused
        judgement = self.judge.message(number, offset, self.now_ms, payment)
        self.count(number, judgement.verdict, payment)
        place = self.place(number, offset)
        if judgement.verdict == "accepted":
            self.accepted(payment, judgement, place)
        elif judgement.verdict == "duplicate":
            self.duplicate(payment, judgement, place)
        elif judgement.verdict == "invalid":
            self.invalid(raw, why, place)
        else:
            self.set_aside(raw, payment, judgement, place)

    def count(self, number, verdict, payment):
        key = (number, verdict, payment.currency if payment else "")
        count, total = self.totals.get(key, (0, 0))
        money = payment.units * 10 ** (9 - payment.scale) if payment else 0
        self.totals[key] = (count + 1, total + money)

    def accepted(self, payment, judgement, place):
        table = "payment_transactions"
        self.tables.add(table, (
            self.tables.next_seq(table), payment.id, payment.sender, payment.receiver,
            payment.amount_text, payment.units, payment.scale, payment.currency,
            payment.event_ms, *payment.carry, judgement.score, int(judgement.high_risk),
            judgement.velocity, judgement.count, judgement.look_alike, *place))

    def duplicate(self, payment, judgement, place):
        table = "payment_duplicates"
        first = judgement.first
        self.tables.add(table, (
            self.tables.next_seq(table), payment.id, payment.amount_text, payment.units,
            payment.scale, payment.currency, payment.event_ms, int(judgement.earlier),
            *self.place(first.source, first.offset), first.event_ms, *place))

    def invalid(self, raw, why, place):
        table = "payment_dead_letters"
        self.tables.add(table, (
            self.tables.next_seq(table), "invalid", REASONS[why.reason], why.field, None,
            why.position, len(raw), excerpt(raw), *(None,) * 8, *self.empty_carry,
            *(None,) * 4, *place))

    def set_aside(self, raw, payment, judgement, place):
        """late, future and conflict: the payment itself is known."""
        table = "payment_dead_letters"
        first = (None,) * 4
        if judgement.first is not None:
            first = self.place(judgement.first.source, judgement.first.offset)
        known = None if judgement.known_id is None else int(judgement.known_id)
        self.tables.add(table, (
            self.tables.next_seq(table), judgement.verdict, REASONS[judgement.verdict],
            judgement.field, known, None, len(raw), None, payment.id, payment.sender,
            payment.receiver, payment.amount_text, payment.units, payment.scale,
            payment.currency, payment.event_ms, *payment.carry, *first, *place))

    def write_metrics(self):
        for (start, region, currency), window in sorted(self.judge.windows.items()):
            self.tables.add("payment_metrics", (
                start, region, currency, window.count,
                billionths_text(window.total, window.places), money_text(window.least),
                money_text(window.most),
                billionths_text(half_even(window.total, window.count), 9),
                int(self.judge.closed(window))))

    def write_totals(self):
        for (number, verdict, currency), (count, total) in sorted(self.totals.items()):
            self.tables.add("payonce_total", (
                *self.place(number, 0)[:3], verdict, currency, count, billionths_text(total, 0)))

    def write_cursors(self):
        watermark = self.judge.watermark
        self.tables.add("payonce_pipeline", (None if watermark == NONE else watermark,))
        for number, file in enumerate(self.files):
            source = self.judge.sources[number]
            self.tables.add("payonce_cursor", (
                *self.place(number, 0)[:3], 1, file.offset + 1,
                None if source.newest == NONE else source.newest, source.standing))


def main(arguments):
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    Reference(load(arguments[1]), arguments[2], int(time.time() * 1000)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
