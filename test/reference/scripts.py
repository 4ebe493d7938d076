#!/usr/bin/env python3
"""The judge and the C core, told the same story in merged order.

    JUDGE_TOOL=build/test/judge_tool scripts.py [FIRST [COUNT]]

For what files cannot do: sources that fall idle and come back, new ones, skew, starts, changed
rules, arrival beside max_future, offsets that are lost, topics made anew. Every answer is compared,
every window at the end, and of every source that next - start is all that was counted.
"""
import os
import random
import subprocess
import sys
from collections import Counter

from boundaries import AMOUNTS, CURRENCIES, IDS, PARTIES, REGIONS
from judge import NONE, Judge
from payments import Parser
from reference import REASONS, billionths_text
from rules import Rules
from settings import load
from strict_json import Refused

BASE_MS = 1_700_000_000_000
STEPS = [0, 1, 1000, 60_000, 600_000]
EMPTY = str(-2**63)
LENGTHS_MAX = 8
VERDICTS = ("accepted", "duplicate", "conflict", "late", "future", "invalid", "skipped", "gap")


def make_rules(dice, groups):
    pick = dice.choice
    return [pick(STEPS), pick(STEPS), pick([0, 1, 300_000]), pick([1000, 60_000, 600_000]),
            pick([1000, 60_000, 90_000]), groups, pick([1, 2, 1000]), pick([0, 30, 60])]


def rules_of(numbers):
    names = ("watermark.lateness", "dedup.retention", "watermark.max_future", "watermark.align",
             "metrics_window.every")
    settings = load({})
    settings.update({name: f"{ms}ms" for name, ms in zip(names, numbers)})
    settings.update({"metrics_window.max_groups": numbers[5], "fraud.max_senders": numbers[6],
                     "fraud.high_risk_above": numbers[7]})
    return Rules(settings)


class Script:
    """One story: commands for the tool, and what the reference answers."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.parser = Parser(load({}))
        self.commands, self.answers = [], []
        self.offsets = []
        self.counts = []  # Of each source, by verdict.
        self.over = set()  # Those of an incarnation that is over.
        self.storm = self.dice.random() < 0.2  # One sender pays again and again.
        self.parties = PARTIES[:1] if self.storm else PARTIES
        self.accepted = []
        groups = self.dice.choice([1, 2, 1000])
        numbers = make_rules(self.dice, groups)
        self.judge = Judge(rules_of(numbers))
        self.command("rules", *numbers)
        for _ in range(self.dice.choice([1, 2, 3, 5])):
            self.source()

    def command(self, *words):
        self.commands.append(" ".join(str(word) for word in words))

    def source(self):
        self.command("source", f"t{self.judge.join()}")
        self.joined()

    def start(self):
        """Every source is active again; what is over is ended again by the same start."""
        self.command("start")
        self.judge.note_start()
        for number in sorted(self.over):
            self.command("ended", number)
            self.judge.note_standing(number, "ended")

    def joined(self):
        self.offsets.append(0)
        self.counts.append(Counter())

    def alive(self):
        return self.dice.choice([number for number in range(len(self.offsets))
                                 if number not in self.over])

    def gap(self, number):
        """Some offsets do not come, and it is acknowledged that some behind them are lost."""
        skipped, lost = self.dice.choice([0, 0, 3]), self.dice.choice([1, 2, 1000])
        first = self.offsets[number] + 1 + skipped
        self.command("gap", number, first, first + lost)
        self.offsets[number] += skipped + lost
        self.counts[number].update(skipped=skipped, gap=lost)

    def adopt(self, number):
        self.command("adopt", number)
        self.judge.adopt(number)
        self.over.add(number)
        self.joined()
        self.message(len(self.offsets) - 1)

    def balances(self):
        for number, counts in enumerate(self.counts):
            self.command("balance", number)
            self.answers.append(" ".join(["balance", str(self.offsets[number]), *(
                str(counts[verdict]) for verdict in VERDICTS)]))

    def tell(self, length):
        for _ in range(length):
            chance = self.dice.random()
            if chance < 0.78:
                self.message(self.alive())
            elif chance < 0.79:
                self.gap(self.alive())
            elif chance < 0.80:
                self.adopt(self.alive())
            elif chance < 0.88:
                number = self.alive()
                standing = self.dice.choice(["idle", "idle", "ended", "active"])
                self.command(standing, number)
                self.judge.note_standing(number, standing)
            elif chance < 0.89:
                self.source()
            elif chance < 0.90:
                self.start()
            elif chance < 0.92 and self.may_change_rules():
                numbers = make_rules(self.dice, self.judge.rules.groups_max)
                self.command("rules", *numbers)
                self.judge.note_rules(rules_of(numbers))
            elif chance < 0.96:
                self.aligned()
            else:
                self.command("epoch")
            self.command("watermark")
            mark = self.judge.watermark
            self.answers.append(f"watermark {EMPTY if mark == NONE else mark}")
        self.command("epoch")
        self.balances()

    def may_change_rules(self):
        """Only so many lengths of windows may be in force at once."""
        judge = self.judge
        return sum(start > judge.watermark for start, _ in judge.lengths) < LENGTHS_MAX - 1

    def aligned(self):
        count = len(self.offsets)
        backlog = [number for number in range(count) if self.dice.random() < 0.7]
        number = self.dice.randrange(count)
        self.command("aligned", number,
                     "".join("1" if other in backlog else "0" for other in range(count)))
        self.answers.append(f"aligned {int(self.judge.may_take(number, backlog))}")

    def moment(self, number):
        source, rules = self.judge.sources[number], self.judge.rules
        base = source.newest if source.newest != NONE else BASE_MS
        if self.storm and self.dice.random() < 0.9:
            return base + self.dice.choice([1, 500, 4000])
        edges = [base, base + self.dice.choice(STEPS), base + rules.lateness]
        if self.judge.passed(source) != NONE:
            edges += [self.judge.passed(source)] * 3
        if self.judge.watermark != NONE:
            edges += [self.judge.watermark] * 2
        for first in self.accepted[-6:]:
            edges += [first.event_ms, first.event_ms + rules.retention,
                      first.event_ms + rules.retention + rules.lateness,
                      first.event_ms + 60_000, first.event_ms + 300_000]
        return self.dice.choice(edges) + self.dice.choice([-1, 0, 0, 1])

    def message(self, number):
        pick = self.dice.choice
        moment = self.moment(number)
        arrival = moment + pick([0, 10 ** 6, -self.judge.rules.max_future] + [10 ** 6] * 5)
        arrival += pick([-1, 0, 1])
        ident = pick(IDS[:4] + [f"n{self.dice.randrange(10 ** 6)}"])
        sender, receiver, amount, currency = (pick(self.parties), pick(self.parties),
                                              pick(AMOUNTS), pick(CURRENCIES))
        if self.accepted and self.dice.random() < 0.5:
            like = pick(self.accepted[-20:])
            sender, receiver, amount, currency = (like.sender, like.receiver, like.amount_text,
                                                  like.currency)
            ident = pick([like.id, like.id, ident])
        region = pick([region for region in REGIONS if region is not None])
        line = (f'{{"transaction_id":"{escaped(ident)}","sender":"{sender}",'
                f'"receiver":"{receiver}","amount":{amount},"currency":"{currency}",'
                f'"timestamp":{moment},"region":"{region}"}}')
        if self.dice.random() < 0.03:
            line = line[:self.dice.randrange(len(line))]
        self.offsets[number] += 1
        self.command("message", number, self.offsets[number], arrival, line)
        self.judge_line(number, arrival, line)

    def judge_line(self, number, arrival, line):
        payment = why = None
        try:
            payment = self.parser.parse(line.encode())
        except Refused as refused:
            why = refused
        judgement = self.judge.message(number, self.offsets[number], arrival, payment)
        self.counts[number][judgement.verdict] += 1
        if judgement.verdict == "accepted":
            self.accepted.append(payment)
        self.answers.append(" ".join([judgement.verdict, *details(judgement, why)]))

    def windows(self):
        return {(str(start), currency, region): (
            str(window.count), billionths_text(window.total, window.places),
            str(int(self.judge.closed(window))))
            for (start, region, currency), window in self.judge.windows.items()}


def escaped(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


def details(judgement, why):
    if judgement.verdict == "accepted":
        return [str(judgement.score), str(int(judgement.high_risk)), str(judgement.velocity),
                str(judgement.count), judgement.look_alike or ""]
    if judgement.verdict == "duplicate" or judgement.verdict == "conflict":
        first = judgement.first
        earlier = judgement.verdict == "duplicate" and judgement.earlier
        return [str(first.source), str(first.offset), str(first.event_ms), str(int(earlier))]
    if judgement.verdict == "late":
        return [str(int(judgement.known_id))]
    if judgement.verdict == "invalid":
        return [REASONS[why.reason], str(why.position)]
    return []


def compare(seed, tool):
    """What differs first, in words; None: nothing does."""
    script = Script(seed)
    script.tell(script.dice.choice([20, 200, 1000]))
    done = subprocess.run([tool], input="\n".join(script.commands) + "\n", capture_output=True,
                          text=True, encoding="utf-8", check=False)
    answers, windows = [], {}
    for answer in done.stdout.splitlines():
        if answer.startswith("window "):
            _, start, count, total, closed, currency, region = answer.split(" ", 6)
            windows[start, currency, region] = (count, total, closed)
        else:
            answers.append(answer)
    for number, (their, our) in enumerate(zip(answers, script.answers)):
        if their != our:
            return f"answer {number} is {their!r}, should be {our!r}", script
    if done.returncode != 0 or len(answers) != len(script.answers):
        return f"exit {done.returncode}, {len(answers)} answers: {done.stdout[-300:]}", script
    if windows != script.windows():
        differ = sorted(set(windows.items()) ^ set(script.windows().items()))
        return f"windows: {differ[:6]}", script
    return None, script


def main(arguments):
    tool = os.environ.get("JUDGE_TOOL", "")
    first, count = ([int(word) for word in arguments[1:]] + [1, 150][len(arguments) - 1:])
    failed = answers = 0
    for seed in range(first, first + count):
        wrong, script = compare(seed, tool)
        answers += len(script.answers)
        if wrong is not None:
            failed += 1
            print(f"FAILED seed {seed}: {wrong}")
    print(f"{answers} answers agree\nscripts: {count - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
