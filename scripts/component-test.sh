#!/bin/sh
# Runs the parity table through the component, in Node.js and in a Rust program with wasmtime, and
# there through the component that cargo-component makes as well.
set -eu
cd "$(dirname "$0")/.."
target=$(realpath "${CARGO_TARGET_DIR:-target}")

export PORTCULLIS_BIN="$target/debug/portcullis"
cargo test -p portcullis-tests --test component
export PORTCULLIS_COMPONENT_HOST="$target/component-rust/release/portcullis-component-rust"
cargo test -p portcullis-tests --test component

PATH=$(dirname "$(scripts/tools.py cargo-component)"):$PATH
(cd bindings/component && cargo component build --release --target wasm32-unknown-unknown \
    --target-dir "$target/cargo-component")
built=wasm32-unknown-unknown/release/portcullis_component.wasm
export PORTCULLIS_COMPONENT="$target/cargo-component/$built"
cargo test -p portcullis-tests --test component
