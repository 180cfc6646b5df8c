#!/usr/bin/env bash
# same_bits.sh PROGRAM: the news classifier (PROGRAM) trains every model for 200 batches or more, by itself and with 2, 3
# and 8 threads. Succeeds when the weights are the same to the bit; other seeds must give others. The rows are of AG News
# where SEQUENT_DATA_HOME has it, else made up. A batch is so large that each product of the model is worth waking a thread
# for (backend/cpu/executor.hpp); only the weights' gradients of one direction of 32 units are too few to be cut.
set -euo pipefail
program=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir news
if [ -s "${SEQUENT_DATA_HOME-}/ag_news/train.csv" ]; then
    head -n 6400 "$SEQUENT_DATA_HOME/ag_news/train.csv" >news/train.csv
    head -n 100 "$SEQUENT_DATA_HOME/ag_news/test.csv" >news/test.csv
    echo 'rows of AG News'
else
    # A long one now and then, as in the news.
    awk 'BEGIN {
        srand(1)
        for (i = 0; i < 6400; ++i) {
            text = ""
            for (n = 20 + int(80 * rand() * rand()); n > 0; --n) text = text " w" int(20000 * rand() ^ 2)
            printf "\"%d\",\"t\",\"%s\"\n", i % 4 + 1, text
        }
    }' >news/train.csv
    head -n 100 news/train.csv >news/test.csv
    echo 'rows made up: SEQUENT_DATA_HOME has no AG News'
fi

declare -A batch=([rnn]=400 [lstm]=128 [gru]=128 [bilstm]=32)  # of 6400 rows

train() { # train FILE MODEL OPTIONS...
    local file=$1 model=$2
    shift 2
    "$program" --data news --limit 6400 --model "$model" --batch "${batch[$model]}" --epochs $(((batch[$model] + 31) / 32)) \
        --rate 1e-2 --save "$file" "$@" 2>log | tail -n 1 | grep -q '^result' ||
        { cat log; exit 1; }
}
for model in rnn lstm gru bilstm; do
    train alone $model --seed 1
    for threads in 2 3 8; do
        train shared $model --seed 1 --threads $threads
        cmp alone shared || { echo "$model: $threads threads give other weights"; exit 1; }
    done
    echo "$model: $(sha256sum <alone | cut -c 1-16) with 1, 2, 3 and 8 threads"
done
train other gru --seed 2
train alone gru --seed 1
if cmp -s alone other; then echo 'another seed gives the same weights'; exit 1; fi
