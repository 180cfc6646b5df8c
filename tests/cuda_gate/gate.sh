#!/usr/bin/env bash
# gate.sh ROOT [--table]: compiles kernels.cu and policy.cu for every target, warnings as errors, and demands of each kernel of
# the first that it needs no stack and spills nothing, and of the PTX that it multiplies on the tensor cores and has no local
# memory. With --table prints the table of registers that stands in docs/cuda.md, else compares it where this is the compiler
# it names. Exit code 77: there is no nvcc.
set -euo pipefail
cd "$1"
nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
if [ ! -x "$nvcc" ]; then
    echo 'SKIPPED: no nvcc, so no kernel was compiled for a GPU'
    exit 77
fi
targets=(80 86 89 90 100 120)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export nvcc folder

compile() { # compile TARGET
    local options=(-std=c++20 -I include -I tests -Werror all-warnings) source=tests/cuda_gate/kernels.cu
    if [ "${1#policy}" != "$1" ]; then
        "$nvcc" "${options[@]}" -arch="sm_${1#policy}" -cubin -o "$folder/$1.cubin" tests/cuda_gate/policy.cu
    elif [ "$1" = ptx ]; then
        "$nvcc" "${options[@]}" -arch=compute_80 -ptx -o "$folder/ptx" $source
    else
        "$nvcc" "${options[@]}" -arch="sm_$1" -Xptxas -v,-warn-spills,-warn-lmem-usage -cubin -o "$folder/$1.cubin" $source
    fi 2>"$folder/$1.log" || { grep -E 'error|warning' "$folder/$1.log" || cat "$folder/$1.log"; echo "failed: target $1"; return 1; }
}
export -f compile
printf '%s\n' "${targets[@]}" ptx "${targets[@]/#/policy}" | xargs -P "$(nproc)" -I {} bash -c 'compile {}'

# "one_block_forward lstm 64 f32x3 8": kernel, cell, hidden size, format, rows of a tile.
kernels() { # kernels TARGET -> name|registers, and what is wrong
    awk '
    function name_of(symbol,    formats, parts, text) {
        split("f32x3 f32 tf32 bf16 f16", formats, " ")
        match(symbol, /one_block_(forward|backward)/); text = substr(symbol, RSTART, RLENGTH)
        match(symbol, /(coupled_lstm|lstm|gru|elman)ILi1ELi[0-9]+/); parts = substr(symbol, RSTART, RLENGTH)
        sub(/ILi1ELi/, " ", parts); text = text " " parts
        match(symbol, /precisionE[0-9]ELi[0-9]+/); parts = substr(symbol, RSTART + 10, RLENGTH - 10)
        return text " " formats[substr(parts, 1, 1) + 1] " " substr(parts, 5)
    }
    /Compiling entry function/ { split($0, quoted, "\047"); now = name_of(quoted[2]) }
    /bytes stack frame/ && !/ 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads/ {
        print "WRONG|" now ":" $0
    }
    /Used [0-9]+ registers/ { match($0, /Used [0-9]+/); print now "|" substr($0, RSTART + 5, RLENGTH - 5) }
    ' "$folder/$1.log" | sort
}
wrong=0
for target in "${targets[@]}"; do
    kernels "$target" >"$folder/$target.kernels"
    [ -s "$folder/$target.kernels" ] || { echo "sm_$target: no kernels in the compiler's output" && wrong=1; }
    if grep '^WRONG' "$folder/$target.kernels" | sed "s/^WRONG|/sm_$target: /"; then wrong=1; fi
done
products=$(grep -c 'mma\.sync' "$folder/ptx" || true)
[ "$products" -gt 0 ] || { echo 'the PTX has no mma.sync' && wrong=1; }
if grep -n 'ld\.local\|st\.local' "$folder/ptx" | head -n 3 | grep .; then echo 'the PTX has local memory' && wrong=1; fi
[ $wrong = 0 ] || exit 1

release=$("$nvcc" --version | sed -n 's/.*release \([0-9.]*\),.*/\1/p')
{
    printf '| nvcc %s: kernel, cell, hidden size, format, rows |' "$release"
    printf ' sm_%s |' "${targets[@]}"
    printf '\n|---|'
    printf -- '---|%.0s' "${targets[@]}"
    echo
    while IFS='|' read -r kernel _; do
        printf '| %s |' "$kernel"
        for target in "${targets[@]}"; do
            printf ' %s |' "$(sed -n "s/^$kernel|//p" "$folder/$target.kernels")"
        done
        echo
    done <"$folder/90.kernels"
} >"$folder/table"
if [ "${2-}" = --table ]; then cat "$folder/table" && exit; fi
count=$(wc -l <"$folder/90.kernels")
echo "$count kernels for ${#targets[@]} targets and PTX: no stack, no spills, $products mma.sync"
if grep -qF "| nvcc $release:" docs/cuda.md; then
    grep -A $((count + 1)) -F "| nvcc $release:" docs/cuda.md | diff -u --label docs/cuda.md --label compiled - "$folder/table"
else
    echo "docs/cuda.md has the registers of another compiler than nvcc $release: not compared"
fi
