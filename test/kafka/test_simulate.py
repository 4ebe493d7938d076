#!/usr/bin/env python3
"""payonce simulate --to kafka://: on a real broker, read back by a reader that is not ours."""
import ctypes
import json
import os
import re
import sys
import unittest
from collections import Counter

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from case import KafkaCase  # noqa: E402
from records import read_topic  # noqa: E402
import wire  # noqa: E402

PRODUCE = 0
GROUP = "payonce-payments"
CONFIGURATION = """data_dir: ./{0}
source:
  type: kafka
  kafka: {{brokers: [{1}], topics: [{2}]}}
sinks:
  - {{name: local, type: sqlite, path: ./{0}.db}}
"""
SCRAM_SINCE = (2, 6, 1)  # librdkafka before it repeats its nonce, and Kafka 4 minds.


def library_version():
    said = ctypes.CDLL("librdkafka.so.1").rd_kafka_version_str
    said.restype = ctypes.c_char_p
    return tuple(int(number) for number in re.findall(rb"\d+", said())[:3])


def amount(record):
    """As it stands there, to the last digit."""
    return re.search(rb'"amount":([0-9.]+)', record.value).group(1).decode()


class SimulateTest(KafkaCase):

    def test_the_truth_says_where_each_payment_stands(self):
        topic = self.topic(3)
        self.payonce("simulate", "--to", self.place(topic), "--clock", "virtual", "--count", 3000,
                     "--duplicates", "5%", "--conflicts", "1%", "--truth", "truth.csv")
        records = {(record.partition, record.offset): record for record in read_topic(
            self.bootstrap, topic)}
        truth = self.truth()
        self.assertEqual(len(truth), 3000)
        self.assertEqual(len({row["transaction_id"] for row in truth}), 3000)
        for row in truth:
            record = records.pop((int(row["partition"]), int(row["offset"])))
            self.assertEqual(record.key.decode(), row["transaction_id"])
            self.assertEqual(json.loads(record.value)["transaction_id"], row["transaction_id"])
            self.assertEqual(amount(record), row["amount"])
        known = {row["transaction_id"]: int(row["partition"]) for row in truth}
        self.assertGreater(len(records), 100)  # The rest: sent again, with what they are copies of.
        for record in records.values():
            self.assertEqual(known[record.key.decode()], record.partition)

    def test_a_rate_holds(self):
        topic = self.topic(2)
        self.payonce("simulate", "--to", self.place(topic), "--rate", "1000/s", "--duration", "2s")
        records = read_topic(self.bootstrap, topic)
        times = [record.time_ms for record in records]
        self.assertEqual(len(records), 2000)
        self.assertGreaterEqual(max(times) - min(times), 1900)
        for record in records:  # Its event time is when it was sent.
            self.assertLess(abs(json.loads(record.value)["timestamp"] - record.time_ms), 5000)

    def test_a_careless_producer_really_leaves_doubles(self):
        topic = self.topic(2)
        self.payonce("simulate", "--to", self.place(topic), "--rate", "2000/s", "--duration", "2s",
                     "--scenario", "producer-retry", "--truth", "truth.csv")
        records = read_topic(self.bootstrap, topic)
        copies = Counter(record.key for record in records)
        self.assertEqual(len(copies), 4000)
        self.assertGreater(len(records), 4000)
        self.assertEqual(len({(record.key, record.value) for record in records}), 4000)
        for part in (0, 1):  # What is sent again does not come behind what was sent later.
            firsts = list(dict.fromkeys(json.loads(record.value)["timestamp"]
                                        for record in records if record.partition == part))
            self.assertEqual(firsts, sorted(firsts))
        self.assertEqual({row["transaction_id"].encode() for row in self.truth()}, set(copies))
        self.assertEqual(len(self.truth()), 4000)

    def runs(self, records, part):
        """How many came for the first time, and again, in turns: [new, again, new ...]."""
        seen, turns = set(), [0]
        for record in records:
            if record.partition == part:
                again = record.key in seen
                seen.add(record.key)
                if again != (len(turns) % 2 == 0):
                    turns.append(0)
                turns[-1] += 1
        return turns

    def configure(self, topic, name="state"):
        with open(os.path.join(self.folder, "payonce.yaml"), "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(name, self.bootstrap, topic))

    def reconcile(self):
        """Each payment once, and what was sent."""
        self.payonce("run", "payonce.yaml", "--until-caught-up")
        return self.payonce("reconcile", "-c", "payonce.yaml", "--expect", "truth.csv")

    def test_a_producer_that_lost_its_brokers_leaves_whole_windows_twice(self):
        topic = self.topic(2)
        said = self.payonce("simulate", "--to", self.place(topic), "--rate", "2000/s",
                            "--duration", "3s", "--scenario", "broker-failover", "--truth",
                            "truth.csv", "--json")
        sent_again = json.loads(said.splitlines()[-1])["sent_again"]
        records = read_topic(self.bootstrap, topic)
        self.assertEqual({row["transaction_id"].encode() for row in self.truth()},
                         {record.key for record in records})
        self.assertEqual(len(self.truth()), 6000)
        self.assertGreater(sent_again, 300)
        self.assertEqual(len({(record.key, record.value) for record in records}), 6000)
        for part in (0, 1):
            turns = self.runs(records, part)
            self.assertEqual(len(turns), 7, turns)  # Three times all that had come for a while.
            self.assertGreater(min(turns[1::2]), 10, turns)
        self.assertLessEqual(len(records), 6000 + sent_again)  # What got lost is not there twice.
        self.assertGreater(len(records), 6000 + sent_again // 2)
        self.configure(topic)
        said = self.reconcile()
        self.assertIn("6,000 sent = 6,000 in the table + 0 set aside", said)

    def test_few_payments_are_enough_to_lose_the_brokers(self):
        topic = self.topic(1)
        self.payonce("simulate", "--to", self.place(topic), "--clock", "virtual", "--count", 40,
                     "--scenario", "broker-failover", "--truth", "truth.csv")
        records = read_topic(self.bootstrap, topic)
        self.assertEqual(len(self.truth()), 40)
        self.assertEqual(len({record.key for record in records}), 40)
        self.assertGreater(len(records), 45)

    def test_who_resumes_where_the_group_stands_takes_nothing_from_payonce(self):
        topic = self.topic(2)
        self.configure(topic)
        reading = self.start("run", "payonce.yaml")
        sending = self.start("simulate", "--to", self.place(topic), "--rate", "500/s",
                             "--duration", "9s", "--scenario", "consumer-crash", "--truth",
                             "truth.csv", "--json")
        stood, back = {0: -1, 1: -1}, 0
        while sending.poll() is None:
            now = {part: place for part, (place, _) in wire.group_offsets(
                self.bootstrap, GROUP, topic, range(2)).items()}
            back += sum(now[part] < stood[part] for part in stood)
            stood = now
        set_back = json.loads(self.finish(sending).splitlines()[-1])["set_back"]
        self.assertGreaterEqual(set_back, 4)  # Two partitions, and payonce commits every 3 s.
        self.assertGreaterEqual(back, 2)  # An independent eye saw them go.
        reading.kill()  # Its next start finds the group where it was put.
        reading.wait()
        said = self.reconcile()
        self.assertIn("4,500 sent = 4,500 in the table + 0 set aside", said)

    def test_what_fraud_and_storms_leave_is_reconciled(self):
        for scenario, count in (("retry-storm", 800), ("replay-attack", 800),
                                ("card-testing", 800), ("black-friday", 2000)):
            with self.subTest(scenario=scenario):
                topic = self.topic(2)
                self.payonce("simulate", "--to", self.place(topic), "--scenario", scenario,
                             "--count", count, "--clock", "virtual", "--truth", "truth.csv",
                             "--force")
                self.assertEqual(len(self.truth()), count)
                held = sum(wire.offsets(self.bootstrap, topic).values())
                self.assertEqual(held > count, scenario != "card-testing")  # It sends none again.
                self.configure(topic, scenario)
                self.assertIn(f"{count:,} sent = ", self.reconcile())

    def test_a_group_that_has_committed_nothing_is_let_alone(self):
        topic = self.topic(1)
        said = self.payonce("simulate", "--to", self.place(topic), "--count", 10, "--scenario",
                            "consumer-crash", "--group", "nobody")
        self.assertIn("group nobody has committed nothing here", said)
        self.assertEqual(wire.group_offsets(self.bootstrap, "nobody", topic, [0])[0][0], -1)

    def test_a_network_that_loses_answers_doubles_nothing_of_a_careful_one(self):
        topic = self.topic(2)
        with self.network() as network:
            network("lose", PRODUCE, 5)
            self.payonce("simulate", "--to", self.place(topic, os.environ["KAFKA_PROXIED"]),
                         "--rate", "1000/s", "--duration", "2s", "--truth", "truth.csv")
            self.assertRegex(network("status"), r"lost=[1-9]")
        records = read_topic(self.bootstrap, topic)
        self.assertEqual(len(records), 2000)
        self.assertEqual(len({record.key for record in records}), 2000)
        self.assertEqual(len(self.truth()), 2000)

    def test_an_outage_is_waited_for(self):
        topic = self.topic(1)
        with self.network() as network:
            process = self.start("simulate", "--to", self.place(
                topic, os.environ["KAFKA_PROXIED"]), "--rate", "500/s", "--duration", "2s")
            self.until(lambda: wire.offsets(self.bootstrap, topic)[0] > 100)
            network("refuse")
            self.assertIsNone(process.poll())
            network("accept")
            self.finish(process)
        records = read_topic(self.bootstrap, topic)
        self.assertEqual(len({record.key for record in records}), 1000)
        self.assertEqual(len(records), 1000)

    def test_a_topic_that_is_not_there(self):
        said = self.payonce("simulate", "--to", self.place("no-such-topic"), code=78)
        self.assertIn("error[K004]", said)
        self.assertIn("next: create the topic", said)

    def write_as(self, topic, mechanism, password="payonce-secret", code=0):
        path = os.path.join(self.folder, "password")
        with open(path, "w", encoding="ascii", opener=lambda name, flags: os.open(
                name, flags, 0o600)) as file:
            file.write(password + "\n")
        return self.payonce(
            "simulate", "--to", self.place(topic, os.environ["KAFKA_SASL_TLS"]), "--count", 10,
            "--property", "security.protocol=sasl_ssl", "--property",
            "ssl.ca.location=" + os.environ["KAFKA_CA"], "--property",
            "sasl.mechanism=" + mechanism, "--property", "sasl.username=payonce",
            "--password-file", path, code=code)

    def test_who_may_write_and_who_may_not(self):
        topic = self.topic(1)
        said = self.write_as(topic, "PLAIN", code=77)  # Known, but not allowed to.
        self.assertIn("error[K005]", said)
        wire.allow(self.bootstrap, "payonce", "write", "topic", topic)
        self.write_as(topic, "PLAIN")
        said = self.write_as(topic, "PLAIN", password="guess", code=77)
        self.assertIn("error[K005]", said)
        self.assertNotIn("guess", said)
        self.assertEqual(wire.offsets(self.bootstrap, topic), {0: 10})

    def test_scram(self):
        topic = self.topic(1)
        wire.allow(self.bootstrap, "payonce", "write", "topic", topic)
        heard = library_version() >= SCRAM_SINCE or os.environ["KAFKA_VERSION"] < "4"
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            said = self.write_as(topic, mechanism, code=0 if heard else 77)
            self.assertEqual("before 2.6.1" in said, library_version() < SCRAM_SINCE)
        self.assertEqual(wire.offsets(self.bootstrap, topic), {0: 20 if heard else 0})

    def test_a_broker_whose_certificate_we_do_not_know(self):
        stranger = os.path.join(os.environ["KAFKA_DIR"], "tls", "stranger-ca.pem")
        said = self.payonce(
            "simulate", "--to", self.place("any", os.environ["KAFKA_TLS"]), "--property",
            "security.protocol=ssl", "--property", "ssl.ca.location=" + stranger, code=69)
        self.assertIn("certificate verify failed", said)


if __name__ == "__main__":
    unittest.main()
