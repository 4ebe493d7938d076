#!/usr/bin/env python3
"""Three brokers, killed one after the other while somebody writes: each payment stands once."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from case import KafkaCase  # noqa: E402
from records import read_topic  # noqa: E402
import wire  # noqa: E402


class FailoverTest(KafkaCase):

    def test_each_payment_stands_once_whoever_dies(self):
        topic = self.topic(3)
        process = self.start("simulate", "--to", self.place(topic), "--rate", "500/s",
                             "--duration", "5m", "--truth", "truth.csv")
        for number in (1, 2, 3):
            before = sum(wire.offsets(self.bootstrap, topic).values())
            self.until(lambda: sum(wire.offsets(self.bootstrap, topic).values()) > before + 100)
            self.brokers("kill", number)
            self.brokers("restart", number)
        process.terminate()
        self.assertIn("stopped; sent", self.finish(process))
        records = read_topic(self.bootstrap, topic)
        self.assertGreater(len(records), 300)
        self.assertEqual(sorted(record.key.decode() for record in records),
                         sorted(row["transaction_id"] for row in self.truth()))
        stands = {(record.key.decode(), str(record.partition), str(record.offset))
                  for record in records}
        for row in self.truth():  # A broker that had it already cannot always say where.
            if row["offset"]:
                self.assertIn((row["transaction_id"], row["partition"], row["offset"]), stands)

    def test_a_broker_that_stands_still_is_missed_and_comes_back(self):
        topic = self.topic(3)
        self.brokers("pause", 2)
        try:
            self.payonce("simulate", "--to", self.place(topic), "--count", 1000, "--clock",
                         "virtual")
        finally:
            self.brokers("resume", 2)
        self.assertEqual(len(read_topic(self.bootstrap, topic)), 1000)


if __name__ == "__main__":
    unittest.main()
