load common

@test "a mistake is shown where it stands, with what was meant" {
    printf 'dedup:\n  retenton: 1h\n' >payonce.yaml
    run -78 "$PAYONCE" check payonce.yaml
    says 'payonce.yaml:2:3: error[C003]: unknown key "retenton" in "dedup"'
    says '     2 |   retenton: 1h'
    says '       |   ^^^^^^^^ did you mean "retention"?'
}

@test "a number without a unit is no duration" {
    printf 'dedup:\n  retention: 60\n' >payonce.yaml
    run -78 "$PAYONCE" check payonce.yaml
    says 'payonce.yaml:2:14: error[C011]: "60" has no unit'
    says '^^'
}

@test "all mistakes come in one pass, and so does one from each side" {
    printf 'pipelin: x\npipeline: a b\nwatermark:\n  lateness: -1h\n' >payonce.yaml
    PAYONCE_DEDUP_RETENTION=soon run -78 "$PAYONCE" check payonce.yaml --set log.level=loud
    says "payonce.yaml:1:1"
    says "payonce.yaml:2:11"
    says "payonce.yaml:4:13"
    says "PAYONCE_DEDUP_RETENTION"
    says "--set log.level"
}

@test "what YAML cannot be is told with its line" {
    printf 'a: [1\nb: 2\n' >payonce.yaml
    run -78 "$PAYONCE" check payonce.yaml
    says "error[C002]"
    says "next:"
    printf 'dedup:\n\tretention: 1h\n' >payonce.yaml
    run -78 "$PAYONCE" check payonce.yaml
    says "payonce.yaml:2:1: error[C002]"
    says "^ a tab; YAML is indented with blanks"
    printf 'pipeline: a\npipeline: b\n' >payonce.yaml
    run -78 "$PAYONCE" check payonce.yaml
    says "payonce.yaml:2:1: error[C004]"
}

@test "the flag wins over the environment, that over the file, that over the default" {
    echo '{"transaction_id":"a","timestamp":1767225600000,"sender":"a","receiver":"b","amount":1,"currency":"USD"}' >p
    printf 'data_dir: ./from-file\nsource: {file: {paths: [p]}}\nsinks: [{name: l, type: sqlite, path: l.db}]\n' >payonce.yaml
    run -0 "$PAYONCE" check
    says "./from-file"
    PAYONCE_DATA_DIR=./from-environment run -0 "$PAYONCE" check
    says "./from-environment"
    PAYONCE_DATA_DIR=./from-environment run -0 "$PAYONCE" check --set data_dir=./from-flag
    says "./from-flag"
}

@test "the settings in force are a configuration again, each with its origin" {
    printf 'pipeline: books\ndedup: {retention: 30m}\npayment: {only: {status: [A B, "x\\ty"]}}\n' >payonce.yaml
    "$PAYONCE" config >in-force.yaml
    "$PAYONCE" config -c in-force.yaml >again.yaml
    cmp in-force.yaml again.yaml
    PAYONCE_LOG_LEVEL=warn run -0 "$PAYONCE" config --origin --set state.expected_rate=5/s
    grep -qE '^dedup.retention: 30m +# payonce.yaml:2$' <<<"$output"
    grep -qE '^log.level: warn +# PAYONCE_LOG_LEVEL$' <<<"$output"
    grep -qE '^state.expected_rate: 5/s +# --set state.expected_rate$' <<<"$output"
    grep -qE '^watermark.lateness: 1h +# default$' <<<"$output"
    "$PAYONCE" config --json --origin | python3 -c '
import json, sys
settings = json.load(sys.stdin)
assert settings["dedup.retention"] == {"value": "30m", "origin": "payonce.yaml:2"}
assert settings["payment.only"]["value"] == {"status": ["A B", "x\ty"]}'
}

@test "the origins stand in one column, of a long value on the next line" {
    run -0 "$PAYONCE" config --origin --set 'payment.fields.amount=[amount, "größe"]'
    [ "$(python3 -c 'import sys; print(len({line.rindex(" # ") for line in sys.argv[1].split("\n") if " # " in line}))' "$output")" = 1 ]
    grep -A1 '^fraud.score: ' <<<"$output" | grep -qE '^ +# default$'
    "$PAYONCE" config --origin >in-force.yaml
    run -0 "$PAYONCE" config -c in-force.yaml
}

@test "control characters in a configuration never reach the terminal" {
    printf '"x\\e[31m\\a": 1\n' >payonce.yaml
    run -78 "$PAYONCE" check payonce.yaml
    says_not $'\e'
    says_not $'\a'
}

@test "the printed defaults are a configuration that is accepted" {
    "$PAYONCE" config --defaults >all.yaml
    echo >p
    run -0 "$PAYONCE" check --offline all.yaml --set 'source.file.paths=[p]'
    run -2 "$PAYONCE" config --defalts
    run -2 "$PAYONCE" config --defaults --origin
}
