#!/bin/sh
# Explores with every fuzz target from its seeds, for as many seconds each as the first argument
# says. Needs a nightly compiler and cargo-fuzz; the seeds alone run in the core's tests.
set -eu
cd "$(dirname "$0")/../core"
for seeds in fuzz/seeds/*; do
    target=$(basename "$seeds")
    mkdir -p "fuzz/corpus/$target"
    cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "$seeds" -- \
        -max_total_time="${1:-60}" -timeout=10 -max_len=20000 -print_final_stats=1
done
