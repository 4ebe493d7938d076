#!/bin/sh
# check_printed: conf/payonce.yaml and docs/configuration.md are what the program prints, so that
# neither is ever stale. usage: check_printed.sh ROOT PAYONCE [--write]
program=$(realpath "$2") || exit 2
cd "$1" || exit 2
if [ "${3-}" = --write ]; then
    "$program" config --defaults >conf/payonce.yaml && "$program" config --reference >docs/configuration.md
    exit
fi
"$program" config --defaults | diff -u conf/payonce.yaml - || { echo "next: $0 $1 $2 --write"; exit 1; }
"$program" config --reference | diff -u docs/configuration.md - || { echo "next: $0 $1 $2 --write"; exit 1; }
echo "2 passed, 0 failed"
