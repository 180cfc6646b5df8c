#!/usr/bin/env bash
# check_tree.sh accepts a good tree and names each kind of breach. Each case spoils a fresh copy of the good tree.
set -euo pipefail
check=$(cd "$(dirname "$0")" && pwd)/check_tree.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

header() { # header PATH [LINE...]: a header with these lines, and its test
    local path=$1
    shift
    mkdir -p "$(dirname "include/sequent/$path")" "$(dirname "tests/$path")"
    printf '%s\n' '#pragma once' "$@" >"include/sequent/$path"
    case $path in */*) : >"tests/${path%.hpp}.cpp" ;; esac
}

good_tree() {
    rm -rf "$folder/tree"
    mkdir -p "$folder/tree/tests/consumers"
    cd "$folder/tree"
    header config.hpp
    header sequent.hpp '#include "train/adam.hpp"' '#include "io/npy.hpp"'
    header core/error.hpp '#include "../config.hpp"' '#include <vector>'
    header sequence/pack.hpp '#include <sequent/core/error.hpp>'
    header backend/backend.hpp '#include "../config.hpp"'
    header backend/cpu/cpu.hpp '#include "../backend.hpp"' '#include <Eigen/Core>'
    header backend/cuda/cuda.hpp '#include "../backend.hpp"'
    header io/npy.hpp '#include "../core/error.hpp"' '#include <nlohmann/json.hpp>'
    header data/array.hpp '#include "../sequence/pack.hpp"' '#include <xtensor/xarray.hpp>'
    header model/model.hpp '#include "../core/error.hpp"'
    header model/checkpoint.hpp '#include "model.hpp"' '#include "../io/npy.hpp"'
    header train/adam.hpp '#include "../model/model.hpp"'
    : >tests/consumers/main.cpp
    mkdir tests/must_not_compile
    echo '// expect: sequent::rows: none (of the file); give' >tests/must_not_compile/rows.cpp
    header core/rows.hpp 'static_assert(Rows > 0 &&' 'Rows < 9,' '"sequent::rows: none (of the "' '"file); give 1");'
}

good_tree
bash "$check" "$folder/tree" || { echo "the good tree was refused"; exit 1; }

finds() { # finds MESSAGE COMMAND...: after COMMAND the check must fail with MESSAGE
    local message=$1
    shift
    good_tree
    "$@"
    if bash "$check" "$folder/tree" >"$folder/output" || ! grep -qF -- "$message" "$folder/output"; then
        echo "$*: expected a failure with '$message', got:"
        cat "$folder/output"
        exit 1
    fi
}
lines() { header "$1" "$(yes '// line' | head -n "$2")"; }
many_lines() { for i in $(seq 22); do lines "core/h$i.hpp" 390; done; }

finds 'core/error.hpp:2: must not include sequence/pack.hpp' header core/error.hpp '#include "../sequence/pack.hpp"'
finds 'must not include train/adam.hpp' header model/model.hpp '#include <sequent/train/adam.hpp>'
finds 'must not include io/npy.hpp' header model/model.hpp '#include "../io/npy.hpp"'
finds 'must not include model/model.hpp' header io/npy.hpp '#include "../model/model.hpp"'
finds 'must not include io/npy.hpp' header data/array.hpp '  #  include "../io/npy.hpp"'
finds 'must not include backend/cuda/cuda.hpp' header backend/cpu/cpu.hpp '#include "../cuda/cuda.hpp"'
finds 'must not include backend/cpu/cpu.hpp' header backend/cuda/cuda.hpp '#include "../cpu/cpu.hpp"'
finds 'must not include sequent.hpp' header train/adam.hpp '#include "../sequent.hpp"'
finds 'must not include core/error.hpp' header config.hpp '#include "core/error.hpp"'
finds 'includes core/gone.hpp, which is not there' header core/error.hpp '#include "gone.hpp"'
finds 'nlohmann/json belongs to io/ alone' header model/model.hpp '#include <nlohmann/json.hpp>'
finds 'Eigen belongs to backend/cpu alone' header model/model.hpp '#include <Eigen/Dense>'
finds 'xtensor belongs to data/array.hpp alone' header sequence/pack.hpp '#include <xtensor/xview.hpp>'
finds 'not one of the folders' header detail/helper.hpp
finds 'not one of the folders' header stray.hpp
finds '401 lines, at most 400' lines core/error.hpp 400
finds 'all headers but those' many_lines
finds 'no #pragma once' sed -i 1d include/sequent/core/error.hpp
finds 'no test tests/core/error.cpp' rm tests/core/error.cpp
finds 'no header include/sequent/core/stray.hpp' touch tests/core/stray.cpp
finds 'core/rows.hpp:2: no test in tests/must_not_compile expects: sequent::rows: none (of the file); give 1' \
    rm tests/must_not_compile/rows.cpp
finds 'no test in tests/must_not_compile expects: sequent::io: wrong' \
    header io/npy.hpp 'static_assert(true);' 'static_assert(false, "sequent::io: wrong");'
