#!/bin/sh
# run: every program in bench/, each beside its reference in the same run. usage: run.sh BUILD
brokers=$(cd "$(dirname "$0")/../test/kafka" && pwd)/brokers
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
    bench_kafka_*)
        status=0
        "$brokers" run "$PWD/brokers" -- "./$program" || status=$?
        [ "$status" = 0 ] || [ "$status" = 77 ] || exit 1 # 77: SKIPPED, and said why.
        ;;
    *) "./$program" || exit 1 ;;
    esac
done
