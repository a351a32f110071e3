//! Whether files have changed.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use portcullis_core::config::{Setting, Settings};

use crate::state;

/// What tells a file from what it was: where links lead to, how much there is, and when it was
/// written. `None` while there is none.
type Stamp = Option<[i128; 7]>;

/// The files that settings are read from, as they were when they were read.
///
/// They are looked at by path from time to time: that sees links that were led elsewhere, as
/// Kubernetes does with a volume, and files that were moved over others, as editors do, and needs
/// nothing of the file system.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileWatch {
    read: BTreeMap<PathBuf, Stamp>,
    last: Vec<Stamp>,
}

impl FileWatch {
    /// Notes a file that is going to be read.
    pub(crate) fn note(&mut self, path: &Path) {
        self.read.entry(path.into()).or_insert_with(|| stamp(path));
    }

    /// Notes all files that `settings` name.
    pub(crate) fn note_all(&mut self, settings: &Settings) {
        let named = [
            Setting::TlsCertfile,
            Setting::TlsKeyfile,
            Setting::TlsCaCerts,
            Setting::ApiKeysFile,
        ];
        for path in named
            .into_iter()
            .filter_map(|name| settings.non_blank(name))
        {
            self.note(Path::new(path));
        }
        // Where the folder is unknown, the settings are refused for that.
        if let Ok(Some(path)) = state::key_path(settings) {
            self.note(&path);
        }
    }

    /// Notes the files of `earlier` too, which are no less wanted as reading went wrong.
    pub(crate) fn note_again(&mut self, earlier: &Self) {
        for path in earlier.read.keys() {
            self.note(path);
        }
    }

    /// Tells whether files are not what was read. They have to be the same twice, as a file that
    /// is being written is not worth reading.
    pub(crate) fn has_changed(&mut self) -> bool {
        let now: Vec<_> = self.read.keys().map(|path| stamp(path)).collect();
        let still = now == self.last;
        let changed = !now.iter().eq(self.read.values());
        self.last = now;
        still && changed
    }
}

fn stamp(path: &Path) -> Stamp {
    let file = std::fs::metadata(path).ok()?;
    Some([
        file.dev().into(),
        file.ino().into(),
        file.size().into(),
        file.mtime().into(),
        file.mtime_nsec().into(),
        file.ctime().into(),
        file.ctime_nsec().into(),
    ])
}
