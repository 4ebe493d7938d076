#!/usr/bin/env python3
"""A Kafka sink behind a ledger, or alone: what a reader of committed records finds there is what
the ledger holds, row by row, whatever happened to payonce, its topics and its cursor."""
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
import unittest
from decimal import Decimal

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from case import KafkaCase  # noqa: E402
from records import read_topic  # noqa: E402
from producer import Producer  # noqa: E402
import wire  # noqa: E402

TABLES = ("payment_transactions", "payment_duplicates", "payment_dead_letters", "payment_metrics")
FLAGS = ("is_high_risk", "earlier", "known_id", "closed")
MESSAGES = 4000
KILLS = 8
FENCED, HALTED = 75, 65
STOP_S = 15  # Ten, and some for a busy machine.


def halves(count):
    return [count // 2, count - count // 2]


class SinkCase(KafkaCase):

    def begin(self, *sinks, **more):
        """A source, and a topic for each table; sinks: which of "ledger", "kafka" there are."""
        self.source = self.topic(3)
        self.pipeline = f"pipeline-{self.source.rsplit('-', 2)[1]}-{self.source.rsplit('-', 1)[1]}"
        self.topics = {table: self.topic(2 if table == TABLES[0] else 1) for table in TABLES}
        self.truths = []
        entries = {"ledger": {"name": "local", "type": "sqlite", "path": "payments.db"},
                   "kafka": {"name": "out", "type": "kafka", "topics": self.topics}}
        self.ledger = "payments.db" if "ledger" in sinks else "data/ledger.db"
        self.configuration = {
            "pipeline": self.pipeline, "data_dir": "data",
            "source": {"type": "kafka", "kafka": {"brokers": self.bootstrap.split(","),
                                                  "topics": [self.source]}},
            "checkpoint": {"max_messages": 100},
            "sinks": [entries[sink] for sink in sinks], **more}
        self.configure()

    def configure(self):
        with open(os.path.join(self.folder, "payonce.yaml"), "w", encoding="utf-8") as file:
            json.dump(self.configuration, file)

    def send(self, count, seed, *more):
        truth = f"truth{len(self.truths)}.csv"
        self.truths.append(truth)
        self.payonce("simulate", "--to", self.place(self.source), "--count", count, "--duplicates",
                     "5%", "--copies", "1..3", "--conflicts", "1%", "--broken", "1%", "--late",
                     "1%", "--clock", "virtual", "--seed", seed, "--truth", truth, *more)

    def catch_up(self, code=0):
        return self.payonce("run", "payonce.yaml", "--until-caught-up", code=code)

    def values(self, table):
        """What stands in the table's topic, partition by partition."""
        records = read_topic(self.bootstrap, self.topics[table])
        return [(record, json.loads(record.value)) for record in records]

    def ask(self, sql, ledger=None):
        with sqlite3.connect(os.path.join(self.folder, ledger or self.ledger)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(sql)]

    def flags(self, row):
        return {name: value if name not in FLAGS or value is None else bool(value)
                for name, value in row.items()}

    def await_commits(self, *tables):
        """What is committed is there for readers once the brokers have written so everywhere."""
        for topic in (self.topics[table] for table in tables):
            self.until(lambda topic=topic: wire.offsets(self.bootstrap, topic) ==
                       wire.offsets(self.bootstrap, topic, committed=True))

    def check_rows(self, table):
        self.await_commits(table)
        values = self.values(table)
        rows = [self.flags(row) for row in self.ask(f"SELECT * FROM {table} ORDER BY seq")]
        self.assertEqual(sorted((value for _, value in values), key=lambda value: value["seq"]),
                         rows)
        for part in {record.partition for record, _ in values}:
            seqs = [value["seq"] for record, value in values if record.partition == part]
            self.assertEqual(seqs, sorted(seqs))
        for record, value in values:
            self.assertEqual(record.key, value["transaction_id"] and
                             value["transaction_id"].encode())
        return values

    def check_windows(self):
        """The last version of each window, and versions that only ever grow."""
        newest, counts = {}, {}
        self.await_commits("payment_metrics")
        for record, value in self.values("payment_metrics"):
            self.assertGreaterEqual(value["transaction_count"], counts.get(record.key, 0))
            counts[record.key] = value["transaction_count"]
            newest[record.key] = value
        rows = {(row["metric_time"], row["region"], row["currency"]): self.flags(row)
                for row in self.ask("SELECT * FROM payment_metrics")}
        self.assertEqual(len(newest), len(rows))
        for value in newest.values():
            row = rows[value["metric_time"], value["region"], value["currency"]]
            self.assertEqual({name: row[name] for name in value}, value)

    def check_headers(self, letters):
        for record, value in letters:
            headers = {name: text.decode() for name, text in record.headers}
            self.assertEqual(headers["payonce.verdict"], value["verdict"])
            self.assertEqual(headers["payonce.reason"], value["reason"])
            self.assertEqual(headers["__connect.errors.topic"], self.source)
            self.assertEqual(headers["__connect.errors.partition"], str(value["source_partition"]))
            self.assertEqual(headers["__connect.errors.offset"], str(value["source_offset"]))

    def check_follower(self):
        """All the ledger's tables, and nothing else."""
        payments = self.check_rows("payment_transactions")
        self.check_rows("payment_duplicates")
        self.check_headers(self.check_rows("payment_dead_letters"))
        self.check_windows()
        return payments

    def check_truth(self):
        """Without a ledger that has rows: what was sent, and what the ledger's totals say."""
        sent = {row["transaction_id"]: row for truth in self.truths for row in self.truth(truth)}
        accepted = {key: row for key, row in sent.items() if row["expected"] == "accepted"}
        self.await_commits(*TABLES)
        values = [value for _, value in self.values("payment_transactions")]
        self.assertEqual(len(values), len({value["transaction_id"] for value in values}))
        self.assertEqual({value["transaction_id"]: (Decimal(value["amount"]), value["currency"])
                          for value in values},
                         {key: (Decimal(row["amount"]), row["currency"])
                          for key, row in accepted.items()})
        for table, verdicts in (("payment_transactions", "'accepted'"),
                                ("payment_duplicates", "'duplicate'"),
                                ("payment_dead_letters",
                                 "'conflict', 'late', 'future', 'invalid'")):
            seqs = sorted(value["seq"] for _, value in self.values(table))
            count, = self.ask("SELECT ifnull(sum(count), 0) AS n FROM payonce_total"
                              f" WHERE verdict IN ({verdicts})")
            self.assertEqual(seqs, list(range(1, count["n"] + 1)))

    def kill_often(self, seed):
        dice = random.Random(seed)
        for part, count in enumerate([MESSAGES // KILLS] * KILLS):
            self.send(count, seed + part)
            process = self.start("run", "payonce.yaml")
            time.sleep(dice.uniform(0.05, 1.2))
            process.kill()
            process.wait()
            self.forget_deaths()

    def forget_deaths(self):
        """It was us who killed it, not what it read."""
        path = os.path.join(self.folder, "data", "deaths")
        if os.path.exists(path):
            os.remove(path)


class SinkTest(SinkCase):

    def test_a_follower_has_what_the_ledger_has(self):
        self.begin("ledger", "kafka")
        for seed, count in enumerate(halves(MESSAGES)):
            self.send(count, seed)
            self.catch_up()
        self.assertGreater(len(self.check_follower()), MESSAGES * 9 // 10)

    def test_a_follower_survives_kills(self):
        self.begin("ledger", "kafka")
        self.kill_often(100)
        self.catch_up()
        self.check_follower()

    def test_a_lone_sink_survives_kills(self):
        self.begin("kafka")
        self.kill_often(200)
        self.catch_up()
        self.check_truth()

    def test_a_first_start_waits_for_what_a_dead_one_left_open(self):
        """It died in its first transaction, before it had noted anywhere that there is a sink."""
        self.begin("kafka")
        self.send(200, 1)
        group = f"payonce-{self.pipeline}-out"
        dead = Producer(self.bootstrap, self.topics[TABLES[0]], group, timeout_ms=14000)
        dead.begin()
        dead.set_cursor(group, 0, 0, "of nobody")
        self.catch_up()
        self.check_truth()

    def test_a_first_start_that_waits_ends_when_asked(self):
        self.begin("kafka")
        group = f"payonce-{self.pipeline}-out"
        dead = Producer(self.bootstrap, self.topics[TABLES[0]], group, timeout_ms=30000)
        dead.begin()
        dead.set_cursor(group, 0, 0, "of nobody")
        process = self.start("run", "payonce.yaml")
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        self.finish(process, timeout=20)

    def test_files_can_be_the_source(self):
        self.begin("ledger", "kafka")
        self.payonce("simulate", "--to", "file:in.jsonl", "--count", MESSAGES, "--duplicates", "5%")
        self.configuration["source"] = {"type": "file", "file": {"paths": ["in.jsonl"]}}
        self.configuration["sinks"][1]["kafka"] = {"brokers": self.bootstrap.split(",")}
        self.configure()
        self.catch_up()
        self.assertEqual(len(self.check_follower()), MESSAGES)

    def test_one_that_comes_later_is_filled_from_the_beginning(self):
        self.begin("ledger", "kafka", journal={"keep": "0s", "segment_size": "1MiB"})
        follower = self.configuration["sinks"].pop()
        self.configure()
        for seed, count in enumerate(halves(MESSAGES)):
            self.send(count, seed)
            self.catch_up()
        self.configuration["sinks"].append(follower)
        self.configure()
        self.catch_up()
        self.check_follower()
        self.send(500, 9)
        self.catch_up()
        self.check_follower()

    def test_only_the_tables_that_are_named_are_sent(self):
        self.begin("ledger", "kafka")
        self.configuration["sinks"][1]["topics"] = {TABLES[0]: self.topics[TABLES[0]]}
        self.configure()
        self.send(500, 1)
        self.catch_up()
        self.check_rows(TABLES[0])
        for table in TABLES[1:]:
            self.assertEqual(wire.offsets(self.bootstrap, self.topics[table]), {0: 0})

    def test_topics_made_anew_are_filled_again(self):
        self.begin("ledger", "kafka")
        self.send(500, 1)
        self.catch_up()
        for name in self.topics.values():
            wire.delete_topic(self.bootstrap, name)
        for name in self.topics.values():
            wire.create_topic(self.bootstrap, name, 1)
        self.send(500, 2)
        self.catch_up()
        self.check_follower()

    def test_a_topic_that_is_missing_at_a_start_is_waited_for(self):
        self.begin("ledger", "kafka")
        self.send(300, 1)
        self.catch_up()
        metrics = self.topics["payment_metrics"]
        wire.delete_topic(self.bootstrap, metrics)
        self.send(300, 2)
        process = self.start("run", "payonce.yaml")
        self.until(lambda: len(self.ask("SELECT seq FROM payment_transactions")) > 550)
        wire.create_topic(self.bootstrap, metrics, 1)
        self.until(lambda: len(self.values(TABLES[0])) > 550)
        process.send_signal(signal.SIGTERM)
        self.finish(process)
        self.check_rows(TABLES[0])

    def test_records_without_a_cursor_halt_the_follower_and_nothing_is_doubled(self):
        self.begin("ledger", "kafka")
        self.send(500, 1)
        self.catch_up()
        before = len(self.values(TABLES[0]))
        self.brokers("tool", "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
                     "--bootstrap-server", self.bootstrap, "--delete", "--group",
                     f"payonce-{self.pipeline}-out")
        self.send(500, 2)
        said = self.catch_up(code=HALTED)
        self.assertIn("S035", said)
        self.assertIn("sink_cursor_lost", said)
        self.assertEqual(len(self.values(TABLES[0])), before)
        self.assertGreater(len(self.ask("SELECT seq FROM payment_transactions")), before)

    def test_a_cursor_that_somebody_has_set_halts_the_follower(self):
        self.begin("ledger", "kafka")
        self.send(500, 1)
        self.catch_up()
        before = len(self.values(TABLES[0]))
        wire.commit_group(self.bootstrap, f"payonce-{self.pipeline}-out", self.topics[TABLES[0]],
                          {0: 1})
        self.send(500, 2)
        self.assertIn("S004", self.catch_up(code=HALTED))
        self.assertEqual(len(self.values(TABLES[0])), before)

    def test_a_second_pipeline_cannot_write_into_the_same_topics(self):
        self.begin("ledger", "kafka")
        self.send(200, 1)
        self.catch_up()
        shutil.rmtree(os.path.join(self.folder, "data"))
        os.remove(os.path.join(self.folder, "payments.db"))
        self.configuration["pipeline"] = "another"
        self.configure()
        self.assertIn("S035", self.catch_up(code=HALTED))

    def test_a_lost_journal_and_ledger_are_told_by_the_sink(self):
        self.begin("ledger", "kafka")
        self.send(200, 1)
        self.catch_up()
        shutil.rmtree(os.path.join(self.folder, "data"))
        os.remove(os.path.join(self.folder, "payments.db"))
        self.assertIn("J021", self.catch_up(code=HALTED))

    def test_a_lone_sinks_lost_journal_halts_and_all_can_be_read_anew(self):
        """Its ledger of cursors says how far it was, and nobody which ids there were."""
        self.begin("kafka")
        self.send(300, 1)
        self.catch_up()
        before = len(self.values(TABLES[0]))
        shutil.rmtree(os.path.join(self.folder, "data", "journal"))
        self.send(200, 2)
        said = self.catch_up(code=HALTED)
        self.assertIn("J023", said)
        self.assertIn("the ids it remembered are gone", said)
        self.assertIn("next: restore the volume of data_dir; if it is lost, read all anew", said)
        self.assertEqual(len(self.values(TABLES[0])), before)
        shutil.rmtree(os.path.join(self.folder, "data"))
        self.topics = {table: self.topic() for table in TABLES}
        self.configuration["sinks"][0]["topics"] = self.topics
        self.configure()
        self.catch_up()
        self.check_truth()

    def test_a_start_that_halts_disturbs_nobody(self):
        """An empty volume, by mistake beside one that works."""
        self.begin("ledger", "kafka")
        self.send(300, 1)
        good = self.start("run", "payonce.yaml")
        self.until(lambda: len(self.values(TABLES[0])) > 250)
        self.configuration["data_dir"] = "empty"
        self.configuration["sinks"][0]["path"] = "empty.db"
        self.configure()
        self.assertIn("J021", self.catch_up(code=HALTED))
        self.send(300, 2)
        self.until(lambda: len(self.values(TABLES[0])) > 550)
        good.send_signal(signal.SIGTERM)
        self.finish(good)
        self.check_follower()

    def test_an_old_copy_that_is_started_disturbs_nobody(self):
        """Volume and ledger of yesterday, by mistake beside one that works."""
        self.begin("ledger", "kafka")
        self.send(300, 1)
        self.catch_up()
        shutil.copytree(os.path.join(self.folder, "data"), os.path.join(self.folder, "old"))
        shutil.copy(os.path.join(self.folder, "payments.db"), os.path.join(self.folder, "old.db"))
        self.send(300, 2)
        good = self.start("run", "payonce.yaml")
        self.until(lambda: len(self.values(TABLES[0])) > 550)
        self.configuration["data_dir"] = "old"
        self.configuration["sinks"][0]["path"] = "old.db"
        self.configure()
        self.assertIn("J024", self.catch_up(code=HALTED))
        self.send(300, 3)
        self.until(lambda: len(self.values(TABLES[0])) > 800)
        good.send_signal(signal.SIGTERM)
        self.finish(good)
        self.check_follower()

    def test_an_older_owner_that_wakes_up_writes_nothing(self):
        """Alone, with a copy of the volume: only the sink itself can tell them apart."""
        self.begin("kafka")
        self.send(500, 1)
        old = self.start("run", "payonce.yaml")
        self.until(lambda: len(self.values(TABLES[0])) > 400)
        os.kill(old.pid, signal.SIGSTOP)
        shutil.copytree(os.path.join(self.folder, "data"), os.path.join(self.folder, "copy"))
        self.configuration["data_dir"] = "copy"
        self.configure()
        self.send(500, 2)
        self.catch_up()
        self.ledger = "copy/ledger.db"
        self.check_truth()
        os.kill(old.pid, signal.SIGCONT)
        said = self.finish(old, code=FENCED)
        self.assertIn("fenced", said)
        self.check_truth()

    def test_a_copy_of_the_volume_decides_nothing_before_it_has_the_sink(self):
        """Else both would decide what comes next, and one of them for nobody."""
        self.begin("kafka")
        self.send(500, 1)
        old = self.start("run", "payonce.yaml")
        self.until(lambda: len(self.values(TABLES[0])) > 400)
        os.kill(old.pid, signal.SIGSTOP)
        shutil.copytree(os.path.join(self.folder, "data"), os.path.join(self.folder, "copy"))
        epochs = "SELECT epoch FROM payonce_pipeline"
        before = self.ask(epochs, "copy/ledger.db")
        with self.network() as tell:
            tell("refuse")
            self.configuration["data_dir"] = "copy"
            self.configuration["sinks"][0]["kafka"] = {"brokers": [os.environ["KAFKA_PROXIED"]]}
            self.configure()
            self.send(500, 2)
            second = self.start("run", "payonce.yaml", "--until-caught-up")
            self.assertTrue(any("sink_unreachable" in line for line in second.stdout))
            os.kill(old.pid, signal.SIGCONT)
            self.until(lambda: len(self.values(TABLES[0])) > 900)
            self.assertEqual(self.ask(epochs, "copy/ledger.db"), before)
            tell("accept")
            self.assertIn("follower_ahead", self.finish(second, code=HALTED))
        self.assertEqual(self.ask(epochs, "copy/ledger.db"), before)
        self.send(200, 3)
        self.until(lambda: len(self.values(TABLES[0])) > 1080)
        old.send_signal(signal.SIGTERM)
        self.finish(old)
        self.check_truth()

    def test_a_sink_out_of_reach_holds_up_nobody_and_gets_all_later(self):
        self.begin("ledger", "kafka")
        with self.network() as tell:
            self.configuration["sinks"][1]["kafka"] = {
                "brokers": [os.environ["KAFKA_PROXIED"]]}
            self.configure()
            self.send(500, 1)
            self.catch_up()
            tell("refuse")
            process = self.start("run", "payonce.yaml")
            self.send(500, 2)
            self.until(lambda: len(self.ask("SELECT seq FROM payment_transactions")) > 900)
            self.assertLess(len(self.values(TABLES[0])), 510)
            tell("accept")
            self.until(lambda: len(self.values(TABLES[0])) > 900)
            process.send_signal(signal.SIGTERM)
            self.finish(process)
            self.check_follower()


class SlowSinkTest(SinkCase):
    """What takes long, and no version of the brokers does in another way."""

    def stop_beside_a_dead_cluster(self, command, seconds):
        """Asked to end so long after the network went; what it had sealed is delivered later."""
        with self.network() as tell:
            self.configuration["sinks"][-1]["kafka"] = {"brokers": [os.environ["KAFKA_PROXIED"]]}
            self.configure()
            self.send(500, 1)
            process = self.start("run", "payonce.yaml")
            self.until(lambda: len(self.values(TABLES[0])) > 400)
            tell(command)
            self.send(500, 2)
            time.sleep(seconds)
            process.send_signal(signal.SIGTERM)
            asked = time.monotonic()
            self.finish(process)
            self.assertLess(time.monotonic() - asked, STOP_S)
            self.assertLess(len(self.values(TABLES[0])), 510)
            tell({"hold": "flow", "refuse": "accept"}[command])
            self.catch_up()

    def test_a_stop_does_not_wait_for_a_cluster_that_is_gone_altogether(self):
        self.begin("kafka")
        self.configuration["source"]["kafka"]["brokers"] = [os.environ["KAFKA_PROXIED"]]
        self.stop_beside_a_dead_cluster("hold", 8)
        self.check_truth()

    def test_a_stop_does_not_wait_for_a_cluster_that_refuses(self):
        self.begin("ledger", "kafka")
        self.stop_beside_a_dead_cluster("refuse", 8)
        self.check_follower()

    def test_a_stop_does_not_wait_for_a_transaction_without_an_answer(self):
        self.begin("kafka")
        self.stop_beside_a_dead_cluster("hold", 1)
        self.check_truth()

    def test_topics_made_anew_behind_one_that_runs_are_filled_again(self):
        """At once, after a second of rest; and so late that it has looked, and found them gone."""
        self.begin("ledger", "kafka")
        self.send(500, 1)
        process = self.start("run", "payonce.yaml")
        self.until(lambda: len(self.values(TABLES[0])) > 450)
        for number, away in enumerate((0, 8), start=2):
            time.sleep(1.5)
            for name in self.topics.values():
                wire.delete_topic(self.bootstrap, name)
            time.sleep(away)
            for name in self.topics.values():
                wire.create_topic(self.bootstrap, name, 1)
            self.send(500, number)
            self.until(lambda: len(self.values(TABLES[0])) > 450 * number)
        process.send_signal(signal.SIGTERM)
        self.assertNotIn("sink_halted", self.finish(process))
        self.check_follower()


if __name__ == "__main__":
    unittest.main()
