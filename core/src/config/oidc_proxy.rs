//! Settings of mode `oidcproxy`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::oidc::{described, discovery_document, missing};
use super::resolve::{list, number, parsed, url};
use super::{ConfigError, Setting, Settings, Site, StateKeys};
use crate::ambient::UnixSeconds;
use crate::cache::issuer_of;
use crate::modes::{Mode, OidcProxyMode};
use crate::oauth::{
    Branding, ClientDocuments, DenyList, Form, Logo, Profile, ProviderClient, RedirectPatterns,
};
use crate::resource::ProtectedResource;
use crate::rules::items;
use crate::scope::is_scope;
use crate::url::HttpUrl;

const DEFAULT_REDIRECT_PATH: &str = "/auth/callback";

/// Ten minutes: nothing takes an access token back before it lapses.
const DEFAULT_ACCESS_TOKEN_SECONDS: u64 = 600;

/// Thirty days.
const DEFAULT_SESSION_SECONDS: u64 = 30 * 24 * 60 * 60;
const MAX_SESSION_SECONDS: u64 = 366 * 24 * 60 * 60;

/// Reads the mode.
pub(super) fn mode(settings: &Settings, site: Site) -> Result<Mode, ConfigError> {
    let document = discovery_document(settings, "oidcproxy")?;
    let resource =
        described(settings)?.ok_or_else(|| missing(Setting::OidcBaseUrl, "oidcproxy"))?;
    let state_keys = parsed(settings, Setting::StateKeys, StateKeys::parse)?.ok_or_else(|| {
        let problem = "must be set in mode oidcproxy: 32 random octets in base64url, the same on \
            every replica (openssl rand -base64 32 | tr '+/' '-_')";
        ConfigError::at(Setting::StateKeys, problem)
    })?;
    let redirect_path = redirect_path(settings)?;
    if TAKEN.contains(&resource.path()) || resource.path() == redirect_path {
        let problem = "has the path of an OAuth endpoint";
        return Err(ConfigError::at(Setting::OidcBaseUrl, problem));
    }
    let problem = "must be a whole number of seconds from 300 to 900";
    let access_token_seconds = number(
        settings,
        Setting::OidcAccessTokenSeconds,
        &(300..=900),
        problem,
    )?;
    let problem = "must be a whole number of seconds from 900 to 31622400";
    let session_seconds = number(
        settings,
        Setting::OidcSessionSeconds,
        &(900..=MAX_SESSION_SECONDS),
        problem,
    )?;
    Ok(Mode::OidcProxy(Box::new(OidcProxyMode {
        client: client(settings, &document, &resource, &redirect_path)?,
        document,
        redirect_path,
        resource,
        state_keys,
        redirect_patterns: parsed(
            settings,
            Setting::OidcAllowedRedirectUris,
            RedirectPatterns::parse,
        )?,
        elsewhere: elsewhere(settings, site)?,
        documents: documents(settings, site)?,
        denied: denied(settings)?,
        access_token_seconds: access_token_seconds.unwrap_or(DEFAULT_ACCESS_TOKEN_SECONDS),
        session_seconds: session_seconds.unwrap_or(DEFAULT_SESSION_SECONDS),
        branding: branding(settings)?,
    })))
}

fn client(
    settings: &Settings,
    document: &HttpUrl,
    resource: &ProtectedResource,
    redirect_path: &str,
) -> Result<ProviderClient, ConfigError> {
    let id = settings.non_blank(Setting::OidcClientId).ok_or_else(|| {
        let problem = "must be set in mode oidcproxy: the gateway's client id at the provider \
            (mode oidc checks tokens that clients got there themselves, and needs none)";
        ConfigError::at(Setting::OidcClientId, problem)
    })?;
    let profile = profile(settings, document)?;
    let scopes = list(settings, Setting::OidcScopes)?;
    if !scopes.iter().all(|scope| is_scope(scope)) {
        let problem = "names a scope with characters that no scope has";
        return Err(ConfigError::at(Setting::OidcScopes, problem));
    }
    if !scopes.is_empty() && !scopes.iter().any(|scope| scope == "openid") {
        let problem = "must name openid: without it the provider does not say who signs in";
        return Err(ConfigError::at(Setting::OidcScopes, problem));
    }
    let scope = if scopes.is_empty() {
        profile.traits().default_scopes.join(" ")
    } else {
        scopes.join(" ")
    };
    let audience = settings.non_blank(Setting::OidcAudience);
    Ok(ProviderClient {
        id: id.to_string(),
        secret: settings
            .non_blank(Setting::OidcClientSecret)
            .map(ToString::to_string),
        redirect_uri: format!("{}{redirect_path}", resource.origin()),
        scope,
        profile,
        audience: audience.map(ToString::to_string),
        extra_authorize: parameters(settings, Setting::OidcExtraAuthorizeParams, &RESERVED)?,
        extra_token: parameters(settings, Setting::OidcExtraTokenParams, &RESERVED)?,
    })
}

/// What a sign-in rests on: no setting may say it otherwise.
const RESERVED: [&str; 14] = [
    "response_type",
    "response_mode",
    "client_id",
    "client_secret",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "refresh_token",
];

fn profile(settings: &Settings, document: &HttpUrl) -> Result<Profile, ConfigError> {
    if let Some(name) = settings.non_blank(Setting::IdpProfile) {
        return Profile::from_name(name).ok_or_else(|| {
            let problem = format!("is not a profile; known are {}", Profile::names());
            ConfigError::at(Setting::IdpProfile, problem)
        });
    }
    let issuer = issuer_of(document).and_then(|issuer| HttpUrl::parse(&issuer).ok());
    Ok(issuer.map_or(Profile::Generic, |issuer| Profile::detect(&issuer)))
}

fn parameters(
    settings: &Settings,
    setting: Setting,
    reserved: &[&str],
) -> Result<Vec<(String, String)>, ConfigError> {
    let Some(text) = settings.non_blank(setting) else {
        return Ok(Vec::new());
    };
    let problem = "must be parameters as in a query, such as prompt=consent&hd=example.com";
    let form = Form::parse(text.as_bytes()).map_err(|_| ConfigError::at(setting, problem))?;
    let fields = form.into_fields();
    if let Some((name, _)) = fields
        .iter()
        .find(|(name, _)| name.is_empty() || reserved.contains(&name.as_str()))
    {
        let problem = format!("must not set \"{name}\"");
        return Err(ConfigError::at(setting, problem));
    }
    Ok(fields)
}

/// Paths that are answered already.
const TAKEN: [&str; 8] = [
    "/register",
    "/authorize",
    "/consent",
    "/token",
    "/revoke",
    "/health",
    "/healthz",
    "/ready",
];

/// A path that no other endpoint has.
fn redirect_path(settings: &Settings) -> Result<String, ConfigError> {
    let path = settings
        .non_blank(Setting::OidcRedirectPath)
        .unwrap_or(DEFAULT_REDIRECT_PATH);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let fits = path.starts_with('/') && path.len() > 1 && path.bytes().all(plain);
    if fits && !TAKEN.contains(&path) && !path.contains("/.well-known/") {
        Ok(path.to_string())
    } else {
        let problem = "must be a path such as /auth/callback that nothing else is at";
        Err(ConfigError::at(Setting::OidcRedirectPath, problem))
    }
}

/// Where the bodies of requests cannot be read, the native binary answers beside the filter.
fn elsewhere(settings: &Settings, site: Site) -> Result<Option<HttpUrl>, ConfigError> {
    let setting = Setting::OAuthEndpoints;
    let elsewhere = url(settings, setting)?;
    if elsewhere.is_some() && site != Site::Filter {
        let problem = "is for the filter: the native binary answers these requests itself";
        return Err(ConfigError::at(setting, problem));
    }
    if elsewhere.as_ref().is_some_and(|url| url.path() != "/") {
        let problem = "must have no path: requests keep their own";
        return Err(ConfigError::at(setting, problem));
    }
    Ok(elsewhere)
}

/// In Envoy every host needs a cluster, so only those that are named can be asked there.
fn documents(settings: &Settings, site: Site) -> Result<ClientDocuments, ConfigError> {
    let setting = Setting::OidcClientDocuments;
    let documents = parsed(settings, setting, ClientDocuments::parse)?;
    match (documents, site) {
        (Some(ClientDocuments::Public), Site::Filter) => {
            let problem = "must name hosts in Envoy, each with a cluster";
            Err(ConfigError::at(setting, problem))
        }
        (Some(documents), _) => Ok(documents),
        (None, Site::Filter) => Ok(ClientDocuments::Off),
        (None, Site::Native { .. }) => Ok(ClientDocuments::Public),
    }
}

fn denied(settings: &Settings) -> Result<DenyList, ConfigError> {
    let text = |setting| settings.get(setting).unwrap_or_default();
    let problem = "must be a time in seconds since 1970";
    let setting = Setting::DeniedSignInsBefore;
    let before = number(settings, setting, &(0..=u64::MAX), problem)?;
    Ok(DenyList::default()
        .with_clients(items(text(Setting::DeniedClients)))
        .with_subjects(items(text(Setting::DeniedSubjects)))
        .with_sign_ins_before(UnixSeconds(before.unwrap_or_default())))
}

fn branding(settings: &Settings) -> Result<Branding, ConfigError> {
    let at = |setting| move |problem: &'static str| ConfigError::at(setting, problem);
    let mut branding = Branding::default();
    if let Some(name) = settings.non_blank(Setting::BrandName) {
        branding = branding.with_name(name).map_err(at(Setting::BrandName))?;
    }
    if let Some(text) = settings.non_blank(Setting::BrandText) {
        branding = branding.with_text(text).map_err(at(Setting::BrandText))?;
    }
    if let Some(logo) = settings.non_blank(Setting::BrandLogo) {
        let logo = Logo::parse(logo).map_err(|fault| fault.description());
        branding = branding.with_logo(logo.map_err(at(Setting::BrandLogo))?);
    }
    Ok(branding)
}
