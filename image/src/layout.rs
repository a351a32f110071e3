//! An image, and the folder that holds it (OCI image specification 1.1, image layout).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::archive::{Entry, archive};
use crate::gzip::gzip;
use crate::sha256::sha256;

/// The media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of a compressed layer, the only one that fetchers of filters take.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// All is of this time.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// One layer of an image.
#[derive(Clone, Debug)]
pub struct Layer {
    /// What `blob` is.
    pub media_type: String,
    /// The layer as it is stored and sent.
    pub blob: Vec<u8>,
    /// The digest of the layer before it was compressed.
    pub diff_id: String,
}

impl Layer {
    /// Makes a layer of files.
    ///
    /// # Errors
    ///
    /// As [`archive`].
    pub fn of(entries: &[Entry<'_>]) -> Result<Self> {
        let archive = archive(entries)?;
        Ok(Self {
            media_type: LAYER.to_owned(),
            diff_id: sha256(&archive),
            blob: gzip(&archive),
        })
    }
}

/// An image for one kind of machine.
#[derive(Clone, Debug)]
pub struct Image {
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
    /// The machine as images name it, such as `amd64`.
    pub architecture: &'static str,
    /// How its program is run.
    pub run: Value,
    /// What the image is, by the names `org.opencontainers.image.…`.
    pub annotations: BTreeMap<String, String>,
}

impl Image {
    /// Writes the layout, with `tag` as the image's name, and returns the digest of the manifest,
    /// which names the image in every registry.
    ///
    /// # Errors
    ///
    /// Fails when `folder` holds something else, and when it cannot be written.
    pub fn write(&self, folder: &Path, tag: &str) -> Result<String> {
        make_room(folder)?;
        let config = self.config().to_string();
        let mut layers = Vec::new();
        for layer in &self.layers {
            layers.push(put(folder, &layer.media_type, &layer.blob)?);
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": put(folder, CONFIG, config.as_bytes())?,
            "layers": layers,
            "annotations": self.annotations,
        });
        let manifest = manifest.to_string();
        let mut entry = put(folder, MANIFEST, manifest.as_bytes())?;
        if let Some(entry) = entry.as_object_mut() {
            let name = json!({"org.opencontainers.image.ref.name": tag});
            entry.insert("annotations".to_owned(), name);
        }
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]});
        write(folder, "index.json", index.to_string().as_bytes())?;
        write(folder, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        Ok(format!("sha256:{}", sha256(manifest.as_bytes())))
    }

    fn config(&self) -> Value {
        let digests = self.layers.iter();
        let digests: Vec<String> = digests
            .map(|layer| format!("sha256:{}", layer.diff_id))
            .collect();
        let mut run = self.run.clone();
        if let Some(run) = run.as_object_mut() {
            // What shows labels does not show annotations, and the other way round.
            run.insert("Labels".to_owned(), json!(self.annotations));
        }
        json!({
            "architecture": self.architecture,
            "os": "linux",
            "created": CREATED,
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": digests},
            "history": self.layers.iter().map(|_| json!({"created": CREATED})).collect::<Vec<_>>(),
        })
    }
}

/// Writes a blob and returns what refers to it.
fn put(folder: &Path, media_type: &str, blob: &[u8]) -> Result<Value> {
    let digest = sha256(blob);
    write(folder, &format!("blobs/sha256/{digest}"), blob)?;
    Ok(json!({
        "mediaType": media_type,
        "digest": format!("sha256:{digest}"),
        "size": blob.len(),
    }))
}

fn write(folder: &Path, name: &str, contents: &[u8]) -> Result<()> {
    let file = folder.join(name);
    fs::write(&file, contents).with_context(|| format!("cannot write {}", file.display()))
}

/// Empties the folder, if it holds a layout or nothing.
fn make_room(folder: &Path) -> Result<()> {
    let shown = folder.display();
    if folder.exists() {
        let is_empty = fs::read_dir(folder)
            .with_context(|| format!("{shown} is no folder"))?
            .next()
            .is_none();
        ensure!(
            is_empty || folder.join("oci-layout").is_file(),
            "{shown} holds something that is no image layout: name another folder, or empty it"
        );
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {shown}"))?;
    }
    fs::create_dir_all(folder.join("blobs/sha256")).with_context(|| format!("cannot make {shown}"))
}
