//! Changes a file of somebody else's: after a backup, as a whole, and with the mode that it had.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use portcullis_core::UnixSeconds;

use crate::moment::civil;

/// Larger files are no configuration that a person wrote.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A new file is for its owner: it may get a secret later.
const PRIVATE: u32 = 0o600;

/// A file as it was read.
pub(super) struct File {
    /// Where it really is.
    path: PathBuf,
    /// Its text; `None` where there was no file.
    before: Option<String>,
    mode: u32,
}

/// What writing did.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Written {
    Unchanged,
    Made,
    Changed { backup: PathBuf },
}

impl File {
    /// Reads a file, or finds that there is none. A symbolic link is followed, so that it stays one.
    ///
    /// # Errors
    ///
    /// Fails where there is something else, or something that cannot be read.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
                return Ok(Self {
                    path: path.to_owned(),
                    before: None,
                    mode: PRIVATE,
                });
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {shown}")),
        };
        let metadata = fs::metadata(&real).with_context(|| format!("cannot read {shown}"))?;
        ensure!(metadata.is_file(), "{shown} is not a file");
        ensure!(metadata.len() <= MAX_BYTES, "{shown} is too large");
        let text = fs::read(&real).with_context(|| format!("cannot read {shown}"))?;
        let Ok(text) = String::from_utf8(text) else {
            bail!("{shown} is not UTF-8: save it as that, then try again");
        };
        Ok(Self {
            path: real,
            before: Some(text),
            mode: metadata.mode() & 0o7777,
        })
    }

    /// Returns its text; none at all where there is no file.
    pub(super) fn text(&self) -> &str {
        self.before.as_deref().unwrap_or_default()
    }

    /// Replaces the text; the file that was there is kept beside it.
    ///
    /// # Errors
    ///
    /// Fails where the folder cannot be written, or where the file has changed meanwhile. It is
    /// then as it was.
    pub(super) fn write(&self, text: &str, now: UnixSeconds) -> anyhow::Result<Written> {
        let shown = self.path.display();
        if self.before.as_deref() == Some(text) {
            return Ok(Written::Unchanged);
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let draft = self.beside(&format!(".portcullis-{}", std::process::id()));
        let written = self.write_over(&draft, text, now);
        if written.is_err() {
            drop(fs::remove_file(&draft));
        }
        written.with_context(|| format!("cannot write {shown}; it is as it was"))
    }

    fn write_over(&self, draft: &Path, text: &str, now: UnixSeconds) -> anyhow::Result<Written> {
        write_new(draft, text, self.mode)?;
        let Some(before) = &self.before else {
            // A file that has come meanwhile is not written over.
            fs::hard_link(draft, &self.path)?;
            fs::remove_file(draft)?;
            return Ok(Written::Made);
        };
        let stamp: String = civil(now).chars().filter(char::is_ascii_digit).collect();
        let backup = self.beside(&format!(".backup-{stamp}"));
        write_new(&backup, before, self.mode)
            .with_context(|| format!("cannot keep a backup as {}", backup.display()))?;
        ensure!(
            fs::read(&self.path)? == before.as_bytes(),
            "something else has changed it meanwhile: try again"
        );
        fs::rename(draft, &self.path)?;
        Ok(Written::Changed { backup })
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    }
}

fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}
