#!/usr/bin/env bash
# check_test.sh COMPILER [FLAGS]: check.sh passes and fails as it should.
set -euo pipefail
check=$(dirname "$0")/check.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

expect() { # expect pass|fail TITLE, the file on standard input
    cat >"$folder/$1.cpp"
    local result=fail
    if bash "$check" "$folder/$1.cpp" "${compiler[@]}" >"$folder/output"; then result=pass; fi
    if [ "$result" != "$1" ]; then
        echo "$2: expected check.sh to $1, but:"
        cat "$folder/output"
        exit 1
    fi
}
compiler=("$@")

expect pass "the sentence in a template that is used" <<'END'
// expect: a width must be positive: give linear<In, Out> positive numbers
template <int N> struct width {
    static_assert(N > 0, "a width must be positive: give linear<In, Out> positive numbers");
};
template <int N> int use() { return sizeof(width<N>); }
int main() { return use<0>(); }
END
expect fail "a file that compiles" <<'END'
// expect: never said
int main() {}
END
expect fail "another error" <<'END'
// expect: never said
int main() { return missing; } // never said
END
expect fail "the sentence only in the source that an error would quote" <<'END'
// expect: only quoted
int main() { return missing("only quoted"); }
END
expect fail "no sentence" <<'END'
int main() { return missing; }
END
