#!/usr/bin/env bash
# gate.sh ROOT [--table]: compiles kernels.cu and policy.cu for every target and clusters.cu for those that have clusters,
# warnings as errors, and demands of each kernel of the first and the last that it needs no stack and spills nothing, and of
# their PTX that it multiplies on the tensor cores, sends asynchronous stores and has no local memory. docs/cuda.md has a
# table of each kernel's shared memory, products and registers, which are the kernel's budget: --table prints it, else it is
# compared, what ptxas and the PTX say only where this is the compiler that it names. Exit code 77: there is no nvcc.
set -euo pipefail
cd "$1"
nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
if [ ! -x "$nvcc" ]; then
    echo 'SKIPPED: no nvcc, so no kernel was compiled for a GPU'
    exit 77
fi
targets=(80 86 89 90 100 120) with_clusters=(90 100 120)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export nvcc folder

compile() { # compile SOURCE TARGET
    local options=(-std=c++20 -I include -I tests -Werror all-warnings) log=$folder/$1.$2.log
    case $2 in
    compute_*) options+=(-arch="$2" -ptx -o "$folder/$1.ptx") ;;
    *) options+=(-arch="sm_$2" -cubin -o "$folder/$1.$2.cubin") ;;
    esac
    if [ "$1" != policy ] && [ "${2#compute}" = "$2" ]; then options+=(-Xptxas -v,-warn-spills,-warn-lmem-usage); fi
    "$nvcc" "${options[@]}" "tests/cuda_gate/$1.cu" 2>"$log" ||
        { grep -E 'error|warning' "$log" || cat "$log"; echo "failed: $1.cu, target $2"; return 1; }
}
export -f compile
{
    printf 'policy %s\n' "${targets[@]}"
    printf 'kernels %s\n' "${targets[@]}" compute_80
    printf 'clusters %s\n' "${with_clusters[@]}" compute_90
} | xargs -P "$(nproc)" -L 1 bash -c 'compile "$@"' compile

# "one_block_forward lstm 64 f32x3 8": kernel, cell, hidden size, format, rows of a tile; "cluster_forward ..., 4 blocks".
name_of='function name_of(symbol,    formats, numbers, parts, text) {
        split("f32x3 f32 tf32 bf16 f16", formats, " ")
        match(symbol, /tile_(forward|backward)/); text = substr(symbol, RSTART + 4, RLENGTH - 4)
        match(symbol, /(coupled_lstm|lstm|gru|elman)ILi1ELi[0-9]+/); parts = substr(symbol, RSTART, RLENGTH)
        sub(/ILi1ELi/, " ", parts); text = text " " parts
        match(symbol, /precisionE[0-9]ELi[0-9]+ELi[0-9]+/)
        split(substr(symbol, RSTART + 10, RLENGTH - 10), numbers, "ELi")  # format, rows, blocks
        text = text " " formats[numbers[1] + 1] " " numbers[2]
        return numbers[3] == 1 ? "one_block" text : "cluster" text ", " numbers[3] " blocks"
    }'
kernels() { # kernels TARGET -> name|registers, and what is wrong
    awk "$name_of"'
    /Compiling entry function/ { split($0, quoted, "\047"); now = name_of(quoted[2]) }
    /bytes stack frame/ && !/ 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads/ {
        print "WRONG|" now ":" $0
    }
    /Used [0-9]+ registers/ { match($0, /Used [0-9]+/); print now "|" substr($0, RSTART + 5, RLENGTH - 5) }
    ' "$folder"/kernels."$1".log $([ ! -e "$folder/clusters.$1.log" ] || echo "$folder/clusters.$1.log") | sort
}
wrong=0
for target in "${targets[@]}"; do
    kernels "$target" >"$folder/$target.kernels"
    [ -s "$folder/$target.kernels" ] || { echo "sm_$target: no kernels in the compiler's output" && wrong=1; }
    if grep '^WRONG' "$folder/$target.kernels" | sed "s/^WRONG|/sm_$target: /"; then wrong=1; fi
done
# name|bytes of shared memory|mma.sync in the PTX
awk "$name_of"'
/^\.visible \.entry/ { now = name_of($0) }
/mma\.sync/ { ++products[now] }
/^(\.visible )?\.global .*shared_bytes/ { bytes[name_of($0)] = $NF }
END { for (name in bytes) printf "%s|%d|%d\n", name, bytes[name], products[name] }
' "$folder/kernels.ptx" "$folder/clusters.ptx" >"$folder/counts"
for needed in kernels:mma.sync clusters:mma.sync clusters:st.async clusters:mbarrier.try_wait; do
    grep -qF "${needed#*:}" "$folder/${needed%:*}.ptx" || { echo "the PTX of ${needed%:*}.cu has no ${needed#*:}" && wrong=1; }
done
if grep -n 'ld\.local\|st\.local' "$folder"/*.ptx | head -n 3 | grep .; then echo 'the PTX has local memory' && wrong=1; fi
[ $wrong = 0 ] || exit 1

release=$("$nvcc" --version | sed -n 's/.*release \([0-9.]*\),.*/\1/p')
{
    printf '| nvcc %s: kernel, cell, hidden size, format, rows | shared | mma |' "$release"
    printf ' sm_%s |' "${targets[@]}"
    printf '\n|---|---|---|'
    printf -- '---|%.0s' "${targets[@]}"
    echo
    while IFS='|' read -r kernel _; do
        counted=$(sed -n "s/^$kernel|//p" "$folder/counts")
        [ -n "$counted" ] || { echo "$kernel: no shared memory in the PTX" >&2 && exit 1; }
        printf '| %s | %s |' "$kernel" "${counted/|/ | }"
        for target in "${targets[@]}"; do
            used=$(sed -n "s/^$kernel|//p" "$folder/$target.kernels")
            printf ' %s |' "${used:--}"
        done
        echo
    done <"$folder/90.kernels"
} >"$folder/table"
if [ "${2-}" = --table ]; then cat "$folder/table" && exit; fi
count=$(wc -l <"$folder/90.kernels")
echo "$count kernels for ${#targets[@]} targets and PTX: no stack, no spills"
columns=1- from=1
if ! grep -qF "| nvcc $release:" docs/cuda.md; then
    echo "docs/cuda.md has the registers of another compiler than nvcc $release: only shared memory is compared"
    columns=2,3 from=3
fi
grep -A $((count + 1)) '^| nvcc [0-9.]*: kernel' docs/cuda.md | tail -n +$from | cut -d'|' -f $columns |
    diff -u --label docs/cuda.md --label compiled - <(tail -n +$from "$folder/table" | cut -d'|' -f $columns)
