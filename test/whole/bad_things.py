#!/usr/bin/env python3
"""Bad things, what payonce says about each, with which exit code, and that nothing is lost.

    PAYONCE=build/payonce bad_things.py [NAME ...]

Prints the table for docs/operating.md. Each case ends with the harm undone, a run to the end, and
the ledger compared with the reference.
"""
import json
import functools
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import whole
from hostile import WHOLE, lines
import kill_loop
from kill_loop import FINISH_S, kill
from whole import PAYONCE, Different, Tally

NOBODY = 65534
GIGABYTE = 1 << 30
RESIDENT_MAX = 400 << 20
# What reconcile vouches for; the other columns it does not read.
VOUCHED = {"seq", "amount", "amount_units", "amount_scale", "currency", "verdict", "source_topic",
           "source_incarnation", "source_partition", "source_offset", "transaction_count",
           "total_amount", "min_amount", "max_amount", "metric_time", "count", "sum", "next"}
SMALL = {"checkpoint.max_messages": 5}
CASES = []


# What happens to one ledger; a follower has its own stories (kill_loop.py).
Input = functools.partial(kill_loop.Input, followed=False)


class Skipped(Exception):
    """Not on this machine, and why."""


def case(function):
    CASES.append(function)
    return function


class Told:
    """The table: what was done, what was said, the exit code."""

    def __init__(self):
        self.rows = []

    def expect(self, what, done, exit_code, code=None):
        """The exit code, and exactly one error line, which names the fault and what next."""
        errors = re.findall(r"^error\[(\w+)\]: (.*)$", done.stderr, re.MULTILINE)
        self.rows.append((what, f"{errors[0][0]} {errors[0][1]}" if errors else "-",
                          done.returncode))
        if done.returncode != exit_code:
            raise Different(f"{what}: exit {done.returncode}, should be {exit_code}:"
                            f" {done.stderr[-800:]}")
        if code is None and errors:
            raise Different(f"{what}: said {errors}")
        if code is not None and [found for found, _ in errors] != [code]:
            raise Different(f"{what}: should say {code} once: {done.stderr[-800:]}")
        if code is not None and not re.search(r"^ *next: ", done.stderr, re.MULTILINE):
            raise Different(f"{what}: no next: line: {done.stderr[-800:]}")

    def show(self):
        print("\n| what was done | what payonce said | exit |\n|---|---|---|")
        for what, said, code in self.rows:
            print(f"| {what} | {said.replace('|', '/')} | {code} |")
        print()


def half_way(folder, payments=4000):
    """An input with some of its epochs delivered, and payonce dead."""
    work = Input(folder, random.Random(folder), payments)
    running = work.start(SMALL)
    if not work.wait_for_work(running, 20) or not kill(running):
        raise Different("it ended before it was killed")
    return work


def run(work, settings=None, **more):
    return whole.payonce(whole.run_arguments(settings or {"checkpoint.max_messages": 1000}),
                         work.folder, timeout=FINISH_S, **more)


def with_lines(folder, given, settings=None):
    """An input of these lines; run, compared."""
    with open(os.path.join(folder, "in.jsonl"), "wb") as file:
        file.write(b"".join(line + b"\n" for line in given))
    whole.write_configuration(folder, {"data_dir": "data",
                                       "source": {"file": {"paths": ["in.jsonl"]}}})
    whole.make_reference(folder)
    done = whole.payonce(whole.run_arguments(settings or {}), folder)
    whole.check(folder)
    return done


@case
def garbage(told, folder):
    dice = random.Random(5)
    broken = [dice.randbytes(dice.randrange(300)).replace(b"\n", b"") for _ in range(2000)]
    told.expect("2,000 lines of random bytes among payments", with_lines(
        folder, [line for pair in zip(broken, [WHOLE] * 2000) for line in pair]), 0)


@case
def wrong_types(told, folder):
    told.expect("every line of test/reference/hostile.py", with_lines(folder, lines()), 0)


@case
def deep(told, folder):
    given = [b"[" * size for size in (17, 1000, 65000)]
    given += [b'{"a":' * (size // 5) for size in (100, 65000)] + [WHOLE]
    told.expect("65,000 brackets deep", with_lines(folder, given), 0)


@case
def no_newline(told, folder):
    """1 GB in one line, then a payment; in a file of holes, and through a pipe."""
    settings = {"state.memory_limit": "64MiB", "state.expected_rate": "10/s"}
    with open(os.path.join(folder, "in.jsonl"), "wb") as file:
        file.truncate(GIGABYTE)
        file.seek(GIGABYTE)
        file.write(b"\n" + WHOLE + b"\n")
    whole.write_configuration(folder, {"data_dir": "data",
                                       "source": {"file": {"paths": ["in.jsonl"]}}})
    arguments = whole.run_arguments(settings)
    told.expect("a file with 1 GB without a newline", measured(arguments, folder), 0)
    need_one_of_each(folder, "data")
    with subprocess.Popen(["sh", "-c", f"head -c {GIGABYTE} /dev/zero; echo; cat"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as pipe:
        pipe.stdin.write(WHOLE + b"\n")
        pipe.stdin.close()
        told.expect("the same through a pipe", measured(
            ["run", "payonce.yaml", "--until-caught-up", *whole.settings_arguments(
                dict(settings, data_dir="piped", **{"source.type": "stdin"}))],
            folder, stdin=pipe.stdout), 0)
    need_one_of_each(folder, "piped")


def measured(arguments, folder, **more):
    """Its memory must not grow with the line."""
    command = ["sh", "-c", 'ulimit -v 1500000; exec "$@"', "sh", PAYONCE, *arguments]
    running = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, text=True, **more)
    peak = 0
    while running.poll() is None:
        try:
            with open(f"/proc/{running.pid}/status", encoding="ascii") as file:
                found = re.search(r"VmHWM:\s+(\d+)", file.read())
                peak = max(peak, int(found.group(1)) * 1024 if found else 0)
        except OSError:
            pass
        time.sleep(0.01)
    if peak > RESIDENT_MAX:
        raise Different(f"it took {peak >> 20} MiB of memory for one line")
    return subprocess.CompletedProcess(command, running.returncode, "", running.stderr.read())


def need_one_of_each(folder, data_dir):
    ledger = os.path.join(folder, data_dir, "payments.db")
    found = (whole.ask(ledger, "SELECT reason, size FROM payment_dead_letters"),
             whole.ask(ledger, "SELECT transaction_id, source_offset FROM payment_transactions"))
    if found != ([("P122", GIGABYTE)], [("h-1", 2)]):
        raise Different(f"after 1 GB without a newline: {found}")


def need_tmpfs(folder, size):
    place = os.path.join(folder, "small")
    os.mkdir(place)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "payonce-test", place],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skipped(f"a small tmpfs cannot be mounted here: {done.stderr.strip()}")
    return place


@case
def no_room_to_start(told, folder):
    place = need_tmpfs(folder, "32m")
    try:
        work = Input(folder, random.Random(1), 2000)
        told.expect("data_dir on a volume with 32 MiB free",
                    run(work, {"data_dir": "small/data"}), 69, "J004")
    finally:
        subprocess.run(["umount", place], check=True)
    work.finish()


@case
def disk_fills(told, folder):
    """The journal's volume, then the ledger's, fills while it runs; then there is room again."""
    place = need_tmpfs(folder, "96m")
    try:
        work = Input(folder, random.Random(2), 150000, False)
        for what, settings in (
                ("the journal's", {"data_dir": "small/data", "checkpoint.max_messages": 1000,
                                   "journal.max_bytes": "1TiB"}),
                ("the ledger's", {"data_dir": "data2", "sinks": "[{name: local, type: sqlite,"
                                  " path: small/payments.db}]"})):
            fill_and_free(told, work, place, what, settings)
    finally:
        subprocess.run(["umount", place], check=True)


def errors_told(work, about):
    """Of the log's lines those with an error about this: "event: error"."""
    lines = [json.loads(line) for line in work.said(1 << 20).splitlines() if line[:1] == "{"]
    return [f"{line['event']}: {line['error']}" for line in lines
            if re.search(about, line.get("error", ""))]


def fill_and_free(told, work, place, what, settings):
    work.forget_said()
    running = work.start(settings)
    ledger = os.path.join(place, "payments.db") if "ledger" in what else work.ledger
    while running.poll() is None and not whole.ask(ledger, "SELECT 1 FROM payonce_epoch LIMIT 1"):
        time.sleep(0.005)
    ballast = os.path.join(place, "ballast")
    with open(ballast, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError:
            pass  # Now it is full.
    time.sleep(3)
    stopped = running.poll()
    os.unlink(ballast)
    code = running.wait(FINISH_S)
    said = errors_told(work, "space|full")
    told.rows.append((f"{what} volume fills while it runs, and has room again 3 s later",
                      said[0] if said else "-", code))
    if stopped is not None or code != 0 or not said:
        raise Different(f"{what} volume full: it ended with {stopped}, then {code}: {work.said()}")
    whole.check(work.folder, ledger=ledger)
    for name in os.listdir(place):
        path = os.path.join(place, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


def as_nobody():
    """Root may write anywhere; so somebody else."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}


@case
def not_allowed(told, folder):
    work = Input(folder, random.Random(3), 1000)
    program = os.path.join(folder, "payonce")
    shutil.copy(PAYONCE, program)  # Where nobody may read it, too.
    os.chmod(os.path.dirname(folder), 0o755)
    os.chmod(folder, 0o555)

    def attempt(settings):
        return subprocess.run([program, *whole.run_arguments(settings)], cwd=folder, check=False,
                              capture_output=True, text=True, **as_nobody())
    try:
        told.expect("data_dir in a read-only directory", attempt({}), 77, "J003")
        os.mkdir(os.path.join(folder, "mine"))
        os.chown(os.path.join(folder, "mine"), NOBODY, NOBODY)
        os.chmod(os.path.join(folder, "ledger"), 0o555)
        told.expect("the ledger in a read-only directory", attempt({"data_dir": "mine"}), 77,
                    "S002")
        shutil.rmtree(os.path.join(folder, "mine"))
        os.mkdir(os.path.join(folder, "mine"))
        for name in ("mine", "ledger"):
            os.chown(os.path.join(folder, name), NOBODY, NOBODY)
            os.chmod(os.path.join(folder, name), 0o755)
        os.chmod(os.path.join(folder, "s0.jsonl"), 0)
        told.expect("an input file it may not read", attempt({"data_dir": "mine"}), 77, "F005")
    finally:
        os.chmod(folder, 0o755)
        os.chmod(os.path.join(folder, "s0.jsonl"), 0o644)
    for name in os.listdir(os.path.join(folder, "ledger")):
        os.unlink(os.path.join(folder, "ledger", name))
    work.finish()


@case
def second_instance(told, folder):
    work = Input(folder, random.Random(4), 8000)
    running = work.start(SMALL)
    work.wait_for_work(running)
    running.send_signal(signal.SIGSTOP)
    told.expect("a second instance on the same data_dir", run(work), 75, "J002")
    running.send_signal(signal.SIGCONT)
    if running.wait(FINISH_S) != 0:
        raise Different(f"the first one ended with {running.returncode}: {work.said()}")
    work.compare()


@case
def second_volume(told, folder):
    """A second instance with a copy of the volume: the one that wakes up is fenced."""
    work = Input(folder, random.Random(14), 8000)
    running = work.start(SMALL)
    work.wait_for_work(running)
    while not stopped_between_transactions(work, running):
        running.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    shutil.copytree(work.data, os.path.join(folder, "copy"))
    done = run(work, {"data_dir": "copy"})
    running.send_signal(signal.SIGCONT)
    code = running.wait(FINISH_S)
    told.expect("a second instance with a copy of data_dir", done, 0)
    told.expect("the first one, when it wakes up", subprocess.CompletedProcess(
        [], code, "", work.said()), 75, "J030")
    work.compare()


def stopped_between_transactions(work, running):
    """Stop it. False: it holds the ledger's lock, and nobody could take over."""
    running.send_signal(signal.SIGSTOP)
    time.sleep(0.05)
    database = sqlite3.connect(work.ledger, isolation_level=None, timeout=0)
    try:
        database.execute("BEGIN IMMEDIATE")
        database.execute("ROLLBACK")
        return True
    except sqlite3.OperationalError:
        return False
    finally:
        database.close()


@case
def locked_database(told, folder):
    work = half_way(folder)
    database = sqlite3.connect(work.ledger, isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    running = work.start()
    time.sleep(4)
    early = running.poll()
    database.execute("ROLLBACK")
    database.close()
    code = running.wait(FINISH_S)
    said = errors_told(work, "is locked")
    told.rows.append(("the ledger locked by another program for 4 s",
                      said[0] if said else "-", code))
    if early is not None or code != 0 or not said:
        raise Different(f"exit {early}, then {code}: {work.said()}")
    work.finish()


@case
def input_changed(told, folder):
    work = half_way(folder)
    path = os.path.join(folder, "s0.jsonl")
    shutil.copy(path, path + ".copy")
    os.unlink(path)
    told.expect("an input file is gone", run(work), 65, "F001")
    with open(path + ".copy", "rb") as file:
        whole_file = file.read()
    with open(path, "wb") as file:
        file.write(whole_file[:100])
    told.expect("an input file is shorter than what was read", run(work), 65, "F003")
    with open(path, "wb") as file:
        file.write(whole_file[:50].swapcase() + whole_file.replace(b"ACC_", b"ABC_")[50:])
    told.expect("an input file is another one", run(work), 65, "F002")
    os.replace(path + ".copy", path)
    work.finish()


@case
def ledger_is_no_database(told, folder):
    work = half_way(folder)
    whole.copy_database(work.ledger, os.path.join(folder, "copy.db"))
    for name in os.listdir(os.path.dirname(work.ledger)):
        os.unlink(os.path.join(os.path.dirname(work.ledger), name))
    with open(work.ledger, "wb") as file:
        file.write(b"This is not a database. " * 1000)
    told.expect("the ledger's path holds another kind of file", run(work), 65, "S004")
    os.replace(os.path.join(folder, "copy.db"), work.ledger)
    work.finish()


@case
def ledger_of_others(told, folder):
    """Another pipeline's ledger, and one with payments whose pipeline is not there."""
    work = half_way(folder)
    told.expect("the ledger of another pipeline", run(work, {
        "pipeline": "other", "data_dir": "elsewhere"}), 65, "J022")
    work.finish()


@case
def bits_in_the_journal(told, folder):
    work = half_way(folder, 12000)
    files = sorted(os.path.join(path, name) for path, _, names in os.walk(work.data)
                   for name in names if "journal" in path)
    if not files:
        raise Different(f"there is no journal in {work.data}")
    for path in files:
        size = used_size(path)
        places = {8, 40, size // 3, size // 2, size * 2 // 3, size - 9}
        for place in sorted(place for place in places if 0 <= place < size):
            flip_and_run(told, work, path, place, f"bit {place * 8 + 3} of {os.path.basename(path)}"
                         f" ({size:,} bytes)", ("J010", "J005"))
    work.finish()


def used_size(path):
    """Without the zeros that were only reserved."""
    with open(path, "rb") as file:
        return len(file.read().rstrip(b"\0"))


def flip(path, place):
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 8]))


def flip_and_run(told, work, path, place, what, codes):
    """On a copy of all of it: either it is said, or it does not matter."""
    state = os.path.join(work.folder, "kept")
    for name in ("data", "ledger"):
        shutil.copytree(os.path.join(work.folder, name), os.path.join(state, name))
    flip(path, place)
    done = run(work)
    if done.returncode == 0:
        told.rows.append((f"flipped: {what}", "- (not needed any more)", 0))
        work.compare()
    else:
        found = re.findall(r"^error\[(\w+)\]", done.stderr, re.MULTILINE)
        told.expect(f"flipped: {what}", done, done.returncode, found[0] if found else "none")
        if found[0] not in codes or done.returncode not in (65, 78):
            raise Different(f"flipped {what}: exit {done.returncode}: {done.stderr[-600:]}")
    for name in ("data", "ledger"):
        shutil.rmtree(os.path.join(work.folder, name))
        os.rename(os.path.join(state, name), os.path.join(work.folder, name))
    os.rmdir(state)


@case
def bits_in_the_ledger(told, folder):
    """SQLite has no checksums: what it does not notice, reconcile does."""
    work = half_way(folder)
    work.finish()
    whole.copy_database(work.ledger, os.path.join(folder, "whole.db"))
    dice = random.Random(6)
    size = os.path.getsize(os.path.join(folder, "whole.db"))
    noticed = harmless = 0
    for place in [16, 40, 100, 16384, 16384 + 9] + [dice.randrange(size) for _ in range(25)]:
        for name in os.listdir(os.path.dirname(work.ledger)):
            os.unlink(os.path.join(os.path.dirname(work.ledger), name))
        shutil.copy(os.path.join(folder, "whole.db"), work.ledger)
        flip(work.ledger, place)
        done = run(work)
        if done.returncode != 0:
            told.expect(f"flipped: bit {place * 8 + 3} of the ledger", done, 65,
                        re.findall(r"^error\[(\w+)\]", done.stderr, re.MULTILINE)[0])
            noticed += 1
            continue
        sound = whole.payonce(["reconcile", "payonce.yaml", "--expect", "truth.csv"],
                              folder).returncode == 0
        try:
            whole.check(work.folder, ledger=work.ledger, vouched=VOUCHED)
            harmless += sound
            noticed += not sound
        except Different as why:
            noticed += 1
            if sound:
                raise Different(f"flipped bit {place * 8 + 3} of the ledger: reconciled,"
                                f" although {why}") from None
    told.rows.append((f"a flipped bit at {noticed + harmless} places of the ledger",
                      f"{noticed} noticed by run or reconcile,"
                      f" {harmless} not in money or place", "-"))
    for name in os.listdir(os.path.dirname(work.ledger)):
        os.unlink(os.path.join(os.path.dirname(work.ledger), name))
    os.replace(os.path.join(folder, "whole.db"), work.ledger)
    work.finish()


@case
def bits_elsewhere(told, folder):
    work = half_way(folder)
    for name in ("lock", "deaths"):
        path = os.path.join(work.data, name)
        if os.path.exists(path) and os.path.getsize(path) > 0:
            flip(path, os.path.getsize(path) // 2)
            done = run(work, SMALL)
            told.expect(f"flipped: a bit of {name}", done, 0)
            work.compare()
        else:
            told.rows.append((f"flipped: a bit of {name}", "- (empty or not there)", "-"))
    work.finish()


def main(arguments):
    whole.need_program()
    tally = Tally("bad things")
    told = Told()
    chosen = [function for function in CASES if function.__name__ in arguments[1:]] or CASES
    for function in chosen:
        print(function.__name__, flush=True)
        folder = tally.fresh(function.__name__)
        try:
            function(told, folder)
            tally.good(folder)
        except Skipped as why:
            print(f"SKIPPED {function.__name__}: {why}", flush=True)
            tally.skipped += 1
        except Different as why:
            tally.bad(function.__name__, why)
    told.show()
    return tally.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
