"""Stories of who owns what: a pod renamed, a volume lost, a ledger lost, two that think they own it."""
import os
import re
import shutil
import signal
import sqlite3
import time

import whole
from kafka_world import WAIT_S, Pipeline, Streams, demand, say, story, wait_until

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
    for path in (pipeline.ledger, pipeline.copy):
        wait_until(lambda path=path: pipeline.alive() and pipeline.cursors(path),
                   f"{what}: {os.path.basename(path)} is filled")
    say(f"{what}: it went on")


def must_halt(pipeline, settings, code, what):
    """It says why, and touches nothing."""
    before = [whole.ask(path, "SELECT epoch, chain FROM payonce_pipeline")
              for path in (pipeline.ledger, pipeline.copy)]
    done = whole.payonce(["run", "payonce.yaml", "--until-caught-up",
                          *whole.settings_arguments(settings)], pipeline.folder, timeout=WAIT_S)
    found = re.findall(r"^error\[(\w+)\]", done.stderr, re.MULTILINE)
    demand(done.returncode == HALTED and found == [code],
           f"{what}: exit {done.returncode}, said {found}: {done.stderr[-1500:]}")
    demand(re.search(r"^ *next: ", done.stderr, re.MULTILINE), f"{what}: no next: {done.stderr}")
    after = [whole.ask(path, "SELECT epoch, chain FROM payonce_pipeline")
             for path in (pipeline.ledger, pipeline.copy)]
    demand(after == before, f"{what}: it was halted, and yet {before} became {after}")
    say(f"{what}: halted, {code}")


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
    must_halt(pipeline, {"data_dir": "other", "pipeline": "other"}, "J022",
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
    must_halt(pipeline, place, "J021", "the volume is lost, and the ledger; a follower is left")
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
    for path in (pipeline.ledger, pipeline.copy):
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
    pipeline = Pipeline("zombie", 3)
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
