load common

@test "without a command it says what there is, and that this was no command" {
    run -2 "$PAYONCE"
    says "Usage: payonce <command> [options]"
    run -0 "$PAYONCE" --help
    says "simulate"
}

@test "every command explains itself, the same by help and by --help" {
    local command
    for command in $("$PAYONCE" help | sed -n 's/^\(Start\|Run\|Check\|Look\|Help\|     \)  *\([a-z]*\)  .*/\2/p'); do
        run -0 "$PAYONCE" help "$command"
        local first=$output
        run -0 "$PAYONCE" "$command" --help
        [ "$output" = "$first" ]
        [[ "$output" == "Usage: payonce $command"* ]]
    done
}

@test "a word that is nearly one is recognized" {
    run -2 "$PAYONCE" simulat
    says 'unknown command "simulat"; did you mean "simulate"?'
    run -2 "$PAYONCE" help simulat
    says 'did you mean "simulate"?'
    run -2 "$PAYONCE" --verbose run
    says "--verbose: options stand behind a command"
    run -2 "$PAYONCE" xyzzy
    says "next: payonce help"
}

@test "exit codes, settings and error codes are explained" {
    run -0 "$PAYONCE" help exit-codes
    says "  65  halted"
    run -0 "$PAYONCE" help settings
    says "dedup.retention"
    run -0 "$PAYONCE" help settings dedup.retention
    says "watermark.lateness"
    local explained=$output
    run -0 "$PAYONCE" help dedup.retention
    [ "$output" = "$explained" ]
    run -0 "$PAYONCE" help C003
    says "unknown_key"
    run -0 "$PAYONCE" help P103
    run -0 "$PAYONCE" help P301
    run -2 "$PAYONCE" help P999
    run -0 "$PAYONCE" help journal
    says "journal.keep"
    run -2 "$PAYONCE" help settings nosuch
    says 'no setting "nosuch"'
    says "next: payonce help settings"
}

@test "codes and the names of halts are found, however they are written" {
    local word
    for word in J041 j041 state_full STATE_FULL; do
        run -0 "$PAYONCE" help $word
        says "J041  state_full"
        says "raise state.memory_limit"
    done
    for word in p103 P103; do
        run -0 "$PAYONCE" help $word
        says "P103  invalid (amount)"
    done
    run -0 "$PAYONCE" help conflict
    says "P301  conflict: "
    run -2 "$PAYONCE" help state_ful
    says 'did you mean "state_full"?'
}

@test "control characters in a command never reach the terminal" {
    run -2 "$PAYONCE" $'\e[31mred\a'
    says_not $'\e'
    says_not $'\a'
    run -2 "$PAYONCE" help $'\x1b]0;title\x07'
    says_not $'\e'
}

@test "output that cannot be written is an error" {
    "$PAYONCE" help >/dev/full 2>said && return 1
    grep -q "error\[O001\]: standard output" said
    run -0 "$PAYONCE" version
}
