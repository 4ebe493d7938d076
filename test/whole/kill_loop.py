#!/usr/bin/env python3
"""kill -9 with an oracle: whatever happens in between, the tables are those of the reference, in
the ledger and in the copy that follows it.

    PAYONCE=build/payonce kill_loop.py random [KILLS [SEED]]
    PAYONCE=build/payonce kill_loop.py ledger
    PAYONCE=build-crash/payonce kill_loop.py points SOURCE_TREE

random: start, kill after 20 to 500 ms, start again, with other sizes of epochs and other numbers
of parsers each time. ledger: the ledger or its follower deleted, emptied, replaced by an older copy,
the journal's volume lost, while payonce stands still and while it runs. points: one death at each place that
the sources call crash_point, in a build with -Dcrash_points=true; a place that is never reached
is a failure. At the end of each input: row by row, and payonce reconcile --expect.
"""
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import whole
from whole import PAYONCE, Different, Tally

PAYMENTS = 20000
SIGNS_OF_WORK_S = 180
FINISH_S = 600


class Input:
    """Simulated files, their reference, and a payonce that works on them in several starts."""

    def __init__(self, folder, dice, payments=PAYMENTS, forgetful=None, followed=True):
        """forgetful: most of what it reads is past memory, so the journal's oldest part goes."""
        self.folder = folder
        self.dice = dice
        forgetful = dice.random() < 0.5 if forgetful is None else forgetful
        rate, lateness = ("10/s", "10s") if forgetful else ("1000/s", "1h")
        paths = whole.simulate(folder, dice.choice([1, 2, 4]), payments, "--duplicates", "10%",
                               "--copies", "1..3", "--late", "1%", "--conflicts", "0.5%",
                               "--future", "0.2%", "--broken", "0.5%", "--rate", rate,
                               "--lateness", lateness, "--seed", str(dice.randrange(10 ** 9)))
        sinks = [{"name": "local", "type": "sqlite", "path": "ledger/payments.db"}]
        if followed:
            sinks.append({"name": "copy", "type": "sqlite", "path": "follower/copy.db",
                          "deliver": {"max_rows": dice.choice([50, 50000])}})
        for sink in sinks:
            os.mkdir(os.path.join(folder, os.path.dirname(sink["path"])))
        whole.write_configuration(folder, {
            "data_dir": "data", "source": {"file": {"paths": paths}},
            "watermark": {"lateness": lateness},
            "dedup": {"retention": "1m" if forgetful else "1h"},
            "journal": {"segment_size": "1MiB", "keep": "0s" if forgetful else "7d"},
            "sinks": sinks})
        whole.make_reference(folder)
        self.ledger = os.path.join(folder, "ledger", "payments.db")
        self.follower = os.path.join(folder, "follower", "copy.db") if followed else None
        self.data = os.path.join(folder, "data")

    def settings(self):
        return {"checkpoint.max_messages": self.dice.choice([1, 3, 20, 100, 1000]),
                "source.parser_threads": self.dice.choice([1, 4])}

    def start(self, settings=None, environment=None):
        with open(os.path.join(self.folder, "stderr"), "ab") as errors:
            return subprocess.Popen(
                [PAYONCE, *whole.run_arguments(settings or self.settings())], cwd=self.folder,
                stdout=subprocess.DEVNULL, stderr=errors,
                env=dict(os.environ, **(environment or {})))

    def said(self, size=1500):
        """The last of it."""
        with open(os.path.join(self.folder, "stderr"), encoding="utf-8", errors="replace") as file:
            return file.read()[-size:]

    def forget_said(self):
        if os.path.exists(os.path.join(self.folder, "stderr")):
            os.unlink(os.path.join(self.folder, "stderr"))

    def finish(self):
        """Let it run to the end, then compare and reconcile."""
        code = self.start({"checkpoint.max_messages": 10000}).wait(FINISH_S)
        if code != 0:
            raise Different(f"exit {code} at the last start: {self.said()}")
        self.compare()

    def compare(self):
        for path in filter(None, (self.ledger, self.follower)):
            whole.check(self.folder, ledger=path)
            done = whole.payonce(["reconcile", "payonce.yaml", "--ledger", path, "--expect",
                                  "truth.csv"], self.folder)
            if done.returncode != 0:
                raise Different(f"reconcile {path}: exit {done.returncode}: "
                                f"{done.stdout}{done.stderr}")
        if self.follower is not None:
            whole.same_databases(self.ledger, self.follower)

    def epoch(self):
        """Where the ledger stands; 0: it is not there."""
        found = whole.ask(self.ledger, "SELECT max(epoch) FROM payonce_pipeline")
        return found[0][0] if found and found[0][0] is not None else 0

    def wait_for_work(self, running, epochs=3):
        """Until a few more epochs have been delivered. False: it ended before."""
        target = self.epoch() + epochs
        deadline = time.monotonic() + SIGNS_OF_WORK_S
        while time.monotonic() < deadline:
            if running.poll() is not None:
                return False
            if self.epoch() >= target:
                return True
            time.sleep(0.002)
        raise Different("no sign of work")


def kill(running):
    """True if it was still there to be killed."""
    running.send_signal(signal.SIGKILL)
    return running.wait() == -signal.SIGKILL


def random_kills(wanted, seed):
    tally = Tally("kills")
    dice = random.Random(seed)
    kills = inputs = 0
    while kills < wanted and tally.failed == 0:
        inputs += 1
        folder = tally.fresh(str(inputs))
        try:
            work = Input(folder, dice)
            kills += kill_until_done(work, wanted - kills)
            work.finish()
            tally.good(folder)
        except Different as why:
            tally.bad(f"input {inputs} of seed {seed}", why)
    print(f"{kills} kills over {inputs} inputs")
    return tally.end()


def kill_until_done(work, most):
    """Kill it until it is done, at most so often."""
    kills = 0
    while kills < most:
        running = work.start()
        if work.dice.random() < 0.5:
            work.wait_for_work(running, 1)  # Else a slow machine is only killed as it starts.
        time.sleep(work.dice.uniform(0.02, 0.5))
        if kill(running):
            kills += 1
        elif running.returncode == 0:
            break
        else:
            raise Different(f"exit {running.returncode}: {work.said()}")
    return kills


def lose_all_of(path):
    for name in os.listdir(os.path.dirname(path)):
        os.unlink(os.path.join(os.path.dirname(path), name))


def lose_ledger(work):
    lose_all_of(work.ledger)


def lose_follower(work):
    lose_all_of(work.follower)


def restore_follower(work):
    lose_follower(work)
    os.replace(os.path.join(work.folder, "follower_copy.db"), work.follower)


def rewind_follower(work):
    whole.copy_database(os.path.join(work.folder, "follower_copy.db"), work.follower)


def empty_ledger(work):
    lose_ledger(work)
    with open(work.ledger, "wb"):
        pass


def restore_ledger(work):
    """As an operator would: the copy takes the place of the database and its side files."""
    lose_ledger(work)
    os.replace(os.path.join(work.folder, "copy.db"), work.ledger)


def rewind_ledger(work):
    """The older copy written into the database that is there: path and inode stay."""
    whole.copy_database(os.path.join(work.folder, "copy.db"), work.ledger)


def lose_journal(work):
    shutil.rmtree(work.data)


def lose_journal_and_follower(work):
    """It is filled from the ledger's rows."""
    lose_journal(work)
    lose_follower(work)


def lose_journal_rewind_follower(work):
    lose_journal(work)
    rewind_follower(work)


def lose_all(work):
    lose_journal(work)
    lose_ledger(work)
    lose_follower(work)


def corrupt_nothing(_):
    """Only the starts and kills around it."""


MISHAPS = (lose_ledger, empty_ledger, restore_ledger, rewind_ledger, lose_journal, lose_all,
           lose_follower, restore_follower, rewind_follower, lose_journal_and_follower,
           lose_journal_rewind_follower, corrupt_nothing)
OF_THE_JOURNAL = (lose_journal, lose_all, lose_journal_and_follower, lose_journal_rewind_follower)


def ledger_mishaps():
    tally = Tally("mishaps")
    dice = random.Random(7)
    for while_running in (False, True):
        for mishap in MISHAPS:
            if while_running and mishap in OF_THE_JOURNAL:
                continue  # A running process has its journal open: nothing is lost to it.
            what = f"{mishap.__name__}, {'running' if while_running else 'standing still'}"
            folder = tally.fresh(what.replace(", ", "-").replace(" ", "-"))
            try:
                work = Input(folder, dice, 8000, False)
                print(f"{what}: {one_mishap(work, mishap, while_running)}", flush=True)
                tally.good(folder)
            except Different as why:
                tally.bad(what, why)
    return tally.end()


def one_mishap(work, mishap, while_running):
    """What the process did about it, in words."""
    small = {"checkpoint.max_messages": 5}
    running = work.start(small)
    if not work.wait_for_work(running):
        raise Different(f"it ended too early: exit {running.returncode}: {work.said()}")
    whole.copy_database(work.ledger, os.path.join(work.folder, "copy.db"))
    whole.copy_database(work.follower, os.path.join(work.folder, "follower_copy.db"))
    if not work.wait_for_work(running):
        raise Different(f"it ended too early: exit {running.returncode}: {work.said()}")
    if while_running:
        mishap(work)
        code = running.wait(FINISH_S)
        word = f"the running process ended with {code}"
    else:
        if not kill(running):
            raise Different("it ended before it was killed")
        mishap(work)
        code = work.start(small).wait(FINISH_S)
        word = f"the next start ended with {code}"
        if code != 0:
            raise Different(f"{word}: {work.said()}")
    work.finish()
    return word


def crash_points(tree):
    """The names in the sources."""
    found = set()
    for folder, _, names in os.walk(os.path.join(tree, "src")):
        for name in names:
            if name.endswith(".c") and not name.endswith("_test.c"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found |= set(re.findall(r'crash_point\("(\w+)"\)', file.read()))
    return sorted(found)


def before_nothing(work):
    """A first start."""


def before_recovery(work):
    """Died with sealed epochs that the ledger lacks."""
    running = work.start({"checkpoint.max_messages": 3})
    work.wait_for_work(running)
    kill(running)


def before_torn(work):
    """Died while writing."""
    work.start({"checkpoint.max_messages": 3}, {"PAYONCE_CRASH_AT": "half_write:40"}).wait(FINISH_S)


def before_seed(work):
    """The journal's volume is lost."""
    before_recovery(work)
    lose_journal(work)


def before_refill(work):
    """The ledger is lost."""
    before_recovery(work)
    lose_ledger(work)


def before_follower(work):
    """The journal's volume and the follower are lost."""
    before_recovery(work)
    lose_journal_and_follower(work)


def before_trim(work):
    """Segments to let go of: see Input's forgetful."""


def before_decision(work):
    """One more file was read and then replaced; an operator has decided to adopt it."""
    tree = whole.read_configuration(work.folder)
    tree["source"]["file"]["paths"].append("extra")
    whole.write_configuration(work.folder, tree)
    for name in ("extra", "extra.before"):
        with open(os.path.join(work.folder, name), "w", encoding="utf-8") as file:
            file.write("no payment\nnor this\n")
    if work.start().wait(FINISH_S) != 0:
        raise Different(f"not read: {work.said()}")
    with open(os.path.join(work.folder, "extra"), "w", encoding="utf-8") as file:
        file.write("another line\nand one more\nand a last one\n")
    done = whole.payonce(["adopt-topic", "extra", "--by", "eve", "--no-wait"], work.folder)
    if done.returncode != 0:
        raise Different(f"not decided: {done.stderr}")
    whole.make_replaced_reference(work.folder, "reference.db",
                                  len(tree["source"]["file"]["paths"]) - 1, "extra.before")


# The story, how much there is to read, whether it is forgotten.
STORIES = ((before_nothing, 500, False), (before_recovery, 1000, False), (before_torn, 500, False),
           (before_seed, 1000, False), (before_refill, 1000, False),
           (before_follower, 1000, False), (before_trim, 9000, True),
           (before_decision, 500, False))
AGAIN = 4  # The same point once more, so many passings later.


def points(tree):
    tally = Tally("points")
    dice = random.Random(11)
    for point in crash_points(tree):
        reached = []
        for story in STORIES:
            if not reached and one_death(tally, dice, story, point, 1):
                reached.append(f"{point}:1 {story[0].__name__}")
                if one_death(tally, dice, story, point, AGAIN):
                    reached.append(f"{point}:{AGAIN}")
        if not reached:
            tally.bad(point, "no story reaches it")
        else:
            print(", ".join(reached), flush=True)
    return tally.end()


def one_death(tally, dice, story, point, nth):
    """Was it reached? What came of it is in the tally."""
    before, payments, forgetful = story
    what = f"{point}-{nth}-{before.__name__}"
    folder = tally.fresh(what)
    try:
        reached = die_at(Input(folder, dice, payments, forgetful), before, point, nth)
        if reached:
            tally.good()
        shutil.rmtree(folder)
        return reached
    except Different as why:
        tally.bad(what, why)
        return True


def die_at(work, story, point, nth):
    """False: it was never there. The end is compared in any case."""
    story(work)
    running = work.start({"checkpoint.max_messages": 20},
                         {"PAYONCE_CRASH_AT": f"{point}:{nth}"})
    if point.startswith("stop"):
        work.wait_for_work(running)
        running.send_signal(signal.SIGTERM)
    code = running.wait(FINISH_S)
    if code not in (0, -signal.SIGKILL):
        raise Different(f"exit {code}: {work.said()}")
    work.finish()
    return code == -signal.SIGKILL


def main(arguments):
    whole.need_program()
    if arguments[1:2] == ["random"]:
        numbers = [int(word) for word in arguments[2:]]
        return random_kills(*(numbers + [200, 1][len(numbers):]))
    if arguments[1:2] == ["ledger"]:
        return ledger_mishaps()
    if arguments[1:2] == ["points"] and len(arguments) == 3:
        return points(arguments[2])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
