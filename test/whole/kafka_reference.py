"""What the tables must hold after topics were read: the rules once more, none of payonce's code.

Which of several partitions comes next is nobody's rule: it is decided while reading, and recorded.
So the order between partitions is taken from the ledger, and only that: the accepted payments by
seq, before each of them what stands before it in its own partition. Everything else the reference
decides again by itself. It is told nothing of idle partitions, which only matter where payments
come late; so an input of which nothing may be late shows that nothing was.
"""
import os
import sqlite3
import time

import whole
from whole import Different
from reference import Reference
from settings import load

TRANSACTIONS = "payment_transactions"
# A table: its order, and the columns that depend on when things happened.
TABLES = {
    TRANSACTIONS: ("seq", ()),
    "payment_duplicates": ("source_topic, source_partition, source_offset", ("seq",)),
    "payment_dead_letters": ("source_topic, source_partition, source_offset", ("seq",)),
    "payment_metrics": (None, ("closed",)),
    "payonce_total": (None, ()),
    "payonce_cursor": (None, ("standing",)),
}


class Partition:
    """Its records, each taken once. path, offset: as Reference knows them of a file."""

    def __init__(self, topic, number, records, end):
        self.path, self.number = topic, number
        self.records, self.end = records, end
        self.offset = self.at = 0

    def take(self):
        record = self.records[self.at]
        self.at += 1
        self.offset = record.offset
        return record.value or b""


class TopicReference(Reference):
    """Records in, tables out, in the ledger's order of accepted payments."""

    def __init__(self, settings, output, partitions):
        super().__init__(dict(settings, **{"source.file.paths": []}), output,
                         int(time.time() * 1000))
        self.files = partitions
        for _ in partitions:
            self.judge.join()

    def run_in_order(self, accepted):
        """accepted: (topic, partition, offset) by seq."""
        numbers = {(file.path, file.number): number for number, file in enumerate(self.files)}
        for topic, partition, offset in accepted:
            number = numbers.get((topic, partition))
            if number is None:
                raise Different(f"accepted from {topic}/{partition}, which is not there")
            self.take_up_to(number, offset)
        for number, file in enumerate(self.files):
            self.take_up_to(number, file.end)
            self.skip(number, file)
        self.write_metrics()
        self.write_totals()
        self.write_cursors()
        self.tables.close()

    def take_up_to(self, number, offset):
        file = self.files[number]
        while file.at < len(file.records) and file.records[file.at].offset <= offset:
            self.message(number, file.take())

    def skip(self, number, file):
        """Offsets without a record: markers of transactions, and what was aborted."""
        for _ in range(file.end - len(file.records)):
            self.count(number, "skipped", None)
        file.offset = file.end - 1  # The cursor stands behind the markers, too.

    def place(self, number, offset):
        return (self.files[number].path, 0, self.files[number].number, offset)

    def write_cursors(self):
        for number, file in enumerate(self.files):
            newest = self.judge.sources[number].newest
            self.tables.add("payonce_cursor", (
                *self.place(number, 0)[:3], 0, file.end,
                None if newest == float("-inf") else newest, None))


def make(folder, ledger, topics):
    """reference.db in folder. topics: {name: (records read committed, {partition: end})}."""
    partitions = [Partition(topic, number, [record for record in records
                                            if record.partition == number], end)
                  for topic, (records, ends) in topics.items()
                  for number, end in sorted(ends.items())]
    accepted = whole.ask(ledger, "SELECT source_topic, source_partition, source_offset"
                                 f" FROM {TRANSACTIONS} ORDER BY seq")
    output = os.path.join(folder, "reference.db")
    reference = TopicReference(load(os.path.join(folder, "payonce.yaml")), output, partitions)
    reference.run_in_order(accepted)
    return output


def compare(folder, ledger, topics):
    """The ledger and what the topics hold, row by row. Returns {table: rows}."""
    carry = load(os.path.join(folder, "payonce.yaml"))["payment.carry"]
    one = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    other = sqlite3.connect(make(folder, ledger, topics))
    try:
        every = whole.columns(carry)
        return {table: whole.compare_table(one, other, table,
                                           [name for name in every[table] if name not in without],
                                           order)
                for table, (order, without) in TABLES.items()}
    finally:
        one.close()
        other.close()
