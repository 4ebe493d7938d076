load common

# A ledger of 2,000 payments, as good as it gets; then somebody's hand in it.
setup_ledger() {
    "$PAYONCE" simulate -q --to file:p --count 2000 --duplicates 5% --late 1% --conflicts 1% \
        --future 0.5% --broken 1% --truth sent.csv --seed 3
    "$PAYONCE" run -q --until-caught-up p 2>/dev/null
}

sql() { sqlite3 payments.db "$1"; }

not_reconciled() {
    run -1 "$PAYONCE" reconcile --ledger payments.db "$@"
    says "NOT RECONCILED"
}

@test "a good ledger, alone and against the truth" {
    setup_ledger
    run -0 "$PAYONCE" reconcile --ledger payments.db
    says "RECONCILED"
    says "rows, totals, windows and epochs agree, no id twice"
    says "provisional"
    run -0 "$PAYONCE" reconcile --ledger payments.db --expect sent.csv
    says "2,000 sent = "
    says "sums equal in 8 of 8 currencies"
}

@test "as JSON: money is text, and all kinds are there" {
    setup_ledger
    run -0 --separate-stderr "$PAYONCE" reconcile --ledger payments.db --expect sent.csv --json
    python3 - "$output" <<'END'
import json, sys
from decimal import Decimal
import csv
report = json.loads(sys.argv[1])
assert report["reconciled"] is True
assert set(report["found"].values()) == {0}
sums = {}
for row in csv.DictReader(open("sent.csv")):
    if row["expected"] == "accepted":
        sums[row["currency"]] = sums.get(row["currency"], 0) + Decimal(row["amount"])
assert {one["currency"]: Decimal(one["sum"]) for one in report["sums"]} == sums
END
}

@test "a sum is one text in the table, as JSON and in the ledger: with the places it was sent with" {
    local sent index=0
    for sent in 7445400.10,EUR 5.10,EUR 1500,JPY 0.125000,USD; do
        index=$((index + 1))
        echo '{"transaction_id":"t'$index'","timestamp":1767225600000,"sender":"a","receiver":"b","amount":'${sent%,*}',"currency":"'${sent#*,}'"}'
    done >p
    "$PAYONCE" run -q --until-caught-up p 2>/dev/null
    run -0 "$PAYONCE" reconcile --ledger payments.db
    [[ "$output" =~ EUR\ +2\ +7445405.20$'\n' ]]
    [[ "$output" =~ JPY\ +1\ +1500$'\n' ]]
    [[ "$output" =~ USD\ +1\ +0.125000$'\n' ]]
    run -0 "$PAYONCE" reconcile --ledger payments.db --json
    says '"currency":"EUR","accepted":2,"sum":"7445405.20"'
    says '"currency":"JPY","accepted":1,"sum":"1500"'
    says '"currency":"USD","accepted":1,"sum":"0.125000"'
    [ "$(sql "SELECT group_concat(total_amount) FROM (SELECT total_amount FROM payment_metrics ORDER BY currency)")" = 7445405.20,1500,0.125000 ]
}

@test "a changed amount is noticed" {
    setup_ledger
    sql "UPDATE payment_transactions_000001 SET amount = '1.00' WHERE seq = 5"
    not_reconciled
    says "payment_transactions row 5"
    not_reconciled --expect sent.csv
}

@test "a consistently changed amount is noticed, too" {
    setup_ledger
    sql "UPDATE payment_transactions_000001 SET amount = '1.00', amount_units = 100,
        amount_scale = 2 WHERE seq = 5"
    not_reconciled
    says "total"
    says "metric"
    not_reconciled --expect sent.csv
    says "wrong_amount  1 payment with another amount or currency"
    says "1 wrong amount"
    says_not "1 wrong amounts"
}

@test "a row that was taken out is noticed" {
    setup_ledger
    sql "DELETE FROM payment_transactions_000001 WHERE seq = 7"
    not_reconciled --expect sent.csv
    says "rows 7 to 7 are gone"
    says "missing  1 payment of the truth that is in no table"
}

@test "a total, a window, an epoch, a duplicate: each is noticed" {
    setup_ledger
    cp payments.db good.db
    sql "UPDATE payonce_total SET count = count + 1 WHERE verdict = 'late'"
    not_reconciled
    says "conservation"
    cp good.db payments.db
    sql "UPDATE payment_metrics SET transaction_count = transaction_count + 1
        WHERE rowid IN (SELECT rowid FROM payment_metrics LIMIT 1)" ||
        sql "UPDATE payment_metrics SET transaction_count = transaction_count + 1
            WHERE seq = (SELECT min(seq) FROM payment_metrics)"
    not_reconciled
    says "metric  1"
    cp good.db payments.db
    sql "UPDATE payonce_epoch SET chain = zeroblob(16) WHERE epoch = 1"
    not_reconciled
    says "epoch"
    cp good.db payments.db
    sql "DELETE FROM payment_duplicates_000001 WHERE seq = 1"
    not_reconciled
    says "payment_duplicates: rows 1 to 1 are gone"
}

@test "payments that the truth does not know, or that are not there" {
    setup_ledger
    sed -i 2d sent.csv
    echo "no-such-id,12.50,EUR,2026-01-01T00:00:00.000Z,accepted" >>sent.csv
    not_reconciled --expect sent.csv
    says "extra  1 payment in the table that the truth does not know"
    says "found right in the table"
    says "no-such-id: 12.50 EUR (sent.csv:"
}

@test "a long list is cut where one says" {
    setup_ledger
    head -1001 sent.csv >half.csv
    run -1 "$PAYONCE" reconcile --ledger payments.db --expect half.csv --max-list 3
    [ "$(grep -c ', accepted, at p/0@' <<<"$output")" -le 3 ]
    says "more (--max-list)"
}

@test "a truth that is none is told with its line" {
    setup_ledger
    echo "transaction_id,amount,currency" >bad.csv
    echo "x,1e5,USD" >>bad.csv
    run -2 "$PAYONCE" reconcile --ledger payments.db --expect bad.csv
    says 'error[T001]: bad.csv:2: no plain decimal amount: "1e5"'
    run -2 "$PAYONCE" reconcile --ledger payments.db --expect none.csv
    says "none.csv: No such file"
}

@test "a ledger knows by itself whose it is and what it carries" {
    "$PAYONCE" simulate -q --to file:p --count 100 --truth sent.csv
    cat >other.yaml <<END
pipeline: books
data_dir: ./data
source: {file: {paths: [p]}}
payment: {carry: [payment_method, region]}
sinks: [{name: l, type: sqlite, path: ./books.db}]
END
    "$PAYONCE" run -q --until-caught-up other.yaml
    run -0 "$PAYONCE" reconcile --ledger books.db --expect sent.csv
    run -0 "$PAYONCE" reconcile other.yaml
    run -65 "$PAYONCE" reconcile other.yaml --set pipeline=others
    says 'holds nothing of pipeline "others"'
}

@test "no ledger, a foreign one, an empty one: no file is made" {
    run -2 "$PAYONCE" reconcile --ledger gone.db
    says "error[U001]: there is no ledger gone.db: No such file"
    says "next: name the SQLite file that payonce run wrote"
    [ ! -e gone.db ]
    run -2 "$PAYONCE" reconcile --ledger .
    says "there is no ledger .: Is a directory"
    printf 'data_dir: d\nsource: {file: {paths: [p]}}\nsinks: [{name: l, type: sqlite, path: ./books.db}]\n' >payonce.yaml
    run -69 "$PAYONCE" reconcile
    says "error[S001]: there is no ledger ./books.db: No such file"
    says "next: payonce run makes it"
    rm payonce.yaml
    run -69 "$PAYONCE" reconcile --set data_dir=./d
    says "no configuration was found: name the ledger (--ledger payments.db)"
    run -2 "$PAYONCE" reconcile gone.db
    says "is it a ledger? --ledger gone.db"
    sqlite3 foreign.db "CREATE TABLE t (x)"
    run "$PAYONCE" reconcile --ledger foreign.db
    [ "$status" -ne 0 ] && [ "$status" -ne 1 ]
    echo garbage >garbage.db
    run "$PAYONCE" reconcile --ledger garbage.db
    [ "$status" -ne 0 ] && [ "$status" -ne 1 ]
    says "next:"
}

@test "beside a running payonce it sees one moment" {
    "$PAYONCE" simulate -q --to file:p --count 100000 --duplicates 5%
    "$PAYONCE" run --set checkpoint.max_messages=100 p >/dev/null 2>log &
    local child=$! seen=0
    wait_for log '"event":"ready"'
    for _ in $(seq 12); do
        if "$PAYONCE" reconcile -q --ledger payments.db >said 2>&1; then
            seen=$((seen + 1))
        elif grep -q RECONCILED said; then
            cat said
            false
        fi
        sleep 0.05
    done
    kill $child
    wait $child
    [ $seen -gt 0 ]
}

@test "a follower, alone and against the ledger" {
    "$PAYONCE" simulate -q --to file:p --count 2000 --duplicates 5% --late 1% --conflicts 1% --seed 3
    cat >payonce.yaml <<'END'
data_dir: data
source: {file: {paths: [p]}}
sinks:
  - {name: local, type: sqlite, path: payments.db}
  - {name: copy, type: sqlite, path: copy.db}
END
    "$PAYONCE" run -q --until-caught-up payonce.yaml 2>/dev/null
    run -0 "$PAYONCE" reconcile --sink copy
    says "RECONCILED"
    says "rows are the same"
    sqlite3 copy.db "UPDATE payment_duplicates_000001 SET first_offset = first_offset + 1 WHERE seq = 7"
    run -1 "$PAYONCE" reconcile --sink copy
    says "row 7 of payment_duplicates"
    run -0 "$PAYONCE" reconcile
    run -2 "$PAYONCE" reconcile --sink nobody
    says "no sink has this name"
    run -2 "$PAYONCE" reconcile --sink copy --ledger copy.db
}
