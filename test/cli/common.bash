# What every file of tests of the command line begins with: a directory of its own for each test,
# the program as $PAYONCE, nothing of the caller's settings.
bats_require_minimum_version 1.5.0

setup() {
    mkdir "$BATS_TEST_TMPDIR/here"
    cd "$BATS_TEST_TMPDIR/here" || exit 1
    : "${PAYONCE:?the path of the program}"
    local name
    for name in $(compgen -e PAYONCE_); do unset "$name"; done
    export NO_COLOR=1
}

# says TEXT: the output holds it.
says() {
    [[ "$output$stderr" == *"$1"* ]] || {
        echo "expected: $1"
        echo "was: $output"
        echo "$stderr"
        return 1
    }
}

# says_not TEXT
says_not() {
    [[ "$output$stderr" != *"$1"* ]] || {
        echo "not expected: $1"
        echo "was: $output"
        echo "$stderr"
        return 1
    }
}

# wait_for FILE TEXT: two minutes at most.
wait_for() {
    for _ in $(seq 2400); do
        grep -qs -- "$2" "$1" && return 0
        sleep 0.05
    done
    echo "$1 never said $2:"
    cat "$1"
    return 1
}
