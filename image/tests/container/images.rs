//! The images that `make image` wrote, and the programs that tests need.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Returns the folder of the project.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Finds the layout of `filter` or `native`; its absence is a failure.
pub(crate) fn layout(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| root().join("target"), PathBuf::from);
    let layout = target.join("image").join(name);
    assert!(
        layout.exists(),
        "there is no {}: run `make image`",
        layout.display()
    );
    layout
}

/// Reads the manifest of a layout, and its digest.
pub(crate) fn manifest(layout: &Path) -> (Value, String) {
    let index = fs::read(layout.join("index.json")).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    let entry = &index["manifests"][0];
    let digest = entry["digest"].as_str().unwrap().to_owned();
    (
        serde_json::from_slice(&blob(layout, entry)).unwrap(),
        digest,
    )
}

/// Reads what `reference` names.
pub(crate) fn blob(layout: &Path, reference: &Value) -> Vec<u8> {
    let digest = reference["digest"].as_str().unwrap().replace(':', "/");
    fs::read(layout.join("blobs").join(digest)).unwrap()
}

/// Makes a command of a program from Debian, which is unpacked where it is not installed.
pub(crate) fn debian(package: &str, program: &str) -> Command {
    let output = Command::new("python3")
        .arg(root().join("scripts/tools.py"))
        .args(["debian", package, program])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let path = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end());
    let libraries = path.parent().unwrap().join("../lib/x86_64-linux-gnu");
    let mut command = Command::new(path);
    command.env("LD_LIBRARY_PATH", libraries);
    command
}
