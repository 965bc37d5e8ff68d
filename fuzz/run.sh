#!/usr/bin/env bash
# fuzz/run.sh SECONDS [TARGET…]: runs each target (all by default) for so long, from the seeds and what earlier runs
# have found. Fails if any target does. A crasher: `cargo fuzz tmin TARGET FILE`, then move it to fuzz/regressions/TARGET/
# under a name that tells the fault; `cargo test` replays it from then on.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:?usage: fuzz/run.sh SECONDS [TARGET…]}
shift
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || targets=(reply request event session cluster sasl_client sasl_server http1_client http1_server hpack http2_client http2_server carriage_client carriage_server scanner protostream)

command -v cargo-fuzz >/dev/null 2>&1 || cargo install cargo-fuzz --locked
# The sanitizers are options of nightly compilers; this lets a stable one take them.
export RUSTC_BOOTSTRAP=1

cargo run --quiet --release --manifest-path seeds/Cargo.toml
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

failed=0
summary=$(printf '%-15s %14s %10s %10s  %s' target executions coverage features result)
for target in "${targets[@]}"; do
  mkdir -p "corpus/$target" "artifacts/$target" "regressions/$target"
  echo "== $target, ${seconds} s"
  cargo fuzz build --fuzz-dir . "$target" 2>"$logs/build" || { cat "$logs/build" >&2; exit 1; }
  result="ok"
  # The folder with what earlier runs found, and the inputs that once failed.
  cargo fuzz run --fuzz-dir . "$target" "corpus/$target" "regressions/$target" -- \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=64 -max_len=65536 \
    -print_final_stats=1 >"$logs/$target" 2>&1 || result="FAILED"
  if [ "$result" = FAILED ]; then
    failed=1
    # What went wrong, without the statistics of a run that did not end.
    grep -aE -A30 'panicked at|ERROR: |SUMMARY: ' "$logs/$target" | head -60 >&2 || tail -30 "$logs/$target" >&2
    result="FAILED: $(grep -aoE 'fuzz/artifacts/[^ ]+|artifacts/[^ ]+' "$logs/$target" | tail -1 || true)"
  fi
  executions=$(grep -aoE 'number_of_executed_units: *[0-9]+' "$logs/$target" | grep -oE '[0-9]+' | tail -1 || true)
  coverage=$(grep -aoE 'cov: [0-9]+' "$logs/$target" | tail -1 | cut -d' ' -f2 || true)
  features=$(grep -aoE 'ft: [0-9]+' "$logs/$target" | tail -1 | cut -d' ' -f2 || true)
  summary+=$(printf '\n%-15s %14s %10s %10s  %s' "$target" "${executions:-?}" "${coverage:-?}" "${features:-?}" "$result")
done
echo
echo "$summary"
exit "$failed"
