//! Settings, and what they resolve to.

mod clusters;
mod error;
mod mode;
mod oidc;
mod oidc_proxy;
mod resolve;
mod setting;
mod settings;
mod state_keys;
mod worker_lease;
mod zscaler;

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

pub use clusters::Clusters;
pub use error::ConfigError;
pub use mode::ModeName;
pub use resolve::{Resolution, Site, is_on, resolve};
pub use setting::Setting;
pub use settings::{Settings, Source};
pub use state_keys::StateKeys;
pub use worker_lease::WorkerLease;

use crate::attempts::AttemptLimits;
use crate::digest::Digest;
use crate::modes::Mode;
use crate::resource::ProtectedResource;
use crate::rules::AccessRules;
use crate::url::HttpUrl;

/// How many credentials are remembered unless a setting says otherwise.
const DEFAULT_CACHE_ENTRIES: usize = 10_000;

/// Everything the engine decides by; each part is valid by its type.
#[derive(Clone, Debug)]
pub struct Config {
    /// How callers are authenticated.
    pub mode: Mode,
    /// Rules checked before credentials.
    pub access: AccessRules,
    /// The keys that bind sessions to principals; without them session ids pass as they are.
    pub session_keys: Option<StateKeys>,
    /// How many credentials the engine remembers at most.
    pub cache_entries: usize,
    /// What clients are told of the protected resource (RFC 9728), where they are.
    pub resource: Option<ProtectedResource>,
    /// The protected resource, for `/ready`.
    pub upstream: Option<HttpUrl>,
}

impl Config {
    /// Makes a configuration with a mode and nothing else.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            access: AccessRules::default(),
            session_keys: None,
            cache_entries: DEFAULT_CACHE_ENTRIES,
            resource: None,
            upstream: None,
        }
    }

    /// Returns the protected resource, where it was named.
    #[must_use]
    pub const fn upstream(&self) -> Option<&HttpUrl> {
        self.upstream.as_ref()
    }

    /// Returns the name of the mode.
    #[must_use]
    pub const fn mode_name(&self) -> &'static str {
        self.mode.name().name()
    }

    /// Tells whether the engine may ask for the body of a request.
    #[must_use]
    pub const fn reads_bodies(&self) -> bool {
        match &self.mode {
            Mode::OidcProxy(mode) => mode.elsewhere().is_none(),
            Mode::None | Mode::ApiKey(_) | Mode::Jwt(_) | Mode::Oidc(_) | Mode::Zscaler(_) => false,
        }
    }

    /// Returns a digest of all that the outcome of a call depends on: engines may share findings
    /// and budgets where it is the same.
    #[must_use]
    pub fn sharing_digest(&self) -> Digest {
        let limits = self.attempt_limits();
        let (url, entitlements) = match &self.mode {
            Mode::None | Mode::ApiKey(_) => (String::new(), false),
            Mode::Jwt(mode) | Mode::Oidc(mode) => (mode.keys.url().to_string(), false),
            Mode::OidcProxy(mode) => (mode.document.to_string(), false),
            Mode::Zscaler(mode) => (mode.token_url.to_string(), mode.forward_entitlements),
        };
        Digest::of(&[
            self.mode_name().as_bytes(),
            url.as_bytes(),
            &[u8::from(entitlements)],
            &limits.per_source.to_be_bytes(),
            &limits.in_all.to_be_bytes(),
        ])
    }

    /// Returns how many wrong secrets the authorization server is asked about.
    #[must_use]
    pub fn attempt_limits(&self) -> AttemptLimits {
        match &self.mode {
            Mode::Zscaler(mode) => mode.attempts,
            Mode::None | Mode::ApiKey(_) | Mode::Jwt(_) | Mode::Oidc(_) | Mode::OidcProxy(_) => {
                AttemptLimits::default()
            }
        }
    }

    /// Tells whether calls may go to hosts that neither the settings nor the provider name.
    #[must_use]
    pub fn calls_strangers(&self) -> bool {
        matches!(&self.mode, Mode::OidcProxy(mode) if mode.documents.are_public())
    }

    /// Returns the URLs of every call that the engine may ask for, the protected resource's
    /// (for `/ready`) last.
    #[must_use]
    pub fn call_urls(&self) -> Vec<HttpUrl> {
        let authorization_server = match &self.mode {
            Mode::None | Mode::ApiKey(_) => Vec::new(),
            Mode::Jwt(mode) | Mode::Oidc(mode) => [mode.keys.url().clone()].into(),
            Mode::OidcProxy(mode) => mode.call_urls(),
            Mode::Zscaler(mode) => [mode.token_url.clone()].into(),
        };
        authorization_server
            .into_iter()
            .chain(self.upstream.clone())
            .collect()
    }
}
