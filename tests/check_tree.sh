#!/usr/bin/env bash
# check_tree.sh ROOT: the rules of the house that a script can check. Prints every breach; succeeds when there is none.
set -euo pipefail
cd "$1"
library=include/sequent

{
    # Folders, includes and lengths of the headers.
    find "$library" -type f \( -name '*.hpp' -o -name '*.cuh' \) | sort | xargs -r awk -v library="$library/" '
    BEGIN {
        count = split("core sequence cell backend layer model train", chain, " ")
        for (i = 1; i <= count; ++i) rank[chain[i]] = i
        beside["io"] = beside["text"] = beside["data"] = 1
        most = 8000
    }
    function breach(text) { print FILENAME ":" FNR ": " text }
    function end_of_file() {
        if (lines > 400) print file ": " lines " lines, at most 400"
        if (file != "" && !guarded) print file ": no #pragma once"
        if (file !~ /\/cuda[\/.]/) total += lines
        lines = 0; guarded = 0
    }
    function folder_of(path) { return path ~ /\// ? substr(path, 1, index(path, "/") - 1) : "" }
    # The included path below include/sequent, or "" for another library.
    function resolve(target, quoted,    parts, n, i, depth, out, joined) {
        if (target ~ /^sequent\//) return substr(target, 9)
        if (!quoted) return ""
        joined = here; sub(/[^\/]*$/, "", joined)
        n = split(joined target, parts, "/")
        for (i = 1; i <= n; ++i) {
            if (parts[i] == "..") --depth
            else if (parts[i] != ".") out[++depth] = parts[i]
        }
        joined = out[1]
        for (i = 2; i <= depth; ++i) joined = joined "/" out[i]
        return joined
    }
    function may_include(from, to,    a, b) {
        a = folder_of(from); b = folder_of(to)
        if (to == "config.hpp") return 1
        if (b == "") return 0
        if (from ~ /^backend\/cpu\// && to ~ /^backend\/cuda\//) return 0
        if (from ~ /^backend\/cuda\// && to ~ /^backend\/cpu\//) return 0
        if (a == b) return 1
        if (a in beside) return b == "core" || b == "sequence" || (a == "data" && b == "text")
        if (from ~ /^(model|train)\/checkpoint/ && b == "io") return 1
        return (a in rank) && (b in rank) && rank[b] < rank[a]
    }
    FNR == 1 {
        end_of_file()
        file = FILENAME
        here = substr(FILENAME, length(library) + 1)
        folder = folder_of(here)
        umbrella = here == "sequent.hpp" || here == "cuda.hpp"
        if (folder == "" ? !umbrella && here != "config.hpp" : !(folder in rank) && !(folder in beside))
            breach("not one of the folders and files of the library")
    }
    { ++lines }
    /^#pragma once/ { guarded = 1 }
    /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
        quoted = $0 ~ /^[^<]*"/
        target = $0
        sub(/^[^<"]*[<"]/, "", target); sub(/[>"].*$/, "", target)
        to = resolve(target, quoted)
        if (to == "") {
            if (target ~ /^nlohmann\// && folder != "io") breach("nlohmann/json belongs to io/ alone")
            if (target ~ /^(unsupported\/)?Eigen\// && here !~ /^backend\/cpu[\/.]/) breach("Eigen belongs to backend/cpu alone")
            if (target ~ /^(xtensor|xtl)\// && here != "data/array.hpp") breach("xtensor belongs to data/array.hpp alone")
        } else if ((getline ignored < (library to)) < 0) {
            breach("includes " to ", which is not there")
        } else {
            close(library to)
            if (!umbrella && !may_include(here, to)) breach("must not include " to)
        }
    }
    END {
        end_of_file()
        if (total > most) print "all headers but those of CUDA together: " total " lines, at most " most
    }'

    # Every header in a folder has its test, and tests in a folder of the library have their header.
    (cd "$library" && find . -mindepth 2 -name '*.hpp' | sort) | while IFS= read -r header; do
        header=${header#./}
        test=tests/${header%.hpp}
        [ -e "$test.cpp" ] || [ -e "$test.cu" ] || echo "$library/$header: no test $test.cpp"
    done
    for folder in "$library"/*/; do
        folder=$(basename "$folder")
        [ -d "tests/$folder" ] || continue
        find "tests/$folder" -name '*.cpp' | sort | while IFS= read -r test; do
            header=$library/${test#tests/}
            [ -e "${header%.cpp}.hpp" ] || echo "$test: no header ${header%.cpp}.hpp"
        done
    done

    # Every static_assert with a sentence has a file that must not compile, which expects it or a part of it.
    {
        find tests -path '*/must_not_compile/*.cpp' | sort
        find "$library" -type f \( -name '*.hpp' -o -name '*.cuh' \) | sort
    } | xargs -r awk '
    /^\/\/ expect: / { expected[substr($0, 12)] }
    /static_assert\(/ { inside = 1; sentence = ""; place = FILENAME ":" FNR }
    inside {
        code = ""
        count = split($0, part, "\"")  # code, literal, code, ...
        for (i = 1; i <= count; ++i)
            if (i % 2) code = code part[i]
            else sentence = sentence part[i]
        if (code !~ /\);/) next
        inside = 0
        found = sentence !~ /^sequent::/
        for (part_of_it in expected) if (index(sentence, part_of_it)) found = 1
        if (!found) print place ": no test in tests/must_not_compile expects: " sentence
    }'
} | awk '{ print; ++breaches } END { exit breaches > 0 }'
