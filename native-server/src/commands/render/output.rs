//! Where rendered files go.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::render::{File, MARK, as_one};
use crate::terminal::{note, print};

/// The flags that say where files go.
#[derive(clap::Args)]
pub(crate) struct OutputArgs {
    /// Writes the files into this folder instead of printing them
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Writes nothing, and tells which files of DIR differ from what the settings give; exits with 1
    /// where some do
    #[arg(long, requires = "dir")]
    check: bool,
}

impl OutputArgs {
    /// Returns where a file of this name goes, where there is a folder.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.dir.as_ref().map(|folder| folder.join(name))
    }

    /// Prints, writes or compares the files.
    ///
    /// # Errors
    ///
    /// Fails when files differ that should not, or cannot be written.
    pub(crate) fn give(&self, files: &[File], warnings: &[String]) -> anyhow::Result<()> {
        for warning in warnings {
            note(&format!("portcullis: warning: {warning}"));
        }
        match &self.dir {
            None => print(&as_one(files))?,
            Some(folder) if self.check => return check(folder, files),
            Some(folder) => write(folder, files)?,
        }
        Ok(())
    }
}

fn write(folder: &Path, files: &[File]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for file in files {
        let path = folder.join(&file.name);
        put(&path, file).with_context(|| format!("cannot write {}", path.display()))?;
        note(&path.display().to_string());
    }
    for name in stale(folder, files)? {
        note(&format!(
            "portcullis: warning: {name} is no longer part of the install: delete it here and where it was applied"
        ));
    }
    Ok(())
}

/// Puts the file in place as a whole, so that who watches it, as Envoy does, never reads half.
/// With a secret in it, nobody else can read it at any time, whoever could read its predecessor.
fn put(path: &Path, file: &File) -> io::Result<()> {
    let mode = if file.is_secret { 0o600 } else { 0o666 };
    let draft = path.with_file_name(format!(".{}.new", file.name));
    // What an interrupted run left has the mode of then.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    let mut draft_file = options
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&draft)?;
    draft_file.write_all(file.text.as_bytes())?;
    fs::rename(draft, path)
}

fn check(folder: &Path, files: &[File]) -> anyhow::Result<()> {
    let mut drift = String::new();
    for file in files {
        match fs::read_to_string(folder.join(&file.name)) {
            Ok(text) if text == file.text => {}
            Ok(_) => {
                let _ = write!(drift, "\n  differs: {}", file.name);
            }
            Err(_) => {
                let _ = write!(drift, "\n  missing: {}", file.name);
            }
        }
    }
    for name in stale(folder, files).unwrap_or_default() {
        let _ = write!(drift, "\n  no longer part of the install: {name}");
    }
    if !drift.is_empty() {
        bail!(
            "{} is not what the settings give; render it again without --check:{drift}",
            folder.display()
        );
    }
    Ok(())
}

/// Returns the files that an earlier run wrote and that are no longer rendered.
fn stale(folder: &Path, files: &[File]) -> anyhow::Result<Vec<String>> {
    let mut stale = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let known = files.iter().any(|file| file.name == name);
        let ours = || fs::read_to_string(entry.path()).is_ok_and(|text| text.starts_with(MARK));
        if !known && ours() {
            stale.push(name);
        }
    }
    stale.sort();
    Ok(stale)
}
