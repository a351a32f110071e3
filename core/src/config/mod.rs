//! Settings, and what they resolve to.

mod error;
mod setting;
mod settings;

use alloc::string::String;
use alloc::vec::Vec;

pub use error::ConfigError;
pub use setting::Setting;
pub use settings::{Settings, Source};

use crate::url::HttpUrl;

/// Everything the engine decides by, already validated.
#[derive(Debug)]
pub struct Config {
    upstream: Option<HttpUrl>,
}

impl Config {
    /// Returns the protected resource, where it was named.
    #[must_use]
    pub const fn upstream(&self) -> Option<&HttpUrl> {
        self.upstream.as_ref()
    }

    /// Returns the name of the mode.
    #[must_use]
    pub const fn mode_name(&self) -> &'static str {
        "none"
    }

    /// Returns the URLs of every call that the engine may ask for, the protected resource's
    /// (for `/ready`) included.
    #[must_use]
    pub fn call_urls(&self) -> Vec<HttpUrl> {
        Vec::new()
    }
}

/// The host for which settings are resolved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Site {
    /// The proxy-wasm filter, which cannot see the listen address.
    Filter,
    /// The native binary.
    Native {
        /// Whether it listens on a loopback address.
        loopback: bool,
    },
}

/// Settings that were understood.
#[derive(Debug)]
pub struct Resolution {
    /// What the engine decides by.
    pub config: Config,
    /// Why this mode, in words for people.
    pub why: String,
    /// What is allowed but unwise, in words for people; hosts log each at every start.
    pub warnings: Vec<String>,
}

/// Resolves settings.
///
/// # Errors
///
/// Refuses settings that are wrong, contradict each other, or would leave the gate open without
/// saying so.
pub fn resolve(settings: &Settings, site: Site) -> Result<Resolution, ConfigError> {
    let upstream = settings
        .non_blank(Setting::Upstream)
        .map(HttpUrl::parse)
        .transpose()
        .map_err(|problem| ConfigError::at(Setting::Upstream, problem))?;
    let _ = site;
    Ok(Resolution {
        config: Config { upstream },
        why: String::new(),
        warnings: Vec::new(),
    })
}
