#!/bin/sh
# check_printed: conf/payonce.yaml and docs/configuration.md are what the program prints, so that
# neither is ever stale. usage: check_printed.sh ROOT PAYONCE [--write]
cd "$1" || exit 2
if [ "${3-}" = --write ]; then
    "$2" config --defaults >conf/payonce.yaml && "$2" config --reference >docs/configuration.md
    exit
fi
"$2" config --defaults | diff -u conf/payonce.yaml - || { echo "next: $0 $1 $2 --write"; exit 1; }
"$2" config --reference | diff -u docs/configuration.md - || { echo "next: $0 $1 $2 --write"; exit 1; }
echo "2 passed, 0 failed"
