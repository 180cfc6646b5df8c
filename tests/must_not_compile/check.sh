#!/usr/bin/env bash
# check.sh FILE COMPILER [FLAGS]: succeeds when FILE does not compile and an error holds the sentence after '// expect: '.
set -uo pipefail
file=$1
shift
sentence=$(sed -n 's|^// expect: ||p' "$file")
if [ -z "$sentence" ]; then
    echo "$file: no line '// expect: <sentence>'"
    exit 1
fi
# Only lines with "error:" count, not the source that they quote: the comment itself must not match.
if output=$("$@" -std=c++20 -fsyntax-only -fmessage-length=0 "$file" 2>&1); then
    echo "$file: compiles, but should stop with: $sentence"
    exit 1
fi
if ! grep 'error:' <<<"$output" | grep -qF -- "$sentence"; then
    printf '%s\n' "$file: no error says: $sentence" "The compiler says:" "$output"
    exit 1
fi
