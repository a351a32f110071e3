#!/bin/sh
# Runs every test on the native binary and the filter that are built already. Arguments go to the
# test runner.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}

ENVOY_BIN=$(scripts/tools.py envoy)
PORTCULLIS_BIN=$(realpath "$target/debug/portcullis")
PORTCULLIS_WASM=$(realpath "$target/wasm32-wasip1/release/portcullis_filter.wasm")
PORTCULLIS_CORE_COST=$(realpath "$target/release/portcullis-core-cost")
VALGRIND_BIN=$(scripts/tools.py valgrind)
export ENVOY_BIN PORTCULLIS_BIN PORTCULLIS_WASM PORTCULLIS_CORE_COST VALGRIND_BIN

if cargo nextest --version >/dev/null 2>&1; then
    failed=0
    cargo nextest run --workspace --no-fail-fast "$@" || failed=1
    # These share the hosts that they start, which takes one process.
    [ $# -gt 0 ] || cargo test --quiet -p portcullis-tests --test requirements || failed=1
    exit "$failed"
else
    cargo test --workspace --all-targets --no-fail-fast "$@"
fi
