//! The built image is one that fetchers take, and they are as strict as they are.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use portcullis_image::{Entry, Image, LAYER, Layer, filter, sha256};

use crate::fetcher::fetch;
use crate::folder::Folder;

const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const WASM_LAYER: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

/// Finds the built filter; its absence is a failure.
fn built_filter() -> PathBuf {
    if let Some(path) = std::env::var_os("PORTCULLIS_WASM") {
        return path.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    );
    target.join("wasm32-wasip1/release/portcullis_filter.wasm")
}

#[test]
fn fetchers_take_the_filter_from_what_the_command_writes() {
    let folder = Folder::new("built");
    let layout = folder.path().join("filter");
    let wasm = built_filter();
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis-image"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .arg("filter")
        .args([&wasm, &layout])
        .arg("0123abc")
        .output()
        .unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{problem}; run `make filter` first"
    );
    assert_eq!(fetch(&layout).unwrap(), fs::read(&wasm).unwrap());
    let said = String::from_utf8(output.stdout).unwrap();
    let index = fs::read_to_string(layout.join("index.json")).unwrap();
    let digest = said.split(' ').nth(1).unwrap();
    assert!(index.contains(digest), "{said} {index}");
}

/// The image of [`MODULE`] with other layers.
fn image(layers: Vec<Layer>) -> Image {
    Image {
        layers,
        ..filter(MODULE, None).unwrap()
    }
}

fn layer(path: &str, contents: &[u8]) -> Layer {
    Layer::of(&[Entry::file(path, 0o644, contents)]).unwrap()
}

/// A layer that is not an archive.
fn raw(media_type: &str, blob: &[u8]) -> Layer {
    Layer {
        media_type: media_type.to_owned(),
        blob: blob.to_vec(),
        diff_id: sha256(blob),
    }
}

/// Writes an image with these layers, and tells what a fetcher finds in it.
fn fetched(name: &str, layers: Vec<Layer>) -> Result<Vec<u8>, String> {
    let folder = Folder::new(name);
    image(layers).write(folder.path(), "test").unwrap();
    fetch(folder.path())
}

#[track_caller]
fn check_refused(name: &str, layers: Vec<Layer>, why: &str) {
    let problem = fetched(name, layers).unwrap_err();
    assert!(problem.contains(why), "{problem}");
}

#[test]
fn only_the_last_layer_counts() {
    let (plugin, other) = (layer("plugin.wasm", MODULE), layer("readme", b""));
    let last = vec![other.clone(), plugin.clone()];
    assert_eq!(fetched("last", last).unwrap(), MODULE);
    check_refused("first", vec![plugin, other], "no plugin.wasm");
    check_refused("none", Vec::new(), "no layer");
}

#[test]
fn the_layer_must_be_a_compressed_archive() {
    let plugin = layer("plugin.wasm", MODULE);
    for media_type in [
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ] {
        let other = raw(media_type, &plugin.blob);
        check_refused("type", vec![other], "the last layer is");
    }
    check_refused("text", vec![raw(LAYER, b"no archive")], "gzip");
}

#[test]
fn the_module_is_found_by_its_name_in_any_folder() {
    let in_folder = Layer::of(&[
        Entry::folder("opt/", 0o755, 0),
        Entry::file("opt/plugin.wasm", 0o644, MODULE),
    ]);
    assert_eq!(fetched("folder", vec![in_folder.unwrap()]).unwrap(), MODULE);
    for name in ["filter.wasm", "plugin.wasm.gz", "Plugin.wasm"] {
        check_refused("name", vec![layer(name, MODULE)], "no plugin.wasm");
    }
    check_refused("empty", vec![layer("plugin.wasm", b"")], "no module");
}

#[test]
fn an_artefact_has_exactly_two_layers() {
    let (wasm, other) = (raw(WASM_LAYER, MODULE), raw("application/json", b"{}"));
    let both = vec![wasm.clone(), other.clone()];
    assert_eq!(fetched("two", both).unwrap(), MODULE);
    check_refused("one", vec![wasm.clone()], "1 layers, not 2");
    let three = vec![wasm, other.clone(), other.clone()];
    check_refused("three", three, "3 layers, not 2");
    check_refused(
        "neither",
        vec![other.clone(), other],
        "no layer is a module",
    );
}
