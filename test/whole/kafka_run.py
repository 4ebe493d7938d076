#!/usr/bin/env python3
"""payonce on a real broker: killed, lied to, robbed. What is in the ledger is what was sent.

    PAYONCE=build/payonce test/kafka/brokers run DIR --proxied -- kafka_run.py

KAFKA_BOOTSTRAP and KAFKA_DIR come from `brokers run`. Every scenario has a topic, a data_dir and
a ledger of its own.
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import whole
from whole import PAYONCE, Different

sys.path.insert(0, os.path.join(os.path.dirname(whole.HERE), "kafka"))

import proxy  # noqa: E402
import wire  # noqa: E402

BROKERS = os.path.join(os.path.dirname(whole.HERE), "kafka", "brokers")
PROXY = os.path.join(os.path.dirname(BROKERS), "proxy.py")
BOOTSTRAP = os.environ.get("KAFKA_BOOTSTRAP", "")
PARTITIONS = 3
KILLS = 8
WAIT_S = 60
END_S = 20  # Asked to end, whatever is the matter.
HALTED = 65


def demand(right, what):
    if not right:
        raise Different(what)


class Topic:
    """A topic, what was sent to it, and a payonce that reads it."""

    def __init__(self, name, partitions=PARTITIONS):
        self.folder = tempfile.mkdtemp(prefix="payonce-kafka-")
        self.name = f"{name}-{os.getpid()}"
        self.group = f"payonce-{self.name}"
        self.ledger = os.path.join(self.folder, "payments.db")
        self.sent = []
        wire.create_topic(BOOTSTRAP, self.name, partitions)
        whole.write_configuration(self.folder, {
            "pipeline": self.name, "data_dir": "data",
            "source": {"type": "kafka",
                       "kafka": {"brokers": BOOTSTRAP.split(","), "topics": [self.name]}},
            "checkpoint": {"max_messages": 200},
            "sinks": [{"name": "local", "type": "sqlite", "path": "payments.db"}]})

    def send(self, count, seed, *more):
        """Start sending; the process. Its truth is told with the others'."""
        truth = os.path.join(self.folder, f"truth{len(self.sent)}.csv")
        self.sent.append(truth)
        return subprocess.Popen(
            [PAYONCE, "simulate", "--to", f"kafka://{BOOTSTRAP}/{self.name}", "--count", str(count),
             "--duplicates", "5%", "--copies", "1..3", "--conflicts", "0.5%", "--broken", "0.5%",
             "--clock", "virtual", "--seed", str(seed), "--truth", truth, *more],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def send_all(self, count, seed, *more):
        sender = self.send(count, seed, *more)
        said = sender.communicate(timeout=WAIT_S)[1]
        demand(sender.returncode == 0, f"simulate: {said}")

    def start(self, *more):
        with open(os.path.join(self.folder, "stderr"), "ab") as errors:
            return subprocess.Popen([PAYONCE, "run", "payonce.yaml", *more], cwd=self.folder,
                                    stdout=subprocess.DEVNULL, stderr=errors)

    def catch_up(self, *more):
        return whole.payonce(["run", "payonce.yaml", "--until-caught-up", *more], self.folder,
                             timeout=WAIT_S)

    def catch_up_well(self):
        done = self.catch_up()
        demand(done.returncode == 0, f"run: exit {done.returncode}: {done.stderr[-2000:]}")

    def halt(self, code, *said):
        done = self.catch_up()
        demand(done.returncode == HALTED, f"no halt: exit {done.returncode}: {done.stderr[-2000:]}")
        for text in (f"[{code}]", *said):
            demand(text in done.stderr, f"not said: {text}: {done.stderr[-2000:]}")

    def forget_deaths(self):
        """It was us who killed it, not what it read."""
        path = os.path.join(self.folder, "data", "deaths")
        if os.path.exists(path):
            os.remove(path)

    def reconcile(self):
        """Every payment once, to the cent, and each offset accounted for."""
        truth = os.path.join(self.folder, "truth.csv")
        with open(truth, "w", encoding="utf-8") as file:
            for index, path in enumerate(self.sent):
                with open(path, encoding="utf-8") as part:
                    head = part.readline()
                    file.write(head if index == 0 else "")
                    shutil.copyfileobj(part, file)
        done = whole.payonce(["reconcile", "payonce.yaml", "--expect", truth], self.folder)
        demand(done.returncode == 0, f"not reconciled: {done.stdout[-2000:]}{done.stderr[-500:]}")
        demand(self.cursors() == wire.offsets(BOOTSTRAP, self.name),
               f"cursors {self.cursors()}, ends {wire.offsets(BOOTSTRAP, self.name)}")

    def cursors(self):
        """Of each partition's newest incarnation."""
        return dict(whole.ask(self.ledger, "SELECT partition, next FROM payonce_cursor"
                                           " ORDER BY incarnation"))

    def start_halted(self):
        """A process that waits for a person."""
        process = self.start()
        wait_until(self.has_halted, "it halts")
        return process

    def has_halted(self):
        with open(os.path.join(self.folder, "stderr"), encoding="utf-8") as said:
            return "halted_waiting" in said.read()

    def decide(self, fate, *words):
        done = whole.payonce([*words, "--by", "eve", "--why", "tested", "--json", "-c",
                              "payonce.yaml"], self.folder)
        demand(f'"fate":"{fate}"' in done.stdout, f"{words}: {done.stdout}{done.stderr}")
        return done

    def decisions(self):
        return whole.ask(self.ledger, "SELECT kind, incarnation, partition, first, d.next, who, why"
                                      " FROM payonce_decision d JOIN payonce_cursor c"
                                      " USING (source) ORDER BY decision")

    def stop_read(self, process):
        """Let it read all there is, then stop it."""
        ends = wire.offsets(BOOTSTRAP, self.name)
        wait_until(lambda: self.cursors() == ends, "all is read")
        process.send_signal(signal.SIGTERM)
        demand(process.wait(timeout=WAIT_S) == 0, "a clean stop")

    def counts(self):
        return whole.ask(self.ledger, "SELECT verdict, sum(count) FROM payonce_total"
                                      " WHERE count > 0 GROUP BY verdict ORDER BY verdict")

    def remove(self):
        shutil.rmtree(self.folder)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def wait_until(question, what):
    until = time.monotonic() + WAIT_S
    while not question():
        demand(time.monotonic() < until, f"not within {WAIT_S} s: {what}")
        time.sleep(0.1)


def killed_again_and_again_while_payments_come(dice):
    topic = Topic("killed")
    sender = topic.send(60000, 1)
    for _ in range(KILLS):
        process = topic.start()
        time.sleep(dice.uniform(0.1, 0.8))
        kill(process)
        topic.forget_deaths()
    said = sender.communicate(timeout=WAIT_S)[1]
    demand(sender.returncode == 0, f"simulate: {said}")
    topic.catch_up_well()
    topic.reconcile()
    return topic


def asked_to_stop_it_tells_the_group_where_it_is(topic):
    """And what the group says is nobody's concern: set back by ten, nothing happens."""
    process = topic.start()
    topic.send_all(500, 2, "--start", "2026-01-01T00:02:00Z")
    ends = wire.offsets(BOOTSTRAP, topic.name)
    wait_until(lambda: topic.cursors() == ends, "all is read")
    process.send_signal(signal.SIGTERM)
    demand(process.wait(timeout=WAIT_S) == 0, "a clean stop")
    told = wire.group_offsets(BOOTSTRAP, topic.group, topic.name, range(PARTITIONS))
    demand({part: place for part, (place, _) in told.items()} == ends, f"{told} is not {ends}")
    before = topic.counts()
    wire.commit_group(BOOTSTRAP, topic.group, topic.name,
                      {part: place - 10 for part, place in ends.items()})
    topic.catch_up_well()
    demand(topic.counts() == before, f"{topic.counts()} is not {before}")
    topic.reconcile()


def a_partition_of_later_is_read_from_its_first(topic):
    wire.create_partitions(BOOTSTRAP, topic.name, PARTITIONS + 1)
    topic.send_all(2000, 3, "--start", "2026-01-01T00:03:00Z")
    topic.catch_up_well()
    demand(topic.cursors()[PARTITIONS] > 0, "something came through it")
    topic.reconcile()


def what_retention_took_halts_and_says_how_many(topic):
    before = topic.cursors()
    topic.send_all(2000, 4, "--start", "2026-01-01T00:04:00Z")
    wire.delete_records(BOOTSTRAP, topic.name, {1: before[1] + 7})
    counts = topic.counts()
    topic.halt("K021", "7 offsets are gone", f"payonce accept-gap {topic.name}/1 {before[1]} ")
    demand(topic.cursors()[1] == before[1] and topic.counts()[0][1] >= counts[0][1],
           "nothing of it was passed over")
    return before[1]


def what_is_lost_is_accepted_as_a_gap_and_nothing_else_is(topic, first):
    """What retention took: eve decides, while the process waits."""
    place = f"{topic.name}/1"
    process = topic.start_halted()
    refused = topic.decide("refused", "accept-gap", place, str(first), str(first + 7))
    demand(refused.returncode == 1 and "does not answer the halt" in refused.stderr, refused.stderr)
    topic.decide("refused", "accept-gap", f"{topic.name}/0", "0", "6")
    demand(dict(topic.counts()).get("gap") is None, f"{topic.counts()}")
    topic.decide("taken", "accept-gap", place, str(first), str(first + 6))
    topic.stop_read(process)
    demand(dict(topic.counts())["gap"] == 7, f"{topic.counts()}")
    demand(topic.decisions() == [("gap", 0, 1, first, first + 7, "eve", "tested")],
           f"{topic.decisions()}")
    done = whole.payonce(["reconcile", "payonce.yaml"], topic.folder)
    demand(done.returncode == 0, f"not reconciled: {done.stdout[-2000:]}{done.stderr[-500:]}")
    demand("7 offsets are acknowledged as lost" in done.stdout, done.stdout[-2000:])


def another_topic_of_the_same_name_halts_and_is_adopted(name, longer, live):
    topic = Topic(name, 2)
    topic.send_all(1000, 5)
    topic.catch_up_well()
    before = topic.counts()
    cluster, id_of_old = whole.ask(topic.ledger, "SELECT cluster_id, topic_id FROM payonce_cursor")[0]
    demand(cluster, "the cluster's id is known with every librdkafka")
    process = topic.start() if live else None
    wire.delete_topic(BOOTSTRAP, topic.name)
    wire.create_topic(BOOTSTRAP, topic.name, 2)
    topic.send_all(3000 if longer else 100, 6, "--start", "2026-01-01T00:01:00Z")
    if live:
        wait_until(topic.has_halted, "it halts")
    else:
        topic.halt("F002" if longer or id_of_old else "F003",
                   f"{id_of_old or topic.name}", f"payonce adopt-topic {topic.name} --by WHO")
        process = topic.start_halted()
    demand(topic.counts() == before, f"{topic.counts()} is not {before}")
    topic.decide("taken", "adopt-topic", topic.name)
    topic.stop_read(process)
    demand(topic.decisions() == [("adoption", 1, 0, None, None, "eve", "tested")],
           f"{topic.decisions()}")
    demand(whole.ask(topic.ledger, "SELECT incarnation, partition, standing = 'ended'"
                                   " FROM payonce_cursor ORDER BY 1, 2")
           == [(0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 0)], "the old one ended")
    topic.catch_up_well()
    topic.reconcile()
    topic.remove()


def brokers(verb):
    subprocess.run([BROKERS, verb, os.environ["KAFKA_DIR"], "1"], check=True)


def a_broker_that_dies_and_comes_back_costs_nothing():
    topic = Topic("outage")
    topic.send_all(5000, 8)
    process = topic.start()
    wait_until(lambda: os.path.exists(topic.ledger) and topic.cursors(), "it began")
    brokers("kill")
    time.sleep(2)
    brokers("restart")
    topic.send_all(5000, 9, "--start", "2026-01-01T00:01:00Z")
    ends = wire.offsets(BOOTSTRAP, topic.name)
    wait_until(lambda: topic.cursors() == ends, "all is read")
    process.send_signal(signal.SIGTERM)
    demand(process.wait(timeout=WAIT_S) == 0, "a clean stop")
    topic.reconcile()
    topic.remove()


def tool(name, *arguments):
    subprocess.run([BROKERS, "tool", os.environ["KAFKA_DIR"], name, *arguments], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=WAIT_S)


def transactions_leave_markers_that_are_counted_as_skipped():
    """Payments drawn at random from a file, so most come again; a commit every few of them."""
    topic = Topic("transactions")
    payments = os.path.join(topic.folder, "payments.jsonl")
    whole.payonce(["simulate", "--to", f"file:{payments}", "--count", "2000"], topic.folder)
    tool("org.apache.kafka.tools.ProducerPerformance", "--topic", topic.name, "--num-records", "5000",
         "--throughput", "-1", "--payload-file", payments, "--transactional-id", topic.name,
         "--transaction-duration-ms", "5", "--producer-props", f"bootstrap.servers={BOOTSTRAP}")
    topic.catch_up_well()
    counts = dict(topic.counts())
    demand(counts["accepted"] + counts["duplicate"] == 5000, f"{counts}")
    demand(counts["skipped"] > 0, f"{counts}")
    done = whole.payonce(["reconcile", "payonce.yaml"], topic.folder)
    demand(done.returncode == 0, f"not reconciled: {done.stdout[-2000:]}")
    demand(topic.cursors() == wire.offsets(BOOTSTRAP, topic.name), "the last markers are passed, too")
    topic.remove()


def held_by_its_network_it_still_ends_when_asked():
    """A cable pulled out: nothing is answered, nothing is refused."""
    topic = Topic("held")
    tree = whole.read_configuration(topic.folder)
    tree["source"]["kafka"]["brokers"] = os.environ["KAFKA_PROXIED"].split(",")
    whole.write_configuration(topic.folder, tree)
    control = os.path.join(topic.folder, "proxy")
    with subprocess.Popen([PROXY, "--routes", os.environ["KAFKA_PROXY_ROUTES"], "--control", control],
                          stdout=subprocess.DEVNULL) as network:
        wait_until(lambda: os.path.exists(control), "the proxy is ready")
        sender = topic.send(3000, 10, "--clock", "real", "--rate", "500/s", "--duplicate-after", "0s..1s")
        process = topic.start()
        wait_until(lambda: os.path.exists(topic.ledger) and topic.cursors(), "it began")
        proxy.tell(control, "hold")
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        demand(process.wait(timeout=END_S) == 0, "a clean stop")
        proxy.tell(control, "flow")
        demand(sender.wait(timeout=WAIT_S) == 0, "all is sent")
        topic.catch_up_well()
        topic.reconcile()
        network.terminate()
    topic.remove()


def check_says_what_it_would_read(topic):
    done = whole.payonce(["check", "payonce.yaml"], topic.folder)
    demand(done.returncode == 0, f"check: exit {done.returncode}: {done.stdout}")
    for text in (f"topic {topic.name}, {PARTITIONS} partitions, retention 7 d",
                 "of 100 messages understood", "every key is the payment's transaction_id"):
        demand(text in done.stdout, f"not said: {text}: {done.stdout}")
    done = whole.payonce(["check", "payonce.yaml", "--set", "source.kafka.topics=[no-such]"],
                         topic.folder)
    demand(done.returncode == HALTED and "[F001]" in done.stdout, f"check: {done.stdout}")


def main():
    whole.need_program()
    if not BOOTSTRAP:
        sys.exit("usage: test/kafka/brokers run DIR --proxied -- kafka_run.py")
    seed = random.randrange(10 ** 9)
    print(f"seed {seed}")
    try:
        topic = killed_again_and_again_while_payments_come(random.Random(seed))
        check_says_what_it_would_read(topic)
        asked_to_stop_it_tells_the_group_where_it_is(topic)
        a_partition_of_later_is_read_from_its_first(topic)
        first = what_retention_took_halts_and_says_how_many(topic)
        what_is_lost_is_accepted_as_a_gap_and_nothing_else_is(topic, first)
        topic.remove()
        transactions_leave_markers_that_are_counted_as_skipped()
        another_topic_of_the_same_name_halts_and_is_adopted("longer", longer=True, live=False)
        another_topic_of_the_same_name_halts_and_is_adopted("shorter", longer=False, live=False)
        another_topic_of_the_same_name_halts_and_is_adopted("remade", longer=True, live=True)
        held_by_its_network_it_still_ends_when_asked()
        a_broker_that_dies_and_comes_back_costs_nothing()
    except Different as error:
        sys.exit(f"FAILED: {error}")
    print("12 passed, 0 failed")


if __name__ == "__main__":
    main()
