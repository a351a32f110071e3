//! The file of named API keys, as `portcullis keys` changes it.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use portcullis_core::modes::ApiKeyMode;
use serde_json::{Map, Value};

/// One key, as it is written.
pub(crate) type Entry = Map<String, Value>;

/// The keys of a file, which nobody else changes meanwhile.
pub(crate) struct KeyFile {
    path: PathBuf,
    /// The keys, oldest first.
    pub(crate) entries: Vec<Entry>,
    /// Locked until the end.
    lock: File,
}

/// Reads the keys of a file.
///
/// # Errors
///
/// Fails when there is no such file, and when it is not one of keys.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Entry>> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    ApiKeyMode::parse_list(&text)
        .map_err(|error| anyhow::anyhow!("{} {error}: mend it first", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

impl KeyFile {
    /// Opens a file, which need not be there, for a change.
    ///
    /// # Errors
    ///
    /// Fails when its folder cannot be locked, and when what is there is not a file of keys.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        // A link stays one: what it leads to is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = folder(&path);
        // The file itself is replaced by each change, and a lock with it.
        let locked = File::open(folder).and_then(|folder| folder.lock().map(|()| folder));
        let locked = locked.with_context(|| format!("cannot lock {}", folder.display()))?;
        let entries = match std::fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            _ => read(&path)?,
        };
        Ok(Self {
            path,
            entries,
            lock: locked,
        })
    }

    /// Returns the places of the keys called `name`.
    pub(crate) fn of(&mut self, name: &str) -> impl Iterator<Item = &mut Entry> {
        self.entries
            .iter_mut()
            .filter(move |entry| is_of(entry, name))
    }

    /// Writes the keys, one a line, in place of the file: whoever reads it sees all of the old or
    /// all of the new ones.
    ///
    /// # Errors
    ///
    /// Fails when a key is not valid, and when the file cannot be written.
    pub(crate) fn save(self) -> anyhow::Result<()> {
        let lines: Result<Vec<_>, _> = self.entries.iter().map(serde_json::to_string).collect();
        let text = match lines?.join(",\n  ") {
            lines if lines.is_empty() => "[]\n".to_owned(),
            lines => format!("[\n  {lines}\n]\n"),
        };
        if let Err(error) = ApiKeyMode::parse_list(text.as_bytes()) {
            bail!("the list of keys {error}");
        }
        let name = self.path.file_name().context("a file has to be named")?;
        let draft = format!(".{}.{}.new", name.to_string_lossy(), std::process::id());
        let draft = folder(&self.path).join(draft);
        let written = self.write(&draft, &text);
        if written.is_err() {
            // It may not even be there.
            drop(std::fs::remove_file(&draft));
        }
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn write(&self, draft: &Path, text: &str) -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(draft)?;
        file.write_all(text.as_bytes())?;
        // The gateway may be another user than whoever keeps its keys.
        if let Ok(old) = std::fs::metadata(&self.path) {
            fchown(&file, Some(old.uid()), Some(old.gid()))?;
            file.set_permissions(Permissions::from_mode(old.mode() & 0o660))?;
        }
        file.sync_all()?;
        std::fs::rename(draft, &self.path)?;
        self.lock.sync_all()
    }
}

/// Tells whether a key is called `name`.
pub(crate) fn is_of(entry: &Entry, name: &str) -> bool {
    text(entry, "name") == Some(name)
}

/// Returns a member that is a string.
pub(crate) fn text<'a>(entry: &'a Entry, member: &str) -> Option<&'a str> {
    entry.get(member).and_then(Value::as_str)
}

fn folder(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    parent.unwrap_or_else(|| Path::new("."))
}
