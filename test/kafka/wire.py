"""What the tests ask of a broker, in Kafka's own protocol: topics, offsets, records, rights.

Python's standard library alone, so that a question costs milliseconds and no Java. It speaks the
oldest versions that both 3.9 and 4.1 serve; sequences of fields are in the order of Kafka's
message definitions. It is an independent reader: nothing of payonce and no librdkafka is in it.
"""
import socket
import struct
import time

FETCH, LIST_OFFSETS, METADATA, OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR = 1, 2, 3, 8, 9, 10
CREATE_TOPICS, DELETE_TOPICS, DELETE_RECORDS = 19, 20, 21
DESCRIBE_ACLS, CREATE_ACLS, DELETE_ACLS = 29, 30, 31
CREATE_PARTITIONS = 37
INCREMENTAL_ALTER_CONFIGS = 44
ELECT_LEADERS, ELECTION_NOT_NEEDED, NO_PREFERRED_LEADER = 43, 84, 80
LATEST, EARLIEST = -1, -2
NO_LEADER = 5
ANSWER_SECONDS, WORK_SECONDS = 5.0, 10.0  # A broker that stands still has no answer.
NOT_YET = {3, 5, 6, 7, 14, 15, 16, 41}  # Leader, coordinator or controller are still being settled.
NAMES = {1: "OFFSET_OUT_OF_RANGE", 3: "UNKNOWN_TOPIC_OR_PARTITION", 5: "LEADER_NOT_AVAILABLE",
         6: "NOT_LEADER_OR_FOLLOWER", 7: "REQUEST_TIMED_OUT", 15: "COORDINATOR_NOT_AVAILABLE",
         16: "NOT_COORDINATOR", 29: "TOPIC_AUTHORIZATION_FAILED", 36: "TOPIC_ALREADY_EXISTS",
         37: "INVALID_PARTITIONS", 41: "NOT_CONTROLLER"}
KINDS = {"any": 1, "topic": 2, "group": 3, "cluster": 4, "transactional_id": 5}
OPERATIONS = {"all": 2, "read": 3, "write": 4, "create": 5, "delete": 6, "alter": 7, "describe": 8,
              "describe_configs": 10, "alter_configs": 11, "idempotent_write": 12}


class KafkaError(Exception):
    """A broker's answer that is a refusal."""

    def __init__(self, code, what=""):
        super().__init__(f"{NAMES.get(code, f'error {code}')} {what}".strip())
        self.code = code


class Bytes:
    """Reads an answer from front to back."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def number(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def text(self):
        size = self.number("h")
        return None if size < 0 else self.take(size).decode()

    def blob(self):
        size = self.number("i")
        return b"" if size < 0 else self.take(size)

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)

    def vartext(self):
        size = self.varint()
        return None if size < 0 else self.take(size)

    def many(self, read):
        return [read() for _ in range(self.number("i"))]


def text(value):
    return struct.pack(">h", len(value.encode())) + value.encode()


def many(items):
    items = list(items)
    return struct.pack(">i", len(items)) + b"".join(items)


def address(place):
    host, port = place.rsplit(":", 1)
    return host, int(port)


def ask(place, key, version, body, timeout=ANSWER_SECONDS):
    """One request on a connection of its own; the answer's bytes behind its header."""
    with socket.create_connection(address(place), timeout=timeout) as door:
        door.settimeout(timeout)
        request = struct.pack(">hhi", key, version, 1) + text("payonce-test") + body
        door.sendall(struct.pack(">i", len(request)) + request)
        size = struct.unpack(">i", receive(door, 4))[0]
        return Bytes(receive(door, size), 4)


def receive(door, size):
    data = b""
    while len(data) < size:
        more = door.recv(size - len(data))
        if not more:
            raise ConnectionError("the broker closed the connection")
        data += more
    return data


def any_of(bootstrap, key, version, body, timeout=ANSWER_SECONDS):
    """The same, of whichever broker answers."""
    last = None
    for place in bootstrap.split(","):
        try:
            return ask(place, key, version, body, timeout)
        except OSError as error:
            last = error
    raise last


def settled(question, seconds=120.0):
    """Ask again while the cluster is still settling; a real refusal comes at once."""
    until = time.monotonic() + seconds
    while True:
        try:
            return question()
        except (KafkaError, OSError) as error:
            refusal = isinstance(error, KafkaError) and error.code not in NOT_YET
            if refusal or time.monotonic() > until:
                raise
        time.sleep(0.05)


def metadata(bootstrap, topics=None, timeout=ANSWER_SECONDS):
    """brokers {id: place}, controller, topics {name: {partition: leader}}; topics None: of all.
    lagging: of how many partitions some replica is not in step."""
    wanted = struct.pack(">i", -1) if topics is None else many(text(name) for name in topics)
    answer = any_of(bootstrap, METADATA, 4, wanted + b"\0", timeout)
    answer.number("i")
    brokers = {}
    for _ in range(answer.number("i")):
        number, host, port = answer.number("i"), answer.text(), answer.number("i")
        answer.text()
        brokers[number] = f"{host}:{port}"
    answer.text()
    known = {"brokers": brokers, "controller": answer.number("i"), "topics": {}, "lagging": 0}
    for _ in range(answer.number("i")):
        code, name, _ = answer.number("h"), answer.text(), answer.number("b")
        parts = {}
        for _ in range(answer.number("i")):
            trouble, part, leader = answer.number("h"), answer.number("i"), answer.number("i")
            copies = answer.many(lambda: answer.number("i"))
            known["lagging"] += len(answer.many(lambda: answer.number("i"))) < len(copies)
            parts[part] = leader if trouble in (0, 9) else -1
        if code == 0:
            known["topics"][name] = parts
        elif topics is not None:
            raise KafkaError(code, name)
    return known


def leaders(bootstrap, topic):
    """{partition: place of its leader}, once every partition has one."""
    def question():
        known = metadata(bootstrap, [topic])
        parts = known["topics"][topic]
        if not parts or not all(leader in known["brokers"] for leader in parts.values()):
            raise KafkaError(5, topic)
        return {part: known["brokers"][leader] for part, leader in parts.items()}
    return settled(question)


def check(code, what=""):
    if code != 0:
        raise KafkaError(code, what)


def create_topic(bootstrap, name, partitions=1, replication=-1, settings=None):
    settings = many(text(key) + text(value) for key, value in (settings or {}).items())
    body = many([text(name) + struct.pack(">ih", partitions, replication) + many([]) + settings])
    body += struct.pack(">i?", 8000, False)

    def question():
        answer = any_of(bootstrap, CREATE_TOPICS, 4, body, WORK_SECONDS)
        answer.number("i")
        for _ in range(answer.number("i")):
            answer.text()
            check(answer.number("h"), answer.text() or name)
    settled(question)
    leaders(bootstrap, name)


def delete_topic(bootstrap, name):
    body = many([text(name)]) + struct.pack(">i", 8000)
    answer = any_of(bootstrap, DELETE_TOPICS, 1, body, WORK_SECONDS)
    answer.number("i")
    for _ in range(answer.number("i")):
        answer.text()
        check(answer.number("h"), name)


def create_partitions(bootstrap, name, count):
    body = many([text(name) + struct.pack(">ii", count, -1)]) + struct.pack(">i?", 8000, False)
    answer = any_of(bootstrap, CREATE_PARTITIONS, 0, body, WORK_SECONDS)
    answer.number("i")
    for _ in range(answer.number("i")):
        answer.text()
        check(answer.number("h"), answer.text() or name)
    settled(lambda: check(0 if len(leaders(bootstrap, name)) == count else 5, name))


def elect_leaders(bootstrap, name):
    """Each partition's first replica leads it again, where that is in step."""
    parts = metadata(bootstrap, [name])["topics"][name]
    body = many([text(name) + many(struct.pack(">i", part) for part in sorted(parts))])

    def question():
        known = metadata(bootstrap, [])
        answer = ask(known["brokers"].get(known["controller"], bootstrap.split(",")[0]),
                     ELECT_LEADERS, 0, body + struct.pack(">i", 8000), WORK_SECONDS)
        answer.number("i")
        for _ in range(answer.number("i")):
            answer.text()
            for _ in range(answer.number("i")):
                answer.number("i")
                code, why = answer.number("h"), answer.text()
                if code not in (ELECTION_NOT_NEEDED, NO_PREFERRED_LEADER):
                    check(code, why or name)
    settled(question)


def set_of_brokers(bootstrap, name, value):
    """What holds for all brokers by default; None: what they were started with."""
    pair = text(name) + (b"\1\xff\xff" if value is None else b"\0" + text(value))
    body = many([b"\4" + text("") + many([pair])]) + b"\0"

    def question():
        answer = any_of(bootstrap, INCREMENTAL_ALTER_CONFIGS, 0, body, WORK_SECONDS)
        answer.number("i")
        for _ in range(answer.number("i")):
            check(answer.number("h"), answer.text() or name)
    settled(question)


def delete_records(bootstrap, name, before):
    """Records of {partition: offset} before that offset go."""
    for part, place in leaders(bootstrap, name).items():
        if part in before:
            body = many([text(name) + many([struct.pack(">iq", part, before[part])])])
            answer = ask(place, DELETE_RECORDS, 0, body + struct.pack(">i", 8000), WORK_SECONDS)
            answer.number("i")
            answer.number("i")
            answer.text()
            answer.number("i"), answer.number("i"), answer.number("q")
            check(answer.number("h"), name)


def allow(bootstrap, user, operation, kind, name):
    """User may do that with what has that name ("*": all of that kind)."""
    who = text("User:" + user) + text("*") + struct.pack(">bb", OPERATIONS[operation], 3)
    body = many([struct.pack(">b", KINDS[kind]) + text(name) + b"\3" + who])
    answer = any_of(bootstrap, CREATE_ACLS, 1, body, WORK_SECONDS)
    answer.number("i")
    for _ in range(answer.number("i")):
        check(answer.number("h"), answer.text() or "")
    await_rights(bootstrap, user, operation, kind, name, True)


def await_rights(bootstrap, user, operation, kind, name, there):
    """Until every broker has heard of it: the controller knows first."""
    body = struct.pack(">b", KINDS[kind]) + text(name) + b"\3" + text("User:" + user) + text("*")
    body += struct.pack(">bb", OPERATIONS[operation], 3)

    def question():
        for place in metadata(bootstrap, [])["brokers"].values():
            answer = ask(place, DESCRIBE_ACLS, 1, body)
            answer.number("i")
            check(answer.number("h"), answer.text() or "")
            check(0 if (answer.number("i") > 0) == there else NO_LEADER, name)
    settled(question)


def disallow(bootstrap, user, operation, kind, name):
    """What allow() has given is taken away."""
    who = text("User:" + user) + text("*") + struct.pack(">bb", OPERATIONS[operation], 3)
    body = many([struct.pack(">b", KINDS[kind]) + text(name) + b"\3" + who])
    answer = any_of(bootstrap, DELETE_ACLS, 1, body, WORK_SECONDS)
    answer.number("i")
    for _ in range(answer.number("i")):
        check(answer.number("h"), answer.text() or "")
        answer.number("i")  # How many were taken away; nothing is asked of them.
        break
    await_rights(bootstrap, user, operation, kind, name, False)


def offsets(bootstrap, topic, moment=LATEST, committed=False):
    """{partition: offset}: its end, its start (EARLIEST), or the first from a time in ms on."""
    def question():
        found = {}
        for part, place in leaders(bootstrap, topic).items():
            body = struct.pack(">ib", -1, 1 if committed else 0) + many(
                [text(topic) + many([struct.pack(">iq", part, moment)])])
            answer = ask(place, LIST_OFFSETS, 2, body)
            answer.number("i"), answer.number("i")
            answer.text()
            answer.number("i"), answer.number("i")
            check(answer.number("h"), topic)
            answer.number("q")
            found[part] = answer.number("q")
        return found
    return settled(question)


def coordinator(bootstrap, group):
    def question():
        answer = any_of(bootstrap, FIND_COORDINATOR, 1, text(group) + b"\0")
        answer.number("i")
        check(answer.number("h"), answer.text() or group)
        answer.number("i")
        return f"{answer.text()}:{answer.number('i')}"
    return settled(question)


def commit_group(bootstrap, group, topic, places):
    """What an operator's tool does to a group without members: {partition: offset}."""
    body = text(group) + struct.pack(">i", -1) + text("") + struct.pack(">q", -1) + many(
        [text(topic) + many(struct.pack(">iq", part, place) + text("")
                            for part, place in places.items())])

    def question():
        answer = ask(coordinator(bootstrap, group), OFFSET_COMMIT, 2, body)
        answer.number("i")
        answer.text()
        for _ in range(answer.number("i")):
            answer.number("i")
            check(answer.number("h"), group)
    settled(question)


def group_offsets(bootstrap, group, topic, parts):
    """{partition: (offset, metadata)}; -1: nothing was committed."""
    body = text(group) + many([text(topic) + many(struct.pack(">i", part) for part in parts)])

    def question():
        answer = ask(coordinator(bootstrap, group), OFFSET_FETCH, 2, body)
        found = {}
        for _ in range(answer.number("i")):
            answer.text()
            for _ in range(answer.number("i")):
                part, place, more = answer.number("i"), answer.number("q"), answer.text()
                check(answer.number("h"), group)
                found[part] = (place, more)
        check(answer.number("h"), group)
        return found
    return settled(question)
