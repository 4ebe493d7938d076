load common

@test "the demo: three real crashes, reconciled to the cent" {
    run -0 --separate-stderr "$PAYONCE" demo
    says "crash 1 after"
    says "crash 3 after"
    says "RECONCILED   10,000 sent = "
    says "sums equal in 1 of 1 currency; 0 missing, 0 extra, 0 wrong amounts"
    says "really sent"
    ! grep -q ' $' <<<"$output" || return 1
    # Nothing but what is its own.
    [ "$(ls)" = payonce-demo ]
    # Each crash came with work done and work left.
    python3 - "$output" <<'END'
import re, sys
points = [int(point) for point in re.findall(r"crash \d after (\d+)", sys.argv[1])]
read = int(re.search(r"read +([\d,]+)", sys.argv[1]).group(1).replace(",", ""))
assert len(points) == 3 and 0 < points[0] < points[1] < points[2] < read, points
number = lambda name: re.search(name + r" +([\d,]+) +([\d,.]+)", sys.argv[1]).groups()
sent, table, aside = (number(name) for name in ("really sent", "in the table", "set aside"))
from decimal import Decimal
value = lambda text: Decimal(text.replace(",", ""))
assert value(sent[0]) == value(table[0]) + value(aside[0])
assert value(sent[1]) == value(table[1]) + value(aside[1])
END
}

@test "the demo again, over its own; the ledger is the same to the byte of each row" {
    "$PAYONCE" demo >/dev/null
    local rows="SELECT transaction_id, amount, currency, event_time, source_offset, seq
        FROM payment_transactions ORDER BY seq"
    sqlite3 payonce-demo/payments.db "$rows" >first
    "$PAYONCE" demo >/dev/null
    sqlite3 payonce-demo/payments.db "$rows" >second
    cmp first second
    [ "$(wc -l <first)" -gt 9900 ]
}

@test "a directory of that name that is somebody else's is left alone" {
    mkdir payonce-demo
    echo mine >payonce-demo/precious
    run -2 "$PAYONCE" demo
    says "is not from an earlier demo"
    says "next:"
    [ "$(cat payonce-demo/precious)" = mine ]
    run -2 "$PAYONCE" demo --story
    rm -r payonce-demo
    mkdir elsewhere
    echo mine >elsewhere/precious
    ln -s elsewhere payonce-demo
    run -2 "$PAYONCE" demo
    [ "$(cat elsewhere/precious)" = mine ]
    rm payonce-demo
    echo mine >payonce-demo
    run -2 "$PAYONCE" demo
    [ "$(cat payonce-demo)" = mine ]
}

@test "the story: one payment three times, 3,500 and not 5,500" {
    run -0 --separate-stderr "$PAYONCE" demo --story
    [ "$(grep -c KEEP <<<"$output")" -eq 3 ]
    [ "$(grep -c DROP <<<"$output")" -eq 2 ]
    says "10:00:07  abc-123  1,000.00 USD   DROP   duplicate of the one at 10:00:05"
    says "as they came       5,500.00 USD"
    says "with payonce       3,500.00 USD"
}

@test "settings of this environment do not change the demo" {
    PAYONCE_DEDUP_RETENTION=0s PAYONCE_DATA_DIR=/nonexistent PAYONCE_CONFIG=none.yaml \
        run -0 "$PAYONCE" demo --story
    says "3,500.00"
}

@test "wrong words" {
    run -2 "$PAYONCE" demo --serve
    run -2 "$PAYONCE" demo now
}
