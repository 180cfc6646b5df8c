#!/usr/bin/env bash
# other_words.sh PROGRAM: the news classifier (PROGRAM) trains and leaves a checkpoint. Succeeds when it goes on with the
# same words, and with others ends with 1, says so and leaves the checkpoint as it was.
set -euo pipefail
program=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for data in news others; do
    mkdir $data
    for row in {1..64}; do echo "\"$((row % 4 + 1))\",\"title\",\"word$((row % 7)) topic$((row % 4))\""; done >$data/train.csv
    head -n 8 $data/train.csv >$data/test.csv
done
sed -i 's/word5/word9/' others/train.csv  # as many words and rows

fail() { echo "failed: $*"; cat log; exit 1; }

"$program" --data news --model gru --batch 8 --epochs 1 --checkpoint file --checkpoint-every 3 --save whole >/dev/null 2>log ||
    fail 'the training'
cp file before
"$program" --data news --resume file --save part >/dev/null 2>log || fail 'the same words'
cmp whole part || fail 'other weights'
cp before file

status=0
"$program" --data others --resume file --epochs 2 --save other >/dev/null 2>log || status=$?
[ $status = 1 ] || fail "status $status with other words"
grep -Eq '^.*file: was trained with words of fingerprint [0-9a-f]+; these have [0-9a-f]+: give it the same data' log ||
    fail 'the message'
cmp file before || fail 'the checkpoint has changed'
[ ! -e other ] || fail 'weights were saved'
grep -o 'was trained with.*' log
