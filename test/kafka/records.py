"""The records of a topic, as a reader that asks for committed ones (or for all) gets them."""
import gzip
import struct
from collections import namedtuple

from wire import FETCH, LATEST, Bytes, ask, check, leaders, many, offsets, text, EARLIEST

Record = namedtuple("Record", "topic partition offset time_ms key value headers producer")

TRANSACTIONAL, CONTROL, COMPRESSION = 0x10, 0x20, 0x07
ABORT = 0
HEAD = 61  # Of a batch, up to its first record.
GZIP, LZ4 = 1, 3
LZ4_MAGIC, LZ4_SIZED, LZ4_BLOCK_SUM, LZ4_PLAIN = 0x184d2204, 0x08, 0x10, 0x80000000


def lz4_block(data, out):
    """Literals and copies of what came before, in turns (LZ4 block format)."""
    at = 0

    def more(size):
        nonlocal at
        byte = 255 if size == 15 else 0
        while byte == 255:
            byte = data[at]
            at += 1
            size += byte
        return size

    while True:
        token = data[at]
        at += 1
        size = more(token >> 4)
        out += data[at:at + size]
        at += size
        if at >= len(data):
            return
        back = data[at] | data[at + 1] << 8
        at += 2
        size, first = more(token & 15) + 4, len(out) - back
        if back >= size:
            out += out[first:first + size]
        else:  # It copies what it is just writing.
            out += (out[first:] * (size // back + 1))[:size]


def lz4_frame(data):
    """What an LZ4 frame holds; its checksums are not looked at: the batch has one."""
    magic, flags = struct.unpack_from("<IB", data)
    if magic != LZ4_MAGIC:
        raise ValueError("no LZ4 frame")
    at, out = 7 + (8 if flags & LZ4_SIZED else 0), bytearray()
    while True:
        size, = struct.unpack_from("<I", data, at)
        at += 4
        if size == 0:
            return bytes(out)
        block = data[at:at + (size & ~LZ4_PLAIN)]
        at += len(block) + (4 if flags & LZ4_BLOCK_SUM else 0)
        if size & LZ4_PLAIN:
            out += block
        else:
            lz4_block(block, out)


def read_batch(topic, part, data, at):
    """One batch (format 2) at that place: its flags, its producer, its records."""
    base, = struct.unpack_from(">q", data, at)
    flags, last = struct.unpack_from(">hi", data, at + 21)
    first_ms, _, producer = struct.unpack_from(">qqq", data, at + 27)
    size, = struct.unpack_from(">i", data, at + 8)
    count, = struct.unpack_from(">i", data, at + 57)
    body = data[at + HEAD:at + 12 + size]
    if flags & COMPRESSION == GZIP:
        body = gzip.decompress(body)
    elif flags & COMPRESSION == LZ4:
        body = lz4_frame(body)
    elif flags & COMPRESSION:
        raise ValueError("this reader knows gzip, LZ4 and plain batches")
    records, body = [], Bytes(body)
    for _ in range(count):
        body.varint()
        body.take(1)
        time_ms, offset = first_ms + body.varint(), base + body.varint()
        key, value = body.vartext(), body.vartext()
        headers = [(body.vartext().decode(), body.vartext()) for _ in range(body.varint())]
        records.append(Record(topic, part, offset, time_ms, key, value, headers, producer))
    return flags, producer, base + last + 1, records


def batch_end(data, at):
    return at + 12 + struct.unpack_from(">i", data, at + 8)[0]


def fetch(place, topic, part, offset, committed):
    """One fetch: the batches' bytes, and where which producer's aborted transactions begin."""
    body = struct.pack(">iiiib", -1, 100, 1, 8 << 20, 1 if committed else 0) + many(
        [text(topic) + many([struct.pack(">iqi", part, offset, 8 << 20)])])
    answer = ask(place, FETCH, 4, body)
    answer.number("i"), answer.number("i")
    answer.text()
    answer.number("i"), answer.number("i")
    check(answer.number("h"), f"{topic}/{part}")
    answer.number("q"), answer.number("q")
    aborted = [(answer.number("q"), answer.number("q")) for _ in range(max(answer.number("i"), 0))]
    return answer.blob(), aborted


def read_partition(place, topic, part, start, end, committed):
    records, offset = [], start
    while offset < end:
        data, aborted = fetch(place, topic, part, offset, committed)
        aborted = sorted((first, producer) for producer, first in aborted)
        in_abort, at = set(), 0
        while at + HEAD <= len(data) and batch_end(data, at) <= len(data):
            flags, producer, behind, batch = read_batch(topic, part, data, at)
            at = batch_end(data, at)
            while aborted and aborted[0][0] < behind:
                in_abort.add(aborted.pop(0)[1])
            if flags & CONTROL:
                if struct.unpack_from(">hh", batch[0].key)[1] == ABORT:
                    in_abort.discard(producer)
            elif not (flags & TRANSACTIONAL and producer in in_abort):
                records += [record for record in batch if offset <= record.offset < end]
            offset = max(offset, behind)
        if at == 0:
            break
    return records


def read_topic(bootstrap, topic, committed=True):
    """All records up to the end as it is now, partition by partition, each in its order."""
    start = offsets(bootstrap, topic, EARLIEST)
    end = offsets(bootstrap, topic, LATEST, committed)
    return [record for part, place in sorted(leaders(bootstrap, topic).items())
            for record in read_partition(place, topic, part, start[part], end[part], committed)]
