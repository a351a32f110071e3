#!/bin/sh
# Checks licences, duplicate versions and sources of what ships. Advisories need a database that
# cannot be fetched everywhere, so they are not part of it.
set -eu
cd "$(dirname "$0")/.."
PATH=$(dirname "$(scripts/tools.py cargo-deny)"):$PATH
cargo deny check licenses bans sources
# What is allowed for the workspace is allowed here, and not all of it is met.
cargo deny --manifest-path bindings/component/Cargo.toml --config deny.toml check \
    --allow unmatched-skip --allow license-not-encountered licenses bans sources
