#!/bin/sh
# check_docs: what the documents say to type works. Runs every block fenced as ```sh of README.md
# and docs/*.md, those of one document in order in one new directory, with the program on PATH; what
# one block sets, the next has. FENCE "sh kafka": those that start brokers, with test/ beside them.
# usage: check_docs.sh ROOT PROGRAM [FENCE]
root=$1
program=$(realpath "$2") || exit 2
[ -x "$program" ] || { echo "usage: $0 ROOT PROGRAM" >&2; exit 2; }
work=$(mktemp -d) || exit 2
fence=${3:-sh}
end() {
    for cluster in "$work"/*/here/*/cluster.json; do # Of a block that failed.
        [ -f "$cluster" ] && "$root/test/kafka/brokers" stop "$(dirname "$cluster")"
    done
    rm -rf "$work"
}
trap end EXIT
[ "$fence" = sh ] || "$root/test/kafka/brokers" fetch || exit # 77: skipped
mkdir "$work/bin"
ln -s "$program" "$work/bin/payonce"
PATH=$work/bin:$PATH
export PATH NO_COLOR=1
passed=0
failed=0
for document in "$root/README.md" "$root"/docs/*.md; do
    [ -f "$document" ] || continue
    place=$work/$(basename "$document" .md)
    mkdir -p "$place/here"
    [ "$fence" = sh ] || ln -s "$root/test" "$place/here/test"
    awk -v to="$place" -v fence="$fence" '
        $0 == "```" fence { open = 1; file = to "/" sprintf("%03d", ++count) "-line-" NR + 1; next }
        /^```/ { open = 0 }
        open { print > file }' "$document"
    for block in "$place"/*-line-*; do
        [ -f "$block" ] || continue
        : >>"$place/set"
        if (cd "$place/here" && timeout 600 sh -aec '. "$1"; . "$2"; export -p >"$1"' \
            sh "$place/set" "$block" >"$block.out" 2>&1); then
            passed=$((passed + 1))
        else
            echo "$(basename "$document"):${block##*-line-}: this block failed:"
            sed 's/^/    /' "$block"
            echo "  and said:"
            sed 's/^/    /' "$block.out"
            failed=$((failed + 1))
        fi
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
