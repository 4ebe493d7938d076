#!/bin/sh
# run: every program in bench/, each beside its reference in the same run. usage: run.sh BUILD
cd "$1/bench" || exit 2
echo "machine: $(nproc) processors, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)"
for program in bench_*; do
    [ -x "$program" ] && [ -f "$program" ] || continue
    case $program in
    bench_pipeline)
        for mode in file-journal file-sqlite recovery; do
            "./$program" "$mode" || exit 1
        done
        ;;
    *) "./$program" || exit 1 ;;
    esac
done
