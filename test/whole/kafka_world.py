"""What the long Kafka programme is made of: a pipeline between topics and sinks, those who write to
its topic, those who kill what stands around it, and the checks at the end of every story.

KAFKA_BOOTSTRAP, KAFKA_DIR and the proxy's variables come from `test/kafka/brokers run`.
"""
import collections
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import whole
from whole import PAYONCE, Different

sys.path.insert(0, os.path.join(os.path.dirname(whole.HERE), "kafka"))

import kafka_output  # noqa: E402
import kafka_reference  # noqa: E402
import producer  # noqa: E402
import proxy  # noqa: E402
import wire  # noqa: E402
from records import read_topic  # noqa: E402

BROKERS = os.path.join(os.path.dirname(whole.HERE), "kafka", "brokers")
PROXY = os.path.join(os.path.dirname(BROKERS), "proxy.py")
BOOTSTRAP = os.environ.get("KAFKA_BOOTSTRAP", "")
PROXIED = os.environ.get("KAFKA_PROXIED", "")
NUMBERS = (1, 2, 3)
PARTITIONS = 6
WAIT_S = 180  # A cluster that is being killed on a busy machine takes its time.
END_S = 900  # For whoever has an outage's payments in memory, longer.
BATCH = 100  # Two seconds of a stream: what is sent twice is not late by that.
CURRENCIES = ("USD", "EUR", "JPY")


STORIES = {}
PROCESSES = []  # Whatever was started, for a story that does not come to its end.


def story(function):
    STORIES[function.__name__] = function
    return function


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def demand(right, what):
    if not right:
        raise Different(what)


def wait_until(question, what, seconds=WAIT_S):
    until = time.monotonic() + seconds
    while not question():
        demand(time.monotonic() < until, f"not within {seconds} s: {what}")
        time.sleep(0.1)


def brokers(verb, number):
    subprocess.run([BROKERS, verb, os.environ["KAFKA_DIR"], str(number)], check=True,
                   timeout=WAIT_S)


def all_brokers(verb):
    """At once: a controller alone is no quorum, and waits for the others."""
    calls = [subprocess.Popen([BROKERS, verb, os.environ["KAFKA_DIR"], str(number)])
             for number in NUMBERS]
    demand([call.wait(timeout=WAIT_S) for call in calls] == [0, 0, 0], f"{verb} all brokers")


def clear_up():
    """After a story that did not end well: nothing of it goes on, and every broker is there."""
    for process in PROCESSES:
        process.kill()
        process.wait()
    for number in NUMBERS:
        for verb in ("resume", "restart"):
            subprocess.run([BROKERS, verb, os.environ["KAFKA_DIR"], str(number)], check=False,
                           stderr=subprocess.DEVNULL, timeout=WAIT_S)


def in_step():
    """Every replica of everything: one broker may go."""
    try:
        known = wire.metadata(BOOTSTRAP)
    except (OSError, wire.KafkaError):
        return False
    return len(known["brokers"]) == len(NUMBERS) and known["lagging"] == 0


def payment(dice, prefix, event_ms=None):
    """(its id, its JSON) as a bank's service would send it, at this moment."""
    name = f"{prefix}-{dice.getrandbits(64):016x}"
    return name, json.dumps({
        "transaction_id": name, "sender_account_id": f"ACC_{dice.randrange(2000):06d}",
        "receiver_account_id": f"ACC_{dice.randrange(2000):06d}",
        "amount": dice.randrange(1, 1000000) / 100, "currency": dice.choice(CURRENCIES),
        "timestamp": event_ms or int(time.time() * 1000), "region": dice.choice(["EU", "US"]),
        "payment_method": "wallet"})


class Pipeline:
    """A topic, a payonce that reads it, and what it writes: a SQLite ledger, which a SQLite file
    and Kafka topics follow; or (only) nothing but the topics."""

    def __init__(self, name, partitions=PARTITIONS, replication=-1, servers=BOOTSTRAP,
                 settings=None, only=False):
        self.folder = tempfile.mkdtemp(prefix=f"payonce-kafka-{name}-")
        self.topic = f"{name}-{os.getpid()}"
        self.only, self.data = only, "data"
        self.running, self.errors = None, "stderr"
        self.truths = []
        self.outputs = {table: f"{self.topic}.{table}" for table in kafka_output.TABLES}
        wire.create_topic(BOOTSTRAP, self.topic, partitions, replication)
        for topic in self.outputs.values():
            wire.create_topic(BOOTSTRAP, topic, 2)
        wait_until(in_step, "the topics' replicas are there")
        files = [{"name": "local", "type": "sqlite", "path": "ledger.db"},
                 {"name": "copy", "type": "sqlite", "path": "copy.db"}]
        whole.write_configuration(self.folder, {
            "pipeline": self.topic, "data_dir": "data",
            "source": {"type": "kafka",
                       "kafka": {"brokers": servers.split(","), "topics": [self.topic]}},
            "checkpoint": {"max_messages": 500},
            "sinks": [*([] if only else files),
                      {"name": "out", "type": "kafka", "topics": self.outputs}],
            **(settings or {})})

    @property
    def ledger(self):
        return os.path.join(self.folder, self.data if self.only else "", "ledger.db")

    @property
    def copy(self):
        return None if self.only else os.path.join(self.folder, "copy.db")

    def head(self):
        """Epoch and text of the Kafka sink's cursor; epoch -1: there is none."""
        topic = self.outputs["payment_transactions"]
        return wire.group_offsets(BOOTSTRAP, f"payonce-{self.topic}-out", topic, [0])[0]

    def heads(self):
        """Where each of the sinks stands; of the topics whoever it is that claims them."""
        epoch, text = self.head()
        return [whole.ask(path, "SELECT epoch, chain FROM payonce_pipeline")
                for path in (self.ledger, self.copy) if path] + [
                    (epoch, re.sub("owner=[0-9a-f]*", "", text or ""))]

    def epoch(self, path=None):
        found = whole.ask(path or self.ledger, "SELECT max(epoch) FROM payonce_pipeline")
        return found[0][0] or 0 if found else 0

    def command(self, settings):
        return [PAYONCE, "run", "payonce.yaml", *whole.settings_arguments(settings)]

    def start(self, settings=None, errors="stderr"):
        with open(os.path.join(self.folder, errors), "ab") as file:
            self.errors = errors
            self.data = (settings or {}).get("data_dir", "data")
            self.running = subprocess.Popen(self.command(settings or {}), cwd=self.folder,
                                            stdout=subprocess.DEVNULL, stderr=file)
        PROCESSES.append(self.running)
        return self.running

    def said(self, errors="stderr"):
        """What a start with these errors has written."""
        with open(os.path.join(self.folder, errors), encoding="utf-8", errors="replace") as file:
            return file.read()

    def events(self, errors="stderr"):
        """Its log so far."""
        return [json.loads(line) for line in self.said(errors).splitlines() if line[:1] == "{"]

    def kill(self):
        self.running.send_signal(signal.SIGKILL)
        code = self.running.wait()
        demand(code == -signal.SIGKILL, f"it had ended by itself: exit {code}: {self.tail()}")
        deaths = os.path.join(self.folder, self.data, "deaths")
        if os.path.exists(deaths):  # It was us, not what it read.
            os.remove(deaths)

    def stop(self):
        demand(self.running.poll() is None, f"it had ended by itself: {self.tail()}")
        self.running.send_signal(signal.SIGTERM)
        code = self.running.wait(timeout=WAIT_S)
        demand(code == 0, f"asked to stop: exit {code}: {self.tail()}")

    def tail(self):
        return self.said(self.errors)[-3000:]

    def cursors(self, ledger=None):
        return dict(whole.ask(ledger or self.ledger, "SELECT partition, next FROM payonce_cursor"))

    def count(self, verdict):
        found = whole.ask(self.ledger, "SELECT sum(count) FROM payonce_total"
                                       f" WHERE verdict = '{verdict}'")
        return found[0][0] or 0 if found else 0

    def wait_for_more(self, count, what="progress"):
        """Until so many more have been accepted."""
        target = self.count("accepted") + count
        wait_until(lambda: self.alive() and self.count("accepted") >= target, what)

    def alive(self):
        demand(self.running.poll() is None, f"it ended: {self.running.poll()}: {self.tail()}")
        return True

    def wait_for_the_end(self, seconds=WAIT_S):
        """Everything committed is in the ledger and in what follows it."""
        wait_until(lambda: wire.offsets(BOOTSTRAP, self.topic, committed=True)
                   == wire.offsets(BOOTSTRAP, self.topic), "no transaction is open any more")
        ends = wire.offsets(BOOTSTRAP, self.topic)
        wait_until(lambda: self.alive() and self.cursors() == ends,
                   f"the ledger is at the end {ends}: it is at {self.cursors()}", seconds)
        self.wait_for_followers(seconds)

    def wait_for_followers(self, seconds=WAIT_S):
        """They are where the ledger is now."""
        epoch = self.epoch()
        if self.copy:
            wait_until(lambda: self.alive() and self.epoch(self.copy) >= epoch,
                       f"the copy is at epoch {epoch}", seconds)
        wait_until(lambda: self.alive() and self.head()[0] >= epoch,
                   f"the topics are at epoch {epoch}: {self.head()}", seconds)

    def simulate(self, *more):
        """Payments into the topic, until they are all there or it is told to stop."""
        truth = os.path.join(self.folder, f"truth{len(self.truths)}.csv")
        self.truths.append(truth)
        sender = subprocess.Popen(
            [PAYONCE, "simulate", "--to", f"kafka://{BOOTSTRAP}/{self.topic}", "--truth", truth,
             "--seed", str(len(self.truths)), "--copies", "1..3", "--duplicates", "5%",
             "--duplicate-after", "0s..5s", "--conflicts", "0.5%", "--broken", "0.5%", *more],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        PROCESSES.append(sender)
        return sender

    def told(self):
        """Ids that simulate says it sent as usable payments."""
        found = set()
        for path in self.truths:
            with open(path, encoding="utf-8") as file:
                names = file.readline().rstrip("\n").split(",")
                at, verdict = names.index("transaction_id"), names.index("expected")
                rows = (line.rstrip("\n").split(",") for line in file)
                found |= {row[at] for row in rows if row[verdict] == "accepted"}
        return found

    def prove(self, sent=(), aborted=()):
        """The topic read by somebody else, judged by the reference, against every output.
        sent: ids that must be among it; aborted: that must not. Returns {table: rows}."""
        records = read_topic(BOOTSTRAP, self.topic)
        ends = wire.offsets(BOOTSTRAP, self.topic)
        keys = {(record.key or b"").decode() for record in records}
        missing = (set(sent) | self.told()) - keys
        demand(not missing, f"the brokers lost {len(missing)} that were sent: {list(missing)[:3]}")
        demand(not keys & set(aborted), f"{len(keys & set(aborted))} that were aborted are read")
        out = os.path.join(self.folder, "output.db")
        kafka_output.load(self.outputs, out)
        if self.only:
            kafka_output.add_ledger(out, self.ledger)
        else:
            kafka_output.same_as_ledger(out, self.ledger, self.outputs)
            whole.same_databases(self.ledger, self.copy)
        rows = kafka_reference.compare(self.folder, out if self.only else self.ledger,
                                       {self.topic: (records, ends)})
        for path in filter(None, (None if self.only else self.ledger, self.copy, out)):
            same_ids(path, {(record.partition, record.offset): record for record in records})
        if not self.only:
            self.reconcile()
        return rows

    def reconcile(self):
        done = whole.payonce(["reconcile", "payonce.yaml"], self.folder)
        demand(done.returncode == 0, f"reconcile: {done.stdout[-2000:]}{done.stderr[-500:]}")

    def remove(self):
        if self.running is not None and self.running.poll() is None:
            self.running.kill()
            self.running.wait()
        shutil.rmtree(self.folder)


def same_ids(database, records):
    """Input ids are output ids, each once; of each partition the offsets ascend with seq."""
    rows = whole.ask(database, "SELECT transaction_id, source_partition, source_offset"
                               " FROM payment_transactions ORDER BY seq")
    wanted = set()
    for record in records.values():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            wanted.add(json.loads(record.value)["transaction_id"])
    ids = [row[0] for row in rows]
    demand(len(ids) == len(set(ids)), f"{len(ids) - len(set(ids))} ids are there twice")
    unknown = set(ids) - wanted
    demand(not unknown, f"{len(unknown)} ids that nobody sent: {list(unknown)[:3]}")
    last = {}
    for name, part, offset in rows:
        demand(offset > last.get(part, -1), f"{name}: {part}/{offset} behind {last.get(part)}")
        last[part] = offset
        stands = json.loads(records[part, offset].value)["transaction_id"]
        demand(stands == name, f"{name}: at {part}/{offset} stands {stands}")


def end_sending(sender):
    """Everything it has is with the brokers."""
    if sender.poll() is None:
        sender.send_signal(signal.SIGTERM)
    said = sender.communicate(timeout=WAIT_S)[1]
    demand(sender.returncode == 0, f"simulate: exit {sender.returncode}: {said}")


class Worker(threading.Thread):
    """Does something again and again until it is told to end; what went wrong is told then."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ending = threading.Event()
        self.trouble = None

    def run(self):
        try:
            while not self.ending.is_set():
                self.step()
            self.last()
        except Exception as error:  # noqa: BLE001: it is raised again by end().
            self.trouble = error

    def last(self):
        """What is to be done before the end."""

    def end(self):
        self.ending.set()
        self.join(END_S)
        demand(not self.is_alive(), f"{type(self).__name__} does not end")
        if self.trouble is not None:
            raise self.trouble


class Transactions(Worker):
    """Somebody who writes payments in transactions: committed, aborted, left open for a while.

    What was aborted is often sent again, in another transaction; sometimes what was committed is.
    """

    def __init__(self, pipeline, seed, most=400):
        super().__init__()
        self.topic, self.most = pipeline.topic, most
        self.dice = random.Random(seed)
        self.name = f"writer-{pipeline.topic}"
        self.again = []
        self.sent, self.aborted = set(), set()
        self.counts = dict.fromkeys(("committed", "aborted", "fenced", "left open"), 0)
        self.begun = 0

    def payments(self):
        old = self.again[:self.most // 2]
        del self.again[:len(old)]
        return old + [payment(self.dice, "w") for _ in range(self.dice.randrange(1, self.most))]

    def write(self, payments):
        """A transaction that is not ended yet."""
        self.begun += 1
        producing = producer.Producer(BOOTSTRAP, self.topic, f"{self.name}-{self.begun % 3}")
        producing.begin()
        parts = len(wire.leaders(BOOTSTRAP, self.topic))
        producing.send([producer.Message(self.dice.randrange(parts), name.encode(), body.encode())
                        for name, body in payments])
        return producing

    def step(self):
        payments = self.payments()
        commit = self.dice.random() < 0.7
        try:
            producing = self.write(payments)
            if self.dice.random() < 0.2:
                self.counts["left open"] += 1
                self.ending.wait(self.dice.uniform(1, 5))
            producing.end(commit)
        except producer.Fenced:
            self.counts["fenced"] += 1
            commit = False
        else:
            self.counts["committed" if commit else "aborted"] += 1
        names = {name for name, _ in payments}
        self.sent |= names if commit else set()
        self.aborted |= set() if commit else names
        if self.dice.random() < (0.1 if commit else 0.6):
            self.again += payments
        self.ending.wait(0.3)

    def last(self):
        """One that nobody ends, and its successor who finds it and aborts it."""
        payments = self.payments()
        self.write(payments)
        self.aborted |= {name for name, _ in payments}
        for number in range(3):
            producer.Producer(BOOTSTRAP, self.topic, f"{self.name}-{number}").begin()


class Stream(Worker):
    """A service that writes its payments into one partition, each stamped as it is made. What the
    brokers do not take yet waits in its memory."""

    def __init__(self, pipeline, part, rate=50):
        super().__init__()
        self.topic, self.part, self.rate = pipeline.topic, part, rate
        self.dice = random.Random(part)
        self.waiting, self.sent = collections.deque(), set()
        self.silent = threading.Event()
        self.maker = threading.Thread(target=self.make, daemon=True)
        self.maker.start()

    def make(self):
        while not self.ending.wait(1 / self.rate):
            if not self.silent.is_set():
                self.waiting.append(payment(self.dice, f"p{self.part}"))

    def step(self):
        batch = [self.waiting.popleft() for _ in range(min(len(self.waiting), BATCH))]
        if not batch:
            time.sleep(0.02)
            return
        producer.send(BOOTSTRAP, self.topic, [
            producer.Message(self.part, name.encode(), body.encode()) for name, body in batch])
        self.sent |= {name for name, _ in batch}

    def last(self):
        self.maker.join()
        while self.waiting:
            self.step()


class Streams:
    """One for each partition."""

    def __init__(self, pipeline, parts, rate=50):
        self.each = [Stream(pipeline, part, rate) for part in range(parts)]
        for stream in self.each:
            stream.start()

    def end(self):
        """Ids that were sent."""
        for stream in self.each:
            stream.ending.set()
        for stream in self.each:
            stream.end()
        return set().union(*(stream.sent for stream in self.each))


class Keeper(Worker):
    """Keeps payonce running, and kills it or asks it to stop every few seconds."""

    def __init__(self, pipeline, seed, pause=(2, 8)):
        super().__init__()
        self.pipeline, self.pause = pipeline, pause
        self.dice = random.Random(seed)
        self.kills = self.stops = 0
        self.held = threading.Lock()  # While it is held, it is left alone.

    def step(self):
        if self.ending.wait(self.dice.uniform(*self.pause)):
            return
        with self.held:
            if self.dice.random() < 0.6:
                self.pipeline.kill()
                self.kills += 1
            else:
                self.pipeline.stop()
                self.stops += 1
            self.pipeline.start({"checkpoint.max_messages": self.dice.choice([20, 500, 10000])})


@contextlib.contextmanager
def network(folder):
    """The proxy on the brokers' proxied addresses; call it with a command of proxy.py."""
    control = os.path.join(folder, "network")
    process = subprocess.Popen([sys.executable, PROXY, "--control", control, "--routes",
                                os.environ["KAFKA_PROXY_ROUTES"]], stdout=subprocess.PIPE,
                               text=True)
    try:
        demand(process.stdout.readline() == "proxy ready\n", "the proxy is ready")
        yield lambda *words: proxy.tell(control, *words)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
