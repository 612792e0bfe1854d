#!/usr/bin/env bash
# run.sh BUILD SECONDS [TARGET…]: every fuzz target of a build with SAGITTA_FUZZ=ON for that long.
# New inputs grow in BUILD/corpus/<target>; crashes are kept in BUILD/crashes/<target>.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
build="$(cd "${1:?usage: run.sh BUILD SECONDS [TARGET…]}" && pwd)"
seconds="${2:?usage: run.sh BUILD SECONDS [TARGET…]}"
shift 2
targets=("$@")
if ((${#targets[@]} == 0)); then
    for source in "$here"/*_fuzz.cpp; do targets+=("$(basename "$source" .cpp)"); done
fi
failed=0
for target in "${targets[@]}"; do
    grown="$build/corpus/$target"
    mkdir -p "$grown" "$build/crashes/$target" "$here/corpus/$target"
    echo "== $target, $seconds s" >&2
    "$build/tests/fuzz/$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$build/crashes/$target/" "$grown" "$here/corpus/$target" \
        > "$build/crashes/$target.log" 2>&1 || { failed=1; echo "   FAILED, see $build/crashes/$target.log" >&2; }
    grep -E "stat::(number_of_executed_units|average_exec_per_sec)|SUMMARY|violated" "$build/crashes/$target.log" >&2 || true
done
exit "$failed"
