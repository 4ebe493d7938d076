#!/usr/bin/env python3
"""The long Kafka programme: a bad day in minutes. Nothing is lost, nothing is there twice.

    PAYONCE=build/payonce test/kafka/brokers run DIR --brokers 3 --proxied [--version 3.9] -- \\
        test/whole/kafka_long.py [--scale S] [--only] [--outage SECONDS] [--kills N] [--seed N] \\
        [NAME ...]

transactions  the shape of Kafka's own system test of transactions: 100,000 messages into six
              partitions, each broker killed three times and bounced three times, payonce killed
              on top, leaders moved, partitions added, aborted and open transactions in between
leader_away   a partition whose leader is gone for longer than the lateness: nothing is late
outage        no broker at all for a while: it heals by itself, and nothing spins
network_faults  between client and brokers: held, delayed, cut, refused, answers lost
moved         a pod renamed, its volume lost, its follower, its ledger
moved_only    the same where Kafka topics are the only sink
kills         payonce killed again and again, while payments come (--kills N)
zombie        asleep past its session while another one took over with a copy of its volume

--scale 0.1: a tenth of the messages, a third of the deaths. --only: Kafka topics are the only
sink; else a SQLite file is the ledger, and a SQLite file and the topics follow it. Each story ends
with its topic read by a reader that is not payonce's, judged by the Python reference, and compared
row by row with whatever payonce wrote.
"""
import argparse
import random
import sys
import time
import traceback

import kafka_moves  # noqa: F401: it has stories.
import kafka_outages  # noqa: F401
import kafka_world
import whole
import wire
from kafka_world import (BOOTSTRAP, NUMBERS, STORIES, Keeper, Pipeline, Transactions, demand, say,
                         story, wait_until)
from whole import Different


def death_of(verb, number):
    """One broker goes and comes back; then its partitions get their first leaders back."""
    if verb == "kill":
        kafka_world.brokers("kill", number)
        kafka_world.brokers("restart", number)
    else:
        kafka_world.brokers("bounce", number)
    wait_until(kafka_world.in_step, f"broker {number} is in step again")


@story
def transactions(options):
    dice = random.Random(options.seed)
    messages = int(100000 * options.scale)
    times = max(1, round(3 * min(1, options.scale * 3)))
    deaths = [(verb, number) for verb in ("kill", "bounce") for number in NUMBERS
              for _ in range(times)]
    dice.shuffle(deaths)
    pipeline = Pipeline("transactions", only=options.only)
    sender = pipeline.simulate("--rate", "250/s", "--count", str(messages))
    writer = Transactions(pipeline, options.seed)
    writer.start()
    pipeline.start()  # The first start with a sink ends if that is out of reach; so not yet.
    pipeline.wait_for_more(100, "a first start")
    pipeline.wait_for_followers()
    keeper = Keeper(pipeline, options.seed)
    keeper.start()
    for done, (verb, number) in enumerate(deaths):
        say(f"{verb} broker {number}; accepted so far {pipeline.count('accepted')}")
        death_of(verb, number)
        wire.elect_leaders(BOOTSTRAP, pipeline.topic)
        with keeper.held:
            pipeline.wait_for_more(200)
        if done == len(deaths) // 2:
            wire.create_partitions(BOOTSTRAP, pipeline.topic, kafka_world.PARTITIONS + 2)
    wait_until(lambda: sum(wire.offsets(BOOTSTRAP, pipeline.topic).values()) >= messages,
               f"{messages} messages", 1200)
    wait_until(lambda: sender.poll() is not None, "everything is sent", 1200)
    writer.end()
    kafka_world.end_sending(sender)
    keeper.end()
    pipeline.wait_for_the_end()
    pipeline.stop()
    rows = pipeline.prove(writer.sent, writer.aborted - writer.sent)
    demand(pipeline.count("skipped") > len(deaths), "there were markers and aborted records")
    say(f"brokers killed {3 * times} and bounced {3 * times} times, payonce killed {keeper.kills}"
        f" and stopped {keeper.stops} times; transactions {writer.counts}; rows {rows}")
    return pipeline


def read_arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--outage", type=float)
    parser.add_argument("--only", action="store_true")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10 ** 9))
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    unknown = set(options.names) - set(STORIES)
    if unknown or not BOOTSTRAP:
        parser.error(f"no such story: {unknown}" if unknown else "no brokers: see above")
    return options


def main():
    whole.need_program()
    options = read_arguments()
    passed = failed = 0
    for name in options.names or STORIES:
        say(f"{name}, seed {options.seed}, scale {options.scale}")
        began = time.monotonic()
        try:
            STORIES[name](options).remove()
            passed += 1
            say(f"{name}: passed in {time.monotonic() - began:.0f} s")
        except Exception as error:  # noqa: BLE001: the other stories are still to be told.
            failed += 1
            say(f"FAILED {name}\n  "
                f"{error if isinstance(error, Different) else traceback.format_exc()}")
            kafka_world.clear_up()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
