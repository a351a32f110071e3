#!/bin/sh
# Builds the images of this tree in another folder too, and compares all files of both.
set -eu
cd "$(dirname "$0")/.."
unset CARGO_TARGET_DIR
other=$(mktemp -d)
trap 'rm -rf "$other"' EXIT

# Other tools and another folder for what is built: only the sources are the same.
git ls-files -z --cached --others --exclude-standard |
    tar --create --null --files-from=- | tar --extract --directory "$other"
for folder in . "$other"; do
    make --no-print-directory --directory "$folder" image REVISION=twice
done
diff --recursive --brief target/image "$other/target/image"
echo "two builds, one digest for each image"
