//! The bill of materials beside an image (CycloneDX 1.5).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::crates::{Crate, CrateId, Crates};
use crate::sha256::sha256;

/// What an artefact is made of.
#[derive(Debug)]
pub struct Bill<'a> {
    /// The artefact.
    pub subject: Subject<'a>,
    /// The crates that are linked into it.
    pub crates: &'a Crates,
    /// The digests of crates as the registry has them.
    pub checksums: &'a BTreeMap<CrateId, String>,
    /// What else is in the image, by name and version.
    pub others: Vec<(&'a str, String)>,
}

/// What the bill is about.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The name of the image.
    pub image: &'a str,
    /// The digest by which a registry knows the image.
    pub digest: &'a str,
    /// Where the artefact is in the image.
    pub file: &'a str,
    /// The artefact.
    pub octets: &'a [u8],
}

impl Bill<'_> {
    /// Writes the bill. It has neither a time nor a random number, so that the same artefact has
    /// the same bill.
    #[must_use]
    pub fn to_json(&self) -> String {
        let root = &self.crates.root;
        let crates = self.crates.all.iter();
        let components = crates.filter(|(id, _)| *id != root);
        let mut components: Vec<Value> = components
            .map(|(id, one)| self.component(id, one))
            .collect();
        components.extend(
            self.others
                .iter()
                .map(|(name, version)| other(name, version)),
        );
        let bill = json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "version": 1,
            "metadata": {
                "component": self.subject(),
                "lifecycles": [{"phase": "build"}],
            },
            "components": components,
            "dependencies": self.dependencies(),
        });
        format!("{bill:#}\n")
    }

    fn subject(&self) -> Value {
        let (subject, root) = (&self.subject, &self.crates.root);
        let licence = self.crates.all.get(root).map(licences);
        json!({
            "type": "application",
            "bom-ref": purl(root),
            "name": root.name,
            "version": root.version,
            "licenses": licence,
            "hashes": [{"alg": "SHA-256", "content": sha256(subject.octets)}],
            "properties": [
                {"name": "portcullis:image", "value": subject.image},
                {"name": "portcullis:image:digest", "value": subject.digest},
                {"name": "portcullis:image:file", "value": subject.file},
            ],
        })
    }

    fn component(&self, id: &CrateId, one: &Crate) -> Value {
        let mut component = json!({
            "type": "library",
            "bom-ref": purl(id),
            "name": id.name,
            "version": id.version,
            "purl": purl(id),
            "licenses": licences(one),
        });
        if let (Some(component), Some(checksum)) =
            (component.as_object_mut(), self.checksums.get(id))
        {
            let hashes = json!([{"alg": "SHA-256", "content": checksum}]);
            component.insert("hashes".to_owned(), hashes);
        }
        component
    }

    fn dependencies(&self) -> Vec<Value> {
        let crates = self.crates.all.iter();
        crates
            .map(|(id, one)| {
                let mut needs: Vec<String> = one.needs.iter().map(purl).collect();
                if *id == self.crates.root {
                    let others = self.others.iter();
                    needs.extend(others.map(|(name, version)| generic(name, version)));
                }
                json!({"ref": purl(id), "dependsOn": needs})
            })
            .collect()
    }
}

/// Describes what is no crate.
fn other(name: &str, version: &str) -> Value {
    json!({
        "type": "library",
        "bom-ref": generic(name, version),
        "name": name,
        "version": version,
        "purl": generic(name, version),
    })
}

fn licences(one: &Crate) -> Value {
    json!([{"expression": one.licence}])
}

/// Names a crate (package URL specification, type `cargo`).
fn purl(id: &CrateId) -> String {
    // Versions may hold a plus sign, which stands for a blank elsewhere.
    format!("pkg:cargo/{}@{}", id.name, id.version.replace('+', "%2B"))
}

fn generic(name: &str, version: &str) -> String {
    format!("pkg:generic/{name}@{version}")
}
