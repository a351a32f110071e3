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
    cargo nextest run --workspace --no-fail-fast "$@"
else
    cargo test --workspace --all-targets --no-fail-fast "$@"
fi
