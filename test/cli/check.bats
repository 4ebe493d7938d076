load common

write_config() {
    cat >payonce.yaml <<END
data_dir: ./data
source: {file: {paths: [p.jsonl]}}
sinks: [{name: books, type: sqlite, path: ./books.db}]
END
}

@test "what would run is ok, line by line" {
    write_config
    "$PAYONCE" simulate -q --to file:p.jsonl --count 500
    run -0 "$PAYONCE" check payonce.yaml
    says "ok    payonce.yaml            3 lines, 3 settings given"
    says "ok    data_dir                ./data  is not there yet and will be made"
    says "ok    files                   1 readable"
    says 'ok    sample                  100 of 100 messages understood; event_time from "timestamp" (ms)'
    says "ok    state                   at 1,000/s needs about"
    says "ok    sink books (sqlite)     ./books.db   ledger, will be made"
    says "share a volume"
    says "0 errors"
    [ ! -e data ] && [ ! -e books.db ]
    run -1 "$PAYONCE" check --strict payonce.yaml
    run -0 "$PAYONCE" run --check-only payonce.yaml
    says "ok    sample"
}

@test "after a run: free space, fsync, the ledger's epoch; who holds it" {
    write_config
    "$PAYONCE" simulate -q --to file:p.jsonl --count 500
    "$PAYONCE" run payonce.yaml >/dev/null 2>&1 &
    local child=$!
    for _ in $(seq 1200); do
        [ "$(sqlite3 books.db 'SELECT count(*) FROM payment_transactions' 2>/dev/null)" = 500 ] && break
        sleep 0.1
    done
    run -0 "$PAYONCE" check payonce.yaml
    says "writable"
    says "fsync"
    says "payonce is running on it: process $child"
    says "ledger, at epoch"
    kill $child
    wait $child
    run -0 "$PAYONCE" check payonce.yaml
    says_not "payonce is running"
    # It left nothing behind.
    [ -z "$(find data -name '.payonce-check*')" ]
}

@test "messages that are not understood, with a guess at what was meant" {
    write_config
    for i in 1 2 3; do
        echo '{"txn_id":"a'$i'","timestamp":1767225600000,"sender":"a","receiver":"b","amount":1,"currency":"USD"}'
    done >p.jsonl
    run -1 "$PAYONCE" check payonce.yaml
    says "invalid[P101] p.jsonl@1: transaction_id"
    says 'if "txn_id" is the same thing:  payment.fields.transaction_id: [transaction_id, txn_id]'
    says "none of 3 messages understood"
    run -0 "$PAYONCE" check payonce.yaml --set 'payment.fields.transaction_id=[transaction_id, txn_id]'
    says "3 of 3 messages understood"
}

@test "what is no JSON lines at all is told with what to do" {
    write_config
    printf 'transaction_id,amount\nx1,10.00\n' >p.jsonl
    run -1 "$PAYONCE" check payonce.yaml
    says "none of 2 messages understood"
    says "next: one JSON object a line is expected"
    printf '[{"transaction_id":"a"},\n{"transaction_id":"b"}]\n' >p.jsonl
    run -1 "$PAYONCE" check payonce.yaml
    says "next: it is one JSON array"
    echo '{"id":"a"}' >p.jsonl
    run -1 "$PAYONCE" check payonce.yaml
    says "none of 1 message understood"
    says 'if "id" is the same thing:  payment.fields.transaction_id: [transaction_id, id]'
    says "next: say under which names the fields stand"
    gzip p.jsonl
    run -1 "$PAYONCE" check p.jsonl.gz
    says "next: it is gzip"
    run -65 "$PAYONCE" check .
    says "is a directory"
    says "next: name a regular file"
    says_not "1 readable"
    ln p.jsonl.gz twin
    run -78 "$PAYONCE" check p.jsonl.gz twin
    says "[C004] p.jsonl.gz and twin are two names of one file"
}

@test "more files than may be open are told before they are opened" {
    touch $(seq 20)
    ulimit -n 140
    run -78 "$PAYONCE" check $(seq 20)
    says "error files"
    says "[C012] 20 input files and 128 files of its own are more than the 140"
    says "next: allow it 148"
}

@test "a life cycle under one id is recognized" {
    write_config
    for status in PENDING SUCCESS; do
        for i in 1 2 3; do
            echo '{"transaction_id":"a'$i'","timestamp":1767225600000,"sender":"a","receiver":"b","amount":1,"currency":"USD","status":"'$status'"}'
        done
    done >p.jsonl
    run -0 "$PAYONCE" check payonce.yaml
    says '3 transaction_ids seen with 2 values of "status"'
    says "payment.only: {status: [SUCCESS]}"
}

@test "several units of time are told" {
    write_config
    cat >p.jsonl <<'END'
{"transaction_id":"a","timestamp":1767225600000,"sender":"a","receiver":"b","amount":1,"currency":"USD"}
{"transaction_id":"b","timestamp":1767225600,"sender":"a","receiver":"b","amount":1,"currency":"USD"}
END
    run -0 "$PAYONCE" check payonce.yaml
    says "event times come in several units (s, ms)"
}

@test "what is missing has its exit code" {
    write_config
    run -65 "$PAYONCE" check payonce.yaml
    says "p.jsonl: No such file"
    run -0 "$PAYONCE" check --offline payonce.yaml
    echo >p.jsonl
    run -77 "$PAYONCE" check payonce.yaml --set data_dir=/dev/null/data
    says "error data_dir                [J003] /dev/null/data cannot be written: Not a directory"
    run -78 "$PAYONCE" check payonce.yaml --set dedup.retention=60
    says "has no unit"
}

@test "as JSON lines" {
    write_config
    "$PAYONCE" simulate -q --to file:p.jsonl --count 500
    "$PAYONCE" check --json payonce.yaml >lines
    python3 -c 'import json; assert len([json.loads(line)["level"] for line in open("lines")]) > 5'
}

@test "for production the cluster is asked; without one there is no answer" {
    run -0 "$PAYONCE" check --help
    says "--production          the cluster, too"
    cat >payonce.yaml <<END
data_dir: ./data
source: {type: kafka, kafka: {brokers: ["127.0.0.1:1"], topics: [payments]}}
sinks: [{name: books, type: sqlite, path: ./books.db}]
END
    run -69 "$PAYONCE" check --production payonce.yaml
    says "error kafka 127.0.0.1:1"
    says "[K003]"
    run -2 "$PAYONCE" check --production --offline payonce.yaml
    says "--production looks at the cluster, --offline at nothing"
}

@test "for production what others could read is an error, else a warning" {
    cat >payonce.yaml <<END
data_dir: ./data
source:
  type: kafka
  kafka:
    brokers: ["kafka.invalid:9092", "127.0.0.1:1"]
    topics: [payments]
sinks: [{name: books, type: sqlite, path: ./books.db}]
END
    run -69 "$PAYONCE" check payonce.yaml
    says "warn  kafka kafka.invalid"
    says "what goes to and from the brokers is not encrypted"
    run -1 "$PAYONCE" check --production payonce.yaml
    says "error kafka kafka.invalid"
    says "next: source.kafka.tls: {enabled: true"
}
