#!/bin/sh
# Runs the parity table through the component, in Node.js and in a Rust program with wasmtime.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}

PORTCULLIS_BIN=$(realpath "$target/debug/portcullis")
export PORTCULLIS_BIN
cargo test -p portcullis-tests --test component
PORTCULLIS_COMPONENT_HOST=$(realpath "$target/component-rust/release/portcullis-component-rust")
export PORTCULLIS_COMPONENT_HOST
cargo test -p portcullis-tests --test component
