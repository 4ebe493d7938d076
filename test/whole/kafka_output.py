"""What a Kafka sink wrote, read committed by a reader of our own, as the tables it is a copy of."""
import json
import os
import sqlite3

from records import read_topic
from reference import columns
from settings import DEFAULTS
from whole import Different

BOOTSTRAP = os.environ.get("KAFKA_BOOTSTRAP", "")
TABLES = ("payment_transactions", "payment_duplicates", "payment_dead_letters", "payment_metrics")
WINDOW = ("metric_time", "region", "currency")
WHEN = {"seq", "version", "calculation_time"}  # Of a window: not each version is sent.


def demand(right, what):
    if not right:
        raise Different(what)


def in_order(topic, records):
    """Of each partition seq ascends, so the offsets of each source do, too; no row comes twice."""
    last, rows = {}, {}
    for record in records:
        row = json.loads(record.value)
        seq = row["seq"]
        demand(seq > last.get(record.partition, 0),
               f"{topic}/{record.partition}: seq {seq} behind {last.get(record.partition)}")
        demand(seq not in rows, f"{topic}: seq {seq} is there twice")
        last[record.partition] = seq
        rows[seq] = (record, row)
    return rows


def rows_of(table, topic):
    """By seq; of each window the newest version."""
    rows = in_order(topic, read_topic(BOOTSTRAP, topic))
    if table == "payment_metrics":
        newest = {tuple(row[name] for name in WINDOW): row for _, (_, row) in sorted(rows.items())}
        return list(newest.values())
    demand(sorted(rows) == list(range(1, len(rows) + 1)), f"{topic}: a row is missing")
    for record, row in rows.values():
        key = None if record.key is None else record.key.decode()
        demand(key == row["transaction_id"], f"{topic}: key {key} of {row['transaction_id']}")
    return [row for _, (_, row) in sorted(rows.items())]


def load(topics, path):
    """A database of these topics' rows ({table: topic})."""
    if os.path.exists(path):
        os.unlink(path)
    database = sqlite3.connect(path)
    for table, topic in topics.items():
        rows = rows_of(table, topic)
        names = list(rows[0]) if rows else list(columns(DEFAULTS["payment.carry"])[table])
        demand(all(list(row) == names for row in rows), f"{topic}: rows of different columns")
        database.execute(f"CREATE TABLE {table} ({', '.join(names)})")
        database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})",
                             (tuple(row.values()) for row in rows))
    database.commit()
    database.close()


def add_ledger(path, ledger):
    """What only a ledger of cursors knows, beside it."""
    database = sqlite3.connect(f"file:{path}", uri=True)
    try:
        database.execute("ATTACH ? AS ledger", (f"file:{ledger}?mode=ro",))
        for table in ("payonce_total", "payonce_cursor"):
            database.execute(f"CREATE TABLE {table} AS SELECT * FROM ledger.{table}")
        database.commit()
    finally:
        database.close()


def same_as_ledger(path, ledger, topics):
    """Every row of the ledger stands in the topics, and no other."""
    database = sqlite3.connect(f"file:{path}", uri=True)
    try:
        database.execute("ATTACH ? AS ledger", (f"file:{ledger}?mode=ro",))
        for table in topics:
            names = [row[1] for row in database.execute(f"PRAGMA main.table_info({table})")]
            if table == "payment_metrics":
                names = [name for name in names if name not in WHEN]
            for one, other in (("main", "ledger"), ("ledger", "main")):
                more = database.execute(
                    f"SELECT {', '.join(names)} FROM {one}.{table} EXCEPT"
                    f" SELECT {', '.join(names)} FROM {other}.{table}").fetchall()
                demand(not more, f"{table}: {len(more)} rows are in"
                                 f" {'the topic' if one == 'main' else 'the ledger'} and not in"
                                 f" the other: {dict(zip(names, (more or [()])[0]))}")
    finally:
        database.close()
