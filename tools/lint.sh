#!/usr/bin/env bash
# lint.sh BUILD [FILE…]: every lint, then clang-tidy over what BUILD/compile_commands.json names
# (or over the given files only). clang-tidy is slow; the lints alone are in every test run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build="${1:?usage: lint.sh BUILD [FILE…]}"
shift

python3 -B tests/lint/lint_self_test.py
python3 -B tools/check_includes.py
python3 -B tools/check_coroutines.py
python3 -B tests/lint/check_machine_paths.py

# clang 14 has coroutines but does not say so (cmake/Clang14Coroutines.cmake); g++'s flags differ a little.
extra=(--extra-arg=-D__cpp_impl_coroutine=201902L --extra-arg=-DASIO_HAS_CO_AWAIT=1
       --extra-arg=-DASIO_HAS_STD_COROUTINE=1 --extra-arg=-Wno-builtin-macro-redefined
       --extra-arg=-Wno-unknown-warning-option)
files=("$@")
if ((${#files[@]} == 0)); then
    mapfile -t files < <(python3 - "$build" <<'PY'
import json, sys
for entry in json.load(open(sys.argv[1] + "/compile_commands.json")):
    if "/src/" in entry["file"] and not entry["file"].endswith("asio_impl.cpp"):
        print(entry["file"])
PY
)
fi
printf '%s\0' "${files[@]}" |
    xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 -p "$build" --quiet "${extra[@]}"
