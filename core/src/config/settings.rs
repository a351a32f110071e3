//! The settings as given, each with its source.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::DeserializeSeed as _;
use serde_json::{Map, Value};

use crate::config::{ConfigError, Setting};
use crate::json::Pairs;

/// Where a setting came from; a later one wins.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Source {
    /// Made by the program because none was given.
    Generated,
    /// The environment of the process or the VM.
    Environment,
    /// The plugin configuration or the configuration file.
    Configuration,
    /// The command line.
    Flag,
}

impl Source {
    /// Returns the name, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Environment => "environment",
            Self::Configuration => "configuration",
            Self::Flag => "flag",
        }
    }
}

/// The settings as given, not yet understood. `Debug` shows no value.
#[derive(Clone, Default)]
pub struct Settings(BTreeMap<Setting, (Source, String)>);

impl Settings {
    /// Sets one setting, unless a stronger source has.
    pub fn set(&mut self, setting: Setting, value: impl Into<String>, source: Source) {
        if self.source(setting).is_none_or(|present| present <= source) {
            self.0.insert(setting, (source, value.into()));
        }
    }

    /// Reads environment variables; names that are not ours are passed over.
    pub fn read_environment<N: AsRef<str>, V: Into<String>>(
        &mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) {
        for (name, value) in variables {
            if let Some(setting) = Setting::from_name(name.as_ref()) {
                self.set(setting, value, Source::Environment);
            }
        }
    }

    /// Reads a JSON object with the names of environment variables as keys. Values are strings,
    /// numbers, booleans, or arrays of strings in place of comma lists; keys of mode `api-key` may
    /// be an array of objects. The object `oidc_proxy`
    /// chooses mode `oidcproxy` and holds its settings, such as `client_id`.
    ///
    /// # Errors
    ///
    /// Refuses what is not such an object, unknown and repeated keys, and other values; the error
    /// names the key.
    pub fn read_json(&mut self, json: &[u8]) -> Result<(), ConfigError> {
        // The filter is given nothing at all where a plugin has no configuration.
        if json.trim_ascii().is_empty() {
            return Ok(());
        }
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let pairs = Pairs
            .deserialize(&mut deserializer)
            .and_then(|pairs| deserializer.end().map(|()| pairs))
            .map_err(|error| ConfigError::general(no_object(&error)))?;
        let mut seen = Self::default();
        let mut is_proxy = false;
        for (name, value) in pairs {
            if let (OIDC_PROXY, Value::Object(members)) = (name.as_str(), &value) {
                seen.read_oidc_proxy(members)?;
                is_proxy = true;
                continue;
            }
            let Some(setting) = Setting::from_name(&name) else {
                return Err(ConfigError::general(unknown(&name)));
            };
            seen.take(setting, &value)?;
        }
        if is_proxy && seen.source(Setting::AuthMode).is_none() {
            seen.take(Setting::AuthMode, &Value::from("oidcproxy"))?;
        }
        for (setting, (source, value)) in seen.0 {
            self.set(setting, value, source);
        }
        Ok(())
    }

    /// Reads the object `oidc_proxy`.
    fn read_oidc_proxy(&mut self, members: &Map<String, Value>) -> Result<(), ConfigError> {
        for (name, value) in members {
            let full = alloc::format!("{PREFIX}{}", name.to_ascii_uppercase());
            let named = name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let setting = Setting::from_name(&full).filter(|_| named).ok_or_else(|| {
                let name = alloc::format!("{OIDC_PROXY}.{name}");
                ConfigError::general(unknown(&name))
            })?;
            self.take(setting, value)?;
        }
        Ok(())
    }

    /// Takes one value of a configuration.
    fn take(&mut self, setting: Setting, value: &Value) -> Result<(), ConfigError> {
        let text = match (setting, value) {
            (Setting::ApiKeys, Value::Array(_)) => Some(value.to_string()),
            _ => text(value),
        };
        let text = text.ok_or_else(|| {
            ConfigError::at(
                setting,
                "must be a string, number, boolean or list of strings",
            )
        })?;
        if self.source(setting).is_some() {
            return Err(ConfigError::at(setting, "is given twice"));
        }
        self.set(setting, text, Source::Configuration);
        Ok(())
    }

    /// Returns a value as given.
    #[must_use]
    pub fn get(&self, setting: Setting) -> Option<&str> {
        self.0.get(&setting).map(|(_, value)| value.as_str())
    }

    /// Returns a value without blanks around it; a blank one is absent.
    #[must_use]
    pub fn non_blank(&self, setting: Setting) -> Option<&str> {
        self.get(setting)
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }

    /// Returns where a value came from.
    #[must_use]
    pub fn source(&self, setting: Setting) -> Option<Source> {
        self.0.get(&setting).map(|(source, _)| *source)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.keys().map(|setting| setting.name()))
            .finish()
    }
}

/// The member that holds the settings of mode `oidcproxy` without their prefix, in lower case.
const OIDC_PROXY: &str = "oidc_proxy";
const PREFIX: &str = "OIDCPROXY_";

/// Says where JSON goes wrong; the library's own words may quote a value.
fn no_object(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    alloc::format!("the settings are not a JSON object (line {line}, column {column})")
}

fn unknown(name: &str) -> String {
    let shown: String = name
        .chars()
        .take(64)
        .flat_map(char::escape_default)
        .collect();
    alloc::format!("unknown setting \"{shown}\"")
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number_text(number)),
        Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            items.map(|items| items.join(","))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// Writes whole numbers without a fraction: Kubernetes turns every number into a double, so 30
/// arrives as 30.0.
fn number_text(number: &serde_json::Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0")
        .map_or_else(|| text.clone(), ToString::to_string)
}
