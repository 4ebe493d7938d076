load common

# What goes wrong, often enough to be seen.
busy=(--duplicates 5% --late 1% --conflicts 0.5% --future 0.5% --broken 1% --seed 42)

@test "the same options make the same bytes, another seed makes others" {
    "$PAYONCE" simulate --to file:a --count 5000 "${busy[@]}" --truth a.csv
    "$PAYONCE" simulate --to file:b --count 5000 "${busy[@]}" --truth b.csv
    cmp a b
    cmp a.csv b.csv
    "$PAYONCE" simulate --to file:c --count 5000 "${busy[@]}" --seed 43
    run -1 cmp -s a c
}

@test "several files share the payments, and together they hold what one would" {
    "$PAYONCE" simulate --to file:a --to file:b --to file:c --to file:d --count 8000 \
        --truth truth.csv "${busy[@]}"
    for file in a b c d; do
        [ "$(wc -l <$file)" -gt 2000 ]
    done
    [ "$(tail -n +2 truth.csv | wc -l)" -eq 8000 ]
    [ "$(tail -n +2 truth.csv | cut -d, -f1 | sort -u | wc -l)" -eq 8000 ]
}

@test "the truth names each payment that was really sent, and what is to become of it" {
    "$PAYONCE" simulate --to file:a --count 20000 "${busy[@]}" --truth truth.csv
    [ "$(head -1 truth.csv)" = transaction_id,amount,currency,event_time,expected ]
    [ "$(grep -c ',late$' truth.csv)" -gt 100 ]
    [ "$(grep -c ',future$' truth.csv)" -gt 20 ]
    [ "$(grep -c ',invalid$' truth.csv)" -gt 100 ]
    run -0 "$PAYONCE" simulate --to file:b --count 20000 "${busy[@]}" --json
    python3 - "$output" <<'END'
import collections, csv, json, sys
counts = json.loads(sys.argv[1])
truth = collections.Counter(row["expected"] for row in csv.DictReader(open("truth.csv")))
assert counts["payments"] == sum(truth.values()) == 20000
assert counts["late"] == truth["late"] and counts["broken"] == truth["invalid"]
assert counts["messages"] == 20000 + counts["copies"] + counts["conflicts"]
assert counts["messages"] == sum(1 for _ in open("b", "rb"))
assert abs(counts["copies"] - 1000) < 150 and abs(counts["late"] - 200) < 60
END
}

@test "a payment of the truth stands in the output with the same amount" {
    "$PAYONCE" simulate --to file:a --count 1000 --duplicates 20% --copies 1..3 --truth truth.csv
    python3 - <<'END'
import csv, decimal, json
sent = {}
for line in open("a"):
    payment = json.loads(line, parse_float=decimal.Decimal)
    sent.setdefault(payment["transaction_id"], []).append(payment)
for row in csv.DictReader(open("truth.csv")):
    copies = sent.pop(row["transaction_id"])
    assert {str(copy["amount"]) for copy in copies} == {row["amount"]}
    assert {copy["currency"] for copy in copies} == {row["currency"]}
assert not sent
END
}

@test "the real clock holds the rate" {
    local started=$EPOCHREALTIME
    "$PAYONCE" simulate --rate 500/s --duration 1s -q >a
    local took=$((${EPOCHREALTIME/./} - ${started/./}))
    [ "$(wc -l <a)" -eq 500 ]
    [ $took -ge 990000 ]
}

@test "what exists is not overwritten unless that is said" {
    echo mine >a
    run -2 "$PAYONCE" simulate --to file:a
    says "a exists already"
    says "next: choose another name, or say --force"
    [ "$(cat a)" = mine ]
    echo mine >truth.csv
    run -2 "$PAYONCE" simulate --to file:b --truth truth.csv
    [ "$(cat truth.csv)" = mine ]
    "$PAYONCE" simulate --to file:a --force --count 3
    [ "$(wc -l <a)" -eq 3 ]
}

@test "a full disk is an error, a reader that has had enough is none" {
    run -74 "$PAYONCE" simulate --to file:/dev/full
    says "error[O001]: /dev/full: No space left on device"
    "$PAYONCE" simulate --clock virtual --count 100000 2>said | head -1 >/dev/null
    [ "${PIPESTATUS[0]}" -eq 0 ]
    [ ! -s said ]
}

@test "a truth of payments that nobody received is not passed off as one" {
    {
        "$PAYONCE" simulate --clock virtual --count 100000 --truth t.csv 2>said || echo $? >code
    } | head -1 >/dev/null
    [ "$(cat code)" -eq 74 ]
    grep -q "t.csv holds payments that nobody received" said
}

@test "a signal ends it in order: the truth is whole for what was sent" {
    "$PAYONCE" simulate --rate 1000/s --count 1000000 --clock real --to file:a --truth t.csv >said &
    local child=$!
    for _ in $(seq 1200); do
        [ "$(cat a 2>/dev/null | wc -l)" -gt 100 ] && break
        sleep 0.1
    done
    kill -TERM $child
    wait $child
    grep -q "^stopped; sent" said
    [ "$(wc -l <a)" -gt 100 ]
    [ "$(tail -n +2 t.csv | wc -l)" -eq "$(wc -l <a)" ]
}

@test "nobody at the broker's address: one clear line, 69" {
    run -69 "$PAYONCE" simulate --to kafka://127.0.0.1:1/t
    says "error[K003]"
    says "next: look whether a broker listens at 127.0.0.1:1"
    [ ! -e t.csv ]
}

@test "what would lose or double a record, load code or show a secret is not taken" {
    run -78 "$PAYONCE" simulate --to kafka://127.0.0.1:1/t --property acks=0
    says "error[K001]"
    run -78 "$PAYONCE" simulate --to kafka://127.0.0.1:1/t --property plugin.library.paths=x
    run -78 "$PAYONCE" simulate --to kafka://127.0.0.1:1/t --property sasl.password=x
    says "name a file"
    echo word >open
    chmod 644 open
    run -78 "$PAYONCE" simulate --to kafka://127.0.0.1:1/t --password-file open
    says "error[K002]"
}

@test "a scenario is settings that belong together, and others come on top" {
    "$PAYONCE" simulate --scenario retry-storm --count 1000 --to file:a >/dev/null
    [ "$(wc -l <a)" -gt 2000 ]
    "$PAYONCE" simulate --scenario retry-storm --copies 1 --count 1000 --to file:b >/dev/null
    [ "$(wc -l <b)" -lt 1500 ]
    "$PAYONCE" simulate --scenario replay-attack --count 1000 --to file:c >/dev/null
    [ "$(wc -l <c)" -gt 1050 ]
    "$PAYONCE" simulate --scenario card-testing --count 60 --to file:d >/dev/null
    [ "$(grep -o 'sender_account_id":"[^"]*' d | sort -u | wc -l)" -eq 1 ]
    "$PAYONCE" simulate --scenario black-friday --count 3000 --rate 100/s --to file:e --truth t.csv
    local last
    last=$(tail -n +2 t.csv | cut -d, -f4 | sort | tail -1) # 10 s, 1 s, 10 s.
    [[ $last > 2026-01-01T00:00:20 && $last < 2026-01-01T00:00:21 ]]
}

@test "each wrong word is told, with what is right" {
    run -2 "$PAYONCE" simulate --rate 500
    says '"500"'
    run -2 "$PAYONCE" simulate --duplicates 5
    run -2 "$PAYONCE" simulate --late 60% --broken 50%
    run -2 "$PAYONCE" simulate --copies 3..2
    run -2 "$PAYONCE" simulate --to kafka
    says "stdout, file:PATH or kafka://HOST:PORT/TOPIC"
    for place in kafka:// kafka://localhost:9092 kafka://localhost:9092/ kafka://localhost/t; do
        run -2 "$PAYONCE" simulate --to $place
        says "kafka://HOST:PORT"
    done
    run -2 "$PAYONCE" simulate --to kafka://localhost:9092/t --to file:a
    run -2 "$PAYONCE" simulate --to kafka://localhost:9092/t --to kafka://localhost:9092/u
    run -2 "$PAYONCE" simulate --to kafka://localhost:9092/t --property linger.ms
    run -2 "$PAYONCE" simulate --to file:a --property linger.ms=1
    says "for --to kafka://"
    run -2 "$PAYONCE" simulate --scenario flood
    says "one of producer-retry, consumer-crash, broker-failover, retry-storm"
    run -2 "$PAYONCE" simulate --scenario producer-retry
    says "--to kafka:// is needed"
    run -2 "$PAYONCE" simulate --scenario consumer-crash
    says "--to kafka:// is needed"
    run -2 "$PAYONCE" simulate --scenario broker-failover --to file:a
    says "--to kafka:// is needed"
    run -2 "$PAYONCE" simulate --to kafka://localhost:9092/t --group g
    says "is for --scenario consumer-crash"
    run -2 "$PAYONCE" simulate --to stdout --to file:a
    run -2 "$PAYONCE" simulate --to file:a --to file:a
    run -2 "$PAYONCE" simulate --currencies usd
    run -2 "$PAYONCE" simulate --clock wall
    run -2 "$PAYONCE" simulate --count 5 --duration 5s
    run -2 "$PAYONCE" simulate --start yesterday
    run -2 "$PAYONCE" simulate --count 1000000000000 --rate 1/s --to file:a
    run -2 "$PAYONCE" simulate extra
    run -2 "$PAYONCE" simulate --dupliactes 5%
    says "did you mean --duplicates?"
    run -2 "$PAYONCE" simulate --rate
    says "takes a value"
    [ ! -e a ]
}
