#!/usr/bin/env bash
# check_backends.sh ROOT: the table of docs/backends.md names exactly the operations that are overloaded for the policy
# `cpu`, each for float and double. Prints what differs.
set -euo pipefail
cd "$1"

# Overloads look like "name(cpu const&, ..." or "name(Device const&, ...", below a line "template <... class T>".
overloaded() {
    cat include/sequent/backend/cpu/*.hpp | awk '
    match($0, /[a-z_]+\((cpu|Device) const&/) {
        name = substr($0, RSTART, RLENGTH)
        sub(/\(.*/, "", name)
        print name, (above ~ /class T[,>]/ ? "yes yes" : "- -")
    }
    { above = $0 }' | sort -u
}
# Rows look like "| `name` | what it does | yes | yes |".
listed() {
    awk -F ' *[|] *' '/^\| `[a-z_]+` / && $(NF - 1) ~ /^(yes|-)$/ { gsub(/`/, "", $2); print $2, $(NF - 2), $(NF - 1) }' docs/backends.md | sort
}

[ -n "$(overloaded)" ] || { echo 'found no overload for cpu'; exit 1; }
diff --label 'include/sequent/backend/cpu' --label 'docs/backends.md' -u0 <(overloaded) <(listed)
