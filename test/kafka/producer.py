"""A producer in Kafka's own protocol: plain records, and transactions that end or stay open.

It is slow and careful: a request at a time, each batch sent again with the same sequence until a
broker says that it has it, so that whatever dies on the way nothing is lost and nothing doubled.
"""
import struct
import time
from collections import namedtuple

import wire
from wire import ask, check, many, settled, text

PRODUCE, INIT_PRODUCER_ID, ADD_PARTITIONS, ADD_OFFSETS, END_TRANSACTION = 0, 22, 24, 25, 26
OFFSETS_OF_TRANSACTION = 28
OF_TRANSACTIONS = b"\1"
TRANSACTIONAL = 0x10
NOBODY = (-1, -1)  # A producer without an id; its epoch.
PATIENCE_SECONDS = 900  # Outages are part of the tests.
TIMEOUT_MS = 30000  # Of a transaction: then the coordinator aborts it.
ALREADY_THERE = 46  # DUPLICATE_SEQUENCE
FENCED = {45, 47, 48, 49, 59, 90}  # This transaction is over, its producer's epoch, too.
NOT_YET = wire.NOT_YET | {-1, 19, 20, 51, 56}  # Replicas, or the markers, are still on their way.

Message = namedtuple("Message", "partition key value")


class Fenced(Exception):
    """The coordinator has ended this transaction by itself: nothing of it will be seen."""


def crc32c_table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
        yield value


TABLE = tuple(crc32c_table())


def crc32c(data):
    value = 0xffffffff
    for byte in data:
        value = TABLE[(value ^ byte) & 0xff] ^ value >> 8
    return value ^ 0xffffffff


def varint(value):
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def record(at, key, value):
    body = b"\0" + varint(0) + varint(at)
    for part in (key, value):
        body += varint(-1) if part is None else varint(len(part)) + part
    body += varint(0)
    return varint(len(body)) + body


def make_batch(messages, producer=NOBODY, sequence=-1, flags=0):
    """Messages of one partition as the broker stores them."""
    now_ms = int(time.time() * 1000)
    number, epoch = producer
    records = b"".join(record(at, message.key, message.value)
                       for at, message in enumerate(messages))
    body = struct.pack(">hiqqqhii", flags, len(messages) - 1, now_ms, now_ms, number, epoch,
                       sequence, len(messages)) + records
    return struct.pack(">qiibI", 0, 9 + len(body), -1, 2, crc32c(body)) + body


def patiently(question):
    """Until it is answered; what only time mends is asked again."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return question()
        except wire.KafkaError as error:
            if error.code in FENCED:
                raise Fenced(str(error)) from error
            if error.code not in NOT_YET or time.monotonic() > until:
                raise
        except OSError:
            if time.monotonic() > until:
                raise
        time.sleep(0.1)


known = {}  # (bootstrap, topic, partition): its leader as of late; of no other is it asked.


def leader_of(*partition):
    bootstrap, topic, part = partition
    if partition not in known:
        cluster = wire.metadata(bootstrap, [topic])
        leader = cluster["topics"][topic].get(part, -1)
        if leader not in cluster["brokers"]:
            raise wire.KafkaError(wire.NO_LEADER, f"{topic}/{part}")
        known[partition] = cluster["brokers"][leader]
    return known[partition]


def send_batch(bootstrap, topic, part, batch, name=None):
    """To the partition's leader, whoever that is now. With a name: in its transaction."""
    told = struct.pack(">h", -1) if name is None else text(name)
    body = told + struct.pack(">hi", -1, 10000) + many(
        [text(topic) + many([struct.pack(">ii", part, len(batch)) + batch])])

    def question():
        try:
            answer = ask(leader_of(bootstrap, topic, part), PRODUCE, 3, body, wire.WORK_SECONDS)
            answer.number("i")
            answer.text()
            answer.number("i"), answer.number("i")
            code = answer.number("h")
            if code != ALREADY_THERE:
                check(code, f"{topic}/{part}")
        except (OSError, wire.KafkaError):
            known.pop((bootstrap, topic, part), None)
            raise
    patiently(question)


def by_partition(messages):
    parts = {}
    for message in messages:
        parts.setdefault(message.partition, []).append(message)
    return parts


def send(bootstrap, topic, messages):
    """Without any transaction. A batch whose answer is lost may be there twice."""
    for part, own in by_partition(messages).items():
        send_batch(bootstrap, topic, part, make_batch(own))


class Producer:
    """One transactional.id. begin (also after Fenced), send, set_cursor, end."""

    def __init__(self, bootstrap, topic, name, timeout_ms=TIMEOUT_MS):
        self.bootstrap, self.topic, self.name = bootstrap, topic, name
        self.timeout_ms = timeout_ms
        self.identity = NOBODY
        self.sequences, self.joined = {}, set()

    def ask(self, key, version, body):
        """The coordinator of this name."""
        def find():
            answer = wire.any_of(self.bootstrap, wire.FIND_COORDINATOR, 1,
                                 text(self.name) + OF_TRANSACTIONS)
            answer.number("i")
            check(answer.number("h"), answer.text() or self.name)
            answer.number("i")
            return f"{answer.text()}:{answer.number('i')}"
        return ask(settled(find), key, version, body, wire.WORK_SECONDS)

    def begin(self):
        """Whatever this name had open is aborted, whoever had it is fenced."""
        def question():
            answer = self.ask(INIT_PRODUCER_ID, 1, text(self.name) + struct.pack(">i", self.timeout_ms))
            answer.number("i")
            check(answer.number("h"), self.name)
            return answer.number("q"), answer.number("h")
        self.identity = patiently(question)
        self.sequences, self.joined = {}, set()

    def head(self):
        return text(self.name) + struct.pack(">qh", *self.identity)

    def join(self, parts):
        body = self.head() + many([text(self.topic) + many(struct.pack(">i", part)
                                                           for part in sorted(parts))])

        def question():
            answer = self.ask(ADD_PARTITIONS, 0, body)
            answer.number("i")
            for _ in range(answer.number("i")):
                answer.text()
                for _ in range(answer.number("i")):
                    answer.number("i")
                    check(answer.number("h"), self.name)
        patiently(question)
        self.joined |= parts

    def send(self, messages):
        parts = by_partition(messages)
        if parts.keys() - self.joined:
            self.join(parts.keys() - self.joined)
        for part, own in parts.items():
            sequence = self.sequences.get(part, 0)
            batch = make_batch(own, self.identity, sequence, TRANSACTIONAL)
            send_batch(self.bootstrap, self.topic, part, batch, self.name)
            self.sequences[part] = sequence + len(own)

    def set_cursor(self, group, part, offset, more):
        """The group's offset of the topic, with the transaction, if that is committed."""
        def join():
            answer = self.ask(ADD_OFFSETS, 0, self.head() + text(group))
            answer.number("i")
            check(answer.number("h"), self.name)
        patiently(join)
        body = text(self.name) + text(group) + struct.pack(">qh", *self.identity) + many(
            [text(self.topic) + many([struct.pack(">iq", part, offset) + text(more)])])

        def question():
            answer = ask(wire.coordinator(self.bootstrap, group), OFFSETS_OF_TRANSACTION, 0, body)
            answer.number("i")
            for _ in range(answer.number("i")):
                answer.text()
                for _ in range(answer.number("i")):
                    answer.number("i")
                    check(answer.number("h"), group)
        patiently(question)

    def end(self, commit):
        """It did what was asked, however often it had to be asked. Or Fenced: it was aborted."""
        def question():
            answer = self.ask(END_TRANSACTION, 0, self.head() + struct.pack(">?", commit))
            answer.number("i")
            check(answer.number("h"), self.name)
        patiently(question)
        self.joined = set()
