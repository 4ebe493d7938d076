"""What the tests on brokers share. `brokers run` runs them, and says where the brokers are."""
import contextlib
import csv
import itertools
import os
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import proxy  # noqa: E402
import wire  # noqa: E402

PAYONCE = os.environ.get("PAYONCE", "")
BROKERS = os.path.join(HERE, "brokers")
numbers = itertools.count()


class KafkaCase(unittest.TestCase):
    """Each test has a folder of its own, and topics of its own among those of the cluster."""

    def setUp(self):
        self.bootstrap = os.environ["KAFKA_BOOTSTRAP"]
        folder = tempfile.TemporaryDirectory(prefix="payonce-kafka-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def topic(self, partitions=1, **settings):
        """A new one; settings as in min__insync__replicas="1"."""
        name = f"{self.id().rsplit('.', 1)[1]}-{os.getpid()}-{next(numbers)}"[:200]
        wire.create_topic(self.bootstrap, name, partitions,
                          settings={key.replace("__", "."): str(value)
                                    for key, value in settings.items()})
        return name

    def payonce(self, *words, code=0, timeout=120):
        """Run it to its end; what it said, stdout and stderr together."""
        done = subprocess.run([PAYONCE, *map(str, words)], cwd=self.folder, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                              env=dict(os.environ, NO_COLOR="1"))
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout

    def start(self, *words):
        """Start it and go on; .finish() waits and gives what it said."""
        process = subprocess.Popen([PAYONCE, *map(str, words)], cwd=self.folder, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env=dict(os.environ, NO_COLOR="1"))
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        return process

    def finish(self, process, code=0, timeout=120):
        said, _ = process.communicate(timeout=timeout)
        self.assertEqual(process.returncode, code, said)
        return said

    def place(self, topic, bootstrap=None):
        return f"kafka://{bootstrap or self.bootstrap}/{topic}"

    def truth(self, name="truth.csv"):
        with open(os.path.join(self.folder, name), encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def brokers(self, verb, *words):
        """One of the script's verbs, on this cluster."""
        subprocess.run([BROKERS, verb, os.environ["KAFKA_DIR"], *map(str, words)], check=True,
                       timeout=120)

    @contextlib.contextmanager
    def network(self):
        """A proxy on the brokers' proxied addresses; call it with a command of proxy.py."""
        control = os.path.join(self.folder, "network")
        process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "proxy.py"), "--control", control, "--routes",
             os.environ["KAFKA_PROXY_ROUTES"]], stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(process.stdout.readline(), "proxy ready\n")
            yield lambda *words: proxy.tell(control, *words)
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()

    def until(self, question, seconds=180):
        """Wait until it is so, however busy the machine is; a test that waits for nothing fails here."""
        end = time.monotonic() + seconds
        while not question():
            self.assertLess(time.monotonic(), end, "it did not come about in time")
            time.sleep(0.02)
