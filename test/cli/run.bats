load common

# 10,000 payments and what goes wrong with them, in one file or four.
simulate() {
    "$PAYONCE" simulate -q --duplicates 5% --late 1% --conflicts 0.5% --future 0.5% --broken 1% \
        --truth sent.csv --seed 7 "$@"
}

sql() { sqlite3 "${2:-payments.db}" "$1"; }

@test "a file of payments, with no configuration at all" {
    simulate --to file:payments.jsonl
    run -0 --separate-stderr "$PAYONCE" run --until-caught-up payments.jsonl
    says "done  read"
    [ -f payments.db ] && [ -d payonce-data ]
    run -0 "$PAYONCE" reconcile --ledger payments.db --expect sent.csv
    says "RECONCILED   10,000 sent = "
    says "0 missing, 0 extra, 0 wrong amounts"
}

@test "four files are merged, and a second run finds nothing to do" {
    simulate --to file:a --to file:b --to file:c --to file:d
    "$PAYONCE" run --until-caught-up a b c d
    run -0 "$PAYONCE" reconcile --ledger payments.db --expect sent.csv
    local before
    before=$(sql "SELECT count(*), total(amount_units) FROM payment_transactions")
    run -0 --separate-stderr "$PAYONCE" run --until-caught-up --json a b c d
    python3 -c 'import json, sys; end = json.loads(sys.argv[1]); assert end["end"] == "done"' "$output"
    [ "$(sql "SELECT count(*), total(amount_units) FROM payment_transactions")" = "$before" ]
}

@test "what is new in a run is told beside what the tables hold" {
    simulate --to file:p --count 1000
    run -0 --separate-stderr "$PAYONCE" run --until-caught-up p
    [[ "$output" =~ ^"done  read "([0-9,]+)": accepted " ]]
    local all=${BASH_REMATCH[1]}
    run -0 --separate-stderr "$PAYONCE" run --until-caught-up p
    says "done  read $all (new: 0): accepted "
    head -1 p >more
    cat more >>p
    run -0 --separate-stderr "$PAYONCE" run --until-caught-up p
    says "(new: 1): accepted "
    cat more >>p
    run -0 --separate-stderr "$PAYONCE" run --until-caught-up --json p
    says '"new":1,'
}

@test "who reads a file that is no payments is told where the reasons stand" {
    printf 'transaction_id,amount\nx1,10.00\n' >p.csv
    run -0 --separate-stderr "$PAYONCE" run --until-caught-up p.csv
    says "2 of 2 new messages could not be used; each has a row that says why: sqlite3 ./payments.db "
    [ "$(sql "SELECT count(*) FROM error_log")" = 2 ]
    run -0 --separate-stderr "$PAYONCE" run --until-caught-up p.csv
    says_not "could not be used"
}

@test "one file under two names is refused before any of it is read" {
    simulate --to file:p --count 10
    run -78 "$PAYONCE" run --until-caught-up p p
    says '"p" stands twice in source.file.paths'
    printf 'data_dir: d\nsource:\n  file:\n    paths: [p, q, p]\nsinks: [{name: l, type: sqlite, path: l.db}]\n' >two.yaml
    run -78 "$PAYONCE" run --until-caught-up two.yaml
    says 'two.yaml:4:19: error[C004]: "p" stands twice in source.file.paths'
    ln p q
    ln -s p r
    local other
    for other in ./p q r; do
        run -78 "$PAYONCE" run --until-caught-up p $other
        says "error[C004]: p and $other are two names of one file"
        says "next: name it once"
    done
    [ "$(sql "SELECT count(*) FROM payment_transactions")" = 0 ]
    "$PAYONCE" run -q --until-caught-up q
    run -0 "$PAYONCE" reconcile --ledger payments.db --expect sent.csv
}

@test "more files than are usual are opened, more than are allowed are refused in one sentence" {
    simulate --to file:p --count 200
    local index
    for index in $(seq 200); do sed -n "${index}p" p >part$index; done
    (ulimit -Sn 100 && "$PAYONCE" run -q --until-caught-up part*)
    [ "$(sql "SELECT count(*) > 180 FROM payment_transactions")" = 1 ]
    refused() { (ulimit -n 100 && "$PAYONCE" run --until-caught-up part*); }
    run -78 refused
    says "200 input files and 128 files of its own are more than the 100 that this process may have open"
    says "next: allow it 328 (ulimit -n 328; of a service LimitNOFILE=328), or name fewer files"
}

@test "on a terminal it says how much of the files has been read" {
    "$PAYONCE" simulate -q --to file:p --count 200000
    python3 - "$PAYONCE" >screen <<'END'
import os, pty, sys
process, terminal = pty.fork()
if process == 0:
    os.execv(sys.argv[1], [sys.argv[1], "run", "--until-caught-up", "--set", "log.level=error", "p"])
try:
    while True:
        os.write(1, os.read(terminal, 65536))
except OSError:
    pass
sys.exit(os.waitpid(process, 0)[1])
END
    grep -qE 'run  [0-9.]+ [KM]iB of [67][0-9] MiB  [0-9]+ %' screen
    grep -q 'done  read 200,000: ' screen
}

@test "standard input, as - and behind a pipe" {
    "$PAYONCE" simulate -q --clock virtual --count 500 --truth sent.csv | "$PAYONCE" run -q -
    run -0 "$PAYONCE" reconcile --ledger payments.db --expect sent.csv
    says "RECONCILED   500 sent = 500 in the table + 0 set aside"
}

@test "what was appended is read at the next start" {
    simulate --to file:p --count 100
    "$PAYONCE" run -q --until-caught-up p
    "$PAYONCE" simulate -q --to file:q --count 100 --seed 8 --start 2026-01-01T00:01:00Z
    cat q >>p
    "$PAYONCE" run -q --until-caught-up p
    [ "$(sql "SELECT count(DISTINCT transaction_id) FROM payment_transactions")" -gt 180 ]
    run -0 "$PAYONCE" reconcile --ledger payments.db
}

@test "a configuration file, by its name and by -c" {
    simulate --to file:p --count 100
    cat >here.yaml <<END
data_dir: ./data
source: {file: {paths: [p]}}
sinks: [{name: books, type: sqlite, path: ./books.db}]
END
    "$PAYONCE" run -q --until-caught-up here.yaml
    [ "$(sql "SELECT count(*) > 90 FROM payment_transactions" books.db)" = 1 ]
    run -0 "$PAYONCE" run --until-caught-up -c here.yaml --set log.level=error
    run -0 "$PAYONCE" reconcile here.yaml --expect sent.csv
}

@test "without --until-caught-up it stays, and SIGTERM ends it in order" {
    simulate --to file:p --count 1000
    "$PAYONCE" run p >out 2>log &
    local child=$!
    wait_for log '"event":"all_read"'
    sleep 0.3 # Time for one that would end there to do so.
    kill -0 $child
    kill -TERM $child
    wait $child
    grep -q "^stopped  read" out
    grep -q '"event":"stopping","signal":"SIGTERM"' log
    run -0 "$PAYONCE" reconcile --ledger payments.db --expect sent.csv
}

@test "log lines off a terminal are JSON, each a whole one" {
    simulate --to file:p --count 1000
    "$PAYONCE" run --until-caught-up p 2>log >/dev/null
    [ "$(wc -l <log)" -gt 2 ]
    python3 - <<'END'
import json
for line in open("log"):
    event = json.loads(line)
    assert event["time"].endswith("Z") and event["level"] in ("info", "warn", "error")
    assert event["event"]
END
    grep -q '"event":"ready"' log
}

@test "with log.format text they are lines for people" {
    simulate --to file:p --count 10
    "$PAYONCE" run --until-caught-up --set log.format=text p 2>log >/dev/null
    grep -qE '^20[0-9-]+T[0-9:.]+Z info  ready ' log
}

@test "hostile ids and names reach neither terminal nor log unescaped" {
    local name=$'p\e[31m\a.jsonl'
    printf '%s\n' \
        '{"transaction_id":"x\u001b[31mred\u0007","timestamp":1767225600000,"sender":"a","receiver":"b","amount":1,"currency":"USD"}' \
        '{"transaction_id":"x\u001b[31mred\u0007","timestamp":1767225600001,"sender":"a","receiver":"b","amount":2,"currency":"USD"}' \
        $'\e[31m{broken' >"$name"
    "$PAYONCE" run --until-caught-up --set log.format=text "$name" >out 2>&1
    "$PAYONCE" reconcile --ledger payments.db >>out 2>&1
    "$PAYONCE" check "$name" >>out 2>&1
    run -1 grep -q $'[\e\a]' out
    "$PAYONCE" run --until-caught-up "$name" 2>log >/dev/null
    python3 -c 'import json; [json.loads(line) for line in open("log")]'
}

@test "a second instance on the same data_dir is told who holds it" {
    simulate --to file:p --count 10
    "$PAYONCE" run p >/dev/null 2>&1 &
    local child=$!
    wait_for payonce-data/lock process
    run -75 "$PAYONCE" run --until-caught-up p
    says "error[J002]"
    says "process $child"
    kill $child
    wait $child
}

@test "a halt ends with 65 where an end was asked for, else it stays and says so" {
    simulate --to file:p --count 100
    "$PAYONCE" run -q --until-caught-up p
    "$PAYONCE" simulate -q --to file:q --count 100 --seed 8
    mv q p
    run -65 "$PAYONCE" run --until-caught-up p
    says "error[F00"
    says "next:"
    "$PAYONCE" run p >out 2>log &
    local child=$! code=0
    wait_for log '"event":"halted_waiting"'
    sleep 0.3
    kill -0 $child
    kill -TERM $child
    wait $child || code=$?
    [ $code -eq 65 ]
    run -0 "$PAYONCE" reconcile --ledger payments.db --expect sent.csv
}

@test "when all is read it says so, and what it did meanwhile" {
    simulate --to file:p --count 100
    "$PAYONCE" run --set log.summary_every=300ms p >out 2>log &
    local child=$!
    wait_for log '"event":"all_read"'
    wait_for log '"event":"summary"'
    kill $child
    wait $child
}

@test "a second signal ends it at once, and says that this is safe" {
    simulate --to file:p --count 100
    "$PAYONCE" run -q --until-caught-up p
    "$PAYONCE" simulate -q --to file:q --count 100 --seed 8 --start 2026-01-01T00:01:00Z
    cat q >>p
    python3 -c '
import sqlite3, time
ledger = sqlite3.connect("payments.db", isolation_level=None)
ledger.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(600)' >held 3>&- &
    local holder=$! code=0
    wait_for held held
    "$PAYONCE" run --set shutdown_grace=500s p >out 2>log 3>&- &
    local child=$!
    wait_for log '"event":"sink_unreachable"'
    kill -TERM $child
    wait_for log '"event":"stopping"'
    sleep 0.2
    kill -0 $child
    kill -TERM $child
    wait $child || code=$?
    [ $code -eq 143 ]
    grep -q "stopped at once. That is safe" log
    kill $holder
    wait $holder || true
    "$PAYONCE" run -q --until-caught-up p
    [ "$(sql "SELECT count(*) > 180 FROM payment_transactions")" = 1 ]
    run -0 "$PAYONCE" reconcile --ledger payments.db
}

@test "a last line that cannot be written is an error" {
    simulate --to file:p --count 10
    local code=0
    "$PAYONCE" run --until-caught-up p >/dev/full 2>said || code=$?
    [ $code -eq 74 ]
    grep -q "error\[O001\]: standard output" said
}

@test "files that are not there, and words that are none" {
    run -65 "$PAYONCE" run --until-caught-up gone.jsonl
    says "gone.jsonl"
    says "next: mend the path"
    run -2 "$PAYONCE" run --until-cought-up p
    says "did you mean --until-caught-up?"
    run -2 "$PAYONCE" run - p
    run -2 "$PAYONCE" run p payonce.yaml
    says "payonce.yaml: a configuration stands in front of the files"
    run -78 "$PAYONCE" run
    says "no file of payments is named"
    run -78 "$PAYONCE" run -c none.yaml
}

@test "kill -9 in the middle changes nothing" {
    simulate --to file:p --count 100000 --rate 10000/s
    local round
    for round in 1 2 3; do
        "$PAYONCE" run --until-caught-up p >/dev/null 2>&1 &
        local child=$!
        sleep 0.$((round + 1))
        kill -9 $child 2>/dev/null || true
        wait $child || true
    done
    run -0 "$PAYONCE" run --until-caught-up p
    run -0 "$PAYONCE" reconcile --ledger payments.db --expect sent.csv
    says "0 missing, 0 extra, 0 wrong amounts"
}

@test "it looks over its own ledger while it runs" {
    simulate --to file:p --count 1000
    "$PAYONCE" run --set reconcile.every=500ms p >/dev/null 2>log &
    local child=$!
    wait_for log '"event":"reconciled"'
    kill $child
    wait $child
}
