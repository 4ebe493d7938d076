"""Stories of who owns what: a pod renamed, a volume lost, a ledger lost, two that think it theirs."""
import os
import random
import re
import shutil
import signal
import sqlite3
import time

import whole
from kafka_world import (WAIT_S, Pipeline, Streams, Transactions, demand, end_sending, say, story,
                         wait_until)

HALTED, FENCED = 65, 75
ASLEEP_S = (2, 25)  # Shorter, and longer than any session or transaction lasts.


def lose(path):
    """A database and what stands beside it."""
    for end in ("", "-wal", "-shm"):
        if os.path.exists(path + end):
            os.unlink(path + end)


def go_on(pipeline, settings, what):
    """Started, it comes further."""
    pipeline.start(settings)
    pipeline.wait_for_more(200, what)
    pipeline.wait_for_followers()
    say(f"{what}: it went on")


def must_halt(pipeline, settings, codes, what, says=""):
    """It says why, by one of these codes and with these words, and touches nothing."""
    before = pipeline.heads()
    done = whole.payonce(["run", "payonce.yaml", "--until-caught-up",
                          *whole.settings_arguments(settings)], pipeline.folder, timeout=WAIT_S)
    found = re.findall(r"^error\[(\w+)\]", done.stderr, re.MULTILINE)
    demand(done.returncode == HALTED and len(found) == 1 and found[0] in codes,
           f"{what}: exit {done.returncode}, said {found}: {done.stderr[-1500:]}")
    demand(re.search(rf"^ *next: .*{says}", done.stderr, re.MULTILINE),
           f"{what}: no next: {says}: {done.stderr}")
    demand(pipeline.heads() == before,
           f"{what}: it was halted, and yet {before} became {pipeline.heads()}")
    say(f"{what}: halted, {found[0]}")


def said(pipeline, event):
    demand(event in {told["event"] for told in pipeline.events()}, f"{event} was not said")


@story
def moved(options):
    pipeline = Pipeline("moved", 3)
    streams = Streams(pipeline, 3, 200 if options.scale >= 1 else 50)
    place = {"data_dir": "data"}
    go_on(pipeline, place, "a first start")
    pipeline.kill()
    place = {"data_dir": "pod-1/data"}
    os.mkdir(os.path.join(pipeline.folder, "pod-1"))
    os.rename(os.path.join(pipeline.folder, "data"), os.path.join(pipeline.folder, "pod-1", "data"))
    go_on(pipeline, place, "the pod has another name, its volume another path")
    pipeline.kill()
    must_halt(pipeline, {"data_dir": "other", "pipeline": "other"}, ("J022", "S035"),
              "a pipeline named after the pod, with the ledger of another")
    shutil.rmtree(os.path.join(pipeline.folder, "other"), ignore_errors=True)
    shutil.rmtree(os.path.join(pipeline.folder, "pod-1", "data"))
    go_on(pipeline, place, "the volume is lost, the ledger stands elsewhere")
    said(pipeline, "journal_rebuilt")
    pipeline.kill()
    shutil.rmtree(os.path.join(pipeline.folder, "pod-1", "data"))
    lose(pipeline.copy)
    go_on(pipeline, place, "the volume is lost, and the follower")
    pipeline.kill()
    shutil.rmtree(os.path.join(pipeline.folder, "pod-1", "data"))
    kept = os.path.join(pipeline.folder, "kept.db")
    whole.copy_database(pipeline.ledger, kept)
    lose(pipeline.ledger)
    must_halt(pipeline, place, ("J021",), "the volume is lost, and the ledger; a follower is left")
    lose(pipeline.ledger)
    os.replace(kept, pipeline.ledger)
    shutil.rmtree(os.path.join(pipeline.folder, "pod-1", "data"), ignore_errors=True)
    go_on(pipeline, place, "the ledger is back")
    sent = streams.end()
    pipeline.wait_for_the_end()
    pipeline.stop()
    say(f"rows {pipeline.prove(sent)}")
    return pipeline


def sleeps_unlocked(pipeline):
    """Stop it where it stands. False: it holds a database's lock, and nobody could take over."""
    pipeline.running.send_signal(signal.SIGSTOP)
    time.sleep(0.05)
    for path in () if pipeline.only else (pipeline.ledger, pipeline.copy):
        database = sqlite3.connect(path, isolation_level=None, timeout=0)
        try:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
        finally:
            database.close()
    return True


def one_zombie(pipeline, number, seconds):
    """It falls asleep; another one takes over from a copy of its volume; it wakes up."""
    asleep = pipeline.running
    while not sleeps_unlocked(pipeline):
        asleep.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    data = f"data{number}"
    shutil.copytree(os.path.join(pipeline.folder, f"data{number - 1}"),
                    os.path.join(pipeline.folder, data))
    pipeline.start({"data_dir": data}, f"stderr{number}")
    pipeline.wait_for_more(200, "the second instance takes over")
    time.sleep(seconds)
    asleep.send_signal(signal.SIGCONT)
    code = asleep.wait(timeout=WAIT_S)
    errors = f"stderr{number - 1}"
    codes = [event.get("code") for event in pipeline.events(errors)]
    demand(code == FENCED and "J030" in codes,
           f"the sleeper ended with {code}: {pipeline.said(errors)[-1500:]}")
    pipeline.wait_for_more(200, "the second instance goes on")


@story
def zombie(options):
    pipeline = Pipeline("zombie", 3, only=options.only)
    streams = Streams(pipeline, 3, 100)
    pipeline.start({"data_dir": "data0"}, "stderr0")
    pipeline.wait_for_more(200)
    times = max(2, int(20 * options.scale))
    for number in range(1, times + 1):
        one_zombie(pipeline, number, ASLEEP_S[number % 5 == 0])
    sent = streams.end()
    pipeline.wait_for_the_end()
    pipeline.stop()
    say(f"{times} sleepers fenced; rows {pipeline.prove(sent)}")
    return pipeline


def kill_soon(pipeline, dice):
    """Started with other sizes each time, it lives for a moment."""
    pipeline.start({"checkpoint.max_messages": dice.choice([3, 20, 100, 1000]),
                    "source.parser_threads": dice.choice([1, 4])})
    if dice.random() < 0.5:
        before = pipeline.head()[0]
        wait_until(lambda: pipeline.alive() and pipeline.head()[0] > before, "the topics move")
    time.sleep(dice.uniform(0.02, 0.8))
    pipeline.kill()


@story
def kills(options):
    dice = random.Random(options.seed)
    pipeline = Pipeline("kills", only=options.only)
    sender = pipeline.simulate("--rate", "50/s", "--duration", "5h")
    writer = Transactions(pipeline, options.seed, 20)
    writer.start()
    for number in range(options.kills):
        kill_soon(pipeline, dice)
        if number % 20 == 19:
            say(f"killed {number + 1} times; accepted so far {pipeline.count('accepted')}")
    writer.end()
    end_sending(sender)
    pipeline.start()
    pipeline.wait_for_the_end()
    pipeline.stop()
    say(f"{options.kills} kills; rows {pipeline.prove(writer.sent, writer.aborted - writer.sent)}")
    return pipeline


@story
def moved_only(options):
    """Kafka is the only sink: beside it stands a ledger of cursors, in the volume."""
    pipeline = Pipeline("moved-only", 3, only=True)
    streams = Streams(pipeline, 3, 200 if options.scale >= 1 else 50)
    go_on(pipeline, {}, "a first start")
    pipeline.kill()
    data, kept = (os.path.join(pipeline.folder, name) for name in ("data", "kept"))
    shutil.copytree(data, kept)
    for name in ("journal", "decisions"):
        shutil.rmtree(os.path.join(data, name))
    must_halt(pipeline, {}, ("J023",), "the journal is lost; the ledger of cursors has no payments",
              "restore the volume of data_dir")
    shutil.rmtree(data)
    must_halt(pipeline, {}, ("J021",), "the volume is lost; the topics are left")
    shutil.rmtree(data)
    shutil.copytree(kept, data)
    go_on(pipeline, {}, "the volume is back")
    pipeline.stop()
    now = os.path.join(pipeline.folder, "now")
    os.rename(data, now)
    shutil.copytree(kept, data)
    must_halt(pipeline, {}, ("J024",), "an older copy of the volume; the topics are further on")
    shutil.rmtree(data)
    os.rename(now, data)
    go_on(pipeline, {}, "the newest volume is back")
    sent = streams.end()
    pipeline.wait_for_the_end()
    pipeline.stop()
    say(f"rows {pipeline.prove(sent)}")
    return pipeline
