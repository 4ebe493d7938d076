#!/bin/sh
# check_sizes: a file fits in the head, a function on the screen, a line in half a screen.
cd "$1" || exit 2
find src test $(ls -d bench 2>/dev/null) -name '*.[ch]' | xargs awk -v file_max=400 -v function_max=40 -v line_max=100 '
    function wrong(what) { print FILENAME ":" FNR ": " what; failed++ }
    FNR == 1 { files++ }
    FNR == file_max + 1 { wrong("longer than " file_max " lines") }
    length($0) > line_max { wrong("wider than " line_max " columns") }
    /^\{/ { opened = FNR }
    /^\}/ && opened { if (FNR - opened + 1 > function_max) wrong("a function of " FNR - opened + 1 " lines"); opened = 0 }
    /TODO|FIXME|(^|[^X])XXX([^X]|$)/ { wrong("not finished") }
    END { printf "%d passed, %d failed\n", files, failed; exit failed > 0 }'
