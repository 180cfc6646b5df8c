#!/usr/bin/env bash
# compare.sh PROGRAM EXPECTED: succeeds when the program does and prints what the file holds.
set -uo pipefail
output=$("$1" && echo end) || { printf '%s\n' "$output" "$1 failed"; exit 1; }
diff -u --label shown --label printed "$2" <(printf '%s' "${output%end}")
