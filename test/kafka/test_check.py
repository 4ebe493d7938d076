#!/usr/bin/env python3
"""payonce check --production, on three brokers: what it says of topics set up well, and not."""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from case import PAYONCE, KafkaCase  # noqa: E402
import wire  # noqa: E402

SHIFTED_CLOCK = os.environ.get("SHIFTED_CLOCK", "")
ELECTION = "unclean.leader.election.enable"


class CheckTest(KafkaCase):

    def configure(self, topic, more=""):
        with open(os.path.join(self.folder, "payonce.yaml"), "w", encoding="utf-8") as file:
            places = ", ".join(f'"{place}"' for place in self.bootstrap.split(","))
            file.write(f"data_dir: ./data\nsource: {{type: kafka, kafka: {{brokers: [{places}], "
                       f"topics: [{topic}]{more}}}}}\n"
                       "sinks: [{name: books, type: sqlite, path: ./books.db}]\n")

    def check(self, *words, code=0):
        return self.payonce("check", "--production", *words, "payonce.yaml", code=code)

    def answer(self, **environment):
        """Whatever it comes to."""
        return subprocess.run(
            [PAYONCE, "check", "--production", "payonce.yaml"], cwd=self.folder, text=True,
            check=False, capture_output=True, timeout=60, env=dict(os.environ, **environment))

    def lines(self, said, begin):
        return [line for line in said.splitlines() if line.startswith(begin)]

    def test_a_topic_that_outlives_a_broker_is_ok(self):
        topic = self.topic(3, min__insync__replicas=2, retention__ms=7 * 86400000,
                           message__timestamp__type="LogAppendTime")
        self.payonce("simulate", "--to", self.place(topic), "--count", 300)
        self.configure(topic)
        said = self.check()
        for finding in ("each partition has 3 replicas", "min.insync.replicas is 2",
                        ELECTION + " is false", "cleanup.policy is delete",
                        "retention 7 d (needs 1 d 2 h",
                        "message.timestamp.type is LogAppendTime: the brokers' clocks",
                        "max.message.bytes is 1.0 MiB", "3 brokers: " + ELECTION + " is false",
                        "every key is the payment's transaction_id",
                        "every key stands in the partition that murmur2 gives it",
                        "no broker has stamped a message that does not fit"):
            self.assertTrue([line for line in self.lines(said, "ok ") if finding in line], finding)
        self.assertIn("0 errors", said)
        self.assertIn("journal and the only ledger share a volume",
                      "".join(self.lines(said, "warn")))
        self.check("--strict", code=1)  # For the volume that they share.

    def test_each_way_to_lose_a_payment_is_an_error_that_says_what_next(self):
        topic = f"careless-{os.getpid()}"
        wire.create_topic(self.bootstrap, topic, 2, replication=1, settings={
            "min.insync.replicas": "1", ELECTION: "true", "retention.ms": "3600000",
            "retention.bytes": "1048576"})
        self.payonce("simulate", "--to", self.place(topic), "--count", 100)
        self.configure(topic)
        said = self.check(code=1)
        errors = self.lines(said, "error")
        self.assertEqual(len(errors), 4, said)
        for finding in ("retention 1 h (needs 1 d 2 h", "each partition has 1 replica; 3 are",
                        "min.insync.replicas is 1: an acknowledged payment can be lost",
                        ELECTION + " is true: a replica that lacks payments may come to lead"):
            self.assertTrue([line for line in errors if finding in line], finding)
        self.assertIn("retention.bytes is 1.0 MiB", "".join(self.lines(said, "warn")))
        self.assertIn("message.timestamp.type is CreateTime", said)
        following = [said.splitlines()[said.splitlines().index(line) + 1] for line in errors]
        for line in following:
            self.assertRegex(line, r"^ +next: ")
        self.assertIn(f"--entity-name {topic} --add-config min.insync.replicas=2", said)
        ordinary = self.payonce("check", "payonce.yaml")  # Nobody asked: a warning is enough.
        self.assertEqual(self.lines(ordinary, "error"), [])
        self.assertIn("retention 1 h", "".join(self.lines(ordinary, "warn")))

    def test_what_the_brokers_do_by_default_and_how_many_are_in_step(self):
        topic = self.topic(2, min__insync__replicas=3)
        self.configure(topic)
        self.assertIn("as many as there are replicas: one broker away, and nobody can write",
                      "".join(self.lines(self.check(), "warn")))
        wire.set_of_brokers(self.bootstrap, ELECTION, "true")
        try:  # One after the other hears of it.
            self.until(lambda: f"3 of 3 brokers: {ELECTION} is true by default" in "".join(
                self.lines(self.answer().stdout, "error")))
            self.assertEqual(self.answer().returncode, 1)
        finally:
            wire.set_of_brokers(self.bootstrap, ELECTION, None)
            self.until(lambda: self.answer().returncode == 0)

    def test_keys_that_another_partitioner_placed(self):
        topic = self.topic(2)
        self.payonce("simulate", "--to", self.place(topic), "--count", 200)
        wire.create_partitions(self.bootstrap, topic, 5)
        self.configure(topic)
        said = "".join(self.lines(self.check(), "warn"))
        self.assertRegex(said, r"[1-9]\d* of \d+ keys are not in the partition that murmur2")

    def warned_of_clock(self, shift_seconds):
        said = self.answer(LD_PRELOAD=SHIFTED_CLOCK, SHIFT_MS=str(shift_seconds * 1000)).stdout
        return "".join(line for line in self.lines(said, "warn") if "clock" in line)

    def test_a_clock_that_is_not_the_brokers(self):
        topic = self.topic(1, message__timestamp__type="LogAppendTime")
        self.configure(topic)
        process = self.start("simulate", "--to", self.place(topic), "--rate", "1000/s",
                             "--duration", "200s")
        self.until(lambda: wire.offsets(self.bootstrap, topic)[0] > 200)
        self.assertEqual(self.warned_of_clock(-30), "")
        self.assertEqual(self.warned_of_clock(30), "")
        self.assertIn("it is 3 min behind the brokers' clocks", self.warned_of_clock(-200))
        # Only what was written while it looked can tell.
        self.until(lambda: "it is 3 min ahead of the brokers' clocks" in self.warned_of_clock(200))
        process.kill()
        process.wait()

    def test_who_may_not_see_how_topics_are_set_is_told(self):
        topic = self.topic(1)
        for operation in ("read", "describe"):
            wire.allow(self.bootstrap, "payonce", operation, "topic", topic)
        wire.allow(self.bootstrap, "payonce", "read", "group", "payonce-payments")
        self.bootstrap = os.environ["KAFKA_SASL"]
        password = os.path.join(self.folder, "password")
        with open(password, "w", encoding="ascii", opener=lambda name, flags: os.open(
                name, flags, 0o600)) as file:
            file.write("payonce-secret\n")
        self.configure(topic, ", sasl: {mechanism: plain, username: payonce, "
                              f"password_file: {password}}}")
        said = self.check()
        warned = "".join(self.lines(said, "warn"))
        self.assertIn("how it is set is not for us to see", warned)
        self.assertIn("next: allow payonce to DESCRIBE_CONFIGS of the topic", said)
        self.assertIn("each partition has 3 replicas", said)


if __name__ == "__main__":
    unittest.main()
