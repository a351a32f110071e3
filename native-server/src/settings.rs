//! The settings as given: flags over the configuration file over the environment.

use std::path::{Path, PathBuf};

use portcullis_core::config::{ConfigError, Setting, Settings, Source};

use crate::file_watch::FileWatch;

/// The flags that every command with settings takes.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingsArgs {
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8000]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<String>,
    /// The protected resource
    #[arg(long, value_name = "URL")]
    pub(crate) upstream: Option<String>,
    /// JSON file with the settings, named as the environment variables
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl SettingsArgs {
    /// Collects the settings of all three sources.
    ///
    /// # Errors
    ///
    /// Refuses a listen address without a port, a file that cannot be read or understood, and
    /// values of our variables that are not UTF-8.
    pub(crate) fn load(&self) -> Result<Settings, ConfigError> {
        self.load_watched(&mut FileWatch::default())
    }

    /// Collects the settings as [`Self::load`] does, and notes in `watch` the files that they
    /// depend on, each before it is read.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub(crate) fn load_watched(&self, watch: &mut FileWatch) -> Result<Settings, ConfigError> {
        if let Some(path) = &self.config {
            watch.note(path);
        }
        let mut settings = self.collect()?;
        watch.note_all(&settings);
        read_api_keys(&mut settings)?;
        Ok(settings)
    }

    fn collect(&self) -> Result<Settings, ConfigError> {
        let mut settings = Settings::default();
        for setting in Setting::ALL {
            if let Some(value) = std::env::var_os(setting.name()) {
                let value = value
                    .into_string()
                    .map_err(|_| ConfigError::at(setting, "must be UTF-8"))?;
                settings.set(setting, value, Source::Environment);
            }
        }
        if let Some(path) = &self.config {
            let at = |problem: String| {
                ConfigError::general(format!("--config {}: {problem}", path.display()))
            };
            let json = std::fs::read(path).map_err(|error| at(error.to_string()))?;
            // It may have been emptied to be written anew, and its rules must not be gone meanwhile.
            if json.trim_ascii().is_empty() {
                return Err(at(
                    "is empty; {} is a configuration without settings".to_owned()
                ));
            }
            settings
                .read_json(&json)
                .map_err(|error| at(error.to_string()))?;
        }
        if let Some(listen) = &self.listen {
            let (host, port) = split_listen(listen)
                .ok_or_else(|| ConfigError::general("--listen must be HOST:PORT"))?;
            settings.set(Setting::Host, host, Source::Flag);
            settings.set(Setting::Port, port, Source::Flag);
        }
        if let Some(upstream) = &self.upstream {
            settings.set(Setting::Upstream, upstream, Source::Flag);
        }
        Ok(settings)
    }
}

/// Takes the list of API keys out of its file.
fn read_api_keys(settings: &mut Settings) -> Result<(), ConfigError> {
    let Some(path) = settings.non_blank(Setting::ApiKeysFile) else {
        return Ok(());
    };
    let at = |problem: String| ConfigError::at(Setting::ApiKeysFile, problem);
    if settings.non_blank(Setting::ApiKeys).is_some() {
        let other = Setting::ApiKeys.name();
        return Err(at(format!("and {other} are both set: one is enough")));
    }
    let list = std::fs::read_to_string(Path::new(path))
        .map_err(|error| at(format!("({path}): {error}")))?;
    let source = settings.source(Setting::ApiKeysFile);
    settings.set(Setting::ApiKeys, list, source.unwrap_or(Source::Flag));
    Ok(())
}

/// Splits `host:port` or `[v6]:port`; the brackets are left out of the host.
pub(crate) fn split_listen(listen: &str) -> Option<(&str, &str)> {
    let (host, port) = listen.rsplit_once(':')?;
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let host = match bare {
        Some(bare) => bare,
        None if host.contains(':') => return None,
        None => host,
    };
    (!host.is_empty() && !port.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(listen: &str, expected: Option<(&str, &str)>) {
        assert_eq!(split_listen(listen), expected, "{listen}");
    }

    #[test]
    fn listen_address_is_a_host_and_a_port() {
        check("127.0.0.1:8000", Some(("127.0.0.1", "8000")));
        check("[::1]:0", Some(("::1", "0")));
        check("localhost:80", Some(("localhost", "80")));
        for bad in ["", "8000", ":8000", "::1:80", "host:", "[::1]"] {
            check(bad, None);
        }
    }
}
