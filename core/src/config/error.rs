//! Why settings were refused.

use alloc::borrow::Cow;
use core::fmt;

use crate::config::Setting;

/// A refused configuration. The message names the setting and the fix, never a secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    setting: Option<Setting>,
    message: Cow<'static, str>,
}

impl ConfigError {
    /// Makes an error about `setting`; `message` goes on after its name.
    #[must_use]
    pub fn at(setting: Setting, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            setting: Some(setting),
            message: message.into(),
        }
    }

    /// Makes an error about no setting in particular.
    #[must_use]
    pub fn general(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            setting: None,
            message: message.into(),
        }
    }

    /// Returns the setting that is wrong, if it is one.
    #[must_use]
    pub const fn setting(&self) -> Option<Setting> {
        self.setting
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.setting {
            Some(setting) => write!(f, "{} {}", setting.name(), self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl core::error::Error for ConfigError {}
