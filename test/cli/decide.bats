load common

# payments FILE FIRST LAST: one dollar each, a second apart.
payments() {
    local number
    for number in $(seq "$2" "$3"); do
        echo "{\"transaction_id\":\"t-$number\",\"timestamp\":$((1770000000 + number)),\
\"sender_account_id\":\"ACC_1\",\"receiver_account_id\":\"ACC_2\",\"amount\":1.00,\
\"currency\":\"USD\"}"
    done >"$1"
}

sql() { sqlite3 payments.db "$1"; }

# A file was read, and then replaced by a shorter one.
replaced() {
    payments p 1 9
    run -0 "$PAYONCE" run --until-caught-up p
    payments p 11 14
}

@test "the verbs say what they want, and who decides is asked for" {
    run -2 "$PAYONCE" accept-gap payments/3 17 20
    says "--by WHO is missing"
    run -2 "$PAYONCE" accept-gap payments/3 17 --by eve
    says "TOPIC/PARTITION FIRST LAST"
    run -2 "$PAYONCE" accept-gap payments 17 20 --by eve
    says "as in payment-events/3"
    run -2 "$PAYONCE" accept-gap payments/x 17 20 --by eve
    says "as in payment-events/3"
    run -2 "$PAYONCE" accept-gap payments/3 20 17 --by eve
    says "the first and the last offset that are lost"
    run -2 "$PAYONCE" accept-gap payments/3 -- -1 17 --by eve
    run -2 "$PAYONCE" accept-gap payments/3 1 99999999999999999999 --by eve
    says "the first and the last offset that are lost"
    run -2 "$PAYONCE" adopt-topic --by eve
    says "one word is expected"
    run -2 "$PAYONCE" adopt-topic payments --by ""
    says "--by: 1 to 64 bytes"
    run -2 "$PAYONCE" adopt-topic payments --by "$(printf 'eve\nbob')"
    says "without control characters"
    run -0 "$PAYONCE" help
    says "adopt-topic"
}

@test "without a data_dir there is nothing to decide" {
    run -77 "$PAYONCE" adopt-topic payments --by eve
    says "payonce-data/decisions: No such file"
    says "next: name the configuration"
}

@test "a text that is not UTF-8 is not written down" {
    mkdir payonce-data
    run -2 "$PAYONCE" adopt-topic payments --by "$(printf '\xff')"
    says "error[D001]"
    [ -z "$(ls payonce-data/decisions/*.json 2>/dev/null)" ]
}

@test "a halt names its verb, and the next start takes what was decided" {
    replaced
    run -65 "$PAYONCE" run --until-caught-up p
    says "error[F003]"
    says "payonce adopt-topic PATH --by WHO"
    run -0 "$PAYONCE" adopt-topic p --by eve --why "made anew"
    says "decision 1 is written, and nobody has taken it yet"
    run -0 "$PAYONCE" run --until-caught-up p
    [ "$(sql "SELECT count(*) FROM payment_transactions")" = 13 ]
    [ "$(sql "SELECT kind, who, why FROM payonce_decision")" = "adoption|eve|made anew" ]
    [ -z "$(ls payonce-data/decisions | grep json)" ]
    run -0 "$PAYONCE" reconcile --ledger payments.db
}

@test "a process that waits, halted, takes a decision by itself and goes on" {
    replaced
    "$PAYONCE" run p 2>log >out &
    local process=$!
    wait_for log '"event":"halted_waiting"'
    run -0 "$PAYONCE" adopt-topic p --by eve
    says "decision 1 is taken: payonce goes on"
    wait_for log '"event":"all_read"'
    kill -TERM "$process"
    wait "$process"
    [ "$(sql "SELECT count(*) FROM payment_transactions")" = 13 ]
}

@test "what does not answer the halt is refused, kept, and waited on" {
    replaced
    "$PAYONCE" run p 2>log >out &
    local process=$!
    wait_for log '"event":"halted_waiting"'
    echo nonsense >payonce-data/decisions/1.json
    wait_for payonce-data/decisions/1.refused "no decision of payonce"
    grep -qx nonsense payonce-data/decisions/1.refused
    run -0 "$PAYONCE" adopt-topic p --json --by eve
    says '{"decision":2,"fate":"taken"}'
    kill -TERM "$process"
    wait "$process"
}

@test "what nothing waits for is refused" {
    payments p 1 9
    "$PAYONCE" run --until-caught-up p
    run -0 "$PAYONCE" adopt-topic q --by eve
    run -0 --separate-stderr "$PAYONCE" run --until-caught-up -v p
    says "decision_refused"
    says "no source has this name"
    [ -f payonce-data/decisions/1.refused ]
}
