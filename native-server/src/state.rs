//! The state folder, and secrets made because none was given.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use portcullis_core::config::{ConfigError, ModeName, Setting, Settings, Source, is_on};

use crate::crypto::random_token;

const KEY_FILE: &str = "api-key";
const LOOPBACK: &str = "127.0.0.0/8,::1";

/// What became of the API key of the state folder.
pub(crate) enum StoredKey {
    /// The settings need none.
    NotNeeded,
    /// It was made by an earlier run.
    Kept {
        /// Where it is.
        path: PathBuf,
        /// Its permission bits, where others than the owner have some.
        loose_mode: Option<u32>,
    },
    /// This run made it.
    Made {
        /// Where it is.
        path: PathBuf,
        /// The key, to be shown once.
        key: String,
    },
    /// A run of `serve` would make it.
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
}

impl StoredKey {
    /// Tells whether the key in the settings is one that counts, and none that a run of `serve`
    /// would make anew.
    pub(crate) const fn is_there(&self) -> bool {
        !matches!(self, Self::Missing { .. })
    }
}

/// Gives the settings a key from the state folder if mode `api-key` has none, making one on the
/// first run.
///
/// # Errors
///
/// Fails when the folder is unknown or cannot be used.
pub(crate) fn supply_api_key(settings: &mut Settings) -> Result<StoredKey, ConfigError> {
    let Some(path) = key_path(settings)? else {
        return Ok(StoredKey::NotNeeded);
    };
    let key = fresh()?;
    if !make_file(&path, &key).map_err(|error| unusable(&path, &error))? {
        return take_stored(settings, path);
    }
    supply(settings, Setting::ApiKey, key.clone());
    Ok(StoredKey::Made { path, key })
}

/// As [`supply_api_key`], but writes nothing: without a stored key the settings get one that is
/// thrown away.
///
/// # Errors
///
/// As [`supply_api_key`].
pub(crate) fn preview_api_key(settings: &mut Settings) -> Result<StoredKey, ConfigError> {
    let Some(path) = key_path(settings)? else {
        return Ok(StoredKey::NotNeeded);
    };
    if path.exists() {
        return take_stored(settings, path);
    }
    supply(settings, Setting::ApiKey, fresh()?);
    Ok(StoredKey::Missing { path })
}

/// Gives the settings state keys of their own, as [`supply_state_key`] does.
///
/// # Errors
///
/// Fails when the system has no randomness.
pub(crate) fn supply_state_keys(settings: &mut Settings) -> Result<(), ConfigError> {
    supply_state_key(settings, fresh()?);
    Ok(())
}

/// Gives the settings `key` as their state key, unless they have some, or need some that outlive
/// the process: what mode `oidcproxy` seals is what its clients know of themselves.
pub(crate) fn supply_state_key(settings: &mut Settings, key: String) {
    let has_keys = settings.non_blank(Setting::StateKeys).is_some();
    if !has_keys && forced_mode(settings) != Some(ModeName::OidcProxy) {
        supply(settings, Setting::StateKeys, key);
    }
}

/// Gives the settings secrets that are never shown, in place of those that are missing and will be
/// there where the settings are used.
///
/// # Errors
///
/// Fails when the system has no randomness.
pub(crate) fn supply_placeholders(settings: &mut Settings) -> Result<(), ConfigError> {
    let has_list = settings.non_blank(Setting::ApiKeys).is_some();
    let needs_key = !has_list && forced_mode(settings) == Some(ModeName::ApiKey);
    for (setting, needed) in [(Setting::StateKeys, true), (Setting::ApiKey, needs_key)] {
        if needed && settings.non_blank(setting).is_none() {
            supply(settings, setting, fresh()?);
        }
    }
    Ok(())
}

/// Gives the settings what a gateway needs that passes nothing on, but decides for other proxies:
/// proxies on this host may ask, and session ids pass as they are.
///
/// # Errors
///
/// Refuses to bind session ids: that takes edits of responses, which no such proxy asks about.
pub(crate) fn supply_for_questions(settings: &mut Settings) -> Result<(), ConfigError> {
    if settings.non_blank(Setting::Upstream).is_some() {
        return Ok(());
    }
    match settings.non_blank(Setting::SessionBinding) {
        Some(word) if word.eq_ignore_ascii_case("on") => {
            return Err(ConfigError::at(
                Setting::SessionBinding,
                "cannot be on without an upstream, as responses then do not pass through here: \
                 leave it out, or name the MCP server with --upstream",
            ));
        }
        Some(_) => {}
        None => supply(settings, Setting::SessionBinding, "off".to_owned()),
    }
    if settings.get(Setting::TrustedProxies).is_none() {
        supply(settings, Setting::TrustedProxies, LOOPBACK.to_owned());
    }
    Ok(())
}

/// Returns where the API key of the state folder is, if the settings need one.
///
/// # Errors
///
/// Fails when the folder is unknown.
pub(crate) fn key_path(settings: &Settings) -> Result<Option<PathBuf>, ConfigError> {
    let switched = settings.get(Setting::AuthEnabled).is_some();
    let off = switched && !is_on(settings, Setting::AuthEnabled)?;
    let has_key = [Setting::ApiKey, Setting::ApiKeys, Setting::ApiKeysFile]
        .into_iter()
        .any(|setting| settings.non_blank(setting).is_some());
    if off || has_key || forced_mode(settings) != Some(ModeName::ApiKey) {
        return Ok(None);
    }
    Ok(Some(folder(settings)?.join(KEY_FILE)))
}

fn forced_mode(settings: &Settings) -> Option<ModeName> {
    settings
        .non_blank(Setting::AuthMode)
        .and_then(ModeName::from_name)
}

fn folder(settings: &Settings) -> Result<PathBuf, ConfigError> {
    if let Some(folder) = settings.non_blank(Setting::StateDir) {
        return Ok(PathBuf::from(folder));
    }
    // The XDG base directory specification: an unset, empty or relative path does not count.
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("portcullis"))
        .ok_or_else(|| {
            ConfigError::at(
                Setting::StateDir,
                "must be set, as there is no home folder to keep the generated key in",
            )
        })
}

fn take_stored(settings: &mut Settings, path: PathBuf) -> Result<StoredKey, ConfigError> {
    let text = std::fs::read_to_string(&path).map_err(|error| unusable(&path, &error))?;
    let mode = std::fs::metadata(&path)
        .map_err(|error| unusable(&path, &error))?
        .mode();
    let key = text.trim();
    if key.is_empty() {
        return Err(ConfigError::at(
            Setting::StateDir,
            format!("holds an empty {}: delete it", path.display()),
        ));
    }
    supply(settings, Setting::ApiKey, key.to_owned());
    Ok(StoredKey::Kept {
        path,
        loose_mode: (mode & 0o077 != 0).then_some(mode & 0o777),
    })
}

/// Makes the file, readable by its owner only, unless there is one. Tells whether it did.
///
/// The content is complete before the name exists, so that of two processes that start at once
/// the second reads the key of the first.
fn make_file(path: &Path, content: &str) -> io::Result<bool> {
    if path.exists() {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let outcome = write_draft(&draft, content).and_then(|()| std::fs::hard_link(&draft, path));
    let removed = std::fs::remove_file(&draft);
    match outcome {
        Ok(()) => removed.map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn write_draft(path: &Path, content: &str) -> io::Result<()> {
    let mut file: File = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{content}")?;
    file.sync_all()
}

/// Sets what was not given. A value that was given blank has a source already, and keeps it.
fn supply(settings: &mut Settings, setting: Setting, value: String) {
    let source = settings.source(setting).unwrap_or(Source::Generated);
    settings.set(setting, value, source);
}

/// Makes a secret of 256 random bits.
///
/// # Errors
///
/// Fails when the system has no randomness.
pub(crate) fn fresh() -> Result<String, ConfigError> {
    random_token().map_err(|_| ConfigError::general("the system has no randomness"))
}

fn unusable(path: &Path, error: &io::Error) -> ConfigError {
    ConfigError::at(
        Setting::StateDir,
        format!("does not work for {}: {error}", path.display()),
    )
}
