"""Stories of what cannot be reached: a leader, all brokers, a network that only half works."""
import os
import random
import time

import kafka_world
import wire
import whole
from kafka_world import (BOOTSTRAP, PROXIED, Keeper, Pipeline, Streams, demand, network, say,
                         story, wait_until)

FETCH = 1
LATENESS_S, IDLE_S, AWAY_S = 5, 2, 20
SOON = {"watermark": {"lateness": f"{LATENESS_S}s", "idle_after": f"{IDLE_S}s"},
        "dedup": {"retention": "1h"}}
OUTAGE_S = 30
SETTLED_S = 5  # Until it has noticed; from then on it only waits.
CORE_MAX = 0.05
OF_LIBRARY = {"source_client", "sink_client"}  # Its words, passed on.


def newest(pipeline):
    """{partition: its newest event time in s}"""
    return {part: moment / 1000 for part, moment in whole.ask(
        pipeline.ledger, "SELECT partition, newest_event FROM payonce_cursor"
                         " WHERE newest_event IS NOT NULL")}


def standing(pipeline, part):
    found = whole.ask(pipeline.ledger,
                      f"SELECT standing FROM payonce_cursor WHERE partition = {part}")
    return found[0][0] if found else None


def take_away(pipeline, streams, way, silent_before, restarted):
    """The leader of partition 0 goes for longer than the lateness; it comes back with all that was
    written meanwhile. silent_before: the partition has been idle before."""
    leader = wire.metadata(BOOTSTRAP, [pipeline.topic])["topics"][pipeline.topic][0]
    if silent_before:
        streams.each[0].silent.set()
        wait_until(lambda: standing(pipeline, 0) == "idle", "partition 0 is idle")
    say(f"{way} broker {leader}; partition 0 is {standing(pipeline, 0)}")
    before = newest(pipeline)
    kafka_world.brokers(way, leader)
    streams.each[0].silent.clear()
    until = time.monotonic() + AWAY_S
    if restarted:
        time.sleep(AWAY_S / 3)
        pipeline.kill()
        pipeline.start()
    time.sleep(max(0, until - time.monotonic()))
    now = newest(pipeline)
    ahead = max(now.values()) - now[0]
    demand(ahead > 2 * LATENESS_S,
           f"the others go on without partition 0: they are {ahead:.1f} s ahead of it")
    kafka_world.brokers("restart" if way == "kill" else "resume", leader)
    wait_until(lambda: newest(pipeline)[0] > before[0] + AWAY_S, "partition 0 is read again")
    demand(pipeline.count("late") == 0, f"{pipeline.count('late')} payments are late")
    wait_until(kafka_world.in_step, f"broker {leader} is in step again")


@story
def leader_away(options):
    pipeline = Pipeline("away", 3, replication=1, settings=SOON, only=options.only)
    streams = Streams(pipeline, 3)
    pipeline.start()
    pipeline.wait_for_more(100)
    ways = [(way, silent, restarted) for way in ("kill", "pause") for silent in (False, True)
            for restarted in (False, True)]
    for case in ways if options.scale >= 1 else random.Random(options.seed).sample(ways, 2):
        take_away(pipeline, streams, *case)
    sent = streams.end()
    pipeline.wait_for_the_end()
    pipeline.stop()
    say(f"rows {pipeline.prove(sent)}, late {pipeline.count('late')}")
    demand(pipeline.count("late") == 0, "not one payment is late")
    return pipeline


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@story
def outage(options):
    seconds = options.outage or (300 if options.scale >= 1 else OUTAGE_S)
    pipeline = Pipeline("outage", only=options.only, settings={"log": {"summary_every": "30s"}})
    streams = Streams(pipeline, 6, 20)
    pipeline.start()
    pipeline.wait_for_more(300)
    say(f"all brokers are killed, for {seconds:.0f} s")
    kafka_world.all_brokers("kill")
    time.sleep(SETTLED_S)
    before, lines = processor_seconds(pipeline.running.pid), len(pipeline.events())
    time.sleep(seconds - SETTLED_S)
    used = processor_seconds(pipeline.running.pid) - before
    said = pipeline.events()[lines:]
    pipeline.alive()
    kafka_world.all_brokers("restart")
    began = time.monotonic()
    pipeline.wait_for_more(300, "it reads again by itself")
    say(f"{used:.2f} s of processor time in {seconds - SETTLED_S:.0f} s, {len(said)} lines said;"
        f" reading again after {time.monotonic() - began:.1f} s")
    demand(used < CORE_MAX * (seconds - SETTLED_S), f"it spins: {used:.2f} s of processor time")
    demand(len(said) <= 10 + seconds / 10, f"it says too much: {said}")
    sent = streams.end()
    pipeline.wait_for_the_end()
    pipeline.stop()
    told_once(pipeline)
    say(f"rows {pipeline.prove(sent)}")
    return pipeline


def told_once(pipeline):
    """Start, fault, its end and stop: a line each, and no more; the lag; and what next."""
    events = pipeline.events()
    names = [event["event"] for event in events]
    for name in ("started", "source_unreachable", "source_recovered", "sink_unreachable",
                 "sink_recovered", "stopped"):
        demand(names.count(name) == 1, f"{name} is said {names.count(name)} times: {names}")
    for event in events:
        if event["level"] != "info" and event["event"] not in OF_LIBRARY:
            demand(event.get("code") and event.get("next"), f"no code or no next: {event}")
    lags = [event["lag"] for event in events if event["event"] == "summary"]
    demand(lags, f"nothing is said of the lag: {names}")


def misbehave(dice, net, long):
    """Something for a while, of one route or of all; then not any more."""
    route = dice.choice([[], [1], [2], [3]])
    begin, end = dice.choice([
        (["hold"], ["flow"]), (["mute"], ["flow"]), (["delay", 400], ["delay", 0]),
        (["refuse"], ["accept"]), (["cut"], ["cut"]), (["lose", FETCH, 3], ["lose", FETCH, 0])])
    seconds = 35 if long else dice.uniform(1, 12)
    say(f"{' '.join(map(str, begin + route))}, {seconds:.0f} s")
    net(*begin, *route)
    time.sleep(seconds)
    net(*end, *route)


@story
def network_faults(options):
    dice = random.Random(options.seed)
    rounds = max(4, int(30 * options.scale))
    pipeline = Pipeline("network", servers=PROXIED, only=options.only)
    with network(pipeline.folder) as net:
        streams = Streams(pipeline, 6)
        pipeline.start()
        keeper = Keeper(pipeline, options.seed, (10, 30))
        keeper.start()
        for number in range(rounds):
            misbehave(dice, net, long=options.scale >= 1 and number % 10 == 9)
            time.sleep(1)
        with keeper.held:
            pipeline.wait_for_more(100)
        sent = streams.end()
        keeper.end()
        pipeline.wait_for_the_end()
        pipeline.stop()
    demand(pipeline.count("late") == 0, "not one payment is late")
    say(f"{rounds} faults; payonce killed {keeper.kills} and stopped {keeper.stops} times;"
        f" rows {pipeline.prove(sent)}")
    return pipeline
