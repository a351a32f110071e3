#!/bin/sh
# Runs the parity table, and boots the installs for Istio and Envoy Gateway, on the given versions of
# Envoy, all of them also when one fails.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
PORTCULLIS_BIN=$(realpath "$target/debug/portcullis")
PORTCULLIS_WASM=$(realpath "$target/wasm32-wasip1/release/portcullis_filter.wasm")
export PORTCULLIS_BIN PORTCULLIS_WASM

failed=""
for version in "$@"; do
    ENVOY_BIN=$(scripts/tools.py envoy "$version")
    export ENVOY_BIN
    echo "Envoy $version"
    cargo test --quiet -p portcullis-tests --test parity || failed="$failed $version"
    cargo test --quiet -p portcullis-tests --test install boot || failed="$failed $version"
done
if [ -n "$failed" ]; then
    echo "the parity table or an install fails on Envoy$failed" >&2
    exit 1
fi
echo "the parity table and the installs hold on Envoy $*"
