"""The brokers of one directory: their settings, their processes, their ports."""
import argparse
import contextlib
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import jars as jars_module
import security
import wire

BROKERS_MAX = 4
PORTS_EACH = 8
BLOCK = BROKERS_MAX * PORTS_EACH
PORT_FIRST, PORT_END = 20032, 32000  # Below those that the system hands out by itself.
READY_SECONDS = 150
STOP_SECONDS = 30
END_SECONDS = 5  # The last ones cannot hand over to anybody any more: no use to wait for that.
LEAVE_SECONDS = 20
HEAP = "160m"
CLUSTER_ID = "payonce-test-kafka-AAA"

# Where in a broker's ports each listener stands; "advertised" is the proxy's, not the broker's.
PLAIN, CONTROLLER, PROXIED, PROXIED_ADVERTISED, SASL, TLS, SASL_TLS = range(7)


class Trouble(Exception):
    """A sentence for whoever called."""


def hold_block(first):
    """The lock on a block of free ports, or None: somebody else has it."""
    place = os.path.join(tempfile.gettempdir(), "payonce-kafka-ports")
    os.makedirs(place, mode=0o777, exist_ok=True)
    try:
        lock = os.open(os.path.join(place, str(first)), os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return None
    if all(port_free(first + at) for at in range(BLOCK)):
        return lock
    os.close(lock)
    return None


def reserve_ports():
    """A block of free ports that no other directory of this machine has: (first, the held lock)."""
    blocks = list(range(PORT_FIRST, PORT_END - BLOCK, BLOCK))
    random.shuffle(blocks)
    for first in blocks:
        lock = hold_block(first)
        if lock is not None:
            return first, lock
    raise Trouble("no free ports on this machine")


def port_free(port):
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Broker:
    """One of them. Its process is known by its settings file, not by its number alone."""

    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.folder = os.path.join(cluster.folder, f"broker{number}")
        self.settings = os.path.join(self.folder, "server.properties")
        self.pid_file = os.path.join(self.folder, "pid")

    def port(self, listener):
        return self.cluster.first_port + (self.number - 1) * PORTS_EACH + listener

    def place(self, listener=PLAIN):
        return f"127.0.0.1:{self.port(listener)}"

    def pid(self):
        """Of the living process, or None. One that is dead and not yet waited for has no words."""
        try:
            with open(self.pid_file, encoding="ascii") as file:
                pid = int(file.read())
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return pid if self.settings.encode() in file.read() else None
        except (OSError, ValueError):
            return None

    def alive(self):
        return self.pid() is not None

    def launched(self):
        """It runs, or has died; nobody has stopped it and all the others."""
        return os.path.exists(self.pid_file)

    def signal(self, number):
        pid = self.pid()
        if pid is None:
            raise Trouble(f"broker {self.number} is not running")
        os.kill(pid, number)

    def signal_if_alive(self, number):
        """It may end at any moment."""
        with contextlib.suppress(Trouble, ProcessLookupError):
            self.signal(number)

    def wait_end(self, seconds):
        until = time.monotonic() + seconds
        while self.alive() and time.monotonic() < until:
            time.sleep(0.02)
        return not self.alive()

    def format(self):
        """Begin preparing the disk; the process to wait for."""
        users = security.scram_arguments() if self.cluster.secure else []
        with open(os.path.join(self.folder, "format"), "wb") as said:
            name = self.cluster.known["cluster_id"]
            return subprocess.Popen([*self.cluster.java(), "kafka.tools.StorageTool", "format",
                                     "-t", name, "-c", self.settings, *users],
                                    stdout=subprocess.DEVNULL, stderr=said)

    def launch(self, make_archive=None):
        with open(os.path.join(self.folder, "out"), "ab") as out:
            process = subprocess.Popen(
                [*self.cluster.java(make_archive), "kafka.Kafka", self.settings],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                pass_fds=self.cluster.held)
        with open(self.pid_file, "w", encoding="ascii") as file:
            file.write(str(process.pid))
        until = time.monotonic() + 2
        while not self.alive() and time.monotonic() < until:  # Between fork and exec.
            time.sleep(0.002)

    def ready(self):
        try:
            known = wire.metadata(self.place(), [], timeout=2)["brokers"]
        except (OSError, wire.KafkaError):
            return False
        return self.number in known

    def wait_ready(self):
        until = time.monotonic() + READY_SECONDS
        while not self.ready():
            if not self.alive():
                raise Trouble(f"broker {self.number} ended: {self.last_words()}")
            if time.monotonic() > until:
                raise Trouble(f"broker {self.number} is not ready after {READY_SECONDS} s: "
                              f"{self.last_words()}")
            time.sleep(0.05)

    def last_words(self):
        with open(os.path.join(self.folder, "out"), encoding="utf-8", errors="replace") as file:
            lines = [line.rstrip() for line in file if "ERROR" in line or "Exception" in line]
        return " | ".join(lines[-3:]) or f"see {self.folder}/out"

    def stop(self):
        self.signal_if_alive(signal.SIGCONT)
        self.signal_if_alive(signal.SIGTERM)
        if not self.wait_end(STOP_SECONDS):
            self.signal_if_alive(signal.SIGKILL)
            self.wait_end(STOP_SECONDS)


class Cluster:
    """What DIR holds. `known` is DIR/cluster.json."""

    def __init__(self, folder, known):
        self.folder = folder
        self.known = known
        self.first_port, self.secure = known["first_port"], known["secure"]
        self.jars = jars_module.Jars(known["version"], known["jars"], known["java"])
        self.brokers = [Broker(self, number + 1) for number in range(known["brokers"])]
        self.bootstrap = ",".join(broker.place() for broker in self.brokers)
        self.held = ()  # The lock on our ports, inherited by each broker: free when all have ended.

    def is_as(self, options):
        wanted = (jars_module.VERSIONS.get(options.version, options.version), options.brokers,
                  options.proxied, options.secure, options.set, options.cluster_id)
        return wanted == tuple(self.known.get(key) for key in
                               ("version", "brokers", "proxied", "secure", "set", "cluster_id"))

    def hold_ports(self):
        """Those it had, once more. Whoever kept the brokers that were here may just be leaving."""
        until = time.monotonic() + LEAVE_SECONDS
        lock = hold_block(self.first_port)
        while lock is None and time.monotonic() < until:
            time.sleep(0.05)
            lock = hold_block(self.first_port)
        if lock is None:
            raise Trouble(f"the ports of {self.folder} are others' by now: remove it, start anew")
        self.held = (lock,)

    def forget(self):
        for name in [broker.folder for broker in self.brokers] + [os.path.join(self.folder, "tls")]:
            shutil.rmtree(name, ignore_errors=True)
        os.unlink(os.path.join(self.folder, "cluster.json"))

    def java(self, make_archive=None, memory=HEAP):
        return self.jars.java(memory, make_archive)

    def broker(self, number):
        if not 1 <= number <= len(self.brokers):
            raise Trouble(f"there is no broker {number}: 1 to {len(self.brokers)}")
        return self.brokers[number - 1]

    def any_alive(self):
        return any(broker.alive() for broker in self.brokers)

    def any_launched(self):
        return any(broker.launched() for broker in self.brokers)

    def all_alive(self):
        return all(broker.alive() for broker in self.brokers)

    def launch_all(self):
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            broker.wait_ready()
        wire.settled(lambda: wire.check(
            0 if len(wire.metadata(self.bootstrap, [])["brokers"]) == len(self.brokers) else 5))

    def stop(self, hard=False):
        """In order; hard: what they hold is wanted no more."""
        for broker in self.brokers:
            broker.signal_if_alive(signal.SIGCONT)
            broker.signal_if_alive(signal.SIGKILL if hard else signal.SIGTERM)
        until = time.monotonic() + END_SECONDS
        for broker in self.brokers:
            if not broker.wait_end(until - time.monotonic()):
                broker.signal_if_alive(signal.SIGKILL)
                broker.wait_end(STOP_SECONDS)
        for broker in self.brokers:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(broker.pid_file)

    def places(self, listener):
        return ",".join(broker.place(listener) for broker in self.brokers)

    def variables(self):
        found = {"KAFKA_BOOTSTRAP": self.bootstrap, "KAFKA_DIR": self.folder,
                 "KAFKA_VERSION": self.known["version"]}
        if self.known["proxied"]:
            found["KAFKA_PROXIED"] = self.places(PROXIED_ADVERTISED)
            found["KAFKA_PROXY_ROUTES"] = ",".join(
                f"{broker.port(PROXIED_ADVERTISED)}:{broker.port(PROXIED)}"
                for broker in self.brokers)
        if self.secure:
            found.update(KAFKA_SASL=self.places(SASL), KAFKA_TLS=self.places(TLS),
                         KAFKA_SASL_TLS=self.places(SASL_TLS),
                         KAFKA_CA=os.path.join(self.folder, "tls", "ca.pem"))
        return found


def listeners(broker):
    """{name: (port, advertised port, protocol)}"""
    found = {"PLAINTEXT": (broker.port(PLAIN), broker.port(PLAIN), "PLAINTEXT")}
    if broker.cluster.known["proxied"]:
        found["PROXIED"] = (broker.port(PROXIED), broker.port(PROXIED_ADVERTISED), "PLAINTEXT")
    if broker.cluster.secure:
        found["SASL"] = (broker.port(SASL), broker.port(SASL), "SASL_PLAINTEXT")
        found["TLS"] = (broker.port(TLS), broker.port(TLS), "SSL")
        found["SASL_TLS"] = (broker.port(SASL_TLS), broker.port(SASL_TLS), "SASL_SSL")
    return found


def broker_settings(broker):
    cluster, doors = broker.cluster, listeners(broker)
    copies = min(len(cluster.brokers), 3)
    at_least = 2 if copies > 1 else 1
    settings = {
        "process.roles": "broker,controller",
        "node.id": broker.number,
        "controller.quorum.voters": ",".join(
            f"{other.number}@{other.place(CONTROLLER)}" for other in cluster.brokers),
        "listeners": ",".join([f"{name}://127.0.0.1:{door[0]}" for name, door in doors.items()] +
                              [f"CONTROLLER://{broker.place(CONTROLLER)}"]),
        "advertised.listeners": ",".join(
            f"{name}://127.0.0.1:{door[1]}" for name, door in doors.items()),
        "listener.security.protocol.map": ",".join(
            ["CONTROLLER:PLAINTEXT"] + [f"{name}:{door[2]}" for name, door in doors.items()]),
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": os.path.join(broker.folder, "data"),
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": at_least,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": 3,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": at_least,
        "transaction.state.log.num.partitions": 3,
        "group.initial.rebalance.delay.ms": 0,
        # A broker that is killed is missed soon; one that starts is let in soon.
        "broker.session.timeout.ms": 4000,
        "broker.heartbeat.interval.ms": 500,
        "replica.lag.time.max.ms": 6000,
        "controller.socket.timeout.ms": 4000,
        "controlled.shutdown.enable": "true",
        # Small, so that three of them fit beside everything else.
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 2,
        "log.cleaner.dedupe.buffer.size": 4 << 20,
        "log.cleaner.io.buffer.size": 64 << 10,
        "log.segment.bytes": 64 << 20,
    }
    if cluster.secure:
        settings.update(security.broker_settings(cluster.folder))
    settings.update(pair.split("=", 1) for pair in cluster.known["set"])
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def open_cluster(folder):
    try:
        with open(os.path.join(folder, "cluster.json"), encoding="utf-8") as file:
            return Cluster(folder, json.load(file))
    except OSError:
        return None


def make(folder, jars, options):
    """Settings and formatted disks in folder; nothing runs yet."""
    bad = [pair for pair in options.set if "=" not in pair]
    if bad:
        raise Trouble(f"--set {bad[0]}: KEY=VALUE is expected")
    first_port, lock = reserve_ports()
    java = os.path.basename(jars.archive)[len("classes-"):-len(".jsa")]
    cluster = Cluster(folder, {
        "version": jars.version, "jars": jars.folder, "java": java, "brokers": options.brokers,
        "first_port": first_port, "proxied": options.proxied, "secure": options.secure,
        "set": options.set, "cluster_id": options.cluster_id})
    cluster.held = (lock,)
    if options.secure:
        security.make_certificates(folder)
    formatting = []
    for broker in cluster.brokers:
        shutil.rmtree(broker.folder, ignore_errors=True)
        os.makedirs(broker.folder)
        with open(broker.settings, "w", encoding="utf-8") as file:
            file.write(broker_settings(broker))
        formatting.append((broker, broker.format()))
    for broker, process in formatting:
        if process.wait() != 0:
            with open(os.path.join(broker.folder, "format"), "rb") as file:
                raise Trouble(f"broker {broker.number} cannot be set up: "
                              f"{file.read().decode(errors='replace')[-600:]}")
    with open(os.path.join(folder, "cluster.json"), "w", encoding="utf-8") as file:
        json.dump(cluster.known, file)
    return cluster


def make_archive(jars):
    """One broker's life, for the classes it loads."""
    with tempfile.TemporaryDirectory(prefix="payonce-kafka-") as folder:
        one = argparse.Namespace(brokers=1, proxied=False, secure=False, set=[],
                                 cluster_id=CLUSTER_ID)
        here = make(folder, jars, one)
        fresh = f"{jars.archive}.{os.getpid()}"
        here.brokers[0].launch(make_archive=fresh)
        here.brokers[0].wait_ready()
        wire.create_topic(here.bootstrap, "warm")
        wire.commit_group(here.bootstrap, "warm", "warm", {0: 0})
        here.stop()
        os.close(here.held[0])
        if os.path.exists(fresh):
            os.rename(fresh, jars.archive)
