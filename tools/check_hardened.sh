#!/bin/sh
# check_hardened: was the program linked as meson.build asks? The program is asked, not the build.
# usage: check_hardened.sh PAYONCE
failed=0
passed=0
has() { # what, a command's output, pattern
    if printf '%s\n' "$2" | grep -qE "$3"; then
        passed=$((passed + 1))
    else
        echo "not hardened: $1"
        failed=$((failed + 1))
    fi
}
header=$(readelf -hW "$1") || exit 2
segments=$(readelf -lW "$1") || exit 2
dynamic=$(readelf -dW "$1") || exit 2
symbols=$(readelf -sW "$1") || exit 2
has 'position independent' "$header" 'DYN'
has 'relocations read-only' "$segments" 'GNU_RELRO'
has 'bound at start' "$dynamic" 'BIND_NOW|NOW'
has 'stack not executable' "$segments" 'GNU_STACK .* RW '
has 'stack protector' "$symbols" '__stack_chk_fail'
has 'checked memory moves' "$symbols" '__(memcpy|snprintf|memmove|memset|vsnprintf|read|pread64)_chk'
if printf '%s\n' "$segments" | grep -q 'RWE'; then
    echo 'not hardened: a segment may be written and executed'
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
exit $((failed > 0))
