#!/bin/sh
# Checks licences, duplicate versions and sources, where cargo-deny is there. Advisories need a
# database that cannot be fetched everywhere, so they are not part of it.
set -eu
cd "$(dirname "$0")/.."
if cargo deny --version >/dev/null 2>&1; then
    cargo deny check licenses bans sources
else
    echo "deny.sh: cargo-deny is not installed: licences, duplicates and sources are unchecked"
fi
