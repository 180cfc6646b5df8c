#!/usr/bin/env bash
# check_backends.sh ROOT: the table of docs/backends.md names exactly the operations that are overloaded for the policies
# `cpu` and `cuda`, each for float and double. Prints what differs.
set -euo pipefail
cd "$1"

# Overloads look like "name(cpu const&, ..." or "name(Device const&, ...", below a line "template <... class T>".
overloaded() { # overloaded FOLDER
    cat "$1"/*.hpp | awk '
    /^namespace detail \{/ { inside = 1 }
    /^\}  \/\/ namespace detail/ { inside = 0 }
    !inside && match($0, /[a-z_]+\((cpu|Device) const&/) {
        name = substr($0, RSTART, RLENGTH)
        sub(/\(.*/, "", name)
        print name, (above ~ /class T[,>]/ ? "yes yes" : "- -")
    }
    { above = $0 }' | sort -u
}
# Rows look like "| `name` | what it does | cpu, float | cpu, double | cuda, float | cuda, double |"; cells of a policy that is
# not asked for the operation are empty.
listed() { # listed PLACE OF THE FIRST COLUMN, from the end
    awk -F ' *[|] *' -v place="$1" '
    /^\| `[a-z_]+` / && $(NF - place) ~ /^(yes|-)$/ {
        gsub(/`/, "", $2)
        print $2, $(NF - place), $(NF - place + 1)
    }' docs/backends.md | sort
}

different=0
for policy in cpu:4 cuda:2; do
    folder=include/sequent/backend/${policy%:*}
    [ -n "$(overloaded "$folder")" ] || { echo "found no overload in $folder"; exit 1; }
    diff --label "$folder" --label 'docs/backends.md' -u0 <(overloaded "$folder") <(listed "${policy#*:}") || different=1
done
exit $different
