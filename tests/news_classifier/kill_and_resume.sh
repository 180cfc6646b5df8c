#!/usr/bin/env bash
# kill_and_resume.sh PROGRAM: the news classifier (PROGRAM) trains without a stop; then again, killed at many moments and
# resumed after each; then once more, stopped by Ctrl-C. Succeeds when weights, metrics and lines come out the same, but
# for the seconds in them.
set -uo pipefail
program=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
RANDOM=20  # the seed of the moments

fail() { echo "failed: $*"; tail -n 20 log; exit 1; }

# Lines of a topic's own words among words of all topics.
rows() { # rows COUNT SEED
    awk -v count="$1" -v seed="$2" 'BEGIN {
        srand(seed)
        for (i = 0; i < count; ++i) {
            topic = int(4 * rand())
            text = ""
            for (n = 3 + int(9 * rand()); n > 0; --n)
                text = text " " (rand() < 0.4 ? "own" topic int(30 * rand()) : "any" int(200 * rand()))
            printf "\"%d\",\"title %d\",\"%s\"\n", topic + 1, int(50 * rand()), text
        }
    }'
}
mkdir news
rows 4000 1 >news/train.csv
rows 100 2 >news/test.csv

now() { echo "${EPOCHREALTIME/[.,]/}"; }  # microseconds
pause() { sleep "$(printf '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000)))"; }
without_seconds() { sed -E 's/("seconds":|seconds=)[0-9.e+-]*//; s/tokens_per_second=.*//' "$1"; }

same() { # what a run that was resumed has left is what the whole run has
    cmp whole part || fail "other weights ($*)"
    diff <(without_seconds whole.metrics) <(without_seconds part.metrics) || fail "other metrics ($*)"
    diff <(without_seconds whole.out | tail -n "$(wc -l <part.out)") <(without_seconds part.out) ||
        fail "other lines ($*)"
}

# Runs OPTIONS, from the checkpoint on if there is one, and sends SIGNAL after so many microseconds; sets `status`.
interrupted() { # interrupted SIGNAL MICROSECONDS OPTIONS...
    local signal=$1 after=$2 resume=()
    shift 2
    if [ -e checkpoint ]; then resume=(--resume checkpoint); fi
    "$program" --data news --checkpoint checkpoint --checkpoint-every 3 --save part --metrics part.metrics "$@" \
        "${resume[@]}" >part.out 2>>log &
    local pid=$!
    pause "$after"
    { kill -"$signal" $pid; wait $pid; } 2>/dev/null
    status=$?
}

check() { # check KILLS OPTIONS...
    local kills=$1 killed=0 resumed=0 runs=0 begin took span
    shift
    begin=$(now)
    "$program" --data news --save whole --metrics whole.metrics "$@" >whole.out 2>log || fail "$*"
    took=$(($(now) - begin))
    span=$((took / 3))

    rm -f checkpoint*
    while ((killed < kills || resumed < kills / 3)); do
        ((++runs < 20 * kills)) || fail "too few of $runs runs had a checkpoint to resume from ($*)"
        local from=checkpoint
        [ -e checkpoint ] || from=
        interrupted KILL $((span * RANDOM / 32768)) "$@"
        [ -e checkpoint ] || span=$((span + span / 8))  # a busy machine needs longer to come to the first
        case $status in
            137) ((++killed)); [ -z "$from" ] || ((++resumed)) ;;
            0) same "$@"; rm -f checkpoint* ;;  # it was done before the kill: once more
            *) fail "status $status ($*)" ;;
        esac
    done
    # The file says what shapes the run.
    "$program" --data news --resume checkpoint --save part --metrics part.metrics >part.out 2>>log || fail "resume ($*)"
    same "$@"
    echo "the same after $killed kills, $resumed of them of a resumed run: $*"

    runs=0
    until ((runs > 0 && status == 130)) && [ -e checkpoint ]; do  # else it came before the training, or after it
        ((++runs < 50)) || fail "status $status after SIGINT ($*)"
        rm -f checkpoint*
        interrupted INT $((took / 4 + took * RANDOM / 32768)) "$@"
        ((status == 130 || status == 0)) || fail "status $status after SIGINT ($*)"
    done
    interrupted CONT 0 "$@"
    ((status == 0)) || fail "status $status of the resumed run ($*)"
    same "$@"
}

check 14 --epochs 2 --model packed --rate 0.01
check 6 --epochs 2 --model rnn --lesson --limit 3900 --batch 8
