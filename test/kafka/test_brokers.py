#!/usr/bin/env python3
"""The script itself: brokers that come again as they were, and that end when nobody wants them."""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import cluster  # noqa: E402
import wire  # noqa: E402

BROKERS = os.path.join(HERE, "brokers")


def brokers(*words, code=0):
    done = subprocess.run([BROKERS, *map(str, words)], check=False, text=True, timeout=150,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode == 77:
        print(done.stdout, end="")
        raise unittest.SkipTest(done.stdout.strip())
    assert done.returncode == code, done.stdout
    return done.stdout


class BrokersTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="payonce-kafka-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.place = os.path.join(folder.name, "cluster")

    def stop(self):
        here = cluster.open_cluster(self.place)
        if here is not None:
            here.stop(hard=True)

    def bootstrap(self, said):
        return dict(line.split("=", 1) for line in said.splitlines())["KAFKA_BOOTSTRAP"]

    def test_what_they_held_is_there_again(self):
        self.addCleanup(self.stop)
        first = self.bootstrap(brokers("start", self.place))
        brokers("topic", self.place, "kept", 2, "retention.ms=1000000")
        self.assertEqual(self.bootstrap(brokers("start", self.place)), first)
        self.assertIn("other brokers run", brokers("start", self.place, "--proxied", code=1))
        brokers("stop", self.place)
        self.assertIn("not running", brokers("status", self.place))
        again = self.bootstrap(brokers("start", self.place))
        self.assertEqual(again, first)
        self.assertEqual(wire.offsets(again, "kept"), {0: 0, 1: 0})
        self.assertIn("TOPIC_ALREADY_EXISTS", brokers("topic", self.place, "kept", code=1))

    def start_for_somebody(self):
        self.addCleanup(self.stop)
        sleeper = subprocess.Popen(["sleep", "600"])
        self.addCleanup(sleeper.kill)
        brokers("start", self.place, "--while", sleeper.pid)
        here = cluster.open_cluster(self.place)
        self.assertTrue(here.all_alive())
        return sleeper, here

    def expect_end(self, sleeper, here):
        sleeper.send_signal(signal.SIGKILL)
        sleeper.wait()
        until = time.monotonic() + 60
        while here.any_alive() and time.monotonic() < until:
            time.sleep(0.1)
        self.assertFalse(here.any_alive())

    def test_they_end_with_whom_they_were_for(self):
        self.expect_end(*self.start_for_somebody())

    def test_they_end_though_all_of_them_were_dead_for_a_while(self):
        sleeper, here = self.start_for_somebody()
        brokers("kill", self.place, 1)
        time.sleep(2)  # Whoever looks after them looks twice a second.
        brokers("restart", self.place, 1)
        self.assertTrue(here.all_alive())
        self.expect_end(sleeper, here)

    def test_who_keeps_those_that_were_stopped_lets_go_of_their_ports(self):
        sleeper, here = self.start_for_somebody()
        brokers("stop", self.place)
        brokers("start", self.place, "--while", sleeper.pid)
        self.assertTrue(here.all_alive())
        self.expect_end(sleeper, here)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    sys.exit(77 if result.skipped else not result.wasSuccessful())
