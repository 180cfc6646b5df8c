#!/usr/bin/env bash
# The driver of ./dev bench cuda, with stand-ins for the GPU's tool and for the programs: whatever these do, it comes to
# its end, says what failed, and keeps what was measured. Exit code 77: no python3.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
command -v python3 >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/programs" "$work/modules"
export PATH=$work/bin:$PATH PYTHONPATH=$work/modules PYTHONDONTWRITEBYTECODE=1
echo 'raise ImportError("no torch in this test")' >"$work/modules/torch.py"

program() { # program PATH: a script, from stdin
    { echo '#!/usr/bin/env bash' && cat; } >"$1"
    chmod +x "$1"
}

program "$work/bin/nvidia-smi" <<'SCRIPT'
case $1 in
    *compute_cap*) echo 9.0 ;;
    *clocks*) echo '1980 MHz, 2619 MHz, 40, 300 W, 99 %' ;;
    *) echo 'A stand-in, 1.2, 80 GB' ;;
esac
SCRIPT
program "$work/bin/compute-sanitizer" <<'SCRIPT'
[ "$2" != racecheck ] || { echo 'a race'; exit 9; }
SCRIPT
# As recurrent.cu: SECONDS LARGEST PHASE LEFT_OUT. Three cases in the first phase, one in the others.
program "$work/programs/cases" <<'SCRIPT'
name=${0##*/recurrent_}
cell=${name%_*} format=${name#*_}
echo cell,format,hidden,batch,shape,lengths,what,who,us_per_step,iqr_us,again_us,ms
for ((n = $4 + 1; n <= ($3 == 0 ? 3 : 1); ++n)); do
    echo "case $n: $name $n" >&2
    case $MISCHIEF:$cell:$3:$n in
        yes:lstm:0:2) kill -SEGV $$ ;;
        yes:gru:0:2) sleep 60 ;;
        yes:elman:0:2) echo 'sequent: no memory' >&2 && failed=1 && continue ;;
        yes:elman:0:3) echo 'elman,half a line' ;;
    esac
    echo "cudnn persist_static padded: $name: not supported" >&2
    for who in 'sequent one_block,2.0,0.1,2.1' 'cudnn standard packed,8.5,0.1,8.5' \
        "cudnn persist_static packed,$((n + 5)),0,9"; do
        [ $MISCHIEF:$cell:$3:${who%% *} != yes:elman:3:cudnn ] || continue
        echo "$cell,$format,$((n * 32)),64,1 layer,packed,training,$who,1.5"
    done
done
exit ${failed-0}
SCRIPT
for name in lstm gru elman; do cp "$work/programs/cases" "$work/programs/recurrent_${name}_bf16"; done
program "$work/programs/lesson" <<'SCRIPT'
[ "$(wc -l <"$1")" = 50 ] || exit 3
echo 'sequent f32x3 one_block,0.5,0.01'
[ $MISCHIEF = no ] || { echo 'lesson: no more' >&2; exit 1; }
SCRIPT
program "$work/programs/test_gpu" <<'SCRIPT'
case $MISCHIEF:$* in
    yes:*names-only) exit 0 ;;
    yes:*) echo 'skipped: no CUDA device is present' && exit 4 ;;
    crash:*names-only) printf '  a test - <x,y>\n  another\n' && exit 2 ;;
    *names-only) echo '  a line' && exit 1 ;;
    crash:'~[table] '* | 'crash:a test - <x\,y>'*) echo 'illegal address' && exit 1 ;;
esac
echo 'All tests passed'
SCRIPT

program "$work/programs/on_a_gpu" <<<'echo 1110100100 is front heavy'
program "$work/programs/news_classifier" <<'SCRIPT'
[ "$*" = "--device cuda --data ${4-} --model packed --limit 16000 --epochs 2 --seed 1" ] || exit 2
[ $MISCHIEF = no ] && echo 'result model=packed test_accuracy=0.7901' || echo 'result model=packed test_accuracy=0.2500'
SCRIPT

bench() { # bench MISCHIEF STATUS [OPTION...]: the driver must end with that status
    local status=0 want=$2
    export MISCHIEF=$1
    shift 2
    rm -rf "$work/out"
    [[ " $* " == *' --build '* ]] || set -- --programs "$work/programs" "$@"
    "$root/bench/cuda/run" --out "$work/out" --formats bf16 "$@" >"$work/log" 2>&1 || status=$?
    [ $status = "$want" ] || { cat "$work/log"; echo "status $status, expected $want"; exit 1; }
}
holds() { # holds PYTHON: true of r, the results, rows, those of the CSV, and log, what was printed
    python3 - "$work" "$1" <<'SCRIPT' || { cat "$work/log"; exit 1; }
import csv, json, pathlib, sys, tarfile
work = pathlib.Path(sys.argv[1])
r = json.loads((work / "out/results.json").read_text())
rows = list(csv.DictReader((work / "out/recurrent.csv").open()))
log = (work / "log").read_text()
assert eval(sys.argv[2]), sys.argv[2]
SCRIPT
}

# All is well, but for a race.
bench no 1
holds 'len(rows) == 3 * 3 * (3 + 1 + 1 + 1) and rows == r["recurrent"]'
holds 'len(r["failures"]) == 1 and "racecheck" in r["failures"][0] and r["unfinished"] == []'
holds '"PyTorch" in r["absent"][0] and r["machine"]["arch"] == "sm_90"'
holds '"packed training, against the best of the others: " \
       "3.00 x (gru bf16 32 64) to 4.00 x (lstm bf16 96 64), median 3.50 x" in log'
holds '{p.name for p in (work / "out").iterdir()} == {"recurrent.csv", "lesson.csv", "results.json", "logs.tar.gz"}'
holds '"logs/racecheck.log" in tarfile.open(work / "out/logs.tar.gz").getnames()'
holds '"   3.50 x" in log and "cudnn persist_static packed" in log and "memcheck: clean" in log and "1980 MHz" in log'
program "$work/bin/compute-sanitizer" <<<'echo "========= Error: Device not supported" && exit 1'
bench no 0
holds 'sum("check: compute-sanitizer refuses" in a for a in r["absent"]) == 3'
program "$work/bin/compute-sanitizer" </dev/null
holds '"table, each alone: 1 of 1 passed" in log'
# A crash, silence, a failed case, a line that cannot be read; a cuDNN that takes nothing; tests without a GPU; a lesson
# that ends early.
bench yes 1 --silence 1
holds 'sum("signal 11" in f and "lstm_bf16 2" in f for f in r["failures"]) == 1'
holds 'sum("silent" in f and "gru_bf16 2" in f for f in r["failures"]) == 1'
holds 'sum("no memory" in f for f in r["failures"]) == sum("half a line" in f for f in r["failures"]) == 1'
holds 'any("tests: skipped: no CUDA device" in f for f in r["failures"]) and any("no more" in f for f in r["failures"])'
holds 'len(r["failures"]) == 8 and any("news_classifier" in f for f in r["failures"])'
holds 'r["lesson"] == [{"who": "sequent f32x3 one_block", "ms": "0.5", "iqr": "0.01"}]'
holds 'any("cuDNN took no case" in f and "not supported" in f for f in r["failures"])'
holds 'len(rows) == 3 * 3 * (2 + 3) - 2'  # the cases after those that ended are there
# A test that fails is run again alone, and those beside it.
bench crash 1
holds 'r["failures"][:2] == ["tests: status 1: illegal address; the last that ended: none", "a test - <x,y>: status 1: illegal address"]'
# The time is over while one hangs, and it is no failure that the rest is missing.
program "$work/programs/recurrent_gru_bf16" <<<'sleep 60'
bench no 0 --limit 0.15
holds '"recurrent_gru_bf16: packed training" in r["unfinished"] and "out of time" in log and len(rows) >= 9'
# Built by a compiler that fails for a program, a test and cuDNN.
program "$work/bin/nvcc" <<'SCRIPT'
case "$*" in
    *cudnn_probe*) echo 'cudnn.h is not there' && exit 1 ;;
    *-DCELL=elman*recurrent.cu*) echo 'error: too many registers' && exit 1 ;;
    *-DCELL=gru*-DFORMAT=f16*planned.cu*) echo 'error: no such size' && exit 1 ;;
    *cublas_probe*) cp /bin/true "${@: -1}" ;;
    *--version*) echo 'release 13' ;;
    *' -c '*) touch "${@: -1}" ;;
    *recurrent*) cp "$STANDINS/cases" "${@: -1}" ;;
    *test_gpu* | *lesson* | *on_a_gpu*) cp "$STANDINS/$(basename "${@: -1}")" "${@: -1}" ;;
esac
SCRIPT
for header in catch2/catch.hpp nlohmann/json.hpp eigen3/Eigen/Core xsimd/xsimd.hpp xtensor/xtensor.hpp; do
    install -D /dev/null "$work/carried/include/$header"
done
export STANDINS=$work/programs
bench no 1 --carried "$work/carried" --build "$work/built"
holds 'len(r["failures"]) == 2 and "recurrent_elman_bf16" in r["failures"][1] and "registers" in r["failures"][1]'
holds '"planned.gru.f16" in r["failures"][0]'  # the other tests run
holds 'len(rows) == 2 * 3 * 6 and r["lesson"] != []'
holds 'any("the news classifier is not run" in a for a in r["absent"]) and "on_a_gpu: 1110100100" in log'
holds '"cudnn.h is not there" in r["absent"][1] and "tests: All" in log'
# Programs and tools that are absent: a run without tests has failed, unless it was asked for.
rm "$work/programs"/recurrent_* "$work/programs/test_gpu" "$work/bin/nvidia-smi"
if [ -z "$(command -v nvidia-smi)" ]; then
    bench no 1 && holds '"no test ran" in r["failures"][0]'
    bench no 0 --no-tests && holds 'rows == [] and len(r["absent"]) == 6'
fi
echo "the driver comes to its end"
