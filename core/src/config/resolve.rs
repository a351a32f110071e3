//! From settings to a configuration.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::str::FromStr;

use super::mode::{choose, switch};
use super::{
    Config, ConfigError, DEFAULT_CACHE_ENTRIES, ModeName, Setting, Settings, StateKeys, oidc,
    oidc_proxy, zscaler,
};
use crate::jose::{Algorithm, TokenPolicy};
use crate::modes::{ApiKeyMode, JwtMode, KeySource, Mode};
use crate::resource::ProtectedResource;
use crate::rules::{AccessRules, AddressList, HostList, OriginList, items};
use crate::url::HttpUrl;

const DEFAULT_LEEWAY_SECONDS: u64 = 30;
const MAX_LEEWAY_SECONDS: u64 = 300;

/// Some 250 MB.
const MAX_CACHE_ENTRIES: usize = 1_000_000;

const LOOPBACK_ORIGINS: &str = "http://localhost:*,http://127.0.0.1:*,http://[::1]:*,\
    https://localhost:*,https://127.0.0.1:*,https://[::1]:*";

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
#[cold]
pub fn resolve(settings: &Settings, site: Site) -> Result<Resolution, ConfigError> {
    let choice = choose(settings, site)?;
    let mut warnings = choice.warnings;
    let mode = match choice.mode {
        ModeName::None => Mode::None,
        ModeName::ApiKey => api_key(settings, &mut warnings)?,
        ModeName::Jwt => jwt(settings, &mut warnings)?,
        ModeName::Oidc => oidc::mode(settings)?,
        ModeName::OidcProxy => oidc_proxy::mode(settings, site)?,
        ModeName::Zscaler => zscaler::mode(settings, &mut warnings)?,
    };
    let resource = oidc::resource(settings, &mode)?;
    let mut access = access(settings, &mode, site)?;
    // MCP asks servers to check every `Origin`, and there the own one is known. Clients of the
    // other modes have never been asked for one.
    if mode.name().is_oauth() {
        access.own_origin = resource.as_ref().and_then(own_origin);
    }
    let config = Config {
        access,
        session_keys: session_keys(settings, &mode, site, &mut warnings)?,
        cache_entries: cache_entries(settings)?,
        resource,
        upstream: upstream(settings)?,
        mode,
    };
    Ok(Resolution {
        config,
        why: choice.why,
        warnings,
    })
}

fn api_key(settings: &Settings, warnings: &mut Vec<String>) -> Result<Mode, ConfigError> {
    // Whoever reads files does so before.
    if settings.get(Setting::ApiKeys).is_none()
        && settings.non_blank(Setting::ApiKeysFile).is_some()
    {
        let problem = "cannot be read here: give the list itself as PORTCULLIS_API_KEYS";
        return Err(ConfigError::at(Setting::ApiKeysFile, problem));
    }
    let one = settings.non_blank(Setting::ApiKey);
    let mode = match (settings.get(Setting::ApiKeys), one) {
        (Some(list), one) => {
            let mode = ApiKeyMode::parse_list(list.as_bytes())
                .map_err(|error| ConfigError::at(list_setting(settings), error.to_string()))?;
            match one {
                Some(key) => mode.and(key),
                None => Ok(mode),
            }
        }
        (None, Some(key)) => ApiKeyMode::parse(key),
        (None, None) => {
            let problem = "must be set in mode api-key, plain or as sha256:HEX, \
                or PORTCULLIS_API_KEYS to a list of keys";
            return Err(ConfigError::at(Setting::ApiKey, problem));
        }
    };
    let mode = mode.map_err(|problem| ConfigError::at(Setting::ApiKey, problem))?;
    if mode.count() == 0 {
        warnings.push("the list of API keys is empty: nobody may connect".to_owned());
    }
    Ok(Mode::ApiKey(mode))
}

/// Returns the setting that people know the list of keys by.
fn list_setting(settings: &Settings) -> Setting {
    match settings.non_blank(Setting::ApiKeysFile) {
        Some(_) => Setting::ApiKeysFile,
        None => Setting::ApiKeys,
    }
}

fn jwt(settings: &Settings, warnings: &mut Vec<String>) -> Result<Mode, ConfigError> {
    let jwks_uri = url(settings, Setting::JwksUri)?
        .ok_or_else(|| ConfigError::at(Setting::JwksUri, "must be set in mode jwt"))?;
    warn_plain_http(&jwks_uri, Setting::JwksUri, warnings);
    let issuers = list(settings, Setting::Issuer)?;
    let audiences = list(settings, Setting::Audience)?;
    for (values, setting, risk) in [
        (
            &issuers,
            Setting::Issuer,
            "tokens of any issuer that its JWKS signs are accepted",
        ),
        (
            &audiences,
            Setting::Audience,
            "tokens that were issued for other services are accepted",
        ),
    ] {
        if values.is_empty() {
            warnings.push(format!("{} is not set: {risk}", setting.name()));
        }
    }
    let policy = TokenPolicy {
        issuers,
        audiences,
        leeway_seconds: leeway(settings)?,
    };
    Ok(Mode::Jwt(JwtMode {
        keys: KeySource::Jwks(jwks_uri),
        policy,
        algorithms: algorithms(settings)?,
    }))
}

fn cache_entries(settings: &Settings) -> Result<usize, ConfigError> {
    let problem = "must be a whole number from 1 to 1000000: credentials to remember";
    let limits = 1..=MAX_CACHE_ENTRIES;
    let entries = number(settings, Setting::CacheEntries, &limits, problem)?;
    Ok(entries.unwrap_or(DEFAULT_CACHE_ENTRIES))
}

fn access(settings: &Settings, mode: &Mode, site: Site) -> Result<AccessRules, ConfigError> {
    let mut access = AccessRules {
        hosts: parsed(settings, Setting::AllowedHosts, HostList::parse)?,
        origins: parsed(settings, Setting::AllowedOrigins, OriginList::parse)?,
        sources: parsed(settings, Setting::AllowedSourceIps, AddressList::parse)?,
        trusted_proxies: parsed(settings, Setting::TrustedProxies, AddressList::parse)?,
        own_origin: None,
    };
    // An open gate on a loopback address is reached by every web page that a browser on the host
    // shows, through a name that resolves to it; the list keeps such names out.
    if matches!((mode, site), (Mode::None, Site::Native { loopback: true })) {
        let hosts = HostList::parse("localhost,127.0.0.1,[::1]");
        access.hosts = access.hosts.or_else(|| hosts.ok());
        access.origins = access
            .origins
            .or_else(|| OriginList::parse(LOOPBACK_ORIGINS).ok());
    }
    Ok(access)
}

/// Returns the origins of the resource's own pages; a computer is its own by every name.
fn own_origin(resource: &ProtectedResource) -> Option<OriginList> {
    let own = HttpUrl::parse(resource.origin()).ok()?;
    let loopback = own.is_loopback().then_some(LOOPBACK_ORIGINS);
    OriginList::parse(loopback.unwrap_or_else(|| resource.origin())).ok()
}

fn session_keys(
    settings: &Settings,
    mode: &Mode,
    site: Site,
    warnings: &mut Vec<String>,
) -> Result<Option<StateKeys>, ConfigError> {
    let keys = parsed(settings, Setting::StateKeys, StateKeys::parse)?;
    let bound = match settings.non_blank(Setting::SessionBinding) {
        None => true,
        Some(word) if word.eq_ignore_ascii_case("on") => true,
        Some(word) if word.eq_ignore_ascii_case("off") => false,
        Some(_) => {
            return Err(ConfigError::at(
                Setting::SessionBinding,
                "must be on or off",
            ));
        }
    };
    match (mode, bound, site) {
        (Mode::None, _, _) => Ok(None),
        (_, false, _) => {
            let name = Setting::SessionBinding.name();
            warnings.push(format!(
                "{name} is off: a session id works for every caller"
            ));
            Ok(None)
        }
        (_, true, Site::Filter) if keys.is_none() => Err(ConfigError::at(
            Setting::StateKeys,
            "must be set: workers and replicas share no other memory for session ids \
             (or say PORTCULLIS_SESSION_BINDING=off)",
        )),
        (_, true, Site::Filter | Site::Native { .. }) => Ok(keys),
    }
}

fn upstream(settings: &Settings) -> Result<Option<HttpUrl>, ConfigError> {
    let upstream = url(settings, Setting::Upstream)?;
    if upstream.as_ref().is_some_and(|url| url.path() != "/") {
        let problem = "must have no path: requests keep their own";
        return Err(ConfigError::at(Setting::Upstream, problem));
    }
    Ok(upstream)
}

pub(super) fn algorithms(settings: &Settings) -> Result<Vec<Algorithm>, ConfigError> {
    let names = list(settings, Setting::Algorithms)?;
    if names.is_empty() {
        return Ok(Algorithm::ALL.to_vec());
    }
    let algorithms: Option<_> = names
        .iter()
        .map(|name| Algorithm::from_name(name))
        .collect();
    algorithms.ok_or_else(|| {
        let known: Vec<&str> = Algorithm::ALL
            .iter()
            .map(|algorithm| algorithm.name())
            .collect();
        let problem = format!("holds an unknown algorithm; known are {}", known.join(", "));
        ConfigError::at(Setting::Algorithms, problem)
    })
}

pub(super) fn leeway(settings: &Settings) -> Result<u64, ConfigError> {
    let problem = "must be a whole number from 0 to 300";
    let limits = 0..=MAX_LEEWAY_SECONDS;
    let seconds = number(settings, Setting::LeewaySeconds, &limits, problem)?;
    Ok(seconds.unwrap_or(DEFAULT_LEEWAY_SECONDS))
}

/// Parses a number within `limits`; a blank one is absent.
pub(super) fn number<N: FromStr + PartialOrd>(
    settings: &Settings,
    setting: Setting,
    limits: &RangeInclusive<N>,
    problem: &'static str,
) -> Result<Option<N>, ConfigError> {
    let Some(text) = settings.non_blank(setting) else {
        return Ok(None);
    };
    let number = text.parse().ok().filter(|number| limits.contains(number));
    let number = number.ok_or_else(|| ConfigError::at(setting, problem))?;
    Ok(Some(number))
}

/// Parses a comma list. A list that is set but empty is an error: it would switch a check off.
pub(super) fn list(settings: &Settings, setting: Setting) -> Result<Vec<String>, ConfigError> {
    let Some(text) = settings.get(setting) else {
        return Ok(Vec::new());
    };
    let values: Vec<String> = items(text).map(str::to_owned).collect();
    if values.is_empty() {
        return Err(ConfigError::at(
            setting,
            "is set but empty; give a value or leave it unset",
        ));
    }
    Ok(values)
}

pub(super) fn url(settings: &Settings, setting: Setting) -> Result<Option<HttpUrl>, ConfigError> {
    let url = settings.non_blank(setting).map(HttpUrl::parse).transpose();
    url.map_err(|problem| ConfigError::at(setting, problem))
}

pub(super) fn parsed<T>(
    settings: &Settings,
    setting: Setting,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, ConfigError> {
    settings
        .get(setting)
        .map(parse)
        .transpose()
        .map_err(|problem| ConfigError::at(setting, problem))
}

pub(super) fn warn_plain_http(url: &HttpUrl, setting: Setting, warnings: &mut Vec<String>) {
    if !url.is_https() && !url.is_loopback() {
        let name = setting.name();
        warnings.push(format!(
            "{name} is plain http: whoever is on the way can let anybody in"
        ));
    }
}

/// Parses a switch that only the native binary reads.
///
/// # Errors
///
/// Refuses other words than `true`, `1`, `yes`, `false`, `0` and `no`.
pub fn is_on(settings: &Settings, setting: Setting) -> Result<bool, ConfigError> {
    switch(settings, setting, false)
}
