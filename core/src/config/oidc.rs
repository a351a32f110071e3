//! Settings of mode `oidc`, and of what clients are told of the protected resource.

use alloc::format;
use alloc::vec;

use super::resolve::{algorithms, leeway, list, url};
use super::{ConfigError, Setting, Settings};
use crate::cache::issuer_of;
use crate::jose::TokenPolicy;
use crate::modes::{JwtMode, KeySource, Mode};
use crate::resource::{ProtectedResource, ResourceFault};
use crate::url::HttpUrl;

/// Reads mode `oidc`. The issuer becomes known with the discovery document.
pub(super) fn mode(settings: &Settings) -> Result<Mode, ConfigError> {
    let document = discovery_document(settings, "oidc")?;
    let resource = described(settings)?.ok_or_else(|| missing(Setting::OidcBaseUrl, "oidc"))?;
    let mut audiences = list(settings, Setting::OidcAudience)?;
    if audiences.is_empty()
        && let Some(client_id) = settings.non_blank(Setting::OidcClientId)
    {
        // Entra's v2.0 access tokens are for the client, as are the ID tokens of all.
        audiences = vec![client_id.into()];
    }
    if audiences.is_empty() {
        audiences = vec![resource.identifier().into()];
    }
    let policy = TokenPolicy {
        issuers: vec![],
        audiences,
        leeway_seconds: leeway(settings)?,
    };
    Ok(Mode::Oidc(JwtMode {
        keys: KeySource::Discovery(document),
        policy,
        algorithms: algorithms(settings)?,
    }))
}

/// Reads what clients are told of the protected resource, in the modes where a token is asked for.
pub(super) fn resource(
    settings: &Settings,
    mode: &Mode,
) -> Result<Option<ProtectedResource>, ConfigError> {
    match mode {
        Mode::None | Mode::ApiKey(_) | Mode::Zscaler(_) => Ok(None),
        Mode::OidcProxy(proxy) => Ok(Some(proxy.resource.clone())),
        Mode::Oidc(_) => described(settings),
        Mode::Jwt(jwt) => {
            let resource = described(settings)?;
            if resource.is_some() && jwt.policy.issuers.is_empty() {
                let problem = "needs ZSCALER_MCP_AUTH_ISSUER: the metadata names the issuer";
                return Err(ConfigError::at(Setting::OidcBaseUrl, problem));
            }
            Ok(resource)
        }
    }
}

/// Reads how clients know the protected resource, where that is set.
pub(super) fn described(settings: &Settings) -> Result<Option<ProtectedResource>, ConfigError> {
    let scopes = list(settings, Setting::OidcRequiredScopes)?;
    let Some(url) = url(settings, Setting::OidcBaseUrl)? else {
        // Without it nobody would be told which scopes are missing.
        return if scopes.is_empty() {
            Ok(None)
        } else {
            let problem = "must be set where scopes are required";
            Err(ConfigError::at(Setting::OidcBaseUrl, problem))
        };
    };
    closed(&url, Setting::OidcBaseUrl)?;
    ProtectedResource::new(&url, scopes)
        .map(Some)
        .map_err(|fault| match fault {
            ResourceFault::Url => ConfigError::at(
                Setting::OidcBaseUrl,
                "must have no query, quote or backslash",
            ),
            ResourceFault::Scope => {
                let problem = "names a scope with characters that no scope has";
                ConfigError::at(Setting::OidcRequiredScopes, problem)
            }
        })
}

/// Reads where the provider's discovery document is, in the mode of this name.
pub(super) fn discovery_document(
    settings: &Settings,
    mode: &'static str,
) -> Result<HttpUrl, ConfigError> {
    let setting = Setting::OidcConfigUrl;
    let document = url(settings, setting)?.ok_or_else(|| missing(setting, mode))?;
    closed(&document, setting)?;
    if issuer_of(&document).is_none() {
        let problem = "must be an issuer's URL followed by /.well-known/openid-configuration";
        return Err(ConfigError::at(setting, problem));
    }
    Ok(document)
}

/// Whoever can read or change what passes there could sign in as anybody.
fn closed(url: &HttpUrl, setting: Setting) -> Result<(), ConfigError> {
    if url.is_https() || url.is_loopback() {
        Ok(())
    } else {
        let problem = "must be https; plain http is for loopback addresses";
        Err(ConfigError::at(setting, problem))
    }
}

/// Says that a setting is missing in the mode of this name.
pub(super) fn missing(setting: Setting, mode: &str) -> ConfigError {
    ConfigError::at(setting, format!("must be set in mode {mode}"))
}
