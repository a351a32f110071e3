//! The modes: how a caller proves who it is.

mod api_key;
mod fetch;
mod jwt;
mod oidc_proxy;
mod zscaler;

use alloc::boxed::Box;
use alloc::sync::Arc;

pub use api_key::{
    ApiKeyMode, ApiKeyRecord, ApiKeyStatus, ApiKeyUses, ApiKeysError, read_api_keys,
};
pub use jwt::{JwtMode, KeySource};
pub use oidc_proxy::OidcProxyMode;
pub use zscaler::ZscalerMode;

pub(crate) use api_key::ApiKeyAuthenticator;
pub(crate) use fetch::{fetch, refresh};
pub(crate) use jwt::{AwaitJwks, Chance, JwtAuthenticator};
pub(crate) use oidc_proxy::OidcProxyAuthenticator;
pub(crate) use zscaler::{AwaitTokenEndpoint, GrantFinding, Validation, ZscalerAuthenticator};

use crate::ambient::UnixSeconds;
use crate::cache::{KeySet, KeysFinding, ProviderFinding};
use crate::config::{Config, ModeName};
use crate::denial::Denial;
use crate::flights::Flights;
use crate::identity::Principal;
use crate::jose::{SignatureCheck, SignatureVerifier};
use crate::observation::CacheFacts;
use crate::request::RequestHead;
use crate::rules::AccessRules;
use crate::seed::Seed;
use crate::upstream::UpstreamCall;

/// How callers are authenticated.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Not at all: local development.
    None,
    /// Shared keys.
    ApiKey(ApiKeyMode),
    /// Access tokens, checked with the keys of a JWKS.
    Jwt(JwtMode),
    /// Access tokens of an OpenID provider, which its discovery document describes.
    Oidc(JwtMode),
    /// Access tokens of our own authorization server, for whoever signs in at an OpenID provider.
    OidcProxy(Box<OidcProxyMode>),
    /// Zscaler OneAPI client credentials, checked at the token endpoint.
    Zscaler(ZscalerMode),
}

impl Mode {
    /// Returns the name.
    #[must_use]
    pub const fn name(&self) -> ModeName {
        match self {
            Self::None => ModeName::None,
            Self::ApiKey(_) => ModeName::ApiKey,
            Self::Jwt(_) => ModeName::Jwt,
            Self::Oidc(_) => ModeName::Oidc,
            Self::OidcProxy(_) => ModeName::OidcProxy,
            Self::Zscaler(_) => ModeName::Zscaler,
        }
    }
}

/// What a mode needs of the engine for one request.
pub(crate) struct Desk<'a> {
    pub(crate) now: UnixSeconds,
    pub(crate) verifier: &'a dyn SignatureVerifier,
    pub(crate) flights: &'a mut Flights,
    pub(crate) access: &'a AccessRules,
}

/// What a mode says of a request.
pub(crate) enum Verdict {
    Admit(Arc<Principal>),
    Deny(Denial),
    Await(Awaiting),
}

/// How far a mode gets with a request by itself.
pub(crate) enum Judgement<'a> {
    /// All the way.
    Verdict(Verdict),
    /// To the check of a signature.
    Unchecked(SignatureCheck<'a>),
}

impl From<Verdict> for Judgement<'_> {
    fn from(verdict: Verdict) -> Self {
        Self::Verdict(verdict)
    }
}

impl From<Result<Arc<Principal>, Denial>> for Verdict {
    fn from(result: Result<Arc<Principal>, Denial>) -> Self {
        result.map_or_else(Self::Deny, Self::Admit)
    }
}

/// What a request waits for.
#[derive(Debug)]
pub(crate) enum Awaiting {
    Jwks(AwaitJwks),
    TokenEndpoint(AwaitTokenEndpoint),
}

/// The running form of [`Mode`], with its caches.
#[derive(Debug)]
pub(crate) enum Authenticator {
    None(Arc<Principal>),
    ApiKey(ApiKeyAuthenticator),
    Jwt(Box<JwtAuthenticator>),
    OidcProxy(Box<OidcProxyAuthenticator>),
    Zscaler(Box<ZscalerAuthenticator>),
}

impl Authenticator {
    pub(crate) fn new(config: &Config, seed: &Seed) -> Self {
        let entries = config.cache_entries;
        match &config.mode {
            Mode::None => Self::None(Arc::new(Principal::nobody())),
            Mode::ApiKey(mode) => Self::ApiKey(ApiKeyAuthenticator::new(mode)),
            Mode::Jwt(settings) | Mode::Oidc(settings) => {
                let name = config.mode.name();
                Self::Jwt(Box::new(JwtAuthenticator::new(
                    name,
                    settings.clone(),
                    config.resource.as_ref(),
                    seed.fingerprint_key(),
                    entries,
                )))
            }
            Mode::OidcProxy(mode) => {
                let mode = OidcProxyMode::clone(mode);
                Self::OidcProxy(Box::new(OidcProxyAuthenticator::new(mode, seed, entries)))
            }
            Mode::Zscaler(mode) => {
                Self::Zscaler(Box::new(ZscalerAuthenticator::new(mode.clone(), entries)))
            }
        }
    }

    pub(crate) fn authenticate<'a>(
        &mut self,
        head: &RequestHead<'a>,
        desk: &mut Desk<'_>,
    ) -> Judgement<'a> {
        let verdict = match self {
            Self::None(nobody) => Verdict::Admit(Arc::clone(nobody)),
            Self::ApiKey(keys) => keys.authenticate(head, desk.access, desk.now).into(),
            Self::Jwt(jwt) => return jwt.authenticate(head, desk),
            Self::OidcProxy(proxy) => proxy.authenticate(head, desk),
            Self::Zscaler(zscaler) => zscaler.authenticate(head, desk),
        };
        verdict.into()
    }

    /// Returns the keys of an issuer over time, where the mode has one.
    pub(crate) const fn keys(&self) -> Option<&KeySet> {
        match self {
            Self::Jwt(jwt) => Some(jwt.keys()),
            Self::OidcProxy(proxy) if proxy.signs_in() => Some(proxy.server.keys()),
            Self::OidcProxy(_) | Self::None(_) | Self::ApiKey(_) | Self::Zscaler(_) => None,
        }
    }

    /// Returns the keys of an issuer over time, where the mode has one.
    pub(crate) const fn keys_mut(&mut self) -> Option<&mut KeySet> {
        match self {
            Self::Jwt(jwt) => Some(jwt.keys_mut()),
            Self::OidcProxy(proxy) if proxy.signs_in() => Some(proxy.server.keys_mut()),
            Self::OidcProxy(_) | Self::None(_) | Self::ApiKey(_) | Self::Zscaler(_) => None,
        }
    }

    /// Takes what the discovery document said, and returns the call for the keys that follows.
    pub(crate) fn finish_discovery(
        &mut self,
        finding: ProviderFinding,
        at: UnixSeconds,
    ) -> Option<UpstreamCall> {
        match self {
            Self::Jwt(jwt) => jwt.finish_discovery(finding, at),
            Self::OidcProxy(proxy) => proxy.server.keys_mut().finish_discovery(finding, at),
            Self::None(_) | Self::ApiKey(_) | Self::Zscaler(_) => None,
        }
    }

    /// Takes the keys that a fetch found at `at`.
    pub(crate) fn finish_fetch(&mut self, finding: KeysFinding, at: UnixSeconds) {
        match self {
            Self::Jwt(jwt) => jwt.finish_fetch(finding, at),
            Self::OidcProxy(proxy) => {
                proxy.server.keys_mut().finish_fetch(finding, at);
            }
            Self::None(_) | Self::ApiKey(_) | Self::Zscaler(_) => {}
        }
    }

    /// Returns what the mode remembers of credentials, where it does.
    pub(crate) fn cache(&self) -> Option<CacheFacts> {
        match self {
            Self::Jwt(jwt) => Some(jwt.cache()),
            Self::OidcProxy(proxy) => Some(proxy.cache()),
            Self::Zscaler(zscaler) => Some(zscaler.cache()),
            Self::None(_) | Self::ApiKey(_) => None,
        }
    }

    /// Returns the fields that carry credentials in this mode.
    pub(crate) const fn credential_fields(&self) -> &'static [&'static str] {
        match self {
            Self::None(_) => &[],
            Self::ApiKey(_) => &["authorization", "x-api-key"],
            Self::Jwt(_) | Self::OidcProxy(_) => &["authorization"],
            Self::Zscaler(_) => &[
                "authorization",
                "x-zscaler-client-id",
                "x-zscaler-client-secret",
            ],
        }
    }
}
