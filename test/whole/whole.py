"""What the tests of the whole program share: run it, and hold its ledger against the reference."""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "reference"))

from reference import Reference, columns, quoted  # noqa: E402
from settings import load, milliseconds  # noqa: E402

PAYONCE = os.environ.get("PAYONCE", "")
SHOWN = 3

# Where the ledger keeps what the reference has in one table, and what orders it.
LEDGER = {"payonce_total": "(SELECT * FROM payonce_total JOIN payonce_cursor USING (source)"
                           " WHERE count > 0)"}
ORDER = {"payment_metrics": "metric_time, region, currency",
         "payonce_total": "topic, incarnation, partition, verdict, currency",
         "payonce_cursor": "topic, incarnation, partition",
         "payonce_pipeline": "1"}
DECIMALS = {"payonce_total": ("sum",)}


class Different(Exception):
    """The ledger is not what the reference says."""


def payonce(arguments, folder, **more):
    """Run it to its end; the finished process with stdout and stderr as text."""
    environment = dict(os.environ, NO_COLOR="1", **more.pop("environment", {}))
    return subprocess.run([PAYONCE, *arguments], cwd=folder, capture_output=True, text=True,
                          errors="replace", env=environment, check=False, **more)


def settings_arguments(settings):
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


def run_arguments(settings):
    return ["run", "payonce.yaml", "--until-caught-up", *settings_arguments(settings)]


def read_configuration(folder):
    with open(os.path.join(folder, "payonce.yaml"), encoding="utf-8") as file:
        return json.load(file)


def write_configuration(folder, tree):
    with open(os.path.join(folder, "payonce.yaml"), "w", encoding="utf-8") as file:
        json.dump(tree, file, indent=1)


def make_reference(folder, output="reference.db", stages=None):
    """The reference's tables for the folder's configuration (stages: see Reference.run)."""
    here = os.getcwd()
    os.chdir(folder)
    try:
        Reference(load("payonce.yaml"), output, int(time.time() * 1000)).run(stages)
    finally:
        os.chdir(here)


def make_replaced_reference(folder, output, place, content):
    """The same where one file was replaced by another (see Reference.run_replaced)."""
    here = os.getcwd()
    os.chdir(folder)
    try:
        reference = Reference(load("payonce.yaml"), output, int(time.time() * 1000))
        reference.run_replaced(place, content)
    finally:
        os.chdir(here)


def rows_of(database, table, names, order):
    try:
        return database.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY {order}")
    except sqlite3.Error as error:
        raise Different(f"{table}: {error}") from None


def compare_table(ledger, reference, table, names, order=None):
    """Row by row; the first differences in words. Returns how many rows agree."""
    order = order or ORDER.get(table, "seq")
    theirs = rows_of(ledger, LEDGER.get(table, table), quoted(names), order)
    ours = rows_of(reference, table, quoted(names), order)
    decimals = [names.index(name) for name in DECIMALS.get(table, ()) if name in names]
    agreed, wrong = 0, []
    while True:
        their, our = by_value(theirs.fetchone(), decimals), ours.fetchone()
        if their is None and our is None:
            break
        if their == our:
            agreed += 1
            continue
        wrong.append(describe(table, names, their, our))
        if len(wrong) == SHOWN:
            break
    if wrong:
        raise Different("\n".join(wrong))
    return agreed


def by_value(row, decimals):
    """1.50 as 1.5, in these columns."""
    if row is None or not decimals:
        return row
    row = list(row)
    for place in decimals:
        if "." in row[place]:
            row[place] = row[place].rstrip("0").rstrip(".")
    return tuple(row)


def describe(table, names, their, our):
    if our is None:
        return f"{table}: a row too many: {dict(zip(names, their))}"
    if their is None:
        return f"{table}: a row is missing: {dict(zip(names, our))}"
    parts = [f"{name} is {left!r}, should be {right!r}"
             for name, left, right in zip(names, their, our) if left != right]
    return f"{table}: {'; '.join(parts)}\n    in {dict(zip(names, our))}"


def compare(ledger_path, reference_path, carry, vouched):
    """All tables; vouched: only these columns. Returns {table: rows}; raises Different."""
    if not os.path.exists(ledger_path):
        raise Different(f"there is no ledger {ledger_path}")
    ledger = sqlite3.connect(f"file:{ledger_path}?mode=ro", uri=True)
    reference = sqlite3.connect(reference_path)
    try:
        return {table: compare_table(ledger, reference, table, names if vouched is None else
                                     [name for name in names if name in vouched])
                for table, names in columns(carry).items()
                if vouched is None or vouched.intersection(names)}
    except sqlite3.Error as error:
        raise Different(f"the ledger cannot be read: {error}") from None
    finally:
        ledger.close()
        reference.close()


def ask(path, query):
    """What a reader beside the running process sees; [] if there is nothing to ask."""
    if not os.path.exists(path):
        return []
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return database.execute(query).fetchall()
    except sqlite3.Error:
        return []
    finally:
        database.close()


# What a follower has of its own: where its log stands.
SAME = {"payonce_pipeline": "pipeline, format, epoch, chain, journal_id, watermark, seed_epoch,"
                            " rules, carry, transactions_next, duplicates_next,"
                            " dead_letters_next, metrics_next",
        "payonce_cursor": "*", "payonce_total": "*", "payonce_epoch": "*",
        "payment_transactions": "*", "payment_duplicates": "*", "payment_dead_letters": "*",
        "payment_metrics": "*"}


def same_databases(ledger, follower):
    """The same rows in every table, byte for byte."""
    database = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    try:
        database.execute("ATTACH ? AS follower", (f"file:{follower}?mode=ro",))
        for table, names in SAME.items():
            for one, other in (("main", "follower"), ("follower", "main")):
                more = database.execute(
                    f"SELECT count(*) FROM (SELECT {names} FROM {one}.{table} EXCEPT"
                    f" SELECT {names} FROM {other}.{table})").fetchone()[0]
                if more:
                    raise Different(f"{table}: {more} rows are in {one} and not in {other}")
    finally:
        database.close()


def copy_database(path, copy):
    """A consistent copy, as an operator takes one."""
    source, target = sqlite3.connect(path, timeout=10), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()


def check_future(ledger_path, max_future):
    """The reference has no arrivals; the ledger's rows have, and must fit to their verdicts."""
    beyond = f"event_time > arrival_time + {max_future}"
    for what, table in ((beyond, "payment_transactions"), (beyond, "payment_duplicates"),
                        (f"({beyond}) <> (verdict = 'future') AND verdict <> 'invalid'",
                         "payment_dead_letters")):
        wrong = ask(ledger_path, f"SELECT seq, event_time, arrival_time FROM {table} WHERE {what}")
        if wrong:
            raise Different(f"{table}: {len(wrong)} rows whose arrival and verdict do not fit:"
                            f" {wrong[:SHOWN]}")


def check(folder, data_dir="data", reference="reference.db", ledger=None, vouched=None):
    """The ledger of the folder against its reference. Returns {table: rows}."""
    settings = load(os.path.join(folder, "payonce.yaml"))
    ledger = ledger or os.path.join(folder, data_dir, "payments.db")
    rows = compare(ledger, os.path.join(folder, reference), settings["payment.carry"], vouched)
    if vouched is None:  # No reader of a ledger can tell a changed arrival from the true one.
        check_future(ledger, milliseconds(settings["watermark.max_future"]))
    return rows


def simulate(folder, files, count, *more):
    """Simulated payments in several files, with their truth."""
    outputs = [word for number in range(files) for word in ("--to", f"file:s{number}.jsonl")]
    done = payonce(["simulate", *outputs, "--truth", "truth.csv", "--count", str(count),
                    "--out-of-order", "2s", *more], folder)
    if done.returncode != 0:
        raise Different(f"simulate: {done.stderr}")
    return [f"s{number}.jsonl" for number in range(files)]


class Tally:
    """Counts what passed, keeps the folder of what did not."""

    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.folder = tempfile.mkdtemp(prefix=f"payonce-{name}-")

    def fresh(self, name):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder)
        return folder

    def good(self, folder=None):
        self.passed += 1
        if folder is not None:
            shutil.rmtree(folder)

    def bad(self, what, why):
        self.failed += 1
        print(f"FAILED {what}\n  {why}", flush=True)

    def end(self):
        """The closing line; the exit code."""
        print(f"{self.name}: {self.passed} passed, {self.failed} failed"
              + (f", {self.skipped} skipped" if self.skipped else ""), flush=True)
        if self.failed:
            print(f"what is left of it: {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder)
        return 1 if self.failed else 0


def need_program():
    if not os.access(PAYONCE, os.X_OK):
        print("PAYONCE must name the program to test", file=sys.stderr)
        sys.exit(2)
