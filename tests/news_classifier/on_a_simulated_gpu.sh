#!/usr/bin/env bash
# on_a_simulated_gpu.sh SIMULATED PROGRAM: the news classifier, linked with a simulated GPU (SIMULATED), trains every model on
# made-up rows. Succeeds when it tells the losses and accuracies of the CPU (PROGRAM), and when the CPU goes on from the
# GPU's checkpoint to the numbers of a training of its own.
set -euo pipefail
simulated=$(realpath "$1")
program=$(realpath "$2")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir news
for row in {1..48}; do
    topic=$((row % 4 + 1))
    echo "\"$topic\",\"title $((row % 5))\",\"word$((row % 7)) topic$topic other$((row % 11)) word$((row % 3))\""
done >news/train.csv
head -n 12 news/train.csv >news/test.csv

train() { # train FILE COMMAND...: writes "loss train_accuracy test_accuracy" of the last epoch
    local file=$1
    shift
    "$@" --epochs 2 2>log | sed -nE 's/^result .*loss=([^ ]*) train_accuracy=([^ ]*) test_accuracy=([^ ]*) .*/\1 \2 \3/p' >"$file"
    [ -s "$file" ] || { cat log; exit 1; }
}
same() { # same A B: the losses to 2e-5, the accuracies as they are
    paste -d' ' "$1" "$2" | awk '{ exit !($1 - $4 < 2e-5 && $4 - $1 < 2e-5 && $2 == $5 && $3 == $6) }'
}
for model in rnn lstm packed gru bilstm; do
    options=(--data news --model $model --batch 8 --rate 1e-2 --seed 1)
    train here "$program" "${options[@]}"
    train there "$simulated" --device cuda "${options[@]}"
    echo "$model: $(cat here), $(cat there)"
    same here there || { echo 'not as on the CPU'; exit 1; }
done
"$simulated" --device cuda "${options[@]}" --epochs 1 --checkpoint file >/dev/null 2>log || { cat log; exit 1; }
train resumed "$program" --data news --resume file
same here resumed || { echo 'not the numbers of a training that never stopped'; exit 1; }
