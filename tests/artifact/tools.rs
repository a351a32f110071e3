//! The programs and files under test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Finds Envoy; its absence is a failure.
pub(crate) fn envoy() -> PathBuf {
    if let Some(path) = std::env::var_os("ENVOY_BIN") {
        return path.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut files = std::env::split_paths(&path).map(|folder| folder.join("envoy"));
    files
        .find(|file| file.is_file())
        .expect("Envoy is missing: set ENVOY_BIN")
}

/// Finds the filter; its absence is a failure.
pub(crate) fn wasm() -> PathBuf {
    let built = ["wasm32-wasip1/release/portcullis_filter.wasm"];
    let file = artifact("PORTCULLIS_WASM", &built);
    file.expect("the filter is missing: run `make filter`")
        .canonicalize()
        .unwrap()
}

/// Makes a command of the native binary that sees none of our own environment.
pub(crate) fn portcullis() -> Command {
    let built = ["debug/portcullis", "release/portcullis"];
    let binary = artifact("PORTCULLIS_BIN", &built);
    let mut command = Command::new(binary.expect("the binary is missing: run `make native`"));
    command.env_clear().current_dir(root());
    command
}

/// Returns the folder of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn artifact(variable: &str, places: &[&str]) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| root().join("target"), PathBuf::from);
    places
        .iter()
        .map(|place| target.join(place))
        .find(|path| path.exists())
}
