//! Settings whose secrets may be missing.

use portcullis_core::config::{ConfigError, Resolution, Setting, Settings, Site, Source, resolve};
use portcullis_core::explain::Secrets;
use serde_json::{Map, Value};

/// What stands for a secret that is not told.
const HIDDEN: &str = "(hidden)";

/// 32 zero octets.
const STATE_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A list with a key that nobody has.
const API_KEYS: &str = r#"[{"name": "hidden",
    "sha256": "0000000000000000000000000000000000000000000000000000000000000000"}]"#;

/// Settings that were understood, and whether their secrets are the real ones.
pub(crate) struct Known {
    pub(crate) resolution: Resolution,
    pub(crate) secrets: Secrets,
}

impl Known {
    /// Resolves settings; others stand in for secrets that are hidden or missing.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the settings.
    pub(crate) fn resolve(json: &Map<String, Value>, site: Site) -> Result<Self, String> {
        let json = Value::Object(json.clone()).to_string();
        let mut settings = Settings::default();
        settings
            .read_json(json.as_bytes())
            .map_err(|error| format!("the settings: {error}"))?;
        let mut secrets = Secrets::Known;
        for setting in Setting::ALL {
            if settings.non_blank(setting) == Some(HIDDEN) {
                stand_in(setting, &mut settings);
                secrets = Secrets::Hidden;
            }
        }
        loop {
            match resolve(&settings, site) {
                Ok(resolution) => {
                    return Ok(Self {
                        resolution,
                        secrets,
                    });
                }
                Err(error) => match missing_secret(&error, &settings) {
                    Some(setting) => {
                        stand_in(setting, &mut settings);
                        secrets = Secrets::Hidden;
                    }
                    None => return Err(format!("the settings: {error}")),
                },
            }
        }
    }
}

/// Returns the secret that settings were refused for because it is not there.
fn missing_secret(error: &ConfigError, settings: &Settings) -> Option<Setting> {
    let setting = error.setting().filter(|setting| setting.is_secret())?;
    settings.non_blank(setting).is_none().then_some(setting)
}

fn stand_in(setting: Setting, settings: &mut Settings) {
    let value = if setting == Setting::StateKeys {
        STATE_KEY
    } else if setting == Setting::ApiKeys {
        API_KEYS
    } else {
        "hidden"
    };
    settings.set(setting, value, Source::Flag);
}
