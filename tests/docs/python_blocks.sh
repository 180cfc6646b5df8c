#!/usr/bin/env bash
# python_blocks.sh ARGUMENTS: python_blocks.py by the first python3 that has what it needs; 77 where none has.
set -uo pipefail
status=77
for python in python3 /usr/bin/python3; do  # the first of the path may be a virtual environment without PyTorch
    command -v "$python" >/dev/null || continue
    status=0
    PYTHONDONTWRITEBYTECODE=1 "$python" "$(dirname "$0")/python_blocks.py" "$@" || status=$?
    [ $status = 77 ] || break
done
exit $status
