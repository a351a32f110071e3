//! The crates that are linked into an artefact, as cargo tells them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Crates by name and version, and which needs which.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Crates {
    /// The crate of the artefact.
    pub root: CrateId,
    /// All others and it.
    pub all: BTreeMap<CrateId, Crate>,
}

/// The name and the version of a crate.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct CrateId {
    /// As in the registry.
    pub name: String,
    /// Without a letter in front.
    pub version: String,
}

/// What is known of a crate.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Crate {
    /// Its licence, as an SPDX expression.
    pub licence: String,
    /// What it needs.
    pub needs: BTreeSet<CrateId>,
}

impl Crates {
    /// Asks cargo which crates are linked into a package for a target: no macros, nothing that
    /// only builds or tests need, and of features those alone that this package asks for.
    ///
    /// # Errors
    ///
    /// Fails when cargo does, such as for a lock file that is not up to date.
    pub fn linked(root: &Path, package: &str, target: &str) -> Result<Self> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(root).args([
            "tree",
            "--locked",
            "--package",
            package,
            "--target",
            target,
            "--edges",
            "normal,no-proc-macro",
            "--prefix",
            "depth",
            "--format",
            "|{p}|{l}",
        ]);
        let output = cargo.output().context("cannot run cargo")?;
        ensure!(
            output.status.success(),
            "cargo does not tell what {package} is made of:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self::parse(std::str::from_utf8(&output.stdout)?)
    }

    /// Reads lines such as `2|name v1.2.3 (path)|licence (*)`, where the number is the depth.
    fn parse(tree: &str) -> Result<Self> {
        let mut crates = Self::default();
        let mut path: Vec<CrateId> = Vec::new();
        for line in tree.lines() {
            let unreadable = || format!("cargo says {line:?}, which is no crate");
            let (depth, rest) = line.split_once('|').with_context(unreadable)?;
            let (package, licence) = rest.split_once('|').with_context(unreadable)?;
            let mut words = package.split(' ');
            let (name, version) = (words.next(), words.next());
            let id = CrateId {
                name: name.with_context(unreadable)?.to_owned(),
                version: version
                    .and_then(|version| version.strip_prefix('v'))
                    .with_context(unreadable)?
                    .to_owned(),
            };
            path.truncate(depth.parse().with_context(unreadable)?);
            match path.last().and_then(|parent| crates.all.get_mut(parent)) {
                Some(parent) => {
                    parent.needs.insert(id.clone());
                }
                None => crates.root = id.clone(),
            }
            // A crate that was told before comes again without what it needs.
            let known = crates.all.entry(id.clone()).or_default();
            known.licence = expression(licence);
            path.push(id);
        }
        ensure!(!crates.all.is_empty(), "cargo names no crate");
        Ok(crates)
    }
}

/// Reads the digests of a lock file: those of crates as the registry has them.
#[must_use]
pub fn checksums(lock: &str) -> BTreeMap<CrateId, String> {
    let quoted = |line: &str, key: &str| {
        let value = line.strip_prefix(key)?.strip_prefix(" = \"")?;
        value.strip_suffix('"').map(str::to_owned)
    };
    let entries = lock.split("[[package]]").skip(1);
    entries
        .filter_map(|entry| {
            let value = |key: &str| entry.lines().find_map(|line| quoted(line, key));
            let id = CrateId {
                name: value("name")?,
                version: value("version")?,
            };
            Some((id, value("checksum")?))
        })
        .collect()
}

/// Old manifests separate licences by a slash, and cargo marks what it told before by a star.
fn expression(licence: &str) -> String {
    let licence = licence.trim_end_matches("(*)").trim();
    let choices: Vec<&str> = licence.split('/').map(str::trim).collect();
    choices.join(" OR ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str, version: &str) -> CrateId {
        CrateId {
            name: name.to_owned(),
            version: version.to_owned(),
        }
    }

    #[test]
    fn a_tree_becomes_who_needs_whom() {
        let tree = "0|top v0.1.0 (/a b/top)|Apache-2.0\n1|left v1.0.0|MIT/Apache-2.0\n\
                    2|low v2.0.0|MIT\n1|right v3.0.0|MIT\n2|low v2.0.0|MIT (*)\n";
        let crates = Crates::parse(tree).unwrap();
        assert_eq!(crates.root, id("top", "0.1.0"));
        let needs = |name: &str, version: &str| {
            let needs = &crates.all[&id(name, version)].needs;
            needs.iter().map(|id| &*id.name).collect::<Vec<_>>()
        };
        assert_eq!(needs("top", "0.1.0"), ["left", "right"]);
        assert_eq!(needs("right", "3.0.0"), ["low"]);
        assert_eq!(needs("left", "1.0.0"), ["low"]);
        assert_eq!(
            crates.all[&id("left", "1.0.0")].licence,
            "MIT OR Apache-2.0"
        );
        assert_eq!(crates.all[&id("low", "2.0.0")].licence, "MIT");
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        for wrong in ["", "top v0.1.0", "0|top|MIT", "x|top v0.1.0|MIT"] {
            Crates::parse(wrong).unwrap_err();
        }
    }

    #[test]
    fn own_crates_have_no_checksum() {
        let lock = "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\
                    dependencies = [\n \"a\",\n]\n\n[[package]]\nname = \"a\"\n\
                    version = \"1.0.0\"\nsource = \"registry+x\"\nchecksum = \"abc\"\n";
        let expected = [(id("a", "1.0.0"), "abc".to_owned())];
        assert_eq!(checksums(lock), expected.into());
    }
}
