# awk -v title=README.md -v program=out.cpp -v expected=out.txt -f extract.awk FILE
#
# Makes one program of the C++ in a Markdown document, and a file with the output that the document shows.
#
#   ```cpp        at file scope; a block may hold a main() of its own, if no block is marked 'run'
#   ```cpp run    statements of main, all in one scope, in the order of the document
#   ```text       directly after either: what it prints. A 'run' block without one prints nothing
#   <!-- compile: types -->, <!-- compile: statements -->
#                 before a table: each `...` in the last column must be a complete type, or is a statement of main
function fail(what) {
    print title ":" FNR ": " what > "/dev/stderr"
    failed = 1
    exit 1
}
function at(line) { return "#line " line " \"" title "\"\n" }

# A table's row: the code spans of its last column.
function compile_row(    cells, n, spans, count, i) {
    n = split($0, cells, "|")
    count = split(cells[n - 1], spans, "`")
    for (i = 2; i <= count; i += 2)
        statements = statements at(FNR) (table == "types" ? "static_assert(sizeof(" spans[i] ") > 0);" : spans[i] ";") "\n"
}

fence == "" && /^```/ {
    fence = substr($0, 4)
    if (fence ~ /^(cpp|c\+\+|C\+\+)/ && fence != "cpp" && fence != "cpp run") fail("unknown mark '" fence "'")
    if (fence == "cpp") declarations = declarations at(FNR + 1)
    if (fence == "cpp run") {
        mark = "== " title ":" FNR
        statements = statements "std::puts(\"" mark "\");\n" at(FNR + 1)
        shown = shown mark "\n"
    }
    shows = fence == "text" && last ~ /^cpp/
    last = fence
    if (fence == "") fence = "plain"
    next
}
/^```/ { fence = ""; next }
fence == "cpp" {
    declarations = declarations $0 "\n"
    if (/^int main\(/) own_main = 1
}
fence == "cpp run" { statements = statements $0 "\n" }
fence == "text" && shows { shown = shown $0 "\n" }

fence == "" && /^<!-- compile: (types|statements) -->$/ { table = $3; next }
fence == "" && table != "" {
    if (/^\|/) { if (++rows > 2) compile_row() }  # after the heading and the line below it
    else if (rows > 0) table = rows = ""
    else if ($0 != "") fail("no table after 'compile: " table "'")
}

END {
    if (failed) exit 1
    if (fence != "") fail("a block is not closed")
    if (own_main && statements != "") fail("both a main of its own and 'run' blocks or tables")
    print (own_main ? declarations : "#include <cstdio>\n" declarations "int main() {\n" statements "}") > program
    printf "%s", shown > expected
}
