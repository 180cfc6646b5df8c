#!/usr/bin/env bash
# extract_test.sh COMPILER: extract.awk, compare.sh and check_backends.sh pass and fail as they should.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
compiler=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

check() { # extracts page.md, compiles, runs, compares
    cd "$folder" && awk -v title=page.md -v program=page.cpp -v expected=page.txt -f "$here/extract.awk" page.md &&
        "$compiler" -std=c++20 page.cpp -o page && bash "$here/compare.sh" ./page page.txt
}
expect() { # expect pass|fail TITLE, the document on standard input, with ~~~ for three backticks
    sed 's/^~~~/```/' >"$folder/page.md"
    local result=fail
    if (check) >"$folder/output" 2>&1; then result=pass; fi
    [ $result = "$1" ] || { echo "$2: expected to $1, but:"; cat "$folder/output"; exit 1; }
}

expect pass 'declarations, statements in one scope, output, tables' <<'END'
~~~cpp run
int const seven = twice(3) + 1;
~~~
~~~cpp
int twice(int n) { return 2 * n; }
template <int N>
struct width {};
~~~
~~~cpp run
std::printf("%d\n", seven);
~~~
~~~text
7
~~~
~~~sh
this is no C++
~~~

<!-- compile: types -->

| theirs | ours |
|---|---|
| `no C++` | `width<1>` or `width<2>` |

<!-- compile: statements -->

| theirs | ours |
|---|---|
| `no C++` | `int const eight = seven + 1` |
| `no C++` | `(void)eight` |
END
expect pass 'a main of its own' <<'END'
~~~cpp
#include <cstdio>
int main() { std::puts("text"); }
~~~

~~~text
text
~~~
END
expect fail 'another output' <<'END'
~~~cpp run
std::puts("one");
~~~
~~~text
two
~~~
END
expect fail 'output that is not shown' <<'END'
~~~cpp run
std::puts("one");
~~~
END
expect fail 'a program that fails' <<'END'
~~~cpp
int main() { return 1; }
~~~
END
expect fail 'a statement that does not compile' <<'END'
~~~cpp run
missing();
~~~
END
expect fail 'a type in a table that does not exist' <<'END'
<!-- compile: types -->
| theirs | ours |
|---|---|
| `int` | `missing` |
END
expect fail 'a table that is not there' <<'END'
<!-- compile: types -->

Some text.
END
expect fail 'an unknown mark' <<'END'
~~~cpp runs
~~~
END
expect fail 'a block that is not closed' <<'END'
~~~cpp
int main() {}
END

# Two backends of two operations, and their table.
mkdir -p "$folder/include/sequent/backend/cpu" "$folder/include/sequent/backend/cuda" "$folder/docs"
cat >"$folder/include/sequent/backend/cpu/cpu.hpp" <<'END'
template <class T>
void scale(cpu const&, T* values) {}
template <class Cell, class T>
void recurrent_forward(cpu const&, packing const& shape) {}
END
cat >"$folder/include/sequent/backend/cuda/operations.hpp" <<'END'
namespace detail {
template <on_machine Device, class T>
void add_sums(Device const& device, T* to) {}
}  // namespace detail
template <on_machine Device, class T>
void scale(Device const& device, T* values) {}
template <class Cell, class T, on_machine Device>
void recurrent_forward(Device const& device, packing const& shape) {}
END
table() { # table pass|fail ROWS...
    local result=fail
    printf '%s\n' "${@:2}" >"$folder/docs/backends.md"
    if bash "$here/check_backends.sh" "$folder" >"$folder/output"; then result=pass; fi
    [ $result = "$1" ] || { printf '%s\n' "expected to $1:" "${@:2}"; cat "$folder/output"; exit 1; }
}
yes='yes | yes | yes | yes |'
forward="| \`recurrent_forward\` | a layer | $yes" scale="| \`scale\` | a block | $yes"
table pass "$scale" "$forward"
table fail "$scale"
table fail "$scale" "$forward" "| \`norm\` | not there | $yes"
table fail "$scale" "$forward" "| \`add_sums\` | a helper | $yes"
table fail "$forward" '| `scale` | a block | yes | no | yes | yes |'
table fail "$forward" '| `scale` | a block | yes | yes | yes | - |'
table fail "$forward" '| `scale` | a block | yes | yes |'
