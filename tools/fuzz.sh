#!/bin/sh
# fuzz: every fuzz target for so many seconds, from its corpus in test/corpus/NAME.
# usage: fuzz.sh BUILD SECONDS
cd "$(dirname "$0")/.." || exit 2
failed=0
passed=0
for target in "$1"/test/fuzz_*; do
    [ -x "$target" ] && [ -f "$target" ] || continue
    name=$(basename "$target" | sed 's/^fuzz_//')
    found=$(mktemp -d) || exit 2
    mkdir -p "$found/corpus"
    corpus=test/corpus/$name
    [ -d "$corpus" ] || corpus=
    # shellcheck disable=SC2086
    if "$target" -max_total_time="$2" -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$found/" "$found/corpus" $corpus >"$found/log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/log")
        echo "fuzz $name: $runs inputs in $2 s, nothing found"
        passed=$((passed + 1))
        rm -rf "$found"
    else
        tail -40 "$found/log"
        echo "fuzz $name: FOUND something; input and log in $found"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
