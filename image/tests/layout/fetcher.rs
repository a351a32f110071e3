//! What the fetchers of Istio's agent and of Envoy Gateway take for a filter. Both have the same
//! rules.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use portcullis_image::sha256;
use serde_json::Value;

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const WASM_LAYER: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

const MAX_OCTETS: usize = 256 << 20;

/// Fetches the module from a layout.
pub(crate) fn fetch(layout: &Path) -> Result<Vec<u8>, String> {
    let index = json(&fs::read(layout.join("index.json")).unwrap())?;
    let manifests = index["manifests"].as_array().ok_or("no manifests")?;
    let [manifest] = manifests.as_slice() else {
        return Err(format!("{} manifests", manifests.len()));
    };
    let manifest = json(&blob(layout, manifest)?)?;
    blob(layout, &manifest["config"])?;
    let layers = manifest["layers"].as_array().ok_or("no layers")?;
    let found = if manifest["mediaType"] == DOCKER_MANIFEST {
        last_layer(layout, layers, DOCKER_LAYER)
    } else {
        last_layer(layout, layers, OCI_LAYER).or_else(|as_image| {
            artifact(layout, layers).map_err(|error| format!("{as_image}; {error}"))
        })
    };
    let module = found?;
    if !module.starts_with(b"\0asm") {
        return Err("no module".to_owned());
    }
    Ok(module)
}

/// An image: its last layer must hold the module by its name, in whatever folder.
fn last_layer(layout: &Path, layers: &[Value], media_type: &str) -> Result<Vec<u8>, String> {
    let layer = layers.last().ok_or("no layer")?;
    if layer["mediaType"] != media_type {
        return Err(format!("the last layer is {}", layer["mediaType"]));
    }
    let layer = blob(layout, layer)?;
    let names = tar(&["--list"], &layer)?;
    let names = String::from_utf8(names).unwrap();
    let is_module = |name: &&str| name.rsplit('/').next() == Some("plugin.wasm");
    let name = names.lines().find(is_module).ok_or("no plugin.wasm")?;
    tar(&["--extract", "--to-stdout", name], &layer)
}

/// An artefact: two layers, one of them the module as it is.
fn artifact(layout: &Path, layers: &[Value]) -> Result<Vec<u8>, String> {
    if layers.len() != 2 {
        return Err(format!("{} layers, not 2", layers.len()));
    }
    let is_module = |layer: &&Value| layer["mediaType"] == WASM_LAYER;
    let layer = layers
        .iter()
        .find(is_module)
        .ok_or("no layer is a module")?;
    blob(layout, layer)
}

/// Reads what `reference` is about, which must be as it says.
fn blob(layout: &Path, reference: &Value) -> Result<Vec<u8>, String> {
    let digest = reference["digest"].as_str().ok_or("no digest")?;
    let hex = digest.strip_prefix("sha256:").ok_or("another digest")?;
    let blob =
        fs::read(layout.join("blobs/sha256").join(hex)).map_err(|error| error.to_string())?;
    let size = u64::try_from(blob.len()).unwrap();
    if sha256(&blob) != hex || reference["size"] != size || blob.len() > MAX_OCTETS {
        return Err(format!("{digest} is not what it says"));
    }
    Ok(blob)
}

fn json(octets: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(octets).map_err(|error| error.to_string())
}

/// Has the system's `tar` read a compressed archive.
pub(crate) fn tar(arguments: &[&str], archive: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new("tar")
        .args(["--gunzip", "--file=-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let archive = archive.to_vec();
    // It may end before it has read everything.
    let writer = thread::spawn(move || drop(stdin.write_all(&archive)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
