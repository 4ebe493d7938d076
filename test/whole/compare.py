#!/usr/bin/env python3
"""The ledger and the independent reference, row by row.

    PAYONCE=build/payonce compare.py boundaries [FIRST [COUNT]]
    PAYONCE=build/payonce compare.py simulated [PAYMENTS [FILES]]

boundaries: small inputs on every boundary (test/reference/boundaries.py), each with another size
of epochs and number of parsers, the first ones with all of them. simulated: one large input with
5 % duplicates, 1 % late, 0.1 % each conflict, future and broken, with all of them if it is long
(1,000,000 payments), else with four.
"""
import itertools
import os
import shutil
import sys
import time

import whole
from boundaries import make
from whole import Different, Tally

EPOCHS = (1, 7, 1000, 100000)
THREADS = (1, 4)
WAYS = tuple(itertools.product(EPOCHS, THREADS))
IN_ALL_WAYS = 8  # So many of the small inputs.
LONG = 1000000


def run(folder, messages, threads):
    """One run from nothing to the end, in a data_dir of its own; its name."""
    data_dir = f"data-{messages}-{threads}"
    done = whole.payonce(whole.run_arguments({
        "data_dir": data_dir, "checkpoint.max_messages": messages,
        "checkpoint.max_bytes": "64MiB", "source.parser_threads": threads}), folder)
    if done.returncode != 0:
        raise Different(f"exit {done.returncode}: {done.stderr.strip()[-600:]}")
    return data_dir


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
