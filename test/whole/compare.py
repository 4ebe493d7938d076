#!/usr/bin/env python3
"""The ledger and the independent reference, row by row.

    PAYONCE=build/payonce compare.py boundaries [FIRST [COUNT]]
    PAYONCE=build/payonce compare.py simulated [PAYMENTS [FILES]]

boundaries: small inputs on every boundary (test/reference/boundaries.py), each with another size
of epochs and number of parsers, the first ones with all of them; some in two starts with other
rules, some with a file that is replaced and adopted, some through standard input. simulated: one large input with
5 % duplicates, 1 % late, 0.1 % each conflict, future and broken, with all of them if it is long
(1,000,000 payments), else with four.
"""
import itertools
import os
import random
import shutil
import sys
import time

import whole
from boundaries import DURATIONS, make
from whole import Different, Tally, load

EPOCHS = (100000, 1000, 7, 1)
THREADS = (1, 4)
WAYS = tuple(itertools.product(EPOCHS, THREADS))
IN_ALL_WAYS = 8  # So many of the small inputs.
LONG = 1000000


def run(folder, messages, threads, data_dir=None):
    """One run to the end of the files, in a data_dir of its own; its name."""
    data_dir = data_dir or f"data-{messages}-{threads}"
    done = whole.payonce(whole.run_arguments({
        "data_dir": data_dir, "checkpoint.max_messages": messages,
        "checkpoint.max_bytes": "64MiB", "source.parser_threads": threads}), folder)
    if done.returncode != 0:
        raise Different(f"exit {done.returncode}: {done.stderr.strip()[-600:]}")
    return data_dir


def piped(folder, path, messages, threads):
    """The one file of this input through standard input, whose topic is stdin."""
    os.rename(os.path.join(folder, path), os.path.join(folder, "stdin"))
    tree = whole.read_configuration(folder)
    tree["source"]["file"]["paths"] = ["stdin"]
    whole.write_configuration(folder, tree)
    whole.make_reference(folder, "piped.db")
    with open(os.path.join(folder, "stdin"), "rb") as file:
        done = whole.payonce(whole.run_arguments({
            "data_dir": "piped", "checkpoint.max_messages": messages, "source.type": "stdin",
            "source.parser_threads": threads}), folder, stdin=file)
    if done.returncode != 0:
        raise Different(f"piped: exit {done.returncode}: {done.stderr.strip()[-600:]}")
    whole.check(folder, "piped", "piped.db")


def staged(folder, seed, messages, threads):
    """Half of each file, an end, other rules, a start, the rest."""
    dice = random.Random(seed)
    before, after = whole.read_configuration(folder), whole.read_configuration(folder)
    if dice.random() < 0.7:
        changed_rules(dice, after)
    contents, stops = {}, []
    for path in before["source"]["file"]["paths"]:
        with open(os.path.join(folder, path), "rb") as file:
            lines = file.read().splitlines(True)
        contents[path] = b"".join(lines)
        stops.append(dice.randrange(len(lines) + 1))
        with open(os.path.join(folder, path), "wb") as file:
            file.write(b"".join(lines[:stops[-1]]))
    run(folder, messages, threads, "staged")
    for path, content in contents.items():
        with open(os.path.join(folder, path), "wb") as file:
            file.write(content)
    whole.make_reference(folder, "staged.db", [(stops, load(after))])
    whole.write_configuration(folder, after)
    run(folder, messages, threads, "staged")
    whole.check(folder, "staged", "staged.db")


def changed_rules(dice, tree):
    tree["watermark"]["lateness"] = dice.choice(DURATIONS)
    tree["dedup"]["retention"] = dice.choice(DURATIONS)
    tree["metrics_window"]["every"] = dice.choice(["1s", "1m", "90s", "1h"])
    tree["fraud"]["max_senders"] = dice.choice([1, 2, 1000])
    tree["fraud"].pop("score", None)


def replaced(folder, seed, messages, threads):
    """One file is read in part, then another one under its name; an operator adopts that."""
    dice = random.Random(seed)
    paths = whole.read_configuration(folder)["source"]["file"]["paths"]
    place = dice.randrange(len(paths))
    path = os.path.join(folder, paths[place])
    with open(path, "rb") as file:
        lines = file.read().splitlines(True)
    cut = dice.randrange(len(lines) + 1)
    for name, part in ((path + ".before", lines[:cut]), (path, lines[:cut])):
        with open(name, "wb") as file:
            file.write(b"".join(part))
    run(folder, messages, threads, "replaced")
    with open(path, "wb") as file:
        file.write(b"".join(lines[cut:]))
    ask = ["-c", "payonce.yaml", "--set", "data_dir=replaced"]
    done = whole.payonce(["run", *ask, "--until-caught-up"], folder)
    if done.returncode == 0:
        return  # By chance the new one begins as the old one does, or there was none.
    if done.returncode != 65 or "payonce adopt-topic" not in done.stderr:
        raise Different(f"replaced: exit {done.returncode}: {done.stderr.strip()[-600:]}")
    done = whole.payonce(["adopt-topic", *ask, "--by", "eve", "--no-wait", paths[place]], folder)
    if done.returncode != 0:
        raise Different(f"not adopted: {done.stderr.strip()[-600:]}")
    run(folder, messages, threads, "replaced")
    whole.make_replaced_reference(folder, "replaced.db", place, paths[place] + ".before")
    whole.check(folder, "replaced", "replaced.db")


def in_other_ways(tally, folder, seed, messages, threads):
    paths = whole.read_configuration(folder)["source"]["file"]["paths"]
    try:
        if seed % 3 == 1:
            staged(folder, seed, messages, threads)
            tally.good()
        elif seed % 3 == 2:
            replaced(folder, seed, messages, threads)
            tally.good()
        elif len(paths) == 1:
            piped(folder, paths[0], messages, threads)
            tally.good()
    except Different as why:
        tally.bad(f"seed {seed}, staged, replaced or piped", why)


def boundaries(first, count):
    tally = Tally("boundaries")
    rows = 0
    for seed in range(first, first + count):
        folder = tally.fresh(str(seed))
        make(seed, folder)
        whole.make_reference(folder)
        ways = WAYS if seed - first < IN_ALL_WAYS else (WAYS[seed % len(WAYS)],)
        for messages, threads in ways:
            try:
                data_dir = run(folder, messages, threads)
                rows += sum(whole.check(folder, data_dir).values())
                tally.good()
            except Different as why:
                tally.bad(f"seed {seed}, epochs of {messages}, {threads} parsers", why)
        in_other_ways(tally, folder, seed, *ways[0])
        if tally.failed == 0:
            shutil.rmtree(folder)
    print(f"{rows} rows agree")
    return tally.end()


def simulated(payments, files):
    tally = Tally("simulated")
    folder = tally.fresh("files")
    paths = whole.simulate(folder, files, payments, "--duplicates", "5%", "--late", "1%",
                           "--conflicts", "0.1%", "--future", "0.1%", "--broken", "0.1%")
    whole.write_configuration(folder, {"source": {"file": {"paths": paths}}})
    start = time.monotonic()
    whole.make_reference(folder)
    print(f"reference: {time.monotonic() - start:.1f} s", flush=True)
    ways = WAYS if payments >= LONG else ((7, 4), (1000, 1), (1000, 4), (100000, 4))
    for messages, threads in ways:
        what = f"epochs of {messages}, {threads} parsers"
        try:
            start = time.monotonic()
            data_dir = run(folder, messages, threads)
            took = time.monotonic() - start
            rows = whole.check(folder, data_dir)
            print(f"{what}: {took:.1f} s, " + ", ".join(
                f"{table} {count}" for table, count in rows.items()), flush=True)
            shutil.rmtree(os.path.join(folder, data_dir))
            tally.good()
        except Different as why:
            tally.bad(what, why)
    return tally.end()


def main(arguments):
    whole.need_program()
    numbers = [int(word.replace(",", "")) for word in arguments[2:]]
    if arguments[1:2] == ["boundaries"]:
        return boundaries(*(numbers + [1, 200][len(numbers):]))
    if arguments[1:2] == ["simulated"]:
        return simulated(*(numbers + [30000, 4][len(numbers):]))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
