#!/usr/bin/env python3
"""What stands between payonce and a topic it has read: the right to, and whose topic it is."""
import json
import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from case import BROKERS, PAYONCE, KafkaCase  # noqa: E402
import wire  # noqa: E402

OTHER_ID = "payonce-other-kafka-AA"
HALTED, NOT_ALLOWED = 65, 77


class SourceTest(KafkaCase):

    def configure(self, topic, bootstrap, name="payonce", **more):
        with open(os.path.join(self.folder, name + ".yaml"), "w", encoding="utf-8") as file:
            json.dump({"data_dir": name, "source": {"type": "kafka", "kafka": {
                "brokers": bootstrap.split(","), "topics": [topic], **more}},
                "sinks": [{"name": "local", "type": "sqlite", "path": name + ".db"}]}, file)

    def send(self, topic, count, seed, bootstrap=None):
        self.payonce("simulate", "--to", self.place(topic, bootstrap), "--count", count, "--seed",
                     seed, "--clock", "virtual", "--truth", f"truth{seed}.csv")

    def reconcile(self, *seeds):
        """All that these have sent."""
        with open(os.path.join(self.folder, "truth.csv"), "w", encoding="utf-8") as truth:
            for number, seed in enumerate(seeds):
                with open(os.path.join(self.folder, f"truth{seed}.csv"), encoding="utf-8") as part:
                    truth.writelines(part.readlines()[min(number, 1):])
        self.payonce("reconcile", "-c", "payonce.yaml", "--expect", "truth.csv")

    def another_cluster(self):
        folder = os.path.join(self.folder, "other")
        said = subprocess.run([BROKERS, "start", folder, "--cluster-id", OTHER_ID, "--version",
                               os.environ["KAFKA_VERSION"], "--while", str(os.getpid())],
                              check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout
        self.addCleanup(subprocess.run, [BROKERS, "stop", folder], check=True, timeout=60)
        return dict(line.split("=", 1) for line in said.splitlines())["KAFKA_BOOTSTRAP"]

    def test_a_topic_of_the_same_name_in_another_cluster_is_not_read(self):
        topic = self.topic(1)
        self.configure(topic, self.bootstrap)
        self.send(topic, 300, 1)
        self.payonce("run", "payonce.yaml", "--until-caught-up")
        other = self.another_cluster()
        wire.create_topic(other, topic, 1)
        self.send(topic, 500, 2, other)
        self.configure(topic, other)
        said = self.payonce("run", "payonce.yaml", "--until-caught-up", code=HALTED)
        self.assertIn("error[F002]", said)
        self.assertIn(f"the cluster is {OTHER_ID} now, and was", said)
        self.assertIn(f"payonce adopt-topic {topic} --by", said)
        self.configure(topic, self.bootstrap)
        self.payonce("run", "payonce.yaml", "--until-caught-up")
        self.reconcile(1)

    def begin_as_payonce(self, topic):
        """It may read the topic, for now."""
        for right in (("read", "topic", topic), ("describe", "topic", topic),
                      ("read", "group", "payonce-payments")):
            wire.allow(self.bootstrap, "payonce", *right)
        path = os.path.join(self.folder, "password")
        with open(path, "w", encoding="ascii", opener=lambda name, flags: os.open(
                name, flags, 0o600)) as file:
            file.write("payonce-secret\n")
        for name in ("payonce", "later"):
            self.configure(topic, os.environ["KAFKA_SASL"], name, sasl={
                "mechanism": "plain", "username": "payonce", "password_file": path})

    def run_beside(self):
        """The running one, and what it has said so far."""
        said = os.path.join(self.folder, "said")
        with open(said, "wb") as file:
            process = subprocess.Popen([PAYONCE, "run", "payonce.yaml"], cwd=self.folder,
                                       stdout=file, stderr=file)
        self.addCleanup(process.kill)

        def read():
            with open(said, encoding="utf-8") as file:
                return file.read()
        return process, read

    def test_a_right_that_is_taken_away_is_waited_for(self):
        topic = self.topic(1)
        self.send(topic, 300, 1)
        self.begin_as_payonce(topic)
        self.payonce("run", "payonce.yaml", "--until-caught-up")
        process, said = self.run_beside()
        self.until(lambda: '"event":"started"' in said())
        wire.disallow(self.bootstrap, "payonce", "read", "topic", topic)
        self.until(lambda: '"event":"source_not_allowed"' in said())
        self.send(topic, 300, 2)
        said_at_start = self.payonce("run", "later.yaml", "--until-caught-up", code=NOT_ALLOWED)
        self.assertIn("error[F005]", said_at_start)
        wire.allow(self.bootstrap, "payonce", "read", "topic", topic)
        self.until(lambda: '"event":"source_recovered"' in said(), seconds=60)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=30), 0, said())
        self.assertEqual(said().count('"event":"source_not_allowed"'), 1, said())
        self.reconcile(1, 2)


if __name__ == "__main__":
    unittest.main()
