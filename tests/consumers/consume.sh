#!/usr/bin/env bash
# consume.sh WAY BUILD PREFIX VERSION CMAKE COMPILER: builds and runs a consumer afresh in the folder BUILD.
set -euo pipefail
way=$1 build=$2 prefix=$3 version=$4 cmake=$5 compiler=$6
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$build"
mkdir -p "$build"
configure() {
    "$cmake" -S "$here/$way" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" "$@"
    "$cmake" --build "$build"
}
case $way in
    find_package) configure -DCMAKE_PREFIX_PATH="$prefix" -DVERSION="$version" ;;
    add_subdirectory) configure -DSOURCE="$here/../.." ;;
    pkg_config)
        export PKG_CONFIG_PATH=$prefix/share/pkgconfig
        pkg-config --print-errors --exact-version="$version" sequent
        # shellcheck disable=SC2046
        "$compiler" -std=c++20 $(pkg-config --cflags --libs sequent) "$here"/two_units/*.cpp -o "$build/consumer"
        ;;
esac
"$build/consumer"
