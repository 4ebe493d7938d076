#!/bin/sh
# check_format: every file as clang-format would write it. Without clang-format: skipped, and said.
cd "$1" || exit 2
command -v clang-format >/dev/null || { echo "SKIPPED: no clang-format on this machine"; exit 77; }
find src test $(ls -d bench 2>/dev/null) -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror || exit 1
echo "1 passed, 0 failed"
