#!/usr/bin/env python3
"""The proxy, with a small server of our own in a broker's place."""
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

from proxy import tell  # noqa: E402
from wire import receive  # noqa: E402

QUICK, SLOW = 0.3, 5.0
PRODUCE, METADATA = 0, 3


def frame(key, number, body=b""):
    return struct.pack(">ihhi", 8 + len(body), key, 0, number) + body


class Echo(threading.Thread):
    """Answers each request with its correlation id, and remembers what it was asked."""

    def __init__(self):
        super().__init__(daemon=True)
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.asked = []

    def run(self):
        while True:
            try:
                client, _ = self.door.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(client,), daemon=True).start()

    def answer(self, client):
        try:
            while True:
                size, = struct.unpack(">i", receive(client, 4))
                key, _, number = struct.unpack(">hhi", receive(client, size)[:8])
                self.asked.append((key, number))
                client.sendall(struct.pack(">ii", 4, number))
        except OSError:
            client.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as door:
        return door.getsockname()[1]


class ProxyTest(unittest.TestCase):
    """Each test: one proxy with two routes, to one server."""

    def setUp(self):
        self.echo = Echo()
        self.echo.start()
        self.addCleanup(self.echo.door.close)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.control = os.path.join(self.folder.name, "control")
        self.ports = [free_port(), free_port()]
        routes = ",".join(f"{port}:{self.echo.port}" for port in self.ports)
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "proxy.py"), "--routes", routes, "--control",
             self.control], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        self.assertEqual(self.process.stdout.readline(), "proxy ready\n")

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def connect(self, route=0):
        door = socket.create_connection(("127.0.0.1", self.ports[route]), timeout=SLOW)
        self.addCleanup(door.close)
        return door

    def ask(self, door, number, key=METADATA, wait=SLOW):
        """True: answered. False: the connection went. None: nothing came in that time."""
        door.settimeout(wait)
        try:
            door.sendall(frame(key, number))
            return struct.unpack(">ii", receive(door, 8)) == (4, number)
        except TimeoutError:
            return None
        except OSError:
            return False

    def test_passes_what_is_asked_and_answered(self):
        door = self.connect()
        self.assertTrue(all(self.ask(door, number) for number in range(100)))
        self.assertEqual(len(self.echo.asked), 100)
        self.assertIn(f"{self.ports[0]} connections=1 requests=100 answers=100 lost=0",
                      tell(self.control, "status"))

    def test_holds_everything_until_it_flows(self):
        door = self.connect()
        self.assertTrue(self.ask(door, 1))
        tell(self.control, "hold")
        self.assertIsNone(self.ask(door, 2, wait=QUICK))
        self.assertEqual(len(self.echo.asked), 1)
        tell(self.control, "flow")
        door.settimeout(SLOW)
        self.assertEqual(struct.unpack(">ii", receive(door, 8)), (4, 2))

    def test_mutes_answers_while_requests_arrive(self):
        door = self.connect()
        tell(self.control, "mute")
        self.assertIsNone(self.ask(door, 1, wait=QUICK))
        self.assertEqual(self.echo.asked, [(METADATA, 1)])
        tell(self.control, "flow")
        door.settimeout(SLOW)
        self.assertEqual(struct.unpack(">ii", receive(door, 8)), (4, 1))

    def test_loses_each_third_answer_to_a_produce_request_and_no_other(self):
        tell(self.control, "lose", PRODUCE, 3)
        door, said = self.connect(), []
        for number in range(9):
            self.assertTrue(self.ask(door, 100 + number, METADATA))
            said.append(self.ask(door, number, PRODUCE))
            if not said[-1]:
                door = self.connect()
        self.assertEqual(said, [True, True, False] * 3)
        self.assertEqual([number for key, number in self.echo.asked if key == PRODUCE],
                         list(range(9)))  # The broker has them all.
        self.assertIn("lost=3", tell(self.control, "status", 1))
        tell(self.control, "lose", PRODUCE, 0)
        self.assertTrue(all(self.ask(door, number, PRODUCE) for number in range(9)))

    def test_cuts_and_refuses_one_route_and_leaves_the_other(self):
        first, second = self.connect(0), self.connect(1)
        self.assertTrue(self.ask(first, 1) and self.ask(second, 1))
        tell(self.control, "cut", 1)
        self.assertFalse(self.ask(first, 2))
        self.assertTrue(self.ask(second, 2))
        self.assertTrue(self.ask(self.connect(0), 3))
        tell(self.control, "refuse", 1)
        self.assertFalse(self.ask(self.connect(0), 4))
        self.assertTrue(self.ask(second, 4))
        tell(self.control, "accept", 1)
        self.assertTrue(self.ask(self.connect(0), 5))

    def test_delays_what_passes(self):
        door = self.connect()
        tell(self.control, "delay", 100)
        start = time.monotonic()
        self.assertTrue(self.ask(door, 1))
        self.assertGreaterEqual(time.monotonic() - start, 0.2)  # There and back.

    def test_refuses_commands_it_does_not_know(self):
        for words in (["sing"], ["delay"], ["cut", 3], ["lose", 0], ["hold", "x"]):
            with self.assertRaises(ValueError):
                tell(self.control, *words)
        self.assertTrue(self.ask(self.connect(), 1))


if __name__ == "__main__":
    unittest.main()
