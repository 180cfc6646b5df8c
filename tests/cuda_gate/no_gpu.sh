#!/usr/bin/env bash
# no_gpu.sh PROGRAM [OPTIONS]: the program succeeds; or, where there is no GPU, it says so and its exit code is 1. Options
# may name NEWS, which becomes a folder of a few made-up rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for topic in 1 2 3 4; do
    printf '"%s","Row %s","made up of a few words"\n' $topic $topic $topic $topic
done | tee "$folder/train.csv" >"$folder/test.csv"

status=0
output=$("${@/#NEWS/$folder}" 2>&1) || status=$?
printf '%s\n' "$output"
[ $status = 0 ] && exit
[ $status = 1 ] && grep -q 'no CUDA device is present' <<<"$output"
